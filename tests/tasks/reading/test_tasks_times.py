"""Times of every spelling are days."""

import datetime
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tasks.reading.times import days_of, read_times

FORMATS = [
    "%Y-%m-%d %H:%M:%S",
    "%Y-%m-%dT%H:%M:%S",
    "%Y/%m/%d %H:%M:%S",
    "%d.%m.%Y %H:%M:%S",
    "%d %b %Y %H:%M:%S",
    "%B %d, %Y %H:%M:%S",
    "%a, %d %b %Y %H:%M:%S",
]


@given(st.lists(st.datetimes(datetime.datetime(1900, 1, 1), datetime.datetime(2100, 1, 1)), min_size=1, max_size=9))
@settings(max_examples=60, deadline=None)
@pytest.mark.parametrize("form", FORMATS)
def test_instants_are_days_since_1970(form: Any, instants: Any) -> None:
    whole = [instant.replace(microsecond=0) for instant in instants]
    read = read_times([instant.strftime(form) for instant in whole])
    assert read.problem is None
    expected = [(instant - datetime.datetime(1970, 1, 1)) / datetime.timedelta(days=1) for instant in whole]
    np.testing.assert_allclose(read.days, expected, rtol=0, atol=1e-9)


@pytest.mark.parametrize(
    ("texts", "expected"),
    [
        (["1970-01-02"], [1]),
        (["1970-01-02T00:00:00Z", "1970-01-02T02:00:00+02:00"], [1, 1]),
        (["1970-01-01 12:00 PM", "1970-01-01 12:00 AM"], [0.5, 0]),
        (["13/01/1970", "02/01/1970"], [12, 1]),
        (["01/13/1970", "01/02/1970"], [12, 1]),
        (["02.01.1970", "03.01.1970"], [1, 2]),
        (["02/01/71", "13/01/69"], [366, -353]),
        (["1970-01", "1970-03"], [0, 59]),
        (["1970M02"], [31]),
        (["02/1970"], [31]),
        (["1970Q1", "1970-Q2"], [0, 90]),
        (["Q2 1970"], [90]),
        (["1970-W02"], [4]),
        (["Jan 1970", "Mar 1970"], [0, 59]),
        (["Jan-70"], [0]),
        (["06:00", "18:00"], [0.25, 0.75]),
        (["6:00 PM"], [0.75]),
        (["36:00:00", "1:00:00"], [1.5, 1 / 24]),
        (["1 days 12:00:00", "0 days"], [1.5, 0]),
        (["P1DT12H"], [1.5]),
        (["0001-01-01", "9999-12-31"], [-719162, 2932896]),
    ],
)
def test_kinds_of_times(texts: Any, expected: Any) -> None:
    np.testing.assert_allclose(read_times(texts).days, expected, atol=1e-12)


def test_the_order_of_day_and_month_is_never_guessed_from_doubtful_dates() -> None:
    doubtful = ["03/04/2020", "05/06/2020"]
    assert "day-first or month-first" in (read_times(doubtful).problem or "")
    assert read_times(doubtful, "day-first").days[0] == days_of("2020-04-03")
    assert read_times(doubtful, "month-first").days[0] == days_of("2020-03-04")
    assert "a day or a year" in (read_times(["Jan-20", "Mar-21"]).problem or "")
    assert read_times(["03.04.2020"]).days[0] == days_of("2020-04-03"), "points stand between day and month"


@pytest.mark.parametrize("text", ["spring", "2020-13", "32.01.2020", "25:61", "1998-99", "12", "May be 5", ""])
def test_what_is_no_time(text: Any) -> None:
    assert days_of(text) is None


def test_text_parquet_and_frame_agree(kit: Any) -> None:
    stamps = pd.date_range("2020-01-01 06:30", periods=120, freq="31h", tz="Europe/Berlin")
    frame = pd.DataFrame({"t": stamps, "w": kit.w, "y": kit.y})
    frame.to_parquet(kit.folder / "t.parquet")
    frame.to_csv(kit.folder / "t.csv", index=False)
    expected = (stamps - pd.Timestamp("1970-01-01", tz="UTC")) / pd.Timedelta(days=1)
    for source in (frame, kit.folder / "t.parquet", kit.folder / "t.csv"):
        outcome = kit.read(source, far_by="t")
        np.testing.assert_allclose(np.sort(outcome.inputs["t"]), expected, rtol=0, atol=1e-9)
        np.testing.assert_array_equal(outcome.far_targets, np.sort(kit.y[-24:]))


@pytest.mark.parametrize("kind", ["period", "date", "timedelta", "time"])
def test_other_types_of_time_are_days(kit: Any, kind: Any) -> None:
    days = pd.date_range("2020-01-01", periods=120)
    columns = {
        "period": pd.period_range("2015-01", periods=120, freq="M"),
        "date": days.date,
        "timedelta": pd.to_timedelta(np.arange(120), unit="h"),
        "time": [datetime.time(i // 10, i % 60) for i in range(120)],
    }
    outcome = kit.read(pd.DataFrame({"t": columns[kind], "w": kit.w, "y": kit.y}), far_by="w")
    first = {"period": 16436.0, "date": 18262.0, "timedelta": 0.0, "time": 0.0}[kind]
    assert outcome.inputs["t"].min() == first
    assert outcome.inputs["t"].max() > first


def test_conditions_over_times(kit: Any) -> None:
    days = pd.date_range("2020-01-01", periods=120)
    table = kit.lines([days.date, kit.w, kit.y])
    outcome = kit.read(table, far_by=None, far_where='x >= "2020-04-01" and not x == "2020-04-02"')
    np.testing.assert_array_equal(outcome.far_targets, np.sort(kit.y[(days >= "2020-04-01") & (days != "2020-04-02")]))
    assert "is no time" in kit.refused(table, far_by=None, far_where='x > "soon"')
