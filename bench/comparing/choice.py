"""Which network to take, decided without the far rows."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from bench.sweep.runner import Results
from leaderboard.page.own_table import is_bounded
from leaderboard.ranking.conclusion import Conclusion, ConclusionRow
from leaderboard.ranking.statements.power import EQUIVALENT
from leaderboard.ranking.statistics import Sample, log_t_intervals
from leaderboard.records.record import Record
from leaderboard.records.store.store import Store

if TYPE_CHECKING:
    from tasks import Task

PLAIN = "clip@input"
LEAST = 1e-12  # of an error, so that it has a logarithm


@dataclass(frozen=True)
class Choice:
    """The recommended network.

    Attributes:
        architecture, norm: in canonical spelling.
        bounded: its verdict on rays says so; if not, none of the schemes is bounded.
        error: its relative error on validation rows, geometric mean over seeds.
        least_norm, least_error: of the schemes that were chosen from, the one with the least such error.
        row: its row of the conclusion.
        validation: of every (architecture, norm) that finished, the same error.
    """

    architecture: str
    norm: str
    bounded: bool
    error: float
    least_norm: str
    least_error: float
    row: ConclusionRow
    validation: tuple[tuple[tuple[str, str], float], ...]


def choose(results: Results, conclusion: Conclusion, task: Task, architecture: str) -> Choice | None:
    """The bounded scheme of ``architecture`` with the least validation error, of those that all seeds finished.

    Growth is measured on rays, which have no labels, and validation rows lie in the training domain: the errors on far
    rows have no part in the choice, so that they remain a test of it. ``clip@input``, which changes nothing within the
    training radius, is kept unless another's validation error is smaller by more than 5%, by the whole 95% interval of
    their ratio over seeds: the validation rows are few, and seeds do not show how much others would differ.
    Where no scheme is bounded, the one with the least validation error of all.

    Args:
        results: with the store that has the curves.
        conclusion: of the schemes.
        task: whose draws have the validation rows that errors are relative to.
        architecture: of the networks that are chosen from.

    Returns:
        ``None`` where no scheme of it finished with all seeds.
    """
    rows = [r for r in conclusion.rows if r.fixed == architecture and not r.troubles and r.far_error is not None]
    errors = _validation_errors(results, task)
    found = {row.name: row for row in rows if (row.fixed, row.name) in errors}
    if not found:
        return None
    bounded = [name for name, row in found.items() if is_bounded(row)]
    middle = {name: _middle(errors[architecture, name]) for name in found}
    least = min(bounded or found, key=lambda name: middle[name])
    kept = PLAIN in bounded and not _told(errors[architecture, least], errors[architecture, PLAIN])
    norm = PLAIN if kept else least
    every = tuple(sorted((name, _middle(mine)) for name, mine in errors.items()))
    return Choice(architecture, norm, bool(bounded), middle[norm], least, middle[least], found[norm], every)


def _middle(errors: dict[int, float]) -> float:
    """Geometric mean."""
    return math.exp(sum(map(math.log, errors.values())) / len(errors))


def _told(errors: dict[int, float], others: dict[int, float]) -> bool:
    """Whether the errors are smaller than those of the others, paired by seed, by more than counts as equivalent."""
    pairs = tuple(errors[seed] / others[seed] for seed in errors if seed in others)
    (ratio,) = log_t_intervals([Sample(pairs)])
    return ratio.high is not None and ratio.high < math.exp(-EQUIVALENT)


def _validation_errors(results: Results, task: Task) -> dict[tuple[str, str], dict[int, float]]:
    """Of each network, by seed: RMSE on validation rows over that of the training mean, at the selected step."""
    scales: dict[int, float] = {}
    found: dict[tuple[str, str], dict[int, float]] = {}
    with Store(results.store) as store:
        for record in results.records:
            squared = _selected(store, record)
            if squared is not None:
                name, seed = (record.key.architecture, record.key.norm), record.key.seed
                if seed not in scales:
                    scales[seed] = math.sqrt(float(np.square(task.load(seed).validation.targets).mean()))
                found.setdefault(name, {})[seed] = max(math.sqrt(squared) / scales[seed], LEAST)
    return found


def _selected(store: Store, record: Record) -> float | None:
    """The mean squared validation error at the step whose weights were kept; None of what was not trained."""
    if record.status != "ok" or record.best_step is None:
        return None
    kept = store.details(record.key, "curve.step", "curve.validation")
    curve = dict(zip(kept.get("curve.step", ()), kept.get("curve.validation", ()), strict=True))
    return curve.get(float(record.best_step))
