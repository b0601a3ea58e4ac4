"""An entry: published results in one JSON file. Submissions travel in the same format.

What many records share stands once: the protocol, the distances that were probed, environments, and of each draw of a
task its data hash and what its labelled sets are. A cell holds a block for each of its seeds. What follows from the
rest is left out: ``id_error`` and ``far_error`` are made from the errors of the sets
(:mod:`leaderboard.publishing.packing`).

The format is closed and canonical: unknown fields, wrong types, numbers that are not finite, unprintable names,
references to what is not there and anything out of order are refused. Nothing in it is executed or unpickled.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable
from functools import cache
from itertools import pairwise
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, ConfigDict, Field, TypeAdapter, ValidationError
from pydantic.dataclasses import dataclass

from bench.core.errors import InputError, ReasonCode
from bench.core.origin import VERSIONED, Origin
from leaderboard.publishing.layout import lay_out
from leaderboard.publishing.source import SourceText
from leaderboard.records.record import (
    CellKey,
    Count,
    FarKind,
    NotNegative,
    Positive,
    Program,
    Role,
    Share,
    Status,
    Truth,
)

FORMAT: Literal[1] = 1
MOST_BYTES = 6_000_000  # of an entry; a record of `standard` takes about a thousand
_MOST_RECORDS = 10_000
_CLOSED = ConfigDict(strict=True, extra="forbid", allow_inf_nan=False)


def _printable(text: str) -> str:
    if not text.isprintable():
        raise ValueError("a text with control characters")
    return text


Line = Annotated[str, Field(min_length=1, max_length=500), AfterValidator(_printable)]
Words = Annotated[str, Field(min_length=1, max_length=2000), AfterValidator(_printable)]
Link = Annotated[str, Field(max_length=500, pattern=r"^https?://[!-~]+$")]
Hex = Annotated[str, Field(max_length=128, pattern=r"^[0-9a-f]+$")]
Distances = Annotated[tuple[Positive, ...], Field(max_length=200)]
Numbers = Annotated[tuple[NotNegative | None, ...], Field(max_length=200)]
Counts = Annotated[tuple[Count, ...], Field(max_length=200)]


@dataclass(frozen=True, config=_CLOSED)
class EntryCard:
    """What an entry is, in words.

    Attributes:
        title: one line.
        authors: who made it.
        licence: of the results and of the source text, as an SPDX expression.
        kind: ``model``: FarField trains it; ``system``: an estimator that owns its pipeline.
        link: where to read more.
        summary: a few sentences.
    """

    title: Line
    authors: Annotated[tuple[Line, ...], Field(min_length=1, max_length=100)]
    licence: Line
    kind: Literal["model", "system"]
    link: Link | None = None
    summary: Words | None = None


@dataclass(frozen=True, config=_CLOSED)
class SuiteName:
    """Of which suite the cells are."""

    name: Line
    version: Annotated[int, Field(ge=1)]


@dataclass(frozen=True, config=_CLOSED)
class LabelledSet:
    """What a labelled set of a draw is, whoever predicts it (:class:`leaderboard.records.record.SetResult`)."""

    name: Line
    role: Role
    rows: Annotated[int, Field(ge=1)]
    distance: tuple[NotNegative, NotNegative, NotNegative] | None = None
    beyond: Share | None = None


@dataclass(frozen=True, config=_CLOSED)
class Draw:
    """A draw of a task: the one of this seed, the hash of its data, and its labelled sets as far as they were met."""

    seed: Count
    data_hash: Hex
    sets: Annotated[tuple[LabelledSet, ...], Field(max_length=200)] = ()


@dataclass(frozen=True, config=_CLOSED)
class MeasuredTask:
    """A task as it was measured."""

    task: Words
    version: Line
    truth: Truth
    draws: Annotated[tuple[Draw, ...], Field(min_length=1, max_length=_MOST_RECORDS)]
    far_kind: FarKind | None = None

    def __post_init__(self) -> None:
        _require_order("draws", [draw.seed for draw in self.draws])


@dataclass(frozen=True, config=_CLOSED)
class SetNumbers:
    """What was measured on a labelled set."""

    name: Line
    relative_error: NotNegative | None = None
    rmse: NotNegative | None = None
    mae: NotNegative | None = None
    r2: float | None = None
    nonfinite: Count = 0


@dataclass(frozen=True, config=_CLOSED)
class SeedBlock:
    """A record without what it shares with others; the fields are those of :class:`leaderboard.records.record.Record`.

    ``growth`` and ``departure`` are over the entry's ``ladder``, ``axis_growth`` over its ``axis_radii``,
    ``worst_growth`` over its ``worst_radii``; ``nonfinite`` is left out where every count is 0. ``environment`` is a
    place in the entry's list.
    """

    seed: Count
    created: Line
    status: Status = "ok"
    reason: Words | None = None
    reason_code: ReasonCode | None = None
    program: Program | None = None
    deterministic: bool = False
    learning_rate: Positive | None = None
    best_step: Count | None = None
    edge_of_grid: bool | None = None
    edge_of_steps: bool | None = None
    exponent: float | None = None
    local_exponent: float | None = None
    axis_exponent: float | None = None
    probe_nonfinite: Count | None = None
    certificate: NotNegative | None = None
    certificate_reason: ReasonCode | None = None
    parameters: Count | None = None
    step_operations: Count | None = None
    seconds: NotNegative | None = None
    environment: Count = 0
    sets: Annotated[tuple[SetNumbers, ...], Field(max_length=200)] = ()
    growth: Numbers = ()
    departure: Numbers = ()
    nonfinite: Counts = ()
    axis_growth: Numbers = ()
    worst_growth: Numbers = ()


@dataclass(frozen=True, config=_CLOSED)
class CellBlock:
    """The records of a cell; the fields are those of :class:`leaderboard.records.record.CellKey`."""

    task: Words
    architecture: Words
    source_hash: Line
    norm: Words
    records: Annotated[tuple[SeedBlock, ...], Field(min_length=1, max_length=_MOST_RECORDS)]
    norm_hash: str = Field(default="", max_length=128, pattern=r"^[0-9a-f]*$")
    origin: Origin | None = None

    def __post_init__(self) -> None:
        _require_order(f"the seeds of {self.architecture} {self.norm} on {self.task}", [r.seed for r in self.records])

    @property
    def order(self) -> tuple[str, ...]:
        """What cells are sorted by."""
        return self.task, self.architecture, self.norm, self.source_hash, self.norm_hash


@dataclass(frozen=True, config=_CLOSED)
class Entry:
    """Published results: a card, records without curves, and the source text of what is not built in.

    Attributes:
        format: of this file.
        card: what it is.
        protocol: of every record.
        suite: whose cells these are, if they are of one.
        ladder, axis_radii, worst_radii: distances that were probed, the same for every record that was.
        environments: where records were made, each once.
        tasks: in order of their names.
        sources: of what is not built in, in order of their paths.
        cells: in order of task, architecture, norm and hashes.
    """

    format: Literal[1]
    card: EntryCard
    protocol: Line
    ladder: Distances
    axis_radii: Distances
    worst_radii: Distances
    environments: Annotated[
        tuple[Annotated[dict[Line, Words], Field(max_length=100)], ...], Field(min_length=1, max_length=1000)
    ]
    tasks: Annotated[tuple[MeasuredTask, ...], Field(min_length=1, max_length=1000)]
    cells: Annotated[tuple[CellBlock, ...], Field(min_length=1, max_length=_MOST_RECORDS)]
    sources: Annotated[tuple[SourceText, ...], Field(max_length=100)] = ()
    suite: SuiteName | None = None

    def __post_init__(self) -> None:
        _require_order("tasks", [task.task for task in self.tasks])
        _require_order("cells", [cell.order for cell in self.cells])
        _require_order("sources", [source.order for source in self.sources])
        _require(len(self) <= _MOST_RECORDS, f"{len(self):,} records, and at most {_MOST_RECORDS:,} are read")
        foreign = [cell for cell in self.cells if cell.origin not in (*VERSIONED, None)]
        _require(not foreign or bool(self.sources), "records of code that is not built in, without its source")
        for cell in self.cells:
            self._check(cell)

    def __len__(self) -> int:
        return sum(len(cell.records) for cell in self.cells)

    def _check(self, cell: CellBlock) -> None:
        """What a cell refers to is there."""
        task = self.task_of(cell)
        draws = {draw.seed: {one.name for one in draw.sets} for draw in task.draws}
        where = f"{cell.architecture} {cell.norm} on {cell.task}"
        for record in cell.records:
            here = f"seed {record.seed} of {where}"
            _require(record.seed in draws, f"{here} has no draw")
            names = [one.name for one in record.sets]
            _require(len(set(names)) == len(names), f"{here} has a set twice")
            _require(draws[record.seed].issuperset(names), f"{here} has a set that its draw has not")
            _require(record.environment < len(self.environments), f"{here} has no environment")
            for name, wanted in (
                ("growth", self.ladder),
                ("departure", self.ladder),
                ("nonfinite", self.ladder),
                ("axis_growth", self.axis_radii),
                ("worst_growth", self.worst_radii),
            ):
                found = len(getattr(record, name))
                _require(found in (0, len(wanted)), f"{here} has {found} numbers of {name}, not {len(wanted)}")

    def task_of(self, cell: CellBlock) -> MeasuredTask:
        """The task of a cell.

        Raises:
            ValueError: it is not among the entry's tasks.
        """
        found = next((task for task in self.tasks if task.task == cell.task), None)
        if found is None:
            raise ValueError(f"a cell of the task {cell.task!r}, which the entry has not")
        return found

    @property
    def digest(self) -> str:
        """SHA-256 (hex) of the entry as :meth:`to_json` writes it."""
        return hashlib.sha256(self.to_json().encode()).hexdigest()

    def to_json(self) -> str:
        """The file, laid out so that a person can read a diff of it; :meth:`from_json` gives back an equal entry."""
        document: dict[str, Any] = _adapter().dump_python(self, mode="json", exclude_defaults=True)
        return lay_out(document)

    @classmethod
    def from_json(cls, text: str) -> Entry:
        """Read an entry that anybody may have written.

        Raises:
            InputError: too long, no JSON, of another format, or not a valid entry; the first complaint, with its place.
        """
        if len(text) > MOST_BYTES:
            raise InputError(f"an entry of {len(text):,} characters", hint=f"at most {MOST_BYTES:,}")
        try:
            return _adapter().validate_json(text)
        except ValidationError as error:
            raise _explained(error, text) from None


def schema() -> dict[str, Any]:
    """The JSON Schema of an entry (draft 2020-12)."""
    made = TypeAdapter(Entry).json_schema(mode="validation")
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", **made, "title": "FarField entry, format 1"}


def schema_text() -> str:
    """The schema as it stands in ``leaderboard/entries``."""
    return json.dumps(schema(), indent=1, sort_keys=True, ensure_ascii=False) + "\n"


def cell_key(entry: Entry, cell: CellBlock, edition: str) -> CellKey:
    """The key of a cell of ``entry``, its data being of this edition."""
    return CellKey(
        protocol=entry.protocol,
        task=cell.task,
        task_version=entry.task_of(cell).version,
        edition=edition,
        architecture=cell.architecture,
        source_hash=cell.source_hash,
        norm=cell.norm,
        norm_hash=cell.norm_hash,
    )


@cache
def _adapter() -> TypeAdapter[Entry]:
    return TypeAdapter(Entry)


def _require(truth: bool, otherwise: str) -> None:
    if not truth:
        raise ValueError(otherwise)


def _require_order(what: str, keys: Iterable[Any]) -> None:
    every = list(keys)
    _require(all(a < b for a, b in pairwise(every)), f"{what} must be distinct and in order")


def _explained(error: ValidationError, text: str) -> InputError:
    """The first complaint as one line; another format is named as such."""
    try:
        document = json.loads(text)
    except (ValueError, RecursionError):
        document = None
    found = document.get("format") if isinstance(document, dict) else None
    if isinstance(found, int) and found > FORMAT:
        return InputError(f"an entry of format {found}, and this FarField reads {FORMAT}", hint="upgrade FarField")
    return refused(error, "hand in what FarField wrote (leaderboard/entries/schema.json describes it)")


def refused(error: ValidationError, hint: str) -> InputError:
    """The first complaint about an entry, or a part of one, as one line with its place."""
    first = error.errors(include_url=False)[0]
    place = ".".join(str(part) for part in first["loc"])
    message = " ".join(first["msg"].removeprefix("Value error, ").split())
    return InputError(f"not a valid entry: {message[:300]}", where=place[:200] or None, hint=hint)
