"""Regression against formulas written out; bounds that hold; how diagonal, mean and variance grow."""

from __future__ import annotations

import math

import numpy as np
import pytest

from architectures.kernels import bounds, diagonal_exponent, growth, kernel, regress, supremum, tight_bound
from architectures.kernels.activations import steepness
from architectures.kernels.angles import Array
from architectures.kernels.factor import factorize
from architectures.kernels.infinite import ACTIVATIONS, Kernel, KernelName
from bench.core.errors import FarFieldError, InputError, Unsupported

NAMES: tuple[KernelName, ...] = ("ntk", "nngp")
PLACES = ("input", "first", "2", "last", "all", "hidden1.post", "hidden2.post", "hidden3.post")


def rows(count: int, seed: int = 0) -> tuple[Array, Array]:
    draw = np.random.default_rng(seed)
    inputs = draw.normal(size=(count, 4))
    return inputs, np.sin(2 * inputs[:, 0]) + inputs[:, 1] * inputs[:, 2]


def rays(count: int = 12) -> Array:
    return np.random.default_rng(5).normal(size=(count, 4))


@pytest.mark.parametrize("norm", ["none", "layer@first"])
def test_the_ntk_gives_mean_and_variance_of_trained_networks(norm: str) -> None:
    (x, y), queries = rows(60), rows(9, 1)[0]
    k = kernel(norm=norm)
    regression = regress(k, x, y, jitter=1e-6)
    theta = k.ntk(x) + regression.jitter * np.eye(60)
    assert regression.jitter == pytest.approx(1e-6 * np.mean(k.ntk_diag(x)))
    shares = k.ntk(queries, x) @ np.linalg.inv(theta)
    np.testing.assert_allclose(regression.mean(queries), shares @ y, atol=1e-8)
    covariance = k.nngp(queries) - shares @ k.nngp(x, queries) - k.nngp(queries, x) @ shares.T
    covariance += shares @ k.nngp(x) @ shares.T
    np.testing.assert_allclose(regression.variance(queries), np.diag(covariance), atol=1e-8)
    np.testing.assert_allclose(regression.mean(x), y, atol=1e-3)
    assert regression.variance(x).max() < 1e-6


@pytest.mark.parametrize("norm", ["none", "rms@last"])
def test_the_nngp_is_a_gaussian_process(norm: str) -> None:
    from sklearn.gaussian_process import GaussianProcessRegressor
    from sklearn.gaussian_process.kernels import Kernel as Base

    k = kernel(norm=norm, activation="erf")

    class Ours(Base):  # type: ignore[misc]
        def __init__(self) -> None:
            pass

        def __call__(self, x: Array, y: Array | None = None, eval_gradient: bool = False) -> Array:
            return k.nngp(x, y)

        def diag(self, x: Array) -> Array:
            return k.nngp_diag(x)

        def is_stationary(self) -> bool:
            return False

    (x, y), queries = rows(60), rows(9, 1)[0]
    ours = regress(k, x, y, "nngp", jitter=1e-4)
    theirs = GaussianProcessRegressor(Ours(), alpha=ours.jitter, optimizer=None).fit(x, y)
    mean, deviation = theirs.predict(queries, return_std=True)
    np.testing.assert_allclose(ours.mean(queries), mean, atol=1e-8)
    np.testing.assert_allclose(ours.variance(queries), deviation**2, atol=1e-8)


def test_many_queries_are_answered_in_pieces() -> None:
    (x, y), queries = rows(40), rows(1100, 1)[0]
    regression = regress(kernel(), x, y)
    np.testing.assert_allclose(regression.mean(queries)[:3], regression.mean(queries[:3]), atol=1e-10)
    assert regression.variance(queries).shape == (1100,)
    assert regression.mean(queries[:0]).shape == (0,)


def test_cholesky_in_blocks_is_cholesky() -> None:
    draw = np.random.default_rng(0)
    square = draw.normal(size=(1300, 1300))
    matrix = square @ square.T + np.eye(1300)
    heard: list[float] = []
    factor = factorize(matrix.copy(), heard.append)
    np.testing.assert_allclose(np.tril(factor.lower), np.linalg.cholesky(matrix), atol=1e-9)
    assert heard == sorted(heard)
    assert heard[-1] == 1
    right = draw.normal(size=(1300, 3))
    np.testing.assert_allclose(matrix @ factor.solve(right), right, atol=1e-6)
    least = np.linalg.eigvalsh(matrix)[0]
    assert least * (1 - 1e-3) < factor.least_eigenvalue(0.0) <= least * (1 + 1e-9)
    assert factorize(np.diag([4.0, 1.0, 9.0])).least_eigenvalue(0.0) == pytest.approx(1)


def test_where_the_least_eigenvalue_is_the_jitter_many_times_over_the_jitter_is_the_answer() -> None:
    matrix = np.diag(np.r_[np.full(400, 1e-8), np.arange(1.0, 101)])
    assert 0 < factorize(matrix).least_eigenvalue(1e-8) <= 1e-8 * (1 + 1e-9)


def test_a_matrix_that_is_not_positive_definite_is_named() -> None:
    with pytest.raises(FarFieldError, match="larger jitter"):
        factorize(np.array([[1.0, 2.0], [2.0, 1.0]]))


def test_progress_is_heard_from_start_to_end() -> None:
    heard: list[float] = []
    regress(kernel(), *rows(700), progress=heard.append)
    assert heard == sorted(heard)
    assert 0 < heard[0] < 0.5
    assert heard[-1] == 1


def test_rows_beyond_ten_thousand_are_unsupported_and_bad_ones_refused() -> None:
    x, y = rows(5)
    with pytest.raises(Unsupported, match=r"at most 10,000 training rows, not 10,001: its matrix takes rows² memory"):
        regress(kernel(), np.zeros((10_001, 1)), np.zeros(10_001))
    for inputs, targets, text in (
        (x, y[:4], "for 5 rows"),
        (x, np.r_[y[:4], np.inf], "not finite"),
        (x[:0], y[:0], "no rows"),
    ):
        with pytest.raises(InputError, match=text):
            regress(kernel(), inputs, targets)
    with pytest.raises(InputError, match="jitter must be positive"):
        regress(kernel(), x, y, jitter=0.0)
    with pytest.raises(InputError, match="keeps no variances"):
        regress(kernel(), x, y, variance=False).variance(x)


def search(k: Kernel, name: KernelName) -> float:
    directions = rays(40)
    radii = np.logspace(-4, 9, 300)
    return max(float(k.diagonal(name, radius * directions).max()) for radius in [*radii, 1e30])


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("activation", ["relu", "gelu", "erf", "leaky_relu"])
def test_the_supremum_is_above_every_diagonal_and_near_one(activation: str, name: KernelName) -> None:
    for place in PLACES:
        k = kernel(activation=activation, norm=f"layer@{place}")  # type: ignore[arg-type]
        top = supremum(k, name)
        if math.isfinite(top):
            assert search(k, name) <= top
            assert search(k, name) > 0.99 * top
        else:
            assert activation == "erf"
            assert name == "ntk"


@pytest.mark.parametrize("activation", sorted(ACTIVATIONS))
def test_what_the_supremum_takes_for_granted_of_activations(activation: str) -> None:
    """Squares rise, centring takes a rising share, and the steepness on an interval is at most what is said."""
    ours, roots = ACTIVATIONS[activation], np.r_[0, np.logspace(-6, 9, 30_001)]
    square, centred = ours.square(roots, False), ours.square(roots, True)
    assert np.all(np.diff(square) >= -1e-15 * square[1:])
    assert np.all(np.diff(centred) >= -1e-15 * centred[1:])
    taken = square[1:] / centred[1:]
    assert np.all(np.diff(taken) >= -1e-14 * taken[1:])
    steep = steepness(ours, roots)
    for start in range(0, 30_000, 500):
        part = slice(start, start + 777)
        ends = roots[part][:1], roots[part][-1:]
        assert steep[part].max() <= ours.steepest(*ends)[0] * (1 + 1e-14)


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("norm", ["layer@first", "rms@last", "layer@hidden2.post", "layer@input"])
@pytest.mark.parametrize("jitter", [1e-8, 1e-2])
def test_the_bounds_hold_wherever_one_looks_and_the_tight_one_is_tighter(
    name: KernelName, norm: str, jitter: float
) -> None:
    x, y = rows(50)
    regression = regress(kernel(norm=norm), x, y, name, jitter=jitter)
    both = bounds(regression)
    assert both.tight == tight_bound(regression)
    assert both.tight <= both.theorem
    matrix = regression.kernel.matrix(name, x) + regression.jitter * np.eye(50)
    assert both.least_eigenvalue == pytest.approx(np.linalg.eigvalsh(matrix)[0], rel=1e-5)
    expected = math.sqrt(both.supremum * 50 / both.least_eigenvalue) * np.abs(y).max()
    assert both.theorem == pytest.approx(expected)
    looked = np.concatenate([radius * rays(100) for radius in np.logspace(-2, 8, 30)])
    assert np.abs(regression.mean(looked)).max() <= both.tight


def test_without_a_norm_there_is_no_bound_and_of_zeros_it_is_zero() -> None:
    x, y = rows(20)
    both = bounds(regress(kernel(norm="none"), x, y))
    assert (both.supremum, both.theorem, both.tight) == (math.inf,) * 3
    nothing = bounds(regress(kernel(norm="none"), x, 0 * y))
    assert (nothing.theorem, nothing.tight) == (0, 0)


@pytest.mark.parametrize("activation", ["relu", "gelu", "leaky_relu"])
@pytest.mark.parametrize("name", NAMES)
def test_relu_and_gelu_grow_as_r2_without_norm_and_not_with_any_one(activation: str, name: KernelName) -> None:
    bare = kernel(activation=activation, norm="none")  # type: ignore[arg-type]
    assert diagonal_exponent(bare, name) == pytest.approx(2, abs=1e-3)
    x, y = rows(80)
    grown = growth(regress(bare, x, y, name), rays(), variance=True)
    assert grown.diagonal == pytest.approx(2, abs=1e-3)
    assert grown.mean == pytest.approx(1, abs=1e-3)
    assert grown.variance == pytest.approx(2, abs=1e-2)
    for kind in ("layer", "rms"):
        for place in PLACES:
            k = kernel(activation=activation, norm=f"{kind}@{place}")  # type: ignore[arg-type]
            assert diagonal_exponent(k, name) == pytest.approx(0, abs=1e-3), (kind, place)
            grown = growth(regress(k, x, y, name), rays())
            assert grown.diagonal == pytest.approx(0, abs=1e-3), (kind, place)
            assert grown.mean < 0.01, (kind, place)


@pytest.mark.parametrize(
    ("norm", "exponent"),
    [
        ("none", 1),
        ("layer@last", 1),
        ("layer@hidden1.post", 1),
        ("layer@2", 1),
        ("layer@first", 0),
        ("layer@input", 0),
        ("layer@all", 0),
    ],
)
def test_of_erf_the_diagonal_grows_as_r1_where_the_first_activation_saturates_and_the_mean_never_does(
    norm: str, exponent: int
) -> None:
    x, y = rows(80)
    k = kernel(activation="erf", norm=norm)
    grown = growth(regress(k, x, y), rays(), variance=True)
    assert grown.diagonal == pytest.approx(exponent, abs=1e-3)
    assert abs(grown.mean) < 0.01
    assert grown.variance is not None
    assert abs(grown.variance) < 0.01
    assert diagonal_exponent(k, "nngp") == pytest.approx(0, abs=1e-3)
