"""``farfield plot``."""

from __future__ import annotations

import sys
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from bench.commands._options import DEFAULT_OUT, ArchFilter, NormFilter, Out, ProtocolOption, Suite, TaskFilter

if TYPE_CHECKING:
    from leaderboard.records.record import Details, Record, RecordKey

plot_app = typer.Typer(help="Pictures from the stored records, as PNG, SVG, PDF or HTML.", no_args_is_help=True)

Save = Annotated[
    Path | None, typer.Option("--save", help="The picture's file; its ending decides. [default: OUT/<plot>.png]")
]


def add_to(app: typer.Typer) -> None:
    """Add this module's commands."""
    app.add_typer(plot_app, name="plot")


@plot_app.command("growth")
def growth(
    suite: Suite = None,
    protocol: ProtocolOption = None,
    task: TaskFilter = None,
    arch: ArchFilter = None,
    norm: NormFilter = None,
    out: Out = DEFAULT_OUT,
    save: Save = None,
) -> None:
    """Growth against distance on log-log axes: a curve per norm scheme, a band over seeds.

    farfield plot growth --task protein --save growth.svg
    """
    from leaderboard.charts import growth_chart

    records = _one_protocol(out, suite, protocol, task, arch, norm)
    _finish(growth_chart(records), save or out / "growth.png")


@plot_app.command("error")
def error(
    suite: Suite = None,
    protocol: ProtocolOption = None,
    task: TaskFilter = None,
    arch: ArchFilter = None,
    norm: NormFilter = None,
    out: Out = DEFAULT_OUT,
    save: Save = None,
) -> None:
    """Relative error of the test set and the far sets against how far they are.

    farfield plot error --task sine-1d
    """
    from leaderboard.charts import error_chart

    _finish(error_chart(_one_protocol(out, suite, protocol, task, arch, norm)), save or out / "error.png")


@plot_app.command("pareto")
def pareto(
    suite: Suite = None,
    protocol: ProtocolOption = None,
    task: TaskFilter = None,
    arch: ArchFilter = None,
    norm: NormFilter = None,
    overall: Annotated[bool, typer.Option("--overall", help="Totals over tasks instead of a panel for each.")] = False,
    out: Out = DEFAULT_OUT,
    save: Save = None,
) -> None:
    """far_error against max growth: who is right, who is bounded, and what one costs the other.

    farfield plot pareto --suite quick
    """
    from leaderboard.charts import pareto_chart

    records = _one_protocol(out, suite, protocol, task, arch, norm)
    _finish(pareto_chart(records, overall=overall), save or out / "pareto.png")


@plot_app.command("function")
def function(
    task: Annotated[str, typer.Option("--task", help="A task with one input.")],
    arch: ArchFilter = None,
    norm: NormFilter = None,
    protocol: ProtocolOption = None,
    out: Out = DEFAULT_OUT,
    save: Save = None,
) -> None:
    """What networks with one input answer far outside of their training points.

    --arch is needed where several networks are stored.

    farfield plot function --task sine-1d --arch mlp
    """
    from bench.pictures import function_picture

    records = _one_network(out, protocol, task, arch, norm)
    _finish(_with_details(out, lambda details: function_picture(records, details)), save or out / "function.png")


@plot_app.command("far")
def far(
    task: Annotated[str, typer.Option("--task", help="A task.")],
    arch: ArchFilter = None,
    norm: NormFilter = None,
    far_set: Annotated[str | None, typer.Option("--set", help="The far set. [default: the furthest]")] = None,
    feature: Annotated[
        str | None, typer.Option("--feature", help="A column to draw trends against. [default: the distance]")
    ] = None,
    protocol: ProtocolOption = None,
    out: Out = DEFAULT_OUT,
    save: Save = None,
) -> None:
    """Predictions on a far set: their histogram, and their LOWESS trend against a feature.

    --arch is needed where several networks are stored.

    farfield plot far --task protein --feature F1
    """
    from bench.pictures import far_picture

    records = _one_network(out, protocol, task, arch, norm)
    chart = _with_details(out, lambda details: far_picture(records, details, far_set, feature))
    _finish(chart, save or out / "far.png")


def _with_details(out: Path, draw: Callable[[Callable[[RecordKey], Details]], Any]) -> Any:
    """Draw with the details of the store at hand."""
    from bench.sweep.query import existing_store
    from leaderboard.records.store.store import Store

    with Store(existing_store(out)) as store:
        return draw(store.details)


def _one_protocol(out: Path, *filters: Any) -> list[Record]:
    """The chosen records; several protocols are never drawn together, so the one with most records is taken."""
    from bench.sweep.query import stored_records

    records = stored_records(out, *filters)
    counted = Counter(record.key.protocol for record in records)
    (chosen, _), *others = counted.most_common()
    if others:
        left = ", ".join(name for name, _ in others)
        print(f"farfield: drawing protocol {chosen}; also stored: {left} (--protocol chooses)", file=sys.stderr)
    return [record for record in records if record.key.protocol == chosen]


def _one_network(
    out: Path, protocol: str | None, task: str, arch: list[str] | None, norm: list[str] | None
) -> list[Record]:
    """The chosen records of a task; where no architecture is named, those of the only network that there is."""
    from leaderboard.charts import lone_network

    records = _one_protocol(out, None, protocol, [task], arch, norm)
    return records if arch else lone_network(records)


def _finish(chart: Any, target: Path) -> None:
    from leaderboard.charts import save

    print(save(chart, target))
