"""``farfield list``."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Annotated

import typer

from bench.commands._options import Plugins, load_plugins
from bench.commands._output import Format, FormatOption, write_grids


def add_to(app: typer.Typer) -> None:
    """Add the command."""
    app.command("list")(list_)


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
    plugin: Plugins = None,
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
    facts = ("kind", "truth", "far", "data", "origin")
    data = {True: "real", False: "computed"}
    return facts, [Entry(c.name, (c.kind, c.truth, c.far_kind or "", data[c.real], c.origin), c.summary) for c in cards]


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
