"""How far the measurements are: one line on a terminal, nothing anywhere else."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Mapping, Sequence
from typing import TextIO


class Progress:
    """Says which part is measured, how many of its figures there are, and how long it will still take.

    A part's figures are taken to cost the same; what later parts cost is known where they were measured before.

    Args:
        parts: in order.
        took: seconds of parts in an earlier run.
        stream: written to if it is a terminal.
        clock: seconds.
    """

    def __init__(
        self,
        parts: Sequence[str],
        took: Mapping[str, float],
        stream: TextIO | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._parts, self._took, self._clock = list(parts), dict(took), clock
        self._stream = sys.stderr if stream is None else stream
        self._part, self._figures, self._started = 0, 1, clock()

    def begin(self, part: str, figures: int) -> None:
        """A part begins that gives so many figures."""
        self._part, self._figures, self._started = self._parts.index(part), figures, self._clock()
        self.advance(0)

    def advance(self, done: int) -> None:
        """So many of the part's figures are there."""
        name = self._parts[self._part]
        place = f"part {self._part + 1} of {len(self._parts)}, {name}: {done} of {self._figures} figures"
        self._write(f"{place}, {self._left(done)}")

    def end(self) -> float:
        """The part is done; the seconds it took."""
        self._write("")
        return self._clock() - self._started

    def _left(self, done: int) -> str:
        spent, name = self._clock() - self._started, self._parts[self._part]
        whole = spent / done * self._figures if done else self._took.get(name)
        later = [self._took.get(part) for part in self._parts[self._part + 1 :]]
        known = sum(seconds for seconds in later if seconds is not None)
        unknown = later.count(None)
        if whole is None:
            return "time left not known yet"
        text = f"about {_text(max(whole - spent, 0.0) + known)} left"
        return text + (f" and {unknown} part{'s' * (unknown > 1)} not measured before" if unknown else "")

    def _write(self, line: str) -> None:
        if self._stream.isatty():
            self._stream.write(f"\r\x1b[K{line}")
            self._stream.flush()


def _text(seconds: float) -> str:
    return f"{seconds:.0f} s" if seconds < 90 else f"{seconds / 60:.0f} min"
