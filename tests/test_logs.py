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


class TestRepeats:
    def said(self, times: int, *, seconds: float = 0.0, words: str = "disk is full") -> list[int]:
        """Say *words* again and again, *seconds* apart; return what each written line left out."""
        now = [0.0]
        repeats = logs.Repeats(lambda: now[0])
        lines = []
        for number in range(times):
            record = logging.LogRecord("x", logging.ERROR, "", 0, words, (number,), None)
            if repeats.filter(record):
                lines.append(getattr(record, "left_out", 0))
            now[0] += seconds
        return lines

    def test_the_first_few_are_written_and_the_next_says_how_many_were_not(self) -> None:
        assert self.said(10_000) == [0] * 10
        # 80 a window, of which 10 are written; the first of the next window tells of 70.
        assert self.said(240, seconds=0.125) == [0] * 10 + [70] + [0] * 9 + [70] + [0] * 9

    def test_what_comes_seldom_is_all_written(self) -> None:
        assert self.said(50, seconds=1.0) == [0] * 50

    def test_other_words_levels_and_parts_are_apart(self) -> None:
        repeats = logs.Repeats(lambda: 0.0)
        kinds = [("x", 40, "a"), ("y", 40, "a"), ("x", 30, "a"), ("x", 40, "b")]
        for _ in range(30):
            for name, level, words in kinds:
                repeats.filter(logging.LogRecord(name, level, "", 0, words, (), None))

        assert repeats.left_out == 20 * len(kinds)

    def test_words_without_end_take_no_memory_without_end(self) -> None:
        repeats = logs.Repeats(lambda: 0.0)
        for number in range(5000):
            assert repeats.filter(logging.LogRecord("x", 40, "", 0, f"{number}", (), None))

        assert len(repeats._kinds) == 1000

    def test_the_log_is_limited(self, capsys: pytest.CaptureFixture[str]) -> None:
        logs.configure("info", "logfmt")
        before = logs.left_out()
        for number in range(100):
            logging.getLogger("x").error("said %d times", number)

        assert len(capsys.readouterr().err.splitlines()) == 10
        assert logs.left_out() == before + 90
