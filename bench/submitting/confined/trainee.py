"""What a confined process has trained: the members of one cell, without the name of their task."""

from __future__ import annotations

import warnings
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, cast

import numpy as np
import torch

import architectures
from architectures.contract.precision import in_float64, in_full_float32, without_fast_paths
from bench.cell import probing
from bench.cell.admission import hold_to_contract
from bench.core.plugins import Plugin, load_plugin
from bench.core.problem import Problem
from bench.plan.jobs import Job, Settings
from bench.plan.protocol import Rung, Schedule
from bench.submitting.confined.wire import Message
from bench.training.cell import Context, Training, selected, train_network
from leaderboard.records.record import RecordKey
from tasks.card import Budget, PaperBudget, TaskCard
from tasks.data.samples import Rows, StandardizedTask

_NAMELESS = "rows"
ARRAYS_A_MEMBER = 5  # inputs and targets of training, then of validation, then rows of batches


@dataclass(frozen=True)
class GivenRows:
    """The draws of a task that has no name, by the place of their member."""

    draws: tuple[StandardizedTask, ...]

    @property
    def name(self) -> str:
        """The same for every task."""
        return _NAMELESS

    def load(self, draw: int = 0) -> StandardizedTask:
        """The rows of a member."""
        return self.draws[draw]


@dataclass(frozen=True)
class GivenContext(Context):
    """A cell whose random draws were made elsewhere, of names that are not told here."""

    weights: tuple[int, ...] = ()
    rows: tuple[np.ndarray, ...] = field(default=(), compare=False)

    def weights_seed(self, seed: int) -> int:
        """As it was given."""
        return self.weights[seed]

    def batches(self, seed: int) -> np.ndarray | None:
        """As they were given."""
        return self.rows[seed] if self.rows else None


@dataclass(frozen=True)
class Trainee:
    """Trained members.

    Args:
        context: the cell.
        predicts: of each member that did not diverge.
        modules: the networks among them, in float64.
        training: what training gave; None of estimators.
    """

    context: GivenContext
    predicts: Mapping[int, probing.Predict]
    modules: Mapping[int, torch.nn.Module]
    training: Training | None

    @classmethod
    def trained(cls, message: Message) -> Trainee:
        """Load the code that came with the message, hold it to the contract, and train.

        Raises:
            FarFieldError: the code does not load, or breaks the contract.
        """
        header = message.header
        for packed in header["plugins"]:
            load_plugin(Plugin.unpacked(packed))
        context = _context(header, message.arrays)
        with in_full_float32(), without_fast_paths(), warnings.catch_warnings():
            warnings.filterwarnings("ignore", message=".*performance drop.*")
            hold_to_contract(context.architecture, context.scheme, context.task(0).problem)
            if context.architecture.card.role == "estimator":
                return cls(context, _fitted(context), {}, None)
            training = train_network(context)
            modules = {}
            for result in training.seeds:
                if result.state is not None:
                    with in_float64():
                        modules[result.seed] = selected(context, result.seed, result.state).double().eval()
        return cls(context, {m: probing.network_predict(net) for m, net in modules.items()}, modules, training)

    def told(self) -> dict[str, Any]:
        """What the verifier hears of it."""
        names = ("learning_rate", "best_step", "edge_of_grid", "edge_of_steps")
        results = self.training.seeds if self.training else []
        return {
            "architecture": self.context.architecture.name,
            "source_hash": self.context.architecture.source_hash,
            "norm": str(self.context.scheme),
            "norm_hash": self.context.scheme.source_hash,
            "origin": self.context.architecture.card.origin,
            "ok": [member in self.predicts for member in self.context.job.seeds],
            "chosen": [{name: getattr(result, name) for name in names} for result in results],
            "program": (self.training.program or "heads") if self.training else None,
            "parameters": self.training.parameters if self.training else None,
            "step_operations": self.training.operations if self.training else None,
        }

    def predict(self, member: int, points: np.ndarray) -> np.ndarray:
        """Outputs (n,), or (n, steps) where each step is answered, at points (n, *shape), in float64."""
        with in_float64(), without_fast_paths():
            return np.asarray(self.predicts[member](points), dtype=np.float64)

    def slopes(self, member: int, points: np.ndarray) -> list[np.ndarray]:
        """Outputs (n,), and how each changes with its point (n, *shape); the latter is left out where nothing does.

        Where each step is answered, that of the last one.
        """
        with in_float64(), without_fast_paths():
            given = torch.as_tensor(points, dtype=torch.float64).requires_grad_()
            outputs = self.modules[member](given).reshape(len(given), -1)[:, -1]
            values = outputs.detach().numpy()
            if not outputs.requires_grad:
                return [values]
            (slope,) = torch.autograd.grad(outputs.sum(), given, materialize_grads=True)
            return [values, slope.numpy()]


def _fitted(context: GivenContext) -> dict[int, probing.Predict]:
    predicts: dict[int, probing.Predict] = {}
    for member in context.job.seeds:
        task, estimator = context.task(member), context.initial(member)
        estimator.fit(task.train.inputs, task.train.targets, task.validation.inputs, task.validation.targets)
        predicts[member] = estimator.predict
    return predicts


def _context(header: Mapping[str, Any], arrays: tuple[np.ndarray, ...]) -> GivenContext:
    problems = [problem_from(given) for given in header["problems"]]
    batched = header["schedule"]["batch_size"] is not None
    step = ARRAYS_A_MEMBER if batched else ARRAYS_A_MEMBER - 1
    groups = [arrays[start : start + step] for start in range(0, len(arrays), step)]
    draws = tuple(_rows(member, problems[member], group) for member, group in enumerate(groups))
    architecture = architectures.resolve(header["architecture"])
    scheme = architectures.parse_scheme(header["norm"])
    return GivenContext(
        job=Job(tuple(_key(header, member) for member in range(len(draws))), "unknown", architecture.card.origin),
        settings=Settings(max_parameters=header["max_parameters"]),
        source=GivenRows(draws),
        architecture=architecture,
        scheme=scheme,
        schedule=schedule_from(header["schedule"]),
        weights=tuple(header["weights"]),
        rows=tuple(group[-1] for group in groups) if batched else (),
    )


def problem_from(given: Mapping[str, Any]) -> Problem:
    """What ``dataclasses.asdict`` made of a problem, read back from JSON."""
    values: dict[str, Any] = {name: tuple(value) if isinstance(value, list) else value for name, value in given.items()}
    return Problem(**values)


def _key(header: Mapping[str, Any], member: int) -> RecordKey:
    return RecordKey(
        protocol="given",
        task=_NAMELESS,
        task_version="1",
        data_hash=str(member),
        architecture=header["architecture"],
        source_hash="given",
        norm=header["norm"],
        seed=member,
    )


def _rows(member: int, problem: Problem, arrays: tuple[np.ndarray, ...]) -> StandardizedTask:
    """Rows as a task; test and far rows are not here, so those of validation stand where a test set must."""
    train, validation = Rows(arrays[0], arrays[1]), Rows(arrays[2], arrays[3])
    return StandardizedTask(
        name=_NAMELESS,
        card=_card(problem),
        problem=problem,
        train=train,
        validation=validation,
        test=validation,
        far=(),
        radius=problem.radius,
        input_mean=np.zeros(1),
        input_scale=np.ones(1),
        target_mean=0.0,
        target_scale=1.0,
        target_max=float(np.abs(train.targets).max()),
        data_hash=f"given-{member}-{hash_of(arrays)}",
    )


def hash_of(arrays: tuple[np.ndarray, ...]) -> str:
    """Of the rows of a member."""
    import hashlib

    digest = hashlib.sha256()
    for array in arrays:
        digest.update(array.tobytes())
    return digest.hexdigest()


def _card(problem: Problem) -> TaskCard:
    words = ("summary", "target", "units", "far_rule", "source", "licence", "citation")
    return TaskCard(
        name=_NAMELESS,
        version="1",
        kind=problem.kind,
        truth="unknown",
        real=False,
        budget=Budget(1),
        paper=PaperBudget(1),
        build=_nothing,
        options=None,
        origin="built in",
        **cast(Any, dict.fromkeys(words, "not told")),
    )


def _nothing() -> None:
    """Nobody builds a task whose rows are given."""


def schedule_from(given: Mapping[str, Any]) -> Schedule:
    """What ``dataclasses.asdict`` made of a schedule, read back from JSON."""
    return Schedule(
        steps=given["steps"],
        batch_size=given["batch_size"],
        learning_rates=tuple(given["learning_rates"]),
        checks=tuple(given["checks"]),
        selects=given["selects"],
        rungs=tuple(Rung(rung["step"], rung["kept"]) for rung in given["rungs"]),
    )
