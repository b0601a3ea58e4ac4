"""What is said of tasks like these: against scipy, and by simulation with tasks drawn anew."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from scipy import stats
from statsmodels.stats.multitest import multipletests

from leaderboard.ranking.comparison import compare
from leaderboard.ranking.standings import Standing, standings
from leaderboard.ranking.statistics import LEAST_TASKS, combine, moments, over_tasks
from leaderboard.records import metrics
from leaderboard.records.record import Record
from leaderboard.tables.rendering import render_comparison, render_standings

Make = Callable[..., Any]
NORMS = ("none", "a", "b", "c")


def measured(make: Make, key: Make, error: float, **names: object) -> Record:
    """A record whose every far set has the relative error ``error``."""
    one: Record = make(key(**names))
    sets = tuple(dataclasses.replace(s, relative_error=error) if s.role == "far" else s for s in one.sets)
    return dataclasses.replace(one, sets=sets, far_error=metrics.far_error([error]))


@pytest.fixture
def drawn(record: Make, key: Make) -> Callable[[int], list[Record]]:
    """Records of so many tasks, five seeds each, with errors drawn for tasks and seeds."""

    def made(tasks: int) -> list[Record]:
        draw = np.random.default_rng(3)
        shift = {norm: draw.normal(0.5 * place**2, 0.6, size=tasks) for place, norm in enumerate(NORMS)}
        return [
            measured(record, key, math.exp(shift[norm][t] + draw.normal(0, 0.2)), task=f"task-{t}", norm=norm, seed=s)
            for t in range(tasks)
            for norm in NORMS
            for s in range(5)
        ]

    return made


def task_means(records: list[Record], norm: str) -> np.ndarray:
    """Mean log far error of each task."""
    tasks = sorted({r.key.task for r in records})
    return np.array(
        [np.mean([math.log(r.far_error or 0) for r in records if (r.key.task, r.key.norm) == (t, norm)]) for t in tasks]
    )


def rows_of(records: list[Record]) -> dict[str, Standing]:
    (board,) = standings(records)
    return {row.method.norm: row for row in board.overall}


def test_a_ratio_is_the_t_interval_over_task_means(drawn: Callable[[int], list[Record]]) -> None:
    records = drawn(8)
    rows = rows_of(records)
    assert (rows["none"].general, rows["none"].general_tasks) == (None, None)
    (comparison,) = compare(records)
    for norm in NORMS[1:]:
        paired = stats.ttest_rel(task_means(records, norm), task_means(records, "none"))
        low, high = (math.exp(end) for end in paired.confidence_interval(0.95))
        general = rows[norm].general
        assert general is not None
        assert (general.low, general.high) == pytest.approx((low, high))
        assert rows[norm].general_tasks == 8
        row = next(row for row in comparison.overall if row.candidate == norm)
        assert row.effect("far_error").general == pytest.approx(general)
    expected = [stats.ttest_rel(task_means(records, n), task_means(records, "none")).pvalue for n in NORMS[1:]]
    found = [row.effect("far_error").p_general for row in comparison.overall]
    assert found == pytest.approx(multipletests(expected, method="holm")[1])


def test_who_is_not_told_from_the_first_row_is_in_its_group(drawn: Callable[[int], list[Record]]) -> None:
    records = drawn(8)
    rows = rows_of(records)
    first = next(norm for norm, row in rows.items() if row.rank == 1)
    others = [norm for norm in NORMS if norm != first]
    p_values = [stats.ttest_rel(task_means(records, n), task_means(records, first)).pvalue for n in others]
    told = multipletests(p_values, alpha=0.05, method="holm")[0]
    assert rows[first].told == "first"
    assert [rows[norm].told for norm in others] == ["yes" if t else "no" for t in told]
    assert set(told) == {True, False}, "the draw is meant to have both"


def test_below_six_tasks_nothing_is_claimed_and_seeds_alone_give_no_star(drawn: Callable[[int], list[Record]]) -> None:
    assert LEAST_TASKS == 6
    records = drawn(5)
    rows = rows_of(records)
    assert all(row.general is None for row in rows.values())
    assert {row.told for row in rows.values()} == {"first", "no claim"}
    assert "5 tasks: no claim" in render_standings(standings(records))
    (comparison,) = compare(records)
    assert all(row.effect("far_error").general is None for row in comparison.overall)
    text = render_comparison([comparison], scope="overall")
    assert "no claim" in text
    assert " *" not in text.partition("on these tasks")[0]
    assert min(row.effect("far_error").p_holm or 1 for row in comparison.overall) < 0.001, "seeds alone are sure"


def test_an_infinite_error_leaves_no_claim(drawn: Callable[[int], list[Record]]) -> None:
    records = drawn(7)
    place = next(i for i, r in enumerate(records) if r.key.norm == "b")
    one = records[place]
    lost = dataclasses.replace(one.sets[-1], relative_error=None, rmse=None, mae=None, r2=None, nonfinite=1)
    records[place] = dataclasses.replace(one, sets=(*one.sets[:-1], lost), far_error=None)
    rows = rows_of(records)
    assert rows["b"].general is None
    assert rows["b"].told == "no claim"
    assert rows["a"].general is not None
    assert "not finite: no claim" in " ".join(render_standings(standings(records)).split())


def test_a_task_that_only_one_row_has_is_in_no_claim(drawn: Callable[[int], list[Record]]) -> None:
    records = [r for r in drawn(8) if (r.key.norm, r.key.task) != ("a", "task-0")]
    assert rows_of(records)["a"].general_tasks == 7


@pytest.mark.slow
def test_false_positives_of_the_claim_about_tasks_are_as_promised() -> None:
    """2,000 draws of six to twelve tasks with effects of mean 0, five seeds in each: 4–6% claim a difference.

    (4.9–5.0% of 300,000 draws.) From the same draws, a test over seeds alone claims one in most: it speaks of these
    tasks.
    """
    draw, draws, seeds = np.random.default_rng(1), 2_000, 5
    for tasks in (6, 12):
        effects = draw.normal(0, 0.5, size=(draws, tasks, 1))
        noise = draw.normal(0, 1, size=(draws, tasks, seeds)) * draw.uniform(0.05, 0.4, size=(draws, tasks, 1))
        values = (effects + noise).reshape(-1)
        cells = moments(values, np.repeat(np.arange(draws * tasks), seeds), np.zeros(draws * tasks, dtype=bool))
        group = np.repeat(np.arange(draws), tasks)
        claims, counted = over_tasks(cells.mean, group, draws)
        assert set(counted.tolist()) == {tasks}
        assert 0.04 <= np.mean(claims.p_value < 0.05) <= 0.06
        assert 0.94 <= np.mean((claims.low <= 0) & (claims.high >= 0)) <= 0.96
        assert np.mean(combine(cells, group, draws).p_value < 0.05) > 0.4
