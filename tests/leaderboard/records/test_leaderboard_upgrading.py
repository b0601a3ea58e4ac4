"""A store that an earlier version made: migrated whole, its keys those of today's plan, its numbers untouched."""

import gzip
import json
import sqlite3
from collections import Counter
from pathlib import Path

import pytest

from leaderboard.records.record import Record
from leaderboard.records.store.store import Store
from leaderboard.records.upgrading import built_in_norm_hash, reason_code, upgrade

DATA = Path(__file__).parents[1] / "data" / "schema-2.sqlite.gz"


@pytest.fixture
def old(tmp_path: Path) -> Path:
    path = tmp_path / "records.sqlite"
    path.write_bytes(gzip.decompress(DATA.read_bytes()))
    return path


def bodies(path: Path) -> list[dict]:
    with sqlite3.connect(path) as connection:
        return [json.loads(body) for (body,) in connection.execute("SELECT body FROM records ORDER BY id")]


@pytest.mark.parametrize("mode", ["read", "write"])
def test_a_store_of_schema_2_keeps_every_record_and_every_number(old: Path, mode: str) -> None:
    before = bodies(old)
    with Store(old, mode) as store:  # type: ignore[arg-type]
        assert store.check() == ()
        records = {(r.key.task, r.key.architecture, r.key.norm, r.key.seed): r for r in store.records()}
        assert len(store.summaries()) == len(before) == len(records)
    for document in before:
        key = document["key"]
        record = records[key["task"], key["architecture"], key["norm"], key["seed"]]
        after = json.loads(record.to_json())
        for name in ("growth", "departure", "exponent", "id_error", "far_error", "sets", "worst_growth", "reason"):
            if name == "sets":  # what nobody measured is null
                assert all(one.pop("beyond") is None for one in after["sets"])
            assert after.get(name) == document.get(name), name
        new = (record.local_exponent, record.axis_growth, record.axis_exponent, record.probe_nonfinite)
        assert new == (None, (), None, None), "never invented"
        assert record.program == document["environment"].get("training")
        assert "training" not in record.environment
    assert bodies(old)[0]["schema_version"] == (1 if mode == "read" else 3)


def test_words_become_codes(old: Path) -> None:
    with Store(old) as store:
        codes = Counter((r.status, r.reason_code) for r in store.records())
    assert codes == {
        ("ok", None): 16,
        ("unsupported", "input_kind"): 8,
        ("unsupported", "degenerate_norm"): 6,
        ("unsupported", "no_such_site"): 4,
        ("failed", "too_large"): 1,
    }


@pytest.mark.parametrize(
    ("status", "reason", "code"),
    [
        ("timeout", "longer than 5 s", "time_limit"),
        ("failed", "the worker was killed by SIGKILL (often memory)", "killed"),
        ("failed", "the worker ended itself with exit code 7", "exited"),
        ("failed", "RuntimeError: something else", "unknown"),
        ("failed", "net breaks the contract: rows mix: do not", "contract"),
        ("unsupported", "the heavens forbid it", "unsupported"),
    ],
)
def test_reasons_of_other_kinds(status: str, reason: str, code: str) -> None:
    assert reason_code(status, reason) == code


def test_a_scheme_s_hash_depends_on_its_kinds_alone() -> None:
    assert built_in_norm_hash("none") == ""
    assert built_in_norm_hash("layer@first") == built_in_norm_hash("layer(affine=false)@all+layer@head")
    assert len({built_in_norm_hash(s) for s in ("layer@first", "rms@first", "layer@first+rms@head")}) == 3


def test_a_record_of_today_is_not_touched(record: object) -> None:
    document = json.loads(record().to_json())  # type: ignore[operator]
    assert upgrade(document) == document
    assert Record.from_json(json.dumps(document)).to_json() == json.dumps(document, separators=(",", ":"))
