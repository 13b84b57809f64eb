"""What is fuzzed: each takes any bytes and fails if a parser breaks its promise, whatever they are.

The promise is the same for all: an answer that holds together, or the one error that is meant for it, whose
text can be logged and sent. `scripts/fuzz.py` calls them millions of times, `test_corpus.py` with what
was kept.
"""

from __future__ import annotations

import contextlib
import json
import tempfile
from collections.abc import Callable
from functools import partial
from pathlib import Path
from urllib.parse import parse_qsl

from multidict import MultiDict

from receiver import config
from receiver.core import identity, matchers, operator, payload, requests, timestamps
from receiver.core.envelope import MAX_ALERTS
from receiver.core.errors import SenderError
from receiver.core.identity import IdentitySettings
from receiver.core.model import Alert
from receiver.core.settings import ConfigError, parse_duration
from receiver.core.text import MAX_LENGTH, display, masked_text
from receiver.store import queries
from receiver.web import api, parameters, stream, webconfig

Target = Callable[[bytes], None]

IDENTITY = IdentitySettings()
NOW = 1_767_225_600_000_000_000
_LONGEST_ERROR = 2000


def webhook(data: bytes) -> None:
    """A body of POST /api/v1/webhook or /api/v2/alerts."""
    for parse in (
        partial(payload.parse, data, IDENTITY),
        partial(payload.parse_posted, data, IDENTITY, NOW),
        partial(payload.parse_any, data, IDENTITY, NOW),
    ):
        try:
            found = parse()
        except SenderError as error:
            _check_refusal(error)
            continue
        assert len(found.alerts) + len(found.dead_letters) <= MAX_ALERTS
        for index, alert in found.alerts:
            assert index >= 0
            _check_alert(alert)
        for letter in found.dead_letters:
            letter.raw.encode()
            _check_text(letter.field, 300)
            _check_text(letter.reason, _LONGEST_ERROR)
        for text in (found.receiver, found.group_key, found.external_url):
            text.encode()


def _check_alert(alert: Alert) -> None:
    """Whatever was taken can be kept, shown, embedded, and read again as the same."""
    assert alert.labels
    assert all(alert.labels.values())
    assert alert.fingerprint == identity.fingerprint(alert.labels)
    assert -(2**63) <= alert.starts_at < 2**63
    text = masked_text(alert.labels, alert.annotations)
    assert 0 < len(text) <= MAX_LENGTH
    text.encode()
    for value in alert.labels.values():
        assert display(value).isprintable()
    told = json.loads(payload.as_json(alert))
    again = payload.read_one(told, IDENTITY)
    assert (again.labels, again.annotations) == (alert.labels, alert.annotations)
    assert (again.starts_at, again.status) == (_milli(alert.starts_at), alert.status)


def orders(data: bytes) -> None:
    """A body of the calls that change a cluster, and of classify."""
    try:
        document = api.read_json(data)
    except SenderError as error:
        _check_refusal(error)
        return
    for read in (
        lambda: operator.read_update(document),
        lambda: requests.read_merge(1, document),
        lambda: requests.read_split(1, document, 5000),
        lambda: payload.read_one(document, IDENTITY),
    ):
        try:
            read()
        except SenderError as error:
            _check_refusal(error)


def query(data: bytes) -> None:
    """What stands behind the question mark of an address."""
    pairs = parse_qsl(data.decode(errors="replace"), keep_blank_values=True, max_num_fields=None)
    told = MultiDict(pairs)
    for read in (
        lambda: parameters.only(told, "q"),
        lambda: parameters.limit(told),
        lambda: parameters.integer(told, "id", 0, low=1),
        lambda: parameters.moment(told, "from"),
        lambda: parameters.choice(told, "state", ("firing",)),
        lambda: parameters.pairs(told.getall("label", []), "label"),
        lambda: queries._cursor(told.get("cursor", ""), 2),
    ):
        try:
            found = read()
        except SenderError as error:
            _check_refusal(error)
        else:
            if isinstance(found, int):
                assert -(2**63) <= found < 2**63


def frame(data: bytes) -> None:
    """What a client of the stream sends."""
    wanted = stream._resume(data.decode(errors="replace"))
    if wanted is not None:
        after, epoch = wanted
        assert 0 <= after < 2**63
        assert isinstance(epoch, str)


def settings(data: bytes) -> None:
    """A configuration file, an override, and the file of the web configuration."""
    text = data.decode(errors="replace")
    path = Path(tempfile.gettempdir()) / "stormcell-fuzz.yml"
    path.write_bytes(data)
    for read in (
        lambda: config.load(path),
        lambda: config.load(None, [text]),
        lambda: webconfig.read(path),
    ):
        try:
            read()
        except ConfigError as error:
            str(error).encode(errors="backslashreplace")


def words(data: bytes) -> None:
    """A matcher, a time, a duration, and what is remembered of an Alertmanager's answer."""
    text = data.decode(errors="surrogateescape")
    with contextlib.suppress(ConfigError):
        matcher = matchers.parse(text, "heartbeat.matchers")
        assert matcher.name
        if "~" not in matcher.op:
            matcher.matches({matcher.name: text})
    with contextlib.suppress(ValueError):
        moment = timestamps.parse(text)
        assert moment is None or timestamps.parse(timestamps.render(moment)) == _milli(moment)
    seconds = parse_duration(text)
    assert seconds is None or 0 <= seconds < float("inf")


def _milli(moment: int) -> int:
    """Return *moment* as it is shown: in milliseconds."""
    return moment // 1_000_000 * 1_000_000


def _check_refusal(error: SenderError) -> None:
    assert error.status in (400, 413)
    _check_text(error.message, _LONGEST_ERROR)
    if error.field is not None:
        error.field.encode(errors="backslashreplace")


def _check_text(text: str, most: int) -> None:
    assert text
    assert len(text) <= most
    text.encode()


TARGETS: dict[str, Target] = {
    each.__name__: each for each in (webhook, orders, query, frame, settings, words)
}
