"""How commands write their results to stdout."""

from __future__ import annotations

import shutil
import sys
from collections.abc import Sequence
from enum import StrEnum
from typing import TYPE_CHECKING, Annotated, Any

import typer

if TYPE_CHECKING:
    from leaderboard.tables.grid import Grid


class Format(StrEnum):
    """How results are written to stdout."""

    table = "table"
    json = "json"
    csv = "csv"
    markdown = "markdown"


FormatOption = Annotated[Format, typer.Option("--format", "-f", help="How results are written.")]


def terminal() -> tuple[int | None, bool]:
    """Width for tables on stdout (None when it is not a terminal) and whether to colour them."""
    if sys.stdout.isatty():
        return shutil.get_terminal_size().columns, True
    return None, False


def write_grids(grids: Sequence[Grid[Any]], form: Format) -> None:
    """Write tables to stdout."""
    from leaderboard.tables.writing import render

    width, color = terminal()
    sys.stdout.write(render(grids, form.value, width=width, color=color))
