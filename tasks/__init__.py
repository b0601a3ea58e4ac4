"""What networks are tried on: a training domain, and labelled rows far away from it.

>>> import tasks
>>> task = tasks.resolve("sine-1d").load()
>>> len(task.train), [far.name for far in task.far]
(100, ['shell-1-2', 'shell-2-5', 'shell-5-10'])
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

from bench.core.registry import load_cards
from tasks.card import Budget, PaperBudget, TaskCard
from tasks.registry import REGISTRY, get_card, list_tasks, register_family, register_task
from tasks.task import Task, own_data, resolve

if TYPE_CHECKING:
    from tasks.data.samples import FarSet, RawTask, Rows, Samples, StandardizedTask
    from tasks.describing import TaskDescription, describe
    from tasks.farness import HowFar, Projection, how_far, project

__all__ = [
    "REGISTRY",
    "Budget",
    "FarSet",
    "HowFar",
    "PaperBudget",
    "Projection",
    "RawTask",
    "Rows",
    "Samples",
    "StandardizedTask",
    "Task",
    "TaskCard",
    "TaskDescription",
    "describe",
    "get_card",
    "how_far",
    "list_tasks",
    "own_data",
    "project",
    "register_family",
    "register_task",
    "resolve",
]

load_cards("tasks.families", "card")

_LOADED_ON_USE = {
    "tasks.data.samples": ("FarSet", "RawTask", "Rows", "Samples", "StandardizedTask"),
    "tasks.describing": ("TaskDescription", "describe"),
    "tasks.farness": ("HowFar", "Projection", "how_far", "project"),
}
_MODULES = {name: module for module, names in _LOADED_ON_USE.items() for name in names}


def __getattr__(name: str) -> Any:
    """What needs numpy is loaded when it is asked for: cards are read without."""
    if name not in _MODULES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(importlib.import_module(_MODULES[name]), name)
