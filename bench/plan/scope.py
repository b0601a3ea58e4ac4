"""Which stored records are a suite's: those of its own cells, and of what was put on its tasks beside them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from typing import TYPE_CHECKING

from bench.plan.jobs import Cell
from bench.plan.suite import Suite

if TYPE_CHECKING:
    from leaderboard.records.record import CellKey

Method = tuple[str, str]
"""An architecture and a norm scheme, in canonical spelling."""


@dataclass(frozen=True)
class SuiteScope:
    """A suite as readers of a store need it; nothing in it is looked up in a registry.

    Args:
        name, version, protocol: the suite's.
        cells: the suite's own, as (task, architecture, norm).
        tracks: the tasks of each track; empty for a suite without tracks.
        guests: what was put on the suite's tasks and is none of its cells.
    """

    name: str
    version: int
    protocol: str
    cells: frozenset[tuple[str, str, str]]
    tracks: Mapping[str, tuple[str, ...]]
    guests: frozenset[Method] = frozenset()

    @classmethod
    def of(cls, suite: Suite) -> SuiteScope:
        """The scope of ``suite`` without guests.

        Raises:
            InputError: the suite names something that is not registered here.
        """
        cells = frozenset((cell.task, cell.architecture, cell.norm) for cell in suite.cells())
        return cls(suite.name, suite.version, suite.protocol, cells, suite.track_tasks())

    @cached_property
    def tasks(self) -> frozenset[str]:
        """Of its cells."""
        return frozenset(task for task, _, _ in self.cells)

    def with_guests(self, guests: Iterable[Method]) -> SuiteScope:
        """The same with more guests."""
        return replace(self, guests=self.guests | frozenset(guests))

    def guests_of(self, cells: Iterable[Cell]) -> frozenset[Method]:
        """The methods among ``cells`` that are put on the suite: on some task they are none of its cells."""
        return frozenset((c.architecture, c.norm) for c in cells if (c.task, c.architecture, c.norm) not in self.cells)

    def under(self, protocol: str | None) -> SuiteScope:
        """The same under another protocol (its id); None leaves its own."""
        return self if protocol is None else replace(self, protocol=protocol)

    def holds(self, key: CellKey) -> bool:
        """The cell is the suite's, or a guest's on one of the suite's tasks."""
        if key.protocol != self.protocol:
            return False
        own = (key.task, key.architecture, key.norm) in self.cells
        return own or ((key.architecture, key.norm) in self.guests and key.task in self.tasks)
