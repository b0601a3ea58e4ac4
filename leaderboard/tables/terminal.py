"""A grid for a terminal: which columns fit, and where their lines are broken."""

from __future__ import annotations

import re
import textwrap
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from leaderboard.records.interval import Interval
from leaderboard.tables.grid import GAP, Column, Grid, clean
from leaderboard.tables.lines import PIECE, break_lines, length

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
    lines: list[str] = []
    for grid in grids:
        laid = _laid(grid)
        kept = laid if width is None else _fitting(laid, width)
        lines += [_bold(line, color) for line in _broken(clean(grid.title), width or USUAL).split("\n")]
        lines += ["", *_table(grid, kept, _widths(kept, width), color), ""]
        notes = [clean(note) for note in grid.notes] + _left_out(laid, kept)
        for note in notes:
            lines += textwrap.indent(_broken(note, (width or USUAL) - 2), "  ").split("\n")
        lines += [""] if notes else []
    return "".join(f"{line.rstrip()}\n" for line in lines)


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


def _table(grid: Grid[Any], kept: Sequence[_Laid], widths: Sequence[int], color: bool) -> list[str]:
    """The lines of a table: headings over a rule, rows, an empty line between sections."""
    lines: list[str] = []
    if any(one.heading for one in kept):
        lines += [_bold(line, color) for line in _row([one.heading for one in kept], kept, widths, bottom=True)]
        lines.append("─" * _total(widths))
    for place, row in enumerate(grid.rows):
        if grid.section and place and grid.section(row) != grid.section(grid.rows[place - 1]):
            lines.append("")
        lines += _row([one.texts[place] for one in kept], kept, widths)
    return lines


def _row(texts: Sequence[str], kept: Sequence[_Laid], widths: Sequence[int], bottom: bool = False) -> list[str]:
    """The lines of a row, its columns padded to their widths; texts of fewer lines stand at the top or the bottom."""
    cells = [
        [_padded(piece, width, one.numeric) for line in _broken(text, width).split("\n") for piece in _cut(line, width)]
        for text, one, width in zip(texts, kept, widths, strict=True)
    ]
    height = max(map(len, cells), default=0)
    for cell, width in zip(cells, widths, strict=True):
        empty = [" " * width] * (height - len(cell))
        cell[:] = empty + cell if bottom else cell + empty
    return [(" " * _BETWEEN).join(pieces) for pieces in zip(*cells, strict=True)]


def _padded(text: str, width: int, right: bool) -> str:
    spaces = " " * (width - length(text))
    return spaces + text if right else text + spaces


def _cut(line: str, width: int) -> list[str]:
    """Pieces of a line that stays too long, character by character."""
    if length(line) <= width:
        return [line]
    pieces = [""]
    for character in line:
        if pieces[-1] and length(pieces[-1] + character) > width:
            pieces.append("")
        pieces[-1] += character
    return pieces


def _bold(line: str, color: bool) -> str:
    return f"\x1b[1m{line.rstrip()}\x1b[0m" if color and line.strip() else line
