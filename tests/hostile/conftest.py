"""A whole receiver in this process, as tests/web has it."""

from __future__ import annotations

from tests.web.conftest import client as client
from tests.web.conftest import start as start
