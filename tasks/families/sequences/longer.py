"""Computed sequences that are asked at lengths beyond those of training.

Numbers of a sequence are drawn alike at every length, so that what is far is the length alone (of ``trend-forecast``
the values too, as a line goes on). Where each step is answered, a far set asks for the steps that training never
reached.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from bench.core.seeding import generator, numbered
from tasks.data.samples import FarSet, Rows, Samples

STEPS = 16
LONGER = (32, 64)
DOMAIN = 2000
FAR = 400
TREND_STEPS = 29  # i = 1 to 29 are seen and i = 2 to 30 answered
TREND_LONGER = (59, 99)

Make = Callable[[np.random.Generator, int, int], tuple[np.ndarray, np.ndarray]]
"""A generator, a number of rows and of steps to inputs (n, steps, channels) and targets (n,) or (n, steps)."""


def at_lengths(
    task: str, draw: int, make: Make, steps: int = STEPS, longer: tuple[int, ...] = LONGER, causal: bool = False
) -> Samples:
    """Rows of ``steps`` steps to train on, and a far set at each of the ``longer`` lengths.

    Args:
        task: whose inputs are drawn.
        draw: number of the draw; it changes the inputs and nothing else.
        make: inputs and targets.
        steps: of the training domain.
        longer: lengths of the far sets.
        causal: see :class:`tasks.data.samples.Samples`.
    """

    def rows(name: str, count: int, length: int, beyond: int = 0) -> Rows:
        inputs, targets = make(generator(task, name, *numbered(draw)), count, length)
        return Rows(inputs, targets[:, beyond:] if targets.ndim == 2 else targets)

    far = (FarSet(f"steps-{n}", rows(f"steps-{n}", FAR, n, steps), label=f"{n} steps") for n in longer)
    return Samples(rows("train", DOMAIN, steps), tuple(far), causal=causal)


def trend_forecast(*, draw: int = 0) -> Samples:
    """Lines f(i) = a + b·i with a, b ~ N(0, 1), each position answering the next (arXiv 2505.14512, figure 7)."""
    return at_lengths("trend-forecast", draw, lines, TREND_STEPS, TREND_LONGER, causal=True)


def lines(source: np.random.Generator, count: int, steps: int) -> tuple[np.ndarray, np.ndarray]:
    """f(1), …, f(steps) as (count, steps, 1), and f(2), …, f(steps + 1)."""
    a, b = source.standard_normal((2, count, 1))
    values = a + b * np.arange(1, steps + 2)
    return values[:, :-1, None], values[:, 1:]


def addition(*, draw: int = 0) -> Samples:
    """The sum of the marked numbers, half of all."""
    return at_lengths("addition", draw, marked_sum)


def marked_sum(source: np.random.Generator, count: int, steps: int) -> tuple[np.ndarray, np.ndarray]:
    """Numbers from [0, 1] and marks 0 or 1, each with probability 1/2, as (count, steps, 2); Σ number · mark."""
    numbers, marks = source.uniform(0, 1, (count, steps)), source.integers(0, 2, (count, steps)).astype(np.float64)
    return np.stack([numbers, marks], axis=2), (numbers * marks).sum(axis=1)


def adding_two(*, draw: int = 0) -> Samples:
    """The adding problem: two of the numbers are marked, however many there are."""
    return at_lengths("adding-two", draw, two_marked)


def two_marked(source: np.random.Generator, count: int, steps: int) -> tuple[np.ndarray, np.ndarray]:
    """Numbers from [0, 1] and marks, one in each half, as (count, steps, 2); the sum of the two marked numbers."""
    numbers, marks = source.uniform(0, 1, (count, steps)), np.zeros((count, steps))
    half, row = steps // 2, np.arange(count)
    for first, last in ((0, half), (half, steps)):
        marks[row, source.integers(first, last, count)] = 1.0
    return np.stack([numbers, marks], axis=2), (numbers * marks).sum(axis=1)


def counting(*, draw: int = 0) -> Samples:
    """How many of the numbers are positive."""
    return at_lengths("counting", draw, positives)


def positives(source: np.random.Generator, count: int, steps: int) -> tuple[np.ndarray, np.ndarray]:
    """Numbers from [-1, 1] as (count, steps, 1), positive with a probability that each row draws; their count.

    With one probability for all rows counts would hardly differ from half the steps.
    """
    share = source.uniform(0, 1, (count, 1))
    sign = np.where(source.random((count, steps)) < share, 1.0, -1.0)
    numbers = sign * source.uniform(0, 1, (count, steps))
    return numbers[:, :, None], (numbers > 0).sum(axis=1).astype(np.float64)


def copy_scale(*, draw: int = 0) -> Samples:
    """Each number times the first one."""
    return at_lengths("copy-scale", draw, scaled)


def scaled(source: np.random.Generator, count: int, steps: int) -> tuple[np.ndarray, np.ndarray]:
    """Numbers from [-1, 1] and a mark on the first, as (count, steps, 2); x₁·xᵢ at each step i."""
    numbers = source.uniform(-1, 1, (count, steps))
    first = np.zeros((count, steps))
    first[:, 0] = 1.0
    return np.stack([numbers, first], axis=2), numbers[:, :1] * numbers


def maximum(*, draw: int = 0) -> Samples:
    """The greatest of the numbers."""
    return at_lengths("maximum", draw, greatest)


def greatest(source: np.random.Generator, count: int, steps: int) -> tuple[np.ndarray, np.ndarray]:
    """Numbers from [0, u], u from [0, 1] for each row, as (count, steps, 1); the greatest.

    With one u for all rows the answer would come ever nearer to 1 the longer the sequence.
    """
    numbers = source.uniform(0, 1, (count, 1)) * source.uniform(0, 1, (count, steps))
    return numbers[:, :, None], numbers.max(axis=1)
