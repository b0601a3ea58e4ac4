"""Options that several commands share."""

from __future__ import annotations

import shutil
import sys
from collections.abc import Sequence
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

if TYPE_CHECKING:
    from leaderboard.tables.grid import Grid

DEFAULT_OUT = Path("farfield-results")


class Format(StrEnum):
    """How results are written to stdout."""

    table = "table"
    json = "json"
    csv = "csv"
    markdown = "markdown"


Out = Annotated[Path, typer.Option("--out", help="Folder of the results.", show_default=True)]
FormatOption = Annotated[Format, typer.Option("--format", "-f", help="How results are written.")]
Suite = Annotated[str | None, typer.Option("--suite", help="Only the cells of this suite (a name or a YAML file).")]
ProtocolOption = Annotated[
    str | None, typer.Option("--protocol", help="Training protocol: 1, quick or paper. [default: the suite's, or 1]")
]
TaskFilter = Annotated[list[str] | None, typer.Option("--task", help="Only these tasks (patterns such as 'sine*').")]
ArchFilter = Annotated[list[str] | None, typer.Option("--arch", help="Only these architectures (patterns).")]
NormFilter = Annotated[list[str] | None, typer.Option("--norm", help="Only these norm schemes (patterns).")]
Plugin = Annotated[
    list[Path] | None, typer.Option("--plugin", help="Python file that registers tasks or architectures. Repeatable.")
]


def terminal() -> tuple[int | None, bool]:
    """Width for tables on stdout (None when it is not a terminal) and whether to colour them."""
    if sys.stdout.isatty():
        return shutil.get_terminal_size().columns, True
    return None, False


def load_plugins(files: list[Path] | None) -> tuple[str, ...]:
    """Import the plug-in files a user named; returns their absolute paths for the workers."""
    from bench.core.plugins import load_plugin

    for file in files or ():
        load_plugin(file)
    return tuple(str(file.resolve()) for file in files or ())


def write_grids(grids: Sequence[Grid[Any]], form: Format) -> None:
    """Write tables to stdout."""
    from leaderboard.tables.writing import render

    width, color = terminal()
    sys.stdout.write(render(grids, form.value, width=width, color=color))
