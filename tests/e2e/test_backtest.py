"""The past of a real Prometheus, replayed, beside what the same Prometheus told a receiver live."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from receiver import replay
from receiver.config import load
from receiver.core.timestamps import parse, render, render_optional
from receiver.embedding.hashing import HashingEmbedder
from tests.e2e.conftest import MakeAlertmanager, MakePrometheus
from tests.support.alertmanager import firing
from tests.support.processes import REPOSITORY, ReceiverProcess
from tests.support.prometheus import Prometheus
from tests.support.stubs import Site
from tests.support.waiting import PATIENCE_SECONDS, wait_until
from tests.support.webhook import alert, body

pytestmark = pytest.mark.e2e

CONFIG = load(None, ["embedding.backend=hashing"])
TEXT = "no space is left on {{ $labels.pod }} of {{ $value | humanize }}"


def rule(name: str, **changed: Any) -> dict[str, Any]:
    told = {
        "alert": name,
        "expr": f'broken{{what="{name}"}} == 1',
        "annotations": {"summary": TEXT},
    }
    return told | changed


RULES = {
    "site.yml": json.dumps(
        {
            "groups": [
                {
                    "name": "quick",
                    "interval": "1s",
                    "rules": [
                        rule("DiskFull", labels={"severity": "critical"}),
                        rule("DiskSlow", **{"for": "2s"}),
                    ],
                },
                {"name": "slow", "interval": "3s", "rules": [rule("DiskOld")]},
            ]
        }
    )
}
FIRING = 'ALERTS{alertstate="firing"}'
BROKEN = [
    {"what": what, "pod": f"fs-{number}"}
    for what in ("DiskFull", "DiskSlow", "DiskOld")
    for number in range(2)
]


def stormcell_replay(*arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "receiver", "replay", "--set=embedding.backend=hashing", *arguments],
        cwd=REPOSITORY,
        capture_output=True,
        text=True,
        timeout=PATIENCE_SECONDS,
        check=False,
    )


def test_the_past_rebuilt_is_what_was_told_live(
    receiver: ReceiverProcess, start_prometheus: MakePrometheus, site: Site
) -> None:
    prometheus = start_prometheus(
        targets={"site": site.port}, alertmanagers=[receiver.port], rules=RULES
    )
    site.breaks(BROKEN)
    wait_until("all to fire", lambda: receiver.received(outcome="new") >= 6)
    # A Prometheus just started tells what it does not record until it has looked up its past: what
    # ended sooner is in no history.
    wait_until("all to be recorded", lambda: len(prometheus.query(FIRING)) == 6)
    site.mends()
    wait_until("all to end", lambda: receiver.received(status="resolved") >= 6)
    site.breaks(BROKEN[:4])  # of the first two rules
    wait_until("some to fire again", lambda: receiver.received(outcome="new") >= 10)
    receiver.settle()
    live = {(alert["fingerprint"], alert["startsAt"]): alert for alert in receiver.alerts()}

    played = replayed(prometheus)
    found = {(line.fingerprint, line.starts_at): line.episode for line in played.lines}

    assert played.notifications == len(played.lines) == 10
    assert found.keys() == live.keys()
    for key, episode in found.items():
        assert episode is not None
        assert ("firing" if episode.fires else "resolved") == live[key]["state"]
        if not episode.fires:
            # An evaluation may have been missed, and then the live end is later.
            ended = render_optional(episode.ends_at) or ""
            assert live[key]["startsAt"] < ended <= live[key]["endsAt"]


def replayed(prometheus: Prometheus) -> replay.Replay:
    return replay.run([replay.Prometheus(prometheus.url, since=600)], CONFIG, HashingEmbedder())


def test_what_began_anew_after_a_crash_of_prometheus_is_another_period(
    receiver: ReceiverProcess, start_prometheus: MakePrometheus, site: Site
) -> None:
    prometheus = start_prometheus(
        targets={"site": site.port}, alertmanagers=[receiver.port], rules=RULES
    )
    site.breaks(BROKEN[:2])
    wait_until("both to fire", lambda: len(replayed(prometheus).lines) == 2)
    # Killed, it leaves no mark that its series end, and for five minutes they are carried on.
    prometheus.kill()
    prometheus.start()
    wait_until("both to fire anew", lambda: len(replayed(prometheus).lines) == 4)

    now = prometheus.get("/api/v1/alerts").json()["data"]["alerts"]
    lines = replayed(prometheus).lines

    assert {line.starts_at for line in lines[2:]} == {
        render(parse(alert["activeAt"]) or 0) for alert in now
    }
    assert [line.episode.fires for line in lines if line.episode] == [False, False, True, True]


def test_the_command_tells_what_the_past_would_have_been(
    receiver: ReceiverProcess, start_prometheus: MakePrometheus, site: Site
) -> None:
    prometheus = start_prometheus(
        targets={"site": site.port}, alertmanagers=[receiver.port], rules=RULES
    )
    site.breaks(BROKEN[:2])
    wait_until("both to fire", lambda: receiver.received(outcome="new") >= 2)

    ended = stormcell_replay("--prometheus", prometheus.url, "--since=10m")
    lines = stormcell_replay("--prometheus", prometheus.url, "--since=10m", "--format=jsonl")

    assert ended.returncode == 0
    assert "Disk full" in ended.stdout
    assert "every 1 s" in ended.stderr
    assert "2 notifications → 1 cluster → 0 storms" in ended.stderr
    assert [json.loads(line)["cluster"] for line in lines.stdout.splitlines()] == [1, 1]


def test_a_dump_of_a_real_alertmanager_holds_what_it_told(
    tmp_path: Path, receiver: ReceiverProcess, start_alertmanager: MakeAlertmanager
) -> None:
    alertmanager = start_alertmanager(receiver, group_by=["alertname"])
    alertmanager.post(
        [firing({"alertname": "DiskFull", "pod": f"fs-{n}"}, {"summary": "full"}) for n in range(3)]
    )
    wait_until("all to be told", lambda: receiver.received(status="firing") >= 3)
    receiver.settle()
    dump = tmp_path / "alerts.json"
    dump.write_bytes(alertmanager.get("/api/v2/alerts").body)

    ended = stormcell_replay(str(dump), "--format=jsonl")
    found = [json.loads(line) for line in ended.stdout.splitlines()]

    assert [(x["line"], x["alert"]) for x in found] == [(1, 0), (1, 1), (1, 2)]
    live = {(a["fingerprint"], a["startsAt"], a["cluster_id"]) for a in receiver.alerts()}
    assert {(x["fingerprint"], x["startsAt"], x["cluster"]) for x in found} == live


def test_a_storage_directory_in_use_is_read_and_left_as_it_is(receiver: ReceiverProcess) -> None:
    for name in ("DiskFull", "DiskSlow"):
        labels = {"alertname": name, "pod": "fs-1"}
        receiver.post(body([alert(labels, starts_at="2026-03-01T10:00:00Z")]))
    receiver.settle()
    before = [(alert["fingerprint"], alert["cluster_id"]) for alert in receiver.alerts()]

    running = stormcell_replay(str(receiver.storage), "--format=jsonl")
    receiver.stop()
    kept = files(receiver.storage)
    stopped = stormcell_replay(str(receiver.storage), "--format=jsonl")

    found = [json.loads(line) for line in running.stdout.splitlines()]
    assert sorted((x["fingerprint"], x["cluster"]) for x in found) == sorted(before)
    assert stopped.stdout == running.stdout
    assert files(receiver.storage) == kept
    assert "stormcell.db" in kept


def files(folder: Path) -> dict[str, bytes]:
    """Return what lies in *folder*, less the index by which readers find their way in the log."""
    return {
        path.name: path.read_bytes() for path in folder.iterdir() if not path.name.endswith("-shm")
    }


@pytest.mark.parametrize(
    ("arguments", "code", "said"),
    [
        ([], 2, "nothing to read, expected FILE … or --prometheus URL"),
        (["x", "--prometheus=http://localhost"], 2, "got FILE and --prometheus"),
        (["x", "--since=1d"], 2, "--since: expected with --prometheus only"),
        (
            ["--prometheus=localhost:9090"],
            1,
            "'localhost:9090', expected http://host[:port][/path]",
        ),
        (["--prometheus=http://127.0.0.1:1"], 1, "http://127.0.0.1:1: cannot be reached"),
        (["/nonexistent"], 1, "/nonexistent: no such file"),
    ],
)
def test_what_cannot_be_read_is_one_clear_line(arguments: list[str], code: int, said: str) -> None:
    ended = stormcell_replay(*arguments)

    assert (ended.returncode, ended.stdout) == (code, "")
    (line,) = ended.stderr.splitlines()
    assert said in line
