"""``farfield leaderboard`` and ``farfield leaderboard page``."""

from __future__ import annotations

import sys
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from bench.commands._options import OwnTables, with_options
from bench.commands._output import Format, FormatOption, terminal
from bench.plan.options import SuiteFilterOptions

leaderboard_app = typer.Typer(help="Standings from the stored records.", invoke_without_command=True)


def add_to(app: typer.Typer) -> None:
    """Add the commands."""
    app.add_typer(leaderboard_app, name="leaderboard")


class Scope(StrEnum):
    """Which rows are shown."""

    overall = "overall"
    tasks = "tasks"
    both = "both"


@leaderboard_app.callback()
@with_options
def leaderboard(
    context: typer.Context,
    chosen: SuiteFilterOptions,
    scope: Annotated[Scope, typer.Option("--scope", help="Totals over tasks, a row for each task, or both.")] = (
        Scope.overall
    ),
    own_tables: OwnTables = False,
    form: FormatOption = Format.table,
) -> None:
    """Standings from the stored records, in the order of far_error, then id_error, then growth.

    # is the range of places that seeds leave open on these tasks. What is said of tasks like these is an interval over
    tasks, from six on. A method that lacks a task, diverged or failed comes last and is never left out. Protocols are
    never mixed.

    farfield leaderboard --suite quick --real --scope tasks
    """
    if context.invoked_subcommand is not None:
        return
    from bench.sweep.query import chosen_records, tracks_of
    from leaderboard.ranking.tracks import track_boards
    from leaderboard.tables.rendering import render_standings

    boards = track_boards(chosen_records(chosen), tracks_of(chosen), own_tables)
    width, color = terminal()
    sys.stdout.write(render_standings(boards, form.value, scope=scope.value, width=width, color=color))


@leaderboard_app.command("page")
@with_options
def page(
    chosen: SuiteFilterOptions,
    save: Annotated[Path | None, typer.Option("--save", help="The HTML file. [default: OUT/leaderboard.html]")] = None,
    own_tables: OwnTables = False,
) -> None:
    """One HTML file that needs no network: standings to sort, growth, comparison of schemes, how each row was made.

    farfield leaderboard page --suite quick --save standings.html
    """
    from bench.plan.protocol import PROTOCOLS
    from bench.sweep.query import chosen_records, tracks_of
    from leaderboard.page.document import write_page

    settings = {name: protocol.settings() for name, protocol in PROTOCOLS.items()}
    title = "FarField standings" + (f": suite {chosen.suite}" if chosen.suite else "")
    target = save or chosen.out / "leaderboard.html"
    records = chosen_records(chosen)
    written = write_page(
        records, target, title=title, protocols=settings, own_tables=own_tables, tracks=tracks_of(chosen)
    )
    print(written)
