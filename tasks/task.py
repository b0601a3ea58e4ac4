"""A task as one uses it: a card with options, loaded on request. Importing this does without numpy."""

from __future__ import annotations

import dataclasses
import functools
import os
import threading
from collections.abc import Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol, runtime_checkable

from bench.core.errors import InputError, suggest
from bench.core.grammar import parse_call, spell
from bench.core.signature import bind_options
from tasks.card import TaskCard
from tasks.families.own.card import CARD as OWN_CARD
from tasks.registry import get_card, list_tasks

if TYPE_CHECKING:
    from tasks.data.samples import RawTask, StandardizedTask
    from tasks.drawing import Draws

BUILT_IN_MEMORY = 2
LOADED_IN_MEMORY = 20
MOST_BYTES = 500_000_000


@runtime_checkable
class Refining(Protocol):
    """Options that change what the card says, such as its version."""

    def refine(self, card: TaskCard) -> TaskCard:
        """The card with these options."""
        ...


@dataclass(frozen=True)
class Task:
    """A card with its options.

    Args:
        card: in words.
        options: instance of the card's options, ``None`` when it takes none.
    """

    card: TaskCard
    options: object | None = None

    @property
    def name(self) -> str:
        """Canonical spelling, options at their default left out."""
        return spell(self.card.name, self.options)

    def load(self, draw: int = 0) -> StandardizedTask:
        """A draw of the task with its data, standardized; kept in memory for the next call.

        Seed k of a cell uses draw k: of a computed task the same function with other inputs, noise, test and far rows,
        of data from the world another split (:mod:`tasks.drawing`).

        Raises:
            InputError: data are missing, damaged or no regression task.
        """
        place = (self, os.environ.get("FARFIELD_DATA"), os.environ.get("FARFIELD_CACHE"))
        with _LOADING:
            found = _LOADED.pop((*place, draw), None)
            if found is None:
                found = _load(self, draw, _draws(*place))
            _LOADED[*place, draw] = found  # the last one used stands last
            _forget_oldest()
        return found

    def data_hash(self, draw: int = 0) -> str:
        """The hash of a draw's data, as :meth:`load` has it; nothing is standardized or kept.

        Raises:
            InputError: as :meth:`load`.
        """
        return self.data_hashes((draw,))[0]

    def data_hashes(self, draws: Iterable[int]) -> tuple[str, ...]:
        """:meth:`data_hash` of several draws; data that are there once are read once.

        Raises:
            InputError: as :meth:`load`.
        """
        from tasks.drawing import Draws

        found = Draws(self.card, self.options, self.name)
        return tuple(found.hash(draw) for draw in draws)

    def load_raw(self, draw: int = 0) -> RawTask:
        """A draw of the task with its data split, in raw units; built anew at each call."""
        from tasks.drawing import Draws

        return Draws(self.card, self.options, self.name).raw(draw)


_LOADED: dict[tuple[object, ...], StandardizedTask] = {}
_LOADING = threading.RLock()


@functools.lru_cache(maxsize=BUILT_IN_MEMORY)
def _draws(task: Task, data: str | None, cache: str | None) -> Draws:
    """Where the data come from is part of what identifies a task that was built."""
    from tasks.drawing import Draws

    return Draws(task.card, task.options, task.name)


def _load(task: Task, draw: int, draws: Draws) -> StandardizedTask:
    from tasks.data.samples import standardize

    raw = draws.raw(draw)
    return standardize(raw, task.card, task.name, draws.hash(draw, raw), draw)


def _forget_oldest() -> None:
    """Keep what was used last: as many draws as a standard result has, of several small tasks or of one large one."""
    while len(_LOADED) > LOADED_IN_MEMORY or (len(_LOADED) > 1 and sum(map(_size, _LOADED.values())) > MOST_BYTES):
        del _LOADED[next(iter(_LOADED))]


def _size(task: StandardizedTask) -> int:
    """Bytes of its inputs."""
    sets = (task.train, task.validation, task.test, *(far.rows for far in task.far))
    return sum(rows.inputs.nbytes for rows in sets)


def forget_loaded() -> None:
    """Nothing that was loaded stays in memory."""
    with _LOADING:
        _LOADED.clear()
        _draws.cache_clear()


def resolve(spelling: str) -> Task:
    """The task written as ``name`` or ``name(option=value)``.

    Raises:
        InputError: unknown name or option (the nearest are offered), or a bad value.

    >>> resolve("sine-1d(instance=7)").name
    'sine-1d(instance=7)'
    """
    call = parse_call(spelling, "task")
    card = get_card(call.name)
    return with_options(card, bind_options(call, card.options))


def with_options(card: TaskCard, options: object | None) -> Task:
    """The task of ``card`` with ``options``, which may refine what the card says."""
    return Task(options.refine(card) if isinstance(options, Refining) else card, options)


def own_data(source: object, *, target: str, **rules: str | float | None) -> Task:
    """A task made from the user's own table.

    Args:
        source: path of a CSV or Parquet file, or a data frame of pandas, polars or pyarrow (kept in the cache for
            worker processes).
        target: column to predict.
        rules: the other options of :class:`tasks.families.own.options.OwnData` (``far_by``, ``far_quantile``,
            ``far_where``, ``group_by``, ``far_group``, ``drop``, and how the table is read: ``separator``,
            ``decimal``, ``missing``, …; docs/own-data.md).

    Raises:
        InputError: there is no such file, no far rule, or an unknown or bad option.
    """
    from tasks.families.own.options import OwnData
    from tasks.families.own.table import path_of

    known = {field.name for field in dataclasses.fields(OwnData)}
    for name in rules:
        if name not in known:
            raise InputError(f"unknown option {name!r}", where=OWN_CARD.name, hint=suggest(name, known))
    if rules.get("name") in list_tasks():
        raise InputError(f"{rules['name']!r} is a task already", where=OWN_CARD.name, hint="name the table otherwise")
    try:
        return with_options(OWN_CARD, OwnData(path_of(source), target, **rules))  # type: ignore[arg-type]
    except ValueError as error:
        raise InputError(str(error), where=OWN_CARD.name) from None
