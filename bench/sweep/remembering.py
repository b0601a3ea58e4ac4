"""What a sweep leaves in the store beside its records, and what readers take from there.

Records of plug-in tasks and networks, and boards of a user's own suites, are read without the files and without running
anybody's code: names and facts that need it were written down when it was there.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Sequence
from typing import Any

import architectures
import tasks
from bench.core.errors import InputError, UnknownName
from bench.core.grammar import parse_call
from bench.core.origin import loaded_from
from bench.core.plugins import Plugin
from bench.plan.scope import Method, SuiteScope
from bench.plan.suite import Suite, list_suites, load_suite
from leaderboard.records.store.memory import Remembered
from leaderboard.records.store.store import Store


def plugin_entry(plugin: Plugin) -> Remembered:
    """A loaded plug-in: where it lay, its hash and those of its helpers, and what it registered."""
    found_tasks = [card for card in tasks.REGISTRY.loaded() if loaded_from(card.build) == plugin.sha256]
    content = {
        "helpers": {one.path: one.sha256 for one in plugin.imports.beside} | dict(plugin.imports.elsewhere),
        "tasks": {card.name: {"kind": card.kind, "truth": card.truth, "real": card.real} for card in found_tasks},
        "architectures": [c.name for c in architectures.REGISTRY.loaded() if c.source_hash == plugin.sha256],
        "norms": [c.name for c in architectures.NORM_REGISTRY.loaded() if c.source_hash == plugin.sha256],
    }
    return Remembered("plug-in", plugin.path, plugin.sha256, content)


def suite_entry(suite: Suite, scope: SuiteScope) -> Remembered:
    """A suite with its text, and its cells as they were read."""
    content = {
        "version": scope.version,
        "protocol": scope.protocol,
        "seeds": suite.seeds,
        "summary": suite.summary,
        "text": suite.text,
        "cells": sorted(map(list, scope.cells)),
        "tracks": [[name, list(names)] for name, names in scope.tracks.items()],
    }
    return Remembered("suite", scope.name, _hash(suite.text or content), content)


def guest_entries(suite: str, guests: Iterable[Method]) -> list[Remembered]:
    """What was put on the suite, an entry for each architecture with a norm."""
    return [
        Remembered("guest", suite, _hash([architecture, norm]), {"architecture": architecture, "norm": norm})
        for architecture, norm in sorted(guests)
    ]


def _hash(content: Any) -> str:
    text = content if isinstance(content, str) else json.dumps(content, sort_keys=True)
    return hashlib.sha256(text.encode()).hexdigest()


def scope_of(store: Store, suite: str) -> SuiteScope:
    """The suite that a reader names: built in, a file, or the newest of that name that was run into ``store``.

    A file whose suite names what is not registered here is taken from the store, where that very text was run.

    Raises:
        InputError: there is no such suite; or its file names what is not registered here and was not run.
    """
    scope = _of_name(store, suite)
    return scope.with_guests(scope_guests(store, scope.name))


def scope_guests(store: Store, suite: str) -> list[Method]:
    """What was ever put on the suite in this store."""
    return [_guest(entry) for entry in store.recall("guest", suite)]


def _of_name(store: Store, name: str) -> SuiteScope:
    if name in list_suites():
        return SuiteScope.of(load_suite(name))
    if not name.endswith((".yaml", ".yml")):
        kept = store.recall("suite", name)
        if not kept:
            known = {*list_suites(), *(entry.name for entry in store.recall("suite"))}
            raise UnknownName.among("suite", name, known)
        return _scope(kept[0])
    suite = load_suite(name)
    try:
        return SuiteScope.of(suite)
    except UnknownName:
        kept = [entry for entry in store.recall("suite", suite.name) if entry.sha256 == _hash(suite.text)]
        if not kept:
            raise
        return _scope(kept[0])


def _scope(entry: Remembered) -> SuiteScope:
    content = entry.content
    try:
        cells = frozenset((str(t), str(a), str(n)) for t, a, n in content["cells"])
        tracks = {_printable(name): tuple(map(str, names)) for name, names in content["tracks"]}
        return SuiteScope(entry.name, int(content["version"]), str(content["protocol"]), cells, tracks)
    except (KeyError, TypeError, ValueError) as error:
        raise _damaged(entry) from error


def _printable(text: object) -> str:
    """A text that is shown to people; a store from elsewhere may hold what moves a terminal's cursor.

    Raises:
        ValueError: it is not printable.
    """
    if not isinstance(text, str) or not text.isprintable():
        raise ValueError("not printable")
    return text


def _guest(entry: Remembered) -> Method:
    try:
        return str(entry.content["architecture"]), str(entry.content["norm"])
    except KeyError as error:
        raise _damaged(entry) from error


def _damaged(entry: Remembered) -> InputError:
    what = f"what the store remembers of the {entry.kind} {entry.name[:100]!r} is damaged"
    return InputError(what, hint="run it again, or restore a copy")


def remembered_task(store: Store, spelling: str) -> tuple[str, dict[str, Any]] | None:
    """The plug-in file that registered a task when it was run into ``store``, and the facts of its card; or None."""
    name = parse_call(spelling, "task").name
    for entry in store.recall("plug-in"):
        found = entry.content.get("tasks")
        if isinstance(found, dict) and isinstance(found.get(name), dict) and entry.name.isprintable():
            return entry.name, found[name]
    return None


def need_tasks(store: Store, spellings: Sequence[str]) -> None:
    """Check that the tasks whose data a picture needs are registered here.

    Raises:
        InputError: one is not; the line names the plug-in file that registered it, where the store remembers one.
    """
    for spelling in spellings:
        name = parse_call(spelling, "task").name
        if name in tasks.REGISTRY:
            continue
        known = remembered_task(store, spelling)
        if known is None:
            raise UnknownName.among("task", name, tasks.list_tasks())
        raise InputError(
            f"the picture needs the data of {name!r}, a task of a plug-in", hint=f"give --plugin {known[0]}"
        )
