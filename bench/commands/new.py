"""``farfield new``."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer


def add_to(app: typer.Typer) -> None:
    """Add the command."""
    app.command("new")(new)


class Thing(StrEnum):
    """What can be begun."""

    architecture = "architecture"
    estimator = "estimator"
    norm = "norm"
    task = "task"


def new(
    thing: Annotated[Thing, typer.Argument(help="architecture, estimator, norm or task.")],
    name: Annotated[str, typer.Argument(help="Its name: lower-case words joined by hyphens, e.g. my-net.")],
) -> int:
    """Write a commented file to start from, which passes farfield check as it is.

    farfield new architecture my-net
    """
    from bench.templates import write_template

    path = write_template(thing.value, name, Path.cwd())
    print(f"wrote {path.name}; next: farfield check {path.name}")
    return 0
