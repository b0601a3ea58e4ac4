"""A table as it stands in its file, and what was guessed while it was read, gathered into one line."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

MOST_NAMED = 6


@dataclass(frozen=True)
class Source:
    """Columns before they are numbers.

    Args:
        names: of the columns, tidied; ``Unnamed: 3`` where a text file names none.
        columns: Arrow arrays (n,), texts for a text file.
        place: of a row by its index, as a person counts: "line 5".
        separator: of a text file.
        nameless: the names that the file does not have.
        index: columns that pandas wrote as the index of its rows, without a name.
        levels: the same with names of their own.
    """

    names: tuple[str, ...]
    columns: tuple[Any, ...]
    place: Callable[[int], str]
    separator: str | None = None
    nameless: frozenset[str] = frozenset()
    index: frozenset[str] = frozenset()
    levels: frozenset[str] = frozenset()

    def __getitem__(self, name: str) -> Any:
        """The Arrow array of the column ``name``."""
        return self.columns[self.names.index(name)]

    def __len__(self) -> int:
        return len(self.columns[0]) if self.columns else 0


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
