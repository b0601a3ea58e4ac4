"""How far rows are far, and what the truth does there: what cards say, held against the data."""

import dataclasses
from collections.abc import Callable

import numpy as np
import pytest

import tasks
from bench.core.seeding import generator
from bench.plan.suite import list_suites, load_suite
from tasks.card import FAR_SHARE
from tasks.data.samples import Rows, StandardizedTask
from tasks.families.sequences import computed
from tasks.families.sequences.computed import Span

NAMES = tasks.list_tasks()
FAR_AWAY = 100.0  # R
WITHIN = 3.0  # of the greatest training |z|: what a bounded truth stays within
BEYOND = 5.0  # and what a growing one exceeds
SMALL_SUITES = {"quick", "paper"}  # where few validation rows are no matter


def windows_of(simulate: computed.Simulate, least: float, most: float) -> Callable[[], Rows]:
    return lambda: computed.windows(simulate(generator("far truth"), Span("far", least, most, 50)), np.arange(50))


# computed sequences whose truth is a simulation: begun at about 100 R
SIMULATED: dict[str, Callable[[], Rows]] = {
    "trend-sequence": windows_of(computed.straight_lines, 3001, 3030),
    "damped-oscillator": windows_of(computed.damped, 1e4, 1e4),
    "driven-oscillator": windows_of(computed.driven, 1e7, 1e8),
    "lotka-volterra": windows_of(computed.populations, 100, 150),
}


@pytest.mark.parametrize("task_name", NAMES)
def test_the_card_says_what_share_of_far_rows_lies_beyond_the_radius(task: StandardizedTask) -> None:
    if not task.name.endswith("-features"):  # of those, few faces are here: test_ridge_on_all_faces has all
        assert task.card.beyond == pytest.approx(task.beyond, abs=0.01)
    by_set = [np.mean(task.distance(far.rows.inputs) > 1) for far in task.far]
    assert task.beyond == pytest.approx(np.average(by_set, weights=[len(far) for far in task.far]))


@pytest.mark.parametrize("task_name", NAMES)
def test_the_far_kind_is_what_the_data_show(task: StandardizedTask) -> None:
    kind = task.card.far_kind
    assert kind is not None
    if kind == "length":
        assert task.card.kind == "sequence"
        assert all(far.rows.inputs.shape[1] > task.train.inputs.shape[1] for far in task.far)
    else:
        assert kind == ("distance" if task.beyond >= FAR_SHARE else "shift")
        silent = dataclasses.replace(task, card=dataclasses.replace(task.card, far_kind=None))
        assert silent.far_kind == kind, "a card that does not say it takes it from the data"


@pytest.mark.parametrize("task_name", [name for name in NAMES if not tasks.get_card(name).real])
def test_the_kind_of_truth_is_what_it_does_at_100_radii(task: StandardizedTask) -> None:
    assert task.card.truth != "unknown", "a computed truth is known"
    far_away = at_100_radii(task)
    reached = (most_on_far_sets(task) if far_away is None else far_away) / task.target_max
    if task.card.truth == "bounded":
        assert reached < WITHIN
    else:
        assert reached > (1 if far_away is None else BEYOND)


def most_on_far_sets(task: StandardizedTask) -> float:
    """The greatest |z|."""
    return max(float(np.abs(far.rows.targets).max()) for far in task.far)


def at_100_radii(task: StandardizedTask) -> float | None:
    """The greatest |z| of the truth there; ``None`` where there is neither a formula nor a simulation."""
    if task.truth_function is not None:
        draw = generator("far truth", task.name)
        lines = draw.standard_normal((500, *task.problem.shape))
        size = np.linalg.norm(lines.reshape(500, -1), axis=1).reshape(-1, *[1] * len(task.problem.shape))
        size /= np.sqrt(task.problem.size) if task.card.kind == "sequence" else 1
        radii = draw.uniform(0.9, 1.1, size.shape) * FAR_AWAY * task.radius
        raw = task.truth_function(task.to_raw(lines / size * radii))
    elif task.name in SIMULATED:
        raw = SIMULATED[task.name]().targets
    else:
        return None
    return float(np.abs((raw - task.target_mean) / task.target_scale).max())


@pytest.mark.parametrize("task_name", [name for name in NAMES if tasks.get_card(name).real])
def test_growing_real_targets_leave_the_training_range(task: StandardizedTask) -> None:
    reached = most_on_far_sets(task) / task.target_max
    if task.card.truth == "growing":
        assert reached > 1
    elif task.card.truth == "bounded":
        assert reached < 3.5, "as angles that are three times those in training"


def tasks_of_large_suites() -> list[str]:
    suites = [load_suite(name) for name in list_suites() if name not in SMALL_SUITES]
    return sorted({cell.task for suite in suites for cell in suite.cells()})


@pytest.mark.parametrize("task_name", tasks_of_large_suites())
def test_suites_that_select_hold_tasks_with_enough_validation_rows(task: StandardizedTask) -> None:
    """Fewer choose a learning rate by chance."""
    assert len(task.validation) >= (100 if task.card.real else 200)
