"""The training budgets of the built-in tasks: one table, ``tasks/budgets.json``, that ``tools/budgets.py`` writes.

Cards read their budget here, so that a new measurement is one new file.
"""

from __future__ import annotations

import importlib.resources
import json
from collections.abc import Mapping
from functools import cache
from typing import Any

from tasks.card import Budget

FILE = "budgets.json"


@cache
def budgets() -> Mapping[str, Budget]:
    """The budget of each task in the table, by the task's name.

    Raises:
        ValueError: an entry is none.
    """
    text = (importlib.resources.files("tasks") / FILE).read_text(encoding="utf-8")
    return {name: budget_of(entry) for name, entry in json.loads(text).items()}


def find_budget(task: str) -> Budget | None:
    """The budget of ``task`` in the table; ``None`` where it has none."""
    return budgets().get(task)


def budget_of(entry: Mapping[str, Any]) -> Budget:
    """The budget of an entry: ``steps``, ``base_steps``, ``batch_size``, and ``doubling`` where it was measured.

    Raises:
        ValueError: it has other fields, or says what cannot be.
    """
    wanted = {"steps", "base_steps", "batch_size"}
    if set(entry) - {"doubling"} != wanted:
        raise ValueError(f"an entry of {FILE} has {', '.join(sorted(wanted))} and maybe doubling, not {sorted(entry)}")
    doubling = entry.get("doubling")
    return Budget(
        steps=entry["steps"],
        batch_size=entry["batch_size"],
        base_steps=entry["base_steps"],
        how="by kind" if doubling is None else "measured",
        doubling=tuple((doubling or {}).items()),
    )


def entry_of(budget: Budget) -> dict[str, Any]:
    """The entry of a budget that is not merely stated."""
    entry = {"steps": budget.steps, "base_steps": budget.base_steps, "batch_size": budget.batch_size}
    return entry | ({"doubling": dict(budget.doubling)} if budget.measured else {})
