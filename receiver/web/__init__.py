"""The HTTP edge."""

from receiver.web.access import Access
from receiver.web.server import Server

__all__ = ["Access", "Server"]
