"""Runs one cell in a worker: data, training, probing, records. Never raises: every fault becomes records.

Seed k has draw k of the task for its own, with what follows from it: standardization, R, the largest target, batches,
rays, far rows. What the seeds share, the schedule, is that of draw 0, whichever seeds are run.
"""

from __future__ import annotations

import time
import warnings
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import torch

import architectures
import tasks
from architectures.analysis.graph_reading import Reader
from architectures.building import build
from architectures.contract.precision import in_float64, without_fast_paths
from architectures.description import count_flops
from architectures.families.timm.frozen import OnFrozenFeatures
from bench.cell import probing
from bench.cell.admission import hold_to_contract
from bench.cell.directions import axis_directions, directions
from bench.cell.outcome import Outcome, blank_outcomes, make_record
from bench.cell.proof import far_growths, proven_growth
from bench.cell.worst import worst_growth
from bench.core.errors import OUT_OF_MEMORY, FarFieldError, ReasonCode, Unsupported
from bench.core.origin import VERSIONED
from bench.core.seeding import seed_from
from bench.plan.jobs import Job, Settings
from bench.plan.options import ProgramName
from bench.plan.protocol import Schedule, batch_indices, get_protocol
from bench.training.agreement import agrees
from bench.training.footprint import budget
from bench.training.frozen_heads import train_heads
from bench.training.program import choose_program
from bench.training.rows import TrainingData
from bench.training.train import Trained, train
from leaderboard.records import metrics
from leaderboard.records.record import RecordKey

if TYPE_CHECKING:
    from architectures import Architecture
    from architectures.norms.scheme import NormScheme
    from tasks.data.samples import StandardizedTask

FUNCTION_REACH = 10.0
FUNCTION_POINTS = 401
ROWS_COUNTED = 2


@dataclass(frozen=True)
class Lines:
    """Unit directions of a task: those that define growth, and axes beside them. Shapes (n, *shape)."""

    rays: np.ndarray
    axes: np.ndarray

    @classmethod
    def of(cls, task: StandardizedTask) -> Lines:
        """Those of ``task``."""
        return cls(directions(task), axis_directions(task))


@dataclass(frozen=True)
class _Context:
    job: Job
    settings: Settings
    source: tasks.Task
    architecture: Architecture
    scheme: NormScheme
    schedule: Schedule

    def task(self, seed: int) -> StandardizedTask:
        """The draw of a seed; the last ones asked for stay in memory."""
        return self.source.load(seed)

    def initial(self, seed: int) -> Any:
        """The initialized network (or estimator) of a run's seed: a function of task, architecture and seed alone."""
        named = seed_from("weights", self.source.name, self.architecture.name, seed)
        most = self.settings.max_parameters
        return build(self.architecture, self.scheme, self.task(seed).problem, named, most)


def run_job(job: Job, settings: Settings) -> list[Outcome]:
    """Every seed of ``job``, as records: ``ok``, ``diverged``, ``unsupported`` or ``failed``."""
    started = time.perf_counter()
    try:
        with without_fast_paths(), warnings.catch_warnings():
            warnings.filterwarnings("ignore", message=".*performance drop.*")
            return _run(job, settings)
    except Unsupported as reason:
        return blank_outcomes(job, "unsupported", str(reason), reason.code)
    except (Exception, SystemExit) as error:
        return blank_outcomes(job, "failed", *_why(error), time.perf_counter() - started)


def _why(error: BaseException) -> tuple[str, ReasonCode]:
    """In words and for programs."""
    if isinstance(error, FarFieldError):
        return str(error), error.code
    lost = isinstance(error, MemoryError) or any(words in str(error) for words in OUT_OF_MEMORY)
    return f"{type(error).__name__}: {error}", "out_of_memory" if lost else "error"


def _run(job: Job, settings: Settings) -> list[Outcome]:
    key = job.keys[0]
    source = tasks.resolve(key.task)
    task = source.load()
    architecture = architectures.resolve(key.architecture)
    context = _Context(
        job=job,
        settings=settings,
        source=source,
        architecture=architecture,
        scheme=architectures.parse_scheme(key.norm),
        schedule=get_protocol(key.protocol).schedule(task.card, len(task.train.targets)),
    )
    if any(source.load(each.seed).data_hash != each.data_hash for each in job.keys):
        raise FarFieldError(f"the data of {task.name} changed since the sweep was planned", code="data_changed")
    if architecture.source_hash != key.source_hash:
        what = f"the source of {architecture.name} changed since the sweep was planned"
        raise FarFieldError(what, code="source_changed")
    if context.scheme.source_hash != key.norm_hash:
        what = f"the source of the norm {context.scheme} changed since the sweep was planned"
        raise FarFieldError(what, code="source_changed")
    hold_to_contract(architecture, context.scheme, task.problem)
    return _run_estimator(context) if architecture.card.role == "estimator" else _run_network(context)


def _run_estimator(context: _Context) -> list[Outcome]:
    outcomes = []
    for key in context.job.keys:
        started = time.perf_counter()
        task = context.task(key.seed)
        estimator = context.initial(key.seed)
        estimator.fit(task.train.inputs, task.train.targets, task.validation.inputs, task.validation.targets)
        fields = _measured(estimator.predict, task, Lines.of(task))
        bound = estimator.certificate() if hasattr(estimator, "certificate") else None
        fields["certificate"] = None if bound is None else bound / task.target_max
        seconds = time.perf_counter() - started
        record = make_record(context.job, key, status="ok", seconds=seconds, **fields)
        outcomes.append(Outcome(record, _curves_kept(estimator.predict, task)))
    return outcomes


def _run_network(context: _Context) -> list[Outcome]:
    started = time.perf_counter()
    job, settings = context.job, context.settings
    first, task = context.initial(job.keys[0].seed), context.task(job.keys[0].seed)
    parameters = sum(p.numel() for p in first.parameters() if p.requires_grad)
    rows_a_step = context.schedule.batch_size or len(task.train.targets)
    operations = rows_a_step * count_flops(first, task.problem, ROWS_COUNTED, backward=True) // ROWS_COUNTED
    program = _program(context, first, rows_a_step)
    trained = _train(context, program)
    share = (time.perf_counter() - started) / len(trained)
    reader = None if _from_outside(context) else Reader()
    outcomes = []
    for key, result in zip(job.keys, trained, strict=True):
        begun = time.perf_counter()
        fields, details = _probe(context, key, result, reader)
        fields |= {
            "parameters": parameters,
            "step_operations": operations,
            "seconds": share + time.perf_counter() - begun,
        }
        record = make_record(job, key, settings.device, program=program or "heads", **fields)
        outcomes.append(Outcome(record, {**_curve_details(result), **details}))
    return outcomes


def _program(context: _Context, first: torch.nn.Module, rows_a_step: int) -> ProgramName | None:
    """What trains the whole network; None where only a head on frozen features is trained."""
    if isinstance(first, OnFrozenFeatures):
        return None
    task = context.task(context.job.seeds[0])
    rows = torch.as_tensor(np.ascontiguousarray(task.train.inputs[:8]), dtype=torch.float32)
    members = len(context.job.seeds) * len(context.schedule.learning_rates)
    device = context.settings.device
    asked = context.settings.program
    each_step = task.problem.each_step
    program = asked or choose_program(first, rows, rows_a_step, members, device, each_step)
    two = _two(context.job.seeds)
    if context.architecture.card.origin in VERSIONED or agrees(program, context.initial, two, rows, each_step):
        return program
    if asked:
        what = f"{context.architecture.name} learns otherwise under --program {asked} than alone: use --program loop"
        raise FarFieldError(what, code="contract")
    return "loop"


def _two(seeds: Sequence[int]) -> tuple[int, int]:
    """The first seed and another."""
    return seeds[0], seeds[1] if len(seeds) > 1 else seeds[0] + 1


def _train(context: _Context, program: ProgramName | None) -> list[Trained]:
    """By ``program``; None for heads on frozen features, which are rows of a table."""
    device, schedule, seeds = context.settings.device, context.schedule, context.job.seeds
    batches, limit = _batches(context), budget(torch.device(device), context.settings.workers)
    if program is None:
        how, draws = context.settings.program, {seed: context.task(seed) for seed in seeds}
        return train_heads(context.initial, seeds, draws, device, schedule, batches, program=how, limit=limit)
    found: list[Trained] = []
    for group in [seeds] if _stackable(context) else [(seed,) for seed in seeds]:
        found += train(
            lambda seed: context.initial(seed).to(device),
            group,
            {seed: training_data(context.task(seed), device) for seed in group},
            schedule,
            batches,
            program=program,
            limit=limit,
        )
    return found


def _stackable(context: _Context) -> bool:
    """Whether networks of several seeds may train as one stack, which has the constants of the first.

    R and the range of the targets differ from draw to draw. Of FarField's own networks a clamp and a pair around the
    network read them; of one from outside nobody knows.
    """
    around = any(part.around for part in context.scheme.parts)
    return not (_from_outside(context) or around or getattr(context.architecture.options, "clamp", False))


def _from_outside(context: _Context) -> bool:
    """Whether code of somebody else's makes the network or its norms."""
    return context.architecture.card.origin not in VERSIONED or bool(context.scheme.outside)


def _batches(context: _Context) -> dict[int, np.ndarray] | None:
    """For each seed the row numbers of its batches, among the training rows of its draw; None for full batches."""
    if context.schedule.batch_size is None:
        return None
    drawn: dict[int, np.ndarray] = {}
    for seed in context.job.seeds:
        rows = len(context.task(seed).train)
        found = batch_indices(context.source.name, context.architecture.name, seed, rows, context.schedule)
        if found is not None:
            drawn[seed] = found
    return drawn


def training_data(task: StandardizedTask, device: str) -> TrainingData:
    """The rows of ``task`` that members train and are checked on, as float32 on ``device``."""

    def tensor(array: np.ndarray) -> torch.Tensor:
        return torch.as_tensor(np.ascontiguousarray(array), dtype=torch.float32, device=device)

    return TrainingData(
        tensor(task.train.inputs),
        tensor(task.train.targets),
        tensor(task.validation.inputs),
        tensor(task.validation.targets),
    )


def _probe(
    context: _Context, key: RecordKey, result: Trained, reader: Reader | None
) -> tuple[dict[str, Any], dict[str, tuple[float | None, ...]]]:
    if result.state is None:
        return {"status": "diverged", "reason": "every learning rate diverged", "reason_code": "diverged"}, {}
    module = context.initial(key.seed)
    module.load_state_dict(result.state, strict=False)
    if context.settings.weights is not None:
        _keep_weights(result.state, key, context.settings.weights)
    with in_float64():
        return measured_network(context.task(key.seed), module, result, context.settings.device, reader)


def measured_network(
    task: StandardizedTask, module: torch.nn.Module, result: Trained, device: str, reader: Reader | None = None
) -> tuple[dict[str, Any], dict[str, tuple[float | None, ...]]]:
    """What is measured of a trained network, as fields of its record, and the details beside it."""
    predict, lines = probing.network_predict(module, device), Lines.of(task)
    fields, kept = _measured(predict, task, lines), _curves_kept(predict, task)
    if task.problem.each_step:  # from here on of the last step alone
        module = probing.LastStep(module).eval()
        predict = probing.at_the_last(predict)
    known = [*zip(metrics.LADDER, fields["growth"], strict=True), *fields["axis_growth"]]
    worst = worst_growth(module, predict, task, lines.rays, lines.axes, known)
    measured = [growth for _, growth in (*known, *worst)] + far_growths(predict, task)
    bound, against = proven_growth(module, task, lines.rays, measured, reader)
    fields |= {
        "status": "ok",
        "learning_rate": result.learning_rate,
        "best_step": result.best_step,
        "edge_of_grid": result.edge_of_grid,
        "edge_of_steps": result.edge_of_steps,
        "certificate": bound,
        "certificate_reason": against,
        "worst_growth": tuple((r, probing.finite(g)) for r, g in worst),
    }
    return fields, kept


def _measured(predict: probing.Predict, task: StandardizedTask, lines: Lines) -> dict[str, Any]:
    """The fields that every model's predictions give."""
    ladder, beyond = _look_far(probing.at_the_last(predict), task, lines)
    sets = probing.evaluate(predict, task)
    finite = not any(ladder.nonfinite)
    return {
        "sets": sets,
        "far_kind": task.far_kind,
        "id_error": sets[0].relative_error,
        "far_error": metrics.far_error(s.relative_error for s in sets[1:]),
        "ladder": metrics.LADDER,
        "growth": ladder.growth,
        "departure": ladder.departure,
        "nonfinite": ladder.nonfinite,
        "exponent": beyond.exponent if finite else None,
        "local_exponent": beyond.local_exponent,
        "axis_growth": beyond.axis_growth,
        "axis_exponent": beyond.axis_exponent,
        "probe_nonfinite": beyond.nonfinite,
    }


def _look_far(
    predict: probing.Predict, task: StandardizedTask, lines: Lines
) -> tuple[metrics.LadderResult, probing.Beyond]:
    """Along rays at the distances of the ladder, and beyond."""
    return probing.probe_rays(predict, task, lines.rays), probing.probe_beyond(predict, task, lines.rays, lines.axes)


def _curve_details(result: Trained) -> dict[str, tuple[float | None, ...]]:
    curve = result.curve
    return {
        "curve.step": tuple(float(s) for s in curve.steps),
        "curve.train": tuple(probing.finite(v) for v in curve.train),
        "curve.validation": tuple(probing.finite(v) for v in curve.validation),
    }


def _curves_kept(predict: probing.Predict, task: StandardizedTask) -> dict[str, tuple[float | None, ...]]:
    """Predictions on the far sets (of sequences at the last step) and, in one dimension, from -10 R to 10 R."""
    last = probing.at_the_last(predict)
    kept = {f"far.{far.name}.prediction": _numbers(last(far.rows.inputs)) for far in task.far}
    if task.problem.shape == (1,):
        line = np.linspace(-FUNCTION_REACH, FUNCTION_REACH, FUNCTION_POINTS)[:, None] * task.radius
        kept["function.x"] = _numbers(line[:, 0])
        kept["function.y"] = _numbers(predict(line))
    return kept


def _numbers(values: np.ndarray) -> tuple[float | None, ...]:
    return tuple(probing.finite(v) for v in values.tolist())


def _keep_weights(state: Mapping[str, torch.Tensor], key: RecordKey, directory: Path) -> None:
    from safetensors.torch import save_file

    directory.mkdir(parents=True, exist_ok=True)
    save_file({name: t.contiguous().cpu() for name, t in state.items()}, directory / f"{key.digest()[:16]}.safetensors")
