"""Handwritten digits of scikit-learn (8×8 pixels), turned."""

from __future__ import annotations

import numpy as np

from bench.core.seeding import generator
from tasks.data import FarSet, Rows, Samples

SHOWN = (3, 4, 7)  # far from any rotational symmetry
SIDE = 8
FAR_IMAGES = 0.2  # of the source images
TURNS = 6  # angles drawn for each source image and range


def digit_images() -> np.ndarray:
    """The digits 3, 4 and 7 as (n, 8, 8), from 0 to 1."""
    from sklearn.datasets import load_digits

    data = load_digits()
    return data.images[np.isin(data.target, SHOWN)] / 16.0


def rotation() -> Samples:
    """How far a digit is turned, in degrees (counter-clockwise positive).

    Within ±45° in the training domain; the far sets hold other images, turned by 45° to 90° and 90° to 135° to
    either side.
    """
    images = digit_images()
    order = generator("digits-rotation", "far images").permutation(len(images))
    away = order[: int(FAR_IMAGES * len(images))]
    inside = np.setdiff1d(order, away)
    far = [
        FarSet(f"turned-{least}-{most}", _turned(images, away, least, most), label=f"{least}° to {most}°")
        for least, most in ((45, 90), (90, 135))
    ]
    return Samples(_turned(images, inside, 0, 45), tuple(far))


def _turned(images: np.ndarray, chosen: np.ndarray, least: int, most: int) -> Rows:
    """Each chosen image turned six times by an angle whose size lies between ``least`` and ``most`` degrees."""
    draw = generator("digits-rotation", "angles", least, most)
    source = np.repeat(chosen, TURNS)
    angles = draw.uniform(least, most, len(source)) * draw.choice([-1.0, 1.0], len(source))
    return Rows(rotated(images[source], angles)[:, None], angles, source)


def rotated(images: np.ndarray, degrees: np.ndarray) -> np.ndarray:
    """Images (n, h, w) turned counter-clockwise about their centre, bilinear, 0 beyond the edge; float32."""
    from scipy.ndimage import rotate

    turned = [rotate(image, angle, reshape=False, order=1) for image, angle in zip(images, degrees, strict=True)]
    return np.array(turned, dtype=np.float32)
