"""Sequence tasks whose far sets are longer than what is trained on."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

import tasks
from bench.core.errors import InputError
from tasks.data.samples import FarSet, Rows, Samples, standardize
from tasks.families.sequences import longer
from tasks.splitting import assemble

TRUTHS: dict[str, tuple[str, Callable[[np.ndarray], np.ndarray]]] = {
    "trend-forecast": ("growing", lambda x: 2 * x[:, 1:, 0] - x[:, :-1, 0]),
    "addition": ("growing", lambda x: (x[:, :, 0] * x[:, :, 1]).sum(axis=1)),
    "adding-two": ("bounded", lambda x: np.where(x[:, :, 1] > 0.5, x[:, :, 0], 0).sum(axis=1)),
    "counting": ("growing", lambda x: (x[:, :, 0] > 0).sum(axis=1)),
    "copy-scale": ("bounded", lambda x: x[:, :1, 0] * x[:, :, 0]),
    "maximum": ("bounded", lambda x: x[:, :, 0].max(axis=1)),
}


@pytest.mark.parametrize("name", TRUTHS)
def test_targets_are_one_function_at_every_length(name: str) -> None:
    task = tasks.resolve(name).load()
    truth, function = TRUTHS[name]
    assert task.card.truth == truth
    for rows in (task.train, task.validation, task.test, *(far.rows for far in task.far)):
        expected, found = function(task.to_raw(rows.inputs)), task.target_to_raw(rows.targets)
        if found.ndim == 2:
            asked = min(found.shape[1], expected.shape[1])  # the first step of a line tells nothing of the next
            expected, found = expected[:, -asked:], found[:, -asked:]
        np.testing.assert_allclose(found, expected, atol=1e-8)


@pytest.mark.parametrize("name", TRUTHS)
def test_far_sets_are_longer_and_no_farther_for_that(name: str) -> None:
    task = tasks.resolve(name).load()
    steps = task.problem.shape[0]
    assert len(task.validation) >= 200
    assert len(task.test) >= 200
    assert task.problem.lengths == tuple(far.rows.inputs.shape[1] for far in task.far)
    assert min(task.problem.lengths) >= 2 * steps
    for far in task.far:
        if task.problem.each_step:  # the steps after those of training are asked for, and none of them
            assert far.rows.targets.shape[1] == far.rows.inputs.shape[1] - steps
        if name != "trend-forecast":
            assert np.quantile(task.distance(far.rows.inputs), 0.95) < 1.05


@pytest.mark.parametrize("name", ["addition", "counting", "trend-forecast"])
def test_growing_truths_leave_the_training_range_and_bounded_ones_do_not(name: str) -> None:
    task = tasks.resolve(name).load()
    reach = [np.abs(far.rows.targets).max() / task.target_max for far in task.far]
    assert reach[1] > max(reach[0], 2.5)
    for bounded in ("adding-two", "copy-scale", "maximum"):
        still = tasks.resolve(bounded).load()
        assert all(np.abs(far.rows.targets).max() < 1.1 * still.target_max for far in still.far)


def test_draws_have_new_inputs_and_the_same_function() -> None:
    first, again, other = longer.addition(), longer.addition(draw=0), longer.addition(draw=1)
    np.testing.assert_array_equal(first.domain.inputs, again.domain.inputs)
    assert not np.intersect1d(first.domain.inputs[:, :, 0], other.domain.inputs[:, :, 0]).size
    numbers, marks = other.domain.inputs[:, :, 0], other.domain.inputs[:, :, 1]
    np.testing.assert_allclose(other.domain.targets, (numbers * marks).sum(axis=1))


def test_the_trend_is_the_one_of_the_paper() -> None:
    task = tasks.resolve("trend-forecast").load()
    line = task.to_raw(task.train.inputs)[:, :, 0]
    answers = task.target_to_raw(task.train.targets)
    np.testing.assert_allclose(answers[:, :-1], line[:, 1:], atol=1e-9)  # each position answers the next
    slope = line[:, 1] - line[:, 0]
    offset = line[:, 0] - slope  # f(0) = a, as the first position is 1
    for drawn in (slope, offset):
        assert abs(drawn.mean()) < 0.1
        assert drawn.std() == pytest.approx(1, abs=0.1)
    assert task.problem.causal


def rows(steps: int, answers: int | None = None, count: int = 60) -> Rows:
    inputs = np.random.default_rng(steps).normal(size=(count, steps, 1))
    return Rows(inputs, inputs[:, :, 0].sum(1) if answers is None else inputs[:, -answers:, 0])


@pytest.mark.parametrize(
    ("domain", "away", "message"),
    [
        (rows(5, 5), rows(9), "targets of shape"),
        (rows(5), rows(9, 4), "targets of shape"),
        (rows(5, 3), rows(9, 4), "3 targets for 5 steps"),
        (rows(5), Rows(np.zeros((60, 9, 2)), np.arange(60.0)), "another shape"),
    ],
)
def test_sets_that_do_not_fit_together_are_refused(domain: Rows, away: Rows, message: str) -> None:
    def made() -> None:
        raw = assemble(Samples(domain, (FarSet("away", away),)), "sequence", "made")
        standardize(raw, tasks.get_card("addition"), "made", "")

    with pytest.raises(InputError, match=message):
        made()


def test_targets_of_several_columns_are_for_sequences() -> None:
    with pytest.raises(InputError, match="one target a row"):
        Rows(np.zeros((4, 3)), np.zeros((4, 2)))
    with pytest.raises(InputError, match="one target a row"):
        Rows(np.zeros((4, 3, 1)), np.zeros((4, 4)))


def test_rows_of_other_lengths_are_compared_by_their_last_steps() -> None:
    raw = assemble(Samples(rows(5), (FarSet("long", rows(9)), FarSet("short", rows(2)))), "sequence", "made")
    task = standardize(raw, tasks.get_card("addition"), "made", "")
    assert task.problem.lengths == (2, 9)
    long, short = (task.comparable(far.rows).inputs for far in task.far)
    np.testing.assert_array_equal(long, task.far[0].rows.inputs[:, -5:])
    np.testing.assert_array_equal(short[:, :3], 0)
    np.testing.assert_array_equal(short[:, 3:], task.far[1].rows.inputs)
    assert len(tasks.how_far(task)) == 3
