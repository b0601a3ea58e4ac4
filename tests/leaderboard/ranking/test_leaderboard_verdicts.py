"""What is said of a cell's growth, and what it rests on."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Sequence
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from leaderboard.ranking.standings import standings, verdicts_by_cell
from leaderboard.ranking.verdicts import GRADES, Verdict
from leaderboard.records.record import Record

SEARCHED = ((10.0, 2.0), (100.0, 2.0), (1e4, 2.0))
FOUND = ((10.0, 2.0), (100.0, 2.0), (1e4, 3.0))
Seed = dict[str, Any]


def seed(exponent: float | None, axis: float | None = 0.0, **changes: Any) -> Seed:
    lost = int(exponent is None or axis is None)
    fields: Seed = {"exponent": exponent, "axis_exponent": axis, "probe_nonfinite": lost, "worst_growth": ()}
    return fields | {"growth": (1.0,) * 13, "departure": (1.0,) * 13, "axis_growth": ((1e8, 1.0),)} | changes


@pytest.fixture
def said(key: Any, record: Any) -> Any:
    def verdict(*seeds: Seed) -> Verdict:
        records = [record(key(seed=place), **changes) for place, changes in enumerate(seeds)]
        (row,) = standings(records)[0].per_task
        (again,) = verdicts_by_cell(records).values()
        assert again == row.said == standings(records)[0].overall[0].said
        return row.said

    return verdict


@pytest.mark.parametrize(
    ("seeds", "word", "text"),
    [
        ([seed(0.0)] * 3, "bounded", "bounded along rays"),
        ([seed(0.049, -0.3)], "bounded", "bounded along rays"),
        ([seed(0.0, 0.05)], "sublinear", "sublinear"),
        ([seed(0.05)] * 2, "sublinear", "sublinear"),
        ([seed(0.949)] * 2, "sublinear", "sublinear"),
        ([seed(0.95), seed(1.05), seed(0.0, 1.0)], "linear", "linear"),
        ([seed(1.051)], "superlinear", "superlinear"),
        ([seed(None)] * 2, "superlinear", "superlinear"),
        ([seed(0.0, None)] * 2, "superlinear", "superlinear"),
        ([seed(0.9), seed(1.0)], "unbounded", "unbounded: sublinear to linear"),
        ([seed(0.9), seed(1.0), seed(None)], "unbounded", "unbounded: sublinear to superlinear"),
        ([seed(0.0)] * 7 + [seed(0.9), seed(1.0), seed(1.0)], "mixed", "mixed: 3 of 10 unbounded [7–65%]"),
        ([seed(0.0), seed(None)], "mixed", "mixed: 1 of 2 unbounded [1–99%]"),
        ([seed(0.0, worst_growth=SEARCHED)] * 2, "bounded", "bounded, searched"),
        ([seed(0.0, worst_growth=SEARCHED), seed(0.0)], "bounded", "bounded along rays"),
        (
            [seed(0.0, worst_growth=SEARCHED), seed(0.0, worst_growth=FOUND)],
            "bounded",
            "bounded along rays, growth found",
        ),
        ([seed(0.0, worst_growth=((100.0, 1.0), (1e4, None)))], "bounded", "bounded along rays, growth found"),
        ([seed(0.0, worst_growth=((100.0, 0.0), (1e4, 0.0)))], "bounded", "bounded, searched"),
        ([seed(0.0, certificate=2.81), seed(0.3, certificate=2.1)], "bounded", "bounded ≤ 2.9, proved"),
        ([seed(0.0, certificate=2.0), seed(0.0, worst_growth=SEARCHED)], "bounded", "bounded, searched"),
        ([seed(0.0, certificate=2.0), seed(1.0)], "mixed", "mixed: 1 of 2 unbounded [1–99%]"),
        ([seed(0.0, certificate=0.9)], "bounded", "bounded along rays"),
        ([seed(1.0, certificate=2.0, axis_growth=((1e8, 2.1),))], "linear", "linear"),
        ([seed(0.0, certificate=2.0, worst_growth=FOUND)], "bounded", "bounded along rays, growth found"),
        ([seed(0.0, certificate=43_210.5)], "bounded", "bounded ≤ 44,000, proved"),
        ([seed(0.0, certificate=2.0)], "bounded", "bounded ≤ 2, proved"),
        ([seed(1.0, None, axis_exponent=None, local_exponent=None, axis_growth=(), probe_nonfinite=None)] * 2,
         "not measured", "not measured"),
    ],
)  # fmt: skip
def test_a_cell_is_what_all_its_seeds_are(said: Any, seeds: Sequence[Seed], word: str, text: str) -> None:
    assert (said(*seeds).word, said(*seeds).text) == (word, text)


@given(st.lists(st.sampled_from([0.0, 0.04, 0.06, 0.5, 1.0, 2.0]), min_size=1, max_size=8))
@settings(max_examples=40, deadline=None)
def test_bounded_is_never_said_where_a_seed_is_not(key: Any, record: Any, exponents: list[float]) -> None:
    records = [record(key(seed=place), **seed(e)) for place, e in enumerate(exponents)]
    row = standings(records)[0].per_task[0]
    assert (row.verdict == "bounded") == all(e < 0.05 for e in exponents)
    assert row.said.unbounded_seeds == sum(e >= 0.05 for e in exponents)
    assert row.unbounded == any(e >= 0.05 for e in exponents)
    assert row.grade == ("along rays" if row.verdict == "bounded" else None)


def test_seeds_that_are_not_ok_are_counted_beside_the_verdict(key: Any, record: Any, unfinished: Any) -> None:
    row = standings([record(key(seed=0), **seed(0.0)), unfinished("diverged", key(seed=1))])[0].per_task[0]
    assert (row.said.text, dict(row.counts)["diverged"]) == ("bounded along rays", 1)
    nothing = standings([unfinished("failed", key())])[0].per_task[0]
    assert (nothing.verdict, nothing.grade, nothing.unbounded) == ("none", None, False)


def test_over_tasks_the_weakest_grade_stands(key: Any, record: Any) -> None:
    def row(*tasks: Seed) -> Verdict:
        records = [record(key(task=f"t{place}"), **changes) for place, changes in enumerate(tasks)]
        return standings(records)[0].overall[0].said

    proved, searched, rays = seed(0.0, certificate=2.0), seed(0.0, worst_growth=SEARCHED), seed(0.0)
    assert row(proved, seed(0.0, certificate=7.1)).text == "bounded ≤ 7.1, proved"
    assert row(proved, searched).text == "bounded, searched"
    assert row(proved, searched, rays).text == "bounded along rays"
    assert row(proved, searched, seed(1.0)).text == "2 bounded (searched), 1 linear"
    assert row(seed(0.5), seed(1.0)).word == "unbounded"
    assert row(seed(0.0), seed(1.0)).word == "mixed"
    assert [GRADES.index(row(t).grade) for t in (rays, searched, proved)] == [1, 2, 3]  # type: ignore[arg-type]


def test_a_line_says_where_growth_close_by_is_another(key: Any, record: Any) -> None:
    def notes(**changes: Any) -> str:
        return "\n".join(standings([record(key(), **(seed(1.0, 1.0) | changes))])[0].notes)

    assert "1 of 1 cells grow otherwise" in notes(local_exponent=0.25)
    assert "exponent 0.25 there, 1.00 beyond" in notes(local_exponent=0.25)
    assert "otherwise" not in notes(local_exponent=0.96)
    assert "otherwise" in notes(exponent=None, probe_nonfinite=1, local_exponent=1.0)
    older = {"axis_exponent": None, "local_exponent": None, "axis_growth": (), "probe_nonfinite": None}
    assert "otherwise" not in notes(**older)


def test_what_was_measured_before_has_no_verdict(record: Any) -> None:
    one: Record = record(certificate=2.0)
    before = dataclasses.replace(
        one, local_exponent=None, axis_exponent=None, axis_growth=(), probe_nonfinite=None, exponent=1.0
    )
    row = standings([before])[0].per_task[0]
    assert (row.verdict, row.unbounded, row.exponent.mean) == ("not measured", False, 1.0)
    assert math.isfinite(row.max_growth.mean)
