"""A task as one uses it: a card with options, loaded on request."""

from __future__ import annotations

import functools
import os
from dataclasses import dataclass

from bench.core.errors import InputError
from bench.core.grammar import bind, parse_call, spell
from bench.core.registry import Registry, resolve_target
from tasks.card import TaskCard
from tasks.cards import builtin_cards
from tasks.data import RawTask, StandardizedTask, standardize
from tasks.splitting import assemble, data_hash

REGISTRY: Registry[TaskCard] = Registry("task", "farfield.tasks", builtin_cards)
KEPT_IN_MEMORY = 4


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

    def load_raw(self) -> RawTask:
        """The task with its data split, in raw units; built anew at each call."""
        build = resolve_target(self.card.build)
        try:
            samples = build() if self.card.options is None else build(self.options)
            return assemble(samples, self.card.kind, self.name)
        except InputError as error:
            raise error.at(self.name) from error.__cause__


@functools.lru_cache(maxsize=KEPT_IN_MEMORY)
def _load(task: Task, data: str | None, cache: str | None) -> StandardizedTask:
    """Where the data come from is part of what identifies a loaded task."""
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
    card = REGISTRY.get(call.name)
    if card.options is None:
        if call.positional or call.options:
            raise InputError(f"{card.name} takes no options", where=spelling, mend=f"write {card.name}")
        return Task(card)
    return Task(card, bind(call, resolve_target(card.options)))


def get_card(name: str) -> TaskCard:
    """The card of the task ``name``.

    Raises:
        UnknownName: nothing has that name; the nearest names are offered.
    """
    return REGISTRY.get(name)


def list_tasks(pattern: str = "*") -> list[str]:
    """Names of tasks that match a shell pattern, in natural order."""
    return REGISTRY.names(pattern)
