"""Noise-free formulas of the known functions: raw inputs (n, d) -> targets (n,), defined everywhere."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from bench.core.seeding import generator

TEACHER_WIDTH = 32

Array = NDArray[np.float64]


def sine(x: Array) -> Array:
    """The sine of the first coordinate."""
    return np.sin(x[:, 0])


def linear(x: Array) -> Array:
    """The first coordinate itself."""
    return x[:, 0] + 0.0


def quadratic(x: Array) -> Array:
    """The square of the first coordinate."""
    return np.square(x[:, 0])


def decay(x: Array) -> Array:
    """exp(-|x|): falls to 0 on both sides."""
    return np.exp(-np.abs(x[:, 0]))


def bump(x: Array) -> Array:
    """exp(-1 / (1 - (x/4)²)) inside (-4, 4), 0 outside: smooth, and exactly 0 beyond its support."""
    inside = np.abs(x[:, 0]) < 4
    gap = np.where(inside, 1 - np.square(x[:, 0] / 4), 1.0)
    return np.where(inside, np.exp(1 - 1 / gap), 0.0)


def saturating(x: Array) -> Array:
    """The hyperbolic tangent: level on both sides."""
    return np.tanh(x[:, 0])


def growing_wave(x: Array) -> Array:
    """x·sin x: swings ever wider."""
    return x[:, 0] * np.sin(x[:, 0])


def step(x: Array) -> Array:
    """0 left of the origin, 1 right of it."""
    return np.heaviside(x[:, 0], 0.5)


def total(x: Array) -> Array:
    """The sum of all coordinates."""
    return np.asarray(x.sum(axis=1))


def norm(x: Array) -> Array:
    """The Euclidean norm."""
    return np.asarray(np.linalg.norm(x, axis=1))


def product(x: Array) -> Array:
    """The product of the first two coordinates."""
    return x[:, 0] * x[:, 1]


def friedman1(x: Array) -> Array:
    """10 sin(π x₁ x₂) + 20 (x₃ - 1/2)² + 10 x₄ + 5 x₅ (Friedman, Annals of Statistics 19, 1991)."""
    bent = 10 * np.sin(np.pi * x[:, 0] * x[:, 1]) + 20 * np.square(x[:, 2] - 0.5)
    return np.asarray(bent + 10 * x[:, 3] + 5 * x[:, 4])


def teacher_relu(x: Array) -> Array:
    """A random network of two hidden layers of 32 ReLU units: grows linearly."""
    return _teacher(x, lambda hidden: np.maximum(hidden, 0.0), "relu")


def teacher_tanh(x: Array) -> Array:
    """A random network of two hidden layers of 32 tanh units: bounded."""
    return _teacher(x, np.tanh, "tanh")


def _teacher(x: Array, activation: Callable[[Array], Array], name: str) -> Array:
    """Weights N(0, 2/fan-in), biases N(0, 0.1²), the initialization of arXiv 2505.14512."""
    draw = generator("teacher", name, x.shape[1])
    hidden = x
    for width in (TEACHER_WIDTH, TEACHER_WIDTH, 1):
        weights = draw.normal(scale=np.sqrt(2 / hidden.shape[1]), size=(hidden.shape[1], width))
        biases = draw.normal(scale=0.1, size=width)
        hidden = hidden @ weights + biases
        hidden = hidden if width == 1 else activation(hidden)
    return hidden[:, 0]
