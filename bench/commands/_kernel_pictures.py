"""Pictures of the theorem: kernels of infinitely wide networks, and how finite networks approach them."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from typing import Any

import numpy as np

from architectures.kernels import WIDTHS, Convergence, convergence, kernel
from architectures.kernels.infinite import KernelName
from bench.commands._kernel_charts import ConvergenceCurve, KernelMap, convergence_chart, kernel_chart
from bench.core.errors import InputError

REACH = 25.0  # of the maps, as in the paper
_NAMES = {"ntk": "Tangent kernel Θ(x, x')", "nngp": "Covariance K(x, x') at initialization"}


def kernel_picture(
    norms: Sequence[str],
    name: KernelName = "ntk",
    depth: int = 3,
    activation: str = "relu",
    reach: float = REACH,
    points: int = 51,
) -> Any:
    """Heat maps of a kernel over x, x' in [-reach, reach], one a norm scheme.

    Raises:
        InputError: too few points or no reach, or what :func:`architectures.kernels.kernel` refuses.
    """
    if points < 2 or not (np.isfinite(reach) and reach > 0):
        raise InputError(f"no map of {points} points up to {reach}", hint="at least 2 points, a positive reach")
    x = np.linspace(-reach, reach, points)
    maps = [KernelMap(norm, x, kernel(depth, activation, norm).matrix(name, x[:, None])) for norm in norms]
    lines = [f"{activation}, {depth} hidden layers of infinite width, one input x"]
    return kernel_chart(maps, _NAMES[name], lines)


def convergence_picture(
    norms: Sequence[str],
    widths: Sequence[int] | None = None,
    name: KernelName = "ntk",
    depth: int = 3,
    activation: str = "relu",
    seeds: int = 10,
) -> Any:
    """Distance of finite networks from the limit against their width, one curve a norm scheme.

    Four inputs of three features are drawn once, N(0, 4); widths go from 64 to 4096 unless given. Progress is written
    to stderr where that is a terminal.

    Raises:
        InputError: fewer than two widths or no seed, or an activation that finite networks here do not have.
    """
    widths = widths or WIDTHS
    if len(set(widths)) < 2 or min(widths) < 1 or seeds < 1:
        raise InputError("a curve needs two widths and a seed", hint="for example --width 64 --width 1024 --seeds 10")
    x = 2 * np.random.default_rng(0).standard_normal((4, 3))
    curves = []
    for place, norm in enumerate(norms):
        found = convergence(x, widths, depth, activation, norm, seeds, _Shown(f"{norm} ({place + 1}/{len(norms)})"))
        curves.append(_curve(norm, found, name))
    lines = [
        f"{activation}, {depth} hidden layers; root mean square over pairs of four inputs and {seeds} networks a width"
    ]
    return convergence_chart(curves, f"{_NAMES[name]}: finite networks and their limit", lines)


def _curve(norm: str, found: Convergence, name: KernelName) -> ConvergenceCurve:
    distances = found.ntk if name == "ntk" else found.nngp
    return ConvergenceCurve(norm, found.widths, distances, found.slope(distances))


class _Shown:
    """Progress on a terminal."""

    def __init__(self, label: str) -> None:
        self.label = label

    def __call__(self, share: float) -> None:
        if sys.stderr.isatty():
            sys.stderr.write(f"\r{self.label}: {share:4.0%}" + ("\n" if share >= 1 else ""))
            sys.stderr.flush()
