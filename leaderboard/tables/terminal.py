"""A grid for a terminal: which columns fit, and where their lines are broken."""

from __future__ import annotations

import io
import re
import textwrap
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

from leaderboard.records.interval import Interval
from leaderboard.tables.grid import GAP, Column, Grid, clean
from leaderboard.tables.lines import PIECE, break_lines, length

if TYPE_CHECKING:
    from rich.table import Table

USUAL = 200  # characters that a table should have where no terminal says how wide it is
PROSE = 40  # characters of a column that are left together there
_BETWEEN = 2  # spaces between columns
_KEPT = re.compile(r"(?<=≤) | (?=[↓*](?:\s|,|$))")  # spaces whose two sides belong together
_TIE = "\u00a0"


@dataclass(frozen=True)
class _Laid:
    """A column with its texts.

    Args:
        column: of the grid.
        heading: may hold line ends, as ``texts`` may.
        texts: a row each.
        numeric: aligned at the right, broken after everything else.
        natural: characters of the longest line.
        least: characters of the longest word.
    """

    column: Column[Any]
    heading: str
    texts: tuple[str, ...]
    numeric: bool
    natural: int
    least: int

    @property
    def text(self) -> str:
        """Everything in it."""
        return "\n".join((self.heading, *self.texts))


def write_tables(grids: Sequence[Grid[Any]], width: int | None, color: bool) -> str:
    """Tables of at most ``width`` characters.

    Columns with ``spare`` above 0 are left out before any line is broken, those below 0 only where lines that are
    broken at every space do not fit either; a note names them. A word is broken only where what stays does not fit.

    Args:
        grids: in order.
        width: of the terminal; None: nothing is left out, and only long prose is broken.
        color: terminal styles.
    """
    from rich.console import Console
    from rich.text import Text

    out = io.StringIO()
    # all lines are broken here: rich measures the terminal by its environment, which may say otherwise
    console = Console(file=out, width=100_000, height=25, force_terminal=color, no_color=not color, highlight=False)
    for grid in grids:
        laid = _laid(grid)
        kept = laid if width is None else _fitting(laid, width)
        console.print(Text(_broken(clean(grid.title), width or USUAL), style="bold"))
        console.print()
        console.print(_rich_table(grid, kept, _widths(kept, width)))
        console.print()
        notes = [clean(note) for note in grid.notes] + _left_out(laid, kept)
        for note in notes:
            console.print(Text(textwrap.indent(_broken(note, (width or USUAL) - 2), "  ")))
        if notes:
            console.print()
    return "".join(f"{line.rstrip()}\n" for line in out.getvalue().splitlines())


def _laid(grid: Grid[Any]) -> list[_Laid]:
    """The columns that say something in some row."""
    laid = []
    for column in grid.columns:
        texts = () if column.extra else tuple(_tied(column.text(row, gap="\n")) for row in grid.rows)
        if any(text not in ("", "–") for text in texts):
            heading = _tied(column.heading.replace(GAP, "\n"))
            text = "\n".join((heading, *texts))
            natural, least = (max(map(length, re.split(end, text))) for end in ("\n", "[ \n]"))
            laid.append(_Laid(column, heading, texts, _numeric(column, grid), natural, least))
    return laid


def _tied(text: str) -> str:
    return _KEPT.sub(_TIE, text)


def _numeric(column: Column[Any], grid: Grid[Any]) -> bool:
    return any(isinstance(column.value(row), int | float | Interval) for row in grid.rows)


def _fitting(laid: Sequence[_Laid], width: int) -> list[_Laid]:
    """The columns that stay on a terminal of ``width`` characters, in order."""
    kept = list(laid)
    while _total([one.natural for one in kept]) > width and any(one.column.spare > 0 for one in kept):
        kept.remove(max(kept, key=lambda one: one.column.spare))
    while _total([one.least for one in kept]) > width and (last := [one for one in kept if one.column.spare < 0]):
        kept.remove(max(last, key=lambda one: one.column.spare))
    return kept


def _left_out(laid: Sequence[_Laid], kept: Sequence[_Laid]) -> list[str]:
    names = [one.column.heading.replace(GAP, " ").removesuffix(" ↓") for one in laid if one not in kept]
    return [f"too narrow for: {', '.join(names)} (in a wider terminal, or with --format json)"] if names else []


def _total(widths: Sequence[int]) -> int:
    return sum(widths) + _BETWEEN * (len(widths) - 1)


def _widths(kept: Sequence[_Laid], width: int | None) -> list[int]:
    """Characters of each column: words go to new lines first, then numbers, and only then words are broken."""
    if width is None:
        stages = [[one.natural if one.numeric else max(one.least, min(one.natural, PROSE)) for one in kept]]
    else:
        stages = [
            [one.natural if one.numeric else one.least for one in kept],
            [one.least for one in kept],
            [max((length(piece) for piece in PIECE.findall(one.text)), default=1) for one in kept],
            [1 for _ in kept],
        ]
    widths = [one.natural for one in kept]
    for floors in stages:
        while _total(widths) > (width or USUAL) and any(w > floor for w, floor in zip(widths, floors, strict=True)):
            loose = [place for place, floor in enumerate(floors) if widths[place] > floor]
            widths[max(loose, key=widths.__getitem__)] -= 1
    return widths


def _broken(text: str, width: int) -> str:
    return "\n".join(break_lines(text, width)).replace(_TIE, " ")


def _rich_table(grid: Grid[Any], kept: Sequence[_Laid], widths: Sequence[int]) -> Table:
    from rich import box
    from rich.table import Table
    from rich.text import Text

    table = Table(
        box=box.SIMPLE_HEAD,
        show_edge=False,
        show_header=any(one.heading for one in kept),
        header_style="bold",
        padding=(0, _BETWEEN - 1, 0, 0),
        pad_edge=False,
    )
    for one, width in zip(kept, widths, strict=True):
        justify: Literal["left", "right"] = "right" if one.numeric else "left"
        table.add_column(Text(_broken(one.heading, width)), justify=justify, overflow="fold", width=width)
    for place, row in enumerate(grid.rows):
        if grid.section and place and grid.section(row) != grid.section(grid.rows[place - 1]):
            table.add_section()
        table.add_row(*(Text(_broken(one.texts[place], width)) for one, width in zip(kept, widths, strict=True)))
    return table
