"""``farfield show``."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated

import typer

from bench.commands._options import Plugins, load_plugins
from bench.commands._output import Format, FormatOption, write_grids

show_app = typer.Typer(help="Everything about one task, architecture, norm kind or suite.", no_args_is_help=True)


def add_to(app: typer.Typer) -> None:
    """Add the commands."""
    app.add_typer(show_app, name="show")


@show_app.command("suite")
def show_suite(
    name: Annotated[str, typer.Argument(help="A suite's name or a YAML file.")],
    plugin: Plugins = None,
    form: FormatOption = Format.table,
) -> None:
    """A suite's totals, protocol and tracks, its tasks by kind and truth, the data and extras it needs, its cells."""
    from bench.commands._suites import suite_grids
    from bench.plan.suite import load_suite

    load_plugins(plugin)
    write_grids(suite_grids(load_suite(name)), form)


@show_app.command("task")
def show_task(
    name: Annotated[str, typer.Argument(help="A task, e.g. protein or 'sine-1d(instance=7)'.")],
    save: Annotated[
        Path | None, typer.Option("--save", help="Draw training and far inputs into this file (.png, .svg, .html).")
    ] = None,
    plugin: Plugins = None,
    form: FormatOption = Format.table,
) -> None:
    """A task's card, its sizes, and how far its far sets are by four measures; --save draws it."""
    import tasks
    from bench.commands._tables import task_grids

    load_plugins(plugin)
    task = tasks.resolve(name)
    write_grids(task_grids(tasks.describe(task)), form)
    if save is not None:
        from bench.task_charts import task_picture
        from leaderboard.charts import save as save_chart

        print(save_chart(task_picture(task.load()), save), file=sys.stderr)


@show_app.command("architecture")
def show_architecture(
    name: Annotated[str, typer.Argument(help="An architecture, e.g. 'mlp(depth=3)'.")],
    norm: Annotated[str, typer.Option("--norm", help="A norm scheme.")] = "none",
    task: Annotated[
        str | None, typer.Option("--task", help="Build it for this task. [default: an example of its inputs]")
    ] = None,
    plugin: Plugins = None,
    form: FormatOption = Format.table,
) -> None:
    """Layers with the norm layers marked, sites, parameters, cost, and whether it is predicted to be bounded."""
    import torch

    import architectures
    from architectures.description import describe
    from bench.commands._tables import architecture_grids, built, problem_for

    torch.set_num_threads(1)  # a few rows: beside other work, a second thread only waits, and that costs time as well
    load_plugins(plugin)
    architecture = architectures.resolve(name)
    scheme = architectures.parse_scheme(norm)
    architecture.check_scheme(scheme)
    problem = problem_for(architecture, task)
    with built(architecture, problem, task):
        description = describe(architecture, scheme, problem)
    write_grids(architecture_grids(description), form)


@show_app.command("norm")
def show_norm(
    name: Annotated[str, typer.Argument(help="A norm kind, e.g. layer or clip.")],
    plugin: Plugins = None,
    form: FormatOption = Format.table,
) -> None:
    """A norm kind's card: where it stands, how it grows, what is proved of it, and its options."""
    import architectures
    from bench.commands._norms import norm_grids

    load_plugins(plugin)
    write_grids(norm_grids(architectures.get_norm(name)), form)
