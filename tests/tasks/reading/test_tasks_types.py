"""Types of Parquet and of data frames: numbers stay numbers, words have no order, rows without values are counted."""

import decimal
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
from pyarrow import parquet

import tasks
from bench.core.errors import InputError


def written(kit: Any, column: Any, kind: Any = None) -> Path:
    array = column if isinstance(column, pa.Array) else pa.array(column, kind)
    path = kit.folder / "t.parquet"
    parquet.write_table(pa.table({"x": pa.array(kit.x), "w": array, "y": pa.array(kit.y)}), path)
    return path


@pytest.mark.parametrize(
    ("make", "kind"),
    [
        (float, pa.float32()),
        (float, pa.float16()),
        (int, pa.int8()),
        (int, pa.uint64()),
        (lambda i: decimal.Decimal(i) / 4, pa.decimal128(10, 2)),
        (lambda i: decimal.Decimal(i) / 4, pa.decimal256(50, 2)),
        (str, pa.string()),
        (str, pa.large_string()),
        (lambda i: str(i / 4), pa.string_view()),
        (lambda i: str(i).encode(), pa.binary()),
        (lambda i: str(i / 4).replace(".", ","), pa.string()),
    ],
)
def test_numbers_of_any_type_are_numbers(kit: Any, make: Any, kind: Any) -> None:
    values = [make(i) for i in range(120)]
    numbers = [float(v.decode() if isinstance(v, bytes) else str(v).replace(",", ".")) for v in values]
    path = written(kit, values, kind)
    np.testing.assert_array_equal(np.sort(kit.read(path).inputs["w"]), numbers)
    np.testing.assert_array_equal(kit.read(path, target="w").targets, numbers)
    gaps = written(kit, [None if i == 7 else value for i, value in enumerate(values)], kind)
    assert "1 in 'w'" in kit.read(gaps).said


def test_categories_of_numbers_are_numbers_and_of_words_are_words(kit: Any) -> None:
    numbers = written(kit, pa.array([f"{i % 3}" for i in range(120)]).dictionary_encode())
    assert list(kit.read(numbers).inputs.columns) == ["x", "w"]
    words = written(kit, pa.array(["abc"[i % 3] for i in range(120)]).dictionary_encode())
    assert list(kit.read(words).inputs.columns) == ["x", "w=a", "w=b", "w=c"]
    assert "words have no order" in kit.refused(words, far_by="w")
    assert "texts have no order" in kit.refused(words, far_by=None, far_where="w > 'a'")


def test_an_order_is_that_of_the_column_not_of_the_letters(kit: Any) -> None:
    levels = ["low", "mid", "high"]
    grade = pd.Categorical([levels[i % 3] for i in range(120)], levels, ordered=True)
    frame = pd.DataFrame({"x": kit.x, "w": grade, "y": kit.y})
    for rule in ({"far_by": "w", "far_quantile": 0.5}, {"far_by": None, "far_where": "w > 'mid'"}):
        np.testing.assert_array_equal(kit.read(frame, **rule).far_targets, np.sort(kit.y[2::3]))


@pytest.mark.parametrize("kind", [pa.uint64(), pa.int64(), pa.string()])
def test_whole_numbers_beyond_float64(kit: Any, kind: Any) -> None:
    base = 2**53 if kind == pa.int64() else 2**63
    column = [base + i % 3 for i in range(120)]
    path = written(kit, [str(v) for v in column] if kind == pa.string() else column, kind)
    for rule in ({"group_by": "w", "far_group": str(base + 1)}, {"far_where": f"w == {base + 1}"}):
        outcome = kit.read(path, far_by=None, **rule)
        np.testing.assert_array_equal(outcome.far_targets, np.sort(kit.y[1::3]))
    assert "beyond 2^53 rounded as inputs (w)" in kit.read(path).said


@pytest.mark.parametrize("rule", [{"group_by": "w", "far_group": "0.1"}, {"far_where": "w == 0.1"}])
def test_a_tenth_is_a_tenth_in_single_precision(kit: Any, rule: Any) -> None:
    path = written(kit, [[0.1, 0.2, 0.3][i % 3] for i in range(120)], pa.float32())
    np.testing.assert_array_equal(kit.read(path, far_by=None, **rule).far_targets, np.sort(kit.y[::3]))


def test_lists_and_structures_are_refused_unless_dropped(kit: Any) -> None:
    for value in ([1.0, 2.0], {"a": 1}):
        path = written(kit, [value] * 120)
        assert "leave it out (drop=w)" in kit.refused(path)
        assert list(kit.read(path, drop="w").inputs.columns) == ["x"]


def test_frames_of_mixed_objects(kit: Any) -> None:
    columns = {
        "mixed": [i if i % 2 else str(i) for i in range(120)],
        "decimals": [decimal.Decimal(i) for i in range(120)],
        "objects": pd.Series([i if i % 2 else float(i) for i in range(120)], dtype=object),
        "nullable": pd.array(range(120), dtype="Int64"),
        "sparse": pd.arrays.SparseArray(np.arange(120.0)),
        "categories": pd.Categorical(range(120)),
    }
    for column in columns.values():
        frame = pd.DataFrame({"x": kit.x, "w": column, "y": kit.y})
        np.testing.assert_array_equal(np.sort(kit.read(frame).inputs["w"]), np.arange(120.0))
    intervals = kit.read(pd.DataFrame({"x": kit.x, "w": pd.cut(kit.x, 4), "y": kit.y}))
    assert len(intervals.inputs.columns) in (4, 5)
    pairs = pd.DataFrame({("a", "x"): kit.x, ("a", "y"): kit.y, ("b", ""): kit.w})
    assert list(kit.read(pairs, target="a_y", far_by="a_x").inputs.columns) == ["a_x", "b"]


def test_other_frames_and_what_is_none(kit: Any) -> None:
    kit.same(kit.read(pa.table({"x": kit.x, "w": kit.w, "y": kit.y})))
    kit.same(kit.read({"x": kit.x, "w": kit.w, "y": kit.y}))
    assert "neither a path nor a data frame" in kit.refused(np.ones((30, 3)))


def test_rows_that_no_rule_can_place_are_left_out(kit: Any) -> None:
    gaps = ["" if i % 10 == 3 else value for i, value in enumerate(kit.x)]
    table = kit.lines([gaps, kit.w, kit.y])
    known = np.array([gap != "" for gap in gaps])
    for rule in ({}, {"far_by": None, "far_where": "not x < 40"}):
        outcome = kit.read(table, **rule)
        np.testing.assert_array_equal(outcome.targets, np.sort(kit.y[known]))
        assert "tell far from near are missing: 12" in outcome.said
    kept = kit.read(table, far_by=None, far_where="w > 4 or x > 40")
    assert len(kept.targets) > known.sum(), "a row that is far by w needs no x"


def test_columns_without_values(kit: Any) -> None:
    empty = kit.lines([[""] * 120, kit.w, kit.y])
    assert "no row has the values by which rows are far" in kit.refused(empty)
    assert "'x' has no value" in kit.refused(empty, far_by="w")
    assert "the target 'y' is empty" in kit.refused(kit.lines([kit.x, kit.w, [""] * 120]))
    third = kit.lines([kit.x, ["" if i % 3 == 0 else value for i, value in enumerate(kit.w)], kit.y])
    assert "CAUTION: 'w' is empty in 40 of 120 rows" in kit.read(third).said


def test_few_far_rows_are_a_loud_note(kit: Any) -> None:
    assert "CAUTION: only 12 far rows" in kit.read(kit.lines(), far_quantile=0.9).said
    assert "CAUTION" not in kit.read(kit.lines(), far_quantile=0.8).said


@pytest.mark.parametrize("scale", ["e300", "e-200"])
@pytest.mark.parametrize("place", [0, 1, 2])
def test_squares_that_leave_float64_are_one_line(kit: Any, place: Any, scale: Any) -> None:
    columns = [kit.x, kit.w, kit.y]
    columns[place] = [f"{value}{scale}" for value in columns[place]]
    assert "rescale" in kit.refused(kit.lines(columns))
    assert "rescale" in kit.refused(kit.lines(columns), far_by="mahalanobis")


def test_one_target_is_predicted(kit: Any) -> None:
    assert "2 targets are given" in kit.refused(kit.lines(), target="y,w")
    with pytest.raises(InputError, match=r"targets of shape \(30, 2\): one target a row") as caught:
        tasks.Rows(np.ones((30, 3)), np.ones((30, 2)))
    assert "\n" not in str(caught.value)


def test_conditions_over_names_of_any_kind(kit: Any) -> None:
    table = kit.lines(names=("µ", "Δt (°C)", "y"))
    expected = np.sort(kit.y[(kit.x > 40) | (kit.w > 4.5)])
    outcome = kit.read(table, far_by=None, far_where="µ > 40 or `Δt (°C)` > 4.5")
    np.testing.assert_array_equal(outcome.far_targets, expected)
    table = kit.lines(names=("class", "a`b-c", "y"))
    outcome = kit.read(table, far_by=None, far_where="`class` > 40 or `a``b-c` > 4.5")
    np.testing.assert_array_equal(outcome.far_targets, expected)
