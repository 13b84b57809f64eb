from __future__ import annotations

import pytest

from receiver.core.errors import SenderError
from receiver.core.requests import MergeRequest, SplitRequest, read_merge, read_split


def test_what_is_well_formed_is_read() -> None:
    assert read_merge(1, {"into": 2}) == MergeRequest(1, 2)
    assert read_split(1, {"fingerprints": ["a", "b"]}, 2) == SplitRequest(1, ("a", "b"))


@pytest.mark.parametrize(
    ("document", "message"),
    [
        ([], r'body: got \[\], expected {"into"'),
        ({"into": 2, "more": 1}, "body: got"),
        ({"into": True}, "into: got true, expected the id of a cluster"),
        ({"into": "2"}, 'into: got "2", expected the id of a cluster'),
        ({"into": 0}, "into: got 0"),
        ({"into": 2**63}, "into: got 9223372036854775808"),
    ],
)
def test_a_merge_that_cannot_be_read_is_refused(document: object, message: str) -> None:
    with pytest.raises(SenderError, match=message):
        read_merge(1, document)


@pytest.mark.parametrize("told", ["ab", [], [1], ["a", "b", "c"]])
def test_a_split_that_cannot_be_read_is_refused(told: object) -> None:
    with pytest.raises(SenderError, match=r"fingerprints: got .* expected a list of 1 to 2"):
        read_split(1, {"fingerprints": told}, 2)
