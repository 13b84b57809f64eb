"""The HTTP edge."""

from receiver.web.access import Access
from receiver.web.connections import Connections
from receiver.web.passwords import Passwords
from receiver.web.server import Server
from receiver.web.tickets import Tickets
from receiver.web.webconfig import WebFile

__all__ = ["Access", "Connections", "Passwords", "Server", "Tickets", "WebFile"]
