"""What networks are tried on: a training domain, and labelled rows far away from it.

>>> import tasks
>>> task = tasks.resolve("sine-1d").load()
>>> len(task.train), [far.name for far in task.far]
(100, ['shell-1-2', 'shell-2-5', 'shell-5-10'])
"""

from __future__ import annotations

from tasks.card import Budget, PaperBudget, TaskCard
from tasks.data import FarSet, RawTask, Rows, Samples, StandardizedTask
from tasks.describing import TaskDescription, describe
from tasks.farness import HowFar, Projection, how_far, project
from tasks.plugins import register_task
from tasks.task import Task, get_card, list_tasks, own_data, resolve

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
