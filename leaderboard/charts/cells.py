"""What a chart shows of records: one protocol, each task as it was measured last. Chosen from summaries alone."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

import numpy as np

from bench.core.errors import InputError
from bench.core.grammar import title_of
from leaderboard.charts.drawing.style import listing, seeds_text
from leaderboard.ranking.cells import Cells, Method, cells_by_protocol
from leaderboard.records.protocols import named
from leaderboard.records.quantities import LEARNING_RATE
from leaderboard.records.record import STATUSES, CellKey, Record, RecordKey
from leaderboard.records.store.stored_records import StoredRecords, Summarized, summarized


@dataclass(frozen=True)
class DrawnCell:
    """A cell with a finished record.

    Attributes:
        key: of the cell.
        seeds, digests, data_hashes: of its finished records, in order of seed.
        exact: no training randomness in any of them.
        is_reference: nothing was trained by gradient descent: a baseline that is drawn in grey beside the networks.
    """

    key: CellKey
    seeds: tuple[int, ...]
    digests: tuple[str, ...]
    data_hashes: tuple[str, ...]
    exact: bool
    is_reference: bool

    @property
    def method(self) -> Method:
        """What is ranked."""
        return Method.of(self.key)

    @property
    def keys(self) -> list[RecordKey]:
        """The keys of its finished records."""
        return [self.key.with_seed(*draw) for draw in zip(self.seeds, self.data_hashes, strict=True)]


@dataclass(frozen=True)
class DrawnCells:
    """Cells of one protocol.

    Attributes:
        protocol: which.
        cells: those with a finished record, in order.
        notes: what is not drawn, and why.
        source: the records.
    """

    protocol: str
    cells: tuple[DrawnCell, ...]
    notes: tuple[str, ...]
    source: Summarized = field(repr=False, compare=False)

    @property
    def tasks(self) -> list[str]:
        """Names in order."""
        return list(dict.fromkeys(c.key.task for c in self.cells))

    @property
    def titles(self) -> list[str]:
        """What pictures call them."""
        return [title_of(task) for task in self.tasks]

    @property
    def architectures(self) -> list[str]:
        """Names in order, those without training last."""
        return list(dict.fromkeys(c.key.architecture for c in sorted(self.cells, key=lambda c: c.is_reference)))

    def subtitle(self, *more: str) -> list[str]:
        """Protocol and seeds, what is meant, what is not drawn."""
        seeds = seeds_text(len(c.seeds) for c in self.cells if not c.exact)
        return [" · ".join((named(self.protocol), seeds, *more)), *self.notes]

    def read(self, cells: Iterable[DrawnCell]) -> dict[CellKey, tuple[Record, ...]]:
        """The finished records of ``cells``, in order of seed: only they are read from a store."""
        wanted = list(cells)
        records = iter(self.source.read([digest for cell in wanted for digest in cell.digests]))
        return {cell.key: tuple(next(records) for _ in cell.digests) for cell in wanted}


def drawn_of(records: Iterable[Record] | Summarized) -> DrawnCells:
    """The finished cells among ``records``.

    Raises:
        InputError: none is finished, or they are of several protocols.
    """
    source = summarized(records)
    protocols = cells_by_protocol(source.summaries)
    if len(protocols) > 1:
        raise InputError(f"records of the protocols {', '.join(sorted(protocols))}", hint="choose one with --protocol")
    if not any(cells.finished.any() for cells in protocols.values()):
        raise InputError("there is no finished record to draw", hint="run something first, or choose other records")
    ((protocol, cells),) = protocols.items()
    current = np.isin(cells.edition, cells.current_editions())
    older = sorted({cells.keys[i].task for i in np.flatnonzero(~current).tolist()})
    mine = np.flatnonzero(current).tolist()
    notes = [f"older data or versions not drawn: {listing(older)}"] if older else []
    records_of = np.diff(cells.starts)
    lost = [_loss(cells, i) for i in mine if cells.finished[i] < records_of[i]]
    notes += [f"not drawn: {listing(lost)}"] if lost else []
    done = tuple(_cell(cells, i) for i in mine if cells.finished[i])
    if not done:
        raise InputError("there is no finished record to draw", hint="run something first, or choose other records")
    return DrawnCells(protocol, done, tuple(notes), source)


def _cell(cells: Cells, place: int) -> DrawnCell:
    records, key = cells.records, cells.keys[place]
    mine = range(*cells.starts[place : place + 2].tolist())
    ok = [i for i in mine if records.status[i] == STATUSES.index("ok")]
    untrained = bool(np.isnan(records.number(LEARNING_RATE)[ok]).all())
    return DrawnCell(
        key,
        tuple(records.seed[ok].tolist()),
        tuple(records.digest[i] for i in ok),
        tuple(records.data_hash[i] for i in ok),
        bool(cells.exact[place]),
        key.norm == "none" and untrained,
    )


def _loss(cells: Cells, place: int) -> str:
    start, end = cells.starts[place : place + 2].tolist()
    statuses = [STATUSES[s] for s in cells.records.status[start:end].tolist() if STATUSES[s] != "ok"]
    share = f"{len(statuses)} of {end - start} " if len(statuses) < end - start else ""
    key = cells.keys[place]
    name = key.norm if key.norm != "none" else key.architecture
    return f"{name} on {title_of(key.task)} ({share}{'/'.join(sorted(set(statuses)))})"


def networks_and_references(cells: Sequence[DrawnCell]) -> tuple[list[DrawnCell], list[DrawnCell]]:
    """The cells apart by ``is_reference``; if there are only references they are drawn as networks are."""
    references = [c for c in cells if c.is_reference]
    networks = [c for c in cells if not c.is_reference]
    return (networks, references) if networks else (references, [])


def lone_network(records: Sequence[Record]) -> Sequence[Record]:
    """The records of the one network among them; all of them where there is none, or several."""
    networks = set()
    for cells in cells_by_protocol(summarized(records).summaries).values():
        every = (_cell(cells, place) for place in np.flatnonzero(cells.finished).tolist())
        networks |= {cell.key.architecture for cell in every if not cell.is_reference}
    if len(networks) != 1:
        return records
    if isinstance(records, StoredRecords):
        return records.where(lambda key: key.architecture in networks)
    return [record for record in records if record.key.architecture in networks]


def only(names: Sequence[str], what: str, flag: str) -> str:
    """The single name in ``names``.

    Raises:
        InputError: there are several.
    """
    if len(names) != 1:
        raise InputError(f"this picture is of one {what}, not of {listing(names, 12)}", hint=f"choose one with {flag}")
    return names[0]
