"""``farfield check``."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated

import typer

from bench.commands._output import Format, FormatOption, terminal
from bench.core.errors import EXIT_BAD_INPUT


def add_to(app: typer.Typer) -> None:
    """Add the command."""
    app.command("check")(check)


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
