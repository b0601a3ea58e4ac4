"""What standings need of records: a few numbers of each, as columns over many.

A hundred thousand records are too many to look at one by one. Numbers stand here as they were measured, neither
clipped nor floored; infinite where an output was not finite.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, fields
from typing import Any, get_args

import numpy as np
from numpy.typing import NDArray

from leaderboard.records.record import MOST_CHARACTERS, STATUSES, CellKey, Record, Status, Truth

NUMBERS = ("id_error", "far_error", "max_growth", "growth_10", "growth_100", "exponent", "parameters", "seconds")


@dataclass(frozen=True)
class Summary:
    """What is kept of one record.

    Attributes:
        digest: of its key.
        seed, status, truth, deterministic, created, reason: as in the record.
        finite: every output that was measured is.
        id_error, far_error: infinite where a prediction was not finite.
        max_growth, growth_10, growth_100, exponent: infinite where growth is.
        parameters, seconds: as in the record.
    """

    digest: str
    seed: int
    status: Status
    truth: Truth
    deterministic: bool
    created: str
    reason: str | None
    finite: bool
    id_error: float | None
    far_error: float | None
    max_growth: float | None
    growth_10: float | None
    growth_100: float | None
    exponent: float | None
    parameters: int | None
    seconds: float | None

    @classmethod
    def of(cls, record: Record) -> Summary:
        """The summary of a record."""
        return cls(
            digest=record.key.digest(),
            seed=record.key.seed,
            status=record.status,
            truth=record.truth,
            deterministic=record.deterministic,
            created=record.created,
            reason=record.reason,
            finite=record.is_finite,
            id_error=measured_id_error(record),
            far_error=measured_far_error(record),
            max_growth=record.max_growth,
            growth_10=record.growth_at(10.0),
            growth_100=record.growth_at(100.0),
            exponent=measured_exponent(record),
            parameters=record.parameters,
            seconds=record.seconds,
        )

    def values(self) -> tuple[str | int | float | None, ...]:
        """The fields in order."""
        return tuple(getattr(self, name) for name in SUMMARY_FIELDS)


SUMMARY_FIELDS: tuple[str, ...] = tuple(f.name for f in fields(Summary))


def measured_far_error(record: Record) -> float | None:
    """far_error; infinite when a far prediction was not finite."""
    if record.far_error is None and any(s.role == "far" and s.nonfinite for s in record.sets):
        return math.inf
    return record.far_error


def measured_id_error(record: Record) -> float | None:
    """id_error; infinite when a prediction on the test set was not finite."""
    if record.id_error is None and any(s.role == "test" and s.nonfinite for s in record.sets):
        return math.inf
    return record.id_error


def measured_exponent(record: Record) -> float | None:
    """The exponent; infinite where growth is."""
    if record.exponent is None and record.max_growth == math.inf:
        return math.inf
    return record.exponent


@dataclass(frozen=True, eq=False)
class Summaries:
    """Summaries of n records as columns; NaN stands for what was not measured.

    Args:
        cells: distinct cells, at least those the records are of.
        cell: (n,) of which of ``cells`` each record is.
        digest, created, reason: n texts each.
        seed: (n,).
        status: (n,) places in ``STATUSES``.
        truth: (n,) kinds of truth.
        deterministic, finite: (n,).
        numbers: (n, numbers), in the order of ``NUMBERS``.
    """

    cells: tuple[CellKey, ...]
    cell: NDArray[np.int64]
    digest: tuple[str, ...]
    created: tuple[str, ...]
    reason: tuple[str | None, ...]
    seed: NDArray[np.int64]
    status: NDArray[np.int64]
    truth: NDArray[np.str_]
    deterministic: NDArray[np.bool_]
    finite: NDArray[np.bool_]
    numbers: NDArray[np.float64]

    def __len__(self) -> int:
        return len(self.cell)

    def number(self, name: str) -> NDArray[np.float64]:
        """(n,) the column called ``name``, one of ``NUMBERS``."""
        return self.numbers[:, NUMBERS.index(name)]

    def take(self, which: Sequence[int] | NDArray[np.int64]) -> Summaries:
        """The records at the places ``which``, in that order."""
        places = np.asarray(which, dtype=np.int64)
        chosen = places.tolist()
        texts = [tuple([column[i] for i in chosen]) for column in (self.digest, self.created, self.reason)]
        arrays = (self.seed, self.status, self.truth, self.deterministic, self.finite, self.numbers)
        return Summaries(self.cells, self.cell[places], *texts, *(a[places] for a in arrays))  # type: ignore[arg-type]

    def take_digests(self, digests: Iterable[str]) -> Summaries:
        """The records whose keys have these digests, in that order; digests that are not here are passed over."""
        places = {digest: place for place, digest in enumerate(self.digest)}
        return self.take([places[digest] for digest in digests if digest in places])

    def in_order(self) -> Summaries:
        """Ordered by protocol, task, architecture, norm and seed."""
        names = [(key.protocol, key.task, key.architecture, key.norm) for key in self.cells]
        ranks = {name: rank for rank, name in enumerate(sorted(set(names)))}
        rank = np.array([ranks[name] for name in names], dtype=np.int64)
        return self.take(np.lexsort((self.cell, self.seed, rank[self.cell])))

    @property
    def counts(self) -> dict[Status, int]:
        """How many records have each status; those that none has are left out."""
        numbers = np.bincount(self.status, minlength=len(STATUSES)).tolist()
        return {status: n for status, n in zip(STATUSES, numbers, strict=True) if n}

    @classmethod
    def of(cls, records: Iterable[Record]) -> Summaries:
        """The summaries of ``records``."""
        cells: dict[CellKey, int] = {}
        places, rows = [], []
        for record in records:
            places.append(cells.setdefault(record.key.cell, len(cells)))
            rows.append(Summary.of(record).values())
        return cls.from_rows(list(cells), places, rows)

    @classmethod
    def from_rows(
        cls, cells: Sequence[CellKey], cell: Sequence[int] | NDArray[np.int64], rows: Sequence[tuple[object, ...]]
    ) -> Summaries:
        """Columns from rows.

        Args:
            cells: distinct cells.
            cell: of each record the place of its cell.
            rows: of each record the fields of its summary, in order; what follows them is ignored.

        Raises:
            ValueError: a row is none: an unknown status, a negative error, text for a number.
        """
        turned = list(zip(*rows, strict=True)) or [()] * len(SUMMARY_FIELDS)
        columns: dict[str, Any] = dict(zip(SUMMARY_FIELDS, turned, strict=False))
        codes: dict[object, int] = {status: code for code, status in enumerate(STATUSES)}
        try:
            made = cls(
                cells=tuple(cells),
                cell=np.asarray(cell, dtype=np.int64),
                digest=columns["digest"],
                created=columns["created"],
                reason=columns["reason"],
                seed=np.array(columns["seed"], dtype=np.int64),
                status=np.array([codes[status] for status in columns["status"]], dtype=np.int64),
                truth=np.array(columns["truth"], dtype=np.str_),
                deterministic=np.array(columns["deterministic"], dtype=np.bool_),
                finite=np.array(columns["finite"], dtype=np.bool_),
                numbers=np.array([columns[name] for name in NUMBERS], dtype=np.float64).T.copy(),
            )
        except (KeyError, TypeError, OverflowError) as error:
            raise ValueError(f"a summary is damaged: {error}") from None
        made._check()
        return made

    def _check(self) -> None:
        """What the types do not say."""
        if self.cell.size and not 0 <= self.cell.min() <= self.cell.max() < len(self.cells):
            raise ValueError("a summary is of no cell")
        if not set(np.unique(self.truth).tolist()) <= set(get_args(Truth)):
            raise ValueError("a summary has no kind of truth that there is")
        texts = (*self.digest, *self.created, *(reason for reason in self.reason if reason is not None))
        if not all(type(text) is str and len(text) <= MOST_CHARACTERS for text in texts):
            raise ValueError(f"a summary has text that is none, or of more than {MOST_CHARACTERS} characters")
        signed = self.number("exponent")
        if (np.delete(self.numbers, NUMBERS.index("exponent"), axis=1) < 0).any() or np.isneginf(signed).any():
            raise ValueError("a summary has a negative error, growth or size")
