"""Real time series of statsmodels: from past values, the next; far: later decades."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

import numpy as np

from bench.core.errors import InputError
from tasks.data.samples import FarSet, Rows, Samples
from tasks.reading.packaged import shipped

CO2_SHA256 = "16695fa2786e53414e5a6b54767a3fdf5de99cfbc68617f69d1362d92776a92f"
SUNSPOTS_SHA256 = "f67889b1d9002cd5227f0e0ef54e35b419cdd85a31279adef6f73fb41e5c0a9b"


def blocks(values: np.ndarray, window: int, block: int, first_source: int = 0) -> tuple[Rows, int]:
    """Windows of consecutive values (n,) with the next one as target, none across the border of two blocks.

    A block is a source, so that windows of different splits share no value. Windows with a missing value are left out.

    Args:
        values: the series, NaN where a value is missing.
        window: steps of an input.
        block: steps of a block.
        first_source: number of the first block.

    Returns:
        The rows, and how many windows were left out.
    """
    whole = len(values) // block * block
    if whole == 0:
        raise InputError(f"a series of {len(values)} values is shorter than a block of {block}")
    pieces = np.lib.stride_tricks.sliding_window_view(values[:whole].reshape(-1, block), window + 1, axis=1)
    source = np.repeat(first_source + np.arange(len(pieces)), pieces.shape[1])
    flat = pieces.reshape(-1, window + 1)
    complete = np.isfinite(flat).all(axis=1)
    return Rows(flat[complete, :window, None], flat[complete, window], source[complete]), int((~complete).sum())


def later(
    values: np.ndarray, times: np.ndarray, window: int, block: int, periods: Sequence[tuple[float, str]]
) -> Samples:
    """Samples from before the first of ``periods``, which are (begin, label), and a far set from each of these.

    Args:
        values: the series (n,).
        times: of the values, in the units of the periods' beginnings.
        window: steps of an input.
        block: steps of a block of the time before.
        periods: far periods in order; a label begins with its first year.

    Only the time before is cut into blocks; a far period is one source.
    """
    parts, dropped, taken = [], 0, 0
    edges = (-np.inf, *(begin for begin, _ in periods), np.inf)
    for start, end in pairwise(edges):
        inside = values[(times >= start) & (times < end)]
        rows, gaps = blocks(inside, window, block if np.isinf(start) else len(inside), taken)
        taken += len(inside) // block + 1
        dropped += gaps
        parts.append(rows)
    far = tuple(FarSet(f"from-{p[1][:4]}", rows, label=p[1]) for p, rows in zip(periods, parts[1:], strict=True))
    notes = (f"windows left out because a value is missing: {dropped:,}",) if dropped else ()
    return Samples(parts[0], far, notes=notes)


def co2() -> Samples:
    """Weekly carbon dioxide at Mauna Loa: the next week from ten, trained before 1980; far: 1980s, 1990s and on."""
    dates, values = _columns("co2/co2.csv", CO2_SHA256)
    periods = ((1980_00_00.0, "1980 to 1989"), (1990_00_00.0, "1990 to 2001"))
    return later(values, dates, 10, 26, periods)


def sunspots() -> Samples:
    """Yearly sunspot numbers: the next year from eight, trained before 1930; far: 1930 to 1969, 1970 to 2008."""
    years, values = _columns(
        "sunspots/sunspots.csv", "f67889b1d9002cd5227f0e0ef54e35b419cdd85a31279adef6f73fb41e5c0a9b"
    )
    return later(values, years, 8, 17, ((1930.0, "1930 to 1969"), (1970.0, "1970 to 2008")))


def _columns(path: str, sha256: str) -> tuple[np.ndarray, np.ndarray]:
    """Time and value (NaN: missing) of a series that ships with statsmodels."""
    content = shipped("statsmodels", f"datasets/{path}", sha256, "pip install statsmodels")
    table = np.genfromtxt(content.decode().splitlines(), delimiter=",", skip_header=1)
    return table[:, 0], table[:, 1]
