"""A demo storm, from the calm before it to the calm after, as people see it; pictures are kept."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from tests.browser.conftest import PHONE, OpenPage
from tests.support.processes import HOST, ServerProcess, free_port
from tests.support.waiting import wait_until

pytestmark = [pytest.mark.e2e, pytest.mark.model, pytest.mark.slow]

_SECONDS = 40
LOOKS: dict[str, dict[str, Any]] = {
    "dark": {},
    "light": {"color_scheme": "light"},
    "phone": PHONE,
}


class Demo(ServerProcess):
    """`stormcell demo` on a terminal, so that it serves on after the end."""

    def __init__(self, directory: Path) -> None:
        port = free_port()
        super().__init__(
            "demo",
            [
                *(sys.executable, "-m", "tests.support.terminal"),
                *(sys.executable, "-m", "receiver", "demo", f"--seconds={_SECONDS}"),
                f"--web.listen-address={HOST}:{port}",
            ],
            port=port,
            log=directory / "demo.log",
        )

    def storm(self) -> dict[str, Any]:
        """Return the latest storm, empty if there was none."""
        items = self.get("/api/v1/storms").json()["items"]
        return items[0] if items else {}

    def ended(self) -> bool:
        """Whether all is told."""
        return "Serving on" in self.log_text()


@pytest.fixture
def demo(tmp_path: Path) -> Iterator[Demo]:
    """A demo that has begun."""
    made = Demo(tmp_path)
    made.start()
    yield made
    made.stop()


def test_a_storm_as_people_see_it(demo: Demo, open_page: OpenPage, pictures: Path) -> None:
    pages = {name: open_page(demo.url, **options) for name, options in LOOKS.items()}
    page = pages["dark"]
    situation, outside = page.locator("#situation"), page.locator("#outside")

    def keep(moment: str) -> None:
        for name, one in pages.items():
            one.screenshot(path=pictures / f"{moment}-{name}.png")

    wait_until("some alerts in the calm", lambda: outside.locator("li").count() >= 2)
    expect(situation).to_contain_text("Calm")
    keep("1-calm")

    wait_until("a storm", lambda: bool(demo.storm()))
    expect(situation).to_contain_text("Storm since")
    page.wait_for_timeout(500)
    keep("2-onset")

    wait_until("its peak", lambda: demo.storm()["state"] in ("peak", "easing"))
    page.wait_for_timeout(3000)
    expect(page.locator("#facts")).to_contain_text("alerts in")
    expect(page.locator("#teams")).to_contain_text("payments")
    expect(page.locator("#outside-heading")).to_have_text("Firing outside the storm")
    keep("3-peak")
    look_at_a_card(page, pictures)

    wait_until("the end", demo.ended, patience_seconds=120)
    wait_until("the storm to be over", lambda: demo.storm()["ended_at"] is not None)
    expect(situation).not_to_contain_text("Storm since")
    page.wait_for_timeout(1000)
    keep("4-after")
    for one in pages.values():
        assert one.evaluate("document.documentElement.scrollWidth <= innerWidth"), (
            "scrolls sideways"
        )


def look_at_a_card(page: Page, pictures: Path) -> None:
    """Open the largest cluster, and its first member's why."""
    page.locator("#rows tr").first.click()
    card = page.locator("#card")
    expect(card).to_be_visible()
    expect(card).to_contain_text("Members")
    page.wait_for_timeout(700)
    page.screenshot(path=pictures / "5-card-dark.png")
    page.keyboard.press("Escape")
    expect(card).to_be_hidden()
