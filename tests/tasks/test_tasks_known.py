import math

import numpy as np
import pytest

import tasks

REFERENCE = {"sine-1d": math.sin, "linear-1d": float, "quadratic-1d": lambda x: x * x}


@pytest.mark.parametrize("name", REFERENCE)
def test_truth_is_the_named_function(name: str) -> None:
    task = tasks.resolve(name).load()
    assert task.truth_function is not None
    points = np.linspace(-60, 60, 41)
    expected = [REFERENCE[name](x) for x in points]
    np.testing.assert_allclose(task.truth_function(points[:, None]), expected, rtol=1e-12, atol=1e-12)


@pytest.mark.parametrize("name", REFERENCE)
def test_training_targets_carry_small_noise(name: str) -> None:
    task = tasks.resolve(name).load()
    assert task.truth_function is not None
    assert len(task.train) == 100
    raw = task.to_raw(task.train.inputs)
    assert np.abs(raw).max() <= 5 + 1e-12
    error = task.target_to_raw(task.train.targets) - task.truth_function(raw)
    assert 0.01 < error.std() / task.target_scale < 0.03
    for far in task.far:  # both sides of a line
        assert 0.4 < (far.rows.inputs > 0).mean() < 0.6


def test_instances_differ_and_repeat() -> None:
    hashes = {tasks.resolve(f"sine-1d(instance={k})").load().data_hash for k in range(4)}
    assert len(hashes) == 4
    points = np.linspace(-5, 5, 50)[:, None]
    curves = [tasks.resolve(f"sine-1d(instance={k})").load().truth_function for k in (1, 2)]
    assert np.abs(curves[0](points) - curves[1](points)).max() > 0.1  # type: ignore[misc]
