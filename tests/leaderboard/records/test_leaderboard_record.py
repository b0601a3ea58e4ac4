import dataclasses
import json
import math
import pickle
from typing import get_args

import hypothesis.strategies as st
import numpy as np
import pytest
from hypothesis import given, settings

from bench.core.errors import REASON_CODES, InputError
from bench.core.origin import Origin
from leaderboard.records import metrics
from leaderboard.records.record import Program, Record, RecordKey, SetResult

TEXTS = st.text(min_size=1, max_size=30).filter(lambda s: s.encode("utf-8", "ignore").decode() == s)
FINITE = st.floats(allow_nan=False, allow_infinity=False)
SIZES = st.floats(min_value=0, allow_nan=False, allow_infinity=False)
KEYS = st.builds(RecordKey, *[TEXTS] * 7, seed=st.integers(0, 2**40))


@st.composite
def set_results(draw, name, role):
    rows = draw(st.integers(1, 1000))
    bad = draw(st.integers(0, 1)) * rows
    measures = (None,) * 4 if bad else (draw(SIZES), draw(SIZES), draw(SIZES), draw(st.none() | FINITE))
    distance = draw(st.none() | st.tuples(SIZES, SIZES, SIZES).map(sorted).map(tuple))
    return SetResult(name, role, rows, *measures, bad, distance)


@st.composite
def any_records(draw):
    ladder = tuple(sorted(draw(st.sets(st.floats(min_value=1e-3, max_value=1e6), min_size=1, max_size=13))))
    counts = tuple(draw(st.integers(0, 2)) for _ in ladder)
    curve = [tuple(None if c else draw(SIZES) for c in counts) for _ in range(2)]
    test = draw(set_results("test", "test"))
    far = tuple(draw(set_results(f"far-{i}", "far")) for i in range(draw(st.integers(0, 2))))
    status = draw(st.sampled_from(["ok", "diverged", "failed"]))
    whole = bool(far) and all(s.relative_error is not None for s in far)
    return Record(
        key=draw(KEYS),
        status=status,
        truth=draw(st.sampled_from(["bounded", "growing", "unknown"])),
        created="2026-05-06T07:08:09.123+00:00",
        reason=None if status == "ok" else draw(TEXTS),
        reason_code=None if status == "ok" else draw(st.sampled_from(REASON_CODES)),
        origin=draw(st.none() | st.sampled_from(get_args(Origin))),
        program=draw(st.none() | st.sampled_from(get_args(Program))),
        deterministic=draw(st.booleans()),
        learning_rate=draw(st.none() | st.floats(min_value=1e-300, max_value=1e300)),
        best_step=draw(st.none() | st.integers(0, 10**9)),
        edge_of_grid=draw(st.none() | st.booleans()),
        edge_of_steps=draw(st.none() | st.booleans()),
        id_error=test.relative_error,
        far_error=draw(SIZES) if whole else None,
        sets=(test, *far),
        ladder=ladder,
        growth=curve[0],
        departure=curve[1],
        nonfinite=counts,
        exponent=None if any(counts) else draw(st.none() | FINITE),
        worst_growth=tuple((r, draw(st.none() | SIZES)) for r in ladder[:2]),
        certificate=draw(st.none() | SIZES),
        parameters=draw(st.none() | st.integers(0, 10**12)),
        seconds=draw(st.none() | SIZES),
        environment=draw(st.dictionaries(TEXTS, TEXTS, max_size=3)),
    )


@given(any_records())
@settings(max_examples=100, deadline=None)
def test_json_round_trip_is_exact(record):
    text = record.to_json()
    back = Record.from_json(text)
    assert back == record
    assert back.to_json() == text
    assert hash(back) == hash(record)
    json.loads(text, parse_constant=lambda name: pytest.fail(f"{name} in JSON"))


@given(SIZES)
@settings(max_examples=300, deadline=None)
def test_floats_survive_to_the_last_bit(record, value):
    stored = dataclasses.replace(record(), seconds=value).to_json()
    assert Record.from_json(stored).seconds.hex() == float(value).hex()
    assert json.loads(stored)["seconds"] == value  # another program's reader agrees


@given(KEYS, KEYS)
@settings(max_examples=100, deadline=None)
def test_digests_name_keys(first, second):
    assert (first.digest() == second.digest()) == (first == second)


def test_digest_separates_parts_and_is_the_same_everywhere(key):
    assert key(task="ab", task_version="c").digest() != key(task="a", task_version="bc").digest()
    assert key(seed=1).digest() != key(seed=2).digest()
    assert key(seed=1).cell == key(seed=2).cell
    # computed once by hashlib over 8-byte lengths and UTF-8 bytes: stores depend on it never changing
    fixed = RecordKey("1", "t", "1", "d", "mlp", "s", "none", 3)
    assert fixed.digest() == "2dd7cd30828a1d6d9806d484977a30de3ba839188b6b4ab3f914d21f8c5b46bc"


def test_a_record_is_frozen_and_travels_between_processes(record):
    one = record()
    with pytest.raises(dataclasses.FrozenInstanceError):
        one.status = "failed"
    assert pickle.loads(pickle.dumps(one)) == one


def _json(record, **changes):
    return json.dumps(json.loads(record.to_json()) | changes)


@pytest.mark.parametrize(
    ("changes", "word"),
    [
        ({"surprise": 1}, "surprise"),
        ({"status": "fine"}, "status"),
        ({"status": "failed"}, "reason"),
        ({"reason": "but why"}, "reason"),
        ({"id_error": "0.5"}, "id_error"),
        ({"id_error": True}, "id_error"),
        ({"id_error": -0.5}, "id_error"),
        ({"id_error": None}, "test"),
        ({"far_error": None}, "far"),
        ({"created": "yesterday"}, "created"),
        ({"created": "2026-01-01T00:00:00"}, "UTC"),
        ({"created": "2026-01-01T00:00:00+01:00"}, "UTC"),
        ({"ladder": [1, 2, 3]}, "ladder"),
        ({"exponent": {}}, "exponent"),
        ({"local_exponent": None}, "local_exponent"),
        ({"axis_exponent": None}, "axis_exponent"),
        ({"axis_growth": [[100.0, None]]}, "axis_growth"),
        ({"probe_nonfinite": None}, "probe_nonfinite"),
        ({"certificate": 2.0, "certificate_reason": "contradiction"}, "certificate"),
        ({"certificate_reason": "because"}, "certificate_reason"),
        ({"sets": []}, "test set"),
        ({"ladder": [], "growth": [], "departure": [], "nonfinite": []}, "ladder"),
        ({"parameters": 1.5}, "parameters"),
        ({"environment": {"a": 1}}, "environment"),
        ({"environment": {"a": "x" * 3000}}, "environment"),
        ({"key": {}}, "key"),
    ],
)
def test_a_bad_record_is_refused_in_one_line(record, changes, word):
    with pytest.raises(InputError) as caught:
        Record.from_json(_json(record(), **changes))
    assert word in str(caught.value)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("field", ["key", "status", "truth", "created"])
def test_a_missing_field_is_named(record, field):
    data = json.loads(record().to_json())
    del data[field]
    with pytest.raises(InputError, match=field):
        Record.from_json(json.dumps(data))


@pytest.mark.parametrize("text", ["", "{", "null", "[]", "NaN", '{"id_error": Infinity}', "\x00", "[" * 100_000])
def test_what_is_no_record_is_refused(text):
    with pytest.raises(InputError):
        Record.from_json(text)


def test_non_finite_numbers_are_refused_everywhere(record):
    for name in ("id_error", "far_error", "exponent", "seconds", "learning_rate", "certificate"):
        for bad in (math.nan, math.inf):
            with pytest.raises(ValueError, match=name):
                record(**{name: bad})
    with pytest.raises(InputError):
        Record.from_json(record().to_json().replace('"seconds":1.25', '"seconds":NaN'))


def test_a_newer_schema_says_so_and_a_huge_text_is_not_read(record):
    with pytest.raises(InputError, match=r"schema 4.*upgrade"):
        Record.from_json(_json(record(), schema_version=4, something_new=[1]))
    with pytest.raises(InputError, match="characters"):
        Record.from_json(" " * 2_000_000 + record().to_json())


def test_null_growth_stands_exactly_where_outputs_were_not_finite(record):
    one = record()
    with pytest.raises(ValueError, match="null exactly"):
        dataclasses.replace(one, nonfinite=(1, *one.nonfinite[1:]))
    with pytest.raises(ValueError, match="null exactly"):
        dataclasses.replace(one, growth=(None, *one.growth[1:]))
    bad = dataclasses.replace(
        one,
        growth=(*one.growth[:-1], None),
        departure=(*one.departure[:-1], None),
        nonfinite=(*one.nonfinite[:-1], 3),
        exponent=None,
    )
    assert bad.max_growth == math.inf
    assert bad.growth_at(1e4) == math.inf
    assert bad.growth_at(10) == one.growth_at(10)
    assert not bad.is_finite
    assert one.is_finite
    with pytest.raises(ValueError, match="exponent"):
        dataclasses.replace(bad, exponent=1.0)


def test_growth_is_read_off_the_ladder(record):
    one = record()
    assert one.growth_at(100) == one.growth[metrics.LADDER.index(100)]
    assert one.growth_at(3) is None
    assert one.max_growth == max(one.growth)


def test_unfinished_records_carry_nothing_and_a_reason(unfinished):
    one = unfinished("timeout")
    assert one.max_growth is None
    assert not one.is_final
    assert unfinished("unsupported").is_final
    assert Record.from_json(one.to_json()) == one


def test_numpy_scalars_become_plain_numbers(record):
    one = record(id_error=np.float64(0.25), sets=record().sets)
    assert type(one.id_error) is float
    assert json.loads(one.to_json())["id_error"] == 0.25
