"""``farfield leaderboard`` and ``farfield compare``."""

from __future__ import annotations

import sys
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from bench.commands._options import (
    DEFAULT_OUT,
    ArchFilter,
    Format,
    FormatOption,
    NormFilter,
    Out,
    ProtocolOption,
    Suite,
    TaskFilter,
    terminal,
)

leaderboard_app = typer.Typer(help="Standings from the stored records.", invoke_without_command=True)


def add_to(app: typer.Typer) -> None:
    """Add this module's commands."""
    app.add_typer(leaderboard_app, name="leaderboard")
    app.command("compare")(compare)


class Scope(StrEnum):
    """Which rows are shown."""

    overall = "overall"
    tasks = "tasks"
    both = "both"


class By(StrEnum):
    """What is compared."""

    norm = "norm"
    architecture = "architecture"


@leaderboard_app.callback()
def leaderboard(
    context: typer.Context,
    suite: Suite = None,
    protocol: ProtocolOption = None,
    task: TaskFilter = None,
    arch: ArchFilter = None,
    norm: NormFilter = None,
    scope: Annotated[Scope, typer.Option("--scope", help="Totals over tasks, a row for each task, or both.")] = (
        Scope.overall
    ),
    out: Out = DEFAULT_OUT,
    form: FormatOption = Format.table,
) -> None:
    """Standings from the stored records: far_error decides, then id_error, then growth.

    Intervals are 95% t-intervals over seeds: they cover the randomness of training, not of the data. A method that
    lacks a task, diverged or failed ranks last and is never left out. Protocols are never mixed.

    farfield leaderboard --suite quick --scope tasks
    """
    if context.invoked_subcommand is not None:
        return
    from bench.sweep.query import stored_records
    from leaderboard.ranking.standings import standings
    from leaderboard.tables.rendering import render_standings

    records = stored_records(out, suite, protocol, task, arch, norm)
    width, color = terminal()
    sys.stdout.write(render_standings(standings(records), form.value, scope=scope.value, width=width, color=color))


@leaderboard_app.command("page")
def page(
    suite: Suite = None,
    protocol: ProtocolOption = None,
    task: TaskFilter = None,
    arch: ArchFilter = None,
    norm: NormFilter = None,
    out: Out = DEFAULT_OUT,
    save: Annotated[Path | None, typer.Option("--save", help="The HTML file. [default: OUT/leaderboard.html]")] = None,
) -> None:
    """One HTML file that needs no network: standings to sort, growth, comparison of schemes, how each row was made.

    farfield leaderboard page --suite quick --save standings.html
    """
    from bench.plan.protocol import PROTOCOLS
    from bench.sweep.query import stored_records
    from leaderboard.page.document import write_page

    records = stored_records(out, suite, protocol, task, arch, norm)
    settings = {name: protocol.settings() for name, protocol in PROTOCOLS.items()}
    title = "FarField standings" + (f": suite {suite}" if suite else "")
    print(write_page(records, save or out / "leaderboard.html", title=title, protocols=settings))


def compare(
    by: Annotated[By, typer.Option("--by", help="What differs within a pair.")] = By.norm,
    reference: Annotated[
        str | None, typer.Option("--reference", help="What the others are compared with. [default: none, if there]")
    ] = None,
    suite: Suite = None,
    protocol: ProtocolOption = None,
    task: TaskFilter = None,
    arch: ArchFilter = None,
    norm: NormFilter = None,
    scope: Annotated[Scope, typer.Option("--scope", help="Over all tasks, by task, or both.")] = Scope.both,
    out: Out = DEFAULT_OUT,
    form: FormatOption = Format.table,
) -> None:
    """Compare norm schemes (or architectures) in pairs that share task and seed, hence weights and batches.

    Ratios of far_error, id_error and max growth to a reference, with 95% intervals over seeds; below 1 the candidate's
    number is smaller.

    farfield compare --by norm --task protein --reference none
    """
    from bench.sweep.query import stored_records
    from leaderboard.ranking.comparison import compare as compare_records
    from leaderboard.tables.rendering import render_comparison

    comparisons = compare_records(stored_records(out, suite, protocol, task, arch, norm), by.value, reference)
    width, color = terminal()
    sys.stdout.write(render_comparison(comparisons, form.value, scope=scope.value, width=width, color=color))
