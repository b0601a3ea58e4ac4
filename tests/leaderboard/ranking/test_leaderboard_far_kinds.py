"""Boards show far by distance, by length and by shift apart, and what share of far rows lies beyond R."""

import csv
import dataclasses
import io
from collections.abc import Callable
from typing import Any

import pytest

from leaderboard.ranking.standings import standings
from leaderboard.records.record import FarKind, Record
from leaderboard.tables.rendering import render_standings

Records = Callable[..., list[Record]]


def said(records: list[Record], kind: FarKind | None, beyond: float | None) -> list[Record]:
    """The records with a far kind, and with this share beyond R on the first far set, as on the others."""
    return [
        dataclasses.replace(
            record,
            far_kind=kind,
            sets=tuple(dataclasses.replace(s, beyond=None if s.role == "test" else beyond) for s in record.sets),
        )
        for record in records
    ]


@pytest.fixture
def mixed(records: Records) -> list[Record]:
    return (
        said(records(tasks=("sine-1d",)), "distance", 1.0)
        + said(records(tasks=("linear-1d",)), "distance", 0.9)
        + said(records(tasks=("protein",)), "shift", 0.0625)
    )


def test_far_kinds_stand_apart(mixed: list[Record]) -> None:
    (board,) = standings(mixed)
    for row in board.overall:
        mine = {one.task: one for one in board.per_task if one.method == row.method}
        assert row.far_error_shift.mean == pytest.approx(mine["protein"].far_error.mean)
        both = mine["sine-1d"].far_error.mean * mine["linear-1d"].far_error.mean
        assert row.far_error_distance.mean == pytest.approx(both**0.5)
        assert row.far_error_length is None
        assert [mine[task].far_kind for task in ("sine-1d", "protein")] == ["distance", "shift"]
        assert mine["protein"].beyond.mean == pytest.approx(0.0625)
    assert "by distance: linear-1d 90%, sine-1d 100%; by shift: protein 6%" in board.notes[0]
    table = render_standings([board], "markdown", scope="overall")
    assert "far by distance" in table
    assert "far by shift" in table
    assert "far by length" not in table
    assert "beyond R" not in table.partition("how far rows are far")[0], "a line says it of each task"
    tasks = render_standings([board], "markdown", scope="tasks")
    assert "beyond R" in tasks
    assert "0.06" in tasks


def test_one_far_kind_needs_no_columns_of_its_own(records: Records) -> None:
    boards = standings(said(records(), "shift", 0.0))
    assert "far by shift" not in render_standings(boards, "markdown")
    rows = list(csv.DictReader(io.StringIO(render_standings(boards, "csv", scope="tasks"))))
    assert {row["far_kind"] for row in rows} == {"shift"}


def test_a_record_that_saw_no_data_hides_no_far_kind(records: Records, key: Any, unfinished: Any) -> None:
    failed = unfinished("failed", key(task="sine-1d", seed=0))
    found = [r for r in records(tasks=("sine-1d",), norms=("none",)) if r.key.seed]
    (board,) = standings([failed, *said(found, "length", 0.25)])
    assert [row.far_kind for row in board.per_task] == ["length"]
    assert board.overall[0].far_error_length == board.overall[0].far_error


def test_older_records_say_nothing_of_it(records: Records) -> None:
    (board,) = standings(records())
    assert not any("how far" in note for note in board.notes)
    assert {row.far_kind for row in board.per_task} == {None}
    assert "far by" not in render_standings([board], "markdown", scope="both")
