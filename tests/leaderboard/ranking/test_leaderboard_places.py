"""Rows that one or two tasks have moved."""

from __future__ import annotations

import numpy as np

from leaderboard.ranking.statements.places import displacements, lines


def table() -> np.ndarray:
    """Seven rows of six tasks; row 0 is the last but one by the median task, and far ahead on two."""
    rows = np.repeat(np.arange(7.0)[:, None] * 0.1, 6, axis=1)
    rows[0] = 0.55
    rows[0, [1, 4]] = -6.0
    return rows


def test_a_row_that_two_tasks_carry_is_told_with_these_tasks() -> None:
    logs = table()
    saturated = np.exp(logs) / (1 + np.exp(logs))
    (found,) = [one for one in displacements(logs, saturated) if one.row == 0]
    assert (found.place, found.median_place) == (1, 6)
    assert set(found.tasks) == {1, 4}
    names = [f"row {i}" for i in range(7)]
    (line,) = lines([found], names, list("abcdef"))
    assert line == "row 0: place 1 by the geometric mean, 6 by the median task; b and e make the difference"


def test_where_places_agree_nothing_is_told() -> None:
    logs = np.repeat(np.arange(7.0)[:, None], 6, axis=1)
    assert displacements(logs, logs / 10) == []
    assert displacements(table()[:, :2], table()[:, :2]) == [], "of two tasks none is the median"


def test_the_order_of_rows_does_not_matter() -> None:
    logs = table()
    order = np.random.default_rng(0).permutation(7)
    found = {(one.row, one.place, one.tasks) for one in displacements(logs, logs)}
    moved = {(int(order[one.row]), one.place, one.tasks) for one in displacements(logs[order], logs[order])}
    assert moved == found


def test_many_lines_are_counted() -> None:
    logs = np.zeros((20, 3))
    logs[:, 0] = np.arange(20) * 0.01
    logs[:, 1] = np.arange(20) * 0.01
    logs[:, 2] = -np.arange(20) * 5.0
    found = displacements(logs, logs)
    told = lines(found, [str(i) for i in range(20)], ["a", "b", "c"])
    assert len(told) == 5
    assert told[0].endswith("c makes the difference")
    assert told[-1] == f"and {len(found) - 4} other rows of which the two differ by more than 2"
