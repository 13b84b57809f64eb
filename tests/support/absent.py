"""What tests need and this machine lacks: a program, or more descriptors."""

from __future__ import annotations

import os
from typing import NoReturn

import pytest


def absent(name: str) -> NoReturn:
    """Skip for want of *name*; in CI nothing may be skipped silently, so fail there."""
    message = f"this machine has no {name}, and what needs it is not tested"
    if os.environ.get("CI") == "true":
        pytest.fail(message, pytrace=False)
    pytest.skip(message)
