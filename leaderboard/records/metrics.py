"""What is measured, as formulas over arrays (numpy, float64). Outputs and targets are standardized unless said.

Nothing here hides a number that is not finite: it is counted, and what would contain it is ``None``.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from leaderboard.records.record import Role, SetResult

ERROR_CLIP = (1e-2, 1e3)  # relative errors, before logarithms and geometric means; never what is stored
GROWTH_FLOOR = 1e-6
# The verdict on a seed, from the larger of its exponents along rays and along axes: bounded below the first number,
# sublinear below the second, linear up to the third, superlinear above it or where an output is not finite.
BOUNDED_BELOW = 0.05
LINEAR_FROM = 0.95
LINEAR_TO = 1.05
SEARCHED_BELOW = 1.26  # worst growth at 1e4 R over that at 100 R: two decades at exponent 0.05
GROWTH_KINDS: tuple[str, ...] = ("bounded", "sublinear", "linear", "superlinear")
Span = tuple[float, float]
FAR_SPAN: Span = (1e6, 1e8)  # of the exponent
LOCAL_SPAN: Span = (1e3, 1e4)  # of the local one
RADII_A_RUNG = 8
RADII_A_RUNG_OF_TWO_RAYS = 128  # in one dimension: 8 read one of ten bounded sums of sines as growing
AXIS_RADII: tuple[float, ...] = (1e2, 1e4, 1e6, 1e8)  # where axes and sparse directions are read
LADDER: tuple[float, ...] = (1, 2, 5, 10, 20, 50, 100, 200, 500, 1e3, 2e3, 5e3, 1e4)
DISTANCE_QUANTILES = (0.05, 0.5, 0.95)


def root_mean_square(values: ArrayLike, axis: int | None = None) -> NDArray[np.float64]:
    """sqrt(mean(v²)), without overflow where the result itself is representable."""
    array = np.abs(np.asarray(values, dtype=np.float64))
    scale = array.max(axis=axis, keepdims=True)
    divisor = np.where(np.isfinite(scale) & (scale > 0), scale, 1.0)
    mean: NDArray[np.float64] = np.sqrt(np.mean((array / divisor) ** 2, axis=axis))
    spread: NDArray[np.float64] = mean * np.squeeze(divisor, axis=axis)
    return spread


def rmse(predictions: ArrayLike, targets: ArrayLike) -> float:
    """Root mean squared error."""
    return float(root_mean_square(_errors(predictions, targets)))


def mae(predictions: ArrayLike, targets: ArrayLike) -> float:
    """Mean absolute error."""
    return float(np.mean(np.abs(_errors(predictions, targets))))


def r2(predictions: ArrayLike, targets: ArrayLike) -> float | None:
    """1 − Σ(y − ŷ)² / Σ(y − ȳ)², with ȳ the mean of these very targets; ``None`` when they do not vary."""
    target = np.asarray(targets, dtype=np.float64)
    spread = float(root_mean_square(target - target.mean()))
    if np.ptp(target) == 0 or spread == 0:
        return None
    ratio = rmse(predictions, target) / spread
    return 1.0 - ratio * ratio if ratio < 1e150 else None


def relative_error(predictions: ArrayLike, targets: ArrayLike) -> float | None:
    """RMSE of the model / RMSE of answering with the training mean (z = 0) on the same rows.

    0 is perfect, 1 is no better than the training mean; ``None`` when the training mean is itself perfect there.
    """
    baseline = float(root_mean_square(targets))
    return rmse(predictions, targets) / baseline if baseline > 0 else None


def clip_error(error: float) -> float:
    """``error`` clipped to [1e-2, 1e3], as every logarithm of an error is taken."""
    return min(max(error, ERROR_CLIP[0]), ERROR_CLIP[1])


def far_error(relative_errors: Iterable[float | None]) -> float | None:
    """Geometric mean of relative errors over far sets, as it is stored: unclipped, 0 where one of them is.

    ``None`` when there is no far set or one is missing.
    """
    errors = list(relative_errors)
    known = [e for e in errors if e is not None]
    if not errors or len(known) < len(errors):
        return None
    return math.exp(sum(math.log(e) for e in known) / len(known)) if all(known) else 0.0


def clipped_far_error(relative_errors: Iterable[float | None]) -> float | None:
    """Geometric mean of clipped relative errors over far sets: what boards and comparisons take means of."""
    return far_error(None if e is None else clip_error(e) for e in relative_errors)


def saturated_far_error(relative_errors: Iterable[float | None]) -> float | None:
    """Mean over far sets of e / (1 + e), from 0 (perfect) over 1/2 (the training mean) to 1; ``None`` without sets.

    One huge or tiny error moves it little.

    Args:
        relative_errors: e of each; ``None`` counts as 1 (outputs that were not finite).
    """
    parts = [1.0 if e is None or math.isinf(e) else e / (1.0 + e) for e in relative_errors]
    return sum(parts) / len(parts) if parts else None


def set_result(
    name: str,
    role: Role,
    predictions: ArrayLike,
    targets: ArrayLike,
    *,
    target_scale: float = 1.0,
    distance: ArrayLike | None = None,
) -> SetResult:
    """Everything that is measured on one labelled set.

    Args:
        name: of the set.
        role: ``test`` or ``far``.
        predictions: ẑ, shape (n,); may hold values that are not finite.
        targets: z, shape (n,), finite.
        target_scale: units per unit of z; RMSE and MAE are in units.
        distance: of each row, in radii, shape (n,).
    """
    target = np.asarray(targets, dtype=np.float64).reshape(-1)
    predicted = np.asarray(predictions, dtype=np.float64).reshape(-1)
    quantiles = beyond = None
    if distance is not None:
        beyond = float(np.mean(np.asarray(distance, dtype=np.float64) > 1))
        quantiles = tuple(float(q) for q in np.quantile(np.asarray(distance, dtype=np.float64), DISTANCE_QUANTILES))
    nonfinite = _unrepresentable(predicted, target, target_scale)
    if nonfinite:
        measures = (None, None, None, None)
        return SetResult(name, role, len(target), *measures, nonfinite, quantiles, beyond)  # type: ignore[arg-type]
    return SetResult(
        name=name,
        role=role,
        rows=len(target),
        relative_error=relative_error(predicted, target),
        rmse=rmse(predicted, target) * target_scale,
        mae=mae(predicted, target) * target_scale,
        r2=r2(predicted, target),
        nonfinite=0,
        distance=quantiles,  # type: ignore[arg-type]
        beyond=beyond,
    )


def _unrepresentable(predicted: NDArray[np.float64], target: NDArray[np.float64], scale: float) -> int:
    """Rows whose error, in units or relative to the baseline, is no float64."""
    if not np.isfinite(target).all():
        raise ValueError("targets must be finite")
    smallest = min(float(root_mean_square(target)) or 1.0, 1.0)
    with np.errstate(over="ignore", invalid="ignore"):
        errors = np.abs(predicted - target)
        # the sum inside MAE must be representable too
        return int(np.sum(~np.isfinite(errors * max(scale, 1.0) / smallest * len(target))))


def _errors(predictions: ArrayLike, targets: ArrayLike) -> NDArray[np.float64]:
    predicted, target = np.asarray(predictions, dtype=np.float64), np.asarray(targets, dtype=np.float64)
    if predicted.shape != target.shape or predicted.size == 0:
        raise ValueError(f"predictions {predicted.shape} and targets {target.shape} must have one non-empty shape")
    return predicted - target


@dataclass(frozen=True)
class LadderResult:
    """G(r), departure and the count of non-finite outputs at each rung: fields of a record."""

    growth: tuple[float | None, ...]
    departure: tuple[float | None, ...]
    nonfinite: tuple[int, ...]


def ladder_result(outputs: ArrayLike, target_max: float) -> LadderResult:
    """Growth and departure of the outputs along rays.

    Args:
        outputs: ẑ(r·R·d), shape (rungs, directions).
        target_max: max |z| over training targets.
    """
    values, counts = growth(outputs, target_max)
    away = departure(outputs)
    whole = [not count for count in counts]
    return LadderResult(
        tuple(float(g) if ok else None for g, ok in zip(values, whole, strict=True)),
        tuple(float(d) if ok else None for d, ok in zip(away, whole, strict=True)),
        tuple(int(c) for c in counts),
    )


def growth(outputs: ArrayLike, target_max: float) -> tuple[NDArray[np.float64], NDArray[np.int64]]:
    """G(r) = max over directions of |ẑ| / max over training targets of |z|, and how many outputs were not finite.

    G is infinite at a rung with an output that is not finite.

    Args:
        outputs: ẑ, shape (rungs, directions).
        target_max: max |z| over training targets, positive.
    """
    if not (math.isfinite(target_max) and target_max > 0):
        raise ValueError(f"target_max must be positive and finite, not {target_max}")
    with np.errstate(over="ignore", invalid="ignore"):
        ratio = np.abs(np.asarray(outputs, dtype=np.float64)) / target_max
    bad = ~np.isfinite(ratio)
    return np.where(bad, np.inf, ratio).max(axis=1), bad.sum(axis=1)


def departure(outputs: ArrayLike) -> NDArray[np.float64]:
    """RMS of ẑ over directions at each rung: 0 means the network answers with the training mean. Shape (rungs,)."""
    array = np.asarray(outputs, dtype=np.float64)
    finite = np.isfinite(array)
    spread = root_mean_square(np.where(finite, array, 0.0), axis=1)
    return np.where(np.all(finite, axis=1), spread, np.inf)


def probe_radii(span: Span, draw: np.random.Generator, a_rung: int = RADII_A_RUNG) -> NDArray[np.float64]:
    """Radii at which an exponent is read, ascending: rungs at 1, 2 and 5 a decade, some radii a rung.

    Those of a rung are drawn log-uniformly between it and the next one, so that no function that oscillates stands at
    the same phase at all of them. Shape (rungs * a_rung,); 48 radii for two decades.

    Args:
        span: from one power of ten to another.
        draw: depends on the task alone.
        a_rung: how many radii a rung.
    """
    first, last = (round(math.log10(end)) for end in span)
    edges = [m * 10.0**e for e in range(first, last) for m in (1, 2, 5)] + [10.0**last]
    logs = np.log(edges)
    share = draw.random((len(edges) - 1, a_rung))
    radii: NDArray[np.float64] = np.sort(np.exp(logs[:-1, None] + share * np.diff(logs)[:, None]).ravel())
    return radii


def exponent(radii: ArrayLike, growth: Sequence[float | None] | NDArray[np.float64]) -> float | None:
    """Theil-Sen slope of the running maximum of log G against log r, with G floored at 1e-6.

    The median of the slopes of all pairs of radii (Sen, 1968); never negative, for a running maximum never falls, and 0
    when G stays at or below the floor. ``None`` when G is not finite somewhere.

    Args:
        radii: ascending, at least two; the maximum runs from the first one.
        growth: G at each.
    """
    values = np.array([math.inf if g is None else g for g in growth], dtype=np.float64)
    if not np.isfinite(values).all():
        return None
    x = np.log(np.asarray(radii, dtype=np.float64))
    y = np.maximum.accumulate(np.log(np.maximum(values, GROWTH_FLOOR)))
    first, second = np.triu_indices(len(x), k=1)
    return float(np.median((y[second] - y[first]) / (x[second] - x[first])))


def growth_kind(exponent: float) -> int:
    """The place in ``GROWTH_KINDS`` of an exponent; an infinite one is superlinear."""
    return int(exponent >= BOUNDED_BELOW) + int(exponent >= LINEAR_FROM) + int(exponent > LINEAR_TO)


def axis_exponent(growth: Sequence[tuple[float, float | None]]) -> float | None:
    """Slope of log ``axis_growth`` against log r between the last two radii, floored; ``None`` if one is not finite."""
    (near, before), (far, after) = growth[-2:]
    if before is None or after is None:
        return None
    rise = math.log(max(after, GROWTH_FLOOR)) - math.log(max(before, GROWTH_FLOOR))
    return rise / math.log(far / near)
