"""Published results beside one's own: boards with both, and what agrees."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from bench.plan.options import SuiteFilterOptions
from bench.sweep.entries import NOTHING, Published, published
from bench.sweep.query import PUBLISHED, NoRecords, chosen_records
from leaderboard.publishing.agreement import Agreement, agreement
from leaderboard.publishing.reading import Entries
from leaderboard.records.marked import joined, marked
from leaderboard.records.store.stored_records import StoredRecords
from leaderboard.records.summary import Summaries

YOURS, OLDER = "yours", "older edition"


@dataclass(frozen=True)
class Shown:
    """What a board shows.

    Attributes:
        records: own, published, or both: then one's own are marked.
        notes: lines that say whose they are.
    """

    records: Summaries
    notes: tuple[str, ...]


def shown_records(chosen: SuiteFilterOptions) -> Shown:
    """Own and published records that ``chosen`` asks for.

    Raises:
        NoRecords: there are neither, or none that match.
        InputError: an unknown suite, or a store or an entry that cannot be read.
    """
    own, theirs = _own(chosen), published()
    if not theirs.entries:
        if isinstance(own, NoRecords):
            raise _with_nothing_published(own)
        return Shown(own, ())
    try:
        others = theirs.records(chosen).summaries
    except NoRecords as error:
        if isinstance(own, NoRecords):
            raise _neither(own, error) from None
        return Shown(own, ())
    notes = _notes(theirs, others)
    others = marked(others, lambda key: OLDER if key in theirs.older else "")
    if isinstance(own, NoRecords):
        return Shown(others, notes)
    both = joined([marked(own, lambda _: YOURS), others])
    return Shown(both, (f"“{YOURS}”: the records in {chosen.out}; the other rows are published", *notes))


@dataclass(frozen=True)
class Found:
    """Records that can be read, one's own or the published ones, with lines that say whose the latter are."""

    records: StoredRecords
    notes: tuple[str, ...]


def own_or_published(chosen: SuiteFilterOptions) -> Found:
    """One's own records that ``chosen`` asks for; where there are none, the published ones.

    Raises:
        NoRecords: there are neither, or none that match.
        InputError: an unknown suite, or a store or an entry that cannot be read.
    """
    try:
        return Found(chosen_records(chosen), ())
    except NoRecords as error:
        theirs = published()
        if not theirs.entries:
            raise _with_nothing_published(error) from None
        try:
            records = theirs.records(chosen)
        except NoRecords as other:
            raise _neither(error, other) from None
    return Found(records, _notes(theirs, records.summaries))


def _with_nothing_published(error: NoRecords) -> NoRecords:
    nothing = f", and {NOTHING}" if error.what.startswith("there are no results") else ""
    return NoRecords(error.what + nothing, where=error.where, hint=error.hint)


def _neither(own: NoRecords, theirs: NoRecords) -> NoRecords:
    """Why there are neither: where there are no results of one's own at all, that nothing published matches."""
    return theirs if own.what.startswith("there are no results") else own


def _notes(theirs: Published, shown: Summaries) -> tuple[str, ...]:
    """Whose the published records are, and that some are not today's."""
    notes = [f"published: {line}" for line in _cards(theirs.entries)]
    if theirs.older.intersection(shown.cells[cell] for cell in set(shown.cell.tolist())):
        notes.append(f"“{OLDER}”: today's FarField has other code or data for these rows, and gives other numbers")
    return tuple(notes)


def _own(chosen: SuiteFilterOptions) -> Summaries | NoRecords:
    """One's own records, or why there are none."""
    try:
        return chosen_records(chosen).summaries
    except NoRecords as error:
        return error


def _cards(entries: Entries, most: int = 6) -> Iterable[str]:
    lines = [
        f"{entry.card.title} ({', '.join(entry.card.authors[:3])}; {entry.card.licence}), {len(entry):,} records"
        for entry in entries.values()
    ]
    return lines[:most] + [f"and {len(lines) - most} more entries"] * (len(lines) > most)


def compared(own: Summaries, against: str = PUBLISHED) -> Agreement:
    """How one's own records agree with what is published.

    Args:
        own: any records.
        against: as for :func:`published`.

    Raises:
        NoRecords: nothing is published there.
    """
    theirs = published(against)
    return agreement(own, theirs.records().summaries)
