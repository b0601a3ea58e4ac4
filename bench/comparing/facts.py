"""What the page says of the table itself: how it was read, which rows are far, and how far they are."""

from __future__ import annotations

import os

from leaderboard.page.own_table import FarFacts, TableFacts
from tasks import StandardizedTask, Task
from tasks.families.own.options import OwnData
from tasks.farness import how_far
from tasks.reading.own.frames import FRAME

CAUTION = "CAUTION: "


def file_of(path: str) -> str:
    """What people call the table's source."""
    return "a data frame" if path.startswith(FRAME) else os.path.basename(path)


def facts_of(task: Task, loaded: StandardizedTask) -> TableFacts:
    """The facts of ``task``."""
    options = task.options
    assert isinstance(options, OwnData)
    measured = {one.name: one for one in how_far(loaded)}
    far = tuple(
        FarFacts(
            rule=rule.label,
            rows=len(one.rows),
            distance=measured[one.name].distance,
            beyond=float((loaded.distance(one.rows.inputs) > 1).mean()),
            mahalanobis=measured[one.name].mahalanobis,
            nearest=measured[one.name].nearest,
            auc=measured[one.name].auc,
        )
        for rule, one in zip(options.rules(), loaded.far, strict=True)
    )
    return TableFacts(
        path=options.path,
        file=file_of(options.path),
        target=options.target,
        rows=(len(loaded.train), len(loaded.validation), len(loaded.test)),
        inputs=loaded.problem.size,
        version=loaded.card.version,
        notes=tuple(note for note in loaded.notes if not note.startswith(CAUTION)),
        cautions=tuple(note.removeprefix(CAUTION) for note in loaded.notes if note.startswith(CAUTION)),
        near=measured["test"].distance,
        far=far,
    )
