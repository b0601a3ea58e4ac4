"""The curves of a W&B run: training against the step, growth, departure and far error against the distance.

A run is a cell, and a curve of it one line: the geometric mean over its seeds, so that the runs of a task lie over each
other in one panel, a line a scheme. Training is told of each seed as well.

W&B numbers the rows of a run by a step of its own, and a run that is resumed drops rows whose number it has seen. Each
seed has numbers of its own, and the means come behind the last seed: sending a cell again adds nothing, while a seed
that is new still finds a place. Nothing that was sent can be taken back (rewinding a run is a preview that few servers
have), so the means are sent once: over more seeds they would be a second line across the first (:func:`still_to_send`).
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence

from leaderboard.records.quantities import FAR_ERROR
from leaderboard.records.record import Details, Record

Row = tuple[int, dict[str, float]]
SentRow = tuple[int, Mapping[str, float]]
STEP, DISTANCE = "step", "distance"
TRAINING = ("train", "validation")
AGAINST_DISTANCE = ("growth", "departure", FAR_ERROR.name)
_STRIDE = 50_000  # W&B steps for one seed's curve, and as many for means; no protocol checks that often


def history_of(records: Sequence[Record], details: Sequence[Details]) -> tuple[Row, ...]:
    """Every row of a cell's run, in ascending order of W&B's step.

    Args:
        records: of one cell, in ascending order of seed.
        details: of each record in turn; training curves are read from it.
    """
    curves = {r.key.seed: _training(d) for r, d in zip(records, details, strict=True)}
    rows: list[Row] = []
    for seed, curve in curves.items():
        named = ({STEP: step} | {f"{kind}/loss/seed{seed}": v for kind, v in at.items()} for step, at in curve.items())
        rows += _numbered(named, 2 * seed)
    means = [*_mean_training(list(curves.values())), *_along_rays(records), *_far(records)]
    return (*rows, *_numbered(means, 2 * records[-1].key.seed + 1))


def still_to_send(history: Sequence[SentRow], begun: int) -> tuple[SentRow, ...]:
    """The rows of ``history`` that belong into a run whose next W&B step is ``begun`` (0: it is new).

    Seeds that it does not have are added; where it has means, over whichever seeds, no other means are.
    """
    last = (begun - 1) // _STRIDE  # the block that was written last
    has_means = begun > 0 and _holds_means(last)
    left = [(step, row) for step, row in history if step >= begun]
    return tuple((n, row) for n, row in left if not has_means or not _holds_means(n // _STRIDE) or n // _STRIDE == last)


def holds_means(rows: Sequence[SentRow]) -> bool:
    """Whether means over seeds are among the rows."""
    return any(_holds_means(step // _STRIDE) for step, _ in rows)


def _holds_means(block: int) -> bool:
    return block % 2 == 1


def _numbered(rows: Iterable[dict[str, float]], block: int) -> list[Row]:
    return [(block * _STRIDE + index, row) for index, row in enumerate(rows)]


def _training(details: Details) -> dict[float, dict[str, float]]:
    """Training and validation loss of one seed by step; gaps stay gaps."""
    steps, *curves = (details.get(f"curve.{name}", ()) for name in ("step", *TRAINING))
    found: dict[float, dict[str, float]] = {}
    for index, step in enumerate(steps):
        values = {kind: _at(curve, index) for kind, curve in zip(TRAINING, curves, strict=True)}
        if step is not None:
            found[step] = {kind: value for kind, value in values.items() if value is not None}
    return found


def _mean_training(curves: Sequence[Mapping[float, Mapping[str, float]]]) -> list[dict[str, float]]:
    """``train/loss`` and ``validation/loss`` at the steps that every seed with a curve has."""
    told = [curve for curve in curves if curve]
    rows = []
    for step in told[0] if told else ():
        row = {f"{kind}/loss": mean for kind in TRAINING if (mean := _mean([c.get(step, {}).get(kind) for c in told]))}
        if row:
            rows.append({STEP: step} | row)
    return rows


def _along_rays(records: Sequence[Record]) -> list[dict[str, float]]:
    """Growth and departure at the rungs that every probed seed has; a line ends where an output is not finite."""
    curves = [
        {r: (g, d) for r, g, d in zip(one.ladder, one.growth, one.departure, strict=True)}
        for one in records
        if one.ladder
    ]
    rows = []
    for r in curves[0] if curves else ():
        pairs = [curve.get(r, (None, None)) for curve in curves]
        means = {name: _mean([pair[i] for pair in pairs]) for i, name in enumerate(AGAINST_DISTANCE[:2])}
        row = {name: mean for name, mean in means.items() if mean is not None}
        if row:
            rows.append({DISTANCE: r} | row)
    return rows


def _far(records: Sequence[Record]) -> list[dict[str, float]]:
    """The relative error of each far set at the median distance of its rows, from near to far."""
    rows = []
    for name in dict.fromkeys(s.name for one in records for s in one.sets if s.role == "far"):
        mine = [s for one in records if (s := one.set_named(name))]
        distance = _mean([s.distance[1] if s.distance else None for s in mine])
        error = error_on(records, name)
        if distance is not None and error is not None:
            rows.append({DISTANCE: distance, FAR_ERROR.name: error})
    return sorted(rows, key=lambda row: row[DISTANCE])


def error_on(records: Sequence[Record], name: str) -> float | None:
    """Geometric mean over seeds of the relative error on one labelled set; None where one is not finite, or none is."""
    return _mean([None if s.nonfinite else s.relative_error for one in records if (s := one.set_named(name))])


def _mean(values: Sequence[float | None]) -> float | None:
    """Geometric mean (0 where a value is 0); None where one is missing or not finite."""
    known = [v for v in values if v is not None and math.isfinite(v) and v >= 0]
    if not known or len(known) < len(values):
        return None
    return math.exp(sum(map(math.log, known)) / len(known)) if min(known) > 0 else 0.0


def _at(values: Sequence[float | None], index: int) -> float | None:
    return values[index] if index < len(values) else None
