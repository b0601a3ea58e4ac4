"""What single tasks promise, against independent references."""

import numpy as np
import pytest

import tasks
from tasks.digits import digit_images, rotated


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
