"""Real tables whose rows come in groups and times: a city, a storm, a country, a week; far is elsewhere, or later."""

from __future__ import annotations

import numpy as np

from tasks.data.samples import Samples
from tasks.reading.encoding import EncodedTable, held_out
from tasks.reading.packaged import PackagedTable, read_packaged
from tasks.reading.rules import Above, GroupRule, Where

HOUSING = PackagedTable(
    "ggplot2/txhousing",
    "1e9a612696086e301e320a031a92704b9f84c9a9467baf0535aaf78b8fd00af5",
    ("city", "year", "month", "sales", "volume", "median", "listings", "inventory"),
)
COMPUTERS = PackagedTable(
    "Ecdat/Computers",
    "e4256f17930ea93c2b50d02e9aa5b21b842deae1fbfea67cd0a3a9fdc5da45a6",
    ("speed", "hd", "ram", "screen", "cd", "multi", "premium", "ads", "trend", "price"),
)
# fmt: off
_STATIONS = (
    "Austin", "Quincy_Wells", "Belmont", "Archer_35th", "Oak_Park", "Western", "Clark_Lake", "Clinton",
    "Merchandise_Mart", "Irving_Park", "Washington_Wells", "Harlem", "Monroe", "Polk", "Ashland", "Kedzie",
    "Addison", "Jefferson_Park", "Montrose", "California",
)
_WEATHER = (
    "temp_min", "temp", "temp_max", "temp_change", "dew", "humidity", "pressure", "pressure_change", "wind",
    "wind_max", "gust", "gust_max", "percip", "percip_max", "weather_rain", "weather_snow", "weather_cloud",
    "weather_storm",
)
# fmt: on
_TEAMS = ("Blackhawks", "Bulls", "Bears", "WhiteSox", "Cubs")
CHICAGO = PackagedTable(
    "modeldata/Chicago",
    "500ef42c8b796ed8cdf456fca2c5ebcfa7d885e669b8e9403beaf01e45b1b06a",
    (*_STATIONS, *_WEATHER, *(f"{team}_{where}" for team in _TEAMS for where in ("Away", "Home")), "date", "ridership"),
)
STORMS = PackagedTable(
    "dplyr/storms",
    "24f5d420c017e60fd637aefa3c6c5ebd0395ed6ce3cbdad4cc0063da829e743a",
    ("name", "year", "month", "day", "hour", "lat", "long", "pressure", "wind"),
)
COUNTRIES = PackagedTable(
    "gapminder/gapminder",
    "da3e1b17178678afea86ab48a9d2f8212a8a93bec87c992ce2b7c8c9423fac91",
    ("country", "continent", "year", "lifeExp", "pop", "gdpPercap"),
)
_WEEKDAYS = np.array(["Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday"])


def housing_texas_cities() -> Samples:
    """Worth of a month's sales in a city; far: the seven largest cities.

    The city is no input, and all its months are in one split. The median price is none either, as price times number
    would be the worth.
    """
    raw, notes = _complete()
    city = np.unique(raw["city"], return_inverse=True)[1]
    average = np.bincount(city, raw["sales"]) / np.bincount(city)
    columns = _market(raw) | {"city": raw["city"], "average_sales": average[city], "worth": raw["volume"] / 1e6}
    table = EncodedTable(columns, "worth", unused=("city", "average_sales"))
    return held_out(table, Above("average_sales", 700.0, "largest-cities"), notes=notes, together="city")


def housing_texas_later() -> Samples:
    """Median price of a month's sales in a city; far: from 2013 on.

    A city's year is in one split. The worth of all sales is no input: with their number it gives the mean price.
    """
    raw, notes = _complete()
    years = np.char.add(np.char.add(raw["city"], " "), raw["year"].astype(int).astype(np.str_))
    columns = _market(raw) | {"city": raw["city"], "year": raw["year"], "city_year": years, "price": raw["median"]}
    table = EncodedTable(columns, "price", unused=("year", "city_year"))
    return held_out(table, Above("year", 2012.0, "later"), notes=notes, together="city_year")


def computers_later() -> Samples:
    """Price of a personal computer; far: the last seven of 35 months. Equal offers are in one split."""
    return held_out(EncodedTable(read_packaged(COMPUTERS), "price"), Above("trend", 28.0, "later"))


def chicago_later() -> Samples:
    """Daily entries at Clark/Lake; far: the last fifth of the weeks. A week is in one split.

    Entries of the stations are those of 14 days before, among them those of Clark/Lake.
    """
    columns = read_packaged(CHICAGO)
    date = columns.pop("date").astype("datetime64[D]")
    day = (date - date.min()).astype(np.int64)  # the first is a Monday
    columns |= {
        "day": day.astype(np.float64),
        "day_of_year": (date - date.astype("datetime64[Y]")).astype(np.float64) + 1,
        "weekday": _WEEKDAYS[day % 7],
        "week": (day // 7).astype(np.float64),
    }
    table = EncodedTable(columns, "ridership", unused=("week",))
    return held_out(table, Above("week", 650.0, "later"), together="week")


def storms_deep() -> Samples:
    """Wind of an Atlantic storm; far: pressure below 968 hPa. A storm is in one set.

    Of storms that become so deep the other rows are left out. Status, category and diameters are no inputs: they are
    defined by wind.
    """
    raw = read_packaged(STORMS)
    months = (raw["year"].astype(int) - 1970) * 12 + raw["month"].astype(int) - 1
    first = months.astype("datetime64[M]").astype("datetime64[D]")
    start = first.astype("datetime64[Y]").astype("datetime64[D]")
    columns = {name: raw[name] for name in ("year", "hour", "lat", "long", "pressure", "wind")}
    columns["day_of_year"] = (first - start).astype(np.float64) + raw["day"]
    columns["storm"] = np.char.add(np.char.add(raw["name"], " "), raw["year"].astype(int).astype(np.str_))
    deep = raw["pressure"] < 968.0
    kept = deep | ~np.isin(columns["storm"], columns["storm"][deep])
    notes = (f"rows of deep storms left out, as their pressure is no lower than 968 hPa: {(~kept).sum():,}",)
    table = EncodedTable(columns, "wind", unused=("storm",)).take(kept)
    return held_out(table, Where("pressure < 968", "deep"), notes=notes, together="storm")


def gapminder_africa() -> Samples:
    """Life expectancy in a country; far: Africa. A country is in one split, and is no input."""
    raw = read_packaged(COUNTRIES)
    columns = {name: raw[name] for name in ("country", "continent", "year", "lifeExp")}
    columns |= {"log10_population": np.log10(raw["pop"]), "log10_income": np.log10(raw["gdpPercap"])}
    table = EncodedTable(columns, "lifeExp", unused=("country", "continent"))
    return held_out(table, GroupRule("continent", ("Africa",), "africa"), together="country")


def _complete() -> tuple[dict[str, np.ndarray], tuple[str, ...]]:
    """Months of which all is known, and how many are left out: equal gaps would make months of two cities alike."""
    raw = read_packaged(HOUSING)
    known = np.all([np.isfinite(column) for column in raw.values() if column.dtype.kind == "f"], axis=0)
    notes = (f"months left out because a value is missing: {(~known).sum():,}",)
    return {name: column[known] for name, column in raw.items()}, notes


def _market(raw: dict[str, np.ndarray]) -> dict[str, np.ndarray]:
    """Inputs of both housing tables: date in years, month, sales, houses for sale, months to sell them all."""
    date = raw["year"] + (raw["month"] - 1) / 12
    return {"date": date, "month": raw["month"], **{name: raw[name] for name in ("sales", "listings", "inventory")}}
