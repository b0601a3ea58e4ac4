"""A table of typed columns, written for a terminal, as Markdown, as CSV or as JSON."""

from __future__ import annotations

import csv
import io
import json
import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Generic, Literal, TypeVar, get_args

from bench.core.errors import UnknownName
from leaderboard.records.interval import Interval

Format = Literal["table", "markdown", "csv", "json"]
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


def render(grids: Sequence[Grid[Any]], form: Format, *, width: int | None = None, color: bool = False) -> str:
    """Write ``grids`` in the format ``form``, with a newline at the end.

    Args:
        grids: tables; CSV needs them to share their columns.
        form: ``table``, ``markdown``, ``csv`` or ``json``.
        width: of the terminal, for ``table``; None where there is none, and nothing is left out.
        color: terminal colours, for ``table``.

    Raises:
        InputError: an unknown format.
    """
    if form not in get_args(Format):
        raise UnknownName.among("format", form, get_args(Format))
    if form == "table":
        from leaderboard.tables.terminal import write_tables

        return write_tables(grids, width, color)
    return {"markdown": _markdown, "csv": _csv, "json": _json}[form](grids)


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


def _markdown(grids: Sequence[Grid[Any]]) -> str:
    blocks = []
    for grid in grids:
        columns = grid.visible()
        lines = [f"### {_escape(grid.title)}", ""]
        lines.append("| " + " | ".join(_escape(c.heading.replace(GAP, " ")) for c in columns) + " |")
        lines.append("|" + "---|" * len(columns))
        lines += ["| " + " | ".join(_escape(c.text(row)) for c in columns) + " |" for row in grid.rows]
        lines += ["", *(f"- {_escape(note)}" for note in grid.notes)]
        blocks.append("\n".join(lines).rstrip())
    return "\n\n".join(blocks) + "\n"


def _escape(text: str) -> str:
    """Text that Markdown and the HTML inside it take literally."""
    for character in "\\`*_|":
        text = text.replace(character, "\\" + character)
    return clean(text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;").replace("](", "]\\("))


def _csv(grids: Sequence[Grid[Any]]) -> str:
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    header: list[str] | None = None
    for grid in grids:
        names = [name for column in grid.columns for name in _csv_names(column, grid.rows)]
        if header is None:
            header = names
            writer.writerow(header)
        for row in grid.rows:
            values = {}
            for column in grid.columns:
                values.update(_csv_values(column, row))
            writer.writerow([values.get(name, "") for name in header])
    return out.getvalue()


def _csv_names(column: Column[Any], rows: Sequence[Any]) -> list[str]:
    spread = column.direction is not None or any(isinstance(column.value(row), Interval) for row in rows)
    return [column.name, f"{column.name}_low", f"{column.name}_high"] if spread else [column.name]


def _csv_values(column: Column[Any], row: Any) -> dict[str, str]:
    value = column.value(row)
    if not isinstance(value, Interval):
        return {column.name: _csv_text(value)}
    ends = {f"{column.name}_low": _csv_text(value.low), f"{column.name}_high": _csv_text(value.high)}
    return {column.name: _csv_text(value.mean), **ends}


def _csv_text(value: Value) -> str:
    if value is None:
        return ""
    if isinstance(value, tuple):
        return ";".join(value)
    if isinstance(value, bool):
        return "true" if value else "false"
    return repr(value) if isinstance(value, float) else str(value)


def _json(grids: Sequence[Grid[Any]]) -> str:
    directions = {c.name: c.direction for grid in grids for c in grid.columns if c.direction}
    tables = [
        {
            "title": grid.title,
            **(grid.facts or {}),
            "notes": list(grid.notes),
            "rows": [{c.name: _json_value(c.value(row)) for c in grid.columns} for row in grid.rows],
        }
        for grid in grids
    ]
    content = {"better": directions, "confidence": 0.95, "tables": tables}
    return json.dumps(content, indent=1, allow_nan=False, ensure_ascii=False) + "\n"


def _json_value(value: Value) -> Any:
    """JSON has no infinity: such a number is null, and ``infinite`` says so."""
    if isinstance(value, Interval):
        ends = {"mean": _finite(value.mean), "low": _finite(value.low), "high": _finite(value.high)}
        return ends | ({"infinite": True} if math.isinf(value.mean) else {})
    if isinstance(value, tuple):
        return list(value)
    return _finite(value) if isinstance(value, float) else value


def _finite(value: float | None) -> float | None:
    return value if value is not None and math.isfinite(value) else None
