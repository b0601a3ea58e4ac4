"""``farfield check`` and ``farfield new``."""

from __future__ import annotations

import sys
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from bench.commands._options import Format, FormatOption, terminal
from bench.core.errors import EXIT_BAD_INPUT


def add_to(app: typer.Typer) -> None:
    """Add this module's commands."""
    app.command("check")(check)
    app.command("new")(new)


class Thing(StrEnum):
    """What can be begun."""

    architecture = "architecture"
    estimator = "estimator"
    norm = "norm"
    task = "task"


def check(
    file: Annotated[
        Path, typer.Argument(help="Python file that registers an architecture, an estimator, a norm kind or a task.")
    ],
    timeout: Annotated[float, typer.Option("--timeout", help="Seconds that one step may take.")] = 60.0,
    memory_limit: Annotated[float, typer.Option("--memory-limit", help="Gigabytes that the file may take.")] = 4.0,
    form: FormatOption = Format.table,
) -> int:
    """Try a submitted file: what it registers, whether it keeps the contract, what it is and how it grows.

    The file runs in a process of its own, with limits on time and memory, so that one that hangs, exits or eats memory
    is reported like any other. It runs with your rights: look at a stranger's file before you check it. Exit code 2
    says that something failed.

    farfield check my_net.py
    """
    from bench.checking import CheckLimits, check_file
    from bench.checking.rendering import render_report, summary

    report = check_file(file, CheckLimits(seconds=timeout, memory=int(memory_limit * 2**30)))
    width, color = terminal()
    sys.stdout.write(render_report(report, form.value, width=width, color=color))
    print(f"farfield: {summary(report)}", file=sys.stderr)
    return 0 if report.passed else EXIT_BAD_INPUT


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
