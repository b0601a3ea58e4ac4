"""The picture of what is proved, searched and seen."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from scipy import stats

from leaderboard.charts import bounds_chart
from leaderboard.charts.saving import save
from leaderboard.records.record import Record


def points(chart: Any) -> list[dict[str, Any]]:
    """What is drawn, wherever its panel holds it."""
    found: list[dict[str, Any]] = []

    def walk(node: Any) -> None:
        for child in node.values() if isinstance(node, dict) else node if isinstance(node, list | tuple) else ():
            walk(child)
        if isinstance(node, dict) and node.get("layer") in ("point", "verdict"):
            found.append(node)

    walk(chart.to_dict())
    return list({repr(p): p for p in found}.values())


@pytest.fixture
def measured(record: Callable[..., Record], key: Any) -> list[Record]:
    """A scheme that is proved, one that is searched, one that grows, one that overflows."""

    def seeds(norm: str, **changes: Any) -> list[Record]:
        return [
            record(key(norm=norm, seed=s), **{n: v(s) if callable(v) else v for n, v in changes.items()})
            for s in range(3)
        ]

    ball = lambda s: ((100.0, 2.0 + s), (1e4, 2.0 + s))  # noqa: E731
    return [
        *seeds("layer@first", certificate=lambda s: 5.0 + s, worst_growth=ball),
        *seeds("rms@all", worst_growth=ball),
        *seeds("none", worst_growth=lambda s: ((100.0, 200.0), (1e4, 2e4))),
        *seeds("batch@all", worst_growth=((100.0, 1.0), (1e4, None))),
    ]


def test_intervals_are_those_over_seeds_and_the_verdict_stands_beside(measured: list[Record]) -> None:
    rows = points(bounds_chart(measured))
    said = {row["norm"]: row["verdict"] for row in rows if row["layer"] == "verdict"}
    assert said == {
        "none": "linear",
        "layer@first": "bounded ≤ 7, proved",
        "rms@all": "bounded, searched",
        "batch@all": "bounded along rays, growth found",
    }
    proofs = [row for row in rows if row.get("kind", "").startswith("certificate")]
    (proof,) = proofs
    assert proof["norm"] == "layer@first"
    assert proof["mean"] == pytest.approx(stats.gmean([5, 6, 7]))
    found = {row["norm"]: row for row in rows if row.get("kind", "").startswith("worst")}
    assert (found["batch@all"]["infinite"], found["batch@all"]["mean"]) == (True, None)
    assert {norm: row["bound"] for norm, row in found.items()}["none"] == "unbounded"
    assert found["rms@all"]["low"] < stats.gmean([2, 3, 4]) < found["rms@all"]["high"]


def test_it_is_drawn_for_one_panel_and_for_several(
    measured: list[Record], records: Callable[..., list[Record]], tmp_path: Any
) -> None:
    for name, chosen in (("one", measured), ("several", records())):
        assert save(bounds_chart(chosen), tmp_path / f"{name}.png").stat().st_size > 10_000
