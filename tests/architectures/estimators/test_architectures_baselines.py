"""Classical regressors: against formulas written out, on choices they make, and far away."""

from __future__ import annotations

import subprocess
import sys

import numpy as np
import pytest

from architectures import parse_scheme, resolve
from architectures.building import build_estimator
from architectures.estimators.estimator import Array
from bench.core.errors import InputError
from bench.core.problem import Problem

NAMES = ["knn", "boosted-trees", "gaussian-process", "xgboost"]
FEATURES = Problem("features", (3,))


def estimator(spelling: str, problem: Problem = FEATURES):  # type: ignore[no-untyped-def]
    if spelling.startswith("xgboost"):
        pytest.importorskip("xgboost", reason="the extra farfield[xgboost] is not installed")
    return build_estimator(resolve(spelling), parse_scheme("none"), problem)


def rows(count: int, seed: int, noise: float = 0.1) -> tuple[Array, Array]:
    draw = np.random.default_rng(seed)
    inputs = draw.normal(size=(count, 3))
    return inputs, np.sin(2 * inputs[:, 0]) + inputs[:, 1] * inputs[:, 2] + noise * draw.normal(size=count)


@pytest.mark.parametrize("name", NAMES)
def test_it_learns_and_stays_bounded_far_away(name: str) -> None:
    model = estimator(name)
    train, validation, test = rows(600, 0), rows(100, 1), rows(200, 2)
    model.fit(*train, *validation)
    answer = model.predict(test[0])
    assert answer.shape == (200,)
    assert answer.dtype == np.float64
    assert np.mean((answer - test[1]) ** 2) < 0.3 * np.var(test[1])
    far = model.predict(1e6 * test[0])
    assert np.all(np.abs(far) <= np.abs(train[1]).max() * 1.5)


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("problem", [Problem("image", (2, 4, 4)), Problem("sequence", (5, 2))], ids=str)
def test_it_reads_images_and_sequences_and_repeats_itself(name: str, problem: Problem) -> None:
    draw = np.random.default_rng(0)
    inputs = draw.normal(size=(60, *problem.shape)).astype(np.float32)
    targets = inputs.reshape(60, -1)[:, 0].astype(np.float64)
    answers = []
    for _ in range(2):
        model = estimator(name, problem)
        model.fit(inputs[:50], targets[:50], inputs[50:], targets[50:])
        answers.append(model.predict(inputs))
    assert answers[0].shape == (60,)
    np.testing.assert_array_equal(answers[0], answers[1])


def test_neighbours_are_the_mean_of_the_nearest() -> None:
    inputs, targets = rows(50, 0)
    model = estimator("knn(neighbours=3)")
    model.fit(inputs, targets, inputs, targets)
    queries = rows(10, 1)[0]
    distances = np.linalg.norm(queries[:, None] - inputs[None], axis=-1)
    expected = targets[np.argsort(distances, axis=1)[:, :3]].mean(1)
    np.testing.assert_allclose(model.predict(queries), expected)


def test_neighbours_are_chosen_by_validation_error() -> None:
    noisy, clean = rows(400, 0, noise=3.0), rows(200, 1, noise=0.0)
    model = estimator("knn")
    model.fit(*noisy, *clean)
    assert model.neighbours > 1
    exact = rows(400, 0, noise=0.0)
    model.fit(*exact, *exact)
    assert model.neighbours == 1
    model.fit(*(part[:2] for part in exact), *clean)  # fewer rows than most of the choices
    assert model.neighbours <= 2


def test_trees_stop_where_validation_says() -> None:
    noisy, clean = rows(200, 0, noise=2.0), rows(200, 1, noise=0.0)
    model = estimator("boosted-trees(rounds=60)")
    model.fit(*noisy, *clean)
    assert 1 <= model.rounds < 60
    shorter = estimator(f"boosted-trees(rounds={model.rounds})")
    shorter.fit(*noisy, *clean)
    np.testing.assert_allclose(model.predict(clean[0]), shorter.predict(clean[0]))


def test_the_gaussian_process_is_the_posterior_mean() -> None:
    inputs, targets = rows(80, 0)
    queries = rows(20, 1)[0]
    model = estimator("gaussian-process")
    model.fit(inputs, targets, inputs, targets)
    kernel = model._regression.kernel_
    variance, length, noise = kernel.k1.k1.constant_value, kernel.k1.k2.length_scale, kernel.k2.noise_level

    def covariance(a: Array, b: Array) -> Array:
        return variance * np.exp(-((a[:, None] - b[None]) ** 2).sum(-1) / (2 * length**2))

    solved = np.linalg.solve(covariance(inputs, inputs) + noise * np.eye(80), targets)
    np.testing.assert_allclose(model.predict(queries), covariance(queries, inputs) @ solved, atol=1e-6)
    np.testing.assert_allclose(model.predict(1e3 * np.ones((1, 3))), 0.0, atol=1e-12)


def test_the_gaussian_process_copes_with_many_rows() -> None:
    train, validation = rows(36_000, 0), rows(10, 1)
    model = estimator("gaussian-process(rows=600)")
    model.fit(*train, *validation)
    assert model.rows == 600
    same, other = estimator("gaussian-process(rows=600)"), estimator("gaussian-process(rows=600, subset=1)")
    same.fit(*train, *validation)
    other.fit(*train, *validation)
    answers = [m.predict(validation[0]) for m in (model, same, other)]
    np.testing.assert_array_equal(answers[0], answers[1])
    assert not np.allclose(answers[0], answers[2])


def test_xgboost_that_is_not_installed_says_how_to_install_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "xgboost", None)  # what import meets where the package is missing
    with pytest.raises(InputError, match=r"pip install 'farfield\[xgboost\]'"):
        build_estimator(resolve("xgboost"), parse_scheme("none"), FEATURES)


@pytest.mark.parametrize(
    "spelling", ["knn(neighbours=0)", "boosted-trees(leaves=1)", "gaussian-process(rows=0)", "xgboost(rounds=-1)"]
)
def test_senseless_options_are_refused(spelling: str) -> None:
    with pytest.raises(InputError, match="must be at least"):
        resolve(spelling)


def test_listing_them_loads_no_heavy_package() -> None:
    code = (
        "import sys, architectures; architectures.resolve('gaussian-process(rows=10)');"
        "sys.exit(bool({'torch', 'sklearn', 'scipy', 'xgboost', 'timm', 'pandas'} & set(sys.modules)))"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
