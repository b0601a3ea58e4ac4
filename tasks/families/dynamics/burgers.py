"""Burgers' equation u_t + u u_x = ν u_xx with u(x, 0) = a sin x + b sin 2x: from a, b and 1/ν, the state at time 2.

The Cole-Hopf transformation solves it: with G(s) = ∫₀^{x+s} u(y, 0) dy + s²/(2t) and weights w(s) = exp(-G(s) / (2ν)),

    u(x, t) = -<s> / t,    u_x(x, t) = 1/t - (<s²> - <s>²) / (2ν t²),    <f> = ∫ f w ds / ∫ w ds

(Hopf, Communications on Pure and Applied Mathematics 3, 1950). The integrals are sums over an even grid, which
converge exponentially, so that there is no time step and every machine computes the same.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from bench.core.seeding import generator
from tasks.data.samples import FarSet, Rows, Samples
from tasks.families.dynamics.observing import Array, observed

Solution = Callable[[Array], Array]
TIME = 2.0
PROBE = 2.5  # between the crest and the shock, which forms at π
FAR_ROWS = 500
INSIDE = (2.0, 20.0)  # 1/ν in training
OUTSIDE = ((30.0, 60.0), (60.0, 150.0))
_SHIFTS = np.linspace(-16.0, 16.0, 1201)  # covers eight widths of the widest kernel, ν = 1/2
_ROWS_AT_ONCE = 500


def burgers_speed(*, draw: int = 0) -> Samples:
    """Speed at x = 2.5; far: a lower viscosity, at which a shock has formed."""
    return _samples("burgers-speed", draw, speed_at_probe, 0.004)


def burgers_slope(*, draw: int = 0) -> Samples:
    """Steepness of the shock at x = π; far: a lower viscosity, at which it grows as 1/ν."""
    return _samples("burgers-slope", draw, slope_of_shock, 0.06)


def speed_at_probe(inputs: Array) -> Array:
    """Speed u(2.5, 2) for inputs (n, 3) of a, b and 1/ν."""
    return solution(inputs, PROBE)[0]


def slope_of_shock(inputs: Array) -> Array:
    """Steepness -u_x(π, 2) for inputs (n, 3) of a, b and 1/ν."""
    return -solution(inputs, np.pi)[1]


def solution(inputs: Array, place: float) -> tuple[Array, Array]:
    """Speed u and slope u_x (n,) at a place at time 2, for inputs (n, 3) of a, b and 1/ν."""
    parts = [_solved(inputs[i : i + _ROWS_AT_ONCE], place) for i in range(0, len(inputs), _ROWS_AT_ONCE)]
    speeds, slopes = zip(*parts, strict=True)
    return np.concatenate(speeds), np.concatenate(slopes)


def _solved(inputs: Array, place: float) -> tuple[Array, Array]:
    a, b, reynolds = (column[:, None] for column in inputs.T)
    y = place + _SHIFTS
    exponent = -reynolds / 2 * (a * (1 - np.cos(y)) + b * (1 - np.cos(2 * y)) / 2 + _SHIFTS**2 / (2 * TIME))
    weights = np.exp(exponent - exponent.max(axis=1, keepdims=True))
    weights /= weights.sum(axis=1, keepdims=True)
    mean = weights @ _SHIFTS
    spread = np.sum(weights * (_SHIFTS - mean[:, None]) ** 2, axis=1)  # <s²> - <s>² would cancel
    return -mean / TIME, 1 / TIME - inputs[:, 2] * spread / (2 * TIME**2)


def _samples(name: str, draw: int, truth: Solution, noise: float) -> Samples:
    """Observations at moderate viscosity, and the noise-free solution at lower ones."""
    far = []
    for low, high in OUTSIDE:
        beyond = _beginnings(generator(name, "far", f"{low:g}-{high:g}", draw), FAR_ROWS, (low, high))
        far.append(FarSet(f"viscosity-{low:g}-{high:g}", Rows(beyond, truth(beyond)), label=f"1/ν {low:g} to {high:g}"))
    return observed(name, draw, _beginnings, truth, noise, ("sin x", "sin 2x", "1/viscosity"), tuple(far))


def _beginnings(random: np.random.Generator, count: int, reynolds: tuple[float, float] = INSIDE) -> Array:
    """(count, 3) of a in [1/2, 3/2], b in [-1/2, 1/2] and 1/ν in the range, uniform."""
    low, high = reynolds
    return random.uniform((0.5, -0.5, low), (1.5, 0.5, high), (count, 3))
