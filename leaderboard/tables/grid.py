"""A table of typed columns, and how its values read."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Generic, Literal, TypeVar

from leaderboard.records.interval import Interval

Direction = Literal["lower", "higher"]
Row = TypeVar("Row")
GAP = "\x1f"  # in a heading or the text of ``Column.show``: a space, where a terminal's table breaks the line
Value = str | int | float | bool | None | Interval | tuple[str, ...]


@dataclass(frozen=True)
class Column(Generic[Row]):
    """One column.

    Args:
        name: in CSV and JSON.
        heading: for people; may hold ``GAP``.
        value: of a row; an :class:`Interval` takes three columns in CSV.
        direction: which values are better; ``None`` where neither is, or for words.
        show: the text for people, where it is not simply the value's; printable (:func:`clean`), but for ``GAP``.
        extra: for programs: in CSV and JSON only.
        spare: what a narrow terminal goes without, the greatest number first: a column above 0 is left out before any
            line is broken, one below 0 only where lines broken at every space do not fit either; 0 stays.
    """

    name: str
    heading: str
    value: Callable[[Row], Value]
    direction: Direction | None = None
    show: Callable[[Row], str | None] | None = None
    extra: bool = False
    spare: int = 0

    def text(self, row: Row, gap: str = " ") -> str:
        """The value as people read it."""
        special = self.show(row) if self.show else None
        return special.replace(GAP, gap) if special is not None else show_value(self.value(row), gap)


@dataclass(frozen=True)
class Grid(Generic[Row]):
    """A titled table.

    Args:
        title: says what it is about.
        columns: in order.
        rows: in order.
        notes: stand below it.
        facts: go into JSON beside the rows.
        section: a line is drawn where this changes from row to row.
    """

    title: str
    columns: Sequence[Column[Row]]
    rows: Sequence[Row]
    notes: Sequence[str] = ()
    facts: Mapping[str, Any] | None = None
    section: Callable[[Row], object] | None = None

    def visible(self) -> list[Column[Row]]:
        """The columns for people that say something in some row."""
        return [c for c in self.columns if not c.extra and any(c.text(row) not in ("", "–") for row in self.rows)]


def show_number(value: float) -> str:
    """Three significant digits; ∞ for infinity."""
    if math.isinf(value):
        return "∞" if value > 0 else "−∞"
    magnitude = abs(float(f"{value:.2e}"))
    if magnitude and not 1e-3 <= magnitude < 1e5:
        mantissa, exponent = f"{value:.2e}".split("e")
        return f"{mantissa}e{int(exponent)}".replace("-", "−")
    digits = max(0, 2 - math.floor(math.log10(magnitude))) if magnitude else 2
    return f"{value:.{digits}f}".replace("-", "−")


def show_value(value: Value, gap: str = " ") -> str:
    """A value for people: an interval is its mean and, after ``gap``, its ends in brackets."""
    if value is None:
        return "–"
    if isinstance(value, Interval):
        if value.low is None or value.high is None or value.low == value.high:
            return show_number(value.mean)
        return f"{show_number(value.mean)}{gap}[{show_number(value.low)}, {show_number(value.high)}]"
    if isinstance(value, float):
        return show_number(value)
    return clean(", ".join(value) if isinstance(value, tuple) else str(value))


def clean(text: str) -> str:
    """The text without characters that move a cursor; only line ends that this module itself writes remain."""
    if text.isprintable():
        return text
    return "".join(c if c.isprintable() else " " if c.isspace() else "\ufffd" for c in text)
