"""SQLite: the inbox, episodes, clusters, events, texts with vectors, and the journal of inputs.

One connection writes; any number read. What each table keeps, and for how long, is in docs/storage.md.
"""

from receiver.store.backups import backup
from receiver.store.checks import Finding, check
from receiver.store.database import FILE_NAME as DATABASE_NAME
from receiver.store.database import Database
from receiver.store.history import History
from receiver.store.queries import Queries
from receiver.store.source import file_of

__all__ = [
    "DATABASE_NAME", "Database", "Finding", "History", "Queries", "backup", "check", "file_of",
]  # fmt: skip
