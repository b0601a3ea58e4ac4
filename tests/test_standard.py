"""The suite `standard`: that its tasks keep its rule, that its results come with FarField, and the tool of its page."""

from __future__ import annotations

import math
import re
from pathlib import Path

import pytest

import tasks
from bench.plan.suite import Suite, load_suite
from leaderboard.publishing.reading import read_entries, records_in
from leaderboard.records.record import Record
from tests.test_fairness import measured
from tools.page import with_part
from tools.standard import STEADY, boards, judged, rule_table, time_table

ROOT = Path(__file__).parents[1]


@pytest.fixture(scope="module")
def suite() -> Suite:
    return load_suite("standard")


@pytest.fixture(scope="module")
def records() -> list[Record]:
    return list(records_in(read_entries(ROOT / "leaderboard" / "entries")))


def test_truths_are_balanced_in_every_track_and_none_is_small(suite: Suite) -> None:
    for track, names in suite.track_tasks().items():
        truths = [tasks.get_card(name).truth for name in names]
        assert truths.count("bounded") == truths.count("growing") >= (6 if track == "tables" else 3), track
        assert len(truths) >= 6


def test_every_task_keeps_the_rule_by_published_numbers(suite: Suite, records: list[Record]) -> None:
    """No far number: the rule reads id_error alone."""
    for names in suite.track_tasks().values():
        for name in names:
            one = judged(name, records)
            assert one.passes, one


def test_every_cell_is_published_with_all_seeds(suite: Suite, records: list[Record]) -> None:
    found = {(r.key.task, r.key.architecture, r.key.norm, r.key.seed) for r in records if r.key.protocol == "2"}
    for cell in suite.cells():
        for seed in range(suite.seeds):
            assert (cell.task, cell.architecture, cell.norm, seed) in found, cell


@pytest.mark.usefixtures("with_published")
def test_the_page_has_the_boards_of_the_published_results(tmp_path: Path) -> None:
    page = (ROOT / "docs" / "standard.md").read_text(encoding="utf-8")
    assert with_part(page, "boards", boards("standard", tmp_path / "nothing")) == page, "run python -m tools.standard"


def test_the_findings_say_what_the_boards_say() -> None:
    """Every number with an interval in the text stands in a table; which row is meant is not checked."""
    page = (ROOT / "docs" / "standard.md").read_text(encoding="utf-8")
    tables, found = page.partition("## What the boards say")[::2]
    findings = found.partition("\n## ")[0]

    def numbers(text: str) -> set[tuple[float, ...]]:
        number = r"(\d+(?:\.\d+)?)"
        matches = re.finditer(rf"{number}\s+\[{number},\s+{number}\]", text)
        return {tuple(float(f"{float(part):.2g}") for part in match.groups()) for match in matches}

    assert len(numbers(findings)) > 20
    assert numbers(findings) <= numbers(tables)


def test_the_rule_takes_the_best_reference_and_its_spread() -> None:
    near = [measured("2", "none", seed, 5.0) for seed in range(3)]
    one = judged("sine-1d", near)
    assert one.best == "mlp"
    assert one.mean == pytest.approx(0.1 * (1.0 * 1.01 * 1.02) ** (1 / 3))
    assert one.deviation < 0.02 < STEADY
    assert one.passes
    assert not judged("step-1d", near).passes, "no record, no place"
    assert judged("sine-1d", [measured("2", "layer@all", seed, 5.0) for seed in range(3)]).mean == math.inf


def test_tables_name_every_task_of_the_suite(suite: Suite, records: list[Record]) -> None:
    rules, times = rule_table(suite, records, ["sine-1d"]), time_table(suite, records)
    for names in suite.track_tasks().values():
        assert all(f"`{name}`" in rules and f"`{name}`" in times for name in names)
    assert "| – | `sine-1d` |" in rules
