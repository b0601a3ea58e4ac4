"""``farfield list`` and ``farfield show``."""

from __future__ import annotations

import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from bench.commands._options import Format, FormatOption, Plugin, load_plugins, write_grids

show_app = typer.Typer(help="Everything about one task, architecture or suite.", no_args_is_help=True)


def add_to(app: typer.Typer) -> None:
    """Add this module's commands."""
    app.command("list")(list_)
    app.add_typer(show_app, name="show")


class Kind(StrEnum):
    """What can be listed."""

    tasks = "tasks"
    architectures = "architectures"
    norms = "norms"
    suites = "suites"
    protocols = "protocols"


@dataclass(frozen=True)
class Entry:
    """A line of a list."""

    name: str
    facts: tuple[str, ...]
    summary: str


def list_(
    kind: Annotated[Kind, typer.Argument(help="What to list.")],
    pattern: Annotated[str, typer.Argument(help="Shell pattern, e.g. '*-1d'.")] = "*",
    arch: Annotated[
        str | None, typer.Option("--arch", help="With norms: which sites each placement means in this architecture.")
    ] = None,
    task: Annotated[str | None, typer.Option("--task", help="With --arch: built for this task.")] = None,
    plugin: Plugin = None,
    form: FormatOption = Format.table,
) -> None:
    """List tasks, architectures, norm kinds, suites or protocols."""
    load_plugins(plugin)
    if arch is not None:
        import architectures
        from bench.commands._tables import placements_grid

        write_grids([placements_grid(architectures.resolve(arch), task)], form)
        return
    headings, entries = _LISTS[kind](pattern)
    _write(f"{kind.value} {pattern}".removesuffix(" *"), headings, entries, form)


def _tasks(pattern: str) -> tuple[tuple[str, ...], list[Entry]]:
    import tasks

    cards = [tasks.get_card(name) for name in tasks.list_tasks(pattern)]
    facts = ("kind", "truth", "data", "origin")
    data = {True: "real", False: "computed"}
    return facts, [Entry(c.name, (c.kind, c.truth, data[c.real], c.origin), c.summary) for c in cards]


def _architectures(pattern: str) -> tuple[tuple[str, ...], list[Entry]]:
    import architectures

    cards = [architectures.get_card(name) for name in architectures.list_architectures(pattern)]
    entries = [Entry(c.name, (c.role, ", ".join(c.inputs), c.origin), c.summary) for c in cards]
    if pattern == "*":  # what is too many to list, or not there before somebody writes it
        families = architectures.REGISTRY.families.items()
        entries += [
            Entry(prefix + "..." * prefix.endswith("/"), ("network", "", f.origin), f.summary) for prefix, f in families
        ]
    return ("role", "reads", "origin"), entries


def _norms(pattern: str) -> tuple[tuple[str, ...], list[Entry]]:
    import architectures

    entries = []
    for name in architectures.list_norms(pattern):
        if name == "none":
            entries.append(Entry(name, ("", ""), "no normalization"))
        else:
            card = architectures.get_norm(name)
            entries.append(Entry(name, (card.sort, card.origin), card.summary))
    return ("sort", "origin"), entries


def _suites(pattern: str) -> tuple[tuple[str, ...], list[Entry]]:
    import fnmatch

    from bench.plan.suite import list_suites, load_suite

    suites = [load_suite(name) for name in list_suites() if fnmatch.fnmatch(name, pattern)]
    facts = ("version", "protocol", "seeds", "cells")
    return facts, [
        Entry(s.name, (str(s.version), s.protocol, str(s.seeds), str(len(s.cells()))), s.summary) for s in suites
    ]


def _protocols(pattern: str) -> tuple[tuple[str, ...], list[Entry]]:
    import fnmatch

    from bench.plan.protocol import PROTOCOLS

    return (), [Entry(p.name, (), p.summary) for p in PROTOCOLS.values() if fnmatch.fnmatch(p.name, pattern)]


_LISTS: dict[Kind, Callable[[str], tuple[tuple[str, ...], list[Entry]]]] = {
    Kind.tasks: _tasks,
    Kind.architectures: _architectures,
    Kind.norms: _norms,
    Kind.suites: _suites,
    Kind.protocols: _protocols,
}


def _write(title: str, facts: Sequence[str], entries: Sequence[Entry], form: Format) -> None:
    from leaderboard.tables.grid import Column, Grid

    def fact(place: int) -> Callable[[Entry], str]:
        return lambda entry: entry.facts[place]

    columns = [
        Column[Entry]("name", "name", lambda entry: entry.name),
        *(Column[Entry](name, name, fact(place), spare=place - len(facts)) for place, name in enumerate(facts)),
        Column[Entry]("summary", "summary", lambda entry: entry.summary),
    ]
    write_grids([Grid(title, columns, entries)], form)


@show_app.command("suite")
def show_suite(
    name: Annotated[str, typer.Argument(help="A suite's name or a YAML file.")], form: FormatOption = Format.table
) -> None:
    """The cells of a suite."""
    from bench.plan.jobs import Cell
    from bench.plan.suite import load_suite
    from leaderboard.tables.grid import Column, Grid

    suite = load_suite(name)
    columns = [
        Column[Cell]("task", "task", lambda cell: cell.task),
        Column[Cell]("architecture", "architecture", lambda cell: cell.architecture),
        Column[Cell]("norm", "norm", lambda cell: cell.norm),
    ]
    title = f"{suite.name}, version {suite.version}: protocol {suite.protocol}, {suite.seeds} seeds. {suite.summary}"
    write_grids([Grid(title, columns, suite.cells())], form)


@show_app.command("task")
def show_task(
    name: Annotated[str, typer.Argument(help="A task, e.g. protein or 'sine-1d(instance=7)'.")],
    save: Annotated[
        Path | None, typer.Option("--save", help="Draw training and far inputs into this file (.png, .svg, .html).")
    ] = None,
    plugin: Plugin = None,
    form: FormatOption = Format.table,
) -> None:
    """A task's card, its sizes, and how far its far sets are by four measures; --save draws it."""
    import tasks
    from bench.commands._tables import task_grids

    load_plugins(plugin)
    task = tasks.resolve(name)
    write_grids(task_grids(tasks.describe(task)), form)
    if save is not None:
        from bench.pictures import task_picture
        from leaderboard.charts import save as save_chart

        print(save_chart(task_picture(task.load()), save), file=sys.stderr)


@show_app.command("architecture")
def show_architecture(
    name: Annotated[str, typer.Argument(help="An architecture, e.g. 'mlp(depth=3)'.")],
    norm: Annotated[str, typer.Option("--norm", help="A norm scheme.")] = "none",
    task: Annotated[
        str | None, typer.Option("--task", help="Build it for this task. [default: an example of its inputs]")
    ] = None,
    plugin: Plugin = None,
    form: FormatOption = Format.table,
) -> None:
    """Layers with the norm layers marked, sites, parameters, cost, and whether it is predicted to be bounded."""
    import architectures
    from architectures.analysis.description import describe
    from bench.commands._tables import architecture_grids, problem_for

    load_plugins(plugin)
    architecture = architectures.resolve(name)
    scheme = architectures.parse_scheme(norm)
    architecture.check_scheme(scheme)
    write_grids(architecture_grids(describe(architecture, scheme, problem_for(architecture, task))), form)


@show_app.command("norm")
def show_norm(
    name: Annotated[str, typer.Argument(help="A norm kind, e.g. layer or clip.")],
    plugin: Plugin = None,
    form: FormatOption = Format.table,
) -> None:
    """A norm kind's card: where it stands, how it grows, what is proved of it, and its options."""
    import architectures
    from bench.commands._norms import norm_grids

    load_plugins(plugin)
    write_grids(norm_grids(architectures.get_norm(name)), form)
