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
FarKind = Literal["distance", "length", "shift"]
FAR_KINDS: tuple[FarKind, ...] = typing.get_args(FarKind)
FAR_SHARE = 0.5
"""Share of far rows beyond R from which a task is far by distance, where its card does not say how it is far."""

HowBudgeted = Literal["stated", "measured", "by kind"]
MOST_TIMES = 4  # S is at most so many times base_steps
_NAME = re.compile(r"[a-z0-9]+(-[a-z0-9]+)*\Z")


@dataclass(frozen=True)
class Budget:
    """How long everybody trains on the task under protocol 2.

    Args:
        steps: optimizer steps S.
        batch_size: rows per step; up to 1,024 training rows are always taken whole.
        base_steps: what the search for S starts from: what protocol 1 took, where the task is older than protocol 2,
            else what keeps a cell at four times that within a standard run; S is at most four times that.
        how: where S comes from: ``stated`` by who wrote the task; ``measured``: the smallest for which doubling moves
            the geometric mean of id_error by under 5%, or the cap; ``by kind``: ``base_steps`` times the median factor
            of the measured tasks with the same kind of input.
        doubling: by norm scheme, the ratio of the geometric mean of id_error at 2 S to that at S.
    """

    steps: int
    batch_size: int = 1024
    base_steps: int | None = None
    how: HowBudgeted = "stated"
    doubling: tuple[tuple[str, float], ...] = ()

    def __post_init__(self) -> None:
        if self.steps < 1 or self.batch_size < 1:
            raise ValueError("a budget needs at least one step of at least one row")
        if self.how not in typing.get_args(HowBudgeted):
            raise ValueError(f"a budget is stated, measured or by kind, not {self.how!r}")
        if self.how == "stated":
            if self.base_steps is not None or self.doubling:
                raise ValueError("a stated budget has neither base_steps nor doubling")
        elif self.base_steps is None or not 1 <= self.steps <= MOST_TIMES * self.base_steps:
            raise ValueError(f"{self.steps} steps are more than {MOST_TIMES} times base_steps, {self.base_steps}")
        if (self.how == "measured") != bool(self.doubling):
            raise ValueError("what doubling the steps brings is said where it was measured, and there only")
        if not all(0 < ratio < float("inf") for _, ratio in self.doubling):
            raise ValueError("ratios of errors are positive")

    @property
    def factor(self) -> float:
        """Steps as a multiple of ``base_steps``; 1 where there are none."""
        return self.steps / (self.base_steps or self.steps)

    @property
    def measured(self) -> bool:
        """S was chosen by a measurement on this task."""
        return self.how == "measured"

    def in_words(self) -> str:
        """What doubling the steps brings, or where their number comes from."""
        if self.how == "measured":
            ratios = ", ".join(f"×{ratio:.2f} ({scheme})" for scheme, ratio in self.doubling)
            return f"doubling them changes id_error by {ratios}"
        if self.how == "by kind":
            return (
                f"not measured: protocol 1's {self.base_steps:,} times the median factor of its kind, ×{self.factor:g}"
            )
        return "stated by its author, not measured"


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
        version: raised whenever the rows, the rule, the target or the kind of truth change.
        summary: one sentence.
        kind: what one input is.
        target: what is predicted.
        units: of the target; ``"1"`` where it has none.
        truth: what the target does beyond the training domain: ``bounded`` stays within about its training range,
            ``growing`` leaves it, ``unknown`` where nobody knows.
        far_rule: how the far sets are chosen.
        far_kind: how far rows are far: by ``distance`` (at least half of them lie beyond R), by ``length`` (sequences
            longer than any in training), by ``shift`` (other rows, most of them not beyond R). ``None``: by distance
            or by shift, as the data say (:attr:`tasks.data.samples.StandardizedTask.far_kind`).
        beyond: share of far rows beyond R, of draw 0; ``None`` where nobody measured it.
        note: why the kind of truth is what it is, where that is not plain.
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
    far_kind: FarKind | None = None
    beyond: float | None = None
    note: str | None = None

    @property
    def keyed_version(self) -> str:
        """What keys of records say of the card: version, steps and rows a step. Another budget gives other results."""
        return f"{self.version}+{self.budget.steps}x{self.budget.batch_size}"

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
        if self.far_kind is not None and self.far_kind not in FAR_KINDS:
            kinds = ", ".join(FAR_KINDS)
            raise ValueError(f"card {self.name!r}: far_kind must be one of {kinds}, not {self.far_kind!r}")
        if self.beyond is not None and not 0 <= self.beyond <= 1:
            raise ValueError(f"card {self.name!r}: beyond is a share from 0 to 1, not {self.beyond!r}")
        if self.origin not in typing.get_args(Origin):
            raise ValueError(f"card {self.name!r}: {self.origin!r} is no origin")
