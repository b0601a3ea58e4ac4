"""Baselines that follow growing and repeating truths: Gaussian processes with more covariances, trees with lines."""

from __future__ import annotations

import sys
from typing import Any

import numpy as np
import pytest

from architectures import parse_scheme, resolve
from architectures.building import build_estimator
from architectures.contract.examination import examine
from architectures.description import predict
from architectures.estimators.estimator import Array
from bench.core.errors import InputError
from bench.core.problem import Problem

KERNELS = ("rbf", "rbf+linear", "rbf+periodic", "rbf+linear+periodic")


def estimator(spelling: str, dimension: int) -> Any:
    if spelling.startswith("linear-trees"):
        pytest.importorskip("lightgbm", reason="the extra farfield[lightgbm] is not installed")
    return build_estimator(resolve(spelling), parse_scheme("none"), Problem("features", (dimension,)))


def fitted(spelling: str, inputs: Array, targets: Array) -> Any:
    model = estimator(spelling, inputs.shape[1])
    model.fit(inputs, targets, inputs, targets)
    return model


def points(count: int, dimension: int, seed: int = 0) -> Array:
    return np.random.default_rng(seed).uniform(-1.7, 1.7, (count, dimension))


def noisy(targets: Array) -> Array:
    return targets + 0.02 * np.random.default_rng(9).normal(size=len(targets))


def slope(model: Any, dimension: int) -> float:
    """Of log |answer| against log r from 1e6 to 1e8, over 64 directions."""
    directions = np.random.default_rng(3).normal(size=(64, dimension))
    near, far = (np.abs(model.predict(r * directions)).max() for r in (1e6, 1e8))
    return float(np.log(max(far, 1e-6) / max(near, 1e-6)) / np.log(100))


@pytest.mark.parametrize("dimension", [1, 3])
@pytest.mark.parametrize("spelling", [f"gaussian-process(kernel={kernel})" for kernel in KERNELS] + ["linear-trees"])
def test_they_grow_as_predicted(spelling: str, dimension: int) -> None:
    inputs = points(150, dimension)
    model = fitted(spelling, inputs, noisy(np.sin(3 * inputs[:, 0]) + inputs[:, -1]))
    predicted = predict(resolve(spelling), parse_scheme("none"), Problem("features", (dimension,))).exponent
    assert predicted == int("linear" in spelling)
    assert slope(model, dimension) == pytest.approx(predicted, abs=0.01)


@pytest.mark.parametrize("kernel", ["rbf+linear", *(pytest.param(k, marks=pytest.mark.slow) for k in KERNELS[2:])])
def test_other_kernels_keep_the_contract(kernel: str) -> None:
    assert examine(resolve(f"gaussian-process(kernel={kernel})")).failures == ()


def test_a_line_and_a_wave_are_followed_far_away() -> None:
    inputs, far = points(100, 1), np.linspace(5, 1000, 50)[:, None]
    line = fitted("gaussian-process(kernel=rbf+linear)", inputs, noisy(2 * inputs[:, 0] - 1))
    np.testing.assert_allclose(line.predict(far), 2 * far[:, 0] - 1, rtol=0.02)
    wave = fitted("gaussian-process(kernel=rbf+periodic)", inputs, noisy(np.sin(4 * inputs[:, 0])))
    near = np.linspace(2, 12, 50)
    np.testing.assert_allclose(wave.predict(near[:, None]), np.sin(4 * near), atol=0.15)
    both = fitted(
        "gaussian-process(kernel=rbf+linear+periodic)", inputs, noisy(inputs[:, 0] + np.sin(4 * inputs[:, 0]))
    )
    np.testing.assert_allclose(both.predict(near[:, None]), near + np.sin(4 * near), atol=0.3)
    trees = fitted("linear-trees(ridge=0)", points(800, 1), noisy(2 * points(800, 1)[:, 0] - 1))
    np.testing.assert_allclose(trees.predict(far), 2 * far[:, 0] - 1, rtol=0.05)
    assert np.abs(fitted("gaussian-process", inputs, noisy(2 * inputs[:, 0] - 1)).predict(far)[-1]) < 1e-9


def test_a_linear_part_is_the_posterior_mean_in_closed_form() -> None:
    inputs, queries = points(80, 3), 10 * points(20, 3, seed=1)
    targets = noisy(inputs[:, 0] + np.sin(2 * inputs[:, 1]))
    model = fitted("gaussian-process(kernel=rbf+linear)", inputs, targets)
    numbers = model._regression.kernel_.get_params()
    c, length = numbers["k1__k1__k1__constant_value"], numbers["k1__k1__k2__length_scale"]
    a, noise = numbers["k1__k2__k1__constant_value"], numbers["k2__noise_level"]

    def covariance(u: Array, v: Array) -> Array:
        return c * np.exp(-((u[:, None] - v[None]) ** 2).sum(-1) / (2 * length**2)) + a * (1 + u @ v.T)

    solved = np.linalg.solve(covariance(inputs, inputs) + noise * np.eye(80), targets)
    np.testing.assert_allclose(model.predict(queries), covariance(queries, inputs) @ solved, atol=1e-5)


def test_more_parts_are_never_less_likely() -> None:
    inputs = points(100, 2)
    targets = noisy(inputs[:, 0] + np.sin(4 * inputs[:, 1]))
    found = {}
    for kernel in KERNELS:
        model = fitted(f"gaussian-process(kernel={kernel})", inputs, targets)
        found[kernel] = model._regression.log_marginal_likelihood_value_
    assert found["rbf+linear"] > found["rbf"]
    assert found["rbf+periodic"] > found["rbf"]
    assert found["rbf+linear+periodic"] > max(found["rbf+linear"], found["rbf+periodic"]) - 1e-3


def test_the_periodic_kernel_is_scikit_learns_in_one_dimension_and_positive_in_several() -> None:
    from sklearn.gaussian_process.kernels import ExpSineSquared

    from architectures.estimators.covariance.kernels import Periodic

    line, space = points(30, 1), points(30, 4)
    for mine, theirs in zip(
        Periodic(0.8, 1.7)(line, eval_gradient=True), ExpSineSquared(0.8, 1.7)(line, eval_gradient=True), strict=True
    ):
        np.testing.assert_allclose(mine, theirs, atol=1e-10)
    kernel = Periodic(0.8, 1.7)
    matrix, gradient = kernel(space, eval_gradient=True)
    apart = np.sin(np.pi * (space[:, None] - space[None]) / 1.7) ** 2
    np.testing.assert_allclose(matrix, np.exp(-2 * apart.sum(-1) / 0.8**2), atol=1e-12)
    np.testing.assert_allclose(kernel(space, space[:5]), matrix[:, :5], atol=1e-12)
    np.testing.assert_array_equal(kernel.diag(space), np.diag(matrix))
    assert np.linalg.eigvalsh(matrix).min() > -1e-12 > np.linalg.eigvalsh(ExpSineSquared(0.8, 1.7)(space)).min()
    step = 1e-5
    for place, moved in enumerate(step * np.eye(2)):
        ahead, behind = (kernel.clone_with_theta(kernel.theta + sign * moved)(space) for sign in (1, -1))
        np.testing.assert_allclose(gradient[..., place], (ahead - behind) / (2 * step), atol=1e-6)


def test_trees_are_the_sum_of_the_lines_in_their_leaves() -> None:
    """LightGBM's own text of the model, evaluated by hand."""
    inputs = points(400, 3)
    model = fitted("linear-trees(rounds=5, leaves=4)", inputs, noisy(inputs[:, 0] * inputs[:, 1]))
    trees = model._booster.dump_model(num_iteration=model.rounds)["tree_info"]

    def answer(node: dict[str, Any], row: Array) -> float:
        while "split_feature" in node:
            node = node["left_child" if row[node["split_feature"]] <= node["threshold"] else "right_child"]
        slopes = zip(node.get("leaf_features", []), node.get("leaf_coeff", []), strict=True)
        return float(node.get("leaf_const", node["leaf_value"]) + sum(w * row[i] for i, w in slopes))

    queries = 3 * points(50, 3, seed=1)
    expected = [sum(answer(tree["tree_structure"], row) for tree in trees) for row in queries]
    np.testing.assert_allclose(model.predict(queries), expected, rtol=1e-9, atol=1e-12)
    assert len(trees) == model.rounds == 5


def test_linear_trees_stop_where_validation_says() -> None:
    inputs, clean = points(200, 3), points(200, 3, seed=1)
    loud = inputs[:, 0] + 2 * np.random.default_rng(2).normal(size=200)
    model = estimator("linear-trees(rounds=60)", 3)
    model.fit(inputs, loud, clean, clean[:, 0])
    assert 1 <= model.rounds < 60
    shorter = estimator(f"linear-trees(rounds={model.rounds})", 3)
    shorter.fit(inputs, loud, clean, clean[:, 0])
    np.testing.assert_array_equal(model.predict(clean), shorter.predict(clean))


def test_validation_rows_choose_the_penalty_of_linear_trees() -> None:
    """Of the same training rows: who is asked for their noise again wants steep slopes, for the mean alone none."""
    inputs, clean = points(200, 3), points(200, 3, seed=1)
    loud = inputs[:, 0] + np.random.default_rng(2).normal(size=200)
    chosen = []
    for asked, wanted in ((inputs, loud), (clean, np.zeros(200))):
        model = estimator("linear-trees(rounds=100)", 3)
        model.fit(inputs, loud, asked, wanted)
        chosen.append(model.ridge)
        errors = {}
        for ridge in type(model).strengths:
            given = estimator(f"linear-trees(rounds=100, ridge={ridge})", 3)
            given.fit(inputs, loud, asked, wanted)
            errors[ridge] = np.mean((given.predict(asked) - wanted) ** 2)
            if ridge == model.ridge:
                np.testing.assert_array_equal(given.predict(10 * clean), model.predict(10 * clean))
        assert errors[model.ridge] == min(errors.values())
    assert chosen[0] < 1 < chosen[1]


def test_lightgbm_that_is_not_installed_says_how_to_install_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "lightgbm", None)  # what import meets where the package is missing
    with pytest.raises(InputError, match=r"pip install 'farfield\[lightgbm\]'"):
        build_estimator(resolve("linear-trees"), parse_scheme("none"), Problem("features", (3,)))


@pytest.mark.parametrize(
    ("spelling", "words"),
    [
        ("linear-trees(leaves=1)", "at least 2"),
        ("linear-trees(ridge=-1)", "at least 0"),
        ("linear-trees(learning_rate=0)", "positive"),
        ("gaussian-process(kernel=linear)", "rbf\\+linear"),
    ],
)
def test_senseless_options_are_refused(spelling: str, words: str) -> None:
    with pytest.raises(InputError, match=words):
        resolve(spelling)
