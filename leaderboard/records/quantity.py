"""What a quantity is: a number of a record with its unit, scale and direction."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

import numpy as np

from leaderboard.records.arrays import Floats
from leaderboard.records.record import FarKind, Record, Truth

Direction = Literal["lower", "higher"]


@dataclass(frozen=True)
class Range:
    """What a value is clipped to before its logarithm is taken.

    Attributes:
        least, most: the ends; an infinite value stays infinite.
        least_text: how a mean at the lower end reads: it is only a bound there.
    """

    least: float
    most: float
    least_text: str


@dataclass(frozen=True)
class Quantity:
    """One number of a record.

    Attributes:
        name: in files, columns and flags.
        heading: for people; a terminal may break it at a line end.
        meaning: one sentence.
        read: of a record; infinite where an output was not finite, ``None`` where nothing was measured.
        unit: of the value; empty for a ratio or a slope.
        direction: which values are better; ``None`` where neither is.
        kind: a real number, a whole one, or yes and no.
        signed: it may be negative.
        clip: set for a quantity on a logarithmic scale.
        total: what a cell says of its finished records: a mean with its interval over seeds (geometric on a
            logarithmic scale), the least and the greatest, or the sum over all records.
        of: it is the quantity named ``of``, over some tasks only: a column of totals, not of records.
        truth, far_kind: which tasks: those with this kind of truth, those whose far rows are far in this way.
        rank: its place among the numbers that decide the order of a board.
        board, listed, compared: it is a column for people of standings, of the list of records, of comparisons; the
            number says what a narrow terminal goes without (:class:`leaderboard.tables.grid.Column`).
        decimals: a fixed number of them instead of three significant digits.
    """

    name: str
    heading: str
    meaning: str
    read: Callable[[Record], float | None] | None = None
    unit: str = ""
    direction: Direction | None = None
    kind: Literal["real", "whole", "flag"] = "real"
    signed: bool = False
    clip: Range | None = None
    total: Literal["mean", "range", "sum"] | None = None
    of: str | None = None
    truth: Truth | None = None
    far_kind: FarKind | None = None
    rank: int | None = None
    board: int | None = None
    listed: int | None = None
    compared: int | None = None
    decimals: int | None = None

    @property
    def column(self) -> str:
        """The column of records that it is made from."""
        return self.of or self.name

    @property
    def scale(self) -> Literal["log", "linear"]:
        """Of axes, means and intervals."""
        return "log" if self.clip else "linear"

    @property
    def title(self) -> str:
        """The heading in one line."""
        return self.heading.replace("\n", " ")

    def clipped(self, values: Floats) -> Floats:
        """Ready for a logarithm; infinite values stay infinite. The values themselves on a linear scale."""
        if self.clip is None:
            return values
        return np.where(np.isinf(values), values, np.clip(values, self.clip.least, self.clip.most))

    def scaled(self, values: Floats) -> Floats:
        """What means and intervals are taken of."""
        return values if self.clip is None else np.log(self.clipped(values))
