"""The real browser over the real receiver."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, ConsoleMessage, Error, Page, expect, sync_playwright

from tests.e2e.conftest import MakeReceiver, make_receiver, processes, receiver
from tests.support.absent import absent
from tests.support.processes import REPOSITORY

__all__ = ["MakeReceiver", "make_receiver", "processes", "receiver"]

# No service of the browser's maker is to be asked; there is no screen and no graphics card.
_FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]

# Far beyond what anything takes: only a failing test waits so long.
expect.set_options(timeout=30_000)

DESKTOP = {"viewport": {"width": 1440, "height": 900}}
PHONE = {"viewport": {"width": 390, "height": 844}, "device_scale_factor": 2, "has_touch": True}

OpenPage = Callable[..., Page]


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """The browser, one for the tests of a file.

    Not for all: as long as its driver runs, this thread has an event loop, and tests that want one of
    their own cannot have it.
    """
    path = shutil.which("chromium") or shutil.which("chromium-browser") or absent("chromium")
    with sync_playwright() as playwright:
        started = playwright.chromium.launch(executable_path=path, args=_FLAGS)
        yield started
        started.close()


@pytest.fixture
def open_page(browser: Browser) -> Iterator[OpenPage]:
    """Opens a page in a context of its own; a script's error in any of them fails the test."""
    faults: list[str] = []
    contexts = []

    def opened(url: str, **options: Any) -> Page:
        context = browser.new_context(**{**DESKTOP, "color_scheme": "dark", **options})
        contexts.append(context)
        page = context.new_page()
        page.set_default_timeout(30_000)

        def heard(message: ConsoleMessage) -> None:
            # The browser itself logs requests that are refused or fail; the tests make some.
            own = ("Failed to load resource", "WebSocket connection")
            if message.type == "error" and not any(words in message.text for words in own):
                faults.append(message.text)

        def failed(error: Error) -> None:
            faults.append(str(error))

        page.on("console", heard)
        page.on("pageerror", failed)
        page.goto(url)
        return page

    yield opened
    for context in contexts:
        context.close()

    assert faults == []


@pytest.fixture(scope="session")
def pictures() -> Path:
    """Where screenshots are kept, for people to look at."""
    folder = Path(os.environ.get("STORMCELL_PICTURES", REPOSITORY / "build" / "pictures"))
    folder.mkdir(parents=True, exist_ok=True)
    return folder
