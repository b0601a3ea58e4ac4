"""The recursion over layers: rows first (a number each), then pairs.

A linear map gives ``K' = w² K + b²`` and ``Θ' = w² Θ + K'``; an activation ``K' = E φ(u)φ(v)`` and
``Θ' = Θ E φ'(u)φ'(v)`` for (u, v) ~ N(0, K); a norm ``K' = (K - m m')/(s s')`` and ``Θ' = Θ/(s s')`` with
``s² = K(x,x) - m² + eps`` and m the mean after the activation (0 before it, and for rms norm). (Jacot et al., arXiv
1806.07572; Lee et al., arXiv 1902.06720; for norms arXiv 2505.14512.)
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from architectures.kernels.activations import ActivationKernel
from architectures.kernels.angles import Angles, Array
from architectures.kernels.places import HiddenNorms


@dataclass(frozen=True)
class Network:
    """What the recursion needs to know of a network.

    Args:
        activation: after each hidden layer.
        hidden: norms of each hidden layer.
        weight_std, bias_std: deviations of weights (over √fan_in) and biases, the read-out's as well.
    """

    activation: ActivationKernel
    hidden: tuple[HiddenNorms, ...]
    weight_std: float
    bias_std: float

    def linear(self, root: Array) -> Array:
        """``√(w² K + b²)`` of rows with ``√K``."""
        return np.hypot(self.weight_std * root, self.bias_std)


@dataclass(frozen=True)
class LayerRows:
    """A hidden layer as rows see it; each (n,).

    Attributes:
        root: deviation of what the activation gets.
        before, after: what the norms there divide by (1 without one).
        length: ``√E φ²``, centred where the norm after centres.
        slope: ``E φ'²``.
    """

    root: Array
    before: Array
    length: Array
    after: Array
    slope: Array

    @property
    def out(self) -> Array:
        """Root of the kernel that leaves the layer."""
        return self.length / self.after

    def part(self, chosen: slice) -> LayerRows:
        """Some of the rows."""
        return LayerRows(*(v[chosen] for v in (self.root, self.before, self.length, self.after, self.slope)))


@dataclass(frozen=True)
class Trace:
    """Every layer as rows see it: ``entry`` is ``√(x·x/d)`` after the norm at the input, (n,)."""

    entry: Array
    layers: tuple[LayerRows, ...]

    @classmethod
    def of(cls, network: Network, entry: Array) -> Trace:
        """Follow rows from ``entry`` on."""
        layers, root = [], entry
        for norms in network.hidden:
            layers.append(_layer_rows(network, norms, root))
            root = layers[-1].out
        return cls(entry, tuple(layers))

    def part(self, chosen: slice) -> Trace:
        """Some of the rows."""
        return Trace(self.entry[chosen], tuple(layer.part(chosen) for layer in self.layers))

    def diagonals(self, network: Network) -> tuple[Array, Array]:
        """``K(x,x)`` and ``Θ(x,x)`` of the network's answer, (n,) each."""
        root, tangent = self.entry, np.zeros_like(self.entry)
        for layer in self.layers:
            tangent = network.weight_std**2 * tangent + network.linear(root) ** 2
            tangent = tangent * layer.slope / (layer.before * layer.after) ** 2
            root = layer.out
        square = network.linear(root) ** 2
        return square, network.weight_std**2 * tangent + square


def _layer_rows(network: Network, norms: HiddenNorms, root: Array) -> LayerRows:
    deviation = network.linear(root)
    before = np.ones_like(root) if norms.before is None else np.sqrt(deviation**2 + norms.before.eps)
    deviation = deviation / before
    square = network.activation.square(deviation, norms.after is not None and norms.after.centred)
    after = np.ones_like(root) if norms.after is None else np.sqrt(square + norms.after.eps)
    return LayerRows(deviation, before, np.sqrt(square), after, network.activation.slope(deviation))


def pair_kernels(network: Network, one: Trace, other: Trace, angles: Angles, tangent: bool) -> tuple[Array, Array]:
    """``K(x,x')`` and ``Θ(x,x')`` of the network's answer for all pairs, (n1, n2) each.

    Args:
        network: the network.
        one, other: the rows on both sides.
        angles: between them, at the input.
        tangent: whether Θ is wanted; without, zeros stand in its place.
    """
    theta = np.zeros_like(angles.cos)
    roots: Sequence[Array] = (one.entry, other.entry)
    for norms, left, right in zip(network.hidden, one.layers, other.layers, strict=True):
        angles, covariance = _linear_pairs(network, roots[0][:, None], roots[1][None], angles)
        centred = norms.after is not None and norms.after.centred
        pairs = network.activation.pairs(left.root[:, None], right.root[None], angles, centred)
        if tangent:
            scales = np.outer(left.before * left.after, right.before * right.after)
            theta = (network.weight_std**2 * theta + covariance) * pairs.slope / scales
        angles = pairs.angles(left.length[:, None], right.length[None])
        roots = (left.out, right.out)
    _, covariance = _linear_pairs(network, roots[0][:, None], roots[1][None], angles)
    return covariance, network.weight_std**2 * theta + covariance


def _linear_pairs(network: Network, a: Array, b: Array, angles: Angles) -> tuple[Angles, Array]:
    """Angles and covariances after a linear map, given roots (n1, 1) and (1, n2) before it.

    The bias is one more coordinate of both rows: the squared sine times both lengths gains
    ``w² b² ‖difference of the rows‖²``, and no term is negative.
    """
    product = network.weight_std**2 * (a * b)
    weight, bias = network.weight_std, network.bias_std
    covariance = product * angles.cos + bias**2
    apart = (a - b) ** 2 + 2 * (a * b) * angles.near
    sine = np.hypot(product * angles.sin, weight * bias * np.sqrt(apart))
    size = network.linear(a) * network.linear(b)
    size = np.where(size == 0, 1.0, size)
    return Angles(covariance / size, sine / size), covariance
