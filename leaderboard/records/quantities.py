"""The numbers that are measured, each described once.

Every list of columns is made from :data:`QUANTITIES`: the summaries in the store, boards, comparisons, pages, axes of
charts, CSV, data frames, Weights & Biases and the table in ``docs/method.md``. A new number is one entry here; stores
made before summarize their records again when they are opened.
"""

from __future__ import annotations

import math
from typing import get_args

from leaderboard.records import readers
from leaderboard.records.metrics import AXIS_RADII, ERROR_CLIP, GROWTH_FLOOR
from leaderboard.records.quantity import Quantity, Range
from leaderboard.records.record import FarKind, Truth

ERRORS = Range(*ERROR_CLIP, f"≤ {ERROR_CLIP[0]:g}")
GROWTHS = Range(GROWTH_FLOOR, math.inf, "0")


FAR_ERROR = Quantity(
    "far_error",
    "far error",
    f"Geometric mean over the far sets of relative errors clipped to {ERRORS.least:g}–{ERRORS.most:g}.",
    readers.far_error,
    direction="lower",
    clip=ERRORS,
    total="mean",
    rank=1,
    board=-4,  # the kinds of truth stay
    listed=1,
    compared=0,
)
FAR_SATURATED = Quantity(
    "far_saturated",
    "far\ne/(1+e)",
    "Mean over the far sets of e/(1+e), e the relative error: 0 is perfect, 0.5 the training mean, 1 not finite.",
    readers.saturated_far_error,
    direction="lower",
    total="mean",
    board=3,
    decimals=2,
)
BEYOND = Quantity(
    "beyond",
    "far rows\nbeyond R",
    "Share of the task's far rows that lie beyond R: 1 where it is far by distance alone, near 0 where by shift alone.",
    readers.beyond,
    total="mean",
    board=2,
    decimals=2,
)
ID_ERROR = Quantity(
    "id_error",
    "id error",
    "Relative error on the test set, which is like the training data.",
    readers.id_error,
    direction="lower",
    clip=ERRORS,
    total="mean",
    rank=2,
    board=1,
    listed=3,
    compared=-1,
)
MAX_GROWTH = Quantity(
    "max_growth",
    "max\ngrowth",
    "Maximum of G over the distances probed, 1 to 10,000; “unbounded” where the verdict says so.",
    lambda record: record.max_growth,
    direction="lower",
    clip=GROWTHS,
    total="mean",
    rank=3,
    board=-3,
    listed=4,
    compared=-3,
)
EXPONENT = Quantity(
    "exponent",
    "exponent",
    "Theil–Sen slope of the running maximum of log G against log r over 1e6…1e8: 0 is bounded, 1 linear. Under "
    "protocols 1, quick and paper: of log G over 100…1e4.",
    readers.exponent,
    signed=True,
    total="mean",
    board=3,
    listed=5,
    decimals=2,
)
LOCAL_EXPONENT = Quantity(
    "local_exponent",
    "local\nexponent",
    "As the exponent, over 1e3…1e4: how the output grows there, which need not be how it goes on.",
    readers.local_exponent,
    signed=True,
    total="mean",
    board=7,
    decimals=2,
)
AXIS_EXPONENT = Quantity(
    "axis_exponent",
    "axis\nexponent",
    "Slope of log axis growth against log r from 1e6 to 1e8, along axes and sparse directions, which G leaves out.",
    readers.axis_exponent,
    signed=True,
    total="mean",
    decimals=2,
)
CERTIFICATE = Quantity(
    "certificate",
    "certificate",
    "A proven bound of G over all inputs, where the architecture has one.",
    lambda record: record.certificate,
    direction="lower",
    clip=GROWTHS,
    total="mean",
    board=4,
)
NONFINITE = Quantity(
    "nonfinite",
    "non-finite",
    "Outputs along rays and on labelled sets that were not finite.",
    readers.nonfinite,
    direction="lower",
    kind="whole",
)
PARAMETERS = Quantity(
    "parameters", "parameters", "Numbers that are trained.", lambda r: r.parameters, kind="whole", total="range"
)
LEARNING_RATE = Quantity(
    "learning_rate",
    "learning rate",
    "The learning rate that the protocol chose; none where nothing is trained by gradient descent.",
    lambda record: record.learning_rate,
)
BEST_STEP = Quantity(
    "best_step",
    "best step",
    "Training steps whose weights are kept.",
    lambda r: r.best_step,
    unit="steps",
    kind="whole",
)
EDGE_OF_GRID = Quantity(
    "edge_of_grid",
    "edge of grid",
    "Whether the learning rate chosen is the least or the greatest of the protocol's.",
    lambda record: record.edge_of_grid,
    kind="flag",
)
EDGE_OF_STEPS = Quantity(
    "edge_of_steps",
    "edge of steps",
    "Whether the weights of the last step were chosen: training might have gone on to better ones.",
    lambda record: record.edge_of_steps,
    kind="flag",
)
SECONDS = Quantity(
    "seconds", "seconds", "Time that the records took.", lambda r: r.seconds, unit="s", total="sum", listed=6
)


def _growth_at(r: float, spare: int) -> Quantity:
    return Quantity(
        f"growth_{r:g}",
        f"G({r:g})",
        f"Growth at distance {r:g}: largest |output| over the largest |standardized training target|.",
        lambda record: record.growth_at(r),
        direction="lower",
        clip=GROWTHS,
        total="mean",
        board=spare,
    )


def _worst_growth_within(r: float, spare: int | None = None) -> Quantity:
    return Quantity(
        f"worst_growth_{r:g}",
        f"worst G({'1e4' if r == 1e4 else f'{r:g}'})",
        f"Largest G that a search found in the whole ball of distance {r:g}: a lower bound of the true one.",
        readers.worst_growth(r),
        direction="lower",
        clip=GROWTHS,
        total="mean",
        board=spare,
    )


WORST_GROWTH_NEAR = _worst_growth_within(100.0)
WORST_GROWTH_FAR = _worst_growth_within(1e4, spare=4)


def _axis_growth_at(r: float) -> Quantity:
    return Quantity(
        f"axis_growth_{r:g}".replace("e+0", "e"),
        f"axis G({r:g})".replace("e+0", "e"),
        f"The maximum of G's formula over axes and sparse directions at distance {r:g}; G leaves them out.",
        readers.axis_growth(r),
        direction="lower",
        clip=GROWTHS,
        total="mean",
    )


def _far_error_where(truth: Truth) -> Quantity:
    return Quantity(
        f"far_error_{truth}",
        f"{truth}\ntruths",
        f"The far error over tasks whose true target is {truth} far away.",
        direction="lower",
        clip=ERRORS,
        total="mean",
        of=FAR_ERROR.name,
        truth=truth,
        board=0,
    )


def _far_error_by(kind: FarKind) -> Quantity:
    return Quantity(
        f"far_error_{kind}",
        f"far by\n{kind}",
        f"The far error over tasks whose far rows are far by {kind}.",
        direction="lower",
        clip=ERRORS,
        total="mean",
        of=FAR_ERROR.name,
        far_kind=kind,
        board=2,
    )


QUANTITIES: tuple[Quantity, ...] = (
    *(_far_error_where(truth) for truth in get_args(Truth)),
    *(_far_error_by(kind) for kind in get_args(FarKind)),
    FAR_ERROR,
    FAR_SATURATED,
    BEYOND,
    ID_ERROR,
    MAX_GROWTH,
    _growth_at(10.0, spare=5),
    _growth_at(100.0, spare=6),
    EXPONENT,
    LOCAL_EXPONENT,
    AXIS_EXPONENT,
    *(_axis_growth_at(r) for r in AXIS_RADII),
    _worst_growth_within(10.0),
    WORST_GROWTH_NEAR,
    WORST_GROWTH_FAR,
    CERTIFICATE,
    NONFINITE,
    PARAMETERS,
    Quantity(
        "step_operations",
        "operations a step",
        "Floating-point operations of the matrix products and convolutions of a training step.",
        lambda record: record.step_operations,
        kind="whole",
    ),
    LEARNING_RATE,
    BEST_STEP,
    EDGE_OF_GRID,
    EDGE_OF_STEPS,
    SECONDS,
)

OF_RECORDS: tuple[Quantity, ...] = tuple(q for q in QUANTITIES if q.read is not None)
NUMBERS: tuple[str, ...] = tuple(q.name for q in OF_RECORDS)
MEANS: tuple[Quantity, ...] = tuple(q for q in QUANTITIES if q.total == "mean")
RANGES: tuple[Quantity, ...] = tuple(q for q in QUANTITIES if q.total == "range")
SUMS: tuple[Quantity, ...] = tuple(q for q in QUANTITIES if q.total == "sum")
RANKED: tuple[Quantity, ...] = tuple(sorted((q for q in QUANTITIES if q.rank), key=lambda q: q.rank or 0))
COMPARED: tuple[Quantity, ...] = tuple(q for q in QUANTITIES if q.compared is not None)

SEEN: tuple[Quantity, ...] = (
    MAX_GROWTH,
    *(q for q in QUANTITIES if q.name.startswith(("worst_growth", "axis_growth"))),
)
"""Growth that was measured: none of it can exceed a certificate that holds."""


def quantity(name: str) -> Quantity:
    """The quantity called ``name``."""
    return next(q for q in QUANTITIES if q.name == name)
