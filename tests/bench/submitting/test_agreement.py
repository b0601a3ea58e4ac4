"""Claimed against fresh numbers: honest bundles are seldom suspected, better claims than the truth are found."""

from __future__ import annotations

import math

import numpy as np
import pytest

from bench.submitting.agreement import LEVELS, Pair, compare, compare_instances, detectable

SEEDS = 5


class Bundle:
    """A simulated bundle: logarithms of errors of some cells, whose seeds scatter as ours do (0.1 to 0.5)."""

    def __init__(self, draw: np.random.Generator, cells: int = 4) -> None:
        self._draw, self._cells = draw, cells
        self._centre = {(cell, q): draw.normal(0, 1) for cell in range(cells) for q in ("id_error", "far_error")}
        self._spread = {cell: draw.uniform(0.1, 0.5) for cell in range(cells)}

    def seeds(self, cell: int, quantity: str, count: int = SEEDS) -> tuple[float, ...]:
        # noise with heavier tails than a Gaussian, as trainings have
        noise = self._draw.standard_t(8, count) / math.sqrt(8 / 6)
        return tuple((self._centre[cell, quantity] + self._spread[cell] * noise).tolist())

    def pairs(self, forge=lambda values: values) -> list[Pair]:
        return [
            Pair(f"cell {cell}", q, forge(self.seeds(cell, q)), self.seeds(cell, q)) for cell, q in sorted(self._centre)
        ]

    def instances(self) -> list[Pair]:
        found = []
        for cell in range(self._cells):
            others = self._draw.normal(self._centre[cell, "far_error"], 0.5, SEEDS)
            ranked = self._draw.normal(self._centre[cell, "far_error"], 0.5)
            here = self._draw.normal(ranked, self._spread[cell], SEEDS)
            found.append(Pair(f"cell {cell}", "far_error", tuple(here.tolist()), tuple(others.tolist())))
        return found


def test_of_200_honest_bundles_at_most_15_are_suspected() -> None:
    draw = np.random.Generator(np.random.PCG64(20240607))
    suspected = 0
    for _ in range(200):
        bundle = Bundle(draw)
        tests = compare(bundle.pairs(), "claimed") + compare(bundle.pairs(), "disguised")
        tests += compare_instances(bundle.instances())
        suspected += any(test.suspicious for test in tests)
    assert suspected <= 15


def test_the_levels_together_are_five_in_a_hundred() -> None:
    assert math.isclose(sum(LEVELS.values()), 0.05)


def test_numbers_edited_to_half_are_found() -> None:
    draw = np.random.Generator(np.random.PCG64(1))
    found = 0
    for _ in range(50):
        tests = compare(Bundle(draw).pairs(lambda values: tuple(v - math.log(2) for v in values)), "claimed")
        found += any(test.suspicious for test in tests)
    assert found >= 45


def test_one_edited_cell_among_honest_ones_is_found() -> None:
    draw = np.random.Generator(np.random.PCG64(2))
    bundle = Bundle(draw)
    honest = bundle.pairs()
    edited = [
        Pair(p.cell, p.quantity, tuple(v - 3.0 for v in p.claimed), p.fresh) if i == 0 else p
        for i, p in enumerate(honest)
    ]
    suspicious = [test.what for test in compare(edited, "claimed") if test.suspicious]
    assert any(honest[0].cell in what for what in suspicious)


def test_the_best_seeds_of_many_are_found() -> None:
    """Five of fifty, each cell: what a picker claims lies 1.4 deviations below the truth."""
    draw = np.random.Generator(np.random.PCG64(3))
    found = 0
    for _ in range(50):
        bundle = Bundle(draw)
        pairs = [
            Pair(p.cell, p.quantity, tuple(sorted(bundle.seeds(int(p.cell[5:]), p.quantity, 50))[:SEEDS]), p.fresh)
            for p in bundle.pairs()
        ]
        found += any(test.suspicious for test in compare(pairs, "claimed"))
    assert found >= 48


def test_claims_worse_than_the_truth_are_let_pass() -> None:
    draw = np.random.Generator(np.random.PCG64(4))
    tests = compare(Bundle(draw).pairs(lambda values: tuple(v + 2 for v in values)), "claimed")
    assert not any(test.suspicious for test in tests)


@pytest.mark.parametrize("equal", [0.0, math.log(0.01)])
def test_numbers_without_spread_agree_when_they_are_equal(equal: float) -> None:
    same = Pair("cell", "far_error", (equal,) * 5, (equal,) * 5)
    (test,) = compare([same], "claimed")
    assert not test.suspicious
    better = Pair("cell", "far_error", (equal - 0.1,) * 5, (equal,) * 5)
    assert compare([better], "claimed")[0].suspicious


def test_the_forgery_that_is_found_with_80_percent_power_is_the_one_said() -> None:
    """One cell, five seeds, deviation 0.3: a ratio of about 1.8 at a two-sided 5%, and simulation agrees."""
    error = 0.3 * math.sqrt(2 / SEEDS)
    ratio = detectable(error, 2 * SEEDS - 2, 0.025)
    assert 1.7 < ratio < 2.0
    draw = np.random.Generator(np.random.PCG64(5))
    from scipy import stats

    fresh, claimed = draw.normal(0, 0.3, (2, 4000, SEEDS))
    claimed = claimed - math.log(ratio)
    p_values = stats.ttest_ind(fresh, claimed, axis=1, equal_var=False, alternative="greater").pvalue
    assert abs(float(np.mean(p_values < 0.025)) - 0.8) < 0.03


def test_a_ranked_function_that_alone_is_answered_well_is_found() -> None:
    draw = np.random.Generator(np.random.PCG64(6))
    others = tuple(draw.normal(0, 0.4, SEEDS).tolist())
    known = tuple(draw.normal(math.log(0.02), 0.1, SEEDS).tolist())
    (test,) = compare_instances([Pair("cell", "far_error", known, others)])
    assert test.suspicious
    assert test.ratio > 20
