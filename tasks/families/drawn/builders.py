"""The drawn tasks: what is counted or measured in a picture, and which pictures are far.

Draw k of a task (keyword ``draw``) has new pictures; what they show, its range and the noise stay the same.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from bench.core.seeding import generator
from tasks.data.samples import FarSet, Rows, Samples
from tasks.families.drawn import pictures
from tasks.families.drawn.pictures import Picture, between, noisy

ROWS = 2000  # of the training domain, of which splitting leaves 1,600 for training
FAR_ROWS = 300  # of each far set
CONTRASTS = ((2, 5), (5, 20), (20, 100))


@dataclass(frozen=True)
class Span:
    """The quantity of a set of pictures, uniform in a range.

    Args:
        least, most: the range.
        whole: numbers of it are whole, both ends included.
    """

    least: float
    most: float
    whole: bool = False

    def values(self, draw: np.random.Generator, count: int) -> np.ndarray:
        """``count`` of them."""
        if self.whole:
            return draw.integers(int(self.least), int(self.most), count, endpoint=True).astype(np.float64)
        return between(draw, self.least, self.most, count)


def dot_count(*, draw: int = 0) -> Samples:
    """1 to 8 dots; far: 9 to 12, 13 to 18 and 19 to 25."""
    away = [Span(9, 12, True), Span(13, 18, True), Span(19, pictures.MOST_DOTS, True)]
    return _further("dot-count", draw, pictures.dots, Span(1, 8, True), away, "dots")


def bar_length(*, draw: int = 0) -> Samples:
    """A bar of 3 to 8 pixels; far: 8 to 10.5, 10.5 to 13 and 13 to 16."""
    return _further("bar-length", draw, pictures.bars, Span(3, 8), [Span(8, 10.5), Span(10.5, 13), Span(13, 16)], "px")


def grating_frequency(*, draw: int = 0) -> Samples:
    """1 to 4 cycles a picture; far: 4 to 5, 5 to 6 and 6 to 7.5, below the 8 that 16 pixels can show."""
    away = [Span(4, 5), Span(5, 6), Span(6, 7.5)]
    return _further("grating-frequency", draw, pictures.gratings, Span(1, 4), away, "cycles")


def blob_size(*, draw: int = 0) -> Samples:
    """A disc of 2 to 7 pixels across; far: 7 to 9, 9 to 12 and 12 to 15."""
    return _further("blob-size", draw, pictures.discs, Span(2, 7), [Span(7, 9), Span(9, 12), Span(12, 15)], "px")


def grating_contrast(*, draw: int = 0) -> Samples:
    """1 to 4 cycles a picture everywhere; far: higher contrast."""
    return _brighter("grating-contrast", draw, pictures.gratings, Span(1, 4))


def blob_contrast(*, draw: int = 0) -> Samples:
    """A disc of 2 to 7 pixels across everywhere; far: higher contrast."""
    return _brighter("blob-contrast", draw, pictures.discs, Span(2, 7))


def _further(task: str, draw: int, picture: Picture, inside: Span, away: list[Span], unit: str) -> Samples:
    """Pictures of the range ``inside``, and far sets of the ranges ``away``."""
    far = []
    for span in away:
        ends = f"{span.least:g}", f"{span.most:g}"
        name = "-".join(("from", *ends)).replace(".", "-")
        rows = _rows(task, name, draw, picture, span, FAR_ROWS)
        far.append(FarSet(name, rows, label=f"{ends[0]} to {ends[1]} {unit}"))
    return Samples(_rows(task, "inside", draw, picture, inside, ROWS), tuple(far))


def _brighter(task: str, draw: int, picture: Picture, span: Span) -> Samples:
    """Pictures of one range; in far sets all that deviates from 0, noise too, is multiplied by a log-uniform factor."""
    far = []
    for least, most in CONTRASTS:
        name = f"times-{least}-{most}"
        rows = _rows(task, name, draw, picture, span, FAR_ROWS)
        power = generator(task, "contrast", name, draw).random(len(rows))
        factor = np.rint(64 * least * (most / least) ** power) / 64  # rounded: powers differ in their last bits
        brighter = Rows(rows.inputs * factor[:, None, None, None].astype(np.float32), rows.targets)
        far.append(FarSet(name, brighter, float(np.sqrt(least * most)), f"contrast × {least} to {most}"))
    return Samples(_rows(task, "inside", draw, picture, span, ROWS), tuple(far))


def _rows(task: str, name: str, draw: int, picture: Picture, span: Span, count: int) -> Rows:
    source = generator(task, name, draw)
    values = span.values(source, count)
    return Rows(noisy(source, picture(source, values)), values)
