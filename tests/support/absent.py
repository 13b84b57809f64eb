"""A program that tests need and this machine lacks."""

from __future__ import annotations

import os
from typing import NoReturn

import pytest


def absent(name: str) -> NoReturn:
    """Skip for want of *name*; in CI nothing may be skipped silently, so fail there."""
    message = f"{name} is not installed: its end-to-end tests need the real one"
    if os.environ.get("CI") == "true":
        pytest.fail(message, pytrace=False)
    pytest.skip(message)
