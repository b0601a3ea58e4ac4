"""Which network to take, decided without the far rows."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from bench.sweep.runner import Results
from leaderboard.ranking.conclusion import Conclusion, ConclusionRow
from leaderboard.records.record import Record
from leaderboard.records.store.store import Store

if TYPE_CHECKING:
    from tasks import StandardizedTask

BOUNDED = "bounded"


@dataclass(frozen=True)
class Choice:
    """The recommended network.

    Attributes:
        architecture, norm: in canonical spelling.
        bounded: its verdict on rays says so; if not, none of the schemes is bounded.
        error: its relative error on validation rows, geometric mean over seeds.
        row: its row of the conclusion.
        validation: of every (architecture, norm) that finished, the same error.
    """

    architecture: str
    norm: str
    bounded: bool
    error: float
    row: ConclusionRow
    validation: tuple[tuple[tuple[str, str], float], ...]


def choose(results: Results, conclusion: Conclusion, task: StandardizedTask, architecture: str | None) -> Choice | None:
    """Of the schemes of ``architecture`` that all seeds finished, the bounded one with the least validation error.

    Growth is measured on rays, which have no labels, and validation rows lie in the training domain: the errors on far
    rows have no part in the choice, so that they remain a test of it. Where no scheme is bounded, the one with the
    least validation error.

    Args:
        results: with the store that has the curves.
        conclusion: of the schemes.
        task: gives the validation rows that errors are relative to.
        architecture: of the networks that are chosen from.

    Returns:
        ``None`` where no scheme of it finished with all seeds.
    """
    rows = [r for r in conclusion.rows if r.fixed == architecture and not r.troubles and r.far_error is not None]
    errors = _validation_errors(results, task)
    found = [(row, errors[row.fixed, row.name]) for row in rows if (row.fixed, row.name) in errors]
    if not found:
        return None
    bounded = [pair for pair in found if pair[0].verdict == BOUNDED]
    row, error = min(bounded or found, key=lambda pair: pair[1])
    return Choice(row.fixed, row.name, bool(bounded), error, row, tuple(sorted(errors.items())))


def _validation_errors(results: Results, task: StandardizedTask) -> dict[tuple[str, str], float]:
    """Of each network that finished: RMSE on validation rows over that of the training mean, at the selected step."""
    scale = math.sqrt(float(np.square(task.validation.targets).mean()))
    logs: dict[tuple[str, str], list[float]] = {}
    with Store(results.store) as store:
        for record in results.records:
            squared = _selected(store, record)
            if squared is not None:
                name = (record.key.architecture, record.key.norm)
                logs.setdefault(name, []).append(math.log(max(math.sqrt(squared) / scale, 1e-12)))
    return {name: math.exp(sum(values) / len(values)) for name, values in logs.items()}


def _selected(store: Store, record: Record) -> float | None:
    """The mean squared validation error at the step whose weights were kept; None of what was not trained."""
    if record.status != "ok" or record.best_step is None:
        return None
    kept = store.details(record.key, "curve.step", "curve.validation")
    curve = dict(zip(kept.get("curve.step", ()), kept.get("curve.validation", ()), strict=True))
    return curve.get(float(record.best_step))
