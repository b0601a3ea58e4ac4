"""``farfield wandb-sync``."""

from __future__ import annotations

import sys

import typer

from bench.commands._options import with_options
from bench.plan.options import OutOptions


def add_to(app: typer.Typer) -> None:
    """Add the command."""
    app.command("wandb-sync")(with_options(wandb_sync))


def wandb_sync(results: OutOptions) -> None:
    """Send the W&B runs that were kept offline: those in OUT/wandb, or in WANDB_DIR/wandb.

    Needs a key (wandb login). Runs have stable ids: sending twice does not duplicate them.
    """
    from bench.tracking import sync

    print(f"{sync(results.out)} runs sent", file=sys.stderr)
