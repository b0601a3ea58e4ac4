"""What seeds can show: the smallest ratio that so many would have, and how many would decide.

All on the logarithm, for the mean difference d over seeds with standard error SE and ν degrees of freedom. A
difference δ is shown four times in five, by a two-sided t-test at level α, when δ ≥ (t(1 − α/2, ν) + t(0.8, ν)) SE.
With several comparisons α is 5% over their number: what Holm's correction asks of the first.
"""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import ArrayLike, NDArray

from leaderboard.records.arrays import Floats

EQUIVALENT = math.log(1.05)  # ratios inside 1/1.05…1.05 make no difference
POWER = 0.8
MOST_SEEDS = 1_000
_SURE = 0.8  # of the interval of the standard deviation


def detectable(error: ArrayLike, freedom: ArrayLike, level: ArrayLike) -> Floats:
    """The smallest ratio above 1 that is shown four times in five: exp((t(1 − α/2, ν) + t(0.8, ν)) SE)."""
    from scipy import special

    ν = np.asarray(freedom, dtype=np.float64)
    with np.errstate(over="ignore"):
        quantiles = special.stdtrit(ν, 1.0 - np.asarray(level) / 2.0) + special.stdtrit(ν, POWER)
        smallest: Floats = np.exp(quantiles * np.asarray(error, dtype=np.float64))
    return smallest


def seeds_needed(
    difference: ArrayLike, error: ArrayLike, freedom: ArrayLike, seeds: ArrayLike, level: ArrayLike
) -> NDArray[np.int64]:
    """How many seeds a task would decide about differences like these, from few to many.

    Decided is what is shown to differ (d is taken for the truth: :func:`detectable` falls below it), or shown to make
    no difference (the 95% interval around d lies inside 1/1.05…1.05), whichever takes fewer. With n seeds SE falls as
    1/√n and ν grows as n − 1. SE itself is known from ν degrees of freedom only, so the range comes from the ends of
    its 80% interval, SE √(ν / χ²(0.9, ν)) to SE √(ν / χ²(0.1, ν)).

    Args:
        difference: (n,) mean log differences.
        error: (n,) their standard errors, positive.
        freedom: (n,) ν.
        seeds: (n,) a task, so far.
        level: (n,) α of the test.

    Returns:
        (n, 2); ``MOST_SEEDS + 1`` where more would be needed.
    """
    from scipy import special

    d, ν = np.abs(np.asarray(difference, dtype=np.float64)), np.asarray(freedom, dtype=np.float64)
    so_far = np.maximum(np.asarray(seeds, dtype=np.float64), 2.0)
    spread = np.asarray(error, dtype=np.float64) * np.sqrt(so_far)  # SE of one seed
    ends = []
    for upper in ((1 + _SURE) / 2, (1 - _SURE) / 2):
        deviation = spread * np.sqrt(ν / (2.0 * special.gammaincinv(ν / 2.0, upper)))  # the quantile of χ²
        ends.append(_fewest(d, deviation, ν / (so_far - 1.0), np.asarray(level, dtype=np.float64)))
    return np.stack(ends, axis=1)


def _fewest(d: Floats, deviation: Floats, freedom_a_seed: Floats, level: Floats) -> NDArray[np.int64]:
    """The least n that decides, by bisection: what n seeds leave open only falls with n."""
    low, high = np.ones(len(d), dtype=np.int64), np.full(len(d), MOST_SEEDS + 1)
    while (high - low > 1).any():
        middle = (low + high) // 2
        enough = _decide(d, deviation, np.maximum(middle, 2), freedom_a_seed, level)
        high, low = np.where(enough, middle, high), np.where(enough, low, middle)
    fewest: NDArray[np.int64] = np.maximum(high, 2)
    return fewest


def _decide(
    d: Floats, deviation: Floats, n: NDArray[np.int64], freedom_a_seed: Floats, level: Floats
) -> NDArray[np.bool_]:
    from scipy import special

    ν = freedom_a_seed * (n - 1)
    error = deviation / np.sqrt(n)
    differs = (special.stdtrit(ν, 1.0 - level / 2.0) + special.stdtrit(ν, POWER)) * error <= d
    same = special.stdtrit(ν, 0.975) * error < EQUIVALENT - d
    found: NDArray[np.bool_] = differs | same
    return found
