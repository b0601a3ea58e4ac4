"""Known functions: the truth is a formula, so far sets are labelled on shells and errors can be measured anywhere."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from bench.core.grammar import spell
from bench.core.seeding import generator
from tasks.data import Rows, Samples

HALF_WIDTH = 5.0  # training inputs are uniform on [-5, 5]
ONE_DIMENSION_ROWS = 125  # of which splitting leaves 100 for training
NOISE = 0.02  # deviation of the noise on training targets, in deviations of the truth


@dataclass(frozen=True)
class Instance:
    """Which instance of a family of functions: 0 is the one that is ranked, others are fresh draws.

    Args:
        instance: 0 or any positive number.
    """

    instance: int = 0

    def __post_init__(self) -> None:
        if self.instance < 0:
            raise ValueError(f"instance must be 0 or positive, not {self.instance}")


def one_dimension(name: str, formula: Callable[[np.ndarray], np.ndarray], options: Instance) -> Samples:
    """A function of one number: y = formula(w·(x - c)) + noise at 125 points x uniform on [-5, 5].

    Instance 0 has w = 1, c = 0 and noise of 0.02 deviations of the truth; others draw w from [0.7, 1.4], c from
    [-1, 1] and noise from [0.01, 0.05].
    """
    spelling = spell(name, options)
    frequency, shift, noise = 1.0, 0.0, NOISE
    if options.instance:
        draw = generator(spelling, "function")
        frequency, shift, noise = draw.uniform(0.7, 1.4), draw.uniform(-1.0, 1.0), draw.uniform(0.01, 0.05)

    def truth(inputs: np.ndarray) -> np.ndarray:
        return formula(frequency * (inputs[:, 0] - shift))

    inputs = generator(spelling, "inputs").uniform(-HALF_WIDTH, HALF_WIDTH, (ONE_DIMENSION_ROWS, 1))
    return noisy(spelling, inputs, truth, noise)


def noisy(spelling: str, inputs: np.ndarray, truth: Callable[[np.ndarray], np.ndarray], noise: float) -> Samples:
    """Samples of ``truth`` at ``inputs`` (n, d), with Gaussian noise of ``noise`` deviations of the truth."""
    clean = truth(inputs)
    error = generator(spelling, "noise").standard_normal(len(clean))
    targets = clean + noise * clean.std() * error
    names = tuple(f"x{i + 1}" for i in range(inputs.shape[1]))
    return Samples(Rows(inputs, targets), truth=truth, feature_names=names)


def sine_1d(options: Instance) -> Samples:
    """The sine."""
    return one_dimension("sine-1d", np.sin, options)


def linear_1d(options: Instance) -> Samples:
    """The identity."""
    return one_dimension("linear-1d", np.positive, options)


def quadratic_1d(options: Instance) -> Samples:
    """The square."""
    return one_dimension("quadratic-1d", np.square, options)
