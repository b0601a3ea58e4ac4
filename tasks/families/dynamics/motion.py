"""Damped motion with several places of rest: from position and speed at the beginning, where it ends.

Integrated by the classical Runge-Kutta scheme with fixed steps, so that every machine computes the same.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from tasks.data.samples import Samples
from tasks.families.dynamics.observing import Array, observed

Acceleration = Callable[[Array, Array], Array]
NAMES = ("position", "speed")


def double_well(*, draw: int = 0) -> Samples:
    """Position after 30 time units in a double well; far: the shells, which begin further out.

    Training points are uniform in the disc of radius 1.5 around the point between the wells.
    """

    def disc(random: np.random.Generator, count: int) -> Array:
        angle, length = random.uniform(0, 2 * np.pi, count), 1.5 * np.sqrt(random.random(count))
        return np.column_stack([length * np.cos(angle), length * np.sin(angle)])

    return observed("double-well", draw, disc, double_well_end, 0.02, NAMES)


def damped_pendulum(*, draw: int = 0) -> Samples:
    """Angle after 20 time units of a damped pendulum; far: the shells, which begin further out.

    Training points are uniform: angles in [-π, π], speeds in [-5, 5].
    """

    def box(random: np.random.Generator, count: int) -> Array:
        return random.uniform((-np.pi, -5.0), (np.pi, 5.0), (count, 2))

    return observed("damped-pendulum", draw, box, damped_pendulum_end, 0.1, NAMES)


def double_well_end(begin: Array) -> Array:
    """x(30) of x'' = x - x³ - x'/2 for beginnings (n, 2) of x and x'.

    All but a vanishing share of beginnings come to rest at 1 or at -1; (0, 0) is a saddle. A wide swing is fast: beyond
    10 R (an amplitude of 15) steps are shorter than 0.01 accordingly.
    """
    x, v = begin.T
    widest = float(np.max(np.sqrt(np.sqrt(x * x * x * x + 2 * v * v))))
    return integrated(lambda x, v: x - x * x * x - 0.5 * v, begin, 30.0, step=0.01 * min(1.0, 15 / max(widest, 1.0)))


def damped_pendulum_end(begin: Array) -> Array:
    """θ(20), turns counted, of θ'' = -sin θ - θ'/2 for beginnings (n, 2) of θ and θ'.

    Every multiple of 2π is a place of rest; a fast pendulum turns over about θ'/π times before it swings.
    """
    return integrated(lambda x, v: -np.sin(x) - 0.5 * v, begin, 20.0, step=0.02)


def integrated(acceleration: Acceleration, begin: Array, time: float, step: float) -> Array:
    """Position (n,) after ``time`` of x'' = acceleration(x, x'), from beginnings (n, 2), in equal steps."""
    place, speed = begin[:, 0], begin[:, 1]
    steps = round(time / step)
    h = time / steps
    for _ in range(steps):
        k1 = acceleration(place, speed)
        speed2 = speed + h / 2 * k1
        k2 = acceleration(place + h / 2 * speed, speed2)
        speed3 = speed + h / 2 * k2
        k3 = acceleration(place + h / 2 * speed2, speed3)
        speed4 = speed + h * k3
        k4 = acceleration(place + h * speed3, speed4)
        place = place + h / 6 * (speed + 2 * speed2 + 2 * speed3 + speed4)
        speed = speed + h / 6 * (k1 + 2 * k2 + 2 * k3 + k4)
    return place
