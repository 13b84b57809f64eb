"""The page, for people who have a user and a password and no token."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from playwright.sync_api import expect

from tests.browser.conftest import MakeReceiver, OpenPage
from tests.support.credentials import hashed
from tests.support.processes import ReceiverProcess

pytestmark = pytest.mark.e2e


@pytest.fixture
def guarded(make_receiver: MakeReceiver, tmp_path: Path) -> ReceiverProcess:
    """A receiver that knows one user."""
    path = tmp_path / "web.yml"
    path.write_text(json.dumps({"basic_auth_users": {"anna": hashed("of anna")}}))
    made = make_receiver(settings={"web.config_file": str(path)})
    made.start()
    return made


def test_who_logs_in_with_the_browser_sees_the_page_live(
    guarded: ReceiverProcess, open_page: OpenPage, pictures: Path
) -> None:
    page = open_page(guarded.url, http_credentials={"username": "anna", "password": "of anna"})
    expect(page.locator("#connection-words")).to_have_text("Live")
    expect(page.locator("#token")).to_be_hidden()
    page.screenshot(path=pictures / "user.png")
