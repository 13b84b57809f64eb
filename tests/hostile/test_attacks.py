"""A table of attacks by body: what each is answered, and that the next alert is taken all the same."""

from __future__ import annotations

import asyncio
import gzip
import io
import json
import zlib
from typing import Any

import pytest

from tests.builders import body, entry
from tests.web.conftest import Client, Start

GOOD = body(entry())
LABELS = '"labels":{"alertname":"A"},"startsAt":"2026-01-01T00:00:00Z"'


def told(fields: str = "", envelope: str = "") -> bytes:
    """Return a body with one alert, and *fields* of it and of the *envelope* as written."""
    return (
        f'{{"version":"4","alerts":[{{"status":"firing",{LABELS}{fields}}}]{envelope}}}'
    ).encode(errors="surrogatepass")


def labelled(value: str) -> bytes:
    """Return a body whose alert has the label `x` with the *value*, as JSON writes it."""
    return told(f',"labels":{{"alertname":"A","x":{value}}}')


TAKEN: dict[str, tuple[bytes, Any]] = {
    "a key twice, the last counts": (labelled('"1","x":"2"'), "2"),
    "alerts twice, the last count": (told(envelope=f',"alerts":[{json.dumps(entry())}]'), None),
    "a number past all bounds": (told(',"new":1e400', ',"truncatedAlerts":1e400'), None),
    "minus nothing": (told(',"new":-0', ',"truncatedAlerts":-0'), None),
    "what is no number": (told(',"new":[NaN,Infinity,-Infinity]'), None),
    "five thousand digits": (told(',"new":' + "9" * 5000, ',"truncatedAlerts":' + "9" * 5000), None),
    "half a pair": (labelled('"a\\ud800b"'), "a\ufffdb"),
    "NUL": (labelled('"a\\u0000b"'), "a\x00b"),
    "bidi": (labelled('"\\u202eb\\u2066"'), "\u202eb\u2066"),
    "a value of some hundred kilobytes": (labelled('"' + "x" * 200_000 + '"'), "x" * 200_000),
    "an annotation of half the limit": (told(f',"annotations":{{"a":"{"x" * 500_000}"}}'), None),
    "ninety levels": (told(',"new":' + "[" * 90 + "]" * 90), None),
    "eight thousand empty lists": (told(envelope=',"new":[' + "[]," * 8000 + "1]"), None),
    "ten thousand labels": (
        labelled('"y",' + ",".join(f'"l{n}":"{n}"' for n in range(10_000))),
        "y",
    ),
}  # fmt: skip


@pytest.mark.parametrize(("content", "value"), TAKEN.values(), ids=TAKEN)
async def test_strange_but_good_is_taken(client: Client, content: bytes, value: Any) -> None:
    status, answer = await client.post(content)
    await client.settled()
    (found,) = await client.items("/api/v1/alerts")

    assert (status, answer) == (200, {"accepted": 1, "dead_letters": []})
    assert found["labels"].get("x") == value
    assert (await client.get("/metrics"))[0] == 200


DEAD: dict[str, tuple[bytes, str]] = {
    "a label of half the limit": (labelled('"' + "x" * 500_000 + '"'), "labels"),
    "NaN for a text": (labelled("NaN"), "labels.x"),
    "five thousand digits for a text": (labelled("9" * 5000), "labels.x"),
    "a list for a text": (labelled("[" * 90 + "]" * 90), "labels.x"),
    "a list for labels": (told(',"labels":[[]]'), "labels"),
    "no year": (told(',"startsAt":"99999-01-01T00:00:00Z"'), "startsAt"),
    "the year 9999": (told(',"startsAt":"9999-01-01T00:00:00Z"'), "startsAt"),
    "a time of megabytes": (told(f',"startsAt":"{"2" * 500_000}"'), "startsAt"),
    "a status of megabytes": (told(f',"status":"{"x" * 500_000}"'), "status"),
    "no object": (b'{"version":"4","alerts":[[]]}', "alert"),
}


@pytest.mark.parametrize(("content", "field"), DEAD.values(), ids=DEAD)
async def test_an_alert_that_is_none_becomes_a_dead_letter(
    client: Client, content: bytes, field: str
) -> None:
    status, answer = await client.post(content)
    await client.settled()
    (letter,) = answer["dead_letters"]

    assert (status, answer["accepted"], letter["field"]) == (200, 0, field)
    assert "expected" in letter["reason"]
    assert len(letter["reason"]) < 600
    assert (await client.post(GOOD))[0] == 200


DEEP = b"[" * 100_000
REFUSED: dict[str, tuple[bytes, dict[str, str], int, str]] = {
    "a depth bomb": (DEEP, {}, 400, "nested too deeply"),
    "a depth bomb that ends": (told(',"new":' + "[" * 9000 + "]" * 9000), {}, 400, "too deeply"),
    "a depth bomb of objects": (b'{"alerts":[' + b'{"a":' * 100_000, {}, 400, "too deeply"),
    "a depth bomb in the envelope": (b'{"a":' + DEEP, {}, 400, "nested too deeply"),
    "lists without end": (told(envelope=',"new":[' + "[]," * 340_000 + "1]"), {}, 413, "values"),
    "nothing": (b"", {}, 400, "not JSON"),
    "UTF-16": (GOOD.decode().encode("utf-16"), {}, 400, "not UTF-8"),
    "UTF-32": (GOOD.decode().encode("utf-32"), {}, 400, "not UTF-8"),
    "a byte order mark": (b"\xef\xbb\xbf" + GOOD, {}, 400, "not JSON"),
    "Latin-1": (labelled('"\xe4"').decode().encode("latin-1"), {}, 400, "not UTF-8"),
    "a surrogate in UTF-8": (labelled('"\ud800"'), {}, 400, "not UTF-8"),
    "an overlong slash": (b'{"a":"\xc0\xaf"}', {}, 400, "not UTF-8"),
    "more than the limit": (b" " * (2**20 + 1), {}, 413, "expected at most"),
    "two documents": (GOOD + GOOD, {}, 400, "not JSON"),
    "a gzip bomb": (gzip.compress(b" " * 2**25), {"Content-Encoding": "gzip"}, 413, "at most"),
    "a deflate bomb": (zlib.compress(b" " * 2**25), {"Content-Encoding": "deflate"}, 413, "at most"),
    "no gzip": (GOOD, {"Content-Encoding": "gzip"}, 400, "Content-Encoding says 'gzip'"),
    "half a gzip": (gzip.compress(GOOD)[:60], {"Content-Encoding": "gzip"}, 400, "not JSON"),
    "an encoding nobody knows": (b"\x01" + GOOD, {"Content-Encoding": "rot13"}, 400, "not JSON"),
    "an encoding twice": (
        gzip.compress(gzip.compress(GOOD)), {"Content-Encoding": "gzip, gzip"}, 400, "not UTF-8"),
    "an encoding that is not here": (GOOD, {"Content-Encoding": "br"}, 400, "cannot be read as HTTP"),
}  # fmt: skip


@pytest.mark.parametrize("path", ["/api/v1/webhook", "/api/v2/alerts"])
@pytest.mark.parametrize(("content", "headers", "code", "words"), REFUSED.values(), ids=REFUSED)
async def test_a_bad_body_is_refused_in_a_few_words(
    client: Client, content: bytes, headers: dict[str, str], code: int, words: str, path: str
) -> None:
    status, answer = await client.call("POST", path, data=io.BytesIO(content), headers=headers)
    # What aiohttp itself refuses has no handler that would answer it in JSON.
    said = answer if isinstance(answer, str) else answer["error"]["message"]

    assert status == code, answer
    assert words in said
    assert len(said) <= 500
    assert (await client.post(GOOD))[0] == 200


async def test_a_body_that_was_compressed_is_taken(client: Client) -> None:
    headers = {"Content-Encoding": "gzip"}
    taken = await client.call("POST", "/api/v1/webhook", data=gzip.compress(GOOD), headers=headers)

    assert taken == (200, {"accepted": 1, "dead_letters": []})


@pytest.mark.parametrize("path", ["/api/v1/webhook", "/api/v1/classify"])
async def test_what_is_nested_as_deep_as_python_reads_is_refused_by_every_thread(
    client: Client, path: str
) -> None:
    """Near the bound it depends on the stack of who reads; none may read what another cannot."""
    for depth in (99, 101, 200, 500, *range(880, 1000, 3)):
        for pad in ("", " " * 5000):
            nested = "[" * depth + "]" * depth + pad
            content = told(f',"status":{nested}') if "webhook" in path else nested.encode()
            status, answer = await client.post(content, path)
            assert status == (200 if depth < 100 and "webhook" in path else 400), (depth, answer)
    assert (await client.post(GOOD))[0] == 200
    await client.settled()

    assert len(await client.items("/api/v1/alerts")) == 1


LIES: dict[str, tuple[bytes, bytes, bytes]] = {
    "a chunk that says it is longer": (
        b"Transfer-Encoding: chunked", b"ffffff\r\n" + GOOD + b"\r\n0\r\n\r\n", b"503"),
    "a chunk whose size is none": (b"Transfer-Encoding: chunked", b"zz\r\n" + GOOD, b"400"),
    "a chunk of more than all memory": (
        b"Transfer-Encoding: chunked", b"f" * 40 + b"\r\n" + GOOD, b"400"),
    "a length below nothing": (b"Content-Length: -1", GOOD, b"400"),
    "a length that is none": (b"Content-Length: 0x10", GOOD, b"400"),
    "a length of twenty digits": (b"Content-Length: " + b"9" * 20, GOOD, b"4"),
    "a length beyond the limit": (b"Content-Length: 99999999", GOOD, b"413"),
    "a length that is longer": (b"Content-Length: 100000", GOOD, b"503"),
    "a length that is shorter": (b"Content-Length: 10", GOOD, b"400"),
    "two lengths": (b"Content-Length: 10\r\nContent-Length: 20", GOOD, b"400"),
    "a length and chunks": (
        b"Content-Length: 10\r\nTransfer-Encoding: chunked", b"0\r\n\r\n", b"400"),
}  # fmt: skip


@pytest.mark.parametrize(("header", "content", "code"), LIES.values(), ids=LIES)
async def test_a_body_that_is_not_as_announced(
    start: Start, header: bytes, content: bytes, code: bytes
) -> None:
    async with start("intake.read_timeout=300ms") as client:
        host, port = client.url.removeprefix("http://").split(":")
        reader, writer = await asyncio.open_connection(host, int(port))
        head = b"POST /api/v1/webhook HTTP/1.1\r\nHost: " + host.encode() + b"\r\n"
        writer.write(head + header + b"\r\n\r\n" + content)
        answered = (await reader.readline()).split(b" ")
        writer.close()

        assert answered[1].startswith(code), answered
        assert (await client.post(GOOD))[0] == 200
        assert client.app.room.used == 0


JUNK: dict[str, tuple[bytes, bytes]] = {
    "no gzip": (b"gzip", GOOD),
    "a gzip and something else": (b"gzip", gzip.compress(GOOD) + b"something"),
    "a gzip with another sum": (b"gzip", gzip.compress(GOOD)[:-8] + b"12345678"),
    "a gzip in which bits are lost": (b"gzip", gzip.compress(GOOD)[:20] + b"\xff" * 200),
    "no deflate": (b"deflate", GOOD),
}


@pytest.mark.parametrize("chunked", [False, True])
@pytest.mark.parametrize(("encoding", "content"), JUNK.values(), ids=JUNK)
async def test_what_is_not_compressed_as_it_says_leaves_no_trace(
    client: Client, caplog: pytest.LogCaptureFixture, encoding: bytes, content: bytes, chunked: bool
) -> None:
    """Whether anybody wanted the body or not: aiohttp reads what is left, and logged that it cannot."""
    host, port = client.url.removeprefix("http://").split(":")
    for call, code in (
        (b"POST /api/v1/webhook", b"400"),
        (b"POST /api/v2/alerts", b"400"),
        (b"POST /api/v1/classify", b"400"),
        (b"PATCH /api/v1/clusters/1", b"400"),
        (b"POST /api/v1/undo/1", b"404"),
        (b"POST /nowhere", b"404"),
        (b"GET /api/v1/stats", b"200"),
    ):
        sent = b"%x\r\n%b\r\n0\r\n\r\n" % (len(content), content) if chunked else content
        size = b"Transfer-Encoding: chunked" if chunked else b"Content-Length: %d" % len(content)
        reader, writer = await asyncio.open_connection(host, int(port))
        writer.write(
            call + b" HTTP/1.1\r\nHost: " + host.encode() + b"\r\nContent-Encoding: " + encoding
        )
        writer.write(b"\r\n" + size + b"\r\n\r\n" + sent)
        # To its end, after which nothing more is logged of it.
        answered = await asyncio.wait_for(reader.read(), 20)
        writer.close()

        assert answered.split(b" ")[1] == code, answered
        if code == b"400":
            assert b"Content-Encoding says '" + encoding in answered, answered
    assert [record for record in caplog.records if record.exc_info] == []
    assert (await client.post(GOOD))[0] == 200
