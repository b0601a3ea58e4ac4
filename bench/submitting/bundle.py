"""A bundle: what somebody hands in, one JSON file in the format of published entries."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

import architectures
import tasks
from bench.core.errors import InputError
from bench.core.plugins import Plugin
from bench.plan.jobs import Cell, record_keys
from bench.plan.suite import Suite
from bench.publishing import Credit
from bench.submitting.checks import check_bundle
from bench.submitting.sampling import are_fresh
from bench.sweep.query import existing_store
from bench.sweep.remembering import scope_of
from leaderboard.publishing.entry import Entry, SuiteName
from leaderboard.publishing.packing import make_entry, records_of
from leaderboard.publishing.reading import read_entry
from leaderboard.publishing.source import SourceText
from leaderboard.records.record import Record
from leaderboard.records.store.store import RecordFilter, Store

MOST_BYTES = 3_000_000
MOST_SOURCE = 300_000
_MOST_CARD = 100_000
_FIELDS = ("title", "authors", "licence", "link", "summary")


@dataclass(frozen=True)
class Bundle:
    """A bundle as it was read.

    Args:
        entry: what is in the file.
        records: of it.
    """

    entry: Entry
    records: tuple[Record, ...]

    @property
    def plugins(self) -> tuple[Plugin, ...]:
        """Its source texts, as they are loaded where they run."""
        return tuple(text.plugin(Path("/bundle")) for text in self.entry.sources)

    @property
    def source_bytes(self) -> int:
        """How long its source texts are together."""
        return sum(len(one.source) for text in self.entry.sources for one in text.files)

    @classmethod
    def of(cls, entry: Entry) -> Bundle:
        """The bundle of an entry.

        Raises:
            InputError: it is too large, or a record in it is not valid.
        """
        bundle = cls(entry, records_of(entry))
        size = len(entry.to_json().encode())
        if size > MOST_BYTES:
            raise InputError(f"a bundle of {size:,} bytes", hint=f"at most {MOST_BYTES:,}: hand in fewer norms")
        if bundle.source_bytes > MOST_SOURCE:
            what = f"source text of {bundle.source_bytes:,} bytes"
            raise InputError(what, hint=f"at most {MOST_SOURCE:,}: a network's source needs no data")
        return bundle

    @classmethod
    def read(cls, file: Path) -> Bundle:
        """Read a file that anybody may have written; nothing in it is run.

        Raises:
            InputError: it cannot be read, is too large or not valid, or is an entry that verification wrote.
        """
        bundle = cls.of(read_entry(file))
        if are_fresh(bundle.records):
            what = "this is an entry with the seeds of a verification, not a bundle"
            raise InputError(what, where=str(file), hint="name the bundle that was handed in")
        return bundle


def read_card(file: Path | None, given: Mapping[str, Any]) -> Credit:
    """What the card says, from a YAML file and from flags, which count more.

    Args:
        file: with some of title, authors, licence, link and summary.
        given: the same by flags; None stands for what was not given.

    Raises:
        InputError: the file is no such YAML, or nobody says who the authors are.
    """
    values = _card_file(file) if file else {}
    values |= {name: value for name, value in given.items() if value}
    authors = values.get("authors")
    if isinstance(authors, str):
        authors = [authors]
    if not authors or not isinstance(authors, list | tuple) or not all(isinstance(name, str) for name in authors):
        raise InputError("nobody is named", where="--author", hint="name who made it, or give --card FILE with authors")
    return Credit(**{**values, "authors": tuple(authors)})


def _card_file(file: Path) -> dict[str, Any]:
    where = str(file)
    try:
        text = file.read_text(encoding="utf-8")
        if len(text) > _MOST_CARD:
            raise InputError("a card of too many characters", where=where, hint="name a YAML file")
        values = yaml.safe_load(text)
    except OSError as error:
        raise InputError(f"cannot be read: {error.strerror}", where=where, hint="check the path") from None
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        raise InputError(f"the card is no YAML: {str(error)[:200]}", where=where, hint="correct the file") from None
    if not isinstance(values, dict) or set(values) - set(_FIELDS):
        odd = next((str(name) for name in values if name not in _FIELDS), "") if isinstance(values, dict) else ""
        what = f"unknown field {odd!r}" if odd else "not a mapping"
        raise InputError(what, where=where, hint=f"give some of {', '.join(_FIELDS)}")
    return values


def make_bundle(
    suite: Suite, out: Path, names: Sequence[str], norms: Sequence[str], credit: Credit, plugins: Sequence[Plugin]
) -> Bundle:
    """A bundle of the records of some architectures on a suite.

    Args:
        suite: whose tasks, protocol and seeds.
        out: folder of the results.
        names: architectures.
        norms: schemes to hand in; none asks for those with which they were put on the suite, or else for all stored.
        credit: for the card.
        plugins: the files that register what is not built in; they are loaded already.

    Raises:
        InputError: records are lacking, failed, or not what this code would write; one line says which.
    """
    if not names:
        raise InputError("no architecture to hand in", where="--arch", hint="name one")
    spelled = [architectures.resolve(name) for name in names]
    roles = {found.card.role for found in spelled}
    if len(roles) > 1:
        raise InputError("a network and an estimator in one bundle", where="--arch", hint="hand them in one by one")
    schemes = [str(architectures.parse_scheme(norm)) for norm in norms]
    stored = _stored(out, suite, [found.name for found in spelled], schemes)
    records: list[Record] = []
    for found in spelled:
        records += _complete(stored, suite, found.name, found.card.inputs, out)
    card = credit.card(", ".join(found.name for found in spelled), "model" if roles == {"network"} else "system")
    sources = [SourceText.of(plugin) for plugin in plugins]
    bundle = Bundle.of(make_entry(records, card, sources, SuiteName(suite.name, suite.version)))
    faults = [check for check in check_bundle(bundle.entry, bundle.records) if check.state == "found"]
    if faults:
        raise InputError(f"not so: {faults[0].name}: {faults[0].detail}", where="farfield submit", hint="correct it")
    return bundle


def _stored(out: Path, suite: Suite, names: Sequence[str], schemes: Sequence[str]) -> list[Cell]:
    """The cells on tasks of the suite that have a record.

    Without ``schemes`` a first look at one task with another norm is no part of the suite, and none of the bundle.
    """
    exactly = tuple(name.replace("[", "[[]").replace("*", "[*]").replace("?", "[?]") for name in names)
    with Store(existing_store(out)) as store:
        scope = scope_of(store, suite.name)
        cells = store.summaries(RecordFilter(protocol=(suite.protocol,), architecture=exactly)).cells
    mine = [key for key in cells if key.task in scope.tasks and key.architecture in names]
    if schemes:
        chosen = [key for key in mine if key.norm in schemes]
    else:
        chosen = [key for key in mine if scope.holds(key)] or mine
    found = {Cell(key.task, key.architecture, key.norm, key.protocol) for key in chosen}
    return sorted(found, key=lambda cell: (cell.task, cell.architecture, cell.norm))


def _complete(stored: Iterable[Cell], suite: Suite, name: str, inputs: Iterable[str], out: Path) -> Iterable[Record]:
    """The records of an architecture; of each kind of input that it was run on, on every task of the suite.

    Raises:
        InputError: some are lacking, or there are none.
    """
    mine = [cell for cell in stored if cell.architecture == name]
    if not mine:
        hint = f"farfield run --suite {suite.name} --arch '{name}' first"
        raise InputError(f"no record of {name} on suite {suite.name}", where=str(out), hint=hint)
    kinds = {task: tasks.resolve(task).card.kind for task in dict.fromkeys(cell.task for cell in suite.cells())}
    run = {kinds[cell.task] for cell in mine} & set(inputs)
    wanted = [
        Cell(task, name, norm, suite.protocol)
        for norm in dict.fromkeys(cell.norm for cell in mine)
        for task, kind in kinds.items()
        if kind in run
    ]
    digests: list[str] = []
    for cell in wanted:
        digests += [key.digest() for key in record_keys(cell, range(suite.seeds))]
    with Store(existing_store(out)) as store:
        there = set(store.summaries(RecordFilter(protocol=(suite.protocol,))).digest)
        lacking = [place for place, digest in enumerate(digests) if digest not in there]
        if lacking:
            first = wanted[lacking[0] // suite.seeds]
            what = f"{len(lacking)} of {len(digests)} records of {name} are not there as this code writes them"
            where = f"{first.task}, {first.norm}"
            hint = "farfield run --suite with it, and with the same files; or --norm names what is complete"
            raise InputError(what, where=where, hint=hint)
        found = list(store.read(digests))
    for record in found:
        if not record.is_final:
            where = f"{record.key.task}, {record.key.norm}, seed {record.key.seed}"
            raise InputError(f"a record is {record.status}", where=where, hint="farfield run --retry")
    return found


def write_bundle(bundle: Bundle, file: Path) -> int:
    """Write a bundle; how many bytes it takes.

    Raises:
        InputError: the file cannot be written.
    """
    text = bundle.entry.to_json()
    json.loads(text)  # what is written can be read
    try:
        file.write_text(text, encoding="utf-8")
    except OSError as error:
        raise InputError(f"cannot write: {error.strerror}", where=str(file), hint="choose another file") from None
    return len(text.encode())
