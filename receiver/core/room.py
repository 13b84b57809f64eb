"""What a store says of the room it takes, and of what it deleted to take less."""

from __future__ import annotations

from dataclasses import dataclass, field

TABLES = (
    "alerts", "clusters", "dead_letters", "episodes", "events", "journal", "merged_episodes", "storms",
    "texts",
)  # fmt: skip
"""Of which rows are deleted."""


@dataclass(frozen=True, slots=True)
class Size:
    """How large a database is, bytes; its log is not part of it.

    Attributes:
        file: All pages of the file.
        used: Those that hold something: the rest is taken before the file grows.
    """

    file: int
    used: int


@dataclass(slots=True)
class Trimmed:
    """What one step of deletion came to.

    Attributes:
        rows: How many went, by table.
        pages: Given back to the file system.
        exhausted: Whether the cap is exceeded by what may not go.
    """

    rows: dict[str, int] = field(default_factory=dict)
    pages: int = 0
    exhausted: bool = False

    def count(self, table: str, rows: int) -> None:
        """Note that so many *rows* of *table* went."""
        if rows:
            self.rows[table] = self.rows.get(table, 0) + rows

    def __bool__(self) -> bool:
        """Whether anything was done."""
        return bool(self.rows or self.pages)
