"""One table of quantities: nothing else names them, and everything that lists them follows it."""

from __future__ import annotations

import ast
import dataclasses
import math
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from leaderboard.ranking.standings import standings
from leaderboard.records import metrics, quantities
from leaderboard.records.quantities import COMPARED, EXPONENT, MEANS, NUMBERS, OF_RECORDS, QUANTITIES, RANKED
from leaderboard.records.record import Record
from leaderboard.records.summary import Summaries
from leaderboard.tables.frame import frame_rows
from leaderboard.tables.quantity_table import BEGIN, END, quantity_table
from leaderboard.tables.rendering import standing_grids
from leaderboard.tables.runs import render_runs

ROOT = Path(__file__).parents[3]
DESCRIBED = {ROOT / "leaderboard" / "records" / name for name in ("quantities.py", "record.py")}
# a record's fields are named where records are made, packed or measured anew, and where a run of a check is looked at
AXIS_NAMES = ("axis_growth_100", "axis_growth_10000", "axis_growth_1e6", "axis_growth_1e8")
MADE = {"bench/cell", "bench/checking", "bench/submitting", "leaderboard/publishing"}


def sources() -> list[Path]:
    rooms = ("leaderboard", "bench", "farfield")
    return [path for room in rooms for path in (ROOT / room).rglob("*.py") if path not in DESCRIBED]


def restated(path: Path, names: set[str]) -> list[str]:
    """Names of quantities that are written in ``path``, as texts or as attributes of a row."""
    found = []
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        text = node.value if isinstance(node, ast.Constant) else None
        if isinstance(text, str) and text in names:
            found.append(f"{path.relative_to(ROOT)}:{node.lineno}: {text}")
    return found


def test_no_other_file_names_a_quantity() -> None:
    names = {q.name for q in QUANTITIES if "_" in q.name or q.name == EXPONENT.name}  # the others are plain words
    makers = [ROOT / place for place in MADE]
    wrong = [
        line
        for path in sources()
        if not any(path == place or place in path.parents for place in makers)
        for line in restated(path, names)
    ]
    assert wrong == []


def test_names_and_places_are_each_given_once() -> None:
    assert len({q.name for q in QUANTITIES}) == len(QUANTITIES)
    assert [q.rank for q in RANKED] == list(range(1, len(RANKED) + 1))
    for q in QUANTITIES:
        assert (q.read is None) == (q.of is not None), q.name
        assert q.meaning.endswith("."), q.name
        assert q.of is None or q.of in NUMBERS
    assert all(q.clip for q in COMPARED), "ratios are of logarithms"


def test_a_number_of_every_kind_is_read_from_a_record(record: Any) -> None:
    one: Record = record(certificate=3.0, step_operations=10**9)
    values = dict(zip(NUMBERS, (q.read(one) for q in OF_RECORDS if q.read), strict=True))
    assert values == {
        "far_error": one.far_error,
        "far_saturated": sum(e / (1 + e) for s in one.sets if s.role == "far" and (e := s.relative_error)) / 3,
        "beyond": None,  # nobody measured it
        "id_error": one.id_error,
        "max_growth": max(g for g in one.growth if g is not None),
        "growth_10": one.growth_at(10),
        "growth_100": one.growth_at(100),
        "exponent": one.exponent,
        "local_exponent": one.local_exponent,
        "axis_exponent": one.axis_exponent,
        **{name: g for name, (_, g) in zip(AXIS_NAMES, one.axis_growth, strict=True)},
        "worst_growth_10": 12.0,
        "worst_growth_100": None,  # this record was not searched there
        "worst_growth_10000": None,
        "certificate": 3.0,
        "nonfinite": 0,
        "parameters": 17_000,
        "step_operations": 10**9,
        "learning_rate": 1e-3,
        "best_step": 900,
        "edge_of_grid": False,
        "edge_of_steps": True,
        "seconds": 1.25,
    }
    searched = dataclasses.replace(one, worst_growth=((10.0, None), (100.0, 5.0)))
    assert [q.read(searched) for q in OF_RECORDS if q.read and q.name.startswith("worst")] == [math.inf, 5.0, None]


def test_what_is_not_finite_is_told_from_what_is_not_measured(record: Any) -> None:
    lost = record(exponent=None, axis_exponent=None, axis_growth=((1e2, 1.0), (1e8, None)), probe_nonfinite=3)
    before = record(local_exponent=None, axis_exponent=None, axis_growth=(), probe_nonfinite=None)
    names = ("exponent", "axis_exponent", "axis_growth_1e8", "axis_growth_1e6")
    read = [[quantities.quantity(name).read(one) for name in names] for one in (lost, before)]  # type: ignore[misc]
    assert read == [[math.inf, math.inf, math.inf, None], [before.exponent, None, None, None]]
    assert Summaries.of([lost]).number("nonfinite").tolist() == [3.0]


def test_far_errors_are_stored_raw_and_clipped_in_aggregation(record: Any) -> None:
    one: Record = record()
    test, *far = one.sets
    errors = (1e-6, 0.5, 1e6)
    sets = tuple(dataclasses.replace(s, relative_error=e) for s, e in zip(far, errors, strict=True))
    changed = dataclasses.replace(one, sets=(test, *sets), far_error=metrics.far_error(errors))
    assert changed.far_error == pytest.approx(0.5 ** (1 / 3))
    assert quantities.FAR_ERROR.read is not None
    assert quantities.FAR_SATURATED.read is not None
    assert quantities.FAR_ERROR.read(changed) == pytest.approx((1e-2 * 0.5 * 1e3) ** (1 / 3))
    assert quantities.FAR_SATURATED.read(changed) == pytest.approx((1e-6 + 1 / 3 + 1) / 3, abs=1e-5)
    lost = dataclasses.replace(sets[2], relative_error=None, rmse=None, mae=None, r2=None, nonfinite=2)
    broken = dataclasses.replace(one, sets=(test, *sets[:2], lost), far_error=None)
    assert quantities.FAR_ERROR.read(broken) == math.inf
    assert quantities.FAR_SATURATED.read(broken) == pytest.approx((1e-6 + 1 / 3 + 1) / 3, abs=1e-5)


def test_clipping_and_scales() -> None:
    values = np.array([1e-9, 0.5, 1e9, math.inf])
    assert quantities.FAR_ERROR.clipped(values).tolist() == [1e-2, 0.5, 1e3, math.inf]
    assert quantities.MAX_GROWTH.clipped(values).tolist() == [1e-6, 0.5, 1e9, math.inf]
    assert quantities.EXPONENT.scaled(values).tolist() == values.tolist()
    assert (quantities.MAX_GROWTH.scale, quantities.EXPONENT.scale) == ("log", "linear")


def test_every_list_has_a_column_for_every_quantity(records: Any) -> None:
    mine = records(seeds=range(3), certificate=2.0)
    (board,) = standings(mine)
    (grid,) = standing_grids(board, "tasks")
    assert {q.name for q in QUANTITIES if q.total} <= {column.name for column in grid.columns}
    assert set(NUMBERS) <= set(render_runs(mine, "csv").splitlines()[0].split(","))
    rows = list(frame_rows(mine))
    assert len(rows) == len(mine)
    assert set(NUMBERS) < set(rows[0])
    assert {"verdict", "grade", "program", "reason_code", "far-10.relative_error", "test.rmse"} <= set(rows[0])
    assert {row["verdict"] for row in rows if row["norm"] == "none"} == {"linear"}, "growth above a bound refutes it"
    row = board.per_task[0]
    assert all(row.mean(q) == getattr(row, q.name) for q in MEANS)
    assert Summaries.of(mine).number("certificate").tolist() == [2.0] * len(mine)
    with pytest.raises(AttributeError, match="far_eror"):
        row.far_eror  # noqa: B018


def test_the_table_in_the_docs_is_this_one() -> None:
    text = (ROOT / "docs" / "method.md").read_text(encoding="utf-8")
    assert text.partition(BEGIN)[2].partition(END)[0].strip() == quantity_table().strip()
