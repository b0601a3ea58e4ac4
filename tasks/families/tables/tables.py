"""Real tables: rows of numbers from the world, with far rules over their columns."""

from __future__ import annotations

import numpy as np

from tasks.data.samples import Samples
from tasks.reading.encoding import EncodedTable, held_out
from tasks.reading.files import TextFile, read_table
from tasks.reading.packaged import PackagedTable, read_packaged
from tasks.reading.rules import Above, Furthest, GroupRule, Highest

UCI = "https://archive.ics.uci.edu/static/public"
PROTEIN = TextFile(
    path="protein/CASP.csv",
    lines=45_731,
    sha256="b36f6442f1b9b78da962eaa828f7b856a581c646b3ff748dd3301e1267f9f26e",
    url=f"{UCI}/265/physicochemical+properties+of+protein+tertiary+structure.zip",
)
AIRFOIL = TextFile(
    path="airfoil/airfoil_self_noise.dat",
    lines=1_503,
    sha256="10ee06e6cfb27dae6b44213d421d217012fb1f9b697592e73a4e4016b52d425f",
    url=f"{UCI}/291/airfoil+self+noise.zip",
    separator="\t",
    columns=("frequency", "angle", "chord", "velocity", "thickness", "level"),
)
YACHT = TextFile(
    path="yacht/yacht_hydrodynamics.data",
    lines=308,
    sha256="1638f9806fefc050259068b3a5d695431b2ed16020b7c57478af02f83081baf0",
    url=f"{UCI}/243/yacht+hydrodynamics.zip",
    separator=r"\s+",
    columns=("buoyancy", "prismatic", "displacement", "beam_draught", "length_beam", "froude", "resistance"),
)
DIAMONDS = PackagedTable(
    "ggplot2/diamonds",
    "bc8cd9273b2c7db0c855d7bda428a355d6a0834cde5b8fb4068e8cac6d4254f2",
    ("carat", "cut", "color", "clarity", "depth", "table", "x", "y", "z", "price"),
)
FLIGHTS = PackagedTable(
    "nycflights13/flights",
    "9d1dc51c7cffc92530474edf0f6791245bef4beabb397d84baf0aa8919d7a52b",
    ("month", "day", "hour", "minute", "dep_delay", "distance", "origin", "arr_delay"),
)
WAGES = PackagedTable(
    "AER/CPS1988",
    "9207880afd4bae339262abb616da08e5edfdf08578ee93445f9fbe4a296ef1ba",
    ("education", "experience", "ethnicity", "smsa", "region", "parttime", "wage"),
)
CONCRETE = PackagedTable(
    "modeldata/concrete",
    "5fc3e137f89f19a06d9363dad81a0c37fe73e8e126b9d1bfd03a10830b6e61ef",
    (
        "cement",
        "blast_furnace_slag",
        "fly_ash",
        "water",
        "superplasticizer",
        "coarse_aggregate",
        "fine_aggregate",
        "age",
        "compressive_strength",
    ),
)
AMES = PackagedTable(
    "modeldata/ames",
    "43323cb5d3bc49de3fdb66a9c28e27d2d6102a308230070ea480ded132fe619a",
    (
        "Bldg_Type",
        "Lot_Area",
        "Year_Built",
        "Year_Remod_Add",
        "Mas_Vnr_Area",
        "Total_Bsmt_SF",
        "First_Flr_SF",
        "Second_Flr_SF",
        "Gr_Liv_Area",
        "Full_Bath",
        "Half_Bath",
        "Bedroom_AbvGr",
        "Kitchen_AbvGr",
        "TotRms_AbvGrd",
        "Fireplaces",
        "Garage_Cars",
        "Garage_Area",
        "Wood_Deck_SF",
        "Open_Porch_SF",
        "Mo_Sold",
        "Year_Sold",
        "Longitude",
        "Latitude",
        "Overall_Cond",
        "Foundation",
        "Heating_QC",
        "Central_Air",
        "Sale_Price",
    ),
)
_DAYS_BEFORE_MONTH = np.cumsum([0, 0, 31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30])  # 2013; months count from 1


def protein() -> Samples:
    """RMSD of protein models from nine properties; far: total surface area above 20,000 Å²."""
    return held_out(EncodedTable(read_table(PROTEIN), "RMSD"), Above("F1", 20_000.0, "large"))


def airfoil() -> Samples:
    """Sound pressure level of an airfoil in a wind tunnel; far: the fifth with the highest frequencies."""
    return held_out(EncodedTable(read_table(AIRFOIL), "level"), Highest("frequency", 0.8, "high-frequency"))


def yacht() -> Samples:
    """Residuary resistance of a yacht; far: Froude numbers above 0.39, where resistance climbs steeply."""
    return held_out(EncodedTable(read_table(YACHT), "resistance"), Above("froude", 0.39, "fast"))


def diabetes() -> Samples:
    """Disease progression after one year; far: the fifth with the highest body mass index."""
    from sklearn.datasets import load_diabetes

    data = load_diabetes(scaled=False)
    columns = dict(zip(data.feature_names, data.data.T, strict=True)) | {"progression": data.target}
    return held_out(EncodedTable(columns, "progression"), Highest("bmi", 0.8, "heaviest"))


def diamonds() -> Samples:
    """Price of a diamond; far: above one and a half carats."""
    return held_out(EncodedTable(read_packaged(DIAMONDS), "price"), Above("carat", 1.5, "heavy"))


def diamonds_expensive() -> Samples:
    """Price of a diamond; far: the fifth with the highest prices, above every price in training."""
    return held_out(EncodedTable(read_packaged(DIAMONDS), "price"), Highest("price", 0.8, "expensive"))


def wages() -> Samples:
    """Logarithm of weekly wages; far: more than 40 years of experience."""
    columns = read_packaged(WAGES)
    columns["wage"] = np.log(columns["wage"])
    return held_out(EncodedTable(columns, "wage", unused=("ethnicity",)), Above("experience", 40.0, "long-experience"))


def concrete() -> Samples:
    """Compressive strength of concrete; far: the fifth of mixtures furthest by Mahalanobis distance."""
    return held_out(EncodedTable(read_packaged(CONCRETE), "compressive_strength"), Furthest(0.8, "unusual"))


def ames() -> Samples:
    """Sale price of single-family houses; far: two other groups, townhouses and houses for two families."""
    table = EncodedTable(read_packaged(AMES), "Sale_Price", unused=("Bldg_Type",))
    townhouses = GroupRule("Bldg_Type", ("Twnhs", "TwnhsE"), "townhouses")
    return held_out(table, townhouses, GroupRule("Bldg_Type", ("Duplex", "TwoFmCon"), "two-family"))


def flights_later() -> Samples:
    """Delay at arrival of flights from New York in 2013; far: later in the year, October to December."""
    table, notes = _flights()
    return held_out(table, Above("day_of_year", 273.0, "later"), notes=notes)


def flights_delayed() -> Samples:
    """Delay at arrival of flights from New York in 2013; far: departed more than two hours late."""
    table, notes = _flights()
    return held_out(table, Above("dep_delay", 120.0, "very-late"), notes=notes)


def _flights() -> tuple[EncodedTable, tuple[str, ...]]:
    raw = read_packaged(FLIGHTS)
    landed = np.isfinite(raw["arr_delay"])
    columns = {
        "day_of_year": _DAYS_BEFORE_MONTH[raw["month"].astype(int)] + raw["day"],
        "hour": raw["hour"] + raw["minute"] / 60,
    } | {name: raw[name] for name in ("dep_delay", "distance", "origin", "arr_delay")}
    kept = {name: column[landed] for name, column in columns.items()}
    return EncodedTable(kept, "arr_delay"), (
        f"flights left out because they did not arrive as planned: {(~landed).sum():,}",
    )
