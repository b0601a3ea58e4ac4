"""Kernels of infinitely wide networks: what the theorem of arXiv 2505.14512 speaks of, as numbers."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from typing import Literal

import numpy as np
from numpy.typing import ArrayLike

from architectures.kernels.activations import ActivationKernel, Bent, Erf, Gelu
from architectures.kernels.angles import Array, Directions, flat_rows
from architectures.kernels.places import KernelNorms, place_norms
from architectures.kernels.recursion import Network, Trace, pair_kernels
from architectures.norms.scheme import NormScheme, parse_scheme
from bench.core.errors import InputError, suggest

KernelName = Literal["ntk", "nngp"]

ACTIVATIONS: dict[str, ActivationKernel] = {
    "relu": Bent(0.0),
    "leaky_relu": Bent(0.01),
    "erf": Erf(),
    "gelu": Gelu(),
    "identity": Bent(1.0),
}

_BLOCK = 256  # rows and columns that pass the recursion at once: what fits into the processor's cache
Progress = Callable[[float], None]
"""Hears what share of a piece of work is done."""


@dataclass(frozen=True)
class Kernel:
    """Kernels of a fully connected network of infinite width, in the NTK parametrization.

    A layer is ``weight_std/√fan_in · W h + bias_std · b`` with W, b ~ N(0, 1), all of them trained, the linear read-out
    as well. Norms have neither gain nor shift. Rows x are (n, d) or (n, *shape), which is flattened; kernels are
    float64, without unit, in the square of the unit of the targets.

    Errors against exact arithmetic are below 1e-9 of ``√(k(x,x) k(x',x'))``, and on diagonals of the value.

    Args:
        depth: number of hidden layers.
        activation: after each of them; leaky_relu has slope 0.01.
        norms: at the input and in each hidden layer.
        weight_std, bias_std: deviations.
        scheme: the norms as they are spelled.
    """

    depth: int
    activation: str
    norms: KernelNorms
    weight_std: float
    bias_std: float
    scheme: str

    @cached_property
    def network(self) -> Network:
        """What the recursion needs to know."""
        return Network(ACTIVATIONS[self.activation], self.norms.hidden, self.weight_std, self.bias_std)

    def nngp(self, x1: ArrayLike, x2: ArrayLike | None = None) -> Array:
        """Covariance ``E f(x) f(x')`` of the network's answers at initialization, (n1, n2); x2 is x1 where not given.

        Raises:
            InputError: no rows of finite numbers, or of unlike widths.
            Unsupported: a norm at the input over too few features.
        """
        return self.matrix("nngp", x1, x2)

    def ntk(self, x1: ArrayLike, x2: ArrayLike | None = None) -> Array:
        """Tangent kernel ``Σ over parameters of ∂f(x)/∂p · ∂f(x')/∂p``, (n1, n2); errors as :meth:`nngp`."""
        return self.matrix("ntk", x1, x2)

    def nngp_diag(self, x: ArrayLike) -> Array:
        """``nngp(x, x)`` of each row, (n,)."""
        return self.diagonal("nngp", x)

    def ntk_diag(self, x: ArrayLike) -> Array:
        """``ntk(x, x)`` of each row, (n,)."""
        return self.diagonal("ntk", x)

    def diagonal(self, name: KernelName, x: ArrayLike) -> Array:
        """The diagonal of the kernel called ``name``, (n,)."""
        return self.diagonal_at(name, Directions.of(self.entered(x)).roots)

    def diagonal_at(self, name: KernelName, roots: Array) -> Array:
        """The diagonal, (n,), where ``‖x‖/√d`` after the norm at the input is ``roots``: it depends on no more."""
        nngp, ntk = Trace.of(self.network, np.asarray(roots, np.float64)).diagonals(self.network)
        return ntk if name == "ntk" else nngp

    def matrix(self, name: KernelName, x1: ArrayLike, x2: ArrayLike | None = None) -> Array:
        """The kernel called ``name``, (n1, n2)."""
        return self.matrices(x1, x2, (name,))[0]

    def matrices(
        self,
        x1: ArrayLike,
        x2: ArrayLike | None = None,
        names: tuple[KernelName, ...] = ("nngp", "ntk"),
        progress: Progress | None = None,
    ) -> tuple[Array, ...]:
        """Kernels of one or both names in one pass, (n1, n2) each, in that order."""
        one = Side.of(self, x1)
        other = one if x2 is None else Side.of(self, x2)
        if one.directions.units.shape[1] != other.directions.units.shape[1]:
            widths = f"{one.directions.units.shape[1]} and {other.directions.units.shape[1]}"
            raise InputError(f"rows of {widths} features", hint="give rows of one width")
        return _in_blocks(self.network, one, other, names, progress, mirrored=x2 is None)

    def entered(self, x: ArrayLike) -> Array:
        """Rows (n, d) after the norm at the input."""
        rows = flat_rows(x)
        return rows if self.norms.entry is None else self.norms.entry.rows(rows)


@dataclass(frozen=True)
class Side:
    """Rows, ready for the recursion: directions and what every layer makes of their lengths."""

    directions: Directions
    trace: Trace

    @classmethod
    def of(cls, kernel: Kernel, x: ArrayLike) -> Side:
        """Prepare rows (n, d)."""
        directions = Directions.of(kernel.entered(x))
        return cls(directions, Trace.of(kernel.network, directions.roots))

    def part(self, chosen: slice) -> Side:
        """Some of the rows."""
        return Side(self.directions.part(chosen), self.trace.part(chosen))


def kernel(
    depth: int = 3,
    activation: str = "relu",
    norm: str | NormScheme = "layer@first",
    weight_std: float = 2**0.5,
    bias_std: float = 0.1,
    eps: float = 1e-5,
) -> Kernel:
    """The kernels of a fully connected network of infinite width with ``depth`` hidden layers.

        >>> k = kernel(depth=2, norm="none")
        >>> k.nngp([[1.0, 0.0]], [[0.0, 1.0]]).shape
        (1, 1)

    Args:
        depth: number of hidden layers.
        activation: relu, leaky_relu (slope 0.01), erf, gelu or identity.
        norm: a scheme of layer and rms norms at the places of the family mlp: ``input``, ``hidden1`` ..., their
            ``.post``, ``first``, ``last``, ``all``.
        weight_std: deviation of weights, times √fan_in.
        bias_std: deviation of biases.
        eps: of norms that give none of their own.

    Raises:
        InputError: a value out of range, or no such activation, kind or place.
        Unsupported: a kind of norm without a known limit, or a place that this depth does not have.
    """
    if depth < 1:
        raise InputError(f"depth must be at least 1, not {depth}", where="kernel")
    if activation not in ACTIVATIONS:
        known = suggest(activation, ACTIVATIONS)
        raise InputError(f"no kernel is known for the activation {activation!r}", where="kernel", hint=known)
    for name, value, least in (("weight_std", weight_std, True), ("bias_std", bias_std, False), ("eps", eps, True)):
        if not math.isfinite(value) or value < 0 or (least and value == 0):
            raise InputError(f"{name} must be {'positive' if least else 'at least 0'}, not {value}", where="kernel")
    scheme = parse_scheme(norm) if isinstance(norm, str) else norm
    return Kernel(depth, activation, place_norms(scheme, depth, eps), weight_std, bias_std, str(scheme))


def _in_blocks(
    network: Network, one: Side, other: Side, names: tuple[KernelName, ...], progress: Progress | None, mirrored: bool
) -> tuple[Array, ...]:
    """Kernels block by block; of a symmetric one only blocks up to the diagonal, each copied to its mirror place."""
    shape = len(one.directions.roots), len(other.directions.roots)
    results = tuple(np.empty(shape) for _ in names)
    for rows in _slices(shape[0]):
        left = one.part(rows)
        for columns in _slices(rows.stop if mirrored else shape[1]):
            right = other.part(columns)
            angles = left.directions.angles(right.directions)
            nngp, ntk = pair_kernels(network, left.trace, right.trace, angles, "ntk" in names)
            for name, result in zip(names, results, strict=True):
                block = ntk if name == "ntk" else nngp
                result[rows, columns] = block
                if mirrored:
                    result[columns, rows] = block.T
        if progress is not None:
            progress((rows.stop / shape[0]) ** (2 if mirrored else 1))
    if mirrored:
        nngp, ntk = one.trace.diagonals(network)
        for name, result in zip(names, results, strict=True):
            np.fill_diagonal(result, ntk if name == "ntk" else nngp)
            if len(result):
                _symmetric(result)
    return results


def _symmetric(matrix: Array) -> None:
    """Make the blocks on the diagonal symmetric to the last bit, in place."""
    for rows in _slices(len(matrix)):
        block = matrix[rows, rows]
        lower = np.tril(block)
        matrix[rows, rows] = lower + np.tril(block, -1).T


def _slices(count: int) -> list[slice]:
    return [slice(start, min(start + _BLOCK, count)) for start in range(0, count, _BLOCK)]
