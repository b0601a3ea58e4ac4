"""What a reader guessed, gathered into one line."""

from __future__ import annotations

from collections.abc import Iterable

MOST_NAMED = 6


class Said:
    """Collects what was guessed while a table is read."""

    def __init__(self) -> None:
        self._parts: list[str] = []
        self._missing: dict[str, dict[str, int]] = {}
        self._columns: dict[str, list[str]] = {}

    def part(self, text: str) -> None:
        """Something about the table as a whole."""
        if text not in self._parts:
            self._parts.append(text)

    def about(self, what: str, column: str) -> None:
        """Something about a column; columns of which the same is said are named together."""
        names = self._columns.setdefault(what, [])
        if column not in names:
            names.append(column)

    def missing(self, marker: str, column: str, count: int) -> None:
        """``count`` entries ``marker`` of ``column`` are taken for missing."""
        self._missing.setdefault(marker, {})[column] = count

    def line(self) -> tuple[str, ...]:
        """The line, or nothing when nothing was guessed."""
        parts = list(self._parts)
        for marker, columns in self._missing.items():
            counted = enumeration(f"{count:,} in {name}" for name, count in columns.items())
            parts.append(f"'{marker}' = missing ({counted})")
        parts += [f"{what} ({enumeration(columns)})" for what, columns in self._columns.items()]
        return (" ".join(f"read as: {', '.join(parts)}".split()),) if parts else ()


def enumeration(items: Iterable[str], most: int = MOST_NAMED) -> str:
    """``a, b, c and 5 more``."""
    names = list(items)
    rest = f" and {len(names) - most} more" if len(names) > most else ""
    return ", ".join(names[:most]) + rest
