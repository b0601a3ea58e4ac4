"""Does a norm scheme (or another architecture) change what a network answers? Paired by task and seed.

At one seed two schemes share their initial weights and their batches, so that the difference of their logarithms is
free of what both have in common. Below 0 (a ratio below 1) the candidate's number is smaller: for errors, better.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Literal, get_args

from bench.core.errors import InputError, UnknownName
from bench.core.registry import natural
from leaderboard.ranking.grouping import (
    CellRecords,
    Edition,
    Quantity,
    by_protocol,
    current_editions,
    group_cells,
    id_error_of,
    max_growth_of,
)
from leaderboard.ranking.standings import ALL_TASKS
from leaderboard.ranking.statistics import Interval, Sample, holm, paired_difference
from leaderboard.records.record import Record
from leaderboard.records.summary import measured_far_error

By = Literal["norm", "architecture"]
METRICS: dict[str, Quantity] = {"far_error": measured_far_error, "id_error": id_error_of, "max_growth": max_growth_of}


@dataclass(frozen=True)
class Effect:
    """What the candidate does to one metric.

    Attributes:
        metric: its name.
        log_difference: mean of log(candidate) − log(reference), with the 95% interval; ``None`` without pairs.
        p_value, p_holm: two-sided, of no difference; the second corrected for all rows of the table.
        pairs: how many pairs of finite numbers it rests on.
        lost, won: pairs where only the candidate's (only the reference's) number is infinite: they are in no mean.
    """

    metric: str
    log_difference: Interval | None
    p_value: float | None
    p_holm: float | None
    pairs: int
    lost: int
    won: int

    @property
    def ratio(self) -> Interval | None:
        """Candidate / reference as a geometric mean."""
        return self.log_difference.map(math.exp) if self.log_difference else None


@dataclass(frozen=True)
class Difference:
    """One candidate against the reference, on one task or over all (``edition`` ``None``).

    Attributes:
        fixed: what both share: the architecture when norms are compared, the norm when architectures are.
        source_hash: of the candidate's code; when norms are compared, the reference's is the same.
        tasks: how many have pairs of records.
        outcomes: how pairs of records ended, as ((reference's status, candidate's status), number).
    """

    edition: Edition | None
    fixed: str
    candidate: str
    source_hash: str
    tasks: int
    effects: tuple[Effect, ...]
    outcomes: tuple[tuple[tuple[str, str], int], ...]

    @property
    def task(self) -> str:
        """The task's name, or "all tasks"."""
        return self.edition.task if self.edition else ALL_TASKS

    def effect(self, metric: str) -> Effect:
        """The effect on ``metric``."""
        return next(e for e in self.effects if e.metric == metric)


@dataclass(frozen=True)
class Comparison:
    """Every candidate against one reference, in one protocol."""

    protocol: str
    by: By
    reference: str
    overall: tuple[Difference, ...]
    per_task: tuple[Difference, ...]


def compare(records: Iterable[Record], by: By = "norm", reference: str | None = None) -> list[Comparison]:
    """Compare schemes at the same architecture, or architectures at the same scheme, for each protocol.

    Args:
        records: any; only cells that share task, data, protocol and seed are paired.
        by: what is compared.
        reference: its canonical spelling. By default ``none`` for norms, for architectures the one with most records.

    Raises:
        InputError: nothing to compare, or no record has that reference.
    """
    if by not in get_args(By):
        raise UnknownName.among("comparison", by, get_args(By))
    cells = group_cells(records)
    names = {_part(c, by) for c in cells}
    if len(names) < 2:
        raise InputError(
            f"there is only one {by} to compare" if names else "there is no record to compare",
            hint=f"run a second --{'arch' if by == 'architecture' else by}",
        )
    chosen = reference if reference is not None else _default(cells, by)
    if chosen not in names:
        raise UnknownName.among(f"reference {by}", chosen, names)
    return [_comparison(protocol, group, by, chosen) for protocol, group in by_protocol(cells).items()]


def _part(cell: CellRecords, by: By) -> str:
    return cell.key.norm if by == "norm" else cell.key.architecture


def _default(cells: Sequence[CellRecords], by: By) -> str:
    if by == "norm" and any(c.key.norm == "none" for c in cells):
        return "none"
    sizes: Counter[str] = Counter()
    for cell in cells:
        sizes[_part(cell, by)] += len(cell.ok)
    return max(sorted(sizes), key=lambda name: sizes[name])


def _comparison(protocol: str, cells: Sequence[CellRecords], by: By, reference: str) -> Comparison:
    current = set(current_editions(cells).values())
    matched = _matched(cells, by, reference)
    groups: dict[tuple[str, str, str], list[tuple[CellRecords, CellRecords]]] = {}
    for base, other in matched:
        fixed = base.key.architecture if by == "norm" else base.key.norm
        groups.setdefault((fixed, _part(other, by), other.key.source_hash), []).append((base, other))
    overall, per_task = [], []
    for names, pairs in sorted(groups.items(), key=lambda item: [natural(name) for name in item[0]]):
        per_task += [_difference(base.edition, names, [(base, other)]) for base, other in pairs]
        together = [pair for pair in pairs if pair[0].edition in current]
        if together:
            overall.append(_difference(None, names, together))
    per_task.sort(key=lambda row: natural(row.task))
    return Comparison(protocol, by, reference, _corrected(overall), _corrected(per_task))


def _matched(cells: Sequence[CellRecords], by: By, reference: str) -> list[tuple[CellRecords, CellRecords]]:
    """(reference, candidate) cells that share everything but what is compared."""
    referring = sorted((c for c in cells if _part(c, by) == reference), key=lambda c: max(r.created for r in c.records))
    bases = {_rest(c, by): c for c in referring}  # where the reference's code changed, its newest
    others = [c for c in cells if _part(c, by) != reference and _rest(c, by) in bases]
    return [(bases[_rest(c, by)], c) for c in others]


def _rest(cell: CellRecords, by: By) -> tuple[object, ...]:
    if by == "norm":
        return cell.edition, cell.key.architecture, cell.key.source_hash
    return cell.edition, cell.key.norm


def _difference(
    edition: Edition | None, names: tuple[str, str, str], cells: Sequence[tuple[CellRecords, CellRecords]]
) -> Difference:
    pairs = [_pairs(base, other) for base, other in cells]
    outcomes = Counter((a.status, b.status) for group in pairs for a, b in group)
    effects = tuple(_effect(metric, quantity, pairs) for metric, quantity in METRICS.items())
    return Difference(edition, *names, sum(map(bool, pairs)), effects, tuple(sorted(outcomes.items())))


def _pairs(base: CellRecords, other: CellRecords) -> list[tuple[Record, Record]]:
    """Records of the same seed; a deterministic record stands for every seed."""
    left, right = ({r.key.seed: r for r in c.records} for c in (base, other))
    if base.ok and base.exact and not (other.ok and other.exact):
        left = dict.fromkeys(right, base.ok[0])
    elif other.ok and other.exact and not (base.ok and base.exact):
        right = dict.fromkeys(left, other.ok[0])
    return [(left[seed], right[seed]) for seed in sorted(left.keys() & right.keys())]


def _effect(metric: str, quantity: Quantity, groups: Sequence[Sequence[tuple[Record, Record]]]) -> Effect:
    samples, lost, won = [], 0, 0
    for group in groups:
        differences = []
        for base, other in group:
            a, b = (quantity(r) if r.status == "ok" else None for r in (base, other))
            if a is None or b is None:
                continue
            lost += a < b == math.inf
            won += b < a == math.inf
            if math.isfinite(a) and math.isfinite(b):
                differences.append(math.log(b) - math.log(a))
        if differences:
            exact = all(base.deterministic and other.deterministic for base, other in group)
            samples.append(Sample(tuple(differences), exact))
    if not samples:
        return Effect(metric, None, None, None, 0, lost, won)
    test = paired_difference(samples)
    return Effect(metric, test.interval, test.p_value, None, sum(len(s.values) for s in samples), lost, won)


def _corrected(rows: Sequence[Difference]) -> tuple[Difference, ...]:
    """Holm's correction over the rows, for each metric by itself."""
    corrected = {m: holm([row.effect(m).p_value for row in rows]) for m in METRICS}
    return tuple(
        replace(row, effects=tuple(replace(e, p_holm=corrected[e.metric][place]) for e in row.effects))
        for place, row in enumerate(rows)
    )
