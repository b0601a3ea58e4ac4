"""``farfield plot``."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from bench.commands.options import DEFAULT_OUT, ArchFilter, NormFilter, Out, ProtocolOption, Suite, TaskFilter

if TYPE_CHECKING:
    from leaderboard.record import Record

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


def _one_protocol(out: Path, *filters: Any) -> list[Record]:
    """The chosen records; several protocols are never drawn together, so the one with most records is taken."""
    from collections import Counter

    from bench.selecting import stored_records

    records = stored_records(out, *filters)
    counted = Counter(record.key.protocol for record in records)
    (chosen, _), *others = counted.most_common()
    if others:
        left = ", ".join(name for name, _ in others)
        print(f"farfield: drawing protocol {chosen}; also stored: {left} (--protocol chooses)", file=sys.stderr)
    return [record for record in records if record.key.protocol == chosen]


def _finish(chart: Any, target: Path) -> None:
    from leaderboard.charts import save

    print(save(chart, target))
