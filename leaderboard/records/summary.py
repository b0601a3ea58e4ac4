"""What standings, comparisons, pages and charts need of records: a few facts and numbers of each, as columns over many.

A hundred thousand records are too many to look at one by one. Numbers stand here as they were measured, neither
clipped nor floored; infinite where an output was not finite.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, fields
from itertools import chain, islice
from typing import Any, get_args

import numpy as np
from numpy.typing import NDArray

from leaderboard.records.quantities import NONFINITE, NUMBERS, OF_RECORDS
from leaderboard.records.quantity import Quantity
from leaderboard.records.record import MOST_CHARACTERS, STATUSES, CellKey, FarKind, Record, Status, Truth

Environment = tuple[tuple[str, str], ...]


@dataclass(frozen=True)
class Summary:
    """What is kept of one record.

    Attributes:
        digest: of its key.
        data_hash: of its seed's draw.
        seed, status, truth, deterministic, created, reason, reason_code, origin, program, far_kind: as in the
            record.
        environment: as JSON with sorted names.
        numbers: one for each of ``NUMBERS``, in order.
    """

    digest: str
    data_hash: str
    seed: int
    status: Status
    truth: Truth
    deterministic: bool
    created: str
    reason: str | None
    reason_code: str | None
    origin: str | None
    program: str | None
    far_kind: FarKind | None
    environment: str
    numbers: tuple[float | None, ...]

    @classmethod
    def of(cls, record: Record) -> Summary:
        """The summary of a record."""
        return cls(
            digest=record.key.digest(),
            data_hash=record.key.data_hash,
            seed=record.key.seed,
            status=record.status,
            truth=record.truth,
            deterministic=record.deterministic,
            created=record.created,
            reason=record.reason,
            reason_code=record.reason_code,
            origin=record.origin,
            program=record.program,
            far_kind=record.far_kind,
            environment=json.dumps(dict(record.environment), sort_keys=True, ensure_ascii=False),
            numbers=tuple(q.read(record) for q in OF_RECORDS if q.read is not None),
        )

    def values(self) -> tuple[str | int | float | None, ...]:
        """One for each of ``SUMMARY_FIELDS``."""
        return (*(getattr(self, name) for name in FACTS), *self.numbers)


FACTS: tuple[str, ...] = tuple(f.name for f in fields(Summary) if f.name != "numbers")
SUMMARY_FIELDS: tuple[str, ...] = (*FACTS, *NUMBERS)
_TEXTS = ("digest", "data_hash", "created", "reason", "reason_code", "origin", "program", "far_kind")
ROWS_AT_ONCE = 4096


@dataclass(frozen=True, eq=False)
class Summaries:
    """Summaries of n records as columns; NaN stands for what was not measured.

    Args:
        cells: distinct cells, at least those the records are of.
        cell: (n,) of which of ``cells`` each record is.
        environments: distinct environments, as (name, value) pairs in order of name.
        environment: (n,) which of them each record was made in.
        digest, data_hash, created, reason, reason_code, origin, program, far_kind: n texts each.
        seed: (n,).
        status: (n,) places in ``STATUSES``.
        truth: (n,) kinds of truth.
        deterministic: (n,).
        numbers: (n, numbers), in the order of ``NUMBERS``.
    """

    cells: tuple[CellKey, ...]
    cell: NDArray[np.int64]
    environments: tuple[Environment, ...]
    environment: NDArray[np.int64]
    digest: tuple[str, ...]
    data_hash: tuple[str, ...]
    created: tuple[str, ...]
    reason: tuple[str | None, ...]
    reason_code: tuple[str | None, ...]
    origin: tuple[str | None, ...]
    program: tuple[str | None, ...]
    far_kind: tuple[FarKind | None, ...]
    seed: NDArray[np.int64]
    status: NDArray[np.int64]
    truth: NDArray[np.str_]
    deterministic: NDArray[np.bool_]
    numbers: NDArray[np.float64]

    def __len__(self) -> int:
        return len(self.cell)

    def number(self, quantity: Quantity | str) -> NDArray[np.float64]:
        """(n,) the column of a quantity, or the one of this name."""
        return self.numbers[:, NUMBERS.index(quantity if isinstance(quantity, str) else quantity.column)]

    @property
    def finite(self) -> NDArray[np.bool_]:
        """(n,) every output that was measured is finite."""
        return ~(self.number(NONFINITE) > 0)

    def take(self, which: Sequence[int] | NDArray[np.int64]) -> Summaries:
        """The records at the places ``which``, in that order."""
        places = np.asarray(which, dtype=np.int64)
        chosen = places.tolist()
        columns: dict[str, Any] = {}
        for field in fields(self):
            column = getattr(self, field.name)
            if isinstance(column, np.ndarray):
                columns[field.name] = column[places]
            elif field.name in _TEXTS:
                columns[field.name] = tuple([column[i] for i in chosen])
            else:
                columns[field.name] = column
        return Summaries(**columns)

    def take_digests(self, digests: Iterable[str]) -> Summaries:
        """The records whose keys have these digests, in that order; digests that are not here are passed over."""
        places = {digest: place for place, digest in enumerate(self.digest)}
        return self.take([places[digest] for digest in digests if digest in places])

    def in_order(self) -> Summaries:
        """Ordered by protocol, task, architecture, norm and seed."""
        names = [(key.protocol, key.task, key.architecture, key.norm) for key in self.cells]
        ranks = {name: rank for rank, name in enumerate(sorted(set(names)))}
        rank = np.array([ranks[name] for name in names], dtype=np.int64)
        order = np.lexsort((self.cell, self.seed, rank[self.cell]))
        return self if (order == np.arange(len(order))).all() else self.take(order)

    @property
    def counts(self) -> dict[Status, int]:
        """How many records have each status; those that none has are left out."""
        numbers = np.bincount(self.status, minlength=len(STATUSES)).tolist()
        return {status: n for status, n in zip(STATUSES, numbers, strict=True) if n}

    @classmethod
    def of(cls, records: Iterable[Record]) -> Summaries:
        """The summaries of ``records``."""
        cells: dict[CellKey, int] = {}
        builder = SummaryBuilder()
        rest = iter(records)
        while some := list(islice(rest, ROWS_AT_ONCE)):
            places = [cells.setdefault(record.key.cell, len(cells)) for record in some]
            builder.add(places, [Summary.of(record).values() for record in some])
        return builder.build(tuple(cells))

    def _check(self) -> None:
        """What the types do not say."""
        if not set(np.unique(self.truth).tolist()) <= set(get_args(Truth)):
            raise ValueError("a summary has no kind of truth that there is")
        if not set(self.far_kind) <= {*get_args(FarKind), None}:
            raise ValueError("a summary has no far kind that there is")
        if self.cell.size and not 0 <= self.cell.min() <= self.cell.max() < len(self.cells):
            raise ValueError("a summary is of no cell")
        texts = {text for name in _TEXTS for text in getattr(self, name)} - {None}
        if not all(type(text) is str and len(text) <= MOST_CHARACTERS for text in texts):
            raise ValueError(f"a summary has text that is none, or of more than {MOST_CHARACTERS} characters")
        signed = np.array([q.signed for q in OF_RECORDS])
        if (self.numbers[:, ~signed] < 0).any() or np.isneginf(self.numbers[:, signed]).any():
            raise ValueError("a summary has a negative error, growth or size")


class SummaryBuilder:
    """Puts rows together to columns, some thousands at a time, so that few of them are in memory as rows.

    Raises:
        ValueError: a row is none: an unknown status, a negative error, text for a number.
    """

    def __init__(self) -> None:
        self._environments: dict[object, int] = {}
        self._parts: list[dict[str, Any]] = []

    def add(self, cells: Sequence[int], rows: Sequence[tuple[object, ...]]) -> None:
        """Some records.

        Args:
            cells: of each its cell's place among the cells that :meth:`build` will be given.
            rows: of each the values of its summary; what follows them is ignored.
        """
        turned = list(zip(*rows, strict=True)) or [()] * len(SUMMARY_FIELDS)
        columns: dict[str, Any] = dict(zip(SUMMARY_FIELDS, turned, strict=False))
        codes: dict[object, int] = {status: code for code, status in enumerate(STATUSES)}
        seen = self._environments
        try:
            part = {
                "cell": np.array(cells, dtype=np.int64),
                "environment": np.array([seen.setdefault(e, len(seen)) for e in columns["environment"]], np.int64),
                **{name: columns[name] for name in _TEXTS},
                "seed": np.array(columns["seed"], dtype=np.int64),
                "status": np.array([codes[status] for status in columns["status"]], dtype=np.int64),
                "truth": np.array(columns["truth"], dtype=np.str_),
                "deterministic": np.array(columns["deterministic"], dtype=np.bool_),
                "numbers": np.array([columns[name] for name in NUMBERS], dtype=np.float64).T.copy(),
            }
        except (KeyError, TypeError, OverflowError) as error:
            raise ValueError(f"a summary is damaged: {error}") from None
        self._parts.append(part)

    def build(self, cells: tuple[CellKey, ...], environments: Mapping[object, object] | None = None) -> Summaries:
        """All that was added, as columns.

        Args:
            cells: distinct.
            environments: their contents, where the rows have something else that stands for them.
        """
        if not self._parts:
            self.add([], [])
        columns: dict[str, Any] = {}
        for name in list(self._parts[0]):
            parts = [part.pop(name) for part in self._parts]
            columns[name] = np.concatenate(parts) if name not in _TEXTS else tuple(chain.from_iterable(parts))
        seen = self._environments if environments is None else [environments[name] for name in self._environments]
        made = Summaries(cells=cells, environments=tuple(_environment(content) for content in seen), **columns)
        made._check()
        return made


def _environment(text: object) -> Environment:
    content = json.loads(text) if isinstance(text, str) else None
    if not isinstance(content, dict) or not all(isinstance(value, str) for value in content.values()):
        raise ValueError("a summary has an environment that is none")
    return tuple(content.items())
