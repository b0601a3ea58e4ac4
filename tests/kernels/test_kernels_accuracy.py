"""Kernels against 60-digit arithmetic, in the formulas of the literature, which may cancel there."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import mpmath
import numpy as np
import pytest
from mpmath import mp, mpf

from architectures.families.mlp.places import MLP
from architectures.kernels import kernel
from architectures.norms.scheme import parse_scheme

TOLERANCE = 1e-9
ACTIVATIONS = ("relu", "leaky_relu", "erf", "gelu", "identity")
SCHEMES = (
    "none",
    "layer@first",
    "layer@last",
    "layer@all",
    "layer@input",
    "layer@hidden1.post",
    "layer@hidden2.post+last",
    "rms@first",
    "rms@input+all",
    "rms@hidden3.post",
    "layer@first+rms@last",
    "layer@hidden1.post+rms@hidden1",
    "layer(eps=1e-3)@hidden3.post",
)
Pair = tuple[Any, Any, Any]  # k(x, x), k(x', x'), k(x, x')


@pytest.fixture(autouse=True)
def sixty_digits() -> Iterator[None]:
    with mp.workdps(60):
        yield


def correlation(k: Pair) -> Any:
    size = mpmath.sqrt(k[0] * k[1])
    return max(mpf(-1), min(mpf(1), k[2] / size)) if size else mpf(0)


def relu_moment(k: Pair, sign: int = 1) -> Any:
    angle = mpmath.acos(sign * correlation(k))
    size = mpmath.sqrt(k[0] * k[1])
    return size * (mpmath.sin(angle) + (mp.pi - angle) * mpmath.cos(angle)) / (2 * mp.pi)


@dataclass(frozen=True)
class Reference:
    """``E φ(u)φ(v)``, ``E φ'(u)φ'(v)`` and ``E φ(u)``."""

    moment: Callable[[Pair], Any]
    slope: Callable[[Pair], Any]
    mean: Callable[[Any], Any]


def relu_slope(k: Pair) -> Any:
    return (mp.pi - mpmath.acos(correlation(k))) / (2 * mp.pi)


def leaky_moment(k: Pair) -> Any:
    # relu(z) - leak relu(-z)
    leak = mpf(0.01)
    return (1 + leak**2) * relu_moment(k) - 2 * leak * relu_moment(k, -1)


def leaky_slope(k: Pair) -> Any:
    leak = mpf(0.01)
    return (1 + leak**2) * relu_slope(k) + 2 * leak * (mpf(1) / 2 - relu_slope(k))


def gelu_size(k: Pair) -> Any:
    return (1 + k[0]) * (1 + k[1]) - k[2] ** 2


def gelu_sign(k: Pair) -> Any:
    return 2 / mp.pi * mpmath.asin(k[2] / mpmath.sqrt((1 + k[0]) * (1 + k[1])))


def gelu_moment(k: Pair) -> Any:
    size = gelu_size(k)
    even = 1 + size * (k[0] * k[1] - 1) / ((1 + k[0]) * (1 + k[1]))
    return (k[2] + k[2] * gelu_sign(k) + 2 / mp.pi * even / mpmath.sqrt(size)) / 4


def gelu_slope(k: Pair) -> Any:
    size = gelu_size(k)
    inner = 1 / (1 + k[0]) + 1 / (1 + k[1]) + 1 / size
    return (1 + gelu_sign(k) + k[2] * 2 / mp.pi / mpmath.sqrt(size) * inner) / 4


REFERENCES = {
    "relu": Reference(relu_moment, relu_slope, lambda q: mpmath.sqrt(q / (2 * mp.pi))),
    "leaky_relu": Reference(leaky_moment, leaky_slope, lambda q: (1 - mpf(0.01)) * mpmath.sqrt(q / (2 * mp.pi))),
    "erf": Reference(
        lambda k: 2 / mp.pi * mpmath.asin(2 * k[2] / mpmath.sqrt((1 + 2 * k[0]) * (1 + 2 * k[1]))),
        lambda k: 4 / mp.pi / mpmath.sqrt((1 + 2 * k[0]) * (1 + 2 * k[1]) - 4 * k[2] ** 2),
        lambda q: mpf(0),
    ),
    "gelu": Reference(gelu_moment, gelu_slope, lambda q: q / mpmath.sqrt(2 * mp.pi * (1 + q))),
    "identity": Reference(lambda k: k[2], lambda k: mpf(1), lambda q: mpf(0)),
}


def norm_rows(rows: list[list[Any]], kind: Any) -> list[list[Any]]:
    if kind is None:
        return rows
    normed = []
    for row in rows:
        mean = sum(row) / len(row) if kind.name == "layer" else mpf(0)
        size = mpmath.sqrt(sum((v - mean) ** 2 for v in row) / len(row) + mpf(kind.eps))
        normed.append([(v - mean) / size for v in row])
    return normed


def reference_kernels(
    x: Any, y: Any, depth: int, activation: str, norm: str, weight_std: float, bias_std: float
) -> tuple[Pair, Pair]:
    """NNGP and NTK at (x, x), (y, y) and (x, y)."""
    sites = ["input", *(f"hidden{k}{end}" for k in range(1, depth + 1) for end in ("", ".post"))]
    kinds = {site: part.kind for part in parse_scheme(norm).parts for site in MLP.pick(part.placement, sites)}
    one, other = norm_rows([[mpf(float(v)) for v in row] for row in (x, y)], kinds.get("input"))
    pairs = ((one, one), (other, other), (one, other))
    reference = REFERENCES[activation]
    weight, bias = mpf(weight_std) ** 2, mpf(bias_std) ** 2

    def linear(k: Pair) -> Pair:
        return tuple(weight * v + bias for v in k)

    def normed(k: Pair, t: Pair, site: str, mean: Callable[[Any], Any]) -> tuple[Pair, Pair]:
        if site not in kinds:
            return k, t
        m = [mean(0), mean(1)] if kinds[site].name == "layer" else [mpf(0), mpf(0)]
        s = [mpmath.sqrt(k[i] - m[i] ** 2 + mpf(kinds[site].eps)) for i in (0, 1)]
        both = ((0, 0), (1, 1), (0, 1))
        k = tuple((v - m[i] * m[j]) / (s[i] * s[j]) for v, (i, j) in zip(k, both, strict=True))
        return k, tuple(v / (s[i] * s[j]) for v, (i, j) in zip(t, both, strict=True))

    k: Pair = tuple(sum(a * b for a, b in zip(p, q, strict=True)) / len(one) for p, q in pairs)
    t: Pair = (mpf(0),) * 3
    for layer in range(1, depth + 1):
        k, t = linear(k), tuple(weight * b + weight * a + bias for a, b in zip(k, t, strict=True))
        k, t = normed(k, t, f"hidden{layer}", lambda i: mpf(0))
        matrices = ((k[0], k[0], k[0]), (k[1], k[1], k[1]), k)
        t = tuple(v * reference.slope(m) for v, m in zip(t, matrices, strict=True))
        before = k
        k = tuple(reference.moment(m) for m in matrices)
        k, t = normed(k, t, f"hidden{layer}.post", lambda i, q=before: reference.mean(q[i]))
    return linear(k), tuple(weight * b + weight * a + bias for a, b in zip(k, t, strict=True))


def hard_pairs(seed: int, count: int = 0) -> list[tuple[Any, Any]]:
    """Rows that are apart, the same, opposite, collinear, nearly so, and orthogonal; at scales 1 to 1e6."""
    draw = np.random.default_rng(seed)
    pairs = []
    for scale in (1.0, 1e3, 1e6):
        width = int(draw.integers(3, 7))
        x, y = scale * draw.normal(size=(2, width))
        turned = x - y * (x @ y) / (y @ y)
        others = [y, x.copy(), -x, 2 * x, -3 * x, x / scale, -x / scale, turned]
        others += [x * (1 + 1e-6), x * (1 + 1e-10), -x * (1 + 1e-7), x / 1000]
        others += [sign * x + far * y for far in (1e-2, 1e-4, 1e-6, 1e-8, 1e-12) for sign in (1, -1)]
        pairs += [(x, other) for other in others]
        pairs.append((y, np.zeros(width)))
    return pairs[:count] if count else pairs


def errors(x: Any, y: Any, **how: Any) -> tuple[float, float]:
    """Largest errors off the diagonal (of √ of the diagonals' product) and on it (of the value)."""
    ours = kernel(**how)
    rows, off, on = np.stack([x, y]), 0.0, 0.0
    wide = {"weight_std": 2**0.5, "bias_std": 0.1} | how
    expected = reference_kernels(x, y, **wide)
    for values, matrix, diagonal in zip(
        expected, ours.matrices(rows, rows.copy()), (ours.nngp_diag(rows), ours.ntk_diag(rows)), strict=True
    ):
        size = mpmath.sqrt(values[0] * values[1])
        off = max(off, float(abs(mpf(float(matrix[0, 1])) - values[2]) / size))
        for i in (0, 1):
            for ours_there in (diagonal[i], matrix[i, i]):
                on = max(on, float(abs(mpf(float(ours_there)) - values[i]) / values[i]))
    return off, on


@pytest.mark.parametrize("activation", ACTIVATIONS)
@pytest.mark.parametrize("norm", SCHEMES)
def test_kernels_are_exact_to_1e_9(activation: str, norm: str) -> None:
    seed = SCHEMES.index(norm)
    for x, y in hard_pairs(seed)[seed % 3 :: 3]:
        off, on = errors(x, y, depth=3, activation=activation, norm=norm)
        assert off < TOLERANCE, (x, y)
        assert on < TOLERANCE, (x, y)


@pytest.mark.parametrize("activation", ACTIVATIONS)
@pytest.mark.parametrize("how", [{"depth": 1}, {"depth": 8}, {"bias_std": 0.0}, {"weight_std": 1.0, "bias_std": 1.0}])
def test_other_networks_are_as_exact(activation: str, how: dict[str, Any]) -> None:
    for norm in ("none", "layer@first"):
        for x, y in hard_pairs(20)[:-1:4]:
            off, on = errors(x, y, activation=activation, norm=norm, **({"depth": 3} | how))
            assert max(off, on) < TOLERANCE, (norm, x, y)
