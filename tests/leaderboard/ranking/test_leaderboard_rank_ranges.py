"""Rank ranges against a loop over pairs with statsmodels' Holm, and what must hold whatever the numbers."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from scipy import stats
from statsmodels.stats.multitest import multipletests

from leaderboard.ranking.statements import rank_ranges as ranges
from leaderboard.ranking.statements.rank_ranges import rank_ranges
from leaderboard.ranking.statistics import Estimates, estimates, moments

Floats = NDArray[np.float64]
Whole = NDArray[np.int64]


def estimated(values: list[list[Floats]], exact: tuple[int, ...] = ()) -> Estimates:
    """Rows of tasks of seeds."""
    samples = [(row, task) for row, tasks in enumerate(values) for task in tasks]
    flat = np.concatenate([task for _, task in samples])
    place = np.repeat(np.arange(len(samples)), [len(task) for _, task in samples])
    rows = np.array([row for row, _ in samples])
    return estimates(moments(flat, place, np.isin(rows, exact)), rows, len(values))


def by_pairs(values: list[list[Floats]]) -> list[tuple[int, int]]:
    """The definition, pair by pair: Welch's test over all tasks, Holm over the row's comparisons."""
    found = []
    for i, mine in enumerate(values):
        p_values, signs = [], []
        for j, others in enumerate(values):
            if i == j:
                continue
            parts = [(v.var(ddof=1) / len(v) / len(row) ** 2, len(v) - 1) for row in (mine, others) for v in row]
            variance = sum(part for part, _ in parts)
            difference = np.mean([v.mean() for v in mine]) - np.mean([v.mean() for v in others])
            freedom = variance**2 / sum(part**2 / ν for part, ν in parts)
            p_values.append(2 * stats.t.sf(abs(difference) / math.sqrt(variance), freedom))
            signs.append(np.sign(difference))
        told = multipletests(p_values, alpha=0.05, method="holm")[0]
        better = sum(t and s > 0 for t, s in zip(told, signs, strict=True))
        worse = sum(t and s < 0 for t, s in zip(told, signs, strict=True))
        found.append((1 + better, len(values) - worse))
    return found


def together(rows: int) -> tuple[Whole, Whole, Whole]:
    """One tier, one kind, one section."""
    none = np.zeros(rows, dtype=np.int64)
    return none, none, none


@pytest.mark.parametrize("seed", range(8))
def test_they_are_those_of_a_loop_over_pairs(seed: int) -> None:
    draw = np.random.default_rng(seed)
    rows, tasks = 12, 1 + seed % 5
    values = [
        [draw.normal(draw.normal(0, 0.5), draw.uniform(0.05, 1), size=draw.integers(2, 7)) for _ in range(tasks)]
        for _ in range(rows)
    ]
    assert rank_ranges(estimated(values), *together(rows)) == by_pairs(values)


def test_with_equal_seeds_t_is_the_formula_of_the_docs() -> None:
    """(m_i − m_j) / √((s_i² + s_j²) / (T S)), s² averaged over tasks."""
    draw = np.random.default_rng(0)
    first, second = draw.normal(size=(2, 4, 5))
    found = estimated([list(first), list(second)])
    spread = [tasks.var(axis=1, ddof=1).mean() for tasks in (first, second)]
    assert found.variance.sum() == pytest.approx(sum(spread) / (4 * 5))


ROWS = st.lists(
    st.lists(st.lists(st.floats(-5, 5), min_size=3, max_size=3), min_size=2, max_size=2), min_size=2, max_size=6
)


@given(ROWS, st.floats(-50, 50), st.randoms(use_true_random=False))
@settings(max_examples=60, deadline=None)
def test_a_row_is_in_its_range_and_neither_order_nor_a_constant_matters(
    rows: list[list[list[float]]], constant: float, random: object
) -> None:
    values = [[np.round(np.array(task), 6) for task in row] for row in rows]
    found = rank_ranges(estimated(values), *together(len(values)))
    means = np.round([np.mean([task.mean() for task in row]) for row in values], 9)
    for mean, pair in zip(means, found, strict=True):
        assert pair is not None
        assert pair[0] <= 1 + (means < mean).sum() <= pair[1]
    order = list(range(len(values)))
    random.shuffle(order)  # type: ignore[attr-defined]
    assert rank_ranges(estimated([values[i] for i in order]), *together(len(values))) == [found[i] for i in order]
    moved = [[task + round(constant, 3) for task in row] for row in values]
    assert rank_ranges(estimated(moved), *together(len(values))) == found


def test_what_the_board_rules_is_not_tested() -> None:
    """A better tier is better; other tasks, one seed and infinite errors tell nothing."""
    close, far = [np.array([0.0, 0.01, 0.02])], [np.array([9.0, 9.01, 9.02])]
    values = [far, close, close, far, [np.array([5.0])], [np.array([1.0, np.inf])]]
    tier, kind = np.array([0, 1, 1, 1, 2, 2]), np.array([0, 1, 1, 2, 3, 3])
    found = rank_ranges(estimated(values), tier, kind, np.zeros(6, dtype=np.int64))
    assert found == [(1, 1), (2, 4), (2, 4), (2, 4), (5, 6), (5, 6)]


def test_without_randomness_equal_rows_share_and_others_are_told() -> None:
    values = [[np.array([value])] for value in (0.3, 0.1 + 0.2, 0.4)]
    assert rank_ranges(estimated(values, (0, 1, 2)), *together(3)) == [(1, 2), (1, 2), (3, 3)]


def test_sections_are_ranked_apart_and_too_many_rows_are_not(monkeypatch: pytest.MonkeyPatch) -> None:
    values = [[np.array([m, m + 0.01, m - 0.01])] for m in (0.0, 1.0, 2.0, 0.0, 1.0)]
    none = np.zeros(5, dtype=np.int64)
    section = np.array([0, 0, 0, 1, 1])
    rows = estimated(values)
    assert rank_ranges(rows, none, none, section) == [(1, 1), (2, 2), (3, 3), (1, 1), (2, 2)]
    monkeypatch.setattr(ranges, "MOST_ROWS", 2)
    assert rank_ranges(rows, none, none, section) == [None, None, None, (1, 1), (2, 2)]
    monkeypatch.setattr(ranges, "MOST_PAIRS", 3)
    assert rank_ranges(rows, none, none, section) == [None] * 5


@pytest.mark.slow
def test_the_true_place_is_covered_as_promised() -> None:
    """30 rows, 8 tasks, 5 seeds: ranges are a few places wide and hold the true place."""
    draw = np.random.default_rng(0)
    covered, wide = [], []
    for _ in range(60):
        truth = np.sort(draw.normal(0, 1.0, size=30))
        values = [[draw.normal(mean, 0.5, size=5) for _ in range(8)] for mean in truth]
        for place, pair in enumerate(rank_ranges(estimated(values), *together(30)), start=1):
            assert pair is not None
            covered.append(pair[0] <= place <= pair[1])
            wide.append(pair[1] - pair[0])
    assert np.mean(covered) > 0.95
    assert np.mean(wide) < 10
