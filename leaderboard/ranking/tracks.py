"""Boards of a suite's tracks, and where a method stands on them.

A track is a group of tasks with a board of its own. A method is ranked in a track if it has finished records on all of
the track's tasks; what lacks some stands behind, as on every board. Where it stands is the range of places that seeds
leave open on these tasks (:mod:`leaderboard.ranking.statements.rank_ranges`), over all of them and over those of each
kind of truth. It loses on a kind of truth where even its best place is in the lower half, and does well where even its
worst is in the upper half.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, replace
from typing import get_args

import numpy as np

from bench.core.grammar import title_of
from leaderboard.ranking.cells import Method
from leaderboard.ranking.standings import Board, Standing, standings
from leaderboard.ranking.statistics import LEAST_TASKS
from leaderboard.records.record import CellKey, Record, Status, Truth
from leaderboard.records.store.stored_records import summarized
from leaderboard.records.summary import Summaries

Tracks = Mapping[str, Collection[str]]
"""The tasks of each track by its name; one named "" stands for a suite without tracks."""

MOST_NAMES = 4


@dataclass(frozen=True)
class TruthPlace:
    """A method's places among those ranked, on a track's tasks of one kind of truth."""

    truth: Truth
    best: int
    worst: int
    of: int
    tasks: int

    @property
    def loses(self) -> bool:
        """Even its best place is in the lower half."""
        return self.best > self.of / 2

    @property
    def does_well(self) -> bool:
        """Even its worst place is in the upper half."""
        return self.worst <= self.of / 2


@dataclass(frozen=True)
class Place:
    """Where a method stands in a track.

    Attributes:
        track: its name; "" where the suite has none.
        best, worst: the places that seeds leave open; ``None`` where it is not ranked.
        of: how many methods are ranked there.
        others: how many of them are not this one.
        published: how many of the others stand there by published results, on some task at least.
        tasks: of the track.
        missing: those without a finished record of the method.
        troubles: its records that did not end well, as (status, number); ``nonfinite``: ok ones with such an output.
        truths: its places for each kind of truth.
    """

    track: str
    architecture: str
    norm: str
    best: int | None
    worst: int | None
    of: int
    others: int
    published: int
    tasks: int
    missing: tuple[str, ...]
    troubles: tuple[tuple[Status, int], ...]
    nonfinite: int
    truths: tuple[TruthPlace, ...]

    @property
    def sentence(self) -> str:
        """In words, on one line."""
        where = f"{self.track}: " if self.track else ""
        return f"{where}{self.architecture}, {self.norm}: {'; '.join(self._parts())}"

    def _parts(self) -> list[str]:
        troubles = ", ".join(f"{n} {status}" for status, n in self.troubles)
        parts = [troubles] if troubles else []
        if self.nonfinite:
            parts.append(f"{self.nonfinite} with outputs that are not finite")
        if self.missing:
            names = [title_of(name) for name in self.missing]
            more = f" and {len(names) - MOST_NAMES} more" if len(names) > MOST_NAMES else ""
            lacks = f"lacks {len(names)} of {self.tasks} tasks ({', '.join(names[:MOST_NAMES])}{more})"
            return [f"not ranked: {lacks}", *parts]
        if not self.others:
            return ["no other results of this suite here: nothing to rank against", *parts]
        if self.best is None or self.worst is None:
            return ["too many rows to tell its place", *parts]
        tasks = f"these {self.tasks} tasks" if self.tasks != 1 else "this task"
        return [
            f"would rank {_range(self.best, self.worst)} of {self.of}{self._whose()} on {tasks}",
            *self._by_truth(),
            *parts,
            *self._reach(),
        ]

    def _whose(self) -> str:
        return f" ({self.published:,} published)" if self.published else ""

    def _by_truth(self) -> list[str]:
        if len(self.truths) < 2:
            return []
        loses = [place.truth for place in self.truths if place.loses]
        well = [place.truth for place in self.truths if place.does_well]
        parts = [f"loses on {' and '.join(loses)} truths"] if loses else []
        return parts + ([f"does well on {' and '.join(well)} truths"] if well else [])

    def _reach(self) -> list[str]:
        few = self.tasks < LEAST_TASKS
        return [f"fewer than {LEAST_TASKS} tasks: nothing is claimed for others like these"] if few else []


def _range(best: int, worst: int) -> str:
    return f"{best:,}" if best == worst else f"{best:,}–{worst:,}"


def track_boards(
    records: Iterable[Record] | Summaries, tracks: Tracks | None = None, own_tables: bool = False
) -> list[Board]:
    """The standings of each protocol, a board for each of ``tracks``; without any, one over everything.

    Raises:
        ValueError: a key occurs twice, or the records of a cell disagree about the truth.
    """
    summaries = records if isinstance(records, Summaries) else summarized(records).summaries
    if not tracks:
        return standings(summaries, own_tables)
    boards = []
    for name, names in tracks.items():
        boards += [
            replace(board, track=name, notes=(*_not_here(board, names), *board.notes))
            for board in standings(_of_tasks(summaries, names), own_tables)
        ]
    return boards


def _not_here(board: Board, names: Collection[str]) -> list[str]:
    """What a reader must know where nobody has results on some of a track's tasks."""
    there = {edition.task for edition in board.editions}
    lacking = [title_of(name) for name in names if name not in there]
    if not lacking:
        return []
    shown = ", ".join(lacking[:MOST_NAMES]) + ("" if len(lacking) <= MOST_NAMES else ", …")
    return [f"no results here of {len(lacking)} of the track's {len(names)} tasks: {shown}"]


def places_of(
    records: Iterable[Record] | Summaries,
    tracks: Tracks,
    mine: Collection[Method],
    own_tables: bool = True,
    published: Collection[CellKey] = (),
) -> tuple[Place, ...]:
    """Where each of ``mine`` stands in each track of which it has any record, in the order of tracks and boards.

    Args:
        records: of one protocol, all that may be ranked.
        tracks: their tasks.
        mine: the methods that are asked about.
        own_tables: a user's own tables enter totals beside other tasks.
        published: the cells among ``records`` that are somebody else's results.
    """
    summaries = records if isinstance(records, Summaries) else summarized(records).summaries
    found: list[Place] = []
    for name, names in tracks.items():
        within = _of_tasks(summaries, names)
        if not len(within):
            continue
        (board,) = standings(within, own_tables)
        ranked = _ranked(board, names)
        by_truth = _truth_places(within, names, ranked, own_tables)
        theirs = ranked & {Method.of(key) for key in published if key.task in names}
        for row in board.overall:
            if row.method in mine:
                lacking = {*row.missing, *(set(names) - {edition.task for edition in board.editions})}
                found.append(_place(name, names, row, lacking, ranked, theirs, by_truth.get(row.method, ())))
    return tuple(found)


def _ranked(board: Board, names: Collection[str]) -> set[Method]:
    """The methods that have all tasks."""
    if {edition.task for edition in board.editions} < set(names):
        return set()
    return {row.method for row in board.overall if not row.missing}


def _place(
    track: str,
    names: Collection[str],
    row: Standing,
    lacking: Collection[str],
    ranked: set[Method],
    theirs: set[Method],
    truths: tuple[TruthPlace, ...],
) -> Place:
    on_board = row.method in ranked
    best, worst = row.rank_range if on_board and row.rank_range else (None, None)
    return Place(
        track=track,
        architecture=row.method.architecture,
        norm=row.method.norm,
        best=best,
        worst=None if worst is None else min(worst, len(ranked)),
        of=len(ranked),
        others=len(ranked - {row.method}),
        published=len(theirs - {row.method}),
        tasks=len(names),
        missing=tuple(name for name in names if name in lacking),
        troubles=tuple((status, n) for status, n in row.counts if n and status not in ("ok", "unsupported")),
        nonfinite=row.nonfinite,
        truths=truths,
    )


def _truth_places(
    summaries: Summaries, names: Collection[str], ranked: set[Method], own_tables: bool
) -> dict[Method, tuple[TruthPlace, ...]]:
    """For each of the methods ``ranked`` its places on the tasks of each kind of truth, among these methods."""
    kept = [Method.of(key) in ranked and key.task in names for key in summaries.cells]
    inside = np.array(kept, dtype=bool)[summaries.cell] if len(kept) else np.zeros(0, dtype=bool)
    found: dict[Method, tuple[TruthPlace, ...]] = {}
    for truth in get_args(Truth):
        places = np.flatnonzero(inside & (summaries.truth == truth))
        if not len(places):
            continue
        (board,) = standings(summaries.take(places.tolist()), own_tables)
        for row in board.overall:
            if row.rank_range:
                here = TruthPlace(truth, *row.rank_range, len(board.overall), len(board.editions))
                found[row.method] = (*found.get(row.method, ()), here)
    return found


def _of_tasks(summaries: Summaries, names: Collection[str]) -> Summaries:
    wanted = [key.task in names for key in summaries.cells]
    return summaries.take([place for place, cell in enumerate(summaries.cell.tolist()) if wanted[cell]])
