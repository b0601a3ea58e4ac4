"""Protocols: what they ask for, their names, and the batches of a schedule."""

from __future__ import annotations

import dataclasses

import pytest

from bench.core.errors import InputError, UnknownName
from bench.plan.optimizer import ADAM, Optimizer
from bench.plan.protocol import (
    PROTOCOLS,
    VARIANTS,
    Protocol,
    Rung,
    Schedule,
    batch_indices,
    check_steps,
    get_protocol,
    halving_rungs,
    id_in_records,
)
from leaderboard.records.protocols import for_sensitivity
from tasks.card import Budget, PaperBudget


class TestProtocol:
    class FakeCard:
        budget = Budget(1000, 256)
        paper = PaperBudget(2500, None, 1e-3)

    def test_small_sets_are_taken_whole(self) -> None:
        one = get_protocol("2")
        assert one.schedule(self.FakeCard, 1024).batch_size is None  # type: ignore[arg-type]
        assert one.schedule(self.FakeCard, 1025).batch_size == 256  # type: ignore[arg-type]
        assert len(one.schedule(self.FakeCard, 10).checks) == 50  # type: ignore[arg-type]

    def test_the_paper_has_its_own_rate_and_keeps_the_last_weights(self) -> None:
        plan = get_protocol("paper").schedule(self.FakeCard, 40_000)  # type: ignore[arg-type]
        assert (plan.steps, plan.batch_size, plan.learning_rates, plan.selects) == (2500, None, (1e-3,), False)

    def test_epochs_become_steps(self) -> None:
        class Faces(self.FakeCard):  # type: ignore[name-defined,misc]
            paper = PaperBudget(10, 128, 1e-3)

        assert get_protocol("paper").schedule(Faces, 1000).steps == 10 * 8

    def test_unknown_protocols_are_answered_with_names(self) -> None:
        with pytest.raises(UnknownName, match="quick"):
            get_protocol("quik")

    def test_a_kind_means_its_newest_and_older_ones_are_only_read(self) -> None:
        newest = [get_protocol(kind).name for kind in ("2", "quick", "paper")]
        assert newest == ["2", "quick-2", "paper-2"] == [id_in_records(name) for name in newest]
        assert [id_in_records(kind) for kind in ("2", "quick", "paper")] == newest
        assert [id_in_records(name) for name in ("1", "quick-1", "paper-1")] == ["1", "quick", "paper"]
        for name in ("1", "quick-1", "paper-1"):
            with pytest.raises(InputError, match="any more"):
                get_protocol(name)
        with pytest.raises(UnknownName):
            id_in_records("3")

    def test_rates_ascend_and_names_are_keys(self) -> None:
        for name, protocol in PROTOCOLS.items():
            assert name == protocol.name
            assert list(protocol.learning_rates) == sorted(protocol.learning_rates)
        assert isinstance(PROTOCOLS["2"], Protocol)

    def test_variants_are_protocol_2_but_for_what_they_say(self) -> None:
        usual = dataclasses.asdict(PROTOCOLS["2"])
        seen = set()
        for variant in VARIANTS:
            other = {name for name, value in dataclasses.asdict(variant).items() if value != usual[name]}
            assert other > {"name", "summary", "varies"}
            seen |= other
            assert variant.varies in variant.summary
            assert dict(variant.settings())["for sensitivity"].endswith("never ranked with it")
        assert seen >= {"step_share", "optimizer", "selection", "learning_rates"}
        assert {name for name in PROTOCOLS if for_sensitivity(name)} == {variant.name for variant in VARIANTS}

    def test_variants_ask_for_what_they_say(self) -> None:
        def plan(name: str) -> Schedule:
            return get_protocol(name).schedule(self.FakeCard, 100)  # type: ignore[arg-type]

        assert [plan(name).steps for name in ("2-quarter", "2-half", "2", "2-double")] == [250, 500, 1000, 2000]
        assert get_protocol("2-double").cost == 2 * get_protocol("2").cost
        assert plan("2").optimizer == ADAM == Optimizer("adam", weight_decay=0.0)
        assert plan("2-sgd").optimizer == Optimizer("sgd", momentum=0.9)
        assert len(plan("2-sgd").learning_rates) == len(plan("2").learning_rates)
        assert plan("2-adamw-0.1").optimizer.weight_decay == 0.1
        assert (plan("2-last").selects, plan("2-last").rungs) == (False, plan("2").rungs)
        assert (plan("2-fixed").learning_rates, plan("2-fixed").selects, plan("2-fixed").rungs) == ((1e-3,), False, ())
        assert dict(get_protocol("2-fixed").settings())["selected"] == "the last weights"
        assert "AdamW, weight decay 0.1 of all" in dict(get_protocol("2-adamw-0.1").settings())["optimizer"]

    @pytest.mark.parametrize(("steps", "checks"), [(1, 50), (7, 50), (300, 50), (2000, 20)])
    def test_checks_end_with_the_last_step(self, steps: int, checks: int) -> None:
        found = check_steps(steps, checks)
        assert found[-1] == steps
        assert len(found) == min(steps, checks)
        assert found == tuple(sorted(set(found)))
        assert found[0] >= 1

    def test_six_rates_then_three_then_two(self) -> None:
        plan = get_protocol("2").schedule(self.FakeCard, 100)  # type: ignore[arg-type]
        assert plan.learning_rates == (3e-4, 1e-3, 3e-3, 1e-2, 3e-2, 1e-1)
        assert plan.rungs == (Rung(240, 3), Rung(500, 2))
        assert {rung.step for rung in plan.rungs} <= set(plan.checks)
        assert get_protocol("2").cost == 6 / 4 + 3 / 4 + 2 / 2
        assert get_protocol("quick").cost == pytest.approx(2 / 5)

    def test_quick_and_paper_have_no_rungs(self) -> None:
        for name in ("quick", "paper"):
            assert get_protocol(name).schedule(self.FakeCard, 100).rungs == ()  # type: ignore[arg-type]
        assert get_protocol("quick").schedule(self.FakeCard, 100).learning_rates == (1e-3, 1e-2)  # type: ignore[arg-type]

    @pytest.mark.parametrize("steps", [1, 2, 3, 7, 60, 4000])
    def test_rungs_are_checks_before_the_last(self, steps: int) -> None:
        checks = check_steps(steps, 50)
        rungs = halving_rungs(checks, ((0.25, 3), (0.5, 2)))
        found = [rung.step for rung in rungs]
        assert found == sorted(set(found))
        assert set(found) <= set(checks[:-1])


def test_batches_are_shuffled_passes() -> None:
    plan = Schedule(30, 7, (1e-3,), (30,), True)
    rows = batch_indices("task", "arch", 0, 20, plan)
    assert rows is not None
    assert rows.shape == (30, 7)
    flat = rows.reshape(-1)
    for start in range(0, 200, 20):
        assert sorted(flat[start : start + 20]) == list(range(20))
    again = batch_indices("task", "arch", 0, 20, plan)
    other = batch_indices("task", "arch", 1, 20, plan)
    assert again is not None
    assert other is not None
    assert (again == rows).all()
    assert (other != rows).any()


def test_the_batches_of_a_longer_schedule_begin_with_those_of_a_shorter_one() -> None:
    short, long = (
        batch_indices("task", "mlp", 3, 50, Schedule(steps, 8, (1e-3,), (steps,), True)) for steps in (80, 320)
    )
    assert short is not None
    assert long is not None
    assert (long[:80] == short).all()
