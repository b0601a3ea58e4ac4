"""What a comparison says in the end: for each kind of truth, who is better than the reference, and what to do.

Everything here speaks of *these tasks*, over seeds; what may be said of *tasks like these* stands apart in
:attr:`ConclusionRow.general`, and only from six tasks on.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Literal, get_args

from bench.core.grammar import title_of
from bench.core.registry import natural
from leaderboard.ranking.comparison import Comparison, Difference
from leaderboard.ranking.levels import Level
from leaderboard.ranking.pairs import By, Effect
from leaderboard.ranking.statements.power import EQUIVALENT, MOST_SEEDS, detectable, seeds_needed
from leaderboard.ranking.statistics import holm
from leaderboard.records.interval import Interval
from leaderboard.records.quantities import FAR_ERROR, ID_ERROR
from leaderboard.records.record import Truth

LEVEL = 0.05
MOST_CLAUSES = 4  # of a sentence
MOST_NAMES = 6
Judgement = Literal["reference", "better", "worse", "equivalent", "undecided"]


@dataclass(frozen=True)
class ConclusionRow:
    """One scheme (or architecture) on the tasks of one kind of truth.

    Attributes:
        truth: the kind of truth of the tasks.
        fixed: what it shares with the reference: the architecture when norms are compared, else the norm.
        name: what is compared: the norm, or the architecture.
        source_hash, norm_hash: of its code and that of its norm's kinds.
        tasks: their names, in natural order.
        seeds: least and greatest number of finished records over the tasks.
        id_error, far_error: absolute, near and far, with intervals over seeds; ``None`` where nothing was measured.
        verdict: how it grows; ``grade``: what the verdict rests on (empty where there is none).
        ratio: far error over the reference's, paired by task and seed, with the 95% interval over seeds, on these
            tasks; ``None`` of the reference itself and without pairs.
        p_holm: of no difference in far error, corrected for the rows of this kind of truth that share ``fixed``.
        judgement: better, worse, equivalent (the interval lies inside 1/1.05…1.05), undecided; or the reference.
        detectable: the smallest ratio above 1 (or its inverse) that these seeds would have shown four times in five.
        seeds_needed: how many seeds a task would decide, from few to many as the variance is only estimated; the
            second is ``None`` beyond ``MOST_SEEDS``, both are where they are beyond it. ``None`` of what is decided.
        id_ratio: the ratio of the id errors, likewise.
        general: the far error's ratio for tasks like these: t-interval over task means; ``None`` for no claim.
        troubles: records that are not ok, as (status, number).
    """

    truth: Truth
    fixed: str
    name: str
    source_hash: str
    norm_hash: str
    tasks: tuple[str, ...]
    seeds: tuple[int, int]
    id_error: Interval | None
    far_error: Interval | None
    verdict: str
    grade: str
    ratio: Interval | None
    p_holm: float | None
    judgement: Judgement
    detectable: float | None
    seeds_needed: tuple[int | None, int | None] | None
    id_ratio: Interval | None
    general: Interval | None
    troubles: tuple[tuple[str, int], ...]


@dataclass(frozen=True)
class Advice:
    """One sentence on the tasks of one kind of truth."""

    truth: Truth
    tasks: tuple[str, ...]
    sentence: str


@dataclass(frozen=True)
class Conclusion:
    """The end of a comparison.

    Attributes:
        protocol, by, reference: as in the comparison.
        rows: by kind of truth, then by what is shared, then from the least far error to the greatest.
        advice: one for each kind of truth there is, in the order of ``rows``.
    """

    protocol: str
    by: By
    reference: str
    rows: tuple[ConclusionRow, ...]
    advice: tuple[Advice, ...]


def conclude(comparison: Comparison) -> Conclusion:
    """The end of ``comparison``: who is better than the reference for each kind of truth, and what to do."""
    levels = {(level.truth, level.names): level for level in comparison.levels if not level.is_reference}
    differences = comparison.by_truth
    judged = _judged(differences, [levels[_key(row)].seeds[0] for row in differences])
    rows = [_row(levels[_key(row)], row, found) for row, found in zip(differences, judged, strict=True)]
    rows += [_row(level) for level in comparison.levels if level.is_reference]
    rows.sort(key=_order)
    kinds = [truth for truth in get_args(Truth) if any(row.truth == truth for row in rows)]
    advice = [_advice([row for row in rows if row.truth == truth], comparison) for truth in kinds]
    return Conclusion(comparison.protocol, comparison.by, comparison.reference, tuple(rows), tuple(advice))


def _key(row: Difference) -> tuple[Truth, tuple[str, str, str, str]]:
    assert row.truth is not None
    return row.truth, (row.fixed, row.candidate, row.source_hash, row.norm_hash)


def _order(row: ConclusionRow) -> tuple[object, ...]:
    """Kind of truth, what is shared, far error; what has none last."""
    error = math.inf if row.far_error is None else row.far_error.mean
    return get_args(Truth).index(row.truth), natural(row.fixed), error, natural(row.name), row.source_hash


@dataclass(frozen=True)
class _Judged:
    """What is found of one row's far error."""

    judgement: Judgement = "reference"
    p_holm: float | None = None
    detectable: float | None = None
    needed: tuple[int | None, int | None] | None = None


_REFERENCE = _Judged()


def _judged(rows: Sequence[Difference], seeds: Sequence[int]) -> list[_Judged]:
    """Of each row the judgement, what could have been detected, how many seeds would decide."""
    effects = [row.effect(FAR_ERROR.name) for row in rows]
    p_values, asked = _corrected(rows, effects)
    found = [_Judged(_judgement(effect, p), p) for effect, p in zip(effects, p_values, strict=True)]
    random = [place for place, effect in enumerate(effects) if effect.standard_error and effect.log_difference]
    error = [effects[place].standard_error or 0.0 for place in random]
    freedom = [effects[place].freedom for place in random]
    level = [LEVEL / asked[place] for place in random]
    smallest = detectable(error, freedom, level).tolist()
    means = [difference.mean if (difference := effects[place].log_difference) else 0.0 for place in random]
    ends = seeds_needed(means, error, freedom, [seeds[place] for place in random], level).tolist()
    for place, ratio, (few, many) in zip(random, smallest, ends, strict=True):
        needed = (_countable(few), _countable(many)) if found[place].judgement == "undecided" else None
        found[place] = replace(found[place], detectable=ratio, needed=needed)
    return found


def _corrected(rows: Sequence[Difference], effects: Sequence[Effect]) -> tuple[list[float | None], list[int]]:
    """Holm's p-value of each row and how many it is corrected for: those of one kind of truth that share ``fixed``."""
    families: dict[tuple[Truth | None, str], list[int]] = {}
    for place, row in enumerate(rows):
        families.setdefault((row.truth, row.fixed), []).append(place)
    p_values: list[float | None] = [None] * len(rows)
    asked = [1] * len(rows)
    for places in families.values():
        known = [effects[place].p_value for place in places]
        for place, p_value in zip(places, holm(known), strict=True):
            p_values[place], asked[place] = p_value, max(sum(p is not None for p in known), 1)
    return p_values, asked


def _judgement(effect: Effect, p_holm: float | None) -> Judgement:
    mean = effect.log_difference
    if mean is None or mean.low is None or mean.high is None or effect.lost or effect.won:
        return "undecided"
    if mean.low > -EQUIVALENT and mean.high < EQUIVALENT:
        return "equivalent"
    if p_holm is not None and p_holm < LEVEL:
        return "better" if mean.mean < 0 else "worse"
    return "undecided"


def _countable(seeds: int) -> int | None:
    return seeds if seeds <= MOST_SEEDS else None


def _row(level: Level, row: Difference | None = None, judged: _Judged = _REFERENCE) -> ConclusionRow:
    far = row.effect(FAR_ERROR.name) if row else None
    return ConclusionRow(
        truth=level.truth,
        fixed=level.fixed,
        name=level.name,
        source_hash=level.source_hash,
        norm_hash=level.norm_hash,
        tasks=level.tasks,
        seeds=level.seeds,
        id_error=level.id_error,
        far_error=level.far_error,
        verdict=level.verdict,
        grade=level.grade,
        ratio=far.ratio if far else None,
        p_holm=judged.p_holm,
        judgement=judged.judgement,
        detectable=judged.detectable,
        seeds_needed=judged.needed,
        id_ratio=row.effect(ID_ERROR.name).ratio if row else None,
        general=far.general if far else None,
        troubles=tuple((status, n) for status, n in level.counts if n and status != "ok"),
    )


def _advice(rows: Sequence[ConclusionRow], comparison: Comparison) -> Advice:
    """One sentence on the rows of one kind of truth."""
    truth = rows[0].truth
    tasks = tuple(sorted({task for row in rows for task in row.tasks}, key=natural))
    fixed = dict.fromkeys(row.fixed for row in rows)
    clauses = [_clause([row for row in rows if row.fixed == name], comparison.reference) for name in fixed]
    if len(fixed) > 1:
        clauses = [f"{name}: {clause}" for name, clause in zip(fixed, clauses, strict=True)]
    told = "; ".join(clauses[:MOST_CLAUSES])
    left = len(clauses) - MOST_CLAUSES
    told += f"; and {left} more in the table" if left > 0 else ""
    subject = {"unknown": "Where the truth is not known far away", "bounded": "Where the truth stays bounded"}
    where = f"{subject.get(truth, 'Where the truth grows')} ({_tasks(tasks)})"
    return Advice(truth, tasks, f"{where}: {told}.")


def _tasks(tasks: Sequence[str]) -> str:
    return title_of(tasks[0]) if len(tasks) == 1 else f"{len(tasks)} tasks"


def _clause(rows: Sequence[ConclusionRow], reference: str) -> str:
    """What to do among the rows that share an architecture (or a norm); sorted by far error."""
    of: dict[Judgement, list[ConclusionRow]] = {kind: [] for kind in get_args(Judgement)}
    for row in rows:
        of[row.judgement].append(row)
    parts = []
    if of["better"]:
        parts.append(_best(of["better"]))
    elif of["worse"] and not of["equivalent"] and not of["undecided"]:
        least = min(row.ratio.mean for row in of["worse"] if row.ratio)
        return f"take {reference}; the others are worse far away, by a factor of {least:.3g} at the least"
    if of["equivalent"]:
        parts.append(f"{_names(of['equivalent'])} {_do(of['equivalent'])} as well as {reference} far away")
    if of["undecided"]:
        parts.append(_open(of["undecided"], reference))
    if not parts:
        return f"nothing is compared with {reference}"
    if of["worse"]:
        parts.append(f"{_names(of['worse'])} {_is(of['worse'])} worse")
    return ", ".join(parts)


def _best(rows: Sequence[ConclusionRow]) -> str:
    first = min(rows, key=lambda row: row.ratio.mean if row.ratio else math.inf)
    assert first.ratio is not None
    text = f"take {first.name}, whose far error is {first.ratio.mean:.3g} times as large"
    near = first.id_ratio
    if near is not None and near.low is not None and near.low > 1:
        text += f" (near the data {near.mean:.3g} times)"
    others = [row for row in rows if row is not first]
    return f"{text}, {_names(others)} {_is(others)} better too" if others else text


def _open(rows: Sequence[ConclusionRow], reference: str) -> str:
    text = f"{_names(rows)} {_is(rows)} not yet told from {reference}"
    ranges = [row.seeds_needed for row in rows if row.seeds_needed]
    few = [few for few, _ in ranges if few is not None]
    if not few:
        return text
    many = [many for _, many in ranges]
    most = max((n for n in many if n is not None), default=None)
    end = f"more than {MOST_SEEDS:,}" if most is None or None in many else f"{most:,}"
    return f"{text} (run {min(few):,} to {end} seeds to decide)"


def _names(rows: Sequence[ConclusionRow]) -> str:
    names = [row.name for row in rows]
    if len(names) > MOST_NAMES:
        return f"{len(names)} others"
    return " and ".join(filter(None, (", ".join(names[:-1]), names[-1])))


def _is(rows: Sequence[ConclusionRow]) -> str:
    return "is" if len(rows) == 1 else "are"


def _do(rows: Sequence[ConclusionRow]) -> str:
    return "does" if len(rows) == 1 else "do"
