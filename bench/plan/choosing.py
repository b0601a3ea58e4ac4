"""From what a user asked for to cells and seeds."""

from __future__ import annotations

from collections.abc import Sequence

from bench.core.errors import InputError
from bench.plan.jobs import Cell, Selection, cells_of, parse_seeds
from bench.plan.options import CellOptions
from bench.plan.suite import Suite

DEFAULT_SEEDS = 5
DEFAULT_PROTOCOL = "2"


def chosen_cells(asked: CellOptions, suite: Suite | None) -> list[Cell]:
    """The cells of ``suite`` that are asked for, or the product of what is.

    Raises:
        InputError: unknown names, or nothing to run.
    """
    product = Selection(asked.tasks, asked.architectures, asked.norms)
    if suite is not None:
        return select_cells(suite.cells(asked.protocol), product)
    for name, option in (("tasks", "--task"), ("architectures", "--arch")):
        if not getattr(asked, name):
            raise InputError(f"no {name} to run", hint=f"give {option}, or a --suite")
    norms = asked.norms or ("none",)
    return cells_of([Selection(asked.tasks, asked.architectures, norms)], asked.protocol or DEFAULT_PROTOCOL)


def chosen_seeds(asked: CellOptions, suite: Suite | None) -> tuple[int, ...]:
    """The seeds that are asked for, else as many as the suite has, else five.

    Raises:
        InputError: they are no seeds.
    """
    if asked.seeds is None:
        return tuple(range(suite.seeds if suite else DEFAULT_SEEDS))
    return parse_seeds(asked.seeds)


def select_cells(cells: Sequence[Cell], asked: Selection) -> list[Cell]:
    """Those of ``cells`` whose task, architecture and norm are asked for; an empty part asks for all.

    Raises:
        InputError: none is left.
    """
    listed = cells_of(
        [
            Selection(
                asked.tasks or tuple({c.task for c in cells}),
                asked.architectures or tuple({c.architecture for c in cells}),
                asked.norms or tuple({c.norm for c in cells}),
            )
        ],
        cells[0].protocol,
        check=False,
    )
    wanted = set(listed)
    kept = [cell for cell in cells if cell in wanted]
    if not kept:
        raise InputError("no cell of the suite is left", hint="leave out --task, --arch or --norm, or --suite")
    return kept
