from __future__ import annotations

import json
import logging
from collections.abc import Iterator

import pytest

from receiver import logs


@pytest.fixture(autouse=True)
def _restored() -> Iterator[None]:
    root = logging.getLogger()
    kept, level = root.handlers[:], root.level
    yield
    root.handlers[:] = kept
    root.setLevel(level)


def written(form: str, capsys: pytest.CaptureFixture[str]) -> str:
    logs.configure("warn", form)
    log = logging.getLogger("receiver.store")
    log.info("not said")
    log.warning("disk is full", extra={"err": 'a "b"\n\x1b[31mred', "code": 503})
    return capsys.readouterr().err


def test_a_line_is_logfmt_and_cannot_be_forged(capsys: pytest.CaptureFixture[str]) -> None:
    (line,) = written("logfmt", capsys).splitlines()

    assert line.startswith("ts=20")
    assert 'level=warn component=store msg="disk is full"' in line
    assert r'err="a \"b\"\n\u001b[31mred" code=503' in line


def test_json_is_json(capsys: pytest.CaptureFixture[str]) -> None:
    document = json.loads(written("json", capsys))

    assert (document["msg"], document["code"]) == ("disk is full", 503)


def test_a_stack_trace_stays_on_its_line(capsys: pytest.CaptureFixture[str]) -> None:
    logs.configure("info", "logfmt")
    try:
        _ = 1 / 0
    except ZeroDivisionError:
        logging.getLogger("x").exception("failed")

    assert len(capsys.readouterr().err.splitlines()) == 1
