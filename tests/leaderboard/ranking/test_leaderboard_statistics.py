import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from leaderboard.ranking import statistics
from leaderboard.ranking.statistics import Sample

SEEDS = st.lists(st.floats(-100, 100), min_size=2, max_size=10).filter(lambda v: np.std(v) > 1e-6)


@given(SEEDS)
@settings(max_examples=200, deadline=None)
def test_t_interval_is_scipys(values):
    interval = statistics.t_interval(values)
    low, high = stats.t.interval(0.95, len(values) - 1, loc=np.mean(values), scale=stats.sem(values))
    assert (interval.mean, interval.low, interval.high) == pytest.approx((np.mean(values), low, high), abs=1e-9)


def test_t_interval_by_hand():
    # n = 5, mean 3, s² = 2.5, t(0.975, 4) = 2.776445 (any table)
    interval = statistics.t_interval([1, 2, 3, 4, 5])
    assert interval.high - interval.low == pytest.approx(2 * 2.776445 * math.sqrt(2.5 / 5), rel=1e-6)


def test_log_t_interval_is_the_t_interval_of_logarithms():
    values = [0.5, 0.7, 2.0, 0.1]
    interval = statistics.log_t_interval(values)
    plain = statistics.t_interval(np.log(values).tolist())
    assert interval.mean == pytest.approx(stats.gmean(values))
    assert interval.low == pytest.approx(math.exp(plain.low))
    assert interval.high == pytest.approx(math.exp(plain.high))
    with pytest.raises(ValueError, match="positive"):
        statistics.log_t_interval([0.0, 1.0])


def test_log_intervals_of_five_seeds_cover_as_promised():
    random = np.random.default_rng(1)
    draws = random.lognormal(mean=0.0, sigma=0.8, size=(3000, 5))
    covered = np.mean([(i := statistics.log_t_interval(d.tolist())).low <= 1.0 <= i.high for d in draws])
    assert 0.935 < covered < 0.965  # 95% ± 3.7 standard errors; a percentile bootstrap reaches 84%


def test_one_seed_gives_no_interval_unless_nothing_is_random():
    assert statistics.t_interval([2.0]) == statistics.Interval(2.0)
    assert statistics.t_interval([2.0], exact=True) == statistics.Interval(2.0, 2.0, 2.0)
    assert statistics.t_interval([2.0, 2.0, 2.0]) == statistics.Interval(2.0, 2.0, 2.0)


def test_infinite_values_make_the_mean_infinite_and_the_interval_unknown():
    assert statistics.log_t_interval([1.0, math.inf]) == statistics.Interval(math.inf)


@given(SEEDS, SEEDS)
@settings(max_examples=100, deadline=None)
def test_two_tasks_are_combined_as_welch_does(first, second):
    test = statistics.stratified_test([Sample(tuple(first)), Sample(tuple(second))])
    # half the sum of two means against 0 is Welch's test of the first against minus the second
    welch = stats.ttest_ind(first, [-v for v in second], equal_var=False)
    assert test.p_value == pytest.approx(welch.pvalue, abs=1e-9)
    ends = welch.confidence_interval(0.95)
    assert (2 * test.interval.low, 2 * test.interval.high) == pytest.approx((ends.low, ends.high), rel=1e-6, abs=1e-9)


def test_tasks_weigh_the_same_however_many_seeds_they_have():
    interval = statistics.stratified_test(
        [Sample((1.0, 1.2)), Sample((5.0,) * 10), Sample((9.0,), exact=True)]
    ).interval
    assert interval.mean == pytest.approx((1.1 + 5.0 + 9.0) / 3)
    alone = statistics.t_interval([1.0, 1.2])
    assert interval.high - interval.low == pytest.approx((alone.high - alone.low) / 3)


def test_stratified_intervals_cover_as_promised():
    random = np.random.default_rng(2)
    covered = 0
    for _ in range(2000):
        samples = [Sample(tuple(random.normal(0, scale, size=5))) for scale in (0.1, 1.0, 3.0)]
        interval = statistics.stratified_test(samples).interval
        covered += interval.low <= 0 <= interval.high
    assert 0.93 < covered / 2000 < 0.975


@given(SEEDS)
@settings(max_examples=50, deadline=None)
def test_a_mean_of_differences_against_0_is_the_paired_t_test(differences):
    test = statistics.stratified_test([Sample(tuple(differences))])
    reference = stats.ttest_rel(differences, [0.0] * len(differences))
    assert test.p_value == pytest.approx(reference.pvalue, abs=1e-9)


@pytest.mark.parametrize(("successes", "trials"), [(0, 5), (1, 5), (3, 10), (5, 5), (1, 1), (40, 100)])
def test_the_interval_of_a_share_is_the_exact_one(successes, trials):
    exact = stats.binomtest(successes, trials).proportion_ci(0.95, method="exact")
    assert statistics.clopper_pearson(successes, trials) == pytest.approx((exact.low, exact.high), abs=1e-9)


@given(st.lists(st.none() | st.floats(0, 1), min_size=1, max_size=8))
@settings(max_examples=30, deadline=None)
def test_holm_by_its_definition(p_values):
    known = sorted(p for p in p_values if p is not None)
    expected, running = {}, 0.0
    for place, p in enumerate(known):
        running = max(running, min(1.0, (len(known) - place) * p))
        expected[p] = max(expected.get(p, 0.0), running)
    for p, corrected in zip(p_values, statistics.holm(p_values), strict=True):
        assert (corrected is None) == (p is None)
        if p is not None:
            assert corrected <= expected[p] + 1e-12
            assert corrected >= p - 1e-12
            assert known.count(p) > 1 or corrected == pytest.approx(expected[p])
