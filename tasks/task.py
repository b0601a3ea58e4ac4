"""A task as one uses it: a card with options, loaded on request. Importing this does without numpy."""

from __future__ import annotations

import dataclasses
import functools
import os
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol, runtime_checkable

from bench.core.errors import InputError, suggest
from bench.core.grammar import parse_call, spell
from bench.core.signature import bind_options, call_build
from tasks.card import TaskCard
from tasks.families.own.card import CARD as OWN_CARD
from tasks.registry import get_card, list_tasks

if TYPE_CHECKING:
    from tasks.data.samples import RawTask, StandardizedTask

KEPT_IN_MEMORY = 4


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

    def load(self) -> StandardizedTask:
        """The task with its data, standardized; kept in memory for the next call.

        Raises:
            InputError: data are missing, damaged or no regression task.
        """
        return _load(self, os.environ.get("FARFIELD_DATA"), os.environ.get("FARFIELD_CACHE"))

    def data_hash(self) -> str:
        """:func:`tasks.splitting.data_hash` of the data, as :meth:`load` has it; nothing is standardized or kept.

        Raises:
            InputError: as :meth:`load`.
        """
        from tasks.data.samples import check_rows
        from tasks.splitting import data_hash

        raw = self.load_raw()
        check_rows(raw, self.name)
        return data_hash(raw)

    def load_raw(self) -> RawTask:
        """The task with its data split, in raw units; built anew at each call."""
        from tasks.splitting import assemble

        try:
            samples = call_build(self.card.build, options=self.options)
            return assemble(samples, self.card.kind, self.name)
        except InputError as error:
            raise error.at(self.name) from error.__cause__


@functools.lru_cache(maxsize=KEPT_IN_MEMORY)
def _load(task: Task, data: str | None, cache: str | None) -> StandardizedTask:
    """Where the data come from is part of what identifies a loaded task."""
    from tasks.data.samples import standardize
    from tasks.splitting import data_hash

    raw = task.load_raw()
    return standardize(raw, task.card, task.name, data_hash(raw))


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
