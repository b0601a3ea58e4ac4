"""Cards of sequence tasks."""

from __future__ import annotations

from tasks.card import FarKind, PaperBudget, Truth
from tasks.registry import register_task


def _computed(
    name: str,
    summary: str,
    target: str,
    truth: Truth,
    far_rule: str,
    build: str,
    *,
    far_kind: FarKind = "distance",
    beyond: float,
    version: str = "1",
    note: str | None = None,
) -> None:
    register_task(
        name,
        version=version,
        summary=summary,
        kind="sequence",
        target=target,
        units="1",
        truth=truth,
        far_rule=far_rule,
        far_kind=far_kind,
        beyond=beyond,
        note=note,
        source="computed by FarField",
        licence="Apache-2.0",
        citation="FarField",
        real=False,
        paper=PaperBudget(epochs=50, batch_size=128),
        build=f"tasks.families.sequences.computed:{build}",
    )


def _longer(name: str, summary: str, target: str, truth: Truth, far_rule: str, build: str, beyond: float = 0.0) -> None:
    register_task(
        name,
        summary=summary,
        kind="sequence",
        target=target,
        units="1",
        truth=truth,
        far_rule=far_rule,
        far_kind="length",
        beyond=beyond,
        source="computed by FarField",
        licence="Apache-2.0",
        citation="FarField",
        real=False,
        paper=PaperBudget(epochs=50, batch_size=32),
        build=f"tasks.families.sequences.longer:{build}",
    )


def _measured(
    name: str,
    summary: str,
    target: str,
    units: str,
    truth: Truth,
    far_rule: str,
    citation: str,
    *,
    far_kind: FarKind = "distance",
    beyond: float,
    note: str | None = None,
) -> None:
    register_task(
        name,
        summary=summary,
        kind="sequence",
        target=target,
        units=units,
        truth=truth,
        far_rule=far_rule,
        far_kind=far_kind,
        beyond=beyond,
        note=note,
        source=f"statsmodels ({name})",
        licence="public domain",
        citation=citation,
        real=True,
        paper=PaperBudget(epochs=2500),
        build=f"tasks.families.sequences.series:{name}",
    )


_computed(
    "trend-sequence",
    "The next value of a straight line f(i) = a + b·i with a, b ~ N(0, 1), from ten consecutive ones.",
    "the next value",
    "growing",
    "other lines, later: windows inside i = 31 to 60 and 61 to 100, trained on i = 1 to 30",
    "trend",
    far_kind="shift",
    beyond=0.38,
)
_computed(
    "sum-sequence",
    "The sum of a run of 4 to 10 values from [-1, 1] somewhere within 20 steps.",
    "the sum",
    "growing",
    "values up to ±3 and ±10; runs of 11 to 20 values",
    "total",
    beyond=0.84,
)
_computed(
    "damped-oscillator",
    "The next position of a damped harmonic oscillator, from ten positions.",
    "the next position",
    "growing",
    "higher energy: 1 to 4 and 4 to 25 at the beginning, trained on 0 to 1",
    "damped_oscillator",
    beyond=0.90,
)
_computed(
    "driven-oscillator",
    "The next position of a driven Duffing oscillator, from ten positions and the driving force.",
    "the next position",
    "growing",
    "higher energy: 1 to 4 and 4 to 25 at the beginning, trained on 0 to 1",
    "driven_oscillator",
    beyond=0.80,
)
_computed(
    "lotka-volterra",
    "The next number of prey, from ten steps of prey and predators.",
    "the next number of prey",
    "bounded",
    "larger populations: beginning at 1.5 to 3 and 3 to 6, trained on 0.5 to 1.5",
    "lotka_volterra",
    beyond=0.72,
    version="2",
    note="the larger populations begin, the sooner prey is eaten: the next number stays between 0 and about 3",
)
_measured(
    "co2",
    "Carbon dioxide at Mauna Loa next week, from ten weeks, trained before 1980.",
    "concentration of carbon dioxide",
    "ppm",
    "growing",
    "later decades: 1980 to 1989 and 1990 to 2001",
    "Keeling and Whorf, Atmospheric CO2 records from sites in the SIO air sampling network, 2004",
    beyond=0.95,
    note="it rises from year to year",
)
_measured(
    "sunspots",
    "Next year's number of sunspots, from eight years, trained before 1930.",
    "yearly number of sunspots",
    "1",
    "bounded",
    "later decades: 1930 to 1969 and 1970 to 2008",
    "US National Geophysical Data Center, Sunspot Numbers, 1700 to 2008",
    far_kind="shift",
    beyond=0.48,
    note="a cycle: no year of the series has more than 190, and training years have up to 154",
)

_LONGER = "32 and 64 steps, trained on 16"
_LONGER_EACH = f"{_LONGER}; the steps after the 16th are asked for"
_longer(
    "trend-forecast",
    "At each position of a straight line f(i) = a + b·i with a, b ~ N(0, 1), the value at the next (arXiv 2505.14512).",
    "the value at the next position",
    "growing",
    "longer lines: positions 31 to 60 and 31 to 100, trained on i = 1 to 30",
    "trend_forecast",
    beyond=0.34,
)
_longer(
    "addition",
    "The sum of the marked numbers, about half of all numbers from [0, 1].",
    "the sum of the marked numbers",
    "growing",
    _LONGER,
    "addition",
)
_longer(
    "adding-two",
    "The adding problem: the sum of the two numbers that are marked, one in each half of the sequence.",
    "the sum of the two marked numbers",
    "bounded",
    _LONGER,
    "adding_two",
)
_longer(
    "counting",
    "How many numbers of a sequence are positive.",
    "the count of positive numbers",
    "growing",
    _LONGER,
    "counting",
)
_longer(
    "copy-scale",
    "At each step of a sequence, its number times the first one.",
    "the number times the first one",
    "bounded",
    _LONGER_EACH,
    "copy_scale",
)
_longer(
    "maximum",
    "The greatest number of a sequence.",
    "the greatest number",
    "bounded",
    _LONGER,
    "maximum",
)
