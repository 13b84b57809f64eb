from __future__ import annotations

import sys

import pytest

from receiver.core.names import Vocabulary, phrase, split, stem, stems, told_words


def knowing(*names: str) -> Vocabulary:
    vocabulary = Vocabulary()
    for name in names:
        vocabulary.add(name)
    return vocabulary


@pytest.mark.parametrize(
    ("name", "told"),
    [
        ("KubePodCrashLooping", "Kube pod crash looping"),
        ("NodeClockSkew", "Node clock skew"),
        ("KubeHpaMaxedOut", "Kube HPA maxed out"),
        ("IstioLatency99Percentile", "Istio latency 99 percentile"),
        ("OIDCAuthOpenstackAPIFailed", "OIDC auth openstack API failed"),
        ("CCloudHermesCanaryDown", "CCloud hermes canary down"),
        ("NetworkN9kLeafDown", "Network N9k leaf down"),
        ("D8LinstorNodeIsNotOnline", "D8 linstor node is not online"),
        ("docker_memory_usage_pct", "Docker memory usage pct"),
        ("Database backup failed", "Database backup failed"),
        ("MetalIPMIExpCritical", "Metal IPMI exp"),
        ("XAlertCritical", "XAlert critical"),
        ("Überlast\u202e\x00Meldung", "Überlast meldung"),
    ],
)
def test_a_name_is_read_as_people_write(name: str, told: str) -> None:
    assert phrase(told_words(name, Vocabulary()), begins=True) == told


def test_within_a_title_a_name_begins_small() -> None:
    assert phrase(("Disk", "Full"), begins=False) == "disk full"
    assert phrase(("API", "Down"), begins=False) == "API down"


def test_words_are_compared_by_their_stems() -> None:
    assert stem("Errors") == stem("error")
    assert stem("bus") == "bus"
    assert stems("PodErrors") == {"pod", "error"}
    assert split("__") == ()


def test_a_prefix_that_all_have_here_is_not_told() -> None:
    kube = knowing(*(f"Kube{what}IsDown" for what in "ABCDEFGHIJ"))

    assert told_words("KubePodCrashLooping", kube) == ("Pod", "Crash", "Looping")
    few = knowing(*(f"Kube{what}IsDown" for what in "ABCDEFGHI"))
    assert told_words("KubePodCrashLooping", few)[0] == "Kube"
    # Three words are few enough to stay.
    assert told_words("KubeJobFailed", kube) == ("Kube", "Job", "Failed")
    assert told_words("NodePodCrashLooping", kube)[0] == "Node"


def test_a_prefix_that_says_what_is_wrong_is_told() -> None:
    high = knowing(*(f"High{what}" for what in "ABCDEFGHIJ"))

    assert told_words("HighRequestErrorRate", high)[0] == "High"


def test_the_rarer_word_tells_more_and_what_is_forgotten_counts_no_more() -> None:
    vocabulary = knowing("PodDown", "NodeDown", "DiskFull")

    assert vocabulary.rarity("disk") > vocabulary.rarity("down") > 0
    assert vocabulary.rarity("new") > vocabulary.rarity("disk")
    vocabulary.discard("NodeDown")
    assert (vocabulary.names, vocabulary.count("down"), vocabulary.count("node")) == (2, 1, 0)


def test_a_name_of_megabytes_is_not_held_for_its_words() -> None:
    name = "DiskFull" * 100_000
    before = sys.getrefcount(name)

    assert split(name) == split(name[:120])
    assert stems(name) == {"disk", "full"}

    assert sys.getrefcount(name) == before
