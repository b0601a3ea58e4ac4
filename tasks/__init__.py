"""What networks are tried on: a training domain, and labelled rows far away from it.

>>> import tasks
>>> task = tasks.resolve("sine-1d").load()
>>> len(task.train), [far.name for far in task.far]
(100, ['shell-1-2', 'shell-2-5', 'shell-5-10'])
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

from tasks.card import Budget, PaperBudget, TaskCard
from tasks.task import Task, get_card, list_tasks, own_data, resolve

if TYPE_CHECKING:
    from tasks.data.samples import FarSet, RawTask, Rows, Samples, StandardizedTask
    from tasks.describing import TaskDescription, describe
    from tasks.farness import HowFar, Projection, how_far, project
    from tasks.registering import register_task

__all__ = [
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
    "register_task",
    "resolve",
]

_LOADED_ON_USE = {
    "tasks.data.samples": ("FarSet", "RawTask", "Rows", "Samples", "StandardizedTask"),
    "tasks.describing": ("TaskDescription", "describe"),
    "tasks.farness": ("HowFar", "Projection", "how_far", "project"),
    "tasks.registering": ("register_task",),
}
_MODULES = {name: module for module, names in _LOADED_ON_USE.items() for name in names}


def __getattr__(name: str) -> Any:
    """What needs numpy is loaded when it is asked for: cards are read without."""
    if name not in _MODULES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(importlib.import_module(_MODULES[name]), name)
