import dataclasses
import math
import shutil
import sqlite3
import time
from contextlib import closing

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bench.core.errors import InputError
from leaderboard.ranking import statistics
from leaderboard.ranking.standings import standings
from leaderboard.ranking.statistics import Sample
from leaderboard.records.record import STATUSES
from leaderboard.records.store import schema
from leaderboard.records.store.store import RecordFilter, Store
from leaderboard.records.store.stored_records import StoredRecords
from leaderboard.records.summary import NUMBERS, Summaries


@pytest.fixture
def path(tmp_path):
    return tmp_path / "records.sqlite"


@pytest.fixture
def odd(records, record, key, unfinished):
    """Records of every kind: finished, failed, overflowed, without sizes, of other data, of another protocol."""
    every = records(tasks=("sine-1d", "protein"), norms=("none", "rms@all"), seeds=range(3))
    every += [unfinished(status, key(norm="x", seed=n)) for n, status in enumerate(STATUSES) if status != "ok"]
    one = record(key(norm="y"))
    last = dataclasses.replace(one.sets[-1], relative_error=None, rmse=None, mae=None, r2=None, nonfinite=1)
    curves = {name: (*getattr(one, name)[:-1], None) for name in ("growth", "departure")}
    every.append(
        dataclasses.replace(
            one,
            sets=(*one.sets[:-1], last),
            far_error=None,
            exponent=None,
            nonfinite=(*one.nonfinite[:-1], 2),
            **curves,
        )
    )
    every.append(record(key(norm="y", data_hash="e" * 64), parameters=None, seconds=None, deterministic=True))
    every.append(record(key(protocol="quick")))
    return every


def fill(path, records):
    with Store(path, "write") as store:
        store.add_together((one, {}) for one in records)


def rows(summaries):
    """Everything in them, record by record."""
    cells = [summaries.cells[i] for i in summaries.cell.tolist()]
    texts = [getattr(summaries, n) for n in ("digest", "created", "reason", "reason_code", "origin", "program")]
    arrays = (summaries.seed, summaries.status, summaries.truth, summaries.deterministic, summaries.finite)
    numbers = [tuple(None if math.isnan(n) else n for n in row) for row in summaries.numbers.tolist()]
    return list(zip(cells, *texts, *(a.tolist() for a in arrays), numbers, strict=True))


def test_a_stores_summaries_say_what_its_records_say(path, odd):
    fill(path, odd)
    with Store(path) as store:
        assert rows(store.summaries()) == rows(Summaries.of(store.records()))
        for which in (
            RecordFilter(task=("prot*",), seed=(0, 2)),
            RecordFilter(status=("failed", "ok"), norm=("x", "y")),
        ):
            assert rows(store.summaries(which)) == rows(Summaries.of(store.records(which)))
        assert len(store.summaries(RecordFilter(task=("nothing",)))) == 0
        assert store.check() == ()


def test_numbers_are_infinite_where_outputs_were_not_finite_and_none_where_nothing_was_measured(odd):
    summaries = Summaries.of(odd)
    overflowed = [i for i, reason in enumerate(summaries.reason) if not summaries.finite[i]]
    assert len(overflowed) == 1
    for name in ("far_error", "max_growth", "exponent"):
        assert summaries.number(name)[overflowed[0]] == math.inf
    assert math.isfinite(summaries.number("id_error")[overflowed[0]])
    lost = summaries.status != STATUSES.index("ok")
    assert np.isnan(summaries.numbers[lost]).all()
    assert set(NUMBERS) >= {"id_error", "far_error", "max_growth"}


def test_standings_of_a_store_need_no_record(path, odd, monkeypatch):
    fill(path, odd)
    with Store(path) as store:
        stored = StoredRecords(path, store.summaries())
        expected = standings(list(store.records()))
    monkeypatch.setattr(StoredRecords, "_read", property(lambda self: pytest.fail("a record was read")))
    assert standings(stored) == expected
    assert len(stored) == len(odd)


def test_stored_records_are_a_sequence_read_when_looked_at(path, odd):
    fill(path, odd)
    with Store(path) as store:
        whole = list(store.records())
        some = store.summaries().take_digests([whole[5].key.digest(), "0" * 64, whole[2].key.digest()])
        stored, picked = StoredRecords(path, store.summaries()), StoredRecords(path, some)
    assert sorted(stored, key=lambda r: r.key) == sorted(odd, key=lambda r: r.key)
    assert list(picked) == [whole[5], whole[2]]
    assert (picked[0], picked[-1], picked[:1]) == (whole[5], whole[2], (whole[5],))


def test_stored_records_whose_store_is_gone_say_so(path, record):
    fill(path, [record()])
    with Store(path, "write") as store:
        gone, deleted = (StoredRecords(path, store.summaries()) for _ in range(2))
        store.delete([record().key])
    with pytest.raises(InputError, match="is gone"):
        list(deleted)
    shutil.rmtree(path.parent)
    with pytest.raises(InputError, match="no store"):
        list(gone)


def test_a_record_that_is_replaced_or_deleted_takes_its_summary_along(path, record, unfinished):
    with Store(path, "write") as store:
        store.add(unfinished("failed"))
        store.add(record())
        assert store.summaries().counts == {"ok": 1}
        assert rows(store.summaries()) == rows(Summaries.of([record()]))
        store.delete([record().key])
        assert len(store.summaries()) == len(store.summaries().cells) == 0


def as_schema_1(path, records):
    with closing(sqlite3.connect(path, isolation_level=None)) as connection:
        schema.migrate(connection, schema.MIGRATIONS[:1])
        for one in records:
            key = one.key
            connection.execute(
                "INSERT INTO records (digest, status, protocol, task, architecture, norm, seed, body)"
                " VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
                (key.digest(), one.status, key.protocol, key.task, key.architecture, key.norm, key.seed, one.to_json()),
            )


@pytest.mark.parametrize("mode", ["read", "write"])
def test_a_store_from_before_there_were_summaries_gets_them(path, odd, mode):
    as_schema_1(path, odd)
    with Store(path, mode) as store:
        assert rows(store.summaries()) == rows(Summaries.of(store.records()))
        assert len(store.summaries()) == len(odd)
        assert store.check() == ()


@pytest.mark.parametrize("mode", ["read", "write"])
@pytest.mark.parametrize(
    "older",
    [
        "ALTER TABLE summaries DROP COLUMN certificate",  # a number that was not known then
        "ALTER TABLE summaries ADD COLUMN fame REAL",  # one that is no longer
        "DROP TABLE environments",
    ],
)
def test_a_store_with_other_columns_has_its_records_summarized_again(path, odd, older, mode):
    fill(path, odd)
    with closing(sqlite3.connect(path)) as connection, connection:
        connection.execute("PRAGMA foreign_keys = OFF")
        connection.execute(older)
    before = path.read_bytes()
    with Store(path, mode) as store:
        assert rows(store.summaries()) == rows(Summaries.of(store.records()))
        assert len(store.summaries()) == len(odd)
        assert store.check() == ()
        store.summaries()
    assert (path.read_bytes() == before) == (mode == "read")


def test_environments_are_stored_once(path, records):
    made = records(seeds=range(3))
    fill(path, [*made[:-1], dataclasses.replace(made[-1], environment={"device": "cuda", "a": "ü"})])
    with Store(path) as store:
        summaries = store.summaries()
        assert next(store._select("SELECT count(*) FROM environments")) == (2,)
    assert set(summaries.environments) == {tuple(sorted(made[0].environment.items())), (("a", "ü"), ("device", "cuda"))}
    with Store(path) as store:
        told = dict(zip(summaries.digest, summaries.environment.tolist(), strict=True))
        for one in store.records():
            assert dict(summaries.environments[told[one.key.digest()]]) == one.environment


def test_an_old_record_that_cannot_be_read_is_not_left_out_in_silence(path, records):
    as_schema_1(path, records())
    with closing(sqlite3.connect(path)) as connection, connection:
        connection.execute("UPDATE records SET body = '{}' WHERE id = 3")
    with Store(path, "write") as store:
        assert len(store.check()) == 1
        with pytest.raises(InputError, match="damaged: there are 19 of 20"):
            store.summaries()


@pytest.mark.parametrize(
    ("change", "word"),
    [
        ("UPDATE summaries SET far_error = 0.001 WHERE record = 2", None),
        ("UPDATE summaries SET seed = 77 WHERE record = 2", None),
        ("UPDATE cells SET norm = 'better@all' WHERE id = 1", None),
        ("UPDATE summaries SET far_error = -1 WHERE record = 2", "negative"),
        ("UPDATE summaries SET status = 'fine' WHERE record = 2", "fine"),
        ("UPDATE summaries SET truth = 'flat' WHERE record = 2", "truth"),
        ("UPDATE summaries SET exponent = -1e999 WHERE record = 2", "negative"),
        ("UPDATE cells SET norm = '' WHERE id = 1", "norm"),
        ("DELETE FROM summaries WHERE record = 2", "19 of 20"),
        ("UPDATE environments SET content = '[]'", "environment"),
    ],
)
def test_summaries_that_were_tampered_with_are_found_out(path, records, change, word):
    fill(path, records())
    with closing(sqlite3.connect(path)) as connection, connection:
        connection.execute(change)
    with Store(path) as store:
        assert any("summary" in problem for problem in store.check())
        if word is not None:
            with pytest.raises(InputError, match=word) as caught:
                store.summaries()
            assert "\n" not in str(caught.value)


def test_digests_of_a_cell_are_those_of_its_keys(key):
    keys = [key(task="ünï", seed=seed) for seed in (0, 3, 10**9)]
    assert keys[0].cell.digests([(k.seed, k.data_hash) for k in keys]) == [k.digest() for k in keys]
    assert [keys[0].cell.with_seed(k.seed, k.data_hash) for k in keys] == keys


VALUES = st.lists(st.floats(-50, 50), min_size=1, max_size=4)
GROUPS = st.lists(
    st.lists(st.builds(lambda v, e: Sample(tuple(v), e), VALUES, st.booleans()), min_size=1, max_size=3),
    min_size=1,
    max_size=4,
)


@given(GROUPS)
@settings(max_examples=100, deadline=None)
def test_many_groups_at_once_are_each_as_alone(groups):
    samples = [s for group in groups for s in group]
    each = statistics.moments(
        [v for s in samples for v in s.values],
        np.repeat(np.arange(len(samples)), [len(s.values) for s in samples]),
        [s.exact for s in samples],
    )
    place = np.repeat(np.arange(len(groups)), [len(group) for group in groups])
    together = statistics.combine(each, place, len(groups) + 1)
    alone = [statistics.stratified_test(group) for group in groups]
    assert together.intervals() == [*(test.interval for test in alone), None]
    known = [None if math.isnan(p) else p for p in together.p_value.tolist()]
    assert known == [*(test.p_value for test in alone), None]


def many(one, cells):
    """The summaries of ``cells`` cells with five seeds each, made from one record's."""
    single = Summaries.of([one])
    copies = single.take(np.zeros(5 * cells, dtype=np.int64))
    keys = tuple(
        dataclasses.replace(one.key.cell, task=f"t{i % 20}", architecture=f"mlp(width={i // 20})") for i in range(cells)
    )
    noise = np.random.default_rng(0).lognormal(0, 0.1, size=copies.numbers.shape)
    return dataclasses.replace(
        copies,
        cells=keys,
        cell=np.repeat(np.arange(cells), 5),
        seed=np.tile(np.arange(5), cells),
        numbers=np.round(copies.numbers * noise, 6),
    )


def seconds(function, *arguments):
    """Processor time, the least of three: what it takes when nobody disturbs."""
    times = []
    for _ in range(3):
        started = time.process_time()
        function(*arguments)
        times.append(time.process_time() - started)
    return min(times)


def test_standings_cost_in_proportion_to_records(record):
    small, large = many(record(), 400), many(record(), 4000)
    (board,) = standings(large)
    assert len(board.per_task) == 4000
    assert len(board.overall) == 200
    assert seconds(standings, large) < 30 * seconds(standings, small)  # ten times as much; a square would be 100


def test_reading_summaries_costs_far_less_than_reading_records(path, records):
    fill(path, records(norms=[f"n{i}" for i in range(40)]))
    with Store(path) as store:
        assert seconds(store.summaries) < seconds(lambda: list(store.records()))
