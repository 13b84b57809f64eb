"""What the docs say is what the code does."""

from __future__ import annotations

from pathlib import Path

from scripts import make_docs

DOCS = Path(__file__).resolve().parents[1] / "docs"


def test_every_setting_is_in_the_docs() -> None:
    assert (DOCS / "configuration.md").read_text() == make_docs.configuration()


async def test_every_metric_is_in_the_docs() -> None:
    assert (DOCS / "metrics.md").read_text() == await make_docs.metrics()


async def test_what_each_role_may_is_in_the_docs() -> None:
    assert (DOCS / "access.md").read_text() == await make_docs.access()
