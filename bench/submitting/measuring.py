"""Measures a cell whose code runs confined: numbers go in, answers come out, and every error is reckoned here.

All points at which a record needs an answer are known beforehand, but for the search. They are asked in one shuffled
order, test, far and ray points among each other, a few hundred at a time, so that a network cannot tell a far row from
another; some are asked twice, at another place of the order.
"""

from __future__ import annotations

import dataclasses
import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from bench.cell.outcome import blank_outcomes, make_record
from bench.cell.run import Lines, measured, measured_and_searched
from bench.core.plugins import Plugin
from bench.core.problem import MAX_PARAMETERS
from bench.core.seeding import generator, seed_from
from bench.plan.jobs import Job
from bench.plan.protocol import Schedule, batch_indices
from bench.submitting.confined.layers import Layer
from bench.submitting.confined.remote import Allowance, Confined, Fault, Held
from leaderboard.records.record import Record
from tasks.data.samples import StandardizedTask

ROWS_AT_ONCE = 256
ASKED_TWICE = 256
UNSTEADY = 1e-6
"""Relative difference of two answers for one point from which a network is one that remembers or draws."""


@dataclass(frozen=True)
class Trial:
    """Seeds of a cell to be trained anew.

    Args:
        job: the keys that their records get.
        draws: a draw a key, as the network sees it.
        schedule: steps, batches and rates.
        plugins: code that comes with the cell.
    """

    job: Job
    draws: tuple[StandardizedTask, ...]
    schedule: Schedule
    plugins: tuple[Plugin, ...]


@dataclass(frozen=True)
class Measured:
    """What a trial gave.

    Args:
        records: one a key.
        held: what confined it; None where the process did not start.
        told: what the process said of the code it ran.
        unsteady: the largest relative difference of two answers for one point.
    """

    records: tuple[Record, ...]
    held: Held | None = None
    told: dict[str, Any] = field(default_factory=dict)
    unsteady: float = 0.0


def measure(trial: Trial, layer: Layer, allowance: Allowance, searched: bool = True) -> Measured:
    """Train and measure a trial in a confined process; what goes wrong becomes records.

    Args:
        trial: what.
        layer: around the process.
        allowance: what it may take.
        searched: search the worst case too, as a record that is published needs it.
    """
    process = Confined(layer, allowance)
    try:
        with process:
            return _measure(process, trial, searched)
    except Fault as fault:
        status: Any = fault.status
        outcomes = blank_outcomes(trial.job, status, str(fault), fault.code)
        return Measured(tuple(outcome.record for outcome in outcomes), getattr(process, "held", None))
    finally:
        process.close()


def _measure(process: Confined, trial: Trial, searched: bool) -> Measured:
    told = process.train(_arrays(trial), **_header(trial))
    members = range(len(trial.draws))
    ok, chosen = told.get("ok"), told.get("chosen")
    if not isinstance(ok, list) or len(ok) != len(members) or not isinstance(chosen, list):
        raise Fault("the confined process said nothing of its training", code="contract")
    records, unsteady = [], 0.0
    for member, key in zip(members, trial.job.keys, strict=True):
        if ok[member] is not True:
            fields: dict[str, Any] = {"reason": "every learning rate diverged", "reason_code": "diverged"}
            records.append(make_record(trial.job, key, status="diverged", **fields))
            continue
        answers = Answers(process, member, trial.draws[member])
        fields = _fields(process, answers, trial.draws[member], bool(chosen), searched)
        fields |= _chosen(chosen[member] if chosen else {}, trial.schedule)
        records.append(make_record(trial.job, key, status="ok", **fields, **_sizes(told)))
        unsteady = max(unsteady, answers.unsteady)
    return Measured(tuple(records), process.held, told, unsteady)


def _fields(
    process: Confined, answers: Answers, task: StandardizedTask, network: bool, searched: bool
) -> dict[str, Any]:
    lines = Lines.of(task)
    recorder = Recorder(task.problem.each_step)
    measured(recorder, task, lines)
    answers.prepare(recorder.asked)
    if not (network and searched):
        return measured(answers, task, lines)
    module = RemoteModule(process, answers.member, task.problem.each_step)
    return measured_and_searched(module, answers, task, lines)[0]


def _chosen(given: Any, schedule: Schedule) -> dict[str, Any]:
    """What the process says it chose, as far as it is possible."""
    if not isinstance(given, dict) or not given:
        return {}
    rate, step = given.get("learning_rate"), given.get("best_step")
    if rate not in schedule.learning_rates or step not in (*schedule.checks, 0):
        raise Fault("the confined process chose a rate or step that the protocol has not", code="contract")
    edges = {name: given[name] for name in ("edge_of_grid", "edge_of_steps") if isinstance(given.get(name), bool)}
    return {"learning_rate": rate, "best_step": step, **edges}


def _sizes(told: dict[str, Any]) -> dict[str, Any]:
    sizes = {name: told[name] for name in ("parameters", "step_operations") if isinstance(told.get(name), int)}
    program = told.get("program")
    return sizes | ({"program": program} if program in ("chain", "vmap", "loop", "heads") else {})


def _arrays(trial: Trial) -> list[np.ndarray]:
    found: list[np.ndarray] = []
    for key, task in zip(trial.job.keys, trial.draws, strict=True):
        found += [task.train.inputs, task.train.targets, task.validation.inputs, task.validation.targets]
        rows = batch_indices(key.task, key.architecture, key.seed, len(task.train), trial.schedule)
        if rows is not None:
            found.append(rows)
    return found


def _header(trial: Trial) -> dict[str, Any]:
    """All that is said beside rows: no name of a task, no seed."""
    first = trial.job.keys[0]
    return {
        "plugins": [plugin.packed() for plugin in trial.plugins],
        "architecture": first.architecture,
        "norm": first.norm,
        "schedule": dataclasses.asdict(trial.schedule),
        "problems": [dataclasses.asdict(draw.problem) for draw in trial.draws],
        "weights": [seed_from("weights", k.task, k.architecture, k.seed) for k in trial.job.keys],
        "max_parameters": MAX_PARAMETERS,
    }


class Recorder:
    """A prediction function that answers 0 and remembers what it was asked.

    Args:
        each_step: answer at each step of sequences.
    """

    def __init__(self, each_step: bool = False) -> None:
        self.asked: list[np.ndarray] = []
        self._each_step = each_step

    def __call__(self, inputs: np.ndarray) -> np.ndarray:
        """Zeros (n,), or (n, steps)."""
        self.asked.append(np.asarray(inputs, dtype=np.float64))
        return np.zeros(inputs.shape[:2] if self._each_step else len(inputs))


class Answers:
    """The prediction function of a member of a confined process.

    Args:
        process: that has it.
        member: its place.
        task: whose draw it was trained on, which names the order of questions.
    """

    def __init__(self, process: Confined, member: int, task: StandardizedTask) -> None:
        self.member, self.unsteady = member, 0.0
        self._each_step = task.problem.each_step
        self._process, self._draw = process, generator("questions", task.data_hash, member)
        self._known: dict[bytes, np.ndarray] = {}

    def __call__(self, inputs: np.ndarray) -> np.ndarray:
        """Outputs (n,) at ``inputs`` (n, *shape), or (n, steps)."""
        given = np.asarray(inputs, dtype=np.float64)
        known = self._known.get(_name(given))
        return self._asked(given) if known is None else known

    def prepare(self, batches: Sequence[np.ndarray]) -> None:
        """Ask all of ``batches`` in one shuffled order (of each shape of rows) and keep the answers."""
        for shape in {batch.shape[1:] for batch in batches}:
            some = [batch for batch in batches if batch.shape[1:] == shape]
            points = np.concatenate(some)
            order = self._draw.permutation(len(points))
            asked = self._asked(points[order])
            answers = np.empty_like(asked)
            answers[order] = asked
            again = self._draw.choice(len(points), min(ASKED_TWICE, len(points)), replace=False)
            self._hold_against(answers[again], self._asked(points[again]))
            start = 0
            for batch in some:
                self._known[_name(batch)] = answers[start : start + len(batch)]
                start += len(batch)

    def _asked(self, points: np.ndarray) -> np.ndarray:
        pieces = [points[start : start + ROWS_AT_ONCE] for start in range(0, len(points), ROWS_AT_ONCE)]
        return np.concatenate([self._process.predict(self.member, piece, self._each_step) for piece in pieces])

    def _hold_against(self, first: np.ndarray, second: np.ndarray) -> None:
        with np.errstate(invalid="ignore", over="ignore"):
            apart = np.abs(first - second) / np.maximum(np.abs(first), 1.0)
        both = np.isfinite(first) & np.isfinite(second)
        moved = np.where(both, apart, (np.isfinite(first) != np.isfinite(second)).astype(np.float64))
        self.unsteady = max(self.unsteady, float(moved.max(initial=0.0)))


def _name(batch: np.ndarray) -> bytes:
    return hashlib.sha256(repr(batch.shape).encode() + np.ascontiguousarray(batch).tobytes()).digest()


class RemoteModule(nn.Module):
    """A member of a confined process as a network: outputs (of the last step), and slopes with respect to inputs."""

    def __init__(self, process: Confined, member: int, each_step: bool = False) -> None:
        super().__init__()
        self._process, self._member, self._each_step = process, member, each_step

    def forward(self, points: Tensor) -> Tensor:
        """Outputs (n, 1) at points (n, *shape)."""
        given = points.detach().numpy()
        if not (torch.is_grad_enabled() and points.requires_grad):
            answers = self._process.predict(self._member, given, self._each_step)
            return torch.as_tensor(answers.reshape(len(given), -1)[:, -1:])
        values, slopes = self._process.slopes(self._member, given)
        if slopes is None:
            return torch.as_tensor(values)[:, None]
        outputs: Tensor = _Sloped.apply(points, torch.as_tensor(values), torch.as_tensor(slopes))
        return outputs[:, None]


class _Sloped(torch.autograd.Function):
    """Values whose slopes are known: no row's output depends on another row."""

    @staticmethod
    def forward(context: Any, points: Tensor, values: Tensor, slopes: Tensor) -> Tensor:
        context.save_for_backward(slopes)
        return values.clone()

    @staticmethod
    def backward(context: Any, *gradients: Tensor) -> tuple[Tensor, None, None]:
        (slopes,) = context.saved_tensors
        return gradients[0].reshape(-1, *[1] * (slopes.dim() - 1)) * slopes, None, None
