"""Cells, suites and seeds, before anything is run."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import pytest

import bench
import tasks
from bench.core.errors import InputError
from bench.plan.jobs import Selection, cells_of, parse_seeds, record_keys
from bench.plan.suite import list_suites, load_suite, read_suite
from tasks.card import Budget


def test_cells_are_spelled_canonically_and_estimators_appear_once() -> None:
    cells = cells_of([Selection(("sine-1d",), ("mlp(depth=2, width=128)", "mean"), ("none", "layer@first"))], "2")
    assert [(c.architecture, c.norm) for c in cells] == [("mlp", "none"), ("mlp", "layer@first"), ("mean", "none")]


def test_another_budget_is_another_key() -> None:
    (cell,) = cells_of([Selection(("sine-1d",), ("mlp",), ("none",))], "2")
    card = tasks.get_card("sine-1d")
    assert {key.task_version for key in record_keys(cell, (0, 1))} == {card.keyed_version}
    assert dataclasses.replace(card, budget=Budget(7)).keyed_version != card.keyed_version


@pytest.mark.parametrize("name", list_suites())
def test_built_in_suites_are_valid(name: str) -> None:
    suite = load_suite(name)
    assert suite.name == name
    cells = suite.cells()
    assert cells
    assert len(set(cells)) == len(cells)


@pytest.mark.parametrize(
    ("text", "fragment"),
    [
        ("[1, 2]", "not a mapping"),
        ("name: [", "no YAML"),
        ("name: x", "missing field"),
        ("{name: x, version: 1, summary: s, protocol: quick, seeds: 3, cells: [], more: 1}", "unknown field 'more'"),
        (
            "{name: x, version: 1, summary: s, protocol: quick, seeds: 0, cells: [{tasks: [a], architectures: [b]}]}",
            "seeds",
        ),
        (
            "{name: x, version: 1, summary: s, protocol: nope, seeds: 1, cells: [{tasks: [a], architectures: [b]}]}",
            "protocol",
        ),
        (
            "{name: x, version: 1, summary: s, protocol: quick, seeds: 1, cells: [{tasks: a, architectures: [b]}]}",
            "tasks",
        ),
        ("!!python/object/apply:os.system ['true']", "no YAML"),
    ],
)
def test_a_wrong_suite_file_is_named(tmp_path: Path, text: str, fragment: str) -> None:
    path = tmp_path / "suite.yaml"
    path.write_text(text)
    with pytest.raises(InputError, match=fragment):
        read_suite(path)


def test_a_suite_in_a_file_runs(tmp_path: Path) -> None:
    path = tmp_path / "own.yaml"
    path.write_text(
        "name: own\nversion: 1\nsummary: s\nprotocol: quick\nseeds: 1\ncells:\n"
        "  - tasks: [sine-1d]\n    architectures: [mean, ridge]\n"
    )
    results = bench.run(suite=str(path), out=tmp_path / "out")
    assert len(results.records) == 2
    assert len(bench.run(suite=str(path), architectures=["ridge"], out=tmp_path / "out").records) == 1
    with pytest.raises(InputError, match=r"unknown architecture 'rigde'.*did you mean 'ridge'"):
        bench.run(suite=str(path), architectures=["rigde"], out=tmp_path / "out")


@pytest.mark.parametrize(("text", "seeds"), [("3", (0, 1, 2)), ("0,4,7", (0, 4, 7)), ("5,", (5,))])
def test_seeds(text: str, seeds: tuple[int, ...]) -> None:
    assert parse_seeds(text) == seeds


@pytest.mark.parametrize("text", ["0", "-1", "x", "", "1,1", "1,-2", "99999"])
def test_bad_seeds(text: str) -> None:
    with pytest.raises(InputError, match="--seeds"):
        parse_seeds(text)
