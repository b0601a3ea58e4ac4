"""What must hold for every task that can be loaded here."""

import itertools

import numpy as np
import pytest

import tasks
from tasks.data import geometry
from tasks.data.samples import StandardizedTask
from tasks.families.known.functions import InstanceOptions

NAMES = tasks.list_tasks()


def all_sets(task: StandardizedTask) -> dict[str, tasks.Rows]:
    inside = {"train": task.train, "validation": task.validation, "test": task.test}
    return inside | {far.name: far.rows for far in task.far}


@pytest.mark.parametrize("task_name", NAMES)
def test_sets_share_no_row(task: StandardizedTask) -> None:
    seen = {name: {row.tobytes() for row in task.to_raw(rows.inputs)} for name, rows in all_sets(task).items()}
    for (first, mine), (second, theirs) in itertools.combinations(seen.items(), 2):
        assert not mine & theirs, (first, second)


@pytest.mark.parametrize("task_name", NAMES)
def test_sets_share_no_source(task: StandardizedTask) -> None:
    sources = {name: set(rows.groups) for name, rows in all_sets(task).items() if rows.groups is not None}
    for (first, mine), (second, theirs) in itertools.combinations(sources.items(), 2):
        inside = {"train", "validation", "test"}
        assert not mine & theirs or not inside & {first, second}, (first, second)


@pytest.mark.parametrize("task_name", NAMES)
def test_training_rows_are_standardized(task: StandardizedTask) -> None:
    inputs, targets = task.train.inputs.astype(np.float64), task.train.targets
    axes = {"features": 0, "image": (0, 2, 3), "sequence": (0, 1)}[task.card.kind]
    tolerance = 1e-4 if task.card.kind == "image" else 1e-9
    np.testing.assert_allclose(inputs.mean(axis=axes), 0, atol=tolerance)
    deviation = inputs.std(axis=axes)
    assert (np.isclose(deviation, 1, atol=tolerance) | (deviation == 0)).all()
    np.testing.assert_allclose([targets.mean(), targets.std()], [0, 1], atol=1e-9)
    assert task.target_max == np.abs(targets).max()
    assert task.problem.target_range == (targets.min(), targets.max())
    assert task.problem.shape == task.train.inputs.shape[1:]


@pytest.mark.parametrize("task_name", NAMES)
def test_radius_holds_99_percent(task: StandardizedTask) -> None:
    flat = task.train.inputs.reshape(len(task.train), -1).astype(np.float64)
    norms = np.linalg.norm(flat, axis=1) / (np.sqrt(flat.shape[1]) if task.card.kind == "sequence" else 1)
    assert task.radius == pytest.approx(np.percentile(norms, 99), rel=1e-6)
    np.testing.assert_allclose(task.distance(task.train.inputs), norms / task.radius, rtol=1e-5)


@pytest.mark.parametrize("task_name", NAMES)
def test_a_tenth_is_held_out_twice(task: StandardizedTask) -> None:
    if not task.card.real and len(task.validation) == len(task.test) >= 200:  # they may stand beside the training rows
        return
    assert task.truth_function is None
    total = len(task.train) + len(task.validation) + len(task.test)
    for rows in (task.validation, task.test):
        assert len(rows) / total == pytest.approx(0.1, abs=0.025)


@pytest.mark.parametrize("task_name", NAMES)
def test_raw_and_standardized_agree(task: StandardizedTask) -> None:
    raw = task.to_raw(task.test.inputs)
    np.testing.assert_allclose(task.from_raw(raw), task.test.inputs, atol=1e-4)
    targets = task.target_to_raw(task.train.targets)
    assert targets.mean() == pytest.approx(task.target_mean)
    assert targets.std() == pytest.approx(task.target_scale)


@pytest.mark.parametrize("task_name", NAMES)
def test_loading_again_gives_the_same(task: StandardizedTask, forget: None) -> None:
    again = tasks.resolve(task.name).load()
    assert again is not task
    assert again.data_hash == task.data_hash
    for name, rows in all_sets(again).items():
        np.testing.assert_array_equal(rows.inputs, all_sets(task)[name].inputs)
        np.testing.assert_array_equal(rows.targets, all_sets(task)[name].targets)


@pytest.mark.parametrize("task_name", [n for n in NAMES if tasks.get_card(n).options is InstanceOptions])
def test_known_functions_are_labelled_on_their_shells(task: StandardizedTask) -> None:
    assert task.truth_function is not None
    for far, (inner, outer) in zip(task.far, ((1, 2), (2, 5), (5, 10)), strict=True):
        reach = task.distance(far.rows.inputs)
        assert reach.min() > inner * (1 - 1e-12)
        assert reach.max() <= outer * (1 + 1e-12)
        assert inner < (far.centre or 0) < outer
        truth = task.truth_function(task.to_raw(far.rows.inputs))
        np.testing.assert_allclose(task.target_to_raw(far.rows.targets), truth, rtol=1e-7, atol=1e-9)


@pytest.mark.parametrize("task_name", NAMES)
def test_distance_quantiles_are_ordered(task: StandardizedTask) -> None:
    for far in task.far:
        low, middle, high = geometry.distance_quantiles(far.rows.inputs, task.card.kind, task.radius)
        assert 0 < low <= middle <= high
