"""``farfield plot``."""

from __future__ import annotations

import sys
from collections import Counter
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from bench.commands._kernel_plots import add_kernel_plots
from bench.commands._options import OwnTables, Plugins, keywords, load_plugins, with_options
from bench.core.errors import InputError
from bench.plan.options import FilterOptions, SuiteFilterOptions

if TYPE_CHECKING:
    from leaderboard.records.record import Details, Record, RecordKey
    from leaderboard.records.store.stored_records import StoredRecords

plot_app = typer.Typer(help="Pictures from the stored records, as PNG, SVG, PDF or HTML.", no_args_is_help=True)

Save = Annotated[
    Path | None, typer.Option("--save", help="The picture's file; its ending decides. [default: OUT/<plot>.png]")
]


def add_to(app: typer.Typer) -> None:
    """Add the commands."""
    add_kernel_plots(plot_app)
    app.add_typer(plot_app, name="plot")


@plot_app.command("growth")
@with_options
def growth(
    chosen: SuiteFilterOptions,
    save: Save = None,
) -> None:
    """Growth against distance on log-log axes: a curve per norm scheme, a band over seeds.

    farfield plot growth --task protein --save growth.svg
    """
    from leaderboard.charts import growth_chart

    records = _one_protocol(chosen)
    _finish(growth_chart(records), save or chosen.out / "growth.png")


@plot_app.command("bounds")
@with_options
def bounds(
    chosen: SuiteFilterOptions,
    save: Save = None,
) -> None:
    """Certificate, worst growth found and growth on rays of each norm scheme, as intervals over seeds.

    farfield plot bounds --task sine-1d
    """
    from leaderboard.charts import bounds_chart

    _finish(bounds_chart(_one_protocol(chosen)), save or chosen.out / "bounds.png")


@plot_app.command("error")
@with_options
def error(
    chosen: SuiteFilterOptions,
    save: Save = None,
) -> None:
    """Relative error of the test set and the far sets against how far they are.

    farfield plot error --task sine-1d
    """
    from leaderboard.charts import error_chart

    _finish(error_chart(_one_protocol(chosen)), save or chosen.out / "error.png")


@plot_app.command("pareto")
@with_options
def pareto(
    chosen: SuiteFilterOptions,
    overall: Annotated[bool, typer.Option("--overall", help="Totals over tasks instead of a panel for each.")] = False,
    own_tables: OwnTables = False,
    save: Save = None,
) -> None:
    """far_error against max growth: who is right, who is bounded, and what one costs the other.

    farfield plot pareto --suite quick
    """
    from leaderboard.charts import pareto_chart

    records = _one_protocol(chosen)
    _finish(pareto_chart(records, overall=overall, own_tables=own_tables), save or chosen.out / "pareto.png")


@plot_app.command("function")
@with_options
def function(
    chosen: FilterOptions,
    save: Save = None,
    plugin: Plugins = None,
) -> None:
    """What networks with one input answer far outside of their training points.

    --arch is needed where several networks are stored.

    farfield plot function --task sine-1d --arch mlp
    """
    from bench.task_charts import function_picture

    load_plugins(plugin)
    records = _one_network(chosen)
    _finish(
        _with_details(chosen, records, lambda details: function_picture(records, details)),
        save or chosen.out / "function.png",
    )


@plot_app.command("far")
@with_options
def far(
    chosen: FilterOptions,
    far_set: Annotated[str | None, typer.Option("--set", help="The far set. [default: the furthest]")] = None,
    feature: Annotated[
        str | None, typer.Option("--feature", help="A column to draw trends against. [default: the distance]")
    ] = None,
    save: Save = None,
    plugin: Plugins = None,
) -> None:
    """Predictions on a far set: their histogram, and their LOWESS trend against a feature.

    --arch is needed where several networks are stored.

    farfield plot far --task protein --feature F1
    """
    from bench.task_charts import far_picture

    load_plugins(plugin)
    records = _one_network(chosen)
    chart = _with_details(chosen, records, lambda details: far_picture(records, details, far_set, feature))
    _finish(chart, save or chosen.out / "far.png")


def _with_details(
    chosen: FilterOptions, records: Sequence[Record], draw: Callable[[Callable[[RecordKey], Details]], Any]
) -> Any:
    """Draw ``records`` with the details of the store at hand, and the data of their tasks."""
    from bench.sweep.query import existing_store
    from bench.sweep.remembering import need_tasks
    from leaderboard.records.store.store import Store
    from leaderboard.records.store.stored_records import cells_of

    with Store(existing_store(chosen.out)) as store:
        need_tasks(store, sorted({key.task for key in cells_of(records)}))
        return draw(store.details)


def _one_protocol(chosen: SuiteFilterOptions) -> StoredRecords:
    """The chosen records; several protocols are never drawn together, so the one with most records is taken."""
    from bench.sweep.query import chosen_records
    from leaderboard.records.store.stored_records import cells_of

    records = chosen_records(chosen)
    counted: Counter[str] = Counter()
    for cell, number in cells_of(records).items():
        counted[cell.protocol] += number
    (first, _), *others = counted.most_common()
    if others:
        left = ", ".join(name for name, _ in others)
        print(f"farfield: drawing protocol {first}; also stored: {left} (--protocol chooses)", file=sys.stderr)
    return records.where(lambda cell: cell.protocol == first)


def _one_network(chosen: FilterOptions) -> Sequence[Record]:
    """The chosen records of a task; where no architecture is named, those of the only network that there is.

    Raises:
        InputError: no task is named, or several.
    """
    from leaderboard.charts import lone_network

    if len(chosen.tasks) != 1:
        raise InputError(f"{len(chosen.tasks)} tasks for one picture", where="--task", hint="name one task")
    records = _one_protocol(SuiteFilterOptions(**keywords(chosen)))
    return records if chosen.architectures else lone_network(records)


def _finish(chart: Any, target: Path) -> None:
    from leaderboard.charts import save

    print(save(chart, target))
