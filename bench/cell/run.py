"""Runs one cell in a worker: data, training, probing, records. Never raises: every fault becomes records.

Seed k has draw k of the task for its own, with what follows from it: standardization, R, the largest target, batches,
rays, far rows. What the seeds share, the schedule, is that of draw 0, whichever seeds are run.
"""

from __future__ import annotations

import time
import warnings
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import torch

import architectures
import tasks
from architectures.analysis.graph_reading import Reader
from architectures.contract.precision import in_float64, in_full_float32, without_fast_paths
from bench.cell import probing
from bench.cell.admission import hold_to_contract
from bench.cell.directions import axis_directions, directions
from bench.cell.outcome import Outcome, blank_outcomes, make_record, why
from bench.cell.proof import far_growths, proven_growth
from bench.cell.worst import worst_growth
from bench.core.errors import FarFieldError, Unsupported
from bench.plan.jobs import Job, Settings
from bench.plan.protocol import get_protocol
from bench.training.cell import Context, from_outside, selected, train_network
from bench.training.train import Trained
from leaderboard.records import metrics
from leaderboard.records.record import RecordKey

if TYPE_CHECKING:
    from tasks.data.samples import StandardizedTask

FUNCTION_REACH = 10.0
FUNCTION_POINTS = 401


@dataclass(frozen=True)
class Lines:
    """Unit directions of a task: those that define growth, and axes beside them. Shapes (n, *shape)."""

    rays: np.ndarray
    axes: np.ndarray

    @classmethod
    def of(cls, task: StandardizedTask) -> Lines:
        """Those of ``task``."""
        return cls(directions(task), axis_directions(task))


def run_job(job: Job, settings: Settings) -> list[Outcome]:
    """Every seed of ``job``, as records: ``ok``, ``diverged``, ``unsupported`` or ``failed``."""
    started = time.perf_counter()
    try:
        with in_full_float32(), without_fast_paths(), warnings.catch_warnings():
            warnings.filterwarnings("ignore", message=".*performance drop.*")
            return _run(job, settings)
    except Unsupported as reason:
        return blank_outcomes(job, "unsupported", str(reason), reason.code)
    except (Exception, SystemExit) as error:
        return blank_outcomes(job, "failed", *why(error), time.perf_counter() - started)


def _run(job: Job, settings: Settings) -> list[Outcome]:
    key = job.keys[0]
    source = tasks.resolve(key.task)
    task = source.load()
    architecture = architectures.resolve(key.architecture)
    context = Context(
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


def _run_estimator(context: Context) -> list[Outcome]:
    outcomes = []
    for key in context.job.keys:
        started = time.perf_counter()
        task = context.task(key.seed)
        estimator = context.initial(key.seed)
        estimator.fit(task.train.inputs, task.train.targets, task.validation.inputs, task.validation.targets)
        fields = measured(estimator.predict, task, Lines.of(task))
        bound = estimator.certificate() if hasattr(estimator, "certificate") else None
        fields["certificate"] = None if bound is None else bound / task.target_max
        seconds = time.perf_counter() - started
        record = make_record(context.job, key, status="ok", seconds=seconds, **fields)
        outcomes.append(Outcome(record, _curves_kept(estimator.predict, task)))
    return outcomes


def _run_network(context: Context) -> list[Outcome]:
    started = time.perf_counter()
    job, settings = context.job, context.settings
    training = train_network(context)
    share = (time.perf_counter() - started) / len(training.seeds)
    reader = None if from_outside(context) else Reader()
    outcomes = []
    for key, result in zip(job.keys, training.seeds, strict=True):
        begun = time.perf_counter()
        fields, details = _probe(context, key, result, reader)
        fields |= {
            "parameters": training.parameters,
            "step_operations": training.operations,
            "seconds": share + time.perf_counter() - begun,
        }
        record = make_record(job, key, settings.device, program=training.program or "heads", **fields)
        outcomes.append(Outcome(record, {**_curve_details(result), **details}))
    return outcomes


def _probe(
    context: Context, key: RecordKey, result: Trained, reader: Reader | None
) -> tuple[dict[str, Any], dict[str, tuple[float | None, ...]]]:
    if result.state is None:
        return {"status": "diverged", "reason": "every learning rate diverged", "reason_code": "diverged"}, {}
    module = selected(context, key.seed, result.state)
    if context.settings.weights is not None:
        _keep_weights(result.state, key, context.settings.weights)
    with in_float64():
        return measured_network(context.task(key.seed), module, result, context.settings.device, reader)


def measured_network(
    task: StandardizedTask, module: torch.nn.Module, result: Trained, device: str, reader: Reader | None = None
) -> tuple[dict[str, Any], dict[str, tuple[float | None, ...]]]:
    """What is measured of a trained network, as fields of its record, and the details beside it."""
    predict = probing.network_predict(module, device)
    lines = Lines.of(task)
    fields, measurements = measured_and_searched(module, predict, task, lines)
    bound, against = proven_growth(_at_the_last(module, task), task, lines.rays, measurements, reader)
    fields |= {
        "status": "ok",
        "learning_rate": result.learning_rate,
        "best_step": result.best_step,
        "edge_of_grid": result.edge_of_grid,
        "edge_of_steps": result.edge_of_steps,
        "certificate": bound,
        "certificate_reason": against,
    }
    return fields, _curves_kept(predict, task)


def measured_and_searched(
    module: torch.nn.Module, predict: probing.Predict, task: StandardizedTask, lines: Lines
) -> tuple[dict[str, Any], list[float | None]]:
    """:func:`measured` and the worst case, and every growth that was met."""
    fields = measured(predict, task, lines)
    module, predict = _at_the_last(module, task), probing.at_the_last(predict)
    known = [*zip(metrics.LADDER, fields["growth"], strict=True), *fields["axis_growth"]]
    worst = worst_growth(module, predict, task, lines.rays, lines.axes, known)
    met = [growth for _, growth in (*known, *worst)] + far_growths(predict, task)
    return fields | {"worst_growth": tuple((r, probing.finite(g)) for r, g in worst)}, met


def _at_the_last(module: torch.nn.Module, task: StandardizedTask) -> torch.nn.Module:
    """A network that answers at each step, asked for the last one alone; any other as it is."""
    return probing.LastStep(module).eval() if task.problem.each_step else module


def measured(predict: probing.Predict, task: StandardizedTask, lines: Lines) -> dict[str, Any]:
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
