"""The HTTP edge."""

from receiver.web.server import Server

__all__ = ["Server"]
