from __future__ import annotations

import dataclasses

import pytest

from bench.plan.arranging import arrange
from bench.plan.jobs import Cell, Job, Selection, cells_of, make_plan

SEEDS = (0, 1, 2, 3, 4)


def jobs(*selections: Selection, finished: tuple[str, ...] = ()) -> tuple[list[Cell], list[Job]]:
    cells = cells_of(selections, "quick")
    return cells, list(make_plan(cells, SEEDS, finished).jobs)


LONE = Selection(("sine-1d",), ("mlp",), ("none",))


@pytest.mark.parametrize(("workers", "parts"), [(1, 1), (2, 2), (3, 3), (16, 5)])
def test_a_lone_cell_is_split_so_that_nobody_stands_idle(workers: int, parts: int) -> None:
    cells, planned = jobs(LONE)
    pieces = arrange(planned, SEEDS, len(cells), workers)
    assert len(pieces) == parts
    assert sorted(seed for piece in pieces for seed in piece.seeds) == list(SEEDS)


def test_the_split_does_not_depend_on_what_is_left() -> None:
    cells, planned = jobs(LONE)
    whole = arrange(planned, SEEDS, len(cells), 2)
    done = whole[0]
    rest = [dataclasses.replace(job, keys=tuple(k for k in job.keys if k not in done.keys)) for job in planned]
    assert arrange(rest, SEEDS, len(cells), 2) == whole[1:]


def test_with_enough_cells_none_is_split_and_the_longest_start_first() -> None:
    cells, planned = jobs(
        Selection(("linear-1d",), ("mean", "mlp"), ("none", "layer@first")),
        Selection(("digits-rotation",), ("cnn",), ("none",)),
    )
    pieces = arrange(planned, SEEDS, len(cells), 2)
    assert sorted(p.keys for p in pieces) == sorted(j.keys for j in planned)
    assert pieces[0].keys[0].task == "digits-rotation"
    assert pieces[-1].keys[0].architecture == "mean"
