"""Suites: named, versioned lists of cells with a protocol, as YAML."""

from __future__ import annotations

import importlib.resources
import re
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import tasks
from bench.core.errors import InputError, UnknownName
from bench.core.registry import natural
from bench.plan.jobs import Cell, Selection, cells_of
from bench.plan.protocol import get_protocol

_MOST_BYTES = 1_000_000
_FIELDS = {"name", "version", "summary", "protocol", "seeds"}
_SELECTION_FIELDS = {"tasks", "architectures", "norms"}


_TRACK = re.compile(r"[a-z0-9]+(-[a-z0-9]+)*\Z")


@dataclass(frozen=True)
class Track:
    """Tasks of a suite that have a board of their own.

    Args:
        name: of the section.
        selections: products of tasks, architectures and norm schemes; no task is in two tracks.
    """

    name: str
    selections: tuple[Selection, ...]


@dataclass(frozen=True)
class Suite:
    """A standard list of cells.

    Args:
        name: as ``--suite`` takes it.
        version: raised when the cells change.
        summary: one line.
        protocol: how everything is trained.
        seeds: how many seeds a standard result has.
        selections: products of tasks, architectures and norm schemes that are in no track.
        path: the file, or None for a suite that was made in Python.
        tracks: groups of tasks with a board each; a suite has tracks, or selections.
        text: of the file.
    """

    name: str
    version: int
    summary: str
    protocol: str
    seeds: int
    selections: tuple[Selection, ...]
    path: Path | None = None
    tracks: tuple[Track, ...] = ()
    text: str = field(default="", repr=False, compare=False)

    def cells(self, protocol: str | None = None) -> list[Cell]:
        """The suite's cells under its own protocol, or another.

        Raises:
            InputError: a name is unknown, or no network of a selection has the place of a scheme.
        """
        of_tracks = [selection for track in self.tracks for selection in track.selections]
        return cells_of((*self.selections, *of_tracks), protocol or self.protocol)

    def track_tasks(self) -> dict[str, tuple[str, ...]]:
        """The tasks of each track, in canonical spelling; empty for a suite without tracks.

        Raises:
            InputError: a name is unknown, or a task is in two tracks.
        """
        found: dict[str, tuple[str, ...]] = {}
        track_of: dict[str, str] = {}
        for track in self.tracks:
            names = [tasks.resolve(name).name for selection in track.selections for name in selection.tasks]
            found[track.name] = tuple(dict.fromkeys(names))
            for name in found[track.name]:
                _check_in_one_track(name, track_of.setdefault(name, track.name), track.name, f"suite {self.name}")
        return found

    @property
    def built_in(self) -> bool:
        """It comes with FarField."""
        return self.name in list_suites() and self.path is not None and self.path.parent == _built_in_folder()


def _built_in_folder() -> Path:
    return Path(str(importlib.resources.files("bench.plan") / "suites"))


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
        text = path.read_text(encoding="utf-8")
        data = yaml.load(text, Loader=loader)
    except OSError as error:
        raise InputError(f"the suite cannot be read: {error.strerror}", where=where, hint="check the path") from None
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        raise InputError(f"the suite is no YAML: {str(error)[:200]}", where=where, hint="correct the file") from None
    return _suite(data, path, text)


def _suite(data: Any, path: Path, text: str) -> Suite:
    where = str(path)
    if isinstance(data, dict) and "cells" in data and "tracks" in data:
        raise InputError("cells and tracks", where=where, hint="list every cell in a track, or leave out tracks")
    has_tracks = isinstance(data, dict) and "tracks" in data
    _check_fields(data, _FIELDS | ({"tracks"} if has_tracks else {"cells"}), where)
    for name, kind in (("name", str), ("summary", str), ("version", int), ("seeds", int)):
        if type(data[name]) is not kind or data[name] == "":
            wanted = "a whole number" if kind is int else "a text"
            raise InputError(f"{name} must be {wanted}", where=where, hint=f"correct {name}")
    for name in ("version", "seeds"):
        if data[name] < 1:
            raise InputError(f"{name} must be at least 1", where=where, hint=f"correct {name}")
    protocol = get_protocol(str(data["protocol"])).name
    tracks = _tracks(data["tracks"], where) if has_tracks else ()
    selections = () if has_tracks else _selections(data["cells"], where, "cells")
    return Suite(
        data["name"], data["version"], data["summary"], protocol, data["seeds"], selections, path, tracks, text
    )


def _tracks(data: Any, where: str) -> tuple[Track, ...]:
    if not isinstance(data, dict) or not data:
        raise InputError("tracks must map names to cells", where=where, hint="tracks: {tables: [...]}")
    tracks = []
    track_of: dict[str, str] = {}
    for name, cells in data.items():
        if not isinstance(name, str) or not _TRACK.match(name):
            raise InputError(f"{name!r} is no name for a track", where=where, hint="lower-case words and hyphens")
        track = Track(name, _selections(cells, where, f"track {name}"))
        for task in dict.fromkeys(task for selection in track.selections for task in selection.tasks):
            _check_in_one_track(task, track_of.setdefault(task, name), name, where)
        tracks.append(track)
    return tuple(tracks)


def _check_in_one_track(task: str, first: str, second: str, where: str) -> None:
    if first != second:
        what = f"{task} is in the tracks {first} and {second}"
        raise InputError(what, where=where, hint="a task is in one track, so that it counts once")


def _selections(data: Any, where: str, what: str) -> tuple[Selection, ...]:
    if not isinstance(data, list):
        raise InputError(f"{what} must be a list", where=where, hint="list tasks, architectures and norms")
    if not data:
        raise InputError(f"{what} is an empty list", where=where, hint="list tasks, architectures and norms")
    return tuple(_selection(entry, f"{where}, {what} {i + 1}") for i, entry in enumerate(data))


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
