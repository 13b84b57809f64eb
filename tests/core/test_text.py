from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from receiver.core import text


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("KubePodCrashLooping", "Kube Pod Crash Looping"),
        ("HTTPErrorRate", "HTTP Error Rate"),
        ("node_disk-full.now", "node disk full now"),
        ("", ""),
    ],
)
def test_a_name_is_split_into_words(name: str, words: str) -> None:
    assert text.split_name(name) == words


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("pod web-5f6585d649-fnmft is down", "pod web-579b9bff58-t2dbm is down"),
        ("latency is 29586ms (above 1.5 s)", "latency is 3ms (above 20 s)"),
        ("from 10.0.0.1:9100 at 97.5%", "from 192.168.1.20:80 at 3%"),
        ("id 550e8400-e29b-41d4-a716-446655440000", "id 123e4567-e89b-12d3-a456-426614174000"),
        ("commit 4ad6563a370203a3 failed", "commit 3dd336767c8af436 failed"),
        ("at 2026-01-01T00:00:00Z", "at 2025-05-05 10:00:00"),
    ],
)
def test_what_varies_is_masked(one: str, other: str) -> None:
    assert text.mask(one) == text.mask(other)


def test_what_tells_kinds_apart_is_kept() -> None:
    assert text.mask("http://10.0.0.1:9383/mob_info gives an error") == "/mob_info gives an error"


def test_the_text_has_name_summary_and_description_once() -> None:
    told = {"summary": "Disk is full", "description": "Disk is full", "runbook_url": "http://x"}

    assert text.masked_text({"alertname": "DiskFull"}, told) == "Disk Full. Disk is full"


def test_without_annotations_the_labels_take_their_place() -> None:
    assert text.masked_text({"alertname": "A", "app": "web"}, {}) == "A. app web"


def test_there_is_always_a_text() -> None:
    assert text.masked_text({"alertname": ""}, {}) == "alert"


@given(st.dictionaries(st.text(max_size=5), st.text(max_size=50)), st.text(max_size=2000))
def test_no_text_is_too_long_or_holds_what_cannot_be_shown(
    labels: dict[str, str], summary: str
) -> None:
    found = text.masked_text(labels, {"summary": summary})

    assert 0 < len(found) <= text.MAX_LENGTH


@given(st.text(max_size=200))
def test_shown_text_is_one_line_without_tricks(value: str) -> None:
    shown = text.display(value)

    assert not set(shown) & set("\n\r\t\x00\x1b\u202e\u2066\u200b\ufeff\u2028")
    assert text.display(shown) == shown


def test_megabytes_cost_little() -> None:
    assert len(text.masked_text({"alertname": "A"}, {"summary": "1" * 10_000_000})) < 10
