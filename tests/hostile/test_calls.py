"""Whatever is asked, in path, query and body: each answer is one that openapi.json describes.

`scripts/fuzz_api.py` does so for longer and with more cunning, by schemathesis.
"""

from __future__ import annotations

import os
import re
from collections.abc import AsyncIterator
from typing import Any
from urllib.parse import urlencode

import pytest
import pytest_asyncio
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.hostile import strategies
from tests.web.test_openapi import OPERATIONS, Caller, caller, check_answer, live_through

pytestmark = pytest.mark.asyncio(loop_scope="module")

EXAMPLES = int(os.environ.get("STORMCELL_CALLS", "100"))
CALLS = sorted(
    name
    for name, operation in OPERATIONS.items()
    # A stream goes on for ever.
    if "/stream" not in operation.path
)
NAMES = sorted({told["name"] for name in CALLS for told in OPERATIONS[name].queries})
USUAL = ("1", "0", "1:5", "all", "firing", "a=b", "2026-01-01T00:00:00Z", "1767225600.5", "100")

# A lone surrogate is sent as bytes that are no UTF-8.
words = st.sampled_from(USUAL) | strategies.texts | st.integers().map(str)
queries = st.lists(st.tuples(st.sampled_from(NAMES) | strategies.texts, words), max_size=4)
bodies = (
    st.none()
    | strategies.nonsense
    | st.dictionaries(
        st.sampled_from(["title", "pinned", "note", "acked_by", "into", "fingerprints", "labels"]),
        strategies.values,
        max_size=2,
    ).map(strategies.written)
)


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def asked(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Caller]:
    """A receiver without tokens, to which something has happened."""
    async with caller(tmp_path_factory.mktemp("asked")) as made:
        await live_through(made)
        yield made


@given(
    name=st.sampled_from(CALLS), place=words, query=queries, content=bodies, header=st.booleans()
)
@settings(max_examples=EXAMPLES, deadline=None, suppress_health_check=list(HealthCheck))
async def test_every_answer_is_one_that_is_described(
    asked: Caller,
    name: str,
    place: str,
    query: list[tuple[str, str]],
    content: bytes | None,
    header: bool,
) -> None:
    operation = OPERATIONS[name]
    told = _bytes(place).decode("latin-1")
    # A dot segment would be another path.
    told = told if told.strip(".") else "1"
    url = asked.url(operation, id=told, seq=told, fingerprint=told)
    pairs = [(_bytes(name), _bytes(value)) for name, value in query]
    sent: dict[str, Any] = {"data": content} if operation.method != "GET" else {}
    if header:
        sent["headers"] = {"Content-Type": "application/json"}

    answer = await asked.ask(operation.method, f"{url}?{urlencode(pairs)}"[:8000], **sent)

    # A name that our path has no part for is another path.
    if answer.status != 404 or "no such path" not in answer.text:
        check_answer(answer, operation.told["responses"])
    assert answer.status < 500 or answer.status == 503, answer.text
    if answer.status == 400:
        error = answer.content["error"]
        assert error["message"].isprintable()
        assert re.search(r"expected|body is not JSON|not UTF-8", error["message"])


def _bytes(text: str) -> bytes:
    return text.encode(errors="surrogatepass")
