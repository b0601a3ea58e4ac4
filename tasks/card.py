"""What is said about a task before its data are loaded: a small, validated object with a closed schema."""

from __future__ import annotations

import dataclasses
import re
import typing
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal

from bench.core.origin import Origin
from bench.core.problem import INPUT_KINDS, InputKind

Truth = Literal["bounded", "growing", "unknown"]
TRUTHS: tuple[Truth, ...] = typing.get_args(Truth)
_NAME = re.compile(r"[a-z0-9]+(-[a-z0-9]+)*\Z")


@dataclass(frozen=True)
class Budget:
    """How long everybody trains on the task under protocol 2.

    Args:
        steps: optimizer steps.
        batch_size: rows per step; up to 1,024 training rows are always taken whole.
    """

    steps: int
    batch_size: int = 1024

    def __post_init__(self) -> None:
        if self.steps < 1 or self.batch_size < 1:
            raise ValueError("a budget needs at least one step of at least one row")


@dataclass(frozen=True)
class PaperBudget:
    """How long one trains under protocol ``paper`` (arXiv 2505.14512, Table 3, where it has the task).

    Args:
        epochs: passes over the training rows.
        batch_size: rows per step, ``None`` for full batches.
        learning_rate: of Adam.
    """

    epochs: int
    batch_size: int | None = None
    learning_rate: float = 1e-3

    def __post_init__(self) -> None:
        if self.epochs < 1 or (self.batch_size is not None and self.batch_size < 1) or self.learning_rate <= 0:
            raise ValueError("a paper budget needs positive epochs, batch size and learning rate")


@dataclass(frozen=True, kw_only=True)
class TaskCard:
    """A task in words.

    Args:
        name: lower-case words joined by hyphens.
        version: raised whenever the rows, the rule or the target change.
        summary: one sentence.
        kind: what one input is.
        target: what is predicted.
        units: of the target; ``"1"`` where it has none.
        truth: what the target does beyond the training domain: ``bounded`` stays within about its training range,
            ``growing`` leaves it, ``unknown`` where nobody knows.
        far_rule: how the far sets are chosen.
        source: where the data come from.
        licence: of the data.
        citation: whom to cite for the data.
        real: measured in the world, not computed from a formula.
        budget: training budget of protocol 2.
        paper: training budget of protocol ``paper``.
        build: a function, or ``"module:function"``, that returns :class:`tasks.data.samples.Samples`; it takes the
            options when there are any.
        options: frozen dataclass (or ``"module:class"``) of the task's options, ``None`` when it takes none.
        origin: where its code was loaded from.
    """

    name: str
    version: str
    summary: str
    kind: InputKind
    target: str
    units: str
    truth: Truth
    far_rule: str
    source: str
    licence: str
    citation: str
    real: bool
    budget: Budget
    paper: PaperBudget
    build: str | Callable[..., Any]
    options: str | type | None = None
    origin: Origin

    def __post_init__(self) -> None:
        if not _NAME.match(self.name):
            raise ValueError(f"a task's name is lower-case words joined by hyphens, not {self.name!r}")
        for field in dataclasses.fields(self):
            value = getattr(self, field.name)
            if field.type == "str" and (not isinstance(value, str) or not value.strip()):
                raise ValueError(f"card {self.name!r}: {field.name} is empty")
        if self.kind not in INPUT_KINDS:
            raise ValueError(f"card {self.name!r}: kind must be one of {', '.join(INPUT_KINDS)}, not {self.kind!r}")
        if self.truth not in TRUTHS:
            raise ValueError(f"card {self.name!r}: truth must be one of {', '.join(TRUTHS)}, not {self.truth!r}")
        if self.origin not in typing.get_args(Origin):
            raise ValueError(f"card {self.name!r}: {self.origin!r} is no origin")
