"""Intervals over seeds, and corrections for asking many questions.

Five seeds are few: a t-interval on the right scale (the logarithm, for errors and growth) covers as promised, where a
percentile bootstrap covers 84% instead of 95%. Seed k has draw k of its task: intervals cover training and the draw, of
data from the world the split. Splits overlap, so that for another table of the kind intervals are too narrow (by
√(1 + 5 n_test / n_train) with five splits: Nadeau and Bengio, Machine Learning 52, 2003). Another task is not in them.

The formulas stand once, over the arrays of many cells (:func:`moments`, :func:`combine`); what
speaks of one cell calls them with one.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from leaderboard.records.arrays import Booleans, Floats, Integers
from leaderboard.records.interval import Interval

__all__ = ["Interval", "Moments", "Sample", "Test", "Tests"]

CONFIDENCE = 0.95
LEAST_TASKS = 6  # for a claim about tasks like these


@dataclass(frozen=True)
class Sample:
    """The values of one task over seeds; an exact one (deterministic, of protocol 1) has no randomness."""

    values: tuple[float, ...]
    exact: bool = False


@dataclass(frozen=True, eq=False)
class Moments:
    """What intervals need of samples: arrays with an entry for each.

    Args:
        count: values.
        mean: infinite where a value is, NaN where there is none.
        variance: with n - 1 in the denominator; 0 of fewer than two values.
        exact: no training randomness.
    """

    count: Integers
    mean: Floats
    variance: Floats
    exact: Booleans


@dataclass(frozen=True)
class Test:
    """A mean against 0: the interval and the two-sided p-value of Student's t (``None`` where there is none)."""

    __test__ = False  # not a test case of pytest's

    interval: Interval
    p_value: float | None


@dataclass(frozen=True, eq=False)
class Tests:
    """:class:`Test` of many groups as arrays; NaN stands for what there is not."""

    __test__ = False

    mean: Floats
    low: Floats
    high: Floats
    p_value: Floats

    def intervals(self) -> list[Interval | None]:
        """An interval a group; ``None`` for a group without samples."""
        columns = zip(self.mean.tolist(), self.low.tolist(), self.high.tolist(), strict=True)
        return [None if m != m else Interval(m) if a != a else Interval(m, a, b) for m, a, b in columns]

    def exponentials(self) -> Tests:
        """The groups' means and ends put back from logarithms; infinite where that is no float64."""
        with np.errstate(over="ignore"):
            return Tests(np.exp(self.mean), np.exp(self.low), np.exp(self.high), self.p_value)


def moments(values: ArrayLike, sample: ArrayLike, exact: ArrayLike) -> Moments:
    """Count, mean and variance of each sample.

    Deviations are taken from the sample's first value, so that equal values have variance 0 and their own mean.

    Args:
        values: (n,) of all samples; infinite ones make their sample's mean infinite.
        sample: (n,) whose value it is, from 0.
        exact: (samples,) without training randomness.
    """
    value, member = np.asarray(values, dtype=np.float64), np.asarray(sample, dtype=np.int64)
    sure = np.asarray(exact, dtype=np.bool_)
    size = len(sure)
    count = np.bincount(member, minlength=size)
    infinite = np.bincount(member[np.isinf(value)], minlength=size) > 0
    first = np.full(size, np.nan)
    first[member[::-1]] = value[::-1]
    finite = ~infinite[member]
    member, shift = member[finite], (value - np.where(infinite, 0.0, first)[member])[finite]
    offset = np.bincount(member, weights=shift, minlength=size) / np.maximum(count, 1)
    squares = np.bincount(member, weights=(shift - offset[member]) ** 2, minlength=size)
    return Moments(count, np.where(infinite, np.inf, first + offset), squares / np.maximum(count - 1, 1), sure)


@dataclass(frozen=True, eq=False)
class Estimates:
    """Means of groups and how sure they are: arrays with an entry for each.

    Args:
        mean: over samples that weigh the same; infinite where one is, NaN without samples.
        variance: of that mean.
        freedom: of that variance, by Welch and Satterthwaite; 1 where the variance is 0.
        known: the mean is finite and the variance can be told.
    """

    mean: Floats
    variance: Floats
    freedom: Floats
    known: Booleans


def estimates(samples: Moments, group: ArrayLike, groups: int) -> Estimates:
    """The mean of each group over its samples, which weigh the same.

    With s² the variance over the n seeds of a task, each of the T tasks adds s² / (n T²) to the variance of the mean;
    degrees of freedom by Welch and Satterthwaite. Seeds of different tasks draw independently (the task's name is in
    every draw), so the variances add. Nothing is known where a mean is infinite, or a sample that is not exact has one
    value.

    Args:
        samples: those without values are in no group's mean.
        group: (samples,) from 0.
        groups: how many.
    """
    there = samples.count > 0
    count, exact, place = samples.count[there], samples.exact[there], np.asarray(group, dtype=np.int64)[there]
    tasks = moments(samples.mean[there], place, np.zeros(groups, dtype=np.bool_))
    lone = np.bincount(place[~exact & (count < 2)], minlength=groups) > 0
    part = samples.variance[there] / (count * tasks.count[place] ** 2)
    variance = np.bincount(place, weights=part, minlength=groups).astype(np.float64)
    known = np.isfinite(tasks.mean) & ~lone
    random = known & (variance > 0)
    # relative to the whole, so that squares of tiny variances do not vanish
    share = part / np.where(variance > 0, variance, 1.0)[place]
    inverse = np.bincount(place, weights=share**2 / np.maximum(count - 1, 1), minlength=groups)
    return Estimates(tasks.mean, variance, 1.0 / np.where(random, inverse, 1.0), known)


def combine(samples: Moments, group: ArrayLike, groups: int) -> Tests:
    """The mean of each group over its samples (:func:`estimates`), against 0.

    With one task this is the plain t-interval and the one-sample t-test.
    """
    from scipy import special

    found = estimates(samples, group, groups)
    random, error = found.known & (found.variance > 0), np.sqrt(found.variance)
    half = np.where(random, special.stdtrit(found.freedom, 0.5 + CONFIDENCE / 2) * error, 0.0)
    score = -np.abs(np.where(found.known, found.mean, 0.0)) / np.where(random, error, 1.0)
    p_value = np.where(random, 2.0 * special.stdtr(found.freedom, score), np.where(found.mean == 0, 1.0, 0.0))
    center = np.where(found.known, found.mean, np.nan)
    return Tests(found.mean, center - half, center + half, np.where(found.known, p_value, np.nan))


def over_tasks(task_means: ArrayLike, group: ArrayLike, groups: int) -> tuple[Tests, Integers]:
    """A claim about tasks like these: the t-interval over task means, and how many tasks it rests on.

    d̄ ± t(0.975, T − 1) s_d / √T, s_d the deviation of the T task means: it holds the choice of tasks and the seeds
    in them. Below ``LEAST_TASKS`` tasks there is no interval and no p-value.

    Args:
        task_means: (n,) one a task; an infinite one leaves its group without interval.
        group: (n,) from 0.
        groups: how many.
    """
    every = moments(task_means, group, np.zeros(groups, dtype=np.bool_))
    tests = combine(every, np.arange(groups), groups)
    few = every.count < LEAST_TASKS
    claims = Tests(tests.mean, *(np.where(few, np.nan, part) for part in (tests.low, tests.high, tests.p_value)))
    return claims, every.count


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
    return log_t_intervals([Sample(tuple(values), exact)])[0]


def log_t_intervals(samples: Sequence[Sample]) -> list[Interval]:
    """:func:`log_t_interval` of each sample, all at once."""
    counts = [len(s.values) for s in samples]
    if not all(counts):
        raise ValueError("an interval needs at least one value")
    place = np.arange(len(samples))
    each = moments([_log(v) for s in samples for v in s.values], np.repeat(place, counts), [s.exact for s in samples])
    return [i.map(_exp) for i in combine(each, place, len(samples)).intervals() if i is not None]


def stratified_test(samples: Sequence[Sample]) -> Test:
    """The mean over tasks of the mean over seeds, tasks weighing the same, against 0: see :func:`combine`."""
    if not samples or not all(s.values for s in samples):
        raise ValueError("an interval needs at least one value for each task")
    values = [v for s in samples for v in s.values]
    each = moments(
        values, np.repeat(np.arange(len(samples)), [len(s.values) for s in samples]), [s.exact for s in samples]
    )
    tests = combine(each, np.zeros(len(samples), dtype=np.int64), 1)
    p_value = float(tests.p_value[0])
    interval = tests.intervals()[0]
    assert interval is not None
    return Test(interval, None if math.isnan(p_value) else p_value)


def clopper_pearson(successes: int, trials: int) -> tuple[float, float]:
    """The exact 95% interval of a share (Clopper and Pearson, 1934).

    Args:
        successes: from 0 to ``trials``.
        trials: at least 1.
    """
    from scipy import special

    tail = (1 - CONFIDENCE) / 2
    low = special.betaincinv(successes, trials - successes + 1, tail) if successes else 0.0
    high = special.betaincinv(successes + 1, trials - successes, 1 - tail) if successes < trials else 1.0
    return float(low), float(high)


def holm(p_values: Sequence[float | None]) -> list[float | None]:
    """p-values corrected for their number by Holm's (1979) method; ``None`` stays ``None`` and does not count.

    Of n p-values in ascending order the i-th becomes the largest of (n - j + 1) p_j over j ≤ i, at most 1.
    """
    known = np.array([p for p in p_values if p is not None], dtype=np.float64)
    order = np.argsort(known)
    corrected = np.empty_like(known)
    corrected[order] = np.minimum(np.maximum.accumulate(known[order] * np.arange(len(known), 0, -1)), 1.0)
    every = iter(corrected.tolist())
    return [None if p is None else next(every) for p in p_values]


def _log(value: float) -> float:
    if value <= 0:
        raise ValueError(f"a logarithm needs a positive number, not {value}")
    return math.log(value)


def _exp(value: float) -> float:
    return math.exp(value) if value < 709 else math.inf
