import csv
import io
import json

import pytest

from bench.core.errors import InputError
from leaderboard.records.record import Record
from leaderboard.records.store.store import RecordFilter, Store
from leaderboard.tables.runs import export, find_record, render_run, render_runs


@pytest.fixture
def store(tmp_path, records, key, unfinished):
    with Store(tmp_path / "records.sqlite", "write") as store:
        for one in [*records(seeds=range(2)), unfinished("failed", key(norm="dyt@all"), reason='said "no",\nloudly')]:
            store.add(one, {"curve.train": (1.0, None)})
        yield store


def test_lists_name_every_record_by_an_id_that_finds_it(store):
    rows = list(csv.DictReader(io.StringIO(render_runs(store.records(), "csv"))))
    assert len(rows) == len(store)
    for row in rows:
        assert find_record(store, row["id"][:12]).key.digest() == row["id"]
    table = render_runs(store.records(), width=300)
    assert all(row["id"][:12] in table for row in rows)
    assert "failed" in table
    assert json.loads(render_runs(store.records(), "json"))["better"]["far_error"] == "lower"


@pytest.mark.parametrize("digest", ["", "abc", "xyz1", "ABCD", "0" * 65, "ab%_"])
def test_what_is_no_id_is_refused(store, digest):
    with pytest.raises(InputError, match="no record id"):
        find_record(store, digest)


def test_unknown_and_ambiguous_ids_are_refused(store, key, record):
    digests = [r.key.digest() for r in store.records()]
    free = next(f"{i:04x}" for i in range(100) if not any(d.startswith(f"{i:04x}") for d in digests))
    with pytest.raises(InputError, match="no record has an id"):
        find_record(store, free)
    # two of 300 keys share their first four digits: the birthday paradox, and the digest never changes
    starts = {}
    for seed in range(2000):
        pair = starts.setdefault(key(seed=seed).digest()[:4], seed)
        if pair != seed:
            break
    for number in (pair, seed):
        store.add(record(key(seed=number)))
    with pytest.raises(InputError, match="more digits"):
        find_record(store, key(seed=seed).digest()[:4])
    assert find_record(store, key(seed=seed).digest()).key.seed == seed


def test_a_record_is_shown_whole(store):
    one = next(r for r in store.records() if r.status == "ok")
    text = render_run(one, store.details(one.key))
    for part in (one.key.digest(), one.key.data_hash, "relative error", "r = 10000", "numpy", "curve.train", "17000"):
        assert part in text
    failed = next(r for r in store.records() if r.status == "failed")
    lines = render_run(failed).splitlines()
    assert 'reason         said "no", loudly' in lines
    assert not any("None" in line for line in lines)


def test_json_lines_are_the_records_themselves(store):
    lines = list(export(store))
    assert [Record.from_json(line) for line in lines] == list(store.records())
    with_details = [json.loads(line) for line in export(store, RecordFilter(norm=("none",)), details=True)]
    assert len(with_details) == 4
    assert all(line["details"] == {"curve.train": [1.0, None]} for line in with_details)


def test_csv_exports_keep_every_digit(store):
    every = list(store.records())
    rows = list(csv.DictReader(io.StringIO("".join(export(store, form="csv")))))
    assert len(rows) == len(every)
    for row, one in zip(rows, every, strict=True):
        assert row["id"] == one.key.digest()
        assert (row["far_error"] == "") == (one.far_error is None)
        if one.status == "ok":
            assert float(row["far_error"]) == one.far_error
            assert float(row["growth_100"]) == one.growth_at(100)
    assert rows[0]["reason"] == "" or rows[0]["reason"].startswith("said")
    sets = list(csv.DictReader(io.StringIO("".join(export(store, form="sets-csv")))))
    assert len(sets) == sum(len(r.sets) for r in every)
    assert float(sets[0]["rmse"]) == next(r for r in every if r.sets).sets[0].rmse


def test_unknown_formats_are_one_clear_line(store):
    with pytest.raises(InputError, match="did you mean 'jsonl'"):
        export(store, form="json")
    with pytest.raises(InputError, match="no room for details"):
        export(store, form="csv", details=True)
