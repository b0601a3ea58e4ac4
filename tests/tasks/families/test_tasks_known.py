import math

import numpy as np
import pytest

import tasks
from tasks.families.known import formulas
from tasks.families.known.functions import InstanceOptions

REFERENCE = {
    "sine-1d": math.sin,
    "linear-1d": float,
    "quadratic-1d": lambda x: x * x,
    "decay-1d": lambda x: math.exp(-abs(x)),
    "bump-1d": lambda x: math.exp(1 - 1 / (1 - (x / 4) ** 2)) if abs(x) < 4 else 0.0,
    "saturating-1d": math.tanh,
    "growing-wave-1d": lambda x: x * math.sin(x),
    "step-1d": lambda x: 0.0 if x < 0 else 1.0 if x > 0 else 0.5,
}
KNOWN = [name for name in tasks.list_tasks() if tasks.get_card(name).options is InstanceOptions]


@pytest.mark.parametrize("name", list(REFERENCE))
def test_truth_is_the_named_function(name: str) -> None:
    task = tasks.resolve(name).load()
    assert task.truth_function is not None
    points = np.linspace(-60, 60, 41)
    expected = [REFERENCE[name](x) for x in points]
    np.testing.assert_allclose(task.truth_function(points[:, None]), expected, rtol=1e-12, atol=1e-12)
    assert len(task.train) == 100


def test_formulas_of_several_dimensions() -> None:
    x = np.array([[3.0, -4.0, 0.5, 2.0, 1.0], [0.5, 1.0, 0.0, 0.0, 0.0]])
    assert formulas.total(x).tolist() == [2.5, 1.5]
    np.testing.assert_allclose(formulas.norm(x[:, :2]), [5, math.sqrt(1.25)])
    assert formulas.product(x).tolist() == [-12.0, 0.5]
    np.testing.assert_allclose(formulas.friedman1(x), [10 * math.sin(-12 * math.pi) + 25, 15])


def test_friedman_is_scikit_learns() -> None:
    from sklearn.datasets import make_friedman1

    x, y = make_friedman1(50, n_features=8, noise=0.0, random_state=0)
    np.testing.assert_allclose(formulas.friedman1(x), y)


@pytest.mark.parametrize("dimension", [2, 8, 64])
def test_teachers_grow_or_stay_bounded(dimension: int) -> None:
    direction = np.random.default_rng(0).normal(size=(500, dimension))
    bounded = [formulas.teacher_tanh(r * direction) for r in (1e3, 1e6)]
    assert np.abs(bounded[1]).max() < 32 * 4 * np.sqrt(2 / 32)  # 32 units of at most 1, weights within 4 deviations
    assert np.abs(bounded[1] - bounded[0]).mean() < 0.1 * np.abs(bounded[0]).mean()
    growing = [np.sqrt(np.mean(np.square(formulas.teacher_relu(r * direction)))) for r in (1e4, 1e5)]
    assert growing[1] / growing[0] == pytest.approx(10, rel=1e-3)


@pytest.mark.parametrize("name", KNOWN)
def test_truth_kind_is_what_the_shells_show(name: str) -> None:
    """Growing: the truth leaves its training range on every shell of some draw; bounded: nowhere by much."""
    draws = [tasks.resolve(name).load(draw) for draw in range(3)]
    task = draws[0]
    each = [[float(np.abs(far.rows.targets).max()) / task.target_max for far in task.far] for task in draws]
    reach = np.max(each, axis=0).tolist()
    if task.card.truth == "growing":
        assert 1.3 < reach[0] < reach[1] < reach[2]
    else:
        assert task.card.truth == "bounded"
        assert max(reach) < 2


@pytest.mark.parametrize("name", KNOWN)
def test_training_targets_carry_small_noise(name: str) -> None:
    task = tasks.resolve(name).load()
    assert task.truth_function is not None
    raw = task.to_raw(task.train.inputs)
    error = task.target_to_raw(task.train.targets) - task.truth_function(raw)
    assert 0.015 < error.std() / task.target_scale < 0.025
    for far in task.far:  # no side is preferred
        assert 0.4 < (far.rows.inputs[:, 0] > 0).mean() < 0.6


@pytest.mark.parametrize("name", ["sine-1d", "friedman1-8d", "teacher-tanh-2d"])
def test_instances_differ_and_repeat(name: str) -> None:
    loaded = [tasks.resolve(f"{name}(instance={k})").load() for k in range(4)]
    assert len({task.data_hash for task in loaded}) == 4
    points = loaded[0].to_raw(loaded[0].train.inputs)
    curves = [task.truth_function(points) for task in loaded]  # type: ignore[misc]
    for k in range(3):
        assert np.abs(curves[k] - curves[k + 1]).max() > 0.1 * curves[0].std()


@pytest.mark.parametrize("name", ["sine-1d", "friedman1-8d(instance=2)"])
def test_the_hash_alone_is_that_of_the_loaded_task(name: str) -> None:
    assert tasks.resolve(name).data_hash() == tasks.resolve(name).load().data_hash
