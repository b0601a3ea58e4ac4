"""Suites: tracks, what is chosen from their cells, and what is put on their tasks beside them."""

from __future__ import annotations

from pathlib import Path

import pytest

from bench.core.errors import InputError
from bench.plan.choosing import Chosen, chosen_cells
from bench.plan.jobs import Cell, Selection
from bench.plan.options import CellOptions
from bench.plan.scope import SuiteScope
from bench.plan.suite import Suite, Track, read_suite

HEAD = "name: own\nversion: 1\nsummary: s\nprotocol: quick\nseeds: 1\n"
TABLES = "  tables:\n    - tasks: [sine-1d]\n      architectures: [mean]\n"
MIXED = Suite(
    "mixed",
    1,
    "s",
    "quick-2",
    1,
    (
        Selection(("sine-1d", "linear-1d"), ("mlp",), ("none", "layer@first")),
        Selection(("sine-1d", "linear-1d", "trend-sequence"), ("mean",)),
        Selection(("trend-sequence",), ("transformer",), ("none", "layer@pre")),
    ),
)


def write(tmp_path: Path, text: str) -> Path:
    path = tmp_path / "own.yaml"
    path.write_text(HEAD + text)
    return path


def chosen(suite: Suite = MIXED, **asked: object) -> Chosen:
    return chosen_cells(CellOptions(**asked), suite)  # type: ignore[arg-type]


def put(found: Chosen) -> set[tuple[str, str, str]]:
    """What guests are tried on."""
    return {(c.task, c.architecture, c.norm) for guest in found.guests for c in guest.cells}


def test_tracks_hold_the_cells_and_name_their_tasks(tmp_path: Path) -> None:
    sequences = "  sequences:\n    - tasks: [trend-sequence, sum-sequence]\n      architectures: [mean, ridge]\n"
    suite = read_suite(write(tmp_path, "tracks:\n" + TABLES + sequences))
    assert [track.name for track in suite.tracks] == ["tables", "sequences"]
    assert len(suite.cells()) == 5
    assert suite.track_tasks() == {"tables": ("sine-1d",), "sequences": ("trend-sequence", "sum-sequence")}
    assert not suite.built_in


@pytest.mark.parametrize(
    ("text", "fragment"),
    [
        ("tracks: {}", "tracks must map names to cells"),
        ("tracks: [a]", "tracks must map names to cells"),
        ("tracks: {tables: []}", "track tables is an empty list"),
        ("tracks: {Big Tables: [{tasks: [a], architectures: [b]}]}", "'Big Tables' is no name for a track"),
        ("tracks: {tables: [{tasks: [a], architecture: [b]}]}", "track tables 1"),
        ("cells: [{tasks: [a], architectures: [b]}]\ntracks:\n" + TABLES, "cells and tracks"),
        ("tracks:\n" + TABLES + TABLES.replace("tables", "others"), "sine-1d is in the tracks tables and others"),
    ],
)
def test_a_wrong_track_is_named(tmp_path: Path, text: str, fragment: str) -> None:
    with pytest.raises(InputError, match=fragment):
        read_suite(write(tmp_path, text))


def test_a_task_spelled_in_two_ways_is_in_one_track() -> None:
    """Canonical spelling decides, as everywhere."""
    tracks = (
        Track("a", (Selection(("sine-1d",), ("mean",)),)),
        Track("b", (Selection(("sine-1d(instance=0)",), ("mean",)),)),
    )
    with pytest.raises(InputError, match="sine-1d is in the tracks a and b"):
        Suite("x", 1, "s", "quick-2", 1, (), tracks=tracks).track_tasks()


def test_names_that_the_suite_has_choose_from_its_cells() -> None:
    found = chosen(architectures=("mlp", "mean"), norms=("layer@first",))
    assert not found.guests
    assert {(c.task, c.architecture, c.norm) for c in found.cells} == {
        ("sine-1d", "mlp", "layer@first"),
        ("linear-1d", "mlp", "layer@first"),
        *((task, "mean", "none") for task in ("sine-1d", "linear-1d", "trend-sequence")),
    }
    assert len(chosen(tasks=("trend-sequence",)).cells) == 3


def test_an_architecture_that_the_suite_has_not_comes_on_every_task_that_it_reads() -> None:
    found = chosen(architectures=("mlp(width=8)",), norms=("none", "rms@all"))
    assert not found.cells
    tasks = ("sine-1d", "linear-1d", "trend-sequence")
    assert put(found) == {(task, "mlp(width=8)", norm) for task in tasks for norm in ("none", "rms@all")}
    (guest,) = chosen(architectures=("last-value",)).guests
    assert {c.task for c in guest.cells} == {"trend-sequence"}
    assert guest.left_out == (("last-value reads sequence inputs, not features", ("sine-1d", "linear-1d")),)


def test_an_architecture_that_reads_none_of_it_is_refused() -> None:
    with pytest.raises(InputError, match="last-value reads sequence inputs, not features"):
        chosen(architectures=("last-value",), tasks=("sine-1d", "linear-1d"))


def test_a_norm_that_the_suite_has_not_comes_on_its_networks_that_have_the_place() -> None:
    found = chosen(norms=("rms@pre",))
    assert put(found) == {("trend-sequence", "transformer", "rms@pre")}
    assert {c.architecture for c in found.cells} == {"mean"}
    assert put(chosen(architectures=("mlp",), norms=("layer@last",))) == {
        (task, "mlp", "layer@last") for task in ("sine-1d", "linear-1d")
    }


@pytest.mark.parametrize(
    ("asked", "fragment"),
    [
        ({"architectures": ("mpl",)}, "unknown architecture 'mpl': did you mean 'mlp'"),
        ({"tasks": ("sin-1d",)}, "unknown task 'sin-1d'"),
        ({"tasks": ("sum-sequence",)}, r"unknown task 'sum-sequence' \[suite mixed\]: did you mean 'trend-sequence'"),
        ({"norms": ("layer@frist",)}, "first"),
        ({"architectures": ("knn",), "norms": ("layer@first",)}, "estimators take no norm"),
        ({"tasks": ("sine-1d",), "architectures": ("transformer",)}, "no cell of the suite is left"),
    ],
)
def test_typing_errors_are_answered(asked: dict[str, tuple[str, ...]], fragment: str) -> None:
    with pytest.raises(InputError, match=fragment):
        chosen(**asked)


def test_a_scope_holds_the_suites_cells_and_its_guests() -> None:
    from leaderboard.records.record import CellKey

    def key(task: str, architecture: str, norm: str = "none", protocol: str = "quick-2") -> CellKey:
        return CellKey(protocol, task, "1", "e", architecture, "s", norm)

    scope = SuiteScope.of(MIXED)
    mine = [Cell("sine-1d", "mlp", "none", "quick-2"), Cell("sine-1d", "my-net", "none", "quick-2")]
    assert scope.guests_of(mine) == {("my-net", "none")}
    wider = scope.with_guests(scope.guests_of(mine))
    assert wider.holds(key("sine-1d", "mlp"))
    assert wider.holds(key("trend-sequence", "my-net"))
    assert not scope.holds(key("sine-1d", "my-net"))
    assert not wider.holds(key("decay-1d", "my-net"))
    assert not wider.holds(key("sine-1d", "mlp", protocol="2"))
