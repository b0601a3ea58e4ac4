"""``farfield compare``."""

from __future__ import annotations

import sys
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any

import typer

from bench.commands._options import Against, Fields, Given, OwnTables, Plugins, load_plugins, with_options
from bench.commands._output import Format, FormatOption, terminal, write_grids
from bench.commands._own_data import has_table, without_table
from bench.commands.leaderboard import Scope
from bench.core.errors import EXIT_INCOMPLETE, InputError
from bench.plan.options import SuiteFilterOptions, SweepOptions
from bench.tracking.options import WandbOptions
from tasks.families.own.options import OwnData

WHERE = "farfield compare"
WITH_DATA = "With --data: "


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
    against: Against = None,
    own: Annotated[Given, Fields(OwnData, flags={"path": "--data"}, when=WITH_DATA)] = {},  # noqa: B006
    how: Annotated[Given, Fields(SweepOptions, when=WITH_DATA, without=frozenset({"out"}))] = {},  # noqa: B006
    mirrored: Annotated[Given, Fields(WandbOptions, when=WITH_DATA)] = {},  # noqa: B006
    seeds: Annotated[
        str | None, typer.Option("--seeds", help=f"{WITH_DATA}3 means 0, 1, 2; 0,4,7 names them. [default: 5]")
    ] = None,
    save: Annotated[
        Path | None, typer.Option("--save", help=f"{WITH_DATA}the HTML page. [default: OUT/compare.html]")
    ] = None,
    plugins: Plugins = None,
    form: FormatOption = Format.table,
) -> int:
    """Compare norm schemes (or architectures) in pairs that share task and seed, hence weights and batches.

    Ratios of far_error, id_error and max growth to a reference, with 95% intervals over seeds, and over tasks from six
    on; below 1 the candidate's number is smaller. The conclusion says for each kind of truth who is better, worse,
    equivalent or undecided, and how many seeds would decide. On one task it is all there is to show.

    With --data it runs instead: the norms none, layer@first, layer@all, rms@all and clip@input (or those of --norm) on
    mlp (or --arch), and the baselines mean, ridge, boosted-trees and knn, on your own table; five seeds under the
    standard protocol unless given, far rows by Mahalanobis distance unless a rule is given. It writes one HTML page:
    what to take, errors near and far, growth, and the code to paste.

    With --against it says instead how many stored cells agree with the published ones, and shows those that do not.

    farfield compare --by norm --task protein --reference none

    farfield compare --against published --suite standard

    farfield compare --data cars.csv --target price
    """
    running = {**how, **mirrored, "seeds": seeds, "save": save, "plugin": plugins}
    if has_table(own, WHERE):
        refused = {"suite": chosen.suite, "task": chosen.tasks, "by": by is not By.norm, "reference": reference}
        refused |= {"scope": scope is not Scope.both, "own-tables": own_tables, "against": against}
        for option in (name for name, given in refused.items() if given):
            raise InputError(f"--{option} is of stored records, not of --data", where=WHERE, hint="leave it out")
        return _compare_data(chosen, own, running, form)
    for option in (name for name, given in running.items() if given is not None):
        raise without_table(option, WHERE)
    from bench.sweep.query import chosen_records

    if against is not None:
        from bench.published import compared
        from leaderboard.publishing.agreement import agreement_grid

        write_grids([agreement_grid(compared(chosen_records(chosen).summaries, against))], form)
        return 0
    from leaderboard.ranking.comparison import compare as compare_records
    from leaderboard.tables.rendering import render_comparison

    comparisons = compare_records(chosen_records(chosen), by.value, reference, own_tables)
    width, color = terminal()
    sys.stdout.write(render_comparison(comparisons, form.value, scope=scope.value, width=width, color=color))
    return 0


def _compare_data(chosen: SuiteFilterOptions, own: Given, running: Given, form: Format) -> int:
    """Run, print what follows, name the page."""
    from bench.comparing.run import compare_data
    from bench.sweep.progress import progress, seconds_text
    from leaderboard.tables.writing import render

    load_plugins(running["plugin"])
    given: dict[str, Any] = {"architectures": chosen.architectures, "norms": chosen.norms, "protocol": chosen.protocol}
    given |= {name: running[name] for name in ("seeds", "save")}
    sweep = {name: value for name, value in running.items() if name not in ("seeds", "save", "plugin")}
    sweep["plugins"] = running["plugin"] or ()
    table = {name: value for name, value in own.items() if name != "path"}
    with progress() as watcher:
        found = compare_data(
            own["path"],
            out=chosen.out,
            sweep=sweep,
            watchers=[watcher],
            **{name: value for name, value in given.items() if value},
            **table,
        )
    width, color = terminal()
    sys.stdout.write(render(found.grids(), form.value, width=width, color=color))
    results = found.results
    print(
        f"{len(results.records)} records ({len(results.records) - results.fresh} known before) in "
        f"{seconds_text(results.seconds)}; the page: {found.page}",
        file=sys.stderr,
    )
    return 0 if results.complete else EXIT_INCOMPLETE
