"""``farfield list`` and ``farfield show``."""

from __future__ import annotations

import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Annotated

import typer

from bench.commands.options import Format, FormatOption, Plugin, load_plugins, terminal

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
    plugin: Plugin = None,
    form: FormatOption = Format.table,
) -> None:
    """List tasks, architectures, norm kinds, suites or protocols."""
    load_plugins(plugin)
    headings, entries = _LISTS[kind](pattern)
    _write(f"{kind.value} {pattern}".removesuffix(" *"), headings, entries, form)


def _tasks(pattern: str) -> tuple[tuple[str, ...], list[Entry]]:
    import tasks

    cards = [tasks.get_card(name) for name in tasks.list_tasks(pattern)]
    facts = ("kind", "truth", "data")
    return facts, [Entry(c.name, (c.kind, c.truth, "real" if c.real else "computed"), c.summary) for c in cards]


def _architectures(pattern: str) -> tuple[tuple[str, ...], list[Entry]]:
    import architectures

    cards = [architectures.get_card(name) for name in architectures.list_architectures(pattern)]
    return ("role", "reads"), [Entry(c.name, (c.role, ", ".join(c.inputs)), c.summary) for c in cards]


def _norms(pattern: str) -> tuple[tuple[str, ...], list[Entry]]:
    import fnmatch

    import architectures

    names = [name for name in architectures.list_norms() if fnmatch.fnmatch(name, pattern)]
    kinds = architectures.KINDS
    return (), [Entry(n, (), _first_line(kinds[n]) if n in kinds else "No normalization.") for n in names]


def _first_line(thing: object) -> str:
    return (thing.__doc__ or "").strip().partition("\n")[0]


def _suites(pattern: str) -> tuple[tuple[str, ...], list[Entry]]:
    import fnmatch

    from bench.suite import list_suites, load_suite

    suites = [load_suite(name) for name in list_suites() if fnmatch.fnmatch(name, pattern)]
    facts = ("version", "protocol", "seeds", "cells")
    return facts, [
        Entry(s.name, (str(s.version), s.protocol, str(s.seeds), str(len(s.cells()))), s.summary) for s in suites
    ]


def _protocols(pattern: str) -> tuple[tuple[str, ...], list[Entry]]:
    import fnmatch

    from bench.protocol import PROTOCOLS

    return (), [Entry(p.name, (), p.summary) for p in PROTOCOLS.values() if fnmatch.fnmatch(p.name, pattern)]


_LISTS: dict[Kind, Callable[[str], tuple[tuple[str, ...], list[Entry]]]] = {
    Kind.tasks: _tasks,
    Kind.architectures: _architectures,
    Kind.norms: _norms,
    Kind.suites: _suites,
    Kind.protocols: _protocols,
}


def _write(title: str, facts: Sequence[str], entries: Sequence[Entry], form: Format) -> None:
    from leaderboard.grid import Column, Grid, render

    def fact(place: int) -> Callable[[Entry], str]:
        return lambda entry: entry.facts[place]

    columns = [
        Column[Entry]("name", "name", lambda entry: entry.name),
        *(Column[Entry](name, name, fact(place)) for place, name in enumerate(facts)),
        Column[Entry]("summary", "summary", lambda entry: entry.summary),
    ]
    width, color = terminal()
    sys.stdout.write(render([Grid(title, columns, entries)], form.value, width=width, color=color))


@show_app.command("suite")
def show_suite(
    name: Annotated[str, typer.Argument(help="A suite's name or a YAML file.")], form: FormatOption = Format.table
) -> None:
    """The cells of a suite."""
    from bench.suite import load_suite

    suite = load_suite(name)
    entries = [Entry(cell.task, (cell.architecture,), cell.norm) for cell in suite.cells()]
    from leaderboard.grid import Column, Grid, render

    columns = [
        Column[Entry]("task", "task", lambda e: e.name),
        Column[Entry]("architecture", "architecture", lambda e: e.facts[0]),
        Column[Entry]("norm", "norm", lambda e: e.summary),
    ]
    title = f"{suite.name}, version {suite.version}: protocol {suite.protocol}, {suite.seeds} seeds, {suite.summary}"
    width, color = terminal()
    sys.stdout.write(render([Grid(title, columns, entries)], form.value, width=width, color=color))


@show_app.command("task")
def show_task(
    name: Annotated[str, typer.Argument(help="A task, e.g. protein.")],
    plugin: Plugin = None,
    form: FormatOption = Format.table,
) -> None:
    """A task's card, its sizes, and how far its far sets are."""
    from bench.commands.describing import task_grids
    from leaderboard.grid import render

    load_plugins(plugin)
    width, color = terminal()
    sys.stdout.write(render(task_grids(name), form.value, width=width, color=color))
