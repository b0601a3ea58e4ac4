import math

import hypothesis.extra.numpy as hnp
import hypothesis.strategies as st
import numpy as np
import pytest
from hypothesis import assume, given, settings
from scipy import stats
from sklearn import metrics as sk

from leaderboard.records import metrics

VALUES = st.floats(min_value=-1e6, max_value=1e6, allow_nan=False)
PAIRS = st.integers(2, 40).flatmap(
    lambda n: st.tuples(hnp.arrays(float, n, elements=VALUES), hnp.arrays(float, n, elements=VALUES))
)


@given(PAIRS)
@settings(max_examples=200, deadline=None)
def test_errors_agree_with_scikit_learn(pair):
    predictions, targets = pair
    assert metrics.rmse(predictions, targets) == pytest.approx(
        sk.root_mean_squared_error(targets, predictions), rel=1e-9
    )
    assert metrics.mae(predictions, targets) == pytest.approx(sk.mean_absolute_error(targets, predictions), rel=1e-9)


@given(PAIRS)
@settings(max_examples=200, deadline=None)
def test_r2_agrees_with_scikit_learn(pair):
    predictions, targets = pair
    assume(np.std(targets) > 1e-6 * max(1, np.abs(targets).max()))
    assert metrics.r2(predictions, targets) == pytest.approx(sk.r2_score(targets, predictions), rel=1e-6, abs=1e-9)


def test_r2_of_constant_targets_is_undefined():
    assert metrics.r2([1.0, 2.0], [3.0, 3.0]) is None


def test_relative_error_is_one_for_the_training_mean_and_zero_for_the_truth():
    targets = np.array([0.3, -2.0, 5.0])
    assert metrics.relative_error(np.zeros(3), targets) == 1.0
    assert metrics.relative_error(targets, targets) == 0.0
    assert metrics.relative_error(2 * targets, targets) == pytest.approx(1.0)
    assert metrics.relative_error([1.0], [0.0]) is None


@given(st.floats(1e-160, 1e150), PAIRS)
@settings(max_examples=100, deadline=None)
def test_rms_neither_overflows_nor_underflows(scale, pair):
    values = pair[0]
    assume(np.abs(values).max() > 1e-3)
    assert metrics.root_mean_square(values * scale * 1e150) / 1e150 == pytest.approx(
        scale * np.sqrt(np.mean(values**2)), rel=1e-6
    )


def test_far_error_is_the_geometric_mean_of_clipped_errors():
    assert metrics.far_error([0.5, 2.0]) == pytest.approx(1.0)
    assert metrics.far_error([1e-9, 1e8]) == pytest.approx(10**-0.5)  # as it is stored: unclipped
    assert metrics.clipped_far_error([1e-9, 1e9]) == pytest.approx(10**0.5)
    assert metrics.far_error([0.0, 2.0]) == 0.0
    assert metrics.clipped_far_error([0.0, 1.0]) == pytest.approx(0.1)
    assert metrics.clipped_far_error([0.5, None]) is None
    assert metrics.saturated_far_error([1.0, 3.0, None]) == pytest.approx((0.5 + 0.75 + 1.0) / 3)
    assert metrics.saturated_far_error([]) is None
    assert metrics.far_error([0.3, 4.0, 7.0]) == pytest.approx(stats.gmean([0.3, 4.0, 7.0]))
    assert metrics.far_error([]) is None
    assert metrics.far_error([0.5, None]) is None


def test_set_result_agrees_with_its_parts_in_units():
    random = np.random.default_rng(0)
    predictions, targets = random.normal(size=(2, 30))
    distance = random.uniform(1, 3, 30)
    result = metrics.set_result("far", "far", predictions, targets, target_scale=7.0, distance=distance)
    assert result.rmse == pytest.approx(sk.root_mean_squared_error(7 * targets, 7 * predictions))
    assert result.mae == pytest.approx(sk.mean_absolute_error(7 * targets, 7 * predictions))
    assert result.r2 == pytest.approx(sk.r2_score(7 * targets, 7 * predictions))
    assert result.relative_error == pytest.approx(result.rmse / 7 / np.sqrt(np.mean(targets**2)))
    assert result.distance == tuple(np.quantile(distance, [0.05, 0.5, 0.95]))
    assert (result.rows, result.nonfinite) == (30, 0)


@pytest.mark.parametrize("bad", [math.nan, math.inf, -math.inf, 1.7e308])
def test_predictions_that_are_not_finite_are_counted_and_nothing_is_made_up(bad):
    result = metrics.set_result("far", "far", [bad, 1.0, bad], [0.5, 0.5, 0.1], target_scale=3.0)
    assert result.nonfinite == 2
    assert (result.relative_error, result.rmse, result.mae, result.r2) == (None,) * 4


def test_huge_but_representable_predictions_are_measured():
    result = metrics.set_result("far", "far", [1e200, 1.0], [0.5, 0.7])
    assert result.nonfinite == 0
    assert result.relative_error == pytest.approx(1e200 / np.sqrt(0.5**2 + 0.7**2))
    assert result.r2 is None  # its square is no float64


def test_growth_and_departure_follow_their_formulas():
    outputs = np.array([[1.0, -3.0], [-20.0, 10.0]])
    result = metrics.ladder_result(outputs, target_max=2.0)
    assert result.growth == (1.5, 10.0)
    assert result.departure == pytest.approx((np.sqrt(5.0), np.sqrt(250.0)))
    assert result.nonfinite == (0, 0)


@pytest.mark.parametrize("bad", [math.nan, math.inf, -math.inf])
def test_growth_at_a_rung_with_a_non_finite_output_is_infinite(bad):
    result = metrics.ladder_result([[1.0, 2.0], [bad, 3.0], [bad, bad]], target_max=1.0)
    assert result.growth == (2.0, None, None)
    assert result.departure[1:] == (None, None)
    assert result.nonfinite == (0, 1, 2)
    values, counts = metrics.growth([[1.0, 2.0], [bad, 3.0]], 1.0)
    assert values.tolist() == [2.0, math.inf]
    assert counts.tolist() == [0, 1]


@pytest.mark.parametrize("target_max", [0.0, -1.0, math.nan, math.inf])
def test_growth_needs_targets_that_vary(target_max):
    with pytest.raises(ValueError, match="target_max"):
        metrics.growth([[1.0]], target_max)


@given(hnp.arrays(float, len(metrics.LADDER), elements=st.floats(0, 1e12)))
@settings(max_examples=200, deadline=None)
def test_exponent_is_scipys_theil_sen_slope_of_the_running_maximum(growth):
    highest = [max(1e-6, *growth[: place + 1]) for place in range(len(growth))]
    reference = stats.theilslopes(np.log(highest), np.log(metrics.LADDER)).slope
    assert metrics.exponent(metrics.LADDER, growth.tolist()) == pytest.approx(reference, abs=1e-12)
    assert metrics.exponent(metrics.LADDER, growth.tolist()) >= 0


@pytest.mark.parametrize("power", [0.0, 0.5, 1.0, 2.0])
def test_exponent_of_a_power_law_is_its_power(power):
    growth = [3.0 * r**power for r in metrics.LADDER]
    assert metrics.exponent(metrics.LADDER, growth) == pytest.approx(power, abs=1e-12)


def test_what_falls_back_after_a_peak_does_not_grow():
    bump = [float(r) if r <= 1e2 else 1.0 for r in metrics.LADDER]
    assert metrics.exponent(metrics.LADDER[6:], bump[6:]) == 0.0
    linear = [float(r) for r in metrics.LADDER]
    linear[metrics.LADDER.index(1e3)] *= 1.5
    assert metrics.exponent(metrics.LADDER, linear) == pytest.approx(1.0, abs=0.05)


def test_exponent_is_zero_below_the_floor_and_missing_where_growth_is_infinite():
    vanishing = [1e-7 / r for r in metrics.LADDER]
    assert metrics.exponent(metrics.LADDER, vanishing) == 0.0
    assert metrics.exponent(metrics.LADDER, [0.0] * len(metrics.LADDER)) == 0.0
    assert metrics.exponent(metrics.LADDER, [1.0] * 12 + [None]) is None
    assert metrics.exponent(metrics.LADDER, [1.0] * 12 + [math.inf]) is None


def test_the_axis_exponent_is_the_slope_between_the_last_two_radii():
    assert metrics.axis_exponent(((1e2, 1.0), (1e4, 1.0), (1e6, 2.0), (1e8, 200.0))) == pytest.approx(1.0)
    assert metrics.axis_exponent(((1e6, 0.0), (1e8, 1e-7))) == 0.0
    assert metrics.axis_exponent(((1e4, None), (1e6, 1.0), (1e8, 0.1))) == pytest.approx(-0.5)
    assert metrics.axis_exponent(((1e6, 1.0), (1e8, None))) is None


@pytest.mark.parametrize(
    ("exponent", "kind"),
    [(-1, 0), (0.0499, 0), (0.05, 1), (0.9499, 1), (0.95, 2), (1.05, 2), (1.0501, 3), (math.inf, 3)],
)
def test_kinds_of_growth(exponent, kind):
    assert metrics.growth_kind(exponent) == kind
