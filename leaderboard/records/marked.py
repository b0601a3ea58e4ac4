"""Records that stand beside the same of somebody else's: their cells carry a mark, and are rows of their own."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import fields, replace
from typing import Any

import numpy as np
from pydantic import ConfigDict
from pydantic.dataclasses import dataclass

from leaderboard.records.record import CELL_PARTS, CellKey, Text
from leaderboard.records.summary import Environment, Summaries


@dataclass(frozen=True, order=True, config=ConfigDict(strict=True, extra="forbid"))
class MarkedCell(CellKey):
    """A cell with a word on whose it is; it is another one than the same cell with another mark, or without."""

    mark: Text = "marked"


def mark_of(key: CellKey) -> str:
    """The mark of a cell; empty where it has none."""
    return key.mark if isinstance(key, MarkedCell) else ""


def marked(summaries: Summaries, mark: Callable[[CellKey], str]) -> Summaries:
    """``summaries`` with each cell marked as ``mark`` says; an empty mark leaves it as it is."""
    cells = []
    for key in summaries.cells:
        word = mark(key)
        parts = {name: getattr(key, name) for name in CELL_PARTS}
        cells.append(MarkedCell(**parts, mark=word) if word else key)
    return replace(summaries, cells=tuple(cells))


def joined(several: Iterable[Summaries]) -> Summaries:
    """The records of several summaries, one after the other. No two may be of one cell and seed."""
    parts = list(several)
    cells: dict[CellKey, int] = {}
    environments: dict[Environment, int] = {}
    columns: dict[str, Any] = {
        "cell": _numbered([(part.cells, part.cell) for part in parts], cells),
        "environment": _numbered([(part.environments, part.environment) for part in parts], environments),
    }
    for field in fields(Summaries):
        if field.name not in (*columns, "cells", "environments"):
            values = [getattr(part, field.name) for part in parts]
            if isinstance(values[0], np.ndarray):
                columns[field.name] = np.concatenate(values)
            else:
                columns[field.name] = tuple(value for column in values for value in column)
    return Summaries(cells=tuple(cells), environments=tuple(environments), **columns)


def _numbered(parts: Iterable[tuple[tuple[Any, ...], Any]], found: dict[Any, int]) -> Any:
    """Places among ``found``, to which what is new is added."""
    places = []
    for every, place in parts:
        numbers = [found.setdefault(one, len(found)) for one in every]
        places.append(np.array(numbers, dtype=np.int64)[place])
    return np.concatenate(places)
