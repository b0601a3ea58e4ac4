"""How many cells of one installation agree with the published ones.

A cell agrees where it has the same verdict and where the means of log id_error and log far_error (clipped as on boards)
over its seeds differ by less than Welch's 99% interval: |d| ≤ t(0.995, ν) √(s₁²/n₁ + s₂²/n₂), with ν by Welch and
Satterthwaite. Differences up to 1e-4, as rounding makes them, always agree. Where nothing is wrong and the seeds are
others, one of a hundred comparisons differs by chance; the same seeds of the same code differ by rounding only.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from bench.core.grammar import title_of
from leaderboard.ranking.cells import cells_by_protocol
from leaderboard.ranking.standings import verdicts_by_cell
from leaderboard.ranking.tally import Measured
from leaderboard.records.quantities import FAR_ERROR, ID_ERROR
from leaderboard.records.record import CellKey
from leaderboard.records.summary import Summaries
from leaderboard.tables.grid import Column, Grid

CONFIDENCE = 0.99
ROUNDING = 1e-4
_COMPARED = (ID_ERROR, FAR_ERROR)


@dataclass(frozen=True)
class Sample:
    """The logarithms of an error over the seeds of a cell: how many, their mean and variance (n − 1)."""

    count: int
    mean: float
    variance: float


@dataclass(frozen=True)
class Difference:
    """Something in which a cell is another than the published one.

    Attributes:
        key: of the cell.
        what: "verdict", or the name of an error.
        own, published: the verdicts, or the geometric means; ``None`` where there is none.
        ratio: own over published; ``None`` of verdicts.
        allowed: the ratio, above 1, up to which the two would agree; ``None`` of verdicts and where seeds have no
            spread.
        seeds: finished ones, own and published.
    """

    key: CellKey
    what: str
    own: str | float | None
    published: str | float | None
    ratio: float | None
    allowed: float | None
    seeds: tuple[int, int]


@dataclass(frozen=True)
class Agreement:
    """What comparing two sets of records found.

    Attributes:
        cells: those in both.
        differences: in order of the cells.
        untold: cells that differ in nothing else, of which one side has too few seeds to tell of an error.
        other: own cells that are published with other code or data only.
        unpublished: own cells that are not published at all.
    """

    cells: tuple[CellKey, ...]
    differences: tuple[Difference, ...]
    untold: tuple[CellKey, ...]
    other: tuple[CellKey, ...]
    unpublished: tuple[CellKey, ...]

    @cached_property
    def differing(self) -> frozenset[CellKey]:
        """The cells with a difference."""
        return frozenset(one.key for one in self.differences)

    @property
    def agreeing(self) -> int:
        """How many cells agree."""
        return len(self.cells) - len(self.differing) - len(self.untold)

    @property
    def sentence(self) -> str:
        """The result in one line."""
        parts = [f"{self.agreeing} of {len(self.cells)} cells agree with the published ones"]
        parts += [f"{len(self.differing)} differ"] if self.differing else []
        parts += [f"{len(self.untold)} have too few seeds to tell"] if self.untold else []
        parts += [f"{len(self.other)} are published with other code or data"] if self.other else []
        parts += [f"{len(self.unpublished)} are not published"] if self.unpublished else []
        return "; ".join(parts)


def agreement(own: Summaries, published: Summaries) -> Agreement:
    """Compare the cells that both have.

    Args:
        own, published: any records; protocols are never mixed.
    """
    mine, theirs = _samples(own), _samples(published)
    verdicts = verdicts_by_cell(own), verdicts_by_cell(published)
    names = {_name(key) for key in theirs}
    both = [key for key in mine if key in theirs]
    differences: list[Difference] = []
    untold: list[CellKey] = []
    for key in both:
        seeds = mine[key][0].count, theirs[key][0].count
        said, wanted = (found[key].word for found in verdicts)
        odd = [Difference(key, "verdict", said, wanted, None, None, seeds)] if said != wanted else []
        open_ = False
        for quantity, a, b in zip(_COMPARED, mine[key], theirs[key], strict=True):
            answer = _welch(a, b)
            open_ |= answer is None
            if answer is not None and not answer[0]:
                odd.append(_difference(key, quantity.title, a, b, answer[1]))
        differences += odd
        if open_ and not odd:
            untold.append(key)
    alone = [key for key in mine if key not in theirs]
    return Agreement(
        tuple(both),
        tuple(differences),
        tuple(untold),
        tuple(key for key in alone if _name(key) in names),
        tuple(key for key in alone if _name(key) not in names),
    )


def agreement_grid(found: Agreement) -> Grid[Any]:
    """A table of what differs; its title says how many cells agree."""
    columns: list[Column[Difference]] = [
        Column("protocol", "protocol", lambda one: one.key.protocol, spare=2),
        Column("task", "task", lambda one: one.key.task, show=lambda one: title_of(one.key.task)),
        Column("architecture", "architecture", lambda one: one.key.architecture),
        Column("norm", "norm", lambda one: one.key.norm),
        Column("what", "differs in", lambda one: one.what),
        Column("own", "yours", lambda one: one.own),
        Column("published", "published", lambda one: one.published),
        Column("ratio", "yours /\npublished", lambda one: one.ratio, spare=1),
        Column("allowed", "agrees up\nto a factor", lambda one: one.allowed, spare=1),
        Column("own_seeds", "your seeds", lambda one: one.seeds[0], spare=3),
        Column("published_seeds", "published seeds", lambda one: one.seeds[1], spare=3),
    ]
    counts = {
        "cells": len(found.cells),
        "agree": found.agreeing,
        "differ": len(found.differing),
        "too_few_seeds": len(found.untold),
        "other_code_or_data": len(found.other),
        "not_published": len(found.unpublished),
    }
    notes = [
        "a cell agrees where verdicts are equal, and means of log errors over seeds differ by less than Welch's 99% "
        "interval"
    ]
    if found.other:
        names = ", ".join(f"{key.architecture} {key.norm} on {title_of(key.task)}" for key in found.other[:3])
        notes.append(f"published with other code or data: {names}" + ", …" * (len(found.other) > 3))
    return Grid(found.sentence, columns, found.differences, notes, {"agreement": counts})


def _samples(summaries: Summaries) -> dict[CellKey, tuple[Sample, ...]]:
    """Of each cell, of each error that is compared."""
    found: dict[CellKey, tuple[Sample, ...]] = {}
    for cells in cells_by_protocol(summaries).values():
        measured = Measured(cells).moments
        columns = []
        for quantity in _COMPARED:
            moments = measured[quantity.name]
            rows = zip(moments.count.tolist(), moments.mean.tolist(), moments.variance.tolist(), strict=True)
            columns.append([Sample(*row) for row in rows])
        found |= dict(zip(cells.keys, zip(*columns, strict=True), strict=True))
    return found


def _welch(a: Sample, b: Sample) -> tuple[bool, float | None] | None:
    """Whether two means agree, and up to which difference they would; ``None`` where that cannot be told."""
    if not a.count or not b.count:
        return a.count == b.count, None
    if math.isinf(a.mean) or math.isinf(b.mean):
        return a.mean == b.mean, None
    apart = abs(a.mean - b.mean)
    if apart <= ROUNDING:
        return True, None
    if a.count < 2 or b.count < 2:
        return None
    parts = [(one.variance / one.count, one.count - 1) for one in (a, b)]
    error = sum(part for part, _ in parts)
    if not error:
        return False, None
    from scipy import special

    freedom = 1.0 / sum((part / error) ** 2 / free for part, free in parts)
    allowed = float(special.stdtrit(freedom, 0.5 + CONFIDENCE / 2)) * math.sqrt(error)
    return apart <= allowed, allowed


def _difference(key: CellKey, what: str, a: Sample, b: Sample, allowed: float | None) -> Difference:
    own, published = (math.exp(one.mean) if one.count else None for one in (a, b))
    whole = own is not None and published is not None and math.isfinite(published)
    return Difference(
        key,
        what,
        own,
        published,
        own / published if whole and own is not None and published is not None else None,
        None if allowed is None else math.exp(min(allowed, 700.0)),
        (a.count, b.count),
    )


def _name(key: CellKey) -> Sequence[str]:
    return key.protocol, key.task, key.architecture, key.norm
