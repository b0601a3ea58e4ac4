"""Handwritten digits of scikit-learn (8×8 pixels), turned: by how many degrees?"""

from __future__ import annotations

import numpy as np

from bench.core.seeding import generator
from tasks.data.samples import FarSet, Rows, Samples

SHOWN = (3, 4, 7)  # far from any rotational symmetry
FAR_IMAGES = 0.2  # of the source images
TURNS = 6  # angles drawn for each source image and set
WITHIN = (0, 45)  # degrees


def digit_images() -> np.ndarray:
    """The digits 3, 4 and 7 as (n, 8, 8), from 0 to 1."""
    from sklearn.datasets import load_digits

    data = load_digits()
    return np.asarray(data.images[np.isin(data.target, SHOWN)] / 16.0)


def rotation() -> Samples:
    """Angle of a digit, in degrees (counter-clockwise positive).

    Within ±45° in the training domain; the far sets hold other images, turned by 45° to 90° and 90° to 135° to
    either side.
    """
    images, inside, away = _sources("digits-rotation")
    far = [
        FarSet(
            f"turned-{least}-{most}",
            _turned("digits-rotation", images, away, (least, most)),
            label=f"{least}° to {most}°",
        )
        for least, most in ((45, 90), (90, 135))
    ]
    return Samples(_turned("digits-rotation", images, inside, WITHIN), tuple(far))


def contrast() -> Samples:
    """Angle of a digit, in degrees, within ±45° everywhere.

    Far sets hold other images whose intensities are multiplied by 2 to 5, 5 to 20 and 20 to 100 (log-uniform). The
    angle stays what it was: the truth does not depend on the contrast.
    """
    images, inside, away = _sources("digits-contrast")
    far = []
    for least, most in ((2, 5), (5, 20), (20, 100)):
        name = f"times-{least}-{most}"
        rows = _turned("digits-contrast", images, away, WITHIN, name)
        draw = generator("digits-contrast", "intensity", name)
        factor = np.exp(draw.uniform(np.log(least), np.log(most), len(rows))).astype(np.float32)
        brighter = Rows(rows.inputs * factor[:, None, None, None], rows.targets, rows.groups)
        far.append(FarSet(name, brighter, float(np.sqrt(least * most)), f"intensity × {least} to {most}"))
    return Samples(_turned("digits-contrast", images, inside, WITHIN), tuple(far))


def _sources(task: str) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """The images, the places of those for the training domain, and of those for the far sets."""
    images = digit_images()
    order = generator(task, "far images").permutation(len(images))
    count = int(FAR_IMAGES * len(images))
    return images, np.sort(order[count:]), np.sort(order[:count])


def _turned(task: str, images: np.ndarray, chosen: np.ndarray, sizes: tuple[int, int], purpose: str = "") -> Rows:
    """Each chosen image turned six times to either side, by an angle whose size lies in the given range."""
    draw = generator(task, "angles", *sizes, purpose)
    source = np.repeat(chosen, TURNS)
    angles = draw.uniform(*sizes, len(source)) * draw.choice([-1.0, 1.0], len(source))
    return Rows(rotated(images[source], angles)[:, None], angles, source)


def rotated(images: np.ndarray, degrees: np.ndarray) -> np.ndarray:
    """Images (n, h, w) turned counter-clockwise about their centre, bilinear, 0 beyond the edge; float32."""
    from scipy.ndimage import rotate

    turned = [rotate(image, angle, reshape=False, order=1) for image, angle in zip(images, degrees, strict=True)]
    return np.array(turned, dtype=np.float32)
