"""How a norm scheme looks, wherever it is drawn: one colour, one dash and one marker a scheme, from its name alone.

The kind of norm decides the hue; placement and options decide the shade, and the pattern of dash and marker:
``layer@all`` and ``layer@first`` are two blues, one solid and one dashed. Hues begin with Okabe and Ito's (2008); two
kinds at one placement, and two shades of one kind, can be told apart with normal sight, protanopia and deuteranopia.
A kind that is not built in gets one of the further hues by the hash of its name, the same in every picture.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

Shades = tuple[str, str, str]
Dash = tuple[int, ...]

NONE = "#000000"
_BESIDE = 36  # characters of a name for which there is room right of a chart
_ACROSS = 100  # characters below one
_KINDS: dict[str, Shades] = {
    "layer": ("#0072B2", "#5BA6EA", "#00457F"),
    "rms": ("#D55E00", "#FF9340", "#992D00"),
    "batch": ("#E69F00", "#FFC53B", "#C78500"),
    "group": ("#009E73", "#58D6A7", "#006C45"),
    "instance": ("#CC79A7", "#FFACDB", "#944673"),
    "scale": ("#6B0F1A", "#B04F4E", "#D97370"),
    "dyt": ("#404FCF", "#7A7BFF", "#00279D"),
}
"""The kinds that most charts are about: these shades are held apart by a test."""
_FURTHER: tuple[Shades, ...] = (
    ("#7F7F00", "#ADAA3B", "#545700"),
    ("#8C564B", "#BC8377", "#5E2D23"),
    ("#09696B", "#46989A", "#003D40"),
    ("#B0337A", "#E564A8", "#7C004F"),
    ("#5F7A99", "#8FA9CA", "#32516D"),
    ("#6F9A1F", "#9EC94F", "#426E00"),
)
"""Of all other kinds."""
_OTHERS = {"weight": 0, "spectral": 1, "own": 4, "revin": 2, "radial": 3, "clip": 5}

_PATTERNS: tuple[tuple[Dash, str], ...] = (
    ((1, 0), "circle"),
    ((6, 3), "triangle-up"),
    ((2, 2), "square"),
    ((8, 3, 2, 3), "diamond"),
    ((12, 4), "triangle-down"),
    ((5, 2, 1, 2, 1, 2), "cross"),
    ((1, 3), "triangle-right"),
    ((12, 3, 4, 3), "triangle-left"),
)
"""Dash and marker."""
_PLACES = {  # shade and pattern; what stands in one family's pictures differs in both
    "all": (0, 0),
    "first": (1, 1),
    "last": (2, 2),
    "pre": (0, 1),
    "post": (1, 2),
    "pre+final": (2, 3),
    "sandwich": (1, 3),
    "qk": (2, 1),
    "final": (0, 2),
    "embed": (1, 0),
    "input": (0, 3),
    "output": (2, 0),
}
_COUNTED = tuple((shade, pattern) for pattern in range(4, 8) for shade in (1, 2, 0))
_NUMBER = re.compile(r"[a-z]*(\d+)\Z")


@dataclass(frozen=True)
class Look:
    """What a scheme is drawn with.

    Args:
        kind: name of its norm, of the first one where there are several.
        color: ``#RRGGBB``.
        dash: lengths of strokes and gaps; ``(1, 0)`` is a solid line.
        marker: as Vega names symbols.
    """

    kind: str
    color: str
    dash: Dash
    marker: str


@lru_cache(maxsize=4096)
def look_of(scheme: str) -> Look:
    """The look of a scheme, spelled as records spell it: the same for every reader and in every chart."""
    kind, _, placement = scheme.partition("@")
    name, _, options = kind.partition("(")
    if scheme == "none":
        return Look(name, NONE, *_PATTERNS[0])
    shade, pattern = _style(placement, options)
    return Look(name, _hue(name)[shade], *_PATTERNS[pattern])


def _hue(kind: str) -> Shades:
    return _KINDS[kind] if kind in _KINDS else _FURTHER[_OTHERS.get(kind, _hash(kind) % len(_FURTHER))]


def _style(placement: str, options: str) -> tuple[int, int]:
    """Shade and pattern; options move a scheme away from where it would be without any."""
    counted = _NUMBER.match(placement)
    if placement in _PLACES:
        plain = _PLACES[placement]
    elif counted:
        plain = _COUNTED[(int(counted[1]) - 1) % len(_COUNTED)]
    else:
        drawn = _hash(placement)
        plain = drawn % 3, drawn // 3 % len(_PATTERNS)
    if not options:
        return plain
    away = 1 + _hash(options) % (3 * len(_PATTERNS) - 1)
    place = (3 * plain[1] + plain[0] + away) % (3 * len(_PATTERNS))
    return place % 3, place // 3


def _hash(text: str) -> int:
    return int.from_bytes(hashlib.sha256(text.encode()).digest()[:8])


def patterns_of(names: Sequence[str]) -> list[tuple[Dash, str]]:
    """Dash and marker of each name: its own, or the next that are free where another of the same colour has them."""
    taken: set[tuple[str, Dash]] = set()
    found = []
    for name in names:
        look = look_of(name)
        own = (look.dash, look.marker)
        start = _PATTERNS.index(own)
        turns = [*_PATTERNS[start:], *_PATTERNS[:start]]
        pattern = next((one for one in turns if (look.color, one[0]) not in taken), own)
        taken.add((look.color, pattern[0]))
        found.append(pattern)
    return found


def color_scale(names: Sequence[str]) -> Any:
    """Every scheme in its colour."""
    import altair as alt

    return alt.Scale(domain=list(names), range=[look_of(name).color for name in names])


def dash_scale(names: Sequence[str]) -> Any:
    """Every scheme with its dash, no two of one colour alike."""
    import altair as alt

    return alt.Scale(domain=list(names), range=[list(dash) for dash, _ in patterns_of(names)])


def marker_scale(names: Sequence[str]) -> Any:
    """Every scheme with its marker, no two of one colour alike."""
    import altair as alt

    return alt.Scale(domain=list(names), range=[marker for _, marker in patterns_of(names)])


def scheme_legend(
    names: Sequence[str], labels: Mapping[str, str] | None = None, *, right: bool, points: bool = False
) -> Any:
    """The legend of norm schemes: what colour, dash and marker stand for.

    Args:
        names: in order.
        labels: what is written for some of them instead of their names.
        right: it may stand right of the chart; long names go below it all the same.
        points: it shows markers instead of lines.
    """
    import altair as alt

    shown = {name: (labels or {}).get(name, name) for name in names}
    lengths = [len(text) for text in shown.values()]
    beside = right and max(lengths, default=0) <= _BESIDE
    return alt.Legend(
        title="norm scheme",
        orient="right" if beside else "bottom",
        columns=1 if beside else _columns(lengths),
        offset=55 if right and points and not beside else 18,  # what charts of points write below their axis
        labelExpr=f"{json.dumps(shown)}[datum.label]",
        labelLimit=0,
        symbolOpacity=1,
        symbolSize=60 if points else 400,
        symbolType=alt.Undefined if points else "stroke",
    )


def _columns(lengths: Sequence[int]) -> int:
    """At most six, as many as fit: a column is as wide as its longest label."""
    for count in range(6, 1, -1):
        widths = [max(lengths[place::count], default=0) + 7 for place in range(count)]
        if sum(widths) <= _ACROSS:
            return count
    return 1


def solid_first(names: Iterable[str]) -> list[str]:
    """Names so that a dashed line is drawn over a solid one, and both are seen where they coincide."""
    return sorted(names, key=lambda name: -_inked(look_of(name).dash))


def _inked(dash: Dash) -> float:
    return sum(dash[::2]) / sum(dash)
