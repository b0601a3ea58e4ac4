"""A mean with the ends of its interval; apart from the statistics, so that a table can be drawn without numpy."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Interval:
    """A mean and the ends of its 95% interval.

    ``low`` and ``high`` are ``None`` where an interval cannot be had: from one seed, or where a value is infinite.
    ``mean`` is then still the mean (infinite, if a value is).
    """

    mean: float
    low: float | None = None
    high: float | None = None

    def map(self, function: Callable[[float], float]) -> Interval:
        """The interval of an increasing function of the quantity."""
        ends = [None if end is None else function(end) for end in (self.low, self.high)]
        return Interval(function(self.mean), ends[0], ends[1])
