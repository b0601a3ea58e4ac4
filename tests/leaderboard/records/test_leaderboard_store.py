"""Records go into a store and come back."""

import dataclasses
import sqlite3
import time
from contextlib import ExitStack, closing

import pytest

from bench.core.errors import InputError
from leaderboard.records.record import Record
from leaderboard.records.store.store import RecordFilter, Store


def test_records_come_back_equal_and_in_order(path, records, fill):
    every = records(tasks=("sine-1d", "protein"), norms=("none", "rms@all"), seeds=range(3))
    fill(path, *reversed(every))
    with Store(path) as store:
        found = list(store.records())
        assert found == sorted(every, key=lambda r: r.key)
        assert store.keys() == [r.key for r in found]
        assert len(store) == len(every)
        assert all(store.get(r.key) == r and r.key in store for r in every)
        assert store.check() == ()


def test_a_final_record_is_never_replaced_and_never_there_twice(path, record, unfinished):
    one = record()
    with Store(path, "write") as store:
        assert store.add(one)
        assert not store.add(one)
        assert not store.add(dataclasses.replace(one, seconds=9.0))
        assert not store.add(unfinished("failed"))
        assert store.get(one.key) == one
        assert len(store) == 1


@pytest.mark.parametrize("status", ["failed", "timeout"])
def test_an_unfinished_record_gives_way_with_its_details(path, record, unfinished, status):
    with Store(path, "write") as store:
        assert store.add(unfinished(status), {"curve.train": (1.0,)})
        assert store.add(record(), {"curve.step": (5.0,)})
        assert store.get(record().key).status == "ok"
        assert store.details(record().key) == {"curve.step": (5.0,)}
        assert len(store) == 1


def test_finished_keys_with_and_without_retry(path, key, record, unfinished):
    statuses = ["ok", "diverged", "unsupported", "failed", "timeout"]
    digests = {}
    with Store(path, "write") as store:
        for seed, status in enumerate(statuses):
            one = record(key(seed=seed)) if status == "ok" else unfinished(status, key(seed=seed))
            store.add(one)
            digests[status] = one.key.digest()
        assert store.finished() == set(digests.values())
        assert store.finished(retry=True) == {digests[s] for s in statuses[:3]}
        assert store.counts() == dict.fromkeys(statuses, 1)


def test_filters(path, records, fill):
    fill(path, *records(tasks=("sine-1d", "linear-1d"), norms=("none", "layer@first"), seeds=range(3)))
    with Store(path) as store:
        assert len(list(store.records(RecordFilter(task=("sine*",))))) == 6
        assert len(list(store.records(RecordFilter(norm=("layer@*", "rms@*"), seed=(0, 2))))) == 4
        assert len(list(store.records(RecordFilter(status=("failed",))))) == 0
        assert store.counts(RecordFilter(task=("linear-1d",)))["ok"] == 6
        assert list(store.records(RecordFilter(task=("x' OR 1=1 --",)))) == []


def test_details_round_trip_and_reject_numbers_that_are_not_finite(path, record, key):
    details = {"curve.train": (1.0, None, 0.1 + 0.2), "function.x": (), "far.far-2.prediction": (5e-324, -1e308)}
    with Store(path, "write") as store:
        store.add(record(), details)
        assert store.details(record().key) == details
        assert store.details(record().key, "curve.train", "nothing") == {"curve.train": details["curve.train"]}
        assert store.details(key(seed=99)) == {}
        with pytest.raises(ValueError, match="not finite"):
            store.add(record(key(seed=1)), {"curve.train": (float("nan"),)})
        assert key(seed=1) not in store


def test_a_record_and_its_details_are_stored_together_or_not_at_all(path, record, fill):
    fill(path)
    with closing(sqlite3.connect(path)) as connection:
        connection.execute(
            "CREATE TRIGGER fail BEFORE INSERT ON details BEGIN SELECT RAISE(ABORT, 'disk trouble'); END"
        )
    with Store(path, "write") as store:
        with pytest.raises(InputError, match="disk trouble"):
            store.add(record(), {"curve.train": (1.0,)})
        assert len(store) == 0
        assert store.add(record())


def test_delete_takes_details_along(path, records, fill):
    every = records(seeds=range(4))
    fill(path, *every, details={"curve.train": (1.0,)})
    with Store(path, "write") as store:
        assert store.delete([every[0].key, every[1].key]) == 2
        assert store.delete([every[0].key]) == 0
        assert store.delete([]) == 0
        assert len(store) == len(every) - 2
        assert store.details(every[0].key) == {}
        assert store.details(every[2].key) == {"curve.train": (1.0,)}
    with closing(sqlite3.connect(path)) as connection:
        assert connection.execute("SELECT count(*) FROM details").fetchone() == (len(every) - 2,)


def test_reading_changes_nothing_and_cannot_write(path, record, fill):
    fill(path, record())
    before = path.read_bytes()
    with Store(path) as store:
        with pytest.raises(InputError, match="reading only"):
            store.add(record())
        with pytest.raises(InputError, match="reading only"):
            store.delete([record().key])
    assert path.read_bytes() == before


def test_check_finds_a_record_that_was_tampered_with(path, records, fill):
    fill(path, *records(seeds=range(2)))
    with closing(sqlite3.connect(path)) as connection, connection:
        connection.execute("UPDATE records SET body = replace(body, '\"seed\":1', '\"seed\":7') WHERE seed = 1")
    with Store(path) as store:
        assert len(store.check()) == 4
        assert "agree" in store.check()[0]


def test_planning_over_100_000_records_costs_little(path, record, fill):
    """Which keys are finished is answered from an index: far faster than reading the records, whatever the machine."""
    body = record().to_json()
    fill(path)
    with closing(sqlite3.connect(path)) as connection, connection:
        connection.execute(
            "WITH RECURSIVE n(i) AS (SELECT 0 UNION ALL SELECT i + 1 FROM n WHERE i < 99999)"
            " INSERT INTO records (digest, status, protocol, task, architecture, norm, seed, body)"
            " SELECT lower(hex(randomblob(32))), 'ok', '1', 't', 'a', 'n', i, ? FROM n",
            (body,),
        )
    with Store(path) as store:
        started = time.perf_counter()
        finished = store.finished()
        planning = time.perf_counter() - started
        started = time.perf_counter()
        bodies = sum(len(b) for (b,) in store._select("SELECT body FROM records"))
        reading = time.perf_counter() - started
        plan = " ".join(
            str(row) for row in store._select("EXPLAIN QUERY PLAN SELECT digest FROM records WHERE status = ?", ["ok"])
        )
    assert len(finished) == 100_000
    assert bodies == 100_000 * len(body)
    assert "COVERING INDEX" in plan
    assert planning < 3 * reading  # the body of a record is never touched


def test_closing_twice_and_folders_to_be_made(path, record):
    store = Store(path, "write")
    store.add(record())
    store.close()
    store.close()
    with ExitStack() as keep, Store(path) as again:
        keep.callback(again.close)
        assert isinstance(again.get(record().key), Record)
