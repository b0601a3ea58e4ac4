"""How everybody is trained, selected and measured. A leaderboard number means protocol 2; any change is a new protocol.

Every architecture and every normalization scheme gets the same steps, batches, learning rates and number of
validation checks. Far data has no part in any of it: it is evaluated once, on the selected weights.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

from bench.core.errors import InputError, UnknownName
from bench.core.seeding import generator
from bench.plan.optimizer import ADAM, Optimizer

if TYPE_CHECKING:
    import numpy as np

    from tasks.card import TaskCard

DIRECTIONS = 64
"""Rays per task: half towards training inputs, half isotropic."""


@dataclass(frozen=True)
class Rung:
    """A moment of successive halving.

    Args:
        step: one of the checks, before the last.
        kept: how many rates of a seed go on: those with the least validation error so far, the smaller rate on a tie.
            A rate that has diverged is out. Nobody takes the place of one that diverges later.
    """

    step: int
    kept: int


@dataclass(frozen=True)
class Schedule:
    """A protocol applied to one task.

    Args:
        steps: optimizer steps.
        batch_size: rows a step, or None for the full batch.
        learning_rates: the grid, ascending; one entry means that nothing is chosen.
        checks: the steps (counted from 1) after which validation error is measured, ascending.
        selects: whether validation chooses the step; otherwise each rate is judged by its last weights, and of the
            rates that trained to the end the best is taken.
        rungs: where rates stop early, ascending; none means that every rate trains to the end.
        optimizer: what takes the steps.
    """

    steps: int
    batch_size: int | None
    learning_rates: tuple[float, ...]
    checks: tuple[int, ...]
    selects: bool
    rungs: tuple[Rung, ...] = ()
    optimizer: Optimizer = ADAM


@dataclass(frozen=True)
class Protocol:
    """Optimizer settings that are the same for everybody.

    Loss: mean squared error on standardized targets.

    Args:
        name: the id that records carry; only one protocol is ranked together.
        summary: one line for lists.
        learning_rates: the grid; empty where the task's paper budget brings its own rate.
        checks: how often validation error is measured.
        full_batch_rows: up to this many training rows, every step sees all of them.
        step_share: share of the task's budget of steps that is used.
        halving: (share of the steps, how many rates of a seed go on from there), ascending.
        as_paper: take epochs, batch size and rate of arXiv 2505.14512 and keep the last weights.
        optimizer: what everybody is trained with.
        selection: whether the weights of the best check by validation error are taken, or the last ones.
        varies: of a variant for sensitivity, what is other than in protocol 2.
    """

    name: str
    summary: str
    learning_rates: tuple[float, ...] = (3e-4, 1e-3, 3e-3, 1e-2, 3e-2, 1e-1)
    checks: int = 50
    full_batch_rows: int = 1024
    step_share: float = 1.0
    halving: tuple[tuple[float, int], ...] = ()
    as_paper: bool = False
    optimizer: Optimizer = ADAM
    selection: Literal["best", "last"] = "best"
    varies: str = ""

    def schedule(self, card: TaskCard, rows: int) -> Schedule:
        """What this protocol asks for on a task with ``rows`` training rows."""
        if self.as_paper:
            return self._paper_schedule(card, rows)
        steps = max(1, round(card.budget.steps * self.step_share))
        full = rows <= self.full_batch_rows or card.budget.batch_size >= rows
        checks = check_steps(steps, self.checks)
        return Schedule(
            steps=steps,
            batch_size=None if full else card.budget.batch_size,
            learning_rates=self.learning_rates,
            checks=checks,
            selects=self.selection == "best",
            rungs=halving_rungs(checks, self.halving),
            optimizer=self.optimizer,
        )

    @property
    def cost(self) -> float:
        """Steps of all rates of a seed together, as a multiple of the task's budget of steps."""
        count, before, total = len(self.learning_rates) or 1, 0.0, 0.0
        for share, kept in (*self.halving, (1.0, 0)):
            total += count * (share - before)
            count, before = kept, share
        return total * self.step_share

    def settings(self) -> list[tuple[str, str]]:
        """What the protocol fixes, as (name, value) lines for people."""
        if self.as_paper:
            steps, rates, chosen = "the task's epochs and batches", "the task's", "the last weights"
        else:
            share = "" if self.step_share == 1 else f", times {self.step_share:g}"
            steps = f"the task's{share}; full batch up to {self.full_batch_rows:,} rows"
            rates = ", ".join(f"{rate:g}" for rate in self.learning_rates)
            chosen = self._chosen
        halved = ", ".join(f"the best {kept} from {share:g} of the steps on" for share, kept in self.halving)
        return [
            ("loss", "mean squared error on standardized targets"),
            ("optimizer", str(self.optimizer)),
            ("steps", steps),
            ("learning rates", rates),
            *([("halving", f"{halved}, by each seed's validation error so far")] if halved else []),
            ("selected", chosen),
            *([("for sensitivity", f"as protocol 2, but {self.varies}; never ranked with it")] if self.varies else []),
        ]

    @property
    def _chosen(self) -> str:
        if self.selection == "best":
            what = f"step (of {self.checks} checks)"
            what = f"learning rate and {what}" if len(self.learning_rates) > 1 else what
            return f"{what} by validation error, for each seed"
        return "the last weights" + (
            "; learning rate by their validation error, for each seed" if len(self.learning_rates) > 1 else ""
        )

    def _paper_schedule(self, card: TaskCard, rows: int) -> Schedule:
        batch = card.paper.batch_size
        full = batch is None or batch >= rows
        steps = card.paper.epochs * (1 if full else -(-rows // (batch or rows)))
        return Schedule(
            steps=steps,
            batch_size=None if full else batch,
            learning_rates=(card.paper.learning_rate,),
            checks=check_steps(steps, self.checks),
            selects=False,
        )


HALVED = Protocol(
    "2", "six learning rates, halved and chosen per seed on validation data", halving=((0.25, 3), (0.5, 2))
)
"""Protocol 2."""

SGD_RATES = (2e-4, 1e-3, 5e-3, 2.5e-2, 0.125, 0.625)
"""For SGD, whose best rate depends on the size of gradients: six as well, a factor of five apart instead of three."""


def _variant(name: str, varies: str, **changes: Any) -> Protocol:
    summary = f"for sensitivity, never ranked with protocol 2: as 2, but {varies}"
    return dataclasses.replace(HALVED, name=name, summary=summary, varies=varies, **changes)


VARIANTS: tuple[Protocol, ...] = (
    _variant("2-quarter", "a quarter of the steps", step_share=0.25),
    _variant("2-half", "half of the steps", step_share=0.5),
    _variant("2-double", "twice the steps", step_share=2.0),
    _variant(
        "2-sgd",
        "SGD with momentum 0.9 and rates from 2e-4 to 0.625",
        optimizer=Optimizer("sgd", momentum=0.9),
        learning_rates=SGD_RATES,
    ),
    _variant("2-adamw", "AdamW, weight decay 0.01 of all parameters", optimizer=Optimizer(weight_decay=0.01)),
    _variant("2-adamw-0.1", "AdamW, weight decay 0.1 of all parameters", optimizer=Optimizer(weight_decay=0.1)),
    _variant("2-last", "the last weights of each rate instead of its best", selection="last"),
    _variant(
        "2-fixed",
        "learning rate 1e-3 and the last weights, nothing chosen",
        learning_rates=(1e-3,),
        halving=(),
        selection="last",
    ),
)
"""Variants of protocol 2 that show what its conclusions depend on (docs/fairness.md). Each is a protocol of its own."""

PROTOCOLS: dict[str, Protocol] = {
    p.name: p
    for p in (
        HALVED,
        Protocol("paper-2", "arXiv 2505.14512: its rates, epochs and batches, no validation", (), as_paper=True),
        Protocol(
            "quick-2",
            "a fifth of the steps and two learning rates, for a first look; not comparable with protocol 2",
            learning_rates=(1e-3, 1e-2),
            checks=20,
            step_share=0.2,
        ),
        *VARIANTS,
    )
}

NEWEST: dict[str, str] = {"2": "2", "quick": "quick-2", "paper": "paper-2"}
"""Protocols that people ask for by their kind, and the ids that records of the newest of a kind carry."""

OLDER: dict[str, str] = {"1": "1", "quick-1": "quick", "paper-1": "paper"}
"""Protocols that nothing is run under any more, and the ids that their records carry: these are still read."""


def list_protocols() -> list[str]:
    """Names of the protocols."""
    return list(PROTOCOLS)


def get_protocol(name: str) -> Protocol:
    """The protocol called ``name``, or the newest of this kind.

    Raises:
        InputError: it is an older one.
        UnknownName: there is none.
    """
    chosen = NEWEST.get(name, name)
    if chosen in PROTOCOLS:
        return PROTOCOLS[chosen]
    if name in OLDER:
        raise InputError(f"nothing is run under protocol {name} any more", hint=f"use {', '.join(NEWEST)}")
    raise UnknownName.among("protocol", name, list(dict.fromkeys([*NEWEST, *PROTOCOLS])))


def id_in_records(name: str) -> str:
    """What records of the protocol called ``name`` carry: of the newest of a kind, or of an older one.

    Raises:
        UnknownName: there is none.
    """
    return OLDER[name] if name in OLDER else get_protocol(name).name


def check_steps(steps: int, checks: int) -> tuple[int, ...]:
    """At most ``checks`` distinct steps in 1..``steps``, evenly spread, the last one always among them."""
    return tuple(sorted({max(1, round(steps * (i + 1) / checks)) for i in range(checks)}))


def halving_rungs(checks: Sequence[int], halving: Sequence[tuple[float, int]]) -> tuple[Rung, ...]:
    """The rungs of ``halving`` (share of the steps, rates that go on), each at the check nearest to its share.

    The earlier check on a tie; where two rungs meet at a check the later one holds, and one at the last check is none.
    """
    steps = checks[-1]
    found = {min(checks, key=lambda check: abs(check - share * steps)): kept for share, kept in halving}
    return tuple(Rung(step, kept) for step, kept in found.items() if step < steps)


def batch_indices(task: str, architecture: str, seed: int, rows: int, schedule: Schedule) -> np.ndarray | None:
    """Row numbers of every batch, shape (steps, batch size), int64; None for full batches.

    Rows are shuffled anew each pass, and a pass that ends inside a batch is completed from the next one. The draw
    depends on task, architecture and seed, never on the scheme or the learning rate; a longer schedule begins with the
    batches of a shorter one.
    """
    if schedule.batch_size is None:
        return None
    import numpy as np  # protocols are listed without

    draw = generator("batches", task, architecture, seed)
    needed = schedule.steps * schedule.batch_size
    passes = [draw.permutation(rows) for _ in range(-(-needed // rows))]
    return np.concatenate(passes)[:needed].reshape(schedule.steps, schedule.batch_size)
