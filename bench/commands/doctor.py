"""``farfield doctor`` and ``farfield wandb-sync``."""

from __future__ import annotations

import sys

import typer

from bench.commands._options import DEFAULT_OUT, Format, FormatOption, Out, write_grids
from bench.core.errors import EXIT_INCOMPLETE


def add_to(app: typer.Typer) -> None:
    """Add this module's commands."""
    app.command("doctor")(doctor)
    app.command("wandb-sync")(wandb_sync)


def doctor(out: Out = DEFAULT_OUT, form: FormatOption = Format.table) -> int:
    """Look at versions, devices, data, W&B, store and disk, with advice for what is wrong.

    Changes nothing and asks no network. Exit code 1 when something is wrong.
    """
    from bench.checking.doctor import Finding, examine
    from leaderboard.tables.grid import Column, Grid

    findings = examine(out)
    columns = [
        Column[Finding]("topic", "topic", lambda f: f.topic),
        Column[Finding]("state", "state", lambda f: f.state),
        Column[Finding]("found", "found", lambda f: f.found),
        Column[Finding]("advice", "advice", lambda f: f.advice),
    ]
    write_grids([Grid("doctor", columns, findings)], form)
    return EXIT_INCOMPLETE if any(f.state == "wrong" for f in findings) else 0


def wandb_sync(out: Out = DEFAULT_OUT) -> None:
    """Send the W&B runs that were kept offline in OUT/wandb.

    Needs a key (wandb login). Runs have stable ids: sending twice does not duplicate them.
    """
    from bench.tracking import sync

    print(f"{sync(out)} runs sent", file=sys.stderr)
