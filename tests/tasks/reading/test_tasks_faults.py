"""Tables as people have them that were once read wrongly: what each must give."""

import datetime
from typing import Any

import numpy as np
import pandas as pd
import pytest


def test_groups_of_many_digits_are_told_apart(kit: Any) -> None:
    days = [20230111 + i % 4 for i in range(len(kit.x))]
    outcome = kit.read(
        kit.lines([days, kit.x, kit.y], ("day", "x", "y")), far_by=None, group_by="day", far_group="20230113"
    )
    np.testing.assert_array_equal(outcome.far_targets, np.sort(kit.y[2::4]))


@pytest.mark.parametrize(
    ("texts", "member", "far"),
    [
        (["0.1234567", "0.1234568", "3"], "0.1234567", [0]),
        (["10000000000000001", "10000000000000000", "5"], "10000000000000001", [0]),
        (["1", "1.0", "2"], "1", [0, 1]),
        (["1", "1.0", "2"], "1.00", [0, 1]),
        (["01", "1", "2"], "01", [0]),
        (["01", "1", "2"], "1", [1]),
        (["True", "False", "False"], "True", [0]),
        (["True", "False", "False"], "1", [0]),
        (["Yes", "No", "No"], "no", [1, 2]),
        (["a", "b", "NA"], "NA", [2]),
        (["1", "2", "3+"], "3+", [2]),
        (["Smith J", "Doe A", "X"], "Doe A,X", [1, 2]),
        (["2020-01-01", "2020-02-01", "2020-03-01"], "2020-02-01", [1]),
        (["2019Q1", "2019Q2", "2019Q3"], "2019Q3", [2]),
        (["1e5", "100000", "3"], "100000", [0, 1]),
        (["-0", "0", "3"], "0", [0, 1]),
    ],
)
def test_groups_compare_by_their_exact_value(kit: Any, texts: Any, member: Any, far: Any) -> None:
    column = [texts[i % 3] for i in range(len(kit.x))]
    outcome = kit.read(kit.lines([kit.x, column, kit.y], ("x", "w", "y")), far_by=None, group_by="w", far_group=member)
    expected = np.sort(np.concatenate([kit.y[place::3] for place in far]))
    np.testing.assert_array_equal(outcome.far_targets, expected)


def test_a_group_whose_name_holds_commas(kit: Any) -> None:
    column = [('"Smith, J"', '"Doe, A"', "X")[i % 3] for i in range(len(kit.x))]
    outcome = kit.read(kit.lines([kit.x, column, kit.y]), far_by=None, group_by="w", far_group="Smith, J")
    np.testing.assert_array_equal(outcome.far_targets, np.sort(kit.y[::3]))


def test_rows_without_a_group_are_left_out_and_counted(kit: Any) -> None:
    column = [("a", "b", "")[i % 3] for i in range(len(kit.x))]
    outcome = kit.read(kit.lines([kit.x, column, kit.y]), far_by=None, group_by="w", far_group="a")
    assert len(outcome.targets) == 80
    assert "tell far from near are missing: 40" in outcome.said


def test_dates_in_text_are_one_input_and_may_be_far(kit: Any) -> None:
    first = datetime.date(2020, 1, 1)
    days = [first + datetime.timedelta(days=i) for i in range(len(kit.x))]
    outcome = kit.read(kit.lines([days, kit.x, kit.y], ("day", "x", "y")), far_by="day")
    assert list(outcome.inputs.columns) == ["day", "x"]
    np.testing.assert_array_equal(outcome.far_targets, np.sort(kit.y[-24:]))
    assert outcome.inputs["day"].min() == (first - datetime.date(1970, 1, 1)).days
    assert "days since 1970 (day)" in outcome.said


def test_a_first_line_of_numbers_is_no_line_of_names(kit: Any) -> None:
    table = kit.lines().split("\n", 1)[1]
    assert "line 1 looks like a row" in kit.refused(table, target=str(kit.y[0]), far_by="mahalanobis")
    outcome = kit.read(table, header="none", target="c3", far_by="c1")
    assert list(outcome.inputs.columns) == ["c1", "c2"]
    np.testing.assert_array_equal(outcome.targets, np.sort(kit.y))


def test_names_that_are_years_or_places_are_names(kit: Any) -> None:
    assert list(kit.read(kit.lines(names=("2001", "2002", "y")), far_by="2001").inputs.columns) == ["2001", "2002"]
    assert list(kit.read(kit.lines(names=("0", "1", "2")), far_by="0", target="2").inputs.columns) == ["0", "1"]
    assert list(kit.read(kit.lines(names=("400", "410", "420")), far_by="400", target="420").inputs.columns) == [
        "400",
        "410",
    ]


@pytest.mark.parametrize("name", ["", "Unnamed: 0", "rowname", "row.names", "X", "index", "__index_level_0__"])
def test_numbers_of_rows_are_no_input(kit: Any, name: Any) -> None:
    kit.same(outcome := kit.read(kit.lines([range(120), kit.x, kit.w, kit.y], (name, "x", "w", "y"))))
    assert "left out as numbers or names of rows" in outcome.said
    kept = kit.read(kit.lines([range(120), kit.x, kit.w, kit.y], (name, "x", "w", "y")), index="none")
    assert list(kept.inputs.columns) == [name or "Unnamed: 0", "x", "w"]


def test_names_of_rows_are_no_input_either(kit: Any) -> None:
    cars = [f"car {i}" for i in range(120)]
    kit.same(kit.read(kit.lines([cars, kit.x, kit.w, kit.y], ("", "x", "w", "y"))))
    shuffled = [(i * 7) % 120 for i in range(120)]
    kit.same(kit.read(kit.lines([shuffled, kit.x, kit.w, kit.y], ("", "x", "w", "y"))))


def test_a_real_column_called_like_an_index_stays(kit: Any) -> None:
    table = kit.lines(names=("X", "w", "y"))
    assert list(kit.read(table, far_by="X").inputs.columns) == ["X", "w"]
    assert list(kit.read(table, far_by="w").inputs.columns) == ["X", "w"]


def test_a_nameless_column_of_data_is_refused(kit: Any) -> None:
    table = kit.lines([kit.x, kit.w, kit.w, kit.y], ("x", "", "w", "y"))
    assert "column 2 has no name" in kit.refused(table)
    kit.same(kit.read(table, drop="Unnamed: 1"))


def test_text_that_is_no_utf_8(kit: Any) -> None:
    table = kit.lines(names=("x (°C)", "w", "y"))
    outcome = kit.read(table.encode("latin-1"), far_by="w")
    assert list(outcome.inputs.columns) == ["x (°C)", "w"]
    assert "not UTF-8, taken for Windows-1252" in outcome.said
    assert "UTF-8" not in kit.read(table.encode("latin-1"), far_by="w", encoding="latin-1").said
    assert "is not UTF-8: line 1" in kit.refused(table.encode("latin-1"), far_by="w", encoding="utf-8")


@pytest.mark.parametrize("end", ["\r", "\r\n"])
def test_line_ends_of_other_systems(kit: Any, end: Any) -> None:
    kit.same(kit.read(kit.lines(end=end)))
    kit.same(kit.read(kit.lines().replace("\n", end, 40)))


def test_named_levels_of_an_index_are_columns(kit: Any) -> None:
    frame = pd.DataFrame({"x": kit.x, "w": kit.w, "y": kit.y}, index=pd.date_range("2020", periods=120, name="day"))
    frame.to_parquet(kit.folder / "t.parquet")
    for source in (kit.folder / "t.parquet", frame):
        outcome = kit.read(source, far_by="day")
        np.testing.assert_array_equal(outcome.far_targets, np.sort(kit.y[-24:]))
        assert "day" in outcome.inputs.columns


def test_an_index_without_a_name_is_no_input(kit: Any) -> None:
    frame = pd.DataFrame({"x": kit.x, "w": kit.w, "y": kit.y}).sample(frac=1, random_state=0)
    frame.to_parquet(kit.folder / "t.parquet")
    for source in (kit.folder / "t.parquet", frame):
        kit.same(outcome := kit.read(source))
        assert "left out as numbers or names of rows (index)" in outcome.said
    times = frame.set_index(pd.date_range("2020", periods=120))
    assert "index" in kit.read(times, far_by="index").inputs.columns


@pytest.mark.parametrize("marker", ["?", "-", "--", ".", "NA", "n/a", "NaN", "NULL", "unknown", "#DIV/0!", "*", ""])
def test_entries_that_mean_missing_among_numbers(kit: Any, marker: Any) -> None:
    power = [marker if i % 40 == 7 else value for i, value in enumerate(kit.w)]
    outcome = kit.read(kit.lines([kit.x, power, kit.y]))
    assert list(outcome.inputs.columns) == ["x", "w"]
    assert "missing values replaced by the training mean: 3 in 'w'" in outcome.said
    assert not marker or f"'{marker}' = missing (3 in w)" in outcome.said
    targets = [marker if i % 40 == 7 else value for i, value in enumerate(kit.y)]
    outcome = kit.read(kit.lines([kit.x, kit.w, targets]))
    np.testing.assert_array_equal(outcome.targets, np.sort(np.delete(kit.y, [7, 47, 87])))
    assert "no target: 3" in outcome.said


def test_other_words_among_numbers_are_refused_with_their_line(kit: Any) -> None:
    power = ["<0.1" if i == 7 else value for i, value in enumerate(kit.w)]
    line = kit.refused(kit.lines([kit.x, power, kit.y]))
    assert "'<0.1' in line 9 is no number as others of the column 'w' are" in line
    targets = ["high" if i == 7 else value for i, value in enumerate(kit.y)]
    assert "'high' in line 9" in kit.refused(kit.lines([kit.x, kit.w, targets]))
    outcome = kit.read(kit.lines([kit.x, power, kit.y]), missing="<0.1")
    assert "1 in 'w'" in outcome.said
    assert (
        "w=<0.1" in kit.read(kit.lines([kit.x, [str(v)[:3] for v in kit.w[:-1]] + ["<0.1"], kit.y]), texts="w").inputs
    )


def test_markers_that_are_numbers(kit: Any) -> None:
    def with_marker(marker: float) -> str:
        return kit.lines([kit.x, [marker if i % 40 == 7 else value for i, value in enumerate(kit.w)], kit.y])

    assert "'-999' = missing (3 in w)" in kit.read(with_marker(-999)).said
    assert kit.read(with_marker(-999), missing="none").inputs["w"].min() == -999
    loud = kit.read(with_marker(9999))
    assert "9999 read as a number: missing=9999" in loud.said
    assert loud.inputs["w"].max() == 9999
    assert kit.read(with_marker(9999), missing="9999").inputs["w"].max() < 6


def test_the_line_of_excel_that_names_the_separator(kit: Any) -> None:
    for begin in ("sep=;\n", "\ufeffsep=;\r\n", "SEP=;\n"):
        kit.same(outcome := kit.read(begin + kit.lines(separator=";")))
        assert "sep=; left out" in outcome.said


def test_blanks_around_names(kit: Any) -> None:
    table = kit.lines([kit.x, kit.w, kit.y, kit.w], ("x", "w ", "y ", " id "))
    for drop, target in (("w ,id", "y "), ("w, id ", "y"), ("w,id", " y")):
        outcome = kit.read(table, target=target, drop=drop)
        assert list(outcome.inputs.columns) == ["x"]
        np.testing.assert_array_equal(outcome.targets, np.sort(kit.y))


def test_names_of_any_kind_can_be_written(kit: Any) -> None:
    assert list(kit.read(kit.lines(names=("x", '"w, m2"', "y")), drop="w, m2").inputs.columns) == ["x"]
    assert list(kit.read(kit.lines(names=('"x\n(m)"', "w", "y")), far_by="x (m)").inputs.columns) == ["x (m)", "w"]
    assert list(kit.read(kit.lines(names=("x", '"w ""big"""', "y")), drop='w "big"').inputs.columns) == ["x"]
    assert "two columns are called 'x'" in kit.refused(kit.lines(names=("x", "x ", "y")))
    assert "second column of one name (x.1)" in kit.read(kit.lines(names=("x", "x.1", "y"))).said


def test_rows_must_line_up_with_the_names(kit: Any) -> None:
    extra = kit.lines([kit.y, kit.x, kit.w, range(120)], ("y", "x", "w", ""))
    assert "3 names, 4 fields in line 2" in kit.refused(extra.replace("y,x,w,\n", "y,x,w\n"))
    words = kit.lines([kit.y, kit.x, kit.w, ["ok"] * 120], ("y", "x", "w", ""))
    assert "3 names, 4 fields in line 2" in kit.refused(words.replace("y,x,w,\n", "y,x,w\n"))
    trailing = kit.lines([kit.y, kit.x, kit.w, [""] * 120], ("y", "x", "w", ""))
    for table in (trailing, trailing.replace("y,x,w,\n", "y,x,w\n"), kit.lines().replace("x,w,y\n", "x,w,y,\n")):
        kit.same(kit.read(table))
    late = trailing.replace("y,x,w,\n", "y,x,w\n").rstrip("\n") + "7\n"
    assert "3 names, 4 fields in line 121" in kit.refused(late)
    rows = kit.lines().splitlines()
    rows[50] += ",9"
    assert "3 names, 4 fields in line 51" in kit.refused("\n".join(rows))
    rows[50] = "1,2"
    assert "3 names, 2 fields in line 51" in kit.refused("\n".join(rows))
    kit.read("\n".join(rows), skip_lines="51")


def test_row_names_of_r_are_read_when_stated(kit: Any) -> None:
    table = kit.lines([range(1, 121), kit.x, kit.w, kit.y], ("", '"x"', '"w"', '"y"')).lstrip(",")
    assert "R's row name, give index='Unnamed: 0'" in kit.refused(table)
    kit.same(kit.read(table, index="Unnamed: 0"))
