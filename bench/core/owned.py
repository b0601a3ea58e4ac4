"""How a task made from a user's own table is told from others by its spelling, and what people call it."""

from __future__ import annotations

from functools import lru_cache

from bench.core.errors import InputError
from bench.core.grammar import parse_call

OWN_DATA = "own-data"
"""The name of the task; its options are the table's path and the rest."""


def is_own(task: str) -> bool:
    """Whether ``task``, in canonical spelling, is a user's own table."""
    return task.startswith(f"{OWN_DATA}(")


@lru_cache(maxsize=4096)
def title_of(task: str) -> str:
    """What tables and pictures call ``task``: the name that a user gave to a table, else its spelling.

    >>> title_of("own-data(path=cars.csv, target=price, far_by=age, name=cars)")
    'cars'
    """
    if not is_own(task):
        return task
    try:
        return parse_call(task, "task").options.get("name", task)
    except InputError:
        return task
