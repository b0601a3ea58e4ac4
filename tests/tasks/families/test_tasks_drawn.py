"""Drawn images show what their target says, by measures that know nothing of how they are drawn."""

import hashlib

import numpy as np
import pytest
from scipy import ndimage

import tasks
from bench.core.registry import resolve_target
from tasks.data.samples import Samples
from tasks.families.drawn import pictures
from tasks.families.drawn.pictures import bars, discs, dots, gratings

DRAWN = {
    "dot-count": "6c670b60bb183db2",
    "bar-length": "15a7af1ccd72cd4c",
    "grating-frequency": "0454aca47f0bfe5c",
    "blob-size": "863b52eb8adaa1c3",
    "grating-contrast": "78c4ae2003c6d76f",
    "blob-contrast": "e59cb19d19d243f7",
}


def built(name: str, draw: int = 0) -> Samples:
    samples = resolve_target(tasks.get_card(name).build)(draw=draw)
    assert isinstance(samples, Samples)
    return samples


def fresh() -> np.random.Generator:
    return np.random.default_rng(0)


def test_dots_can_be_counted() -> None:
    counts = np.arange(1, pictures.MOST_DOTS + 1).repeat(20)
    for picture, count in zip(dots(fresh(), counts), counts, strict=True):
        assert ndimage.label(picture > 0, np.ones((3, 3)))[1] == count
    sizes = {int(n) for n in ndimage.sum_labels(*_labelled(dots(fresh(), counts)[-1]))}
    assert sizes == {1, 4}


def _labelled(picture: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    labels, count = ndimage.label(picture > 0)
    return picture > 0, labels, np.arange(1, count + 1)


def test_bars_are_as_long_as_said() -> None:
    """The profile along a bar that covers one pixel whole, divided by its highest value, adds up to the length."""
    lengths = np.linspace(3, 16, 200)
    drawn = bars(fresh(), lengths)
    profiles = [drawn.sum(axis=axis) for axis in (1, 2)]
    extents = np.stack([profile.sum(axis=1) / profile.max(axis=1) for profile in profiles])
    np.testing.assert_allclose(extents.max(axis=0), lengths, rtol=1e-9)
    assert extents.min(axis=0).max() < 3.1
    upright = extents[1] > extents[0]
    assert 0.3 < upright.mean() < 0.7


def test_gratings_repeat_as_often_as_said() -> None:
    """The highest peak of the spectrum, padded to a fine grid, lies at the frequency."""
    frequencies = np.linspace(2, 7.5, 60)
    fine = 16
    padded = np.abs(np.fft.fft2(gratings(fresh(), frequencies), (16 * fine, 16 * fine)))
    axis = np.fft.fftfreq(16 * fine, 1 / 16)
    length = np.hypot(axis[:, None], axis[None, :])
    found = [length.flat[spectrum.argmax()] for spectrum in padded]
    np.testing.assert_allclose(found, frequencies, atol=0.3)
    assert frequencies.max() < pictures.HIGHEST_FREQUENCY


def test_discs_cover_their_area() -> None:
    diameters = np.linspace(3, 15, 100)
    drawn = discs(fresh(), diameters)
    area = drawn.sum(axis=(1, 2)) / drawn.max(axis=(1, 2))
    np.testing.assert_allclose(area, np.pi * diameters**2 / 4, rtol=0.08)


@pytest.mark.parametrize("name", DRAWN)
def test_pictures_are_whole_grey_levels(name: str) -> None:
    samples = built(name)
    for rows in (samples.domain, *(far.rows for far in samples.far)):
        assert rows.inputs.dtype == np.float32
        levels = rows.inputs.astype(np.float64) * pictures.LEVELS * 64
        np.testing.assert_array_equal(levels, np.rint(levels))


@pytest.mark.parametrize(("name", "digest"), DRAWN.items())
def test_every_machine_draws_the_same(name: str, digest: str) -> None:
    found = hashlib.sha256()
    samples = built(name)
    for rows in (samples.domain, *(far.rows for far in samples.far)):
        found.update(rows.inputs.tobytes() + rows.targets.tobytes())
    assert found.hexdigest()[:16] == digest


@pytest.mark.parametrize("name", DRAWN)
def test_another_draw_is_of_the_same_kind(name: str) -> None:
    first, second = built(name), built(name, draw=1)
    assert not np.isin(first.domain.inputs.sum(axis=(1, 2, 3)), second.domain.inputs.sum(axis=(1, 2, 3))).all()
    assert [far.name for far in first.far] == [far.name for far in second.far]
    for one, other in zip(
        (first.domain, *(f.rows for f in first.far)), (second.domain, *(f.rows for f in second.far)), strict=True
    ):
        assert (one.targets != other.targets).any()
        ends = np.array([[rows.targets.min(), rows.targets.max()] for rows in (one, other)])
        np.testing.assert_allclose(ends[0], ends[1], atol=0.06)


@pytest.mark.parametrize("name", [name for name in DRAWN if not name.endswith("contrast")])
def test_far_sets_go_further(name: str) -> None:
    samples = built(name)
    reached = samples.domain.targets.max()
    for far in samples.far:
        assert far.rows.targets.min() >= reached
        reached = far.rows.targets.max()


@pytest.mark.parametrize("name", [name for name in DRAWN if name.endswith("contrast")])
def test_contrast_leaves_the_truth_alone(name: str) -> None:
    samples = built(name)
    low, high = samples.domain.targets.min(), samples.domain.targets.max()
    brightest = np.abs(samples.domain.inputs).max()
    for far, (least, most) in zip(samples.far, ((2, 5), (5, 20), (20, 100)), strict=True):
        assert low - 0.1 < far.rows.targets.min() < far.rows.targets.max() < high + 0.1
        assert 0.9 * most * brightest > np.abs(far.rows.inputs).max() / 1.2 > least * brightest / 1.2
