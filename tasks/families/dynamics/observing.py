"""Rows of a computed system: training and validation rows with noise, test rows without."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from bench.core.seeding import generator
from tasks.data.samples import FarSet, Rows, Samples

Array = NDArray[np.float64]
Inputs = Callable[[np.random.Generator, int], Array]
ROWS = {"train": 2000, "validation": 500, "test": 500}


def observed(
    name: str,
    draw: int,
    inputs: Inputs,
    truth: Callable[[Array], Array],
    noise: float,
    feature_names: tuple[str, ...],
    far: tuple[FarSet, ...] = (),
) -> Samples:
    """A draw of a system: its function and noise are the same in each, its inputs and errors are not.

    Args:
        name: of the task.
        draw: number of the draw.
        inputs: so many random inputs (n, d) of the training domain.
        truth: where the system is afterwards, (n, d) -> (n,); all rows are computed at once.
        noise: deviation of the observations' error.
        feature_names: of the inputs.
        far: far sets, where inputs in any direction make no sense; without any, the truth labels the shells.
    """
    points = {part: inputs(generator(name, "inputs", part, draw), count) for part, count in ROWS.items()}
    together = truth(np.concatenate(list(points.values())))
    clean = dict(zip(ROWS, np.split(together, np.cumsum(list(ROWS.values()))[:-1]), strict=True))

    def rows(part: str) -> Rows:
        error = 0.0 if part == "test" else noise * generator(name, "noise", part, draw).standard_normal(ROWS[part])
        return Rows(points[part], clean[part] + error)

    everywhere = None if far else truth
    return Samples(rows("train"), far, everywhere, feature_names, validation=rows("validation"), test=rows("test"))
