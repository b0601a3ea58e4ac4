"""What networks are tried on: a training domain, and labelled rows far away from it.

>>> import tasks
>>> task = tasks.resolve("sine-1d").load()
>>> len(task.train), [far.name for far in task.far]
(100, ['shell-1-2', 'shell-2-5', 'shell-5-10'])
"""

from __future__ import annotations

from tasks.card import Budget, PaperBudget, TaskCard
from tasks.data import FarSet, RawTask, Rows, Samples, StandardizedTask
from tasks.plugins import register_task
from tasks.task import Task, get_card, list_tasks, resolve

__all__ = [
    "Budget",
    "FarSet",
    "PaperBudget",
    "RawTask",
    "Rows",
    "Samples",
    "StandardizedTask",
    "Task",
    "TaskCard",
    "get_card",
    "list_tasks",
    "register_task",
    "resolve",
]
