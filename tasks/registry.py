"""The registry of tasks, and how functions become some. Nothing here imports numpy."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, TypeVar

from bench.core.errors import InputError
from bench.core.origin import origin_of
from bench.core.problem import InputKind
from bench.core.registry import Family, Registry
from bench.core.signature import first_line, read_builder
from tasks.budgets import find_budget
from tasks.card import Budget, FarKind, PaperBudget, TaskCard, Truth

if TYPE_CHECKING:
    from tasks.data.samples import Samples

Builder = TypeVar("Builder", bound="Callable[..., Samples]")

REGISTRY: Registry[TaskCard] = Registry("task", "farfield.tasks")
DRAW = "draw"
"""Parameter by which a builder is told which draw of its task is wanted."""


def get_card(name: str) -> TaskCard:
    """The card of the task ``name``.

    Raises:
        UnknownName: nothing has that name; the nearest names are offered.
    """
    return REGISTRY.get(name)


def list_tasks(pattern: str = "*") -> list[str]:
    """Names of tasks that match a shell pattern, in natural order."""
    return REGISTRY.names(pattern)


def register_task(
    name: str,
    *,
    target: str,
    truth: Truth,
    far_rule: str,
    far_kind: FarKind | None = None,
    beyond: float | None = None,
    note: str | None = None,
    kind: InputKind = "features",
    version: str = "1",
    summary: str | None = None,
    units: str = "1",
    source: str = "not stated",
    licence: str = "not stated",
    citation: str = "not stated",
    real: bool = False,
    budget: Budget | None = None,
    paper: PaperBudget | None = None,
    build: str | Callable[..., Samples] | None = None,
    options: str | type | None = None,
) -> Callable[[Builder], Builder]:
    """Register a function that returns :class:`tasks.Samples` as the task ``name``.

    Keyword parameters of the function become the task's options (``def waves(frequency: float = 1.0)`` is written
    ``waves(frequency=2)``). What is not given: the summary is the first line of the docstring, training takes 1,000
    steps of up to 1,024 rows (a built-in task: what ``tasks/budgets.json`` says), and how its far rows are far follows
    from the share of them beyond R.

        @register_task("waves", target="the wave", truth="bounded", far_rule="shells")
        def waves(frequency: float = 1.0) -> Samples:
            ...

    A parameter named ``draw`` is no option: a computed task that has it is given the number of the draw, 0, 1, 2, …,
    and answers with other inputs, noise and test rows of the same function. Seed k is trained on draw k. A task
    without it (data from the world) is built once, and seed k is trained on split k.

        @register_task("noisy-waves", target="the wave", truth="bounded", far_rule="shells")
        def noisy_waves(frequency: float = 1.0, *, draw: int = 0) -> Samples:
            inputs = generator("noisy-waves", "inputs", draw).uniform(-1, 1, (1000, 1))
            ...

    A list of tasks loads no data where the function is named instead of decorated:

        register_task("waves", target=..., truth=..., far_rule=..., build="my_package.data:waves")

    Args:
        name: lower-case words joined by hyphens.
        target, truth, far_rule, far_kind, beyond, note, kind, version, summary, units, source, licence, citation, real,
            budget, paper: see :class:`tasks.TaskCard`.
        build: ``"module:function"``, imported on use, or the function; it is registered at once, and there is nothing
            to decorate.
        options: frozen dataclass of the options (or ``"module:class"``), where the function takes one object of it
            instead of keyword parameters.

    Raises:
        InputError: the name is malformed or taken, the signature does not fit, or the card is not valid.
    """

    def card(code: str | Callable[..., Samples]) -> TaskCard:
        made, taken = read_builder(code, options, reserved=(DRAW,))
        try:
            return TaskCard(
                name=name,
                version=version,
                summary=summary or first_line(code) or name,
                kind=kind,
                target=target,
                units=units,
                truth=truth,
                far_rule=far_rule,
                far_kind=far_kind,
                beyond=beyond,
                note=note,
                source=source,
                licence=licence,
                citation=citation,
                real=real,
                budget=find_budget(name) or budget or Budget(steps=1000),
                paper=paper or PaperBudget(epochs=2500),
                build=made,
                options=taken,
                origin=origin_of(code, REGISTRY.groups),
            )
        except ValueError as error:
            raise InputError(str(error), where=name, hint="correct the arguments of register_task") from None

    def decorate(function: Builder) -> Builder:
        REGISTRY.register(card(function))
        return function

    if build is not None:
        REGISTRY.register(card(build))
    return decorate


def register_family(prefix: str, family: Family[TaskCard]) -> None:
    """Register cards that are not listed with the others and are made when they are asked for.

    Args:
        prefix: what their names start with, or the one name there is.
        family: lists the names and makes the cards.

    Raises:
        InputError: the prefix is taken.
    """
    REGISTRY.register_family(prefix, family)
