"""The draws of a task: seed k of a cell is trained and measured on draw k.

Of a computed task, whose builder takes ``draw``, another draw has other inputs, noise, split, test and far rows of the
same function. Data from the world are there once: another draw is another split of them.

The data hash of draw 0 is SHA-256 over its rows (:func:`tasks.splitting.data_hash`). That of another draw is made of
the first half of this one and the first half of the same over its own rows: what hashes of one task begin with names
the data, and what they end with the draw. Of a table that changed, no draw is taken for one of the old table.
"""

from __future__ import annotations

from bench.core.errors import InputError
from bench.core.seeding import EDITION_DIGITS, edition_of
from bench.core.signature import call_build, takes
from tasks.card import TaskCard
from tasks.data.samples import RawTask, check_rows
from tasks.registry import DRAW
from tasks.splitting import Clustered, assemble, data_hash


class Draws:
    """The draws of one task. Data that are there once are built once, and kept while this lives.

    Args:
        card, options: of the task.
        name: its canonical spelling.
    """

    def __init__(self, card: TaskCard, options: object | None, name: str) -> None:
        self._card, self._options, self._name = card, options, name
        self._redrawn = takes(card.build, DRAW)
        self._built: Clustered | None = None
        self._first: str | None = None

    def raw(self, draw: int) -> RawTask:
        """The data of a draw, split, in raw units.

        Raises:
            InputError: data are missing or damaged, or there is no such draw.
        """
        if draw < 0:
            raise InputError(f"draw {draw}", where=self._name, hint="0, 1, 2, …")
        try:
            return assemble(self._samples(draw), self._card.kind, self._name, draw)
        except InputError as error:
            raise error.at(self._name) from error.__cause__

    def hash(self, draw: int, raw: RawTask | None = None) -> str:
        """The data hash of a draw.

        Args:
            draw: which.
            raw: its data, where they are at hand.

        Raises:
            InputError: as :meth:`raw`, or the data are no regression task.
        """
        if draw and self._first is None:
            self._first = self._own_hash(0, None)
        own = self._own_hash(draw, raw)
        if not draw:
            self._first = own
            return own
        assert self._first is not None
        return edition_of(self._first) + own[:EDITION_DIGITS]

    def _own_hash(self, draw: int, raw: RawTask | None) -> str:
        found = self.raw(draw) if raw is None else raw
        check_rows(found, self._name)
        return data_hash(found)

    def _samples(self, draw: int) -> Clustered:
        card, options = self._card, self._options
        if self._redrawn:
            return Clustered.of(call_build(card.build, options=options, draw=draw))
        if self._built is None:
            self._built = Clustered.of(call_build(card.build, options=options))
        return self._built
