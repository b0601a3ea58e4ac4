"""Tasks from outside: a decorator turns one function into a registered task."""

from __future__ import annotations

import dataclasses
import inspect
import typing
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from bench.core.problem import InputKind
from tasks.card import Budget, PaperBudget, TaskCard, Truth
from tasks.data.samples import Samples
from tasks.task import REGISTRY

Builder = Callable[..., Samples]


@dataclass(frozen=True)
class FromKeywords:
    """Calls a function of keyword parameters with the fields of an options object."""

    function: Builder

    def __call__(self, options: Any) -> Samples:
        """The samples of ``function`` with ``options``."""
        return self.function(**{f.name: getattr(options, f.name) for f in dataclasses.fields(options)})


def register_task(
    name: str,
    *,
    target: str,
    truth: Truth,
    far_rule: str,
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
) -> Callable[[Builder], Builder]:
    """Register a function that returns :class:`tasks.Samples` as the task ``name``.

    Keyword parameters of the function become the task's options (``def waves(frequency: float = 1.0)`` is written
    ``waves(frequency=2)``). What is not given: the summary is the first line of the docstring, training takes 1,000
    steps of up to 1,024 rows.

    Raises:
        InputError: the name is taken.
        ValueError: the card is not valid.
        TypeError: a parameter of the function has no annotation.
    """

    def register(function: Builder) -> Builder:
        options = _options_of(function)
        REGISTRY.register(
            TaskCard(
                name=name,
                version=version,
                summary=summary or (inspect.getdoc(function) or name).splitlines()[0],
                kind=kind,
                target=target,
                units=units,
                truth=truth,
                far_rule=far_rule,
                source=source,
                licence=licence,
                citation=citation,
                real=real,
                budget=budget or Budget(steps=1000),
                paper=paper or PaperBudget(epochs=2500),
                build=function if options is None else FromKeywords(function),
                options=options,
            )
        )
        return function

    return register


def _options_of(function: Builder) -> type | None:
    """A frozen dataclass with a field for each parameter of ``function``; ``None`` when it has none."""
    parameters = inspect.signature(function).parameters.values()
    if not parameters:
        return None
    hints = typing.get_type_hints(function)
    fields: list[Any] = []
    for parameter in parameters:
        if parameter.name not in hints:
            raise TypeError(f"the parameter {parameter.name!r} of {function.__name__} needs an annotation")
        given = parameter.default is not inspect.Parameter.empty
        field = dataclasses.field(default=parameter.default) if given else dataclasses.field()
        fields.append((parameter.name, hints[parameter.name], field))
    return dataclasses.make_dataclass(f"{function.__name__}_options", fields, frozen=True, kw_only=True)
