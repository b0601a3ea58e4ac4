"""What all charts share: colours that colour-blind people can tell apart, axes, titles."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from typing import Any

from bench.core.registry import natural
from leaderboard.tables.lines import break_lines

# Okabe and Ito (2008), black first for what has no normalization; their yellow is faint on white: a dark red instead
OKABE_ITO = ("#000000", "#E69F00", "#56B4E9", "#009E73", "#0072B2", "#D55E00", "#CC79A7", "#6B0F1A")
GREY = "#767676"


def ordered(names: Iterable[str]) -> list[str]:
    """Names of schemes in natural order, ``none`` first."""
    return sorted(set(names), key=lambda name: (name != "none", natural(name)))


def decades(
    values: Iterable[float], least: float = 1e-6, most: float = 1e12, margin: float = 0.05
) -> tuple[list[float], list[float]]:
    """A domain of whole decades around positive values, and at most eight ticks in it.

    Args:
        values: what must be seen; others than positive finite ones are ignored.
        least, most: the domain stays within these.
        margin: decades of air around the outermost values.
    """
    logs = [math.log10(min(max(v, least), most)) for v in values if v > 0 and math.isfinite(v)] or [0.0]
    low, high = math.floor(min(logs) - margin), math.ceil(max(logs) + margin)
    high = max(high, low + 1)
    step = math.ceil((high - low) / 7)
    return [10.0**low, 10.0**high], [10.0**i for i in range(low, high + 1) if i % step == 0]


def log_ticks(low: float, high: float) -> list[float]:
    """At most eight round numbers between two positive ones: decades, else 1, 2, 5, else steps of a tenth or less."""
    span = math.log10(high / low)
    if span > 2:
        return [t for t in decades([low, high], least=1e-300, most=1e300, margin=0)[1] if low <= t <= high]
    if span > 0.6:
        exponents = range(math.floor(math.log10(low)), math.ceil(math.log10(high)))
        return [m * 10.0**e for e in exponents for m in (1, 2, 5) if low <= m * 10.0**e <= high]
    step = 10.0 ** math.floor(math.log10(high - low))
    step *= next(m for m in (0.2, 0.5, 1.0, 2.0) if (high - low) / (m * step) <= 6)
    first = math.ceil(low / step)
    return [round(i * step, 12) for i in range(first, math.floor(high / step) + 1)]


def own_log_scale(values: Iterable[float], title: str, margin: float = 0.06) -> dict[str, Any]:
    """Scale and axis around positive values, for a panel that has its own: arguments of ``alt.X`` and ``alt.Y``."""
    import altair as alt

    logs = [math.log10(v) for v in values if v > 0 and math.isfinite(v)] or [0.0]
    air = max(margin * (max(logs) - min(logs)), 0.02)
    low, high = 10.0 ** (min(logs) - air), 10.0 ** (max(logs) + air)
    scale = alt.Scale(type="log", domain=[low, high], nice=False)
    return {"scale": scale, "axis": log_axis(title, log_ticks(low, high))}


def log_axis(title: str, ticks: Sequence[float]) -> Any:
    """An axis for a logarithmic scale, labelled 0.01, 1, 100, 1e4."""
    import altair as alt

    plain = "datum.value >= 0.00099 && datum.value <= 1001"
    label = f"{plain} ? format(datum.value, '~g') : replace(format(datum.value, '~e'), '+', '')"
    return alt.Axis(title=title, labelExpr=label, values=list(ticks))


def titled(chart: Any, title: str, lines: Sequence[str]) -> Any:
    """The chart with its title, the small lines below it, and the look of the house."""
    import altair as alt

    heading = alt.TitleParams(
        text=wrap(title, 90), subtitle=[part for line in lines for part in wrap(line, 115)], anchor="start", offset=12
    )
    return (
        chart.properties(title=heading, background="white", padding=12)
        .configure(font="Liberation Sans, Arial, Helvetica, sans-serif")
        .configure_title(fontSize=15, subtitleFontSize=11, subtitleColor="#444444", subtitlePadding=4)
        .configure_axis(
            labelFontSize=11,
            titleFontSize=12,
            titleFontWeight="normal",
            gridColor="#E8E8E8",
            tickColor="#888888",
            domainColor="#888888",
        )
        .configure_legend(
            labelFontSize=11, titleFontSize=11, symbolStrokeWidth=2.5, labelLimit=0, titleFontWeight="normal"
        )
        .configure_header(labelFontSize=12, titleFontSize=12, labelFontWeight="bold", labelLimit=0)
        .configure_view(stroke="#CCCCCC")
    )


def wrap(text: str, width: int) -> list[str]:
    """Lines of at most ``width`` characters, for renderers do not break lines; nothing is left out."""
    lines = break_lines(text, width)
    return [line[at : at + width] for line in lines for at in range(0, max(len(line), 1), width)]


def in_lines(text: str, pixels: float, font: float = 12) -> list[str]:
    """``text`` in as many lines as it takes within ``pixels``: for titles that tell panels apart."""
    return wrap(text, max(8, int(pixels / (0.5 * font))))


def fitted(text: str, pixels: float, font: float = 12) -> str | list[str]:
    """As :func:`in_lines`, but at most three: what is longer ends with an ellipsis. For axes and legends."""
    lines = wrap(text, max(8, int(pixels / (0.47 * font))))
    if len(lines) > 3:
        lines = [*lines[:2], f"{lines[2].rstrip()[:-2]} …"]
    return lines if len(lines) > 1 else lines[0]


def listing(items: Sequence[str], most: int = 4) -> str:
    """``a, b and 3 more``."""
    shown = ", ".join(items[:most])
    return shown + (f" and {len(items) - most} more" if len(items) > most else "")


def seeds_text(counts: Iterable[int]) -> str:
    """``5 seeds``, ``3–5 seeds``."""
    numbers = sorted(set(counts))
    if not numbers:
        return "no seeds"
    if len(numbers) == 1:
        return f"{numbers[0]} seed{'s' * (numbers[0] != 1)}"
    return f"{numbers[0]}–{numbers[-1]} seeds"
