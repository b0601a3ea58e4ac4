"""Computed sequences: from ten consecutive steps, the next value; and the sum of a run."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from bench.core.seeding import generator, numbered
from tasks.data.samples import FarSet, Rows, Samples

STEPS = 10
WINDOWS = 4  # taken from each sequence
LENGTH = 20  # steps that a simulation yields
SUM_STEPS = 20


@dataclass(frozen=True)
class Span:
    """A set of sequences that differs from others in one quantity.

    Args:
        name: of the set.
        least, most: range of the quantity.
        count: number of sequences.
        label: how the set is shown.
    """

    name: str
    least: float
    most: float
    count: int
    label: str = ""


Simulate = Callable[[np.random.Generator, Span], np.ndarray]
Change = Callable[[float, np.ndarray, np.ndarray], tuple[np.ndarray, np.ndarray]]


def by_range(task: str, draw: int, simulate: Simulate, inside: Span, *away: Span) -> Samples:
    """Windows of sequences simulated in the range ``inside``, and of others in each range ``away``."""
    rows, taken = [], 0
    for part in (inside, *away):
        series = simulate(generator(task, part.name, *numbered(draw)), part)
        rows.append(windows(series, taken + np.arange(part.count)))
        taken += part.count
    far = (FarSet(part.name, found, label=part.label) for part, found in zip(away, rows[1:], strict=True))
    return Samples(rows[0], tuple(far))


def windows(series: np.ndarray, sources: np.ndarray) -> Rows:
    """Four windows of ten steps from each sequence; the target is the first channel at the step that follows.

    Args:
        series: (sequences, length, channels) values.
        sources: (sequences,) number of each.
    """
    starts = np.linspace(0, series.shape[1] - STEPS - 1, WINDOWS).astype(int)
    places = starts[:, None] + np.arange(STEPS + 1)
    pieces = series[:, places].reshape(-1, STEPS + 1, series.shape[2])
    return Rows(pieces[:, :STEPS], pieces[:, STEPS, 0], np.repeat(sources, WINDOWS))


def trend(*, draw: int = 0) -> Samples:
    """Straight lines f(i) = a + b·i with a, b ~ N(0, 1); far windows lie, with their target, at later i."""
    return by_range(
        "trend-sequence",
        draw,
        straight_lines,
        Span("i-1-30", 1, 30, 600),
        Span("i-31-60", 31, 60, 200, "i = 31 to 60"),
        Span("i-61-100", 61, 100, 200, "i = 61 to 100"),
    )


def straight_lines(draw: np.random.Generator, part: Span) -> np.ndarray:
    """(count, length, 1) values a + b·i for all i of the range."""
    a, b = draw.standard_normal((2, part.count, 1))
    return np.asarray(a + b * np.arange(part.least, part.most + 1))[:, :, None]


def damped_oscillator(*, draw: int = 0) -> Samples:
    """A damped harmonic oscillator; far: higher energy."""
    return by_range("damped-oscillator", draw, damped, *_ENERGIES)


def driven_oscillator(*, draw: int = 0) -> Samples:
    """A driven Duffing oscillator; far: higher energy."""
    return by_range("driven-oscillator", draw, driven, *_ENERGIES)


_ENERGIES = (
    Span("energy-0-1", 0, 1, 500),
    Span("energy-1-4", 1, 4, 100, "energy 1 to 4"),
    Span("energy-4-25", 4, 25, 100, "energy 4 to 25"),
)


def damped(draw: np.random.Generator, part: Span) -> np.ndarray:
    """(count, 20, 1) positions of x'' = -ω²x - 2γx' every 0.4 time units, in closed form.

    ω is uniform in [0.8, 1.2], γ in [0.02, 0.1], the first energy (x'² + ω²x²) / 2 in the range.
    """
    omega, gamma = draw.uniform(0.8, 1.2, (part.count, 1)), draw.uniform(0.02, 0.1, (part.count, 1))
    amplitude = np.sqrt(2 * draw.uniform(part.least, part.most, (part.count, 1)))
    phase = draw.uniform(0, 2 * np.pi, (part.count, 1))
    place, speed = amplitude * np.cos(phase) / omega, amplitude * np.sin(phase)
    time = 0.4 * np.arange(LENGTH)
    beat = np.sqrt(omega**2 - gamma**2)
    swing = place * np.cos(beat * time) + (speed + gamma * place) / beat * np.sin(beat * time)
    return np.asarray(np.exp(-gamma * time) * swing)[:, :, None]


def driven(draw: np.random.Generator, part: Span) -> np.ndarray:
    """(count, 20, 2) positions of x'' = -x - x³ - 0.1x' + f with f = 0.5 cos(1.2t + φ), every 0.2 time units.

    φ is uniform, the first energy x'²/2 + x²/2 + x⁴/4 uniform in the range. The second channel is the force f.
    """
    energy, share = draw.uniform(part.least, part.most, part.count), draw.uniform(0, 1, part.count)
    place = np.sqrt(np.sqrt(1 + 4 * energy * share) - 1) * draw.choice([-1.0, 1.0], part.count)
    speed = np.sqrt(2 * energy * (1 - share)) * draw.choice([-1.0, 1.0], part.count)
    phase = draw.uniform(0, 2 * np.pi, part.count)

    def change(time: float, x: np.ndarray, v: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        return v, -x - x**3 - 0.1 * v + 0.5 * np.cos(1.2 * time + phase)

    times = 0.2 * np.arange(LENGTH)
    force = 0.5 * np.cos(1.2 * times + phase[:, None])
    return np.stack([integrated(change, place, speed, times)[:, :, 0], force], axis=2)


def lotka_volterra(*, draw: int = 0) -> Samples:
    """Prey and predators; far: one of the two populations begins larger."""
    return by_range(
        "lotka-volterra",
        draw,
        populations,
        Span("to-1", 0.5, 1.5, 500),
        Span("to-3", 1.5, 3, 100, "populations from 1.5 to 3"),
        Span("to-6", 3, 6, 100, "populations from 3 to 6"),
    )


def populations(draw: np.random.Generator, part: Span) -> np.ndarray:
    """(count, 20, 2) prey x and predators y, x' = x - xy, y' = xy - y (both 1 at rest), every 0.3 time units.

    Either prey or predators begin in the range, the other ones between 0.5 and 1.5.
    """
    large, other = draw.uniform(part.least, part.most, part.count), draw.uniform(0.5, 1.5, part.count)
    first = draw.random(part.count) < 0.5

    def change(time: float, x: np.ndarray, y: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        return x - x * y, x * y - y

    return integrated(change, np.where(first, large, other), np.where(first, other, large), 0.3 * np.arange(LENGTH))


def integrated(change: Change, first: np.ndarray, second: np.ndarray, times: np.ndarray) -> np.ndarray:
    """(count, times, 2) solution of two coupled equations for many beginnings (count,) at once (DOP853)."""
    from scipy.integrate import solve_ivp

    def flat(time: float, state: np.ndarray) -> np.ndarray:
        return np.concatenate(change(time, *np.split(state, 2)))

    begin = np.concatenate([first, second])
    solution = solve_ivp(flat, (times[0], times[-1]), begin, "DOP853", times, rtol=1e-9, atol=1e-9)
    return np.stack(np.split(solution.y, 2), axis=2)


def total(*, draw: int = 0) -> Samples:
    """The sum of 4 to 10 consecutive values from [-1, 1], with zeros before and after, in 20 steps.

    Far: values from [-3, 3] and [-10, 10]; and longer runs, of 11 to 20 values from [-1, 1]. Longer runs stay within
    the 20 steps, so that architectures of fixed length take them too.
    """
    far = (
        FarSet("larger-3", _sums(draw, "larger-3", 500, (4, 10), 3.0), label="values to ±3"),
        FarSet("larger-10", _sums(draw, "larger-10", 500, (4, 10), 10.0), label="values to ±10"),
        FarSet("longer", _sums(draw, "longer", 500, (11, 20), 1.0), label="11 to 20 values"),
    )
    return Samples(_sums(draw, "train", 2500, (4, 10), 1.0), far)


def _sums(draw: int, name: str, count: int, lengths: tuple[int, int], reach: float) -> Rows:
    source = generator("sum-sequence", name, *numbered(draw))
    length = source.integers(lengths[0], lengths[1] + 1, (count, 1))
    start = source.integers(0, SUM_STEPS - length + 1)
    step = np.arange(SUM_STEPS)
    inside = (step >= start) & (step < start + length)
    values = np.where(inside, source.uniform(-reach, reach, inside.shape), 0.0)
    return Rows(values[:, :, None], values.sum(axis=1))
