"""``farfield doctor``."""

from __future__ import annotations

from typing import Annotated

import typer

from bench.commands._options import with_options
from bench.commands._output import Format, FormatOption, write_grids
from bench.core.errors import EXIT_INCOMPLETE
from bench.plan.options import OutOptions


def add_to(app: typer.Typer) -> None:
    """Add the command."""
    app.command("doctor")(with_options(doctor))


def doctor(
    results: OutOptions,
    network: Annotated[
        bool, typer.Option("--network", help="Ask the network too: whether data that are not here can be fetched.")
    ] = False,
    form: FormatOption = Format.table,
) -> int:
    """Look at versions, devices, data, W&B, store and disk, with advice for what is wrong.

    Changes nothing, and asks no network unless told to. Exit code 1 when something is wrong.
    """
    from bench.checking.doctor import Observation, examine
    from leaderboard.tables.grid import Column, Grid

    findings = examine(results.out, network=network)
    columns = [
        Column[Observation]("topic", "topic", lambda f: f.topic),
        Column[Observation]("state", "state", lambda f: f.state),
        Column[Observation]("found", "found", lambda f: f.found),
        Column[Observation]("advice", "advice", lambda f: f.advice),
    ]
    write_grids([Grid("doctor", columns, findings)], form)
    return EXIT_INCOMPLETE if any(f.state == "wrong" for f in findings) else 0
