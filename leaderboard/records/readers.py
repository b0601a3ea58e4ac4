"""What quantities read of a record: infinite where an output was not finite, ``None`` where nothing was measured."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence

from leaderboard.records import metrics
from leaderboard.records.record import Record


def far_error(record: Record) -> float | None:
    """The geometric mean over far sets of their clipped relative errors."""
    far = [s for s in record.sets if s.role == "far"]
    return math.inf if any(s.nonfinite for s in far) else metrics.clipped_far_error(s.relative_error for s in far)


def saturated_far_error(record: Record) -> float | None:
    """The mean over far sets of e/(1+e)."""
    far = [s for s in record.sets if s.role == "far"]
    known = all(s.nonfinite or s.relative_error is not None for s in far)  # else the training mean is perfect there
    return metrics.saturated_far_error(s.relative_error for s in far) if known else None


def id_error(record: Record) -> float | None:
    """The relative error on the test set."""
    lost = record.id_error is None and any(s.role == "test" and s.nonfinite for s in record.sets)
    return math.inf if lost else record.id_error


def beyond(record: Record) -> float | None:
    """The share of far rows beyond R, over all far sets together."""
    far = [(s.rows, s.beyond) for s in record.sets if s.role == "far" and s.beyond is not None]
    return sum(rows * share for rows, share in far) / sum(rows for rows, _ in far) if far else None


def exponent(record: Record) -> float | None:
    """The slope along rays."""
    return math.inf if record.exponent is None and record.ladder else record.exponent


def local_exponent(record: Record) -> float | None:
    """The same, nearer."""
    return math.inf if record.local_exponent is None and record.probe_nonfinite is not None else record.local_exponent


def axis_exponent(record: Record) -> float | None:
    """The slope along axes."""
    return math.inf if record.axis_exponent is None and record.probe_nonfinite is not None else record.axis_exponent


def nonfinite(record: Record) -> int | None:
    """How many outputs were not finite, wherever they were looked at."""
    if not record.ladder and not record.sets:
        return None
    return sum(record.nonfinite) + sum(s.nonfinite for s in record.sets) + (record.probe_nonfinite or 0)


def worst_growth(r: float) -> Callable[[Record], float | None]:
    """A reader of the growth found within r."""
    return lambda record: _reading(record.worst_growth, r)


def axis_growth(r: float) -> Callable[[Record], float | None]:
    """A reader of the growth along axes at r."""
    return lambda record: _reading(record.axis_growth, r)


def _reading(readings: Sequence[tuple[float, float | None]], r: float) -> float | None:
    """The value at r; infinite where it was not finite, None if r was not read."""
    found = [value for at, value in readings if math.isclose(at, r, rel_tol=1e-9)]
    return None if not found else math.inf if found[0] is None else found[0]
