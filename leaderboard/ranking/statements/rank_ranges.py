"""Which places a row can hold on these tasks: what seeds leave open, never what other tasks would say."""

from __future__ import annotations

import numpy as np

from leaderboard.ranking.statistics import Estimates
from leaderboard.records.arrays import Booleans, Floats, Integers

LEVEL = 0.05
MOST_ROWS = 1_000  # of a section: pairs grow with the square
MOST_PAIRS = 4_000_000  # of all sections together
_SAME = 1e-12  # logarithms closer than this are equal: what is left is rounding
_NORMAL = 1.959  # below it no t-test says anything at 5%, whatever its degrees of freedom


def rank_ranges(rows: Estimates, tier: Integers, kind: Integers, section: Integers) -> list[tuple[int, int] | None]:
    """For each row [1 + number significantly better, N − number significantly worse] among the N of its section.

    Rows of a better tier are better by the board's rule (no task lacking, nothing diverged). Of one tier, rows are
    compared if they are of one kind (lack the same tasks), by

        t = (m_i − m_j) / √(v_i + v_j),  v = Σ_t s_t² / (n_t T²)

    with m the mean log error over the T tasks and s_t² the variance over n_t seeds; equal numbers of seeds make that
    (m_i − m_j) / √((s_i² + s_j²) / (T S)). Degrees of freedom by Welch and Satterthwaite, Holm's correction over the
    comparisons of the row. Less is better.

    Args:
        rows: the means with their variances.
        tier: (rows,) less is better, whatever the means.
        kind: (rows,) which tasks a row has.
        section: (rows,) rows of one section are ranked together.

    Returns:
        ``None`` for the rows of a section with more than ``MOST_ROWS`` of them, and for all where sections hold more
        than ``MOST_PAIRS`` pairs together.
    """
    found: list[tuple[int, int] | None] = [None] * len(tier)
    sizes = np.bincount(section, minlength=1)
    if (sizes[sizes <= MOST_ROWS] ** 2).sum() > MOST_PAIRS:
        return found
    order = np.argsort(section, kind="stable")
    for mine in np.split(order, np.flatnonzero(np.diff(section[order])) + 1):
        if 0 < len(mine) <= MOST_ROWS:
            better, worse = _told(rows, tier, kind, mine)
            for place, ahead, behind in zip(mine.tolist(), better.tolist(), worse.tolist(), strict=True):
                found[place] = (1 + ahead, len(mine) - behind)
    return found


def _told(rows: Estimates, tier: Integers, kind: Integers, mine: Integers) -> tuple[Integers, Integers]:
    """For each of the rows ``mine`` how many of them are better, and how many worse."""
    mean, level = np.where(rows.known, rows.mean, 0.0)[mine], tier[mine]
    known, same = rows.known[mine], kind[mine]
    compared = (level[:, None] == level) & (same[:, None] == same) & known[:, None] & known
    np.fill_diagonal(compared, False)
    difference = mean[:, None] - mean
    p_values = _p_values(difference, rows.variance[mine], rows.freedom[mine], compared)
    told = _rejected(p_values, compared)
    better = (told & (difference > 0)) | (level < level[:, None])
    worse = (told & (difference < 0)) | (level > level[:, None])
    return better.sum(axis=1), worse.sum(axis=1)


def _p_values(difference: Floats, variance: Floats, freedom: Floats, compared: Booleans) -> Floats:
    """Two-sided, of each pair; 1 where it is above the level in any case."""
    from scipy import special

    both = variance[:, None] + variance
    certain = both == 0
    p_values = np.where(certain & (np.abs(difference) > _SAME), 0.0, 1.0)
    scale = np.where(certain, 1.0, both)
    score = np.abs(difference) / np.sqrt(scale)
    # Welch and Satterthwaite; shares of the whole, so that squares of tiny variances do not vanish
    one, other = variance[:, None] / scale, variance / scale
    use = np.triu(compared & ~certain & (score > _NORMAL) & (np.abs(difference) > _SAME))
    inverse = (one**2 / freedom[:, None] + other**2 / freedom)[use]
    p_values[use] = 2.0 * special.stdtr(1.0 / inverse, -score[use])
    p_values.T[use] = p_values[use]
    return p_values


def _rejected(p_values: Floats, compared: Booleans) -> Booleans:
    """Holm's step-down in each row, over the comparisons made there."""
    sizes = compared.sum(axis=1)
    count = np.zeros(len(sizes), dtype=np.int64)
    while True:  # each step rejects what the number rejected so far allows; it ends where Holm's does
        told: Booleans = compared & (p_values <= (LEVEL / np.maximum(sizes - count, 1))[:, None])
        now = told.sum(axis=1)
        if (now == count).all():
            return told
        count = now
