"""The end of a comparison: judgements, what seeds could show, advice; and the one table where there is one task."""

from __future__ import annotations

import dataclasses
import json
import math
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import pytest
from scipy import stats
from statsmodels.stats.power import TTestPower

from leaderboard.ranking.comparison import compare
from leaderboard.ranking.conclusion import Conclusion, ConclusionRow, conclude
from leaderboard.ranking.statements.power import MOST_SEEDS, detectable, seeds_needed
from leaderboard.records import metrics
from leaderboard.records.record import Record
from leaderboard.tables.rendering import comparison_report, render_comparison

Make = Callable[..., Any]
NOISE = (-0.02, -0.01, 0.0, 0.012, 0.018)


@pytest.fixture
def made(record: Make, key: Make) -> Callable[..., list[Record]]:
    """Records of a norm on a task: far errors of ``error`` times e to the noise, whose scale is ``spread``."""

    def of(norm: str, error: float, spread: float = 1.0, *, shift: int = 0, **names: str) -> list[Record]:
        noise = np.roll(np.array(NOISE) * spread, shift)
        found = []
        for seed, value in enumerate((error * np.exp(noise)).tolist()):
            one: Record = record(key(norm=norm, seed=seed, **names))
            sets = tuple(dataclasses.replace(s, relative_error=value) if s.role == "far" else s for s in one.sets)
            found.append(dataclasses.replace(one, sets=sets, far_error=metrics.far_error([value])))
        return found

    return of


def concluded(records: Sequence[Record]) -> Conclusion:
    (comparison,) = compare(list(records))
    return conclude(comparison)


def rows_of(conclusion: Conclusion) -> dict[str, ConclusionRow]:
    return {row.name: row for row in conclusion.rows}


def test_rows_are_judged_and_sorted(made: Make) -> None:
    records = [
        *made("none", 1.0),
        *made("better", 0.5, shift=1),
        *made("worse", 2.0, shift=2),
        *made("same", 1.001, shift=1),
        *made("open", 1.2, 40.0, shift=2),
    ]
    conclusion = concluded(records)
    assert [row.name for row in conclusion.rows] == ["better", "none", "same", "open", "worse"]
    rows = rows_of(conclusion)
    assert {name: row.judgement for name, row in rows.items()} == {
        "none": "reference", "better": "better", "worse": "worse", "same": "equivalent", "open": "undecided",
    }  # fmt: skip
    assert rows["none"].ratio is None
    assert rows["better"].ratio is not None
    assert rows["better"].ratio.mean == pytest.approx(0.5)
    assert rows["better"].far_error is not None
    assert rows["better"].far_error.mean == pytest.approx(0.5)
    assert rows["better"].verdict.startswith("bounded")
    assert rows["none"].verdict == "linear"
    assert [name for name, row in rows.items() if row.seeds_needed] == ["open"]
    (advice,) = conclusion.advice
    assert advice.sentence.startswith("Where the truth stays bounded (sine-1d): take better")
    assert "same does as well as none" in advice.sentence
    assert "open is not yet told from none" in advice.sentence
    assert "worse is worse" in advice.sentence


def test_kinds_of_truth_are_judged_apart(made: Make) -> None:
    """What helps where the truth is bounded harms where it grows: one number would hide both."""
    tasks = ("sine-1d", "linear-1d", "protein")
    records = [one for task in tasks for one in made("none", 1.0, task=task)]
    for task, error in zip(tasks, (0.5, 2.0, 1.0), strict=True):
        records += made("layer@first", error, shift=1, task=task)
    conclusion = concluded(records)
    assert [(row.truth, row.judgement) for row in conclusion.rows if row.name != "none"] == [
        ("bounded", "better"), ("growing", "worse"), ("unknown", "equivalent"),
    ]  # fmt: skip
    assert [one.truth for one in conclusion.advice] == ["bounded", "growing", "unknown"]
    assert "take none" in conclusion.advice[1].sentence


def test_holm_goes_over_what_is_asked_together(made: Make) -> None:
    """Another architecture's comparisons do not weaken a judgement."""
    mine = [*made("none", 1.0), *made("a", 1.1, 3.0, shift=2), *made("b", 1.2, 3.0, shift=1)]
    alone = rows_of(concluded(mine))
    cnn = [one for norm in "cdefghi" for one in made(norm, 1.0, 9.0, shift=1, architecture="cnn")]
    beside = concluded([*mine, *cnn, *made("none", 1.0, architecture="cnn")])
    found = {row.name: row.p_holm for row in beside.rows if row.fixed == "mlp"}
    assert found == {name: pytest.approx(row.p_holm) if row.p_holm else None for name, row in alone.items()}


def test_an_infinite_error_decides_nothing(made: Make) -> None:
    records = [*made("none", 1.0), *made("a", 0.5)]
    one = records[-1]
    lost = dataclasses.replace(one.sets[-1], relative_error=None, rmse=None, mae=None, r2=None, nonfinite=1)
    records[-1] = dataclasses.replace(one, sets=(*one.sets[:-1], lost), far_error=None)
    assert rows_of(concluded(records))["a"].judgement == "undecided"


def test_on_one_task_there_is_one_table(made: Make) -> None:
    records = [*made("none", 1.0), *made("a", 0.5, shift=1)]
    (comparison,) = compare(records)
    assert len(comparison_report(comparison)) == 1
    text = render_comparison([comparison], width=120)
    assert text.count("─\n") == 1
    assert "take a, whose far error is 0.5 times as large" in " ".join(text.split())
    (table,) = json.loads(render_comparison([comparison], "json"))["tables"]
    assert table["advice"][0]["truth"] == "bounded"
    assert table["rows"][0]["judgement"] == "better"
    (comparison,) = compare([*records, *made("none", 1.0, task="linear-1d"), *made("a", 2.0, task="linear-1d")])
    assert len(comparison_report(comparison)) == 3


def test_what_could_be_shown_is_shown_four_times_in_five() -> None:
    """Against statsmodels' power of the one-sample t-test, and by simulation."""
    deviation, n = 0.3, 5
    ratio = float(detectable([deviation / math.sqrt(n)], [n - 1.0], [0.05])[0])
    power = TTestPower().power(math.log(ratio) / deviation, n, 0.05)
    assert power == pytest.approx(0.8, abs=0.05)
    draws = np.random.default_rng(0).normal(math.log(ratio), deviation, size=(20_000, n))
    assert np.mean(stats.ttest_1samp(draws, 0, axis=1).pvalue < 0.05) == pytest.approx(power, abs=0.02)
    assert detectable([0.1], [4.0], [0.01])[0] > detectable([0.1], [4.0], [0.05])[0]


@pytest.mark.parametrize("ratio", [1.1, 1.3, 2.0, 0.5])
def test_seeds_to_decide_are_those_of_the_power(ratio: float) -> None:
    difference, n, deviation = math.log(ratio), 5, 0.3
    few, many = seeds_needed([difference], [deviation / math.sqrt(n)], [n - 1.0], [n], [0.05])[0].tolist()
    for seeds, quantile in ((few, 0.9), (many, 0.1)):
        spread = deviation * math.sqrt((n - 1) / stats.chi2.ppf(quantile, n - 1))
        wanted = TTestPower().solve_power(abs(difference) / spread, alpha=0.05, power=0.8)
        assert seeds == pytest.approx(max(2, float(np.max(wanted))), abs=2.5, rel=0.05)
    assert few <= many


def test_no_difference_takes_seeds_to_show_too_and_some_take_too_many() -> None:
    equal, at_the_edge = seeds_needed([0.0, math.log(1.05)], [0.1, 3.0], [4.0, 4.0], [5, 5], [0.05, 0.05]).tolist()
    assert 2 < equal[0] < equal[1] <= MOST_SEEDS
    assert at_the_edge == [MOST_SEEDS + 1] * 2
