"""Where one or two tasks decide a row's place: its place by an aggregate against its place by the median task.

A geometric mean over tasks follows the tasks on which errors differ by powers of ten; the mean of e/(1+e) and the
median task do not. Where they disagree about a row, a line says so and names the tasks.
"""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from leaderboard.records.arrays import Floats, Integers

FARTHEST = 2  # places that two readings may differ by before a line says so
MOST_LINES = 4
MOST_TRIED = 20  # tasks in pairs


@dataclass(frozen=True)
class Displacement:
    """A row whose place by an aggregate is far from that by the median task.

    Attributes:
        row: its place among the rows given.
        aggregate: which, in words.
        place, median_place: by the aggregate, and by the median over tasks of the error.
        tasks: without these (places of tasks) the two are no farther apart than ``FARTHEST``; the one that matters
            most first.
    """

    row: int
    aggregate: str
    place: int
    median_place: int
    tasks: tuple[int, ...]


def displacements(logs: Floats, saturated: Floats) -> list[Displacement]:
    """The rows that one or two tasks have moved, by either aggregate; a row once, by the one that moves it most.

    Args:
        logs: (rows, tasks) mean log errors, finite: their mean over tasks is the first aggregate.
        saturated: (rows, tasks) means of e/(1+e): their mean is the second.
    """
    if logs.shape[1] < 3 or not len(logs):
        return []
    median = _places(np.median(logs, axis=1))
    readings = [
        ("geometric mean", logs, _places(logs.mean(axis=1))),
        ("mean of e/(1+e)", saturated, _places(saturated.mean(axis=1))),
    ]
    found = []
    for row in np.flatnonzero(np.any([np.abs(places - median) > FARTHEST for _, _, places in readings], axis=0)):
        words, values, places = max(readings, key=lambda reading: abs(int(reading[2][row] - median[row])))
        found.append(Displacement(int(row), words, int(places[row]), int(median[row]), ()))
        if len(found) <= MOST_LINES:  # the others are only counted
            found[-1] = Displacement(
                int(row), words, int(places[row]), int(median[row]), _tasks(values, int(row), int(median[row]))
            )
    return found


def _places(values: Floats) -> Integers:
    """1 + how many are smaller; rounding aside."""
    near = np.round(values, 12)
    return 1 + np.searchsorted(np.sort(near), near)


def _tasks(values: Floats, row: int, wanted: int) -> tuple[int, ...]:
    """The fewest tasks without which the row stands within ``FARTHEST`` of the place ``wanted``.

    One or two are looked for among all; more are left out one after the other, what matters most first: where the row
    differs most from the middle of the rows, on the side that has moved it.
    """
    ahead = _places(values.mean(axis=1))[row] < wanted
    lead = values[row] - np.median(values, axis=0)  # below 0: better there than the middle of the rows
    order = np.argsort(lead if ahead else -lead, kind="stable").tolist()

    def enough(left_out: tuple[int, ...]) -> bool:
        rest = np.delete(values, left_out, axis=1)
        return bool(rest.size) and abs(int(_places(rest.mean(axis=1))[row]) - wanted) <= FARTHEST

    few = [combination for size in (1, 2) for combination in itertools.combinations(order[:MOST_TRIED], size)]
    more = [tuple(order[:size]) for size in range(3, len(order))]
    return next((chosen for chosen in (*few, *more) if enough(chosen)), tuple(order[:1]))


def lines(found: Sequence[Displacement], names: Sequence[str], tasks: Sequence[str]) -> list[str]:
    """A sentence for each of the first few, and how many there are besides.

    Args:
        names: of the rows.
        tasks: their names.
    """
    told = [
        f"{names[one.row]}: place {one.place} by the {one.aggregate}, {one.median_place} by the median task;"
        f" {_listed([tasks[task] for task in one.tasks])} make{'s' * (len(one.tasks) == 1)} the difference"
        for one in found[:MOST_LINES]
    ]
    left = len(found) - len(told)
    return [*told, f"and {left} other row{'s' * (left > 1)} of which the two differ by more than {FARTHEST}"][
        : len(told) + (left > 0)
    ]


def _listed(names: Sequence[str]) -> str:
    return " and ".join(filter(None, (", ".join(names[:-1]), names[-1])))
