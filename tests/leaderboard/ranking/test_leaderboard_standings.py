import dataclasses
import math
import random

import numpy as np
import pytest
from scipy import stats

from bench.core.errors import InputError
from leaderboard.ranking.comparison import compare
from leaderboard.ranking.standings import standings
from leaderboard.records import metrics
from leaderboard.tables.rendering import render_standings


def board_of(records):
    boards = standings(records)
    assert len(boards) == 1
    return boards[0]


def row_of(rows, **names):
    found = [
        row
        for row in rows
        if all(getattr(row.method, n, None) == v or (n == "task" and row.task == v) for n, v in names.items())
    ]
    assert len(found) == 1
    return found[0]


def with_far_error(record, error):
    """The record with every far set's relative error, and so far_error, set to ``error``."""
    sets = tuple(dataclasses.replace(s, relative_error=error) if s.role == "far" else s for s in record.sets)
    return dataclasses.replace(record, sets=sets, far_error=metrics.clip_error(error))


def not_finite(record, rung=12):
    """The record with two infinite outputs from ``rung`` on, and one in the last far set."""
    cut = [(*values[:rung], *[None] * (13 - rung)) for values in (record.growth, record.departure)]
    last = dataclasses.replace(record.sets[-1], relative_error=None, rmse=None, mae=None, r2=None, nonfinite=1)
    return dataclasses.replace(
        record,
        growth=cut[0],
        departure=cut[1],
        nonfinite=(*record.nonfinite[:rung], *[2] * (13 - rung)),
        exponent=None,
        far_error=None,
        sets=(*record.sets[:-1], last),
    )


def test_a_cells_numbers_are_means_and_intervals_over_seeds(records):
    mine = records(tasks=("sine-1d",), norms=("none",))
    row = board_of(mine).per_task[0]
    for attribute, values in {
        "far_error": [r.far_error for r in mine],
        "id_error": [r.id_error for r in mine],
        "growth_10": [r.growth_at(10) for r in mine],
        "growth_100": [r.growth_at(100) for r in mine],
        "max_growth": [r.max_growth for r in mine],
    }.items():
        logs = np.log(values)
        low, high = stats.t.interval(0.95, 4, loc=logs.mean(), scale=stats.sem(logs))
        interval = getattr(row, attribute)
        assert (interval.mean, interval.low, interval.high) == pytest.approx(
            (stats.gmean(values), math.exp(low), math.exp(high))
        )
    assert row.exponent.mean == pytest.approx(np.mean([r.exponent for r in mine]))
    assert row.verdict == "linear"
    assert row.unbounded
    assert row.seeds == (5, 5)


def test_totals_are_geometric_means_that_weigh_tasks_the_same(records):
    mine = records(norms=("none",), seeds=range(2)) + records(tasks=("protein",), norms=("none",), seeds=range(7))
    board = board_of(mine)
    per_task = {row.task: row for row in board.per_task}
    total = board.overall[0]
    for name in ("far_error", "id_error", "max_growth"):
        parts = [getattr(row, name).mean for row in per_task.values()]
        assert getattr(total, name).mean == pytest.approx(stats.gmean(parts))
    assert total.far_error_bounded.mean == pytest.approx(per_task["sine-1d"].far_error.mean)
    assert total.far_error_growing.mean == pytest.approx(per_task["linear-1d"].far_error.mean)
    assert total.seeds == (2, 7)


def test_bounded_networks_lose_where_the_truth_grows_and_win_where_it_does_not(records):
    board = board_of(records())
    first = {task: next(r for r in board.per_task if r.task == task).method.norm for task in ("sine-1d", "linear-1d")}
    assert first == {"sine-1d": "layer@first", "linear-1d": "none"}


def test_the_order_is_far_error_then_completeness_then_soundness_and_nobody_is_dropped(
    key, record, records, unfinished
):
    seeds = range(3)
    good = [with_far_error(r, 5.0) for r in records(norms=("good",), seeds=seeds)]
    better = [with_far_error(r, 4.0) for r in records(norms=("better",), seeds=seeds)]
    partial = [with_far_error(r, 0.1) for r in records(tasks=("sine-1d",), norms=("partial",), seeds=seeds)]
    impossible = partial and [with_far_error(record(key(norm="impossible", seed=s)), 0.2) for s in seeds] + [
        unfinished("unsupported", key(norm="impossible", task="linear-1d", seed=s)) for s in seeds
    ]
    shaky = [with_far_error(r, 0.01) for r in records(norms=("shaky",), seeds=seeds)]
    shaky[0] = unfinished("diverged", shaky[0].key)
    overflow = [with_far_error(r, 0.01) for r in records(norms=("overflow",), seeds=seeds)]
    overflow[0] = not_finite(overflow[0])
    dead = [unfinished("failed", key(norm="dead", task=t, seed=s)) for t in ("sine-1d", "linear-1d") for s in seeds]
    every = good + better + partial + impossible + shaky + overflow + dead
    random.Random(0).shuffle(every)
    board = board_of(every)
    assert [row.method.norm for row in board.overall] == [
        "better", "good", "partial", "impossible", "shaky", "overflow", "dead",
    ]  # fmt: skip
    assert [row.rank for row in board.overall] == [1, 2, 3, 4, 5, 6, 7]
    assert row_of(board.overall, norm="partial").missing == ("linear-1d",)
    assert row_of(board.overall, norm="impossible").missing == ("linear-1d",)
    assert dict(row_of(board.overall, norm="impossible").counts)["unsupported"] == 3
    assert dict(row_of(board.overall, norm="shaky").counts) == {
        "ok": 5, "diverged": 1, "unsupported": 0, "failed": 0, "timeout": 0,
    }  # fmt: skip
    lost = row_of(board.overall, norm="overflow")
    assert lost.nonfinite == 1
    assert lost.max_growth.mean == math.inf
    assert lost.far_error.mean == math.inf
    assert row_of(board.overall, norm="dead").far_error is None
    assert row_of(board.overall, norm="dead").reasons == ("it failed",)
    counted = sum(n for row in board.per_task for _, n in row.counts)
    assert counted == len(every)


def test_reasons_are_told_with_the_most_frequent_first(record, key, unfinished):
    lost = [unfinished("failed", key(norm="x", seed=s), reason="out of memory") for s in range(3)]
    others = [unfinished("diverged", key(norm="y", seed=s), reason=f"at step {s}") for s in range(5)]
    board = board_of([record(), *lost, *others])
    assert "3 failed: out of memory" in board.notes
    assert board.notes[-1] == "and 2 other reasons"


def test_ties_share_a_rank(records):
    mine = [dataclasses.replace(r, sets=r.sets) for r in records(tasks=("sine-1d",), norms=("none",))]
    twins = [dataclasses.replace(r, key=dataclasses.replace(r.key, norm="twin")) for r in mine]
    last = [with_far_error(r, 900.0) for r in records(tasks=("sine-1d",), norms=("worse",))]
    board = board_of(mine + twins + last)
    assert [(row.rank, row.method.norm) for row in board.overall] == [(1, "none"), (1, "twin"), (3, "worse")]


def test_protocols_are_ranked_apart(records):
    first = records()
    second = [dataclasses.replace(r, key=dataclasses.replace(r.key, protocol="paper")) for r in first]
    boards = standings(first + second)
    assert [b.protocol for b in boards] == ["1", "paper"]
    assert boards[0].overall[0].far_error == boards[1].overall[0].far_error
    assert all(sum(n for _, n in row.counts) == 10 for b in boards for row in b.overall)


def test_variants_for_sensitivity_have_boards_of_their_own_that_say_so(records):
    first = [dataclasses.replace(r, key=dataclasses.replace(r.key, protocol="2")) for r in records()]
    variant = [dataclasses.replace(r, key=dataclasses.replace(r.key, protocol="2-sgd")) for r in first]
    text = render_standings(standings(first + variant), "table")
    titles = [line for line in text.splitlines() if line.startswith("Standings over")]
    assert len(titles) == 2
    assert titles[0].endswith("protocol 2")
    assert titles[1].endswith("protocol 2-sgd (for sensitivity)")


@pytest.mark.parametrize("part", ["task_version", "data_hash"])
def test_other_data_is_another_row_and_totals_use_the_newest(records, part):
    new = records(tasks=("sine-1d",), norms=("none",), created="2026-06-01T00:00:00+00:00")
    old = [
        with_far_error(dataclasses.replace(r, key=dataclasses.replace(r.key, **{part: "0"})), 700.0)
        for r in records(tasks=("sine-1d",), norms=("none", "rms@all"))
    ]
    board = board_of(old + new)
    assert len(board.per_task) == 3
    assert row_of(board.overall, norm="none").far_error.mean < 100
    assert row_of(board.overall, norm="rms@all").missing == ("sine-1d",)
    assert "sine-1d" in board.notes[0]
    assert [row.rank for row in board.per_task] == [1, 1, 2] or [row.rank for row in board.per_task] == [1, 2, 1]


def test_changed_source_code_is_another_row(records):
    mine = records(tasks=("sine-1d",), norms=("none",))
    changed = [dataclasses.replace(r, key=dataclasses.replace(r.key, source_hash="b" * 64)) for r in mine]
    assert len(board_of(mine + changed).overall) == 2


def test_one_seed_has_a_verdict_on_itself_and_no_interval_unless_nothing_is_random(key, record):
    board = board_of([record(key(norm="a")), record(key(norm="b"), deterministic=True)])
    random_row, exact_row = (row_of(board.overall, norm=n) for n in "ab")
    assert (random_row.verdict, random_row.far_error.low) == ("bounded", None)
    assert exact_row.verdict == "bounded"
    assert exact_row.far_error.low == exact_row.far_error.high == exact_row.far_error.mean


def test_verdicts_that_differ_between_tasks_are_counted(key, record):
    still = {"exponent": 0.0, "axis_exponent": 0.0}
    flat = [record(key(task="sine-1d", seed=s), **still) for s in range(3)] + [
        record(key(task="linear-1d", seed=s)) for s in range(3)
    ]
    row = board_of(flat).overall[0]
    assert row.verdict == "mixed"
    assert row.said.words == (("bounded", 1), ("linear", 1))
    assert row.said.text == "1 bounded (along rays), 1 linear"
    assert row.unbounded


def test_records_that_contradict_each_other_are_an_error(record):
    with pytest.raises(ValueError, match="twice"):
        standings([record(), record()])
    with pytest.raises(ValueError, match="truth"):
        standings([record(), record(dataclasses.replace(record().key, seed=1), truth="growing")])
    assert standings([]) == []


def difference_of(comparison, **names):
    rows = [d for d in comparison.per_task + comparison.overall if all(getattr(d, n) == v for n, v in names.items())]
    assert len(rows) == 1
    return rows[0]


def test_paired_differences_are_scipys(records):
    mine = records(norms=("none", "layer@first"))
    (comparison,) = compare(mine)
    assert comparison.reference == "none"
    by_key = {(r.key.task, r.key.norm, r.key.seed): r for r in mine}
    for task in ("sine-1d", "linear-1d"):
        effect = difference_of(comparison, task=task).effect("far_error")
        logs = [[math.log(by_key[task, n, s].far_error) for s in range(5)] for n in ("layer@first", "none")]
        reference = stats.ttest_rel(*logs)
        ends = reference.confidence_interval(0.95)
        assert effect.p_value == pytest.approx(reference.pvalue)
        assert (effect.log_difference.low, effect.log_difference.high) == pytest.approx((ends.low, ends.high))
        assert effect.pairs == 5
        assert effect.ratio.mean == pytest.approx(math.exp(np.mean(logs[0]) - np.mean(logs[1])))
    total = difference_of(comparison, task="all tasks").effect("far_error")
    parts = [
        difference_of(comparison, task=t).effect("far_error").log_difference.mean for t in ("sine-1d", "linear-1d")
    ]
    assert total.log_difference.mean == pytest.approx(np.mean(parts))
    assert total.pairs == 10


def test_pairing_takes_out_what_schemes_share(records, key, record):
    """Seeds that differ a hundredfold, a scheme that halves the error each time: the interval is tight."""
    sizes = [0.03, 0.3, 3.0, 30.0]
    mine = [with_far_error(record(key(norm="none", seed=s)), e) for s, e in enumerate(sizes)]
    mine += [with_far_error(record(key(norm="rms@all", seed=s)), e / 2) for s, e in enumerate(sizes)]
    ratio = compare(mine)[0].per_task[0].effect("far_error").ratio
    assert (ratio.low, ratio.high) == pytest.approx((0.5, 0.5))


def test_holms_correction_goes_over_the_table(records):
    from statsmodels.stats.multitest import multipletests

    (comparison,) = compare(records(norms=("none", "a", "b", "c"), seeds=range(3)))
    for metric in ("far_error", "id_error", "max_growth"):
        effects = [row.effect(metric) for row in comparison.per_task]
        assert len(effects) == 6
        expected = multipletests([e.p_value for e in effects], method="holm")[1]
        assert [e.p_holm for e in effects] == pytest.approx(expected)


def test_only_the_same_seed_task_and_architecture_are_paired(records, key, record):
    mine = records(tasks=("sine-1d",), norms=("none",), seeds=(0, 1, 2))
    mine += records(tasks=("sine-1d",), norms=("rms@all",), seeds=(1, 2, 3))
    mine += records(tasks=("protein",), norms=("rms@all",), seeds=range(3))
    mine += records(tasks=("sine-1d",), architectures=("cnn",), norms=("rms@all",), seeds=range(3))
    (comparison,) = compare(mine)
    assert len(comparison.per_task) == 1
    assert comparison.per_task[0].effect("far_error").pairs == 2
    assert comparison.overall[0].tasks == 1


def test_failures_are_counted_not_averaged(key, record, unfinished):
    mine = [record(key(norm="none", seed=s)) for s in range(4)]
    mine += [record(key(norm="x", seed=0)), unfinished("diverged", key(norm="x", seed=1))]
    mine += [not_finite(record(key(norm="x", seed=2))), record(key(norm="x", seed=3))]
    row = compare(mine)[0].per_task[0]
    assert dict(row.outcomes) == {("ok", "ok"): 3, ("ok", "diverged"): 1}
    growth = row.effect("max_growth")
    assert (growth.pairs, growth.lost, growth.won) == (2, 1, 0)
    backwards = compare(mine, reference="x")[0].per_task[0].effect("max_growth")
    assert (backwards.pairs, backwards.lost, backwards.won) == (2, 0, 1)


def test_a_deterministic_record_stands_for_every_seed(key, record):
    mine = [record(key(seed=s)) for s in range(3)] + [record(key(architecture="ridge"), deterministic=True)]
    (comparison,) = compare(mine, by="architecture")
    assert comparison.reference == "mlp"
    effect = comparison.per_task[0].effect("far_error")
    assert effect.pairs == 3
    assert effect.log_difference.low is not None


def test_architectures_are_compared_under_the_same_norm(records):
    (comparison,) = compare(records(architectures=("mlp", "cnn")), by="architecture", reference="cnn")
    assert {(d.fixed, d.candidate) for d in comparison.per_task} == {("none", "mlp"), ("layer@first", "mlp")}


def test_nothing_to_compare_is_one_clear_line(records):
    with pytest.raises(InputError, match="only one norm"):
        compare(records(norms=("none",)))
    with pytest.raises(InputError, match="no record"):
        compare([])
    with pytest.raises(InputError, match="did you mean 'layer@first'"):
        compare(records(), reference="layer@frist")
    with pytest.raises(InputError, match="comparison"):
        compare(records(), by="colour")
