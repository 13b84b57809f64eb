"""A storm to look at: a made-up site whose database fails, through the real receiver."""

from receiver.demo.load import load
from receiver.demo.run import demo

__all__ = ["demo", "load"]
