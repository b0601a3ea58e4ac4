"""A table as it stands in its file: names, columns in Arrow's types, and where each row is found."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Source:
    """Columns before they are numbers.

    Args:
        names: of the columns, tidied; ``Unnamed: 3`` where a text file names none.
        columns: Arrow arrays (n,), texts for a text file.
        place: of a row by its index, as a person counts: "line 5".
        separator: of a text file.
        nameless: the names that the file does not have.
        index: columns that pandas wrote as the index of its rows.
    """

    names: tuple[str, ...]
    columns: tuple[Any, ...]
    place: Callable[[int], str]
    separator: str | None = None
    nameless: frozenset[str] = frozenset()
    index: frozenset[str] = frozenset()

    def __getitem__(self, name: str) -> Any:
        """The Arrow array of the column ``name``."""
        return self.columns[self.names.index(name)]

    def __len__(self) -> int:
        return len(self.columns[0]) if self.columns else 0
