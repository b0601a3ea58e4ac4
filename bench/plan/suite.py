"""Suites: named, versioned lists of cells with a protocol, as YAML."""

from __future__ import annotations

import importlib.resources
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from bench.core.errors import InputError, UnknownName
from bench.core.registry import natural
from bench.plan.jobs import Cell, Selection, cells_of
from bench.plan.protocol import get_protocol

_MOST_BYTES = 1_000_000
_FIELDS = {"name", "version", "summary", "protocol", "seeds", "cells"}
_SELECTION_FIELDS = {"tasks", "architectures", "norms"}


@dataclass(frozen=True)
class Suite:
    """A standard list of cells.

    Args:
        name: as ``--suite`` takes it.
        version: raised when the cells change.
        summary: one line.
        protocol: how everything is trained.
        seeds: how many seeds a standard result has.
        selections: products of tasks, architectures and norm schemes.
        path: the file, or None for a suite that was made in Python.
    """

    name: str
    version: int
    summary: str
    protocol: str
    seeds: int
    selections: tuple[Selection, ...]
    path: Path | None = None

    def cells(self, protocol: str | None = None) -> list[Cell]:
        """The suite's cells under its own protocol, or another."""
        return cells_of(self.selections, protocol or self.protocol)


def list_suites() -> list[str]:
    """Names of the suites that come with FarField."""
    folder = importlib.resources.files("bench.plan") / "suites"
    return sorted((f.name.removesuffix(".yaml") for f in folder.iterdir() if f.name.endswith(".yaml")), key=natural)


def load_suite(name: str) -> Suite:
    """The built-in suite called ``name``, or the one in the file ``name`` when that ends in .yaml or .yml.

    Raises:
        InputError: unknown name, unreadable file, or a wrong field (named).
    """
    if name.endswith((".yaml", ".yml")):
        return read_suite(Path(name))
    if name not in list_suites():
        raise UnknownName.among("suite", name, list_suites())
    with importlib.resources.as_file(importlib.resources.files("bench.plan") / "suites" / f"{name}.yaml") as path:
        return read_suite(path)


def read_suite(path: Path) -> Suite:
    """Read and validate a suite file.

    Raises:
        InputError: unreadable, not YAML, or a wrong field (named).
    """
    import yaml

    where = str(path)
    try:
        if path.stat().st_size > _MOST_BYTES:
            raise InputError("a suite file of more than a megabyte", where=where, hint="name a suite file")
        loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)  # the same in C, where PyYAML was built with it
        data = yaml.load(path.read_text(encoding="utf-8"), Loader=loader)
    except OSError as error:
        raise InputError(f"the suite cannot be read: {error.strerror}", where=where, hint="check the path") from None
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        raise InputError(f"the suite is no YAML: {str(error)[:200]}", where=where, hint="correct the file") from None
    return _suite(data, path)


def _suite(data: Any, path: Path) -> Suite:
    where = str(path)
    _check_fields(data, _FIELDS, where)
    for name, kind in (("name", str), ("summary", str), ("version", int), ("seeds", int)):
        if type(data[name]) is not kind or data[name] == "":
            wanted = "a whole number" if kind is int else "a text"
            raise InputError(f"{name} must be {wanted}", where=where, hint=f"correct {name}")
    for name in ("version", "seeds"):
        if data[name] < 1:
            raise InputError(f"{name} must be at least 1", where=where, hint=f"correct {name}")
    protocol = get_protocol(str(data["protocol"])).name
    if not isinstance(data["cells"], list):
        raise InputError("cells must be a list", where=where, hint="list tasks, architectures and norms")
    if not data["cells"]:
        raise InputError("cells is an empty list", where=where, hint="list tasks, architectures and norms")
    selections = tuple(_selection(entry, f"{where}, cells {i + 1}") for i, entry in enumerate(data["cells"]))
    return Suite(data["name"], data["version"], data["summary"], protocol, data["seeds"], selections, path)


def _selection(entry: Any, where: str) -> Selection:
    _check_fields({"norms": ["none"], **entry} if isinstance(entry, dict) else entry, _SELECTION_FIELDS, where)
    lists = {name: entry.get(name, ["none"]) for name in _SELECTION_FIELDS}
    for name, values in lists.items():
        if values == []:
            raise InputError(f"{name} is an empty list", where=where, hint=f"name {name}, or remove the entry")
        if not isinstance(values, list) or not all(isinstance(v, str) for v in values):
            raise InputError(f"{name} must be a list of names", where=where, hint=f"correct {name}")
    return Selection(tuple(lists["tasks"]), tuple(lists["architectures"]), tuple(lists["norms"]))


def _check_fields(data: Any, wanted: set[str], where: str) -> None:
    if not isinstance(data, dict):
        raise InputError("not a mapping", where=where, hint=f"give {', '.join(sorted(wanted))}")
    odd = sorted(str(key) for key in set(data) ^ wanted)
    if odd:
        kind = "unknown" if odd[0] in map(str, data) else "missing"
        raise InputError(f"{kind} field {odd[0]!r}", where=where, hint=f"the fields are {', '.join(sorted(wanted))}")
