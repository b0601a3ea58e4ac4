"""What is checked of an architecture and of a task, once the file that registers it has been imported."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from functools import partial
from typing import TYPE_CHECKING

import torch

import architectures
import tasks
from architectures import Architecture, NormScheme, parse_scheme
from architectures.analysis.prediction import Prediction
from architectures.building import sites
from architectures.contract import examination as contract
from architectures.contract.examples import EXAMPLES
from architectures.description import describe
from bench.cell.run import run_job
from bench.checking.findings import Finding, Portrait
from bench.checking.reporter import Reporter
from bench.core.errors import OUT_OF_MEMORY, FarFieldError, Unsupported
from bench.core.problem import InputKind, Problem
from bench.plan.jobs import Cell, Job, Settings, record_keys
from bench.plan.protocol import get_protocol
from tasks.splitting import data_hash

if TYPE_CHECKING:
    from leaderboard.records.record import Record

TRIAL_TASKS: dict[InputKind, str] = {"features": "sine-1d", "sequence": "sum-sequence", "image": "digits-rotation"}
"""What is trained on for a first look: small, and there without a network."""

TRAINS = (
    "it trains and is probed far away",
    "Trains one seed for a few hundred steps and follows its answers to 10,000 times the training radius.",
)
LOADS = ("it loads", "Builds the rows, splits them and standardizes them.")
REPEATS = ("it is the same every time", "Builds the rows twice and compares them, number for number.")
IS_FAR = ("its far sets are farther than its test set", "Compares the median distances from the training mean.")
UNBOUNDED = 0.5
"""A measured exponent that no bounded network has, wherever the ladder catches it."""

HAS_FAR = ("it has far sets", "Counts the labelled rows away from the training domain.")
LEARNS = ("baselines run on it", "Fits ridge regression and measures it on the test set and on every far set.")


def check_architecture(name: str, reporter: Reporter) -> None:
    """Run the contract, look at the network, train it a little."""
    torch.set_num_threads(1)
    architecture = architectures.resolve(name)
    for number, case in enumerate(contract.cases(architecture)):
        tried = (case.check.__doc__ or "").partition("\n")[0]
        finding = reporter.run(case.name, tried, case.where, partial(contract_finding, case))
        if number == 0 and not finding.passed:
            return  # what cannot be built would fail every other check for the same reason
    for scheme, problem in _first_looks(architecture):
        where = f"{problem.kind} {'x'.join(map(str, problem.shape))}, norm {scheme}"
        portraits: list[Portrait] = []
        reporter.run(*TRAINS, where, partial(train_for_portrait, architecture, scheme, problem, portraits))
        for portrait in portraits:
            reporter.portray(portrait)


def contract_finding(case: contract.Case) -> Finding:
    """What a check of the contract finds.

    Raises:
        MemoryError: it ran out of memory.
    """
    result = case.run()
    if result.passed is False and any(sign in result.found for sign in ("MemoryError", *OUT_OF_MEMORY)):
        raise MemoryError
    return Finding(result.check, result.tried, result.where, result.passed, result.found, result.hint)


def _first_looks(architecture: Architecture) -> Iterator[tuple[NormScheme, Problem]]:
    """The cheapest kind of input it claims, without norms and with a layer norm at its first and at every site."""
    kind = next(kind for kind in TRIAL_TASKS if kind in architecture.card.inputs)
    problem = trial_problem(kind)
    yield NormScheme(), problem
    try:
        found = sites(architecture, problem)
    except Exception:  # the contract has said so
        return
    if found:
        yield parse_scheme("layer@first"), problem
    if len(found) > 1:
        yield parse_scheme("layer@all"), problem


def trial_problem(kind: InputKind) -> Problem:
    """That of the small task of this kind of input, or an example where its data is not there."""
    try:
        return tasks.resolve(TRIAL_TASKS[kind]).load().problem
    except FarFieldError:
        return EXAMPLES[kind][0]


def train_for_portrait(
    architecture: Architecture, scheme: NormScheme, problem: Problem, out: list[Portrait]
) -> Finding:
    """Train one seed under the quick protocol on the small task for this kind of input; a portrait goes to ``out``."""
    where = f"{problem.kind} {'x'.join(map(str, problem.shape))}, norm {scheme}"
    task = tasks.resolve(TRIAL_TASKS[problem.kind])
    try:
        seen = describe(architecture, scheme, problem)
        cell = Cell(task.name, architecture.name, str(scheme), get_protocol("quick").name)
        job = Job(tuple(record_keys(cell, [0])), task.card.truth)
        record = run_job(job, Settings())[0].record
    except Unsupported as reason:
        return Finding(*TRAINS, where, None, f"unsupported: {reason}")
    out.append(
        Portrait(
            name=architecture.name,
            problem=f"{problem.kind} {'x'.join(map(str, problem.shape))}",
            norm=str(scheme),
            sites=tuple(row.name for row in seen.sites),
            parameters=seen.parameters,
            flops=seen.flops_step,
            batch=seen.batch_size,
            predicted=seen.prediction.exponent,
            reason=seen.prediction.reason,
            task=task.name,
            measured=record.exponent,
            growth=record.growth_at(100.0),
            id_error=record.id_error,
            seconds=record.seconds or 0.0,
        )
    )
    return _trained(record, where, seen.prediction)


def _trained(record: Record, where: str, predicted: Prediction) -> Finding:
    if record.status == "unsupported":
        return Finding(*TRAINS, where, None, f"unsupported: {record.reason}")
    if record.status != "ok":
        hint = "correct what the reason names" if record.status == "failed" else "start from smaller weights"
        return Finding(*TRAINS, where, False, f"{record.status}: {record.reason}", hint)
    lost = sum(record.nonfinite)
    if lost:
        hint = "guard divisions, powers and exponentials against large inputs"
        return Finding(*TRAINS, where, False, f"{lost} answers on the rays are not finite", hint)
    against = contradiction(record, predicted)
    if against:
        return Finding(*TRAINS, where, False, against, "report it: what the network's operations prove is not so")
    return Finding(
        *TRAINS, where, True, f"test error {_shown(record.id_error)}, G(100) {_shown(record.growth_at(100.0))}"
    )


def contradiction(record: Record, predicted: Prediction) -> str:
    """What was measured against what the structure implies, in words; empty where the two agree."""
    if record.certificate_reason == "contradiction":
        return "it answered more than its certificate allows"
    measured = record.exponent
    if predicted.bounded and measured is not None and measured > UNBOUNDED:
        return f"it is predicted bounded ({predicted.reason}) and grows with exponent {measured:.2f}"
    return ""


def _shown(value: float | None) -> str:
    return "–" if value is None or math.isnan(value) else f"{value:.3g}"


def check_task(name: str, reporter: Reporter) -> None:
    """Load the task, twice, and try a baseline on it."""
    task = tasks.resolve(name)

    def loads() -> Finding:
        loaded = task.load()
        sizes = f"{len(loaded.train):,} training, {len(loaded.validation):,} validation, {len(loaded.test):,} test rows"
        return Finding(*LOADS, "", True, f"{sizes}; {loaded.problem.kind} of shape {loaded.problem.shape}")

    if reporter.run(*LOADS, "", loads).passed:
        reporter.run(*REPEATS, "", lambda: _repeats(task))
        reporter.run(*HAS_FAR, "", lambda: _has_far(task))
        reporter.run(*IS_FAR, "", lambda: _is_far(task))
        reporter.run(*LEARNS, "", lambda: _learns(task))


def _repeats(task: tasks.Task) -> Finding:
    if data_hash(task.load_raw()) == data_hash(task.load_raw()):
        return Finding(*REPEATS, "", True, "the same numbers")
    hint = "draw from bench.core.seeding.generator(name, purpose), not from a generator without a seed"
    return Finding(*REPEATS, "", False, "other numbers the second time", hint)


def _has_far(task: tasks.Task) -> Finding:
    far = task.load().far
    if far:
        return Finding(*HAS_FAR, "", True, ", ".join(f"{one.name} ({len(one):,})" for one in far))
    return Finding(*HAS_FAR, "", False, "none", "return far=(FarSet(...),), or truth=... to have shells labelled by it")


def _is_far(task: tasks.Task) -> Finding:
    import numpy as np

    loaded = task.load()
    inside = float(np.median(loaded.distance(loaded.test.inputs)))
    seen = {far.name: float(np.median(loaded.distance(far.rows.inputs))) for far in loaded.far}
    words = f"test {inside:.2f} R, " + ", ".join(f"{name} {value:.2f} R" for name, value in seen.items())
    nearer = [name for name, value in seen.items() if value <= inside]
    if nearer:  # a rule may hold out rows that are elsewhere rather than farther out; that is said, not refused
        return Finding(*IS_FAR, "", None, f"{words}: {nearer[0]} is elsewhere rather than farther out")
    return Finding(*IS_FAR, "", True, words)


def _learns(task: tasks.Task) -> Finding:
    cell = Cell(task.name, "ridge", "none", get_protocol("quick").name)
    record = run_job(Job(tuple(record_keys(cell, [0])), task.card.truth), Settings())[0].record
    if record.status != "ok":
        return Finding(*LEARNS, "", False, f"{record.status}: {record.reason}", "correct what the reason names")
    errors = ", ".join(f"{result.name} {_shown(result.relative_error)}" for result in record.sets)
    return Finding(*LEARNS, "", True, f"relative errors of ridge: {errors}")


SUBJECTS: dict[str, Callable[[str, Reporter], None]] = {"architecture": check_architecture, "task": check_task}
