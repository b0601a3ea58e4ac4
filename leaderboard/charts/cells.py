"""What a chart shows of a list of records: one protocol, each task as it was measured last."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from bench.core.errors import InputError
from leaderboard.charts.style import listing, seeds_text
from leaderboard.ranking.grouping import CellRecords, current_editions, group_cells
from leaderboard.records.record import Record


@dataclass(frozen=True)
class Selection:
    """Cells of one protocol.

    Attributes:
        protocol: which.
        cells: those with a finished record.
        notes: what is not drawn, and why.
    """

    protocol: str
    cells: tuple[CellRecords, ...]
    notes: tuple[str, ...]

    @property
    def tasks(self) -> list[str]:
        """Names in order."""
        return list(dict.fromkeys(c.key.task for c in self.cells))

    @property
    def architectures(self) -> list[str]:
        """Names in order, those without training last."""
        return list(dict.fromkeys(c.key.architecture for c in sorted(self.cells, key=is_reference)))

    def subtitle(self, *more: str) -> list[str]:
        """Protocol and seeds, what is meant, what is not drawn."""
        seeds = seeds_text(len(c.ok) for c in self.cells if not c.exact)
        return [" · ".join((f"protocol {self.protocol}", seeds, *more)), *self.notes]


def select(records: Iterable[Record]) -> Selection:
    """The finished cells among ``records``.

    Raises:
        InputError: none is finished, or they are of several protocols.
    """
    cells = group_cells(records)
    protocols = sorted({c.key.protocol for c in cells})
    if len(protocols) > 1:
        raise InputError(f"records of the protocols {', '.join(protocols)}", hint="choose one with --protocol")
    current = set(current_editions(cells).values())
    older = sorted({c.key.task for c in cells if c.edition not in current})
    mine = [c for c in cells if c.edition in current]
    done = tuple(c for c in mine if c.ok)
    if not done:
        raise InputError("there is no finished record to draw", hint="run something first, or choose other records")
    notes = [f"older data or versions not drawn: {listing(older)}"] if older else []
    lost = [_loss(c) for c in mine if len(c.ok) < len(c.records)]
    notes += [f"not drawn: {listing(lost)}"] if lost else []
    return Selection(protocols[0], done, tuple(notes))


def _loss(cell: CellRecords) -> str:
    statuses = [r.status for r in cell.records if r.status != "ok"]
    share = f"{len(statuses)} of {len(cell.records)} " if len(statuses) < len(cell.records) else ""
    name = cell.key.norm if cell.key.norm != "none" else cell.key.architecture
    return f"{name} on {cell.key.task} ({share}{'/'.join(sorted(set(statuses)))})"


def is_reference(cell: CellRecords) -> bool:
    """Nothing was trained by gradient descent: a baseline that is drawn in grey beside the networks."""
    return cell.key.norm == "none" and all(r.learning_rate is None for r in cell.ok)


def networks_and_references(cells: Sequence[CellRecords]) -> tuple[list[CellRecords], list[CellRecords]]:
    """The cells apart by :func:`is_reference`; if there are only references they are drawn as networks are."""
    references = [c for c in cells if is_reference(c)]
    networks = [c for c in cells if not is_reference(c)]
    return (networks, references) if networks else (references, [])


def lone_network(records: Sequence[Record]) -> list[Record]:
    """The records of the one network among them; all of them where there is none, or several."""
    cells = group_cells(records)
    networks = {c.key.architecture for c in cells if c.ok and not is_reference(c)}
    if len(networks) != 1:
        return list(records)
    return [record for record in records if record.key.architecture in networks]


def only(names: Sequence[str], what: str, flag: str) -> str:
    """The single name in ``names``.

    Raises:
        InputError: there are several.
    """
    if len(names) != 1:
        raise InputError(f"this picture is of one {what}, not of {listing(names, 12)}", hint=f"choose one with {flag}")
    return names[0]
