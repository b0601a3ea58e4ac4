"""Boards of tracks, and the places of a method on them."""

from __future__ import annotations

import json
from collections.abc import Sequence

import pytest

from leaderboard.ranking.cells import Method
from leaderboard.ranking.tracks import Place, places_of, track_boards
from leaderboard.records.record import Record, RecordKey, SetResult
from leaderboard.tables.rendering import render_standings

TRACKS = {"tables": ("a", "b"), "sequences": ("c",)}
TRUTH = {"a": "bounded", "b": "growing", "c": "growing"}


def record(task: str, architecture: str, seed: int, far: float, **changes: object) -> Record:
    key = RecordKey("2", task, "1", "d" * 64, architecture, "s" * 16, "none", seed)
    sets = tuple(
        SetResult(name, role, 10, error, 1.0, 1.0, 0.0, 0)  # type: ignore[arg-type]
        for name, role, error in (("test", "test", 0.1), ("far", "far", far))
    )
    fields = {
        "status": "ok",
        "truth": TRUTH[task],
        "created": "2026-01-02T03:04:05+00:00",
        "id_error": 0.1,
        "far_error": far,
        "sets": sets,
        "ladder": (1.0, 10.0),
        "growth": (1.0, 1.0),
        "departure": (1.0, 1.0),
        "nonfinite": (0, 0),
        "exponent": 0.0,
        "local_exponent": 0.0,
        "axis_growth": (),
        "axis_exponent": 0.0,
        "probe_nonfinite": 0,
    }
    return Record(key=key, **(fields | changes))  # type: ignore[arg-type]


def board(methods: dict[str, dict[str, float]], seeds: int = 4) -> list[Record]:
    """Far errors by method and task, with a little scatter over seeds."""
    return [
        record(task, name, seed, error * (1 + 0.01 * seed))
        for name, tasks in methods.items()
        for task, error in tasks.items()
        for seed in range(seeds)
    ]


def places(records: Sequence[Record], name: str = "mine") -> dict[str, Place]:
    mine = {Method.of(r.key.cell) for r in records if r.key.architecture == name}
    return {place.track: place for place in places_of(records, TRACKS, mine)}


CLEAR = {
    "one": {"a": 1.0, "b": 0.1},
    "two": {"a": 2.0, "b": 0.2},
    "three": {"a": 3.0, "b": 0.3},
    "mine": {"a": 0.1, "b": 9.0},
}


def test_a_track_has_a_board_of_its_own_tasks() -> None:
    records = board(CLEAR) + board({"one": {"c": 1.0}})
    found = track_boards(records, TRACKS)
    assert [(b.track, len(b.editions), len(b.overall)) for b in found] == [("tables", 2, 4), ("sequences", 1, 1)]
    assert not any(row.missing for b in found for row in b.overall), "nobody lacks the tasks of another track"
    assert "sequences: standings" in render_standings(found)
    assert [b.track for b in track_boards(records)] == [""]


def test_tasks_that_nobody_has_are_said() -> None:
    (tables,) = track_boards(board({"one": {"a": 1.0}}), TRACKS)
    assert tables.notes[0] == "no results here of 1 of the track's 2 tasks: b"


def test_a_place_is_a_range_and_names_the_truths_that_decide_it() -> None:
    place = places(board(CLEAR))["tables"]
    assert (place.best, place.worst, place.of, place.others) == (3, 4, 4, 3)
    by_truth = {t.truth: (t.best, t.worst, t.of) for t in place.truths}
    assert by_truth == {"bounded": (1, 1, 4), "growing": (4, 4, 4)}
    assert place.sentence == (
        "tables: mine, none: would rank 3–4 of 4 on these 2 tasks; loses on growing truths; "
        "does well on bounded truths; fewer than 6 tasks: nothing is claimed for others like these"
    )


def test_what_lacks_a_task_is_not_ranked_and_counts_for_nobody() -> None:
    records = board({"one": {"a": 1.0, "b": 1.0}, "partly": {"a": 0.1}, "mine": {"a": 2.0, "b": 2.0}})
    assert places(records)["tables"].of == 2
    partly = places(records, "partly")["tables"]
    assert partly.best is None
    assert partly.sentence == "tables: partly, none: not ranked: lacks 1 of 2 tasks (b)"


def test_alone_there_is_nothing_to_rank_against() -> None:
    found = places(board({"mine": {"a": 1.0, "b": 1.0}}))
    assert list(found) == ["tables"], "a track without records of the method is passed over"
    expected = "tables: mine, none: no other results of this suite here: nothing to rank against"
    assert found["tables"].sentence == expected


def test_a_failure_is_told_and_stands_last() -> None:
    broken = record(
        "a", "mine", 9, 1.0, status="failed", reason="r", reason_code="error", id_error=None, far_error=None
    )
    place = places([*board(CLEAR), broken])["tables"]
    assert (place.best, place.worst) == (4, 4)
    assert "1 failed" in place.sentence


def test_programs_get_the_places_too() -> None:
    records = board(CLEAR)
    found = tuple(places(records).values())
    content = json.loads(render_standings(track_boards(records, TRACKS), "json", places=found))
    (row,) = content["places"]["tables"]
    assert (row["best"], row["worst"], row["of"], row["missing"]) == (3, 4, 4, [])
    assert row["sentence"] == found[0].sentence
    assert content["tables"][0]["track"] == "tables"
    assert "places" not in json.loads(render_standings(track_boards(records), "json"))
    assert render_standings(track_boards(records), places=found).endswith(found[0].sentence + "\n")
    assert found[0].sentence not in render_standings(track_boards(records), "csv", places=found)


@pytest.mark.parametrize("seeds", [1, 3])
def test_a_suite_without_tracks_has_one_place(seeds: int) -> None:
    records = board({"one": {"a": 1.0}, "mine": {"a": 2.0}}, seeds)
    mine = {Method.of(r.key.cell) for r in records if r.key.architecture == "mine"}
    (place,) = places_of(records, {"": ("a",)}, mine)
    assert (place.track, place.of, place.worst) == ("", 2, 2)
    assert place.sentence.startswith("mine, none: would rank")
