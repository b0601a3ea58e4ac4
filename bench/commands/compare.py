"""``farfield compare``."""

from __future__ import annotations

import sys
from enum import StrEnum
from typing import Annotated

import typer

from bench.commands._options import OwnTables, with_options
from bench.commands._output import Format, FormatOption, terminal
from bench.commands.leaderboard import Scope
from bench.plan.options import SuiteFilterOptions


def add_to(app: typer.Typer) -> None:
    """Add the command."""
    app.command("compare")(with_options(compare))


class By(StrEnum):
    """What is compared."""

    norm = "norm"
    architecture = "architecture"


def compare(
    chosen: SuiteFilterOptions,
    by: Annotated[By, typer.Option("--by", help="What differs within a pair.")] = By.norm,
    reference: Annotated[
        str | None, typer.Option("--reference", help="What the others are compared with. [default: none, if there]")
    ] = None,
    scope: Annotated[Scope, typer.Option("--scope", help="Over all tasks, by task, or both.")] = Scope.both,
    own_tables: OwnTables = False,
    form: FormatOption = Format.table,
) -> None:
    """Compare norm schemes (or architectures) in pairs that share task and seed, hence weights and batches.

    Ratios of far_error, id_error and max growth to a reference, with 95% intervals over seeds, and over tasks from six
    on; below 1 the candidate's number is smaller. The conclusion says for each kind of truth who is better, worse,
    equivalent or undecided, and how many seeds would decide. On one task it is all there is to show.

    farfield compare --by norm --task protein --reference none
    """
    from bench.sweep.query import chosen_records
    from leaderboard.ranking.comparison import compare as compare_records
    from leaderboard.tables.rendering import render_comparison

    comparisons = compare_records(chosen_records(chosen), by.value, reference, own_tables)
    width, color = terminal()
    sys.stdout.write(render_comparison(comparisons, form.value, scope=scope.value, width=width, color=color))
