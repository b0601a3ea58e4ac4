"""Does a norm scheme (or another architecture) change what a network answers? Paired by task and seed.

At one seed two schemes share their initial weights and their batches, so that the difference of their logarithms is
free of what both have in common. Below 0 (a ratio below 1) the candidate's number is smaller: for errors, better.
Each row says two things apart: the ratio on these tasks, over seeds, and that for tasks like these, over task means.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import get_args

import numpy as np

from bench.core.errors import InputError, UnknownName
from bench.core.registry import natural
from leaderboard.ranking.cells import Cells, Edition, cells_by_protocol
from leaderboard.ranking.levels import Level, levels_of
from leaderboard.ranking.pairs import By, Effect, Pairs, matched_cells, part
from leaderboard.ranking.standings import ALL_TASKS
from leaderboard.ranking.tally import Measured
from leaderboard.records.quantities import COMPARED
from leaderboard.records.record import Record, Truth
from leaderboard.records.store.stored_records import summarized
from leaderboard.records.summary import Summaries

Names = tuple[str, str, str, str]


@dataclass(frozen=True)
class Difference:
    """One candidate against the reference: on one task, over all, or over those of one kind of truth.

    Attributes:
        edition: the task; ``None`` of several.
        truth: of the tasks; ``None`` over all.
        fixed: what both share: the architecture when norms are compared, the norm when architectures are.
        source_hash, norm_hash: of the candidate's code and that of its norm's kinds.
        tasks: how many have pairs of records.
        outcomes: how pairs of records ended, as ((reference's status, candidate's status), number).
    """

    edition: Edition | None
    truth: Truth | None
    fixed: str
    candidate: str
    source_hash: str
    norm_hash: str
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
    """Every candidate against one reference, in one protocol.

    Attributes:
        overall, by_truth, per_task: over all tasks, over those of each kind of truth, and on each.
        levels: what stands behind ``by_truth``: the numbers themselves, of candidates and references.
    """

    protocol: str
    by: By
    reference: str
    overall: tuple[Difference, ...]
    by_truth: tuple[Difference, ...]
    per_task: tuple[Difference, ...]
    levels: tuple[Level, ...]


def compare(
    records: Iterable[Record] | Summaries, by: By = "norm", reference: str | None = None, own_tables: bool = False
) -> list[Comparison]:
    """Compare schemes at the same architecture, or architectures at the same scheme, for each protocol.

    Args:
        records: any; only cells that share task, data, protocol and seed are paired. Of those in a store only the
            summaries are looked at.
        by: what is compared.
        reference: its canonical spelling. By default ``none`` for norms, for architectures the one with most records.
        own_tables: a user's own tables enter totals beside other tasks.

    Raises:
        InputError: nothing to compare, or no record has that reference.
    """
    if by not in get_args(By):
        raise UnknownName.among("comparison", by, get_args(By))
    summaries = records if isinstance(records, Summaries) else summarized(records).summaries
    protocols = cells_by_protocol(summaries)
    names = {part(key, by) for cells in protocols.values() for key in cells.keys}
    if len(names) < 2:
        raise InputError(
            f"there is only one {by} to compare" if names else "there is no record to compare",
            hint=f"run a second --{'arch' if by == 'architecture' else by}",
        )
    chosen = reference if reference is not None else _default(protocols.values(), by)
    if chosen not in names:
        raise UnknownName.among(f"reference {by}", chosen, names)
    return [_comparison(protocol, cells, by, chosen, own_tables) for protocol, cells in protocols.items()]


def _default(protocols: Iterable[Cells], by: By) -> str:
    """``none``, or what has most finished records."""
    sizes: Counter[str] = Counter()
    for cells in protocols:
        for key, finished in zip(cells.keys, cells.finished.tolist(), strict=True):
            sizes[part(key, by)] += finished
    if by == "norm" and "none" in sizes:
        return "none"
    return max(sorted(sizes), key=lambda name: sizes[name])


def _comparison(protocol: str, cells: Cells, by: By, reference: str, own_tables: bool) -> Comparison:
    """A row for each pair of cells, and one for each candidate over all tasks as they were measured last."""
    matched = matched_cells(cells, by, reference)
    pairs = Pairs(cells, matched)
    current = np.isin(cells.edition[matched[:, 0]], cells.total_editions(own_tables))
    rows: dict[Names, list[int]] = {}
    for place, (base, other) in enumerate(matched.tolist()):
        fixed = cells.keys[base].architecture if by == "norm" else cells.keys[base].norm
        key = cells.keys[other]
        rows.setdefault((fixed, part(key, by), key.source_hash, key.norm_hash), []).append(place)
    ordered = sorted(rows.items(), key=lambda item: [natural(name) for name in item[0]])
    each = [(names, place) for names, places in ordered for place in places]
    each.sort(key=lambda row: natural(cells.keys[matched[row[1], 0]].task))
    together = [(names, mine) for names, places in ordered if (mine := [p for p in places if current[p]])]
    truth = [cells.truth[base] for base in matched[:, 0].tolist()]
    apart = [
        (kind, names, mine)
        for kind in get_args(Truth)
        for names, places in together
        if (mine := [place for place in places if truth[place] == kind])
    ]
    return Comparison(
        protocol,
        by,
        reference,
        _rows(cells, pairs, [(None, None, names, places) for names, places in together]),
        _rows(cells, pairs, [(None, *row) for row in apart]),
        _rows(cells, pairs, [(int(cells.edition[matched[p, 0]]), truth[p], names, [p]) for names, p in each]),
        levels_of(Measured(cells), by, [(kind, names[0], matched[places]) for kind, names, places in apart]),
    )


def _rows(
    cells: Cells, pairs: Pairs, rows: Sequence[tuple[int | None, Truth | None, Names, list[int]]]
) -> tuple[Difference, ...]:
    """The rows of a table, as (edition, truth, names, pairs of cells)."""
    of_pair = np.full(len(pairs), -1)
    for row, (_, _, _, places) in enumerate(rows):
        of_pair[places] = row
    effects = [pairs.effects(quantity, of_pair, len(rows)) for quantity in COMPARED]
    outcomes = pairs.outcomes(of_pair, len(rows))
    counts = pairs.counts.tolist()
    return tuple(
        Difference(
            None if edition is None else cells.editions[edition],
            truth,
            *names,
            sum(counts[place] > 0 for place in places),
            tuple(several[row] for several in effects),
            outcomes[row],
        )
        for row, (edition, truth, names, places) in enumerate(rows)
    )
