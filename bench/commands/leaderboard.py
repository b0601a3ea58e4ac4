"""``farfield leaderboard``, ``farfield leaderboard page`` and ``farfield leaderboard publish``."""

from __future__ import annotations

import sys
from dataclasses import replace
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any

import typer

from bench.commands._options import OwnTables, load_plugins, with_options
from bench.commands._output import Format, FormatOption, terminal
from bench.core.errors import InputError
from bench.plan.options import CellOptions, OutOptions, SuiteFilterOptions

leaderboard_app = typer.Typer(help="Standings from stored and published records.", invoke_without_command=True)


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
    """Standings from your stored records and the published ones, in the order of far_error, then id_error, then growth.

    Without results of your own it shows the published ones; with them both, and yours are marked.

    # is the range of places that seeds leave open on these tasks. What is said of tasks like these is an interval over
    tasks, from six on. A method that lacks a task, diverged or failed comes last and is never left out. Protocols are
    never mixed.

    farfield leaderboard --suite quick --real --scope tasks
    """
    if context.invoked_subcommand is not None:
        return
    from bench.published import shown_records
    from bench.sweep.query import tracks_of
    from leaderboard.ranking.tracks import track_boards
    from leaderboard.tables.rendering import render_standings

    shown = shown_records(chosen)
    boards = [
        replace(board, notes=(*shown.notes, *board.notes))
        for board in track_boards(shown.records, tracks_of(chosen), own_tables)
    ]
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

    Of your own results; without any, of the published ones.

    farfield leaderboard page --suite quick --save standings.html
    """
    from bench.plan.protocol import PROTOCOLS
    from bench.published import own_or_published
    from bench.sweep.query import tracks_of
    from leaderboard.page.document import write_page

    settings = {name: protocol.settings() for name, protocol in PROTOCOLS.items()}
    title = "FarField standings" + (f": suite {chosen.suite}" if chosen.suite else "")
    target = save or chosen.out / "leaderboard.html"
    found = own_or_published(chosen)
    note = "; ".join(found.notes)
    more: dict[str, Any] = {"protocols": settings, "own_tables": own_tables, "tracks": tracks_of(chosen)}
    print(write_page(found.records, target, title=title, note=note, **more))


@leaderboard_app.command("publish")
@with_options
def publish(
    cells: CellOptions,
    results: OutOptions,
    save: Annotated[Path, typer.Option("--save", help="The folder of the entries.")] = Path("entries"),
    title: Annotated[str | None, typer.Option("--title", help="Of the entries. [default: what they hold]")] = None,
    authors: Annotated[
        list[str] | None, typer.Option("--author", help="Who made them. Repeatable. [default: the FarField authors]")
    ] = None,
    licence: Annotated[str, typer.Option("--licence", help="Of results and source text.")] = "Apache-2.0",
    link: Annotated[str | None, typer.Option("--link", help="Where to read more.")] = None,
    summary: Annotated[str | None, typer.Option("--summary", help="A few sentences.")] = None,
) -> None:
    """Write a suite's records as entries, the form of published results: one file of networks, one of estimators.

    Every record that the suite asks for must be stored and final. The same records make the same files.

    farfield leaderboard publish --suite standard --save leaderboard/entries
    """
    from bench.core.plugins import read_plugin
    from bench.plan.suite import load_suite
    from bench.publishing import Credit, make_entries, write_entries

    if cells.suite is None:
        raise InputError("no suite to publish", where="farfield leaderboard publish", hint="name one with --suite")
    load_plugins(cells.plugins)
    credit = Credit(title=title, licence=licence, link=link, summary=summary)
    credit = replace(credit, authors=tuple(authors)) if authors else credit
    plugins = [read_plugin(file) for file in cells.plugins]
    made = make_entries(cells, load_suite(cells.suite), results.out, credit, plugins)
    for file, entry in zip(write_entries(made, save), made.values(), strict=True):
        print(file)
        print(f"{len(entry):,} records, {file.stat().st_size:,} bytes", file=sys.stderr)
