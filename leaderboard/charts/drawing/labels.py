"""Where a name is written in a panel so that it covers no mark, and no mark covers it."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from leaderboard.charts.drawing.style import GREY

FONT = 10
_LETTER = 0.58 * FONT  # mean width of one
_MARGIN = 3.0
_STEPS = (0, 6, 14, 26, 44)  # how far from its anchor a name may stand, beyond what clears a point
_CLEARANCE = 7.5

Place = tuple[float, float]


@dataclass(frozen=True)
class Box:
    """A rectangle in pixels, from the upper left corner of the panel."""

    left: float
    top: float
    right: float
    bottom: float

    @classmethod
    def around(cls, place: Place, width: float, height: float) -> Box:
        """The rectangle about its centre."""
        x, y = place
        return cls(x - width / 2, y - height / 2, x + width / 2, y + height / 2)

    def shared(self, other: Box) -> float:
        """The area that both cover."""
        width = min(self.right, other.right) - max(self.left, other.left)
        height = min(self.bottom, other.bottom) - max(self.top, other.top)
        return max(width, 0.0) * max(height, 0.0)


@dataclass(frozen=True)
class PlotFrame:
    """A panel's size in pixels and the domains of its axes.

    Args:
        size: width and height.
        x: domain of the horizontal axis.
        y: domain of the vertical axis, which is logarithmic.
        log_x: the horizontal axis is logarithmic.
    """

    size: tuple[float, float]
    x: tuple[float, float]
    y: tuple[float, float]
    log_x: bool = True

    def pixel(self, x: float, y: float) -> Place:
        """Where a pair of values lies."""
        across, upward = _share(x, self.x, self.log_x), _share(y, self.y, True)
        return across * self.size[0], (1 - upward) * self.size[1]

    def value(self, place: Place) -> Place:
        """The pair of values that lies there."""
        across, upward = place[0] / self.size[0], 1 - place[1] / self.size[1]
        return _at(across, self.x, self.log_x), _at(upward, self.y, True)

    def line(self, start: Place, end: Place) -> list[Box]:
        """Small boxes along the straight line between two pairs of values."""
        (a, b), (c, d) = self.pixel(*start), self.pixel(*end)
        steps = max(1, math.ceil(math.hypot(c - a, d - b) / 4))
        return [Box.around((a + (c - a) * i / steps, b + (d - b) * i / steps), 4, 4) for i in range(steps + 1)]


def _share(value: float, domain: tuple[float, float], log: bool) -> float:
    low, high, at = (math.log(v) for v in (*domain, value)) if log else (*domain, value)
    return min(max((at - low) / (high - low), -1.0), 2.0)  # what lies outside is not drawn


def _at(share: float, domain: tuple[float, float], log: bool) -> float:
    low, high = (math.log(v) for v in domain) if log else domain
    at = low + share * (high - low)
    return math.exp(at) if log else at


def place_names(
    frame: PlotFrame, names: Sequence[tuple[str, Sequence[Place]]], marks: Iterable[Box], lines: Iterable[Box]
) -> list[Place]:
    """The middle of each name, as a pair of values.

    Every place around every anchor is tried; what is chosen covers least of the marks and of the names before it, then
    least of the lines, then is nearest to the first anchor.

    Args:
        frame: the panel.
        names: each with its anchors as pairs of values, the best first.
        marks: what must not be covered.
        lines: what may be crossed, at a cost.
    """
    taken, crossed = list(marks), list(lines)
    inside = Box(2, 2, frame.size[0] - 2, frame.size[1] - 2)
    found = []
    for name, anchors in names:
        size = (_LETTER * len(name) + _MARGIN, FONT + _MARGIN)
        around = [
            (rank, step, spot)
            for rank, anchor in enumerate(anchors)
            for step in _STEPS
            for spot in _spots(frame.pixel(*anchor), size, _CLEARANCE + step)
        ]

        def cost(choice: tuple[int, int, Place], size: tuple[float, float] = size) -> tuple[float, float]:
            rank, step, spot = choice
            box = Box.around(spot, *size)
            outside = size[0] * size[1] - box.shared(inside)
            hidden = outside + sum(box.shared(other) for other in taken)
            return round(hidden), sum(box.shared(other) for other in crossed) + 2 * step + 12 * rank

        best = min(around, key=cost)[2]
        taken.append(Box.around(best, *size))
        found.append(frame.value(best))
    return found


def _spots(anchor: Place, size: tuple[float, float], away: float) -> list[Place]:
    """Middles of a name of ``size`` around an anchor: above, below, beside it, and at the corners."""
    x, y = anchor
    beside, over = size[0] / 2 + away, size[1] / 2 + away
    return [
        (x + a * beside, y + b * over)
        for a, b in ((0, -1), (0, 1), (-1, 0), (1, 0), (-0.6, -1), (0.6, -1), (-0.6, 1), (0.6, 1))
    ]


def names_layers(base: Any, x: Any, y: Any, field: str) -> list[Any]:
    """Names in grey with a white rim, to be drawn above everything."""
    rim = base.mark_text(fontSize=FONT, stroke="white", strokeWidth=3, strokeJoin="round", baseline="middle")
    text = base.mark_text(fontSize=FONT, color=GREY, baseline="middle")
    return [rim.encode(x, y, text=field), text.encode(x, y, text=field)]
