"""Intervals over seeds, verdicts, and corrections for asking many questions.

Five seeds are few: a t-interval on the right scale (the logarithm, for errors and growth) covers as promised, where a
percentile bootstrap covers 84% instead of 95%. All intervals cover training randomness only: another draw of the
data, of the split or of the task is not in them.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np

CONFIDENCE = 0.95
Verdict = Literal["bounded", "sublinear", "linear", "superlinear", "undecided"]
UNBOUNDED: frozenset[str] = frozenset({"sublinear", "linear", "superlinear"})


@dataclass(frozen=True)
class Interval:
    """A mean and the ends of its 95% interval.

    ``low`` and ``high`` are ``None`` where an interval cannot be had: from one seed, or where a value is infinite.
    ``mean`` is then still the mean (infinite, if a value is).
    """

    mean: float
    low: float | None = None
    high: float | None = None

    @property
    def half_width(self) -> float | None:
        """Half of high − low."""
        return None if self.low is None or self.high is None else (self.high - self.low) / 2

    def map(self, function: Callable[[float], float]) -> Interval:
        """The interval of an increasing function of the quantity."""
        ends = [None if end is None else function(end) for end in (self.low, self.high)]
        return Interval(function(self.mean), ends[0], ends[1])


@dataclass(frozen=True)
class Sample:
    """The values of one task over seeds; an exact one (deterministic) has no training randomness."""

    values: tuple[float, ...]
    exact: bool = False


@dataclass(frozen=True)
class Test:
    """A mean against 0: the interval and the two-sided p-value of Student's t (``None`` where there is none)."""

    __test__ = False  # not a test case of pytest's

    interval: Interval
    p_value: float | None


def t_interval(values: Sequence[float], exact: bool = False) -> Interval:
    """Mean ± t(0.975, n − 1) · s / √n.

    Args:
        values: one a seed, at least one.
        exact: the values have no randomness (an estimator that needs one seed): the interval is the point.
    """
    return stratified_test([Sample(tuple(values), exact)]).interval


def log_t_interval(values: Sequence[float], exact: bool = False) -> Interval:
    """The t-interval of the logarithms, put back: a geometric mean with an interval.

    Args:
        values: one a seed, positive (clip errors and floor growth first); infinite ones give an infinite mean.
        exact: the values have no randomness.
    """
    return stratified_log_interval([Sample(tuple(values), exact)])


def stratified_log_interval(samples: Sequence[Sample]) -> Interval:
    """:func:`stratified_test` of the logarithms, put back."""
    logs = [Sample(tuple(_log(v) for v in s.values), s.exact) for s in samples]
    return stratified_test(logs).interval.map(_exp)


def stratified_test(samples: Sequence[Sample]) -> Test:
    """The mean over tasks of the mean over seeds, tasks weighing the same, against 0.

    With s² the variance over the n seeds of a task, each of the T tasks adds s² / (n T²) to the variance of the mean;
    degrees of freedom by Welch and Satterthwaite. With one task this is the plain t-interval and the one-sample t-test.
    Seeds of different tasks draw independently (the task's name is in every draw), so the variances add.
    """
    if not samples or not all(s.values for s in samples):
        raise ValueError("an interval needs at least one value for each task")
    means = [_mean(s.values) for s in samples]
    mean = _mean(means)
    if not math.isfinite(mean):
        return Test(Interval(mean), None)
    random = [s for s in samples if not s.exact]
    if any(len(s.values) < 2 for s in random):
        return Test(Interval(mean), None)
    parts = [(float(np.var(s.values, ddof=1)) / (len(s.values) * len(samples) ** 2), len(s.values) - 1) for s in random]
    return _student(mean, parts)


def _student(mean: float, parts: Sequence[tuple[float, int]]) -> Test:
    """Interval and p-value from the (variance, degrees of freedom) of what was averaged."""
    variance = sum(v for v, _ in parts)
    if variance <= 0:
        return Test(Interval(mean, mean, mean), 1.0 if mean == 0 else 0.0)
    from scipy import special

    # relative to the whole, so that squares of tiny variances do not vanish
    freedom = 1.0 / sum((v / variance) ** 2 / d for v, d in parts)
    half = float(special.stdtrit(freedom, 0.5 + CONFIDENCE / 2)) * math.sqrt(variance)
    p_value = 2.0 * float(special.stdtr(freedom, -abs(mean) / math.sqrt(variance)))
    return Test(Interval(mean, mean - half, mean + half), p_value)


def verdict(exponents: Sequence[float | None], exact: bool = False) -> Verdict:
    """How a cell grows, from its exponents over seeds (``None`` = growth was infinite).

    From the 95% t-interval: bounded when its upper end is below 0.05, sublinear inside 0.05 to 0.95, linear inside
    0.95 to 1.05, superlinear when its lower end is above 1.05, else undecided; one seed of something random decides
    nothing. Growth that is infinite for every seed is superlinear, for some of them undecided. It speaks of the range
    probed: a logarithm reads about 0.15.
    """
    if not exponents:
        return "undecided"
    finite = [e for e in exponents if e is not None]
    if len(finite) < len(exponents):
        return "superlinear" if not finite else "undecided"
    interval = t_interval(finite, exact)
    if interval.low is None or interval.high is None:
        return "undecided"
    return _verdict_of(interval.low, interval.high)


def _verdict_of(low: float, high: float) -> Verdict:
    bands: tuple[tuple[Verdict, bool], ...] = (
        ("bounded", high < 0.05),
        ("sublinear", low >= 0.05 and high <= 0.95),
        ("linear", low >= 0.95 and high <= 1.05),
        ("superlinear", low > 1.05),
    )
    return next((name for name, inside in bands if inside), "undecided")


def paired_difference(samples: Sequence[Sample]) -> Test:
    """Differences paired by task and seed (one sample a task), averaged: see :func:`stratified_test`."""
    return stratified_test(samples)


def holm(p_values: Sequence[float | None]) -> list[float | None]:
    """p-values corrected for their number by Holm's method; ``None`` stays ``None`` and does not count."""
    known = [p for p in p_values if p is not None]
    if not known:
        return list(p_values)
    from statsmodels.stats.multitest import multipletests

    corrected = iter(multipletests(known, method="holm")[1])
    return [None if p is None else float(next(corrected)) for p in p_values]


def _mean(values: Sequence[float]) -> float:
    return math.fsum(values) / len(values) if all(map(math.isfinite, values)) else math.inf


def _log(value: float) -> float:
    if value <= 0:
        raise ValueError(f"a logarithm needs a positive number, not {value}")
    return math.log(value)


def _exp(value: float) -> float:
    return math.exp(value) if value < 709 else math.inf
