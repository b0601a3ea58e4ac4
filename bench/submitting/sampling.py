"""Which cells are trained anew, and with which seeds: drawn from the bundle's hash and the verifier's nonce.

Whoever hands in a bundle knows its hash and not the nonce, so nobody can prepare for a sample; with the nonce, which
the report names, everybody can repeat it.
"""

from __future__ import annotations

import dataclasses
import secrets
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from bench.core.errors import InputError
from bench.core.grammar import parse_call
from bench.core.plugins import Plugin
from bench.core.seeding import generator, seed_from
from bench.plan.jobs import Job
from bench.plan.protocol import get_protocol
from bench.submitting.measuring import Trial
from leaderboard.records.record import CellKey, Record
from tasks import resolve
from tasks.data.samples import Rows, StandardizedTask
from tasks.task import Task

MOST_NONCE = 200
FIRST_SEED = 10_000
"""No fresh seed is among those that a suite has; all of them are numbers that any reader of JSON holds."""


@dataclass(frozen=True)
class Sampled:
    """A cell that is trained anew.

    Args:
        key: of the cell.
        claimed: its records in the bundle.
    """

    key: CellKey
    claimed: tuple[Record, ...]

    @property
    def title(self) -> str:
        """For people."""
        return f"{self.key.task} · {self.key.architecture} · {self.key.norm}"


@dataclass(frozen=True)
class Draw:
    """What fresh seeds follow from.

    Args:
        digest: of the bundle.
        nonce: the verifier's.
    """

    digest: str
    nonce: str

    def __post_init__(self) -> None:
        if not 0 < len(self.nonce) <= MOST_NONCE or not self.nonce.isprintable():
            raise InputError("no nonce", where="--nonce", hint=f"a printable text of at most {MOST_NONCE} characters")

    def sample(self, records: Sequence[Record], most: int | None) -> list[Sampled]:
        """At most ``most`` cells that were trained, in a random order; all of them where it is None."""
        cells: dict[CellKey, list[Record]] = {}
        for record in records:
            cells.setdefault(record.key.cell, []).append(record)
        trained = [Sampled(key, tuple(some)) for key, some in sorted(cells.items()) if _was_trained(some)]
        order = generator("sample", self.digest, self.nonce).permutation(len(trained)).tolist()
        return [trained[place] for place in (order if most is None else order[:most])]

    def seeds(self, cell: CellKey, purpose: str, count: int) -> tuple[int, ...]:
        """Fresh seeds, which number draws of the task too."""
        named = (self.digest, self.nonce, purpose, cell.task, cell.architecture, cell.norm)
        return tuple(FIRST_SEED + seed_from("fresh", *named, place) % 2**31 for place in range(count))


def new_nonce() -> str:
    """A nonce that nobody can foresee."""
    return secrets.token_hex(8)


def _was_trained(records: Sequence[Record]) -> bool:
    return any(record.status in ("ok", "diverged") for record in records)


def are_fresh(records: Sequence[Record]) -> bool:
    """Everything that was trained has fresh seeds, as in an entry that verification wrote; no suite asks for these."""
    seeds = [record.key.seed for record in records if _was_trained([record])]
    return bool(seeds) and min(seeds) >= FIRST_SEED


def plain_trial(sampled: Sampled, draw: Draw, plugins: Sequence[Plugin], count: int) -> Trial:
    """The cell at fresh seeds, each with the draw of its number."""
    task = resolve(sampled.key.task)
    seeds = draw.seeds(sampled.key, "plain", count)
    return _trial(sampled, task, seeds, tuple(task.load(seed) for seed in seeds), plugins)


def disguised_trial(sampled: Sampled, draw: Draw, plugins: Sequence[Plugin], count: int) -> Trial:
    """The same at other fresh seeds, with targets negated and, of a table, columns in another order.

    To a network that does not know the task this is as hard; to one that carries far answers they are wrong.
    """
    task = resolve(sampled.key.task)
    seeds = draw.seeds(sampled.key, "disguised", count)
    return _trial(sampled, task, seeds, tuple(disguise(task.load(seed), seed) for seed in seeds), plugins)


def instances_trial(sampled: Sampled, draw: Draw, plugins: Sequence[Plugin], count: int) -> Trial | None:
    """The same architecture on other functions of the task's family, one a seed; None where it has none."""
    ranked = resolve(sampled.key.task)
    if not hasattr(ranked.options, "instance"):
        return None
    seeds = draw.seeds(sampled.key, "instances", count)
    others = [_instance(ranked, 1 + seed % 10**9) for seed in seeds]
    draws = tuple(other.load(seed) for other, seed in zip(others, seeds, strict=True))
    return _trial(sampled, ranked, seeds, draws, plugins)


def disguise(task: StandardizedTask, seed: int) -> StandardizedTask:
    """``task`` with negated targets and, of a table, columns in an order that ``seed`` draws."""
    order = generator("disguise", seed).permutation(task.problem.size) if task.problem.kind == "features" else None

    def turned(rows: Rows) -> Rows:
        inputs = rows.inputs if order is None else np.ascontiguousarray(rows.inputs[:, order])
        return Rows(inputs, -rows.targets, rows.groups)

    low, high = task.problem.target_range
    return dataclasses.replace(
        task,
        problem=dataclasses.replace(task.problem, target_range=(-high, -low)),
        train=turned(task.train),
        validation=turned(task.validation),
        test=turned(task.test),
        far=tuple(dataclasses.replace(far, rows=turned(far.rows)) for far in task.far),
    )


def _instance(task: Task, number: int) -> Task:
    return resolve(f"{parse_call(task.name, 'task').name}(instance={number})")


def _trial(
    sampled: Sampled, task: Task, seeds: Sequence[int], draws: tuple[StandardizedTask, ...], plugins: Sequence[Plugin]
) -> Trial:
    first = task.load()
    keys = tuple(sampled.key.with_seed(seed, each.data_hash) for seed, each in zip(seeds, draws, strict=True))
    one = sampled.claimed[0]
    schedule = get_protocol(sampled.key.protocol).schedule(first.card, len(first.train.targets))
    return Trial(Job(keys, one.truth, one.origin or "plug-in"), draws, schedule, tuple(plugins))
