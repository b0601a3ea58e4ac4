"""Baselines that fit themselves."""

from __future__ import annotations

import numpy as np
import pytest

from architectures import parse_scheme, resolve
from architectures.building import build_estimator
from architectures.estimators.estimator import Array, Estimator
from bench.core.problem import Problem


def estimator(name: str, problem: Problem) -> Estimator:
    return build_estimator(resolve(name), parse_scheme("none"), problem)


def lines(seed: int, count: int, start: int) -> tuple[Array, Array]:
    """Windows of a + b i, standardized the way sequences and targets are: each by its own numbers."""
    generator = np.random.default_rng(seed)
    a, b = generator.normal(size=(2, count, 1))
    steps = start + np.arange(11)
    windows = a + b * steps
    return (windows[:, :10, None] - 3.0) / 7.0, (windows[:, 10] + 1.0) / 5.0


def test_the_mean_answers_with_the_mean() -> None:
    mean = estimator("mean", Problem("image", (1, 2, 2)))
    mean.fit(np.zeros((4, 1, 2, 2)), np.array([1.0, 2.0, 3.0, 6.0]), np.zeros((1, 1, 2, 2)), np.zeros(1))
    assert mean.predict(np.ones((3, 1, 2, 2))).tolist() == [3.0, 3.0, 3.0]


def test_linear_extrapolation_is_exact_on_lines_however_far() -> None:
    baseline = estimator("linear-extrapolation", Problem("sequence", (10, 1)))
    baseline.fit(*lines(0, 200, 1), *lines(1, 20, 1))
    inputs, targets = lines(2, 100, 90)
    np.testing.assert_allclose(baseline.predict(inputs), targets, atol=1e-9)


def test_last_value_repeats_the_last_step() -> None:
    generator = np.random.default_rng(0)
    series = generator.normal(size=(500, 10)).cumsum(1)
    inputs, targets = (series[:, :, None] - 2.0) / 3.0, (series[:, -1] - 1.0) / 4.0
    baseline = estimator("last-value", Problem("sequence", (10, 1)))
    baseline.fit(inputs, targets, inputs, targets)
    np.testing.assert_allclose(baseline.predict(10 * inputs), (3.0 * 10 * inputs[:, -1, 0] + 1.0) / 4.0)


def test_ridge_chooses_its_strength_on_the_validation_rows() -> None:
    generator = np.random.default_rng(0)
    weights = generator.normal(size=30)
    inputs = generator.normal(size=(40, 30))
    clean = generator.normal(size=(400, 30))
    problem = Problem("features", (30,))
    strengths = []
    for noise in (0.01, 30.0):
        ridge = estimator("ridge", problem)
        ridge.fit(inputs, inputs @ weights + noise * generator.normal(size=40), clean, clean @ weights)
        strengths.append(ridge.strength)  # type: ignore[attr-defined]
        design = np.column_stack([inputs, np.ones(40)])
        assert ridge.predict(clean).shape == (400,)
        assert design.shape == (40, 31)
    assert strengths[0] < 1 < strengths[1]


def test_ridge_is_the_closed_form() -> None:
    generator = np.random.default_rng(1)
    inputs, targets = generator.normal(size=(50, 4, 2)), generator.normal(size=50)
    ridge = estimator("ridge", Problem("sequence", (4, 2)))
    ridge.fit(inputs, targets, inputs, targets)
    x = inputs.reshape(50, -1)
    centred, strength = x - x.mean(0), ridge.strength  # type: ignore[attr-defined]
    weights = np.linalg.solve(centred.T @ centred + strength * np.eye(8), centred.T @ (targets - targets.mean()))
    np.testing.assert_allclose(ridge.predict(inputs), (x - x.mean(0)) @ weights + targets.mean(), atol=1e-10)


def test_the_target_is_never_read_from_the_test_inputs() -> None:
    """Predictions of one row do not depend on the other rows asked for."""
    for name in ("mean", "ridge", "last-value", "linear-extrapolation"):
        baseline = estimator(name, Problem("sequence", (10, 1)))
        baseline.fit(*lines(0, 50, 1), *lines(1, 20, 1))
        inputs, _ = lines(2, 20, 5)
        np.testing.assert_allclose(baseline.predict(inputs)[3:4], baseline.predict(inputs[3:4]), rtol=1e-12)


@pytest.mark.parametrize("name", ["mean", "ridge"])
def test_estimators_read_every_kind(name: str) -> None:
    for problem in (Problem("features", (3,)), Problem("image", (2, 4, 4)), Problem("sequence", (5, 1))):
        inputs = np.random.default_rng(0).normal(size=(20, *problem.shape)).astype(np.float32)
        baseline = estimator(name, problem)
        baseline.fit(inputs, inputs.reshape(20, -1)[:, 0].astype(np.float64), inputs, np.zeros(20))
        assert baseline.predict(inputs).shape == (20,)
        assert baseline.predict(inputs).dtype == np.float64
