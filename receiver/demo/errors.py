"""What can go wrong in a demo."""

from __future__ import annotations

from receiver.core.errors import StormcellError


class DemoError(StormcellError):
    """The demo cannot go on; the text says why."""

    code = "demo"
