"""What a run says about a cell, before W&B hears of it."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from bench.tracking.content.description import RunDescription, describe_cell, describe_sweep
from bench.tracking.content.history import holds_means, still_to_send
from leaderboard.charts.drawing.schemes import look_of
from leaderboard.ranking.standings import standings
from leaderboard.records.record import Record

Make = Callable[..., Any]


def describe(
    records: list[Record], details: list[Any] | None = None, suite: str = "s", sweep: str = "1"
) -> RunDescription:
    return describe_cell(records, details or [{}] * len(records), suite=suite, sweep_id=sweep)


def test_the_id_depends_on_suite_and_cell_and_on_nothing_else(make_record: Make, make_details: Make) -> None:
    first = describe([make_record(0)])
    again = describe([make_record(1, id_error=0.5), make_record(3)], [make_details(), {}], sweep="2")
    assert first.id == again.id
    others = [
        describe([make_record(0)], suite="t"),
        describe([make_record(0, task="other")]),
        describe([make_record(0, norm="none")]),
        *(
            describe([make_record(0, key=replace(make_record(0).key, **{part: "changed"}))])
            for part in ("protocol", "task_version", "data_hash", "architecture", "source_hash")
        ),
    ]
    assert len({first.id, *(o.id for o in others)}) == 1 + len(others)


@pytest.mark.parametrize(
    ("norm", "tags"),
    [
        ("none", {"norm:none"}),
        ("layer@first+last", {"norm:layer", "placement:first", "placement:last"}),
        ("layer(affine=false)@first+rms@last", {"norm:layer", "norm:rms", "placement:first", "placement:last"}),
    ],
)
def test_tags_name_family_kind_and_placement(make_record: Make, norm: str, tags: set[str]) -> None:
    assert set(describe([make_record(norm=norm)]).tags) == tags | {"family:mlp"}


def test_an_architecture_that_is_not_known_here_is_tagged_by_its_name(make_record: Make) -> None:
    record = make_record(key=replace(make_record().key, architecture="their-net(depth=3)", norm="kernels@theirs"))
    assert describe([record]).tags == ("family:their-net", "norm:kernels@theirs")


def test_names_longer_than_wandb_takes_stay_apart(make_record: Make) -> None:
    runs = [describe([make_record(task=f"{'x' * 300}-{i}", norm=f"{'n' * 300}{i}")], suite="s" * 300) for i in range(2)]
    for read in ("job_type", "name", "tags"):
        assert getattr(runs[0], read) != getattr(runs[1], read)
    assert all(len(tag) <= 64 for run in runs for tag in run.tags)
    assert all(len(text) <= 128 for run in runs for text in (run.group, run.job_type, run.name))


def test_the_summary_says_what_the_standings_say(make_record: Make) -> None:
    records = [make_record(seed) for seed in range(5)]
    row = standings(records)[0].per_task[0]
    summary = describe(records[::-1]).summary
    for name in ("max_growth", "growth_10", "growth_100", "exponent", "id_error", "far_error"):
        assert summary[name] == getattr(row, name).mean
    assert summary["verdict"] == row.verdict == "sublinear"
    assert summary["grade"] is None
    still = [make_record(seed, exponent=0.0, axis_exponent=0.0) for seed in range(2)]
    assert (describe(still).summary["verdict"], describe(still).summary["grade"]) == ("bounded", "along rays")
    for record in records:
        seed = record.key.seed
        assert summary[f"max_growth/seed{seed}"] == record.max_growth
        assert summary[f"growth_10/seed{seed}"] == record.growth_at(10)
        assert summary[f"growth_100/seed{seed}"] == record.growth_at(100)
        for name in ("exponent", "id_error", "far_error", "status"):
            assert summary[f"{name}/seed{seed}"] == getattr(record, name)
    assert summary["certificate"] is None


def test_a_certificate_is_in_the_summary_when_there_is_one(make_record: Make) -> None:
    summary = describe([make_record(0, certificate=2.0), make_record(1, certificate=8.0)]).summary
    assert summary["certificate"] == pytest.approx(4.0)  # geometric, like growth
    assert summary["certificate/seed1"] == 8.0


def test_infinite_growth_is_infinite_and_a_null_in_the_table(make_record: Make) -> None:
    fine = make_record(0)
    broken = make_record(
        1,
        growth=(*fine.growth[:-1], None),
        departure=(*fine.departure[:-1], None),
        nonfinite=(*fine.nonfinite[:-1], 7),
        exponent=None,
    )
    run = describe([fine, broken])
    assert run.summary["max_growth"] == run.summary["max_growth/seed1"] == math.inf
    assert run.summary["exponent/seed1"] == math.inf
    table = run.tables["tables/growth"]
    assert table.rows[-1] == (1, 10_000.0, None, None, 7)
    assert len(table.rows) == 2 * len(fine.ladder)
    rungs = [row["distance"] for _, row in run.history if "growth" in row]
    assert rungs == list(fine.ladder[:-1])  # the line ends where an output is not finite


def test_seeds_that_did_not_finish_are_told_and_enter_no_mean(make_record: Make) -> None:
    nothing = {"sets": (), "id_error": None, "far_error": None, "ladder": (), "growth": (), "departure": ()}
    nothing |= {
        "nonfinite": (),
        "exponent": None,
        "local_exponent": None,
        "axis_exponent": None,
        "axis_growth": (),
        "probe_nonfinite": None,
        "learning_rate": None,
        "reason": "it broke",
        "reason_code": "error",
    }
    fine, diverged = make_record(0), make_record(1, status="diverged", **nothing)
    run = describe([fine, diverged])
    assert run.summary["id_error"] == pytest.approx(fine.id_error)
    assert (run.summary["status/seed1"], run.summary["reason/seed1"]) == ("diverged", "it broke")
    assert (run.summary["records/ok"], run.summary["records/diverged"], run.summary["seeds"]) == (1, 1, 2)
    assert not run.failed  # diverging is an answer
    failed = describe([make_record(1, status="failed", **nothing)])
    assert failed.failed
    assert failed.summary["id_error"] is None
    assert failed.summary["verdict"] == "none"


def test_curves_have_steps_that_a_resumed_run_cannot_repeat(make_record: Make, make_details: Make) -> None:
    records, details = [make_record(s) for s in range(5)], [make_details(s) for s in range(5)]
    three, five = describe(records[:3], details[:3]), describe(records, details)
    assert [step for step, _ in five.history] == sorted({step for step, _ in five.history})
    seeds = [row for row in three.history if any("/seed" in name for name in row[1])]
    assert five.history[: len(seeds)] == tuple(seeds)
    assert five.history[len(seeds)][0] > three.history[-1][0]  # seeds added later come after, and so do their means
    row = five.history[50 * 3 + 7][1]
    assert row == {"step": 80.0, "train/loss/seed3": 4 / 80, "validation/loss/seed3": 5 / 80}
    mean = next(row for _, row in five.history if "train/loss" in row and row["step"] == 80.0)
    assert mean["train/loss"] == pytest.approx(math.prod(range(1, 6)) ** 0.2 / 80)
    assert mean["validation/loss"] == pytest.approx(math.prod(range(2, 7)) ** 0.2 / 80)


def test_curves_against_distance_are_means_over_seeds(make_record: Make) -> None:
    """A line a run in one panel: growth and departure at each rung, far error at the median distance of each set."""
    records = [make_record(seed) for seed in range(3)]
    rows = [row for _, row in describe(records).history if "distance" in row]
    growth = {row["distance"]: row["growth"] for row in rows if "growth" in row}
    assert list(growth) == list(records[0].ladder)
    assert growth[10.0] == pytest.approx((1.0 * 1.1 * 1.2) ** (1 / 3) * 10**0.9)
    departure = {row["distance"]: row["departure"] for row in rows if "departure" in row}
    assert departure[10.0] == pytest.approx(0.5 * growth[10.0])
    assert [row for row in rows if "far_error" in row] == [
        {"distance": pytest.approx(1.5), "far_error": pytest.approx((2.0 * 3.0 * 4.0) ** (1 / 3))}
    ]


def test_the_summary_has_errors_of_each_set_and_parameters(make_record: Make) -> None:
    summary = describe([make_record(seed) for seed in range(3)]).summary
    assert summary["error/far-2"] == pytest.approx((2.0 * 3.0 * 4.0) ** (1 / 3))
    assert summary["error/test"] == pytest.approx(0.1)
    assert summary["parameters"] == 100


def test_the_config_says_how_the_scheme_is_drawn(make_record: Make) -> None:
    config = describe([make_record()]).config
    assert config["scheme"] == {"group": "layer", "color": "#5BA6EA", "marker": "triangle-up", "dash": "6 3"}
    assert config["scheme"]["color"] == look_of("layer@first").color


def test_gaps_in_a_curve_stay_gaps(make_record: Make) -> None:
    details = {"curve.step": (1.0, 2.0, 3.0), "curve.train": (1.0, None), "curve.validation": (None, 2.0, 3.0)}
    rows = [row for _, row in describe([make_record()], [details]).history if "step" in row]
    assert rows == [
        {"step": 1.0, "train/loss/seed0": 1.0},
        {"step": 2.0, "validation/loss/seed0": 2.0},
        {"step": 3.0, "validation/loss/seed0": 3.0},
        {"step": 1.0, "train/loss": 1.0},
        {"step": 2.0, "validation/loss": pytest.approx(2.0)},
        {"step": 3.0, "validation/loss": pytest.approx(3.0)},
    ]


def test_only_seeds_of_one_cell_make_a_run(make_record: Make) -> None:
    for records in ([], [make_record(0), make_record(0)], [make_record(0), make_record(1, norm="none")]):
        with pytest.raises(ValueError, match="records"):
            describe(records)


def test_an_environment_that_differs_between_seeds_is_told_for_each(make_record: Make) -> None:
    records = [make_record(0), make_record(1, environment={"torch": "2.x", "device": "cuda"})]
    assert describe(records).config["environment"] == {"torch": "2.x", "device": ["cpu", "cuda"]}


def test_the_digest_is_of_the_content(make_record: Make) -> None:
    first = describe([make_record()])
    assert describe([make_record()], sweep="another").digest() == first.digest()
    assert describe([make_record(id_error=0.2)]).digest() != first.digest()


def test_a_description_travels_unchanged(make_record: Make, make_details: Make) -> None:
    table = [{"method": "a", "far_error": math.inf, "note": None}, {"method": "b", "rank": 2, "odd": (1, 2)}]
    sweep = describe_sweep(table, {"ok": 2}, suite="s", sweep_id="1", suite_text="name: s\n")
    table = sweep.tables["tables/standings"]
    assert table.columns == ("method", "far_error", "note", "rank", "odd")
    assert table.rows == (("a", None, None, None, None), ("b", None, None, 2, "(1, 2)"))
    mixed = describe_sweep([{"n": 1.5}, {"n": "≤ 2"}], {}, suite="s", sweep_id="1").tables["tables/standings"]
    assert mixed.rows == (("1.5",), ("≤ 2",))  # a column has one type
    for run in (sweep, describe([make_record(seed) for seed in range(2)], [make_details(0), make_details(1)])):
        assert "\n" not in run.to_json()
        back = RunDescription.from_json(run.to_json())
        assert back.to_json() == run.to_json()
        assert back.tables == run.tables
        assert back.digest() == run.digest()


def test_a_run_that_has_means_gets_other_seeds_but_no_other_means(make_record: Make, make_details: Make) -> None:
    def history(seeds: int) -> tuple[Any, ...]:
        return describe([make_record(s) for s in range(seeds)], [make_details(s) for s in range(seeds)]).history

    two, three = history(2), history(3)
    assert still_to_send(two, 0) == two
    added = still_to_send(three, two[-1][0] + 2)  # W&B has the tables of two seeds as well
    assert len(added) == 50
    assert all("train/loss/seed2" in row for _, row in added)
    assert not holds_means(added)
    interrupted = still_to_send(three, three[60][0])  # in the second seed, before any mean
    assert interrupted == three[60:]
    assert holds_means(interrupted)
    assert still_to_send(two, two[-1][0]) == two[-1:]  # in the means of these very seeds: they go on
