"""Whether numbers that are claimed agree with numbers that were measured anew.

Logarithms of errors over seeds are compared by Welch's t, one cell at a time and pooled over cells: the mean over cells
of the difference of means, with the variances of all of them and the degrees of freedom of Welch and Satterthwaite. The
tests are one-sided: claims that are worse than what was measured harm nobody, for boards rank what was measured.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np

from leaderboard.records.metrics import ERROR_CLIP, GROWTH_FLOOR, clip_error
from leaderboard.records.record import Record

Question = Literal["claimed", "disguised", "instances"]
LEVELS: dict[Question, float] = {"claimed": 0.03, "disguised": 0.01, "instances": 0.01}
"""Chance that an honest bundle is suspected by each question: 5% together, shared out over its tests (Bonferroni)."""

POWER = 0.8
_LEAST_SPREAD = 1e-3  # of logarithms: what rounding to six digits, and clipping, leave
_STRENGTH = 60.0  # noncentrality at which any test is sure


@dataclass(frozen=True)
class Pair:
    """A quantity of one cell, measured twice.

    Args:
        cell: how it is named to people.
        quantity: ``id_error``, ``far_error`` or ``growth``.
        claimed, fresh: logarithms, one a seed.
    """

    cell: str
    quantity: str
    claimed: tuple[float, ...]
    fresh: tuple[float, ...]


@dataclass(frozen=True)
class Difference:
    """What a test found.

    Args:
        what: which cells and quantity, for people.
        ratio: geometric mean of fresh / claimed: above 1, the claim is better than what was measured.
        p_value: one-sided.
        level: at which the test is held.
        error: standard error of the difference of mean logarithms.
        freedom: its degrees of freedom.
    """

    what: str
    ratio: float
    p_value: float
    level: float
    error: float
    freedom: float

    @property
    def suspicious(self) -> bool:
        """The claim is better than chance lets it be."""
        return self.p_value < self.level

    @property
    def found_ratio(self) -> float:
        """How much better a claim would have to be than the truth to be found with 80% power."""
        return detectable(self.error, self.freedom, self.level)


@dataclass(frozen=True)
class _Sum:
    """Mean difference (fresh - claimed), its variance, degrees of freedom."""

    mean: float
    variance: float
    freedom: float


def logarithm(record: Record, quantity: str) -> float:
    """The number that is compared: log of a clipped error, or of growth at 100 R; of what diverged, the largest."""
    if quantity == "growth":
        growth = record.growth_at(100.0)
        most = ERROR_CLIP[1] ** 2
        return math.log(min(max(most if growth is None else growth, GROWTH_FLOOR), most))
    value: float | None = getattr(record, quantity)
    return math.log(ERROR_CLIP[1] if value is None else clip_error(value))


def compare(pairs: Sequence[Pair], question: Question) -> list[Difference]:
    """Every test of a question: each quantity pooled over cells and, where there are several, each cell.

    Half of the level goes to the pooled tests, half to those of single cells.
    """
    if not pairs:
        return []
    quantities = sorted({pair.quantity for pair in pairs})
    level = LEVELS[question]
    several = len(pairs) > len(quantities)
    found = []
    for quantity in quantities:
        some = [_welch(pair) for pair in pairs if pair.quantity == quantity]
        what = f"{quantity}, {len(some)} cells together" if len(some) > 1 else f"{quantity}, {_cell(pairs, quantity)}"
        found.append(_test(what, _pooled(some), level / (1 + several) / len(quantities)))
    if several:
        found += [_test(f"{p.quantity}, {p.cell}", _welch(p), level / 2 / len(pairs)) for p in pairs]
    return found


def compare_instances(pairs: Sequence[Pair]) -> list[Difference]:
    """The ranked instance of a known function against fresh ones of its family, each a function of its own.

    The ranked one is taken for one more draw of the family: t = (mean of fresh − mean of claimed) / √(s² (1 + 1/m)),
    where s is the deviation over m instances.
    """
    found = []
    for pair in pairs:
        here, there = np.array(pair.claimed), np.array(pair.fresh)
        count = len(there)
        if count < 2:
            continue
        spread = max(float(there.var(ddof=1)), _LEAST_SPREAD**2)
        seeds = max(float(here.var(ddof=1)) if len(here) > 1 else 0.0, _LEAST_SPREAD**2) / len(here)
        mean = float(there.mean() - here.mean())
        total = _Sum(mean, spread * (1 + 1 / count) + seeds, count - 1)
        found.append(_test(f"{pair.quantity}, {pair.cell}", total, LEVELS["instances"] / len(pairs)))
    return found


def _cell(pairs: Sequence[Pair], quantity: str) -> str:
    return next(pair.cell for pair in pairs if pair.quantity == quantity)


def _welch(pair: Pair) -> _Sum:
    parts = [(len(values), float(np.mean(values)), _variance(values)) for values in (pair.claimed, pair.fresh)]
    shares = [variance / count for count, _, variance in parts]
    weight = sum(share**2 / max(count - 1, 1) for share, (count, _, _) in zip(shares, parts, strict=True))
    return _Sum(parts[1][1] - parts[0][1], sum(shares), sum(shares) ** 2 / weight)


def _variance(values: Sequence[float]) -> float:
    return max(float(np.var(values, ddof=1)) if len(values) > 1 else 0.0, _LEAST_SPREAD**2)


def _pooled(cells: Sequence[_Sum]) -> _Sum:
    count = len(cells)
    total = sum(cell.variance for cell in cells)
    freedom = total**2 / sum(cell.variance**2 / cell.freedom for cell in cells)
    return _Sum(sum(cell.mean for cell in cells) / count, total / count**2, freedom)


def _test(what: str, total: _Sum, level: float) -> Difference:
    from scipy.stats import t  # slow to load

    error = math.sqrt(total.variance)
    p_value = float(t.sf(total.mean / error, total.freedom))
    return Difference(what, _exponential(total.mean), p_value, level, error, total.freedom)


def detectable(error: float, freedom: float, level: float) -> float:
    """The ratio of a claim to the truth that a one-sided t-test finds with 80% power.

    Args:
        error: standard error of the difference of mean logarithms.
        freedom: its degrees of freedom.
        level: of the test.
    """
    from scipy.optimize import brentq
    from scipy.stats import nct, t

    bar = float(t.isf(level, freedom))
    if not bar < _STRENGTH:
        return math.inf
    strength = brentq(lambda shift: float(nct.sf(bar, freedom, shift)) - POWER, 0.0, 2 * _STRENGTH, xtol=1e-3)
    return _exponential(strength * error)


def _exponential(value: float) -> float:
    return math.exp(value) if value < 700 else math.inf
