"""Sequences: from ten consecutive values, the next."""

from __future__ import annotations

import numpy as np

from bench.core.seeding import generator
from tasks.data import FarSet, Rows, Samples

STEPS = 10


def windows(series: np.ndarray, starts: np.ndarray, sources: np.ndarray) -> Rows:
    """Windows of ten consecutive values with the next one as target.

    Args:
        series: (sequences, length) values.
        starts: places in the series where a window begins.
        sources: number of each sequence.
    """
    places = starts[:, None] + np.arange(STEPS + 1)
    pieces = series[:, places].reshape(-1, STEPS + 1)
    return Rows(pieces[:, :STEPS, None], pieces[:, STEPS], np.repeat(sources, len(starts)))


def trend() -> Samples:
    """f(i) = a + b·i with a, b ~ N(0, 1): 600 sequences for i = 1..30, 200 others for each later range.

    Far windows lie with their target inside i = 31..60 and 61..100.
    """
    ranges = {"train": (1, 30, 600), "later-60": (31, 60, 200), "later-100": (61, 100, 200)}
    rows, taken = {}, 0
    for name, (first, last, count) in ranges.items():
        a, b = generator("trend-sequence", name).standard_normal((2, count, 1))
        series = a + b * np.arange(first, last + 1)
        starts = np.linspace(0, last - first - STEPS, 5).astype(int)
        rows[name] = windows(series, starts, taken + np.arange(count))
        taken += count
    domain = rows.pop("train")
    labels = {"later-60": "i = 31 to 60", "later-100": "i = 61 to 100"}
    return Samples(domain, tuple(FarSet(name, part, label=labels[name]) for name, part in rows.items()))
