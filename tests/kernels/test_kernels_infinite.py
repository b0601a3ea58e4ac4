"""The kernel object: expectations against quadrature, properties of matrices, schemes, and bad input."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from math import erf, sqrt

import numpy as np
import pytest
from numpy.typing import NDArray

from architectures.kernels import kernel
from architectures.kernels.angles import Angles
from architectures.kernels.infinite import ACTIVATIONS
from bench.core.errors import InputError, Unsupported

Array = NDArray[np.float64]
NODES, WEIGHTS = np.polynomial.hermite_e.hermegauss(120)
erf_of = np.vectorize(erf)


def normal(z: Array) -> Array:
    return np.exp(-(z**2) / 2) / sqrt(2 * np.pi)


FUNCTIONS: dict[str, tuple[Callable[[Array], Array], Callable[[Array], Array]]] = {
    "erf": (erf_of, lambda z: 2 / sqrt(np.pi) * np.exp(-(z**2))),
    "gelu": (
        lambda z: z * (1 + erf_of(z / sqrt(2))) / 2,
        lambda z: (1 + erf_of(z / sqrt(2))) / 2 + z * normal(z),
    ),
}
BENT = {"relu": 0.0, "leaky_relu": 0.01, "identity": 1.0}


def quadrature(f: Callable[[Array], Array], a: float, b: float, theta: float) -> float:
    """``E f(u) f(v)`` of a smooth f by Gauss-Hermite."""
    one, other = np.meshgrid(NODES, NODES)
    weights = np.outer(WEIGHTS, WEIGHTS) / WEIGHTS.sum() ** 2
    return float(np.sum(weights * f(a * one) * f(b * (np.cos(theta) * one + np.sin(theta) * other))))


def around(f: Callable[[Array], Array], degree: int, a: float, b: float, theta: float) -> float:
    """``E f(u) f(v)`` of an f with ``f(r z) = r^degree f(z)``: an average over directions, times ``E r²`` = 2."""
    count = 2_000_000
    turn = (np.arange(count) + 0.5) * 2 * np.pi / count
    moment = {0: 1.0, 1: 2.0}[degree]
    return float(np.mean(f(a * np.cos(turn)) * f(b * np.cos(turn - theta)))) * moment


@pytest.mark.parametrize("name", sorted(ACTIVATIONS))
@pytest.mark.parametrize(
    ("a", "b", "theta"), [(0.7, 0.7, 0.0), (0.8, 0.3, 1.1), (1.1, 0.9, 3.0), (0.5, 1.0, np.pi), (0.2, 0.25, 1e-3)]
)
def test_expectations_agree_with_quadrature(name: str, a: float, b: float, theta: float) -> None:
    ours = ACTIVATIONS[name]  # type: ignore[index]
    angles = Angles(np.array([[np.cos(theta)]]), np.array([[np.sin(theta)]]))
    pairs = ours.pairs(np.array([[a]]), np.array([[b]]), angles, False)
    if name in BENT:
        leak = BENT[name]
        expected = [around(lambda z: np.maximum(z, leak * z), 1, a, b, t) for t in (theta, 0.0)]
        slope, near = around(lambda z: np.where(z > 0, 1.0, leak), 0, a, b, theta), 2e-6
    else:
        f, derivative = FUNCTIONS[name]
        expected = [quadrature(f, a, b, t) for t in (theta, 0.0)]
        slope, near = quadrature(derivative, a, b, theta), 1e-12
    assert pairs.inner[0, 0] == pytest.approx(expected[0], abs=near)
    assert pairs.fall[0, 0] == pytest.approx(expected[1] - expected[0], abs=2 * near)
    assert pairs.rise[0, 0] == pytest.approx(expected[1] + expected[0], abs=2 * near)
    assert pairs.slope[0, 0] == pytest.approx(slope, abs=near)
    lengths = [ours.square(np.array([d]), False)[0] for d in (a, b)]
    assert float(np.max(pairs.apart)) == pytest.approx(lengths[0] * lengths[1] - expected[1] ** 2, abs=2 * near)


@pytest.mark.parametrize("name", sorted(ACTIVATIONS))
def test_the_mean_that_a_layer_norm_takes_away_is_the_mean(name: str) -> None:
    f = FUNCTIONS[name][0] if name in FUNCTIONS else (lambda z: np.maximum(z, BENT[name] * z))
    nodes, weights = np.polynomial.hermite_e.hermegauss(180)
    ours = ACTIVATIONS[name]  # type: ignore[index]
    root = np.array([0.9])
    mean = np.sum(weights * f(0.9 * nodes)) / weights.sum()
    near = 2e-3 if name in BENT else 1e-12  # a kink, which these nodes straddle
    assert ours.square(root, False)[0] - ours.square(root, True)[0] == pytest.approx(mean**2, abs=near)


@pytest.mark.parametrize("name", sorted(ACTIVATIONS))
@pytest.mark.parametrize("norm", ["none", "layer@first", "layer@all+hidden1.post"])
def test_matrices_are_symmetric_and_positive_semidefinite(name: str, norm: str) -> None:
    draw = np.random.default_rng(0)
    rows = draw.normal(size=(300, 5))
    rows = np.concatenate([rows, rows[:50], -rows[:50], 1e4 * rows[:50], rows[:20] + 1e-9])
    k = kernel(activation=name, norm=norm)  # type: ignore[arg-type]
    for matrix, diagonal in ((k.nngp(rows), k.nngp_diag(rows)), (k.ntk(rows), k.ntk_diag(rows))):
        np.testing.assert_array_equal(matrix, matrix.T)
        np.testing.assert_array_equal(np.diag(matrix), diagonal)
        values = np.linalg.eigvalsh(matrix)
        assert values[0] > -len(rows) * 1e-15 * values[-1]


def test_one_matrix_is_the_other_in_blocks() -> None:
    rows = np.random.default_rng(0).normal(size=(600, 4))
    k = kernel(depth=2, activation="gelu")
    np.testing.assert_allclose(k.ntk(rows), k.ntk(rows, rows.copy()), atol=1e-13)
    np.testing.assert_array_equal(k.ntk(rows[:7], rows[300:]), k.ntk(rows, rows[300:])[:7])
    heard: list[float] = []
    k.matrices(rows, progress=heard.append)
    assert heard == sorted(heard)
    assert heard[-1] == 1


def test_rows_may_be_images_and_one_row_or_none() -> None:
    images = np.random.default_rng(0).normal(size=(3, 2, 4, 4)).astype(np.float32)
    k = kernel()
    np.testing.assert_array_equal(k.ntk(images), k.ntk(images.reshape(3, -1)))
    assert k.ntk(images[:1]).shape == (1, 1)
    assert k.ntk(images, images[:0]).shape == (3, 0)
    assert k.ntk(images[:0]).shape == (0, 0)


def test_identity_without_norm_is_a_sum_over_layers() -> None:
    rows = np.random.default_rng(0).normal(size=(6, 4))
    k = kernel(depth=1, activation="identity", norm="none", weight_std=1.5, bias_std=0.3)
    first = 1.5**2 * rows @ rows.T / 4 + 0.3**2
    np.testing.assert_allclose(k.nngp(rows), 1.5**2 * first + 0.3**2, atol=1e-13)
    np.testing.assert_allclose(k.ntk(rows), 2 * 1.5**2 * first + 0.3**2, atol=1e-13)


def test_placement_words_and_numbers_name_the_sites_of_an_mlp() -> None:
    rows = np.random.default_rng(0).normal(size=(5, 4))
    for word, sites in (
        ("first", "hidden1"),
        ("last", "hidden3"),
        ("2", "hidden2"),
        ("all", "hidden1+hidden2+hidden3"),
    ):
        np.testing.assert_array_equal(
            kernel(norm=f"layer@{word}").ntk(rows), kernel(norm=f"layer@{sites}").ntk(rows), err_msg=word
        )
    spelled = kernel(norm="layer(eps=1e-2)@first").ntk(rows)
    np.testing.assert_array_equal(spelled, kernel(norm="layer(affine=false)@first", eps=1e-2).ntk(rows))
    assert np.abs(spelled - kernel(norm="layer@first").ntk(rows)).max() > 1e-3


@pytest.mark.parametrize(
    ("how", "kind", "text"),
    [
        ({"depth": 0}, InputError, "depth must be at least 1"),
        ({"activation": "tanh"}, InputError, "no kernel is known for the activation 'tanh'"),
        ({"weight_std": 0.0}, InputError, "weight_std must be positive"),
        ({"bias_std": -1.0}, InputError, "bias_std must be at least 0"),
        ({"eps": 0.0}, InputError, "eps must be positive"),
        ({"norm": "layer@middle"}, InputError, "no such place: 'middle'"),
        ({"norm": "batch@first"}, Unsupported, "no kernel of infinite width is known for batch norm"),
        ({"norm": "layer@hidden4"}, Unsupported, "no place 'hidden4'"),
        ({"norm": "layer@first+rms@hidden1"}, Unsupported, "two kinds of norm at 'hidden1'"),
    ],
)
def test_what_makes_no_kernel_is_refused(how: dict[str, object], kind: type[Exception], text: str) -> None:
    with pytest.raises(kind, match=text):
        kernel(**how)  # type: ignore[arg-type]


def test_what_makes_no_rows_is_refused() -> None:
    k = kernel(norm="layer@input")
    rows = np.ones((2, 3))
    for bad, text in ((np.ones(3), "shape"), (np.full((2, 3), np.nan), "not finite"), (np.ones((2, 0)), "no features")):
        with pytest.raises(InputError, match=text):
            k.ntk(bad)
    with pytest.raises(InputError, match="3 and 4 features"):
        k.ntk(rows, np.ones((2, 4)))
    with pytest.raises(Unsupported, match="over 2 features; at least 3"):
        k.ntk(rows[:, :2])


def test_importing_it_loads_no_torch() -> None:
    code = "import sys, farfield as ff; ff.kernels.kernel().ntk([[1.0]]); sys.exit('torch' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
