"""Entries from the records of a store: what ``farfield leaderboard publish`` writes, which anybody can repeat."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from pydantic import ValidationError

import architectures
import tasks
from bench.core.errors import InputError
from bench.core.grammar import is_own
from bench.core.origin import VERSIONED, Origin, hash_source
from bench.core.plugins import Plugin, read_plugin
from bench.plan.choosing import chosen_cells, chosen_seeds
from bench.plan.jobs import Cell, make_plan
from bench.plan.options import CellOptions
from bench.plan.suite import Suite
from bench.sweep.query import existing_store
from leaderboard.publishing.entry import Entry, EntryCard, SuiteName, refused
from leaderboard.publishing.packing import make_entry
from leaderboard.publishing.source import SourceText
from leaderboard.records.record import FINAL_STATUSES, Record
from leaderboard.records.store.store import Store

HINT = "farfield run with the same options first"
_KINDS: tuple[tuple[Literal["model", "system"], str], ...] = (("model", "networks"), ("system", "estimators"))


@dataclass(frozen=True)
class Credit:
    """What a card says besides what its records do.

    Args:
        title: of the entries; by default what they hold.
        authors, licence, link, summary: as in :class:`leaderboard.publishing.entry.EntryCard`.
    """

    title: str | None = None
    authors: tuple[str, ...] = ("The FarField authors",)
    licence: str = "Apache-2.0"
    link: str | None = None
    summary: str | None = None

    def card(self, title: str, kind: Literal["model", "system"]) -> EntryCard:
        """The card of an entry.

        Args:
            title: where none is given.
            kind: of the entry.

        Raises:
            InputError: something is too long, empty, or no link.
        """
        words = {name: getattr(self, name) for name in ("authors", "licence", "link", "summary")}
        try:
            return EntryCard(title=self.title or title, kind=kind, **words)
        except ValidationError as error:
            raise refused(error, "correct the option of this name") from None


def make_entries(
    asked: CellOptions, suite: Suite, out: Path, credit: Credit | None = None, plugins: Sequence[Plugin] = ()
) -> dict[str, Entry]:
    """Entries of a suite's records: one of the networks that FarField trains, one of the estimators.

    Only records that this code would write count, under the keys of today; of these none may be lacking, and each must
    be final. The same records make the same entries, to the byte.

    Args:
        asked: which of the suite's cells and seeds.
        suite: whose cells.
        out: the folder of results.
        credit: for the cards.
        plugins: files that register what is not built in; they are loaded already.

    Returns:
        The entries by the names of their files, without ``.json``.

    Raises:
        InputError: records are lacking or not final, or something is not built in and its source is not given.
    """
    given = credit or Credit()
    chosen = chosen_cells(asked, suite)
    cells = [*chosen.cells, *(cell for guest in chosen.guests for cell in guest.cells)]
    sources = {source.sha256: source for source in map(SourceText.of, (*plugins, *_modules(cells)))}
    records = _records(cells, chosen_seeds(asked, suite), out)
    roles = {cell.architecture: architectures.resolve(cell.architecture).card.role for cell in cells}
    made = {}
    for kind, what in _KINDS:
        role = "network" if kind == "model" else "estimator"
        mine = [record for record in records if roles[record.key.architecture] == role]
        needed = dict.fromkeys(_sources_of([cell for cell in cells if roles[cell.architecture] == role], sources))
        if not mine:
            continue
        title = f"{what.capitalize()} of the suite {suite.name}, version {suite.version}"
        used = [sources[sha256] for sha256 in needed]
        card, name = given.card(title, kind), SuiteName(suite.name, suite.version)
        made[f"{suite.name}-{what}"] = make_entry(mine, card, used, name)
    return made


def write_entries(entries: dict[str, Entry], folder: Path) -> list[Path]:
    """Write entries, a file each.

    Raises:
        InputError: the folder cannot be written.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
        files = [folder / f"{name}.json" for name in entries]
        for file, entry in zip(files, entries.values(), strict=True):
            file.write_text(entry.to_json(), encoding="utf-8")
    except OSError as error:
        raise InputError(f"cannot write: {error.strerror}", where=str(folder), hint="choose another folder") from None
    return files


def _records(cells: Sequence[Cell], seeds: Sequence[int], out: Path) -> list[Record]:
    """Those that this code would write, all of them final."""
    wanted = make_plan(cells, seeds, ()).digests
    with Store(existing_store(out)) as store:
        there = store.summaries().take_digests(wanted)
        lacking = len(wanted) - len(there)
        if lacking:
            raise InputError(f"{lacking} of {len(wanted)} records are not there", where=str(out), hint=HINT)
        unfinished = sum(n for status, n in there.counts.items() if status not in FINAL_STATUSES)
        if unfinished:
            raise InputError(f"{unfinished} records failed or timed out", where=str(out), hint=f"{HINT} and --retry")
        return list(store.read(wanted))


def _modules(cells: Iterable[Cell]) -> Iterator[Plugin]:
    """The files of networks that spellings name."""
    found = {}
    for name in dict.fromkeys(cell.architecture for cell in cells):
        architecture = architectures.resolve(name)
        if architecture.card.origin == "module":
            place = architecture.options.named[0]
            if not place.endswith(".py"):
                raise _without_source(name, "module")
            found[place] = read_plugin(place, name)
    yield from found.values()


def _sources_of(cells: Sequence[Cell], given: dict[str, SourceText]) -> Iterator[str]:
    """Hashes of the sources that cells rest on."""
    for name in dict.fromkeys(cell.architecture for cell in cells):
        architecture = architectures.resolve(name)
        sha256 = (
            architecture.options.source() if architecture.card.origin == "module" else architecture.card.source_hash
        )
        if architecture.card.origin not in VERSIONED:
            yield _known(sha256, given, name, architecture.card.origin)
    for name in dict.fromkeys(cell.norm for cell in cells):
        for part in architectures.parse_scheme(name).parts:
            if part.kind.card.origin not in VERSIONED:
                yield _known(part.kind.card.source_hash, given, str(part.kind), part.kind.card.origin)
    for name in dict.fromkeys(cell.task for cell in cells):
        card = tasks.resolve(name).card
        if is_own(name):
            raise InputError("results on a table of your own, which nobody else has", where=name, hint="leave it out")
        if card.origin not in VERSIONED:
            yield _known(hash_source(card.build), given, name, card.origin)


def _known(sha256: str, given: dict[str, SourceText], name: str, origin: Origin) -> str:
    if sha256 not in given:
        raise _without_source(name, origin)
    return sha256


def _without_source(name: str, origin: Origin) -> InputError:
    return InputError(f"the source of {name} ({origin}) is not given", where=name, hint="name its file with --plugin")
