"""Seeds of a cell have other data each; what was measured on other data never enters one number."""

import numpy as np

from leaderboard.ranking.cells import cells_by_protocol
from leaderboard.ranking.comparison import compare
from leaderboard.ranking.standings import standings
from leaderboard.records.summary import Summaries

DRAWS = ["a" * 32 + name * 32 for name in "abc"]
EARLY, LATE = "2026-01-01T00:00:00+00:00", "2026-02-01T00:00:00+00:00"


def test_draws_of_one_edition_are_seeds_of_one_cell(record, key):
    mine = [record(key(seed=seed, data_hash=name)) for seed, name in enumerate(DRAWS)]
    (board,) = standings(mine)
    (row,) = board.overall
    assert row.seeds == (3, 3)
    assert [edition.data_hash for edition in board.editions] == ["a" * 32]
    assert not any("older edition" in note for note in board.notes)


def test_records_of_a_changed_table_stay_apart_though_not_every_seed_was_run_again(record, key):
    old = [record(key(seed=seed, data_hash=name), created=EARLY, id_error=0.5) for seed, name in enumerate(DRAWS)]
    changed = [name.replace("a" * 32, "f" * 32, 1) for name in DRAWS[:2]]
    new = [record(key(seed=seed, data_hash=name), created=LATE, id_error=0.1) for seed, name in enumerate(changed)]
    (board,) = standings(old + new)
    (row,) = board.overall
    assert row.seeds == (2, 2)
    assert np.isclose(row.id_error.mean, 0.1)
    assert {edition.data_hash for edition in board.editions} == {"f" * 32}


def test_of_a_draw_that_was_made_in_two_ways_the_newer_counts_for_all_methods(record, key):
    again = "a" * 32 + "d" * 32
    fixed = [
        record(key(seed=seed, data_hash=name, norm=norm), created=EARLY)
        for seed, name in enumerate(DRAWS)
        for norm in ("none", "layer@all")
    ]
    late = record(key(seed=1, data_hash=again), created=LATE)
    (board,) = standings([*fixed, late])
    rows = {row.method.norm: row for row in board.overall}
    assert rows["none"].seeds == (3, 3)
    assert rows["layer@all"].seeds == (2, 2)  # its seed 1 was measured on other rows than count now
    assert any("older edition" in note for note in board.notes)
    (found,) = compare([*fixed, late])
    assert found.overall[0].effect("id_error").pairs == 2
    older = [row for row in found.per_task if row.edition.data_hash == DRAWS[1]]
    assert [row.effect("id_error").pairs for row in older] == [1]


def test_a_seed_of_an_edition_has_one_data_hash(record, key):
    many = [
        record(key(seed=seed, data_hash="a" * 32 + name * 32, norm=norm), created=f"2026-01-0{day}T00:00:00+00:00")
        for day, (seed, name, norm) in enumerate([(0, "a", "none"), (0, "b", "x"), (1, "a", "x"), (0, "a", "x")], 1)
    ]
    (cells,) = cells_by_protocol(Summaries.of(many)).values()
    seen: dict[tuple[int, int], set[str]] = {}
    for cell, seed, name in zip(cells.records.cell, cells.records.seed, cells.records.data_hash, strict=True):
        seen.setdefault((int(cells.edition[cell]), int(seed)), set()).add(name)
    assert all(len(names) == 1 for names in seen.values())
    assert len(cells.records) == len(many)
