"""What is checked of a bundle without running anybody's code: everything in it that follows from something else."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Literal

import numpy as np

import architectures
import tasks
from architectures.card import hash_in_keys
from bench.core.errors import FarFieldError, InputError, UnknownName
from bench.core.origin import VERSIONED
from bench.plan.protocol import get_protocol
from bench.plan.suite import list_suites, load_suite
from bench.submitting.signs import find_signs
from leaderboard.publishing.entry import Entry
from leaderboard.records import metrics
from leaderboard.records.record import CellKey, Record, Role, SetResult
from tasks.data.samples import Rows, StandardizedTask

State = Literal["ok", "found", "not checked"]
CLOSE = 1e-4
"""Relative difference that rounding to six digits, and another machine's last digits, may make."""

_SHOWN = 3


@dataclass(frozen=True)
class Check:
    """A check and what it found.

    Args:
        name: what holds where it passes.
        state: ``ok``, ``found`` (something that must not be), ``not checked``.
        detail: what was found, or why it was not checked.
    """

    name: str
    state: State
    detail: str = ""


def check_bundle(entry: Entry, records: Sequence[Record], accept_signs: bool = False) -> list[Check]:
    """Every check, in order.

    Args:
        entry: the bundle, which has been read: its schema, sizes and the hashes of its texts hold.
        records: of it.
        accept_signs: somebody has read the lines that signs name and holds them harmless.
    """
    named: list[tuple[str, Callable[[], Iterable[str]]]] = [
        ("the protocol is today's", lambda: _protocol(entry)),
        ("every seed that the protocol has is there, and no other", lambda: _seeds(entry, records)),
        ("every record is final", lambda: _final(records)),
        ("code is what the records were made with", lambda: _sources(entry)),
        ("norms are what the records were made with", lambda: _norms(entry)),
        ("tasks and their data are those of this code", lambda: _data(records)),
        ("what was measured on is what the tasks have", lambda: _sets(records)),
        ("errors agree with each other", lambda: _errors(records)),
        ("growth was measured at the distances of the protocol, and agrees with itself", lambda: _growth(records)),
        ("rates and steps are those of the protocol", lambda: _chosen(records)),
        ("no two seeds have the same numbers", lambda: _copies(records)),
    ]
    found = [_check(name, check) for name, check in named]
    signs = [str(sign) for text in entry.sources for one in text.files for sign in find_signs(one.path, one.source)]
    if signs and accept_signs:
        return [*found, Check(SIGNS, "ok", f"accepted by who verifies: {_shown(signs)}")]
    return [*found, Check(SIGNS, "found" if signs else "ok", _shown(signs))]


SIGNS = "the source reaches for nothing that a network has no need of"


class _Missing(Exception):
    """What a check needs is not on this machine."""


def _check(name: str, check: Callable[[], Iterable[str]]) -> Check:
    try:
        faults = list(check())
    except _Missing as missing:
        return Check(name, "not checked", str(missing))
    return Check(name, "found" if faults else "ok", _shown(faults))


def _shown(faults: Sequence[str]) -> str:
    more = f"; and {len(faults) - _SHOWN} more" if len(faults) > _SHOWN else ""
    return "; ".join(faults[:_SHOWN]) + more


def _where(record: Record) -> str:
    return f"{record.key.task} · {record.key.architecture} · {record.key.norm}, seed {record.key.seed}"


def _protocol(entry: Entry) -> Iterable[str]:
    try:
        if get_protocol(entry.protocol).name != entry.protocol:
            yield f"protocol {entry.protocol!r} is no id of a record"
    except FarFieldError as error:
        yield str(error)
    if entry.suite is None:
        yield "it names no suite"
    elif entry.suite.name not in list_suites():
        yield f"there is no suite {entry.suite.name!r}"
    else:
        suite = load_suite(entry.suite.name)
        if suite.version != entry.suite.version:
            yield f"suite {suite.name} has version {suite.version}, not {entry.suite.version}"
        if suite.protocol != entry.protocol:
            yield f"suite {suite.name} is run under protocol {suite.protocol}, not {entry.protocol}"


def _seeds(entry: Entry, records: Sequence[Record]) -> Iterable[str]:
    if entry.suite is None or entry.suite.name not in list_suites():
        raise _Missing("there is no such suite")
    suite = load_suite(entry.suite.name)
    known = {cell.task for cell in suite.cells()}
    wanted = set(range(suite.seeds))
    cells: dict[CellKey, set[int]] = {}
    for record in records:
        cells.setdefault(record.key.cell, set()).add(record.key.seed)
    for key, seeds in cells.items():
        if seeds != wanted:
            shown = ", ".join(map(str, sorted(seeds)[:8]))
            yield f"{key.task} · {key.architecture} · {key.norm} has the seeds {shown}, not 0 to {suite.seeds - 1}"
        if key.task not in known:
            yield f"{key.task} is no task of suite {suite.name}"


def _final(records: Sequence[Record]) -> Iterable[str]:
    for record in records:
        if not record.is_final:
            yield f"{_where(record)} is {record.status}: {record.reason}"


def _sources(entry: Entry) -> Iterable[str]:
    texts = {hash_in_keys(text.sha256) for text in entry.sources}
    for cell in entry.cells:
        if cell.origin in ("module", "installed"):
            yield f"{cell.architecture} comes from a {cell.origin}, whose source is not handed in"
        elif cell.origin not in VERSIONED:
            if cell.source_hash not in texts:
                yield f"{cell.architecture} was made with a source of hash {cell.source_hash[:12]}, which is not here"
        elif (ours := _built_in(cell.architecture)) != cell.source_hash:
            what = "has no such architecture" if ours is None else f"has it with hash {ours[:12]}"
            yield f"{cell.architecture} has hash {cell.source_hash[:12]}, and this code {what}"


def _built_in(spelling: str) -> str | None:
    try:
        found = architectures.resolve(spelling)
    except InputError:
        return None
    return found.source_hash if found.card.origin in VERSIONED else None


def _norms(entry: Entry) -> Iterable[str]:
    for cell in entry.cells:
        try:
            scheme = architectures.parse_scheme(cell.norm)
        except UnknownName:
            if not entry.sources:
                yield f"norm {cell.norm} is not known here, and no source is handed in"
            continue  # a kind of the bundle's own: its hash is read where its code runs
        except InputError as error:
            yield str(error)
            continue
        if scheme.source_hash != cell.norm_hash:
            yield f"norm {cell.norm} has hash {cell.norm_hash or 'none'}, and this code {scheme.source_hash or 'none'}"


@lru_cache(maxsize=8)
def _loaded(name: str, seed: int) -> StandardizedTask | None:
    """A draw of a task; None where its data are not on this machine."""
    try:
        return tasks.resolve(name).load(seed)
    except InputError:
        return None


def _data(records: Sequence[Record]) -> Iterable[str]:
    missing: dict[str, None] = {}
    for name, seed, some in _by_draw(records):
        try:
            card = tasks.resolve(name).card
        except InputError as error:
            yield str(error)
            continue
        for record in some:
            if record.key.task_version != card.keyed_version:
                yield f"{name} has version {card.keyed_version}, not {record.key.task_version}"
            if record.truth != card.truth:
                yield f"{name} has a {card.truth} truth, not {record.truth}"
        task = _loaded(name, seed)
        if task is None:
            missing[name] = None
        else:
            yield from (f"{_where(r)} is of other data" for r in some if r.key.data_hash != task.data_hash)
    if missing:
        raise _Missing(f"without the data of {', '.join(missing)}, which are not on this machine")


def _by_draw(records: Sequence[Record]) -> list[tuple[str, int, list[Record]]]:
    draws: dict[tuple[str, int], list[Record]] = {}
    for record in records:
        draws.setdefault((record.key.task, record.key.seed), []).append(record)
    return [(name, seed, some) for (name, seed), some in sorted(draws.items())]


def _sets(records: Sequence[Record]) -> Iterable[str]:
    """Rows, distances, and the units between relative error, RMSE and R², which follow from the task alone."""
    for name, seed, some in _by_draw(records):
        task = _loaded(name, seed)
        known = {} if task is None else _of_mean(task)
        for record in some if task else ():
            if not record.sets:
                continue
            if [one.name for one in record.sets] != list(known):
                yield f"{_where(record)} has the sets {', '.join(one.name for one in record.sets)}"
                continue
            if task and record.far_kind != task.far_kind:
                yield f"{_where(record)} is far by {record.far_kind}, and the task by {task.far_kind}"
            for one in record.sets:
                if fault := _odd_set(one, known[one.name]):
                    yield f"{_where(record)}: {fault}"


def _of_mean(task: StandardizedTask) -> dict[str, SetResult]:
    """What answering with the training mean gives on each labelled set: relative error 1."""
    named: list[tuple[str, Role, Rows]] = [("test", "test", task.test)]
    named += [(far.name, "far", far.rows) for far in task.far]
    return {
        label: metrics.set_result(
            label,
            role,
            np.zeros(rows.targets.size),
            rows.targets,
            target_scale=task.target_scale,
            distance=task.distance(rows.inputs),
        )
        for label, role, rows in named
    }


def _odd_set(one: SetResult, mean: SetResult) -> str:
    """What in a set's numbers does not follow from the task; empty where all does."""
    same = one.rows == mean.rows and one.role == mean.role and _near(one.beyond, mean.beyond)
    if not same or not all(map(_near, one.distance or (), mean.distance or ())):
        return f"{one.name} has other rows than the task"
    if one.relative_error is None or one.rmse is None or not mean.rmse:
        return ""
    if not _near(one.rmse, one.relative_error * mean.rmse):
        return f"rmse and relative error on {one.name} do not belong together"
    if not _r2_follows(one.r2, one.relative_error, mean.r2):
        return f"r2 and relative error on {one.name} do not belong together"
    return ""


def _r2_follows(r2: float | None, error: float, of_mean: float | None) -> bool:
    """1 - r2 is in the ratio of squared errors to that of the training mean."""
    if r2 is None or of_mean is None:
        return r2 is None and of_mean is None
    wanted = 1 - error**2 * (1 - of_mean)
    return abs(r2 - wanted) <= CLOSE * max(1.0, abs(1 - wanted))


def _near(first: float | None, second: float | None) -> bool:
    if first is None or second is None:
        return first is second
    return math.isclose(first, second, rel_tol=CLOSE, abs_tol=1e-9)


def _errors(records: Sequence[Record]) -> Iterable[str]:
    """What the format makes anew cannot disagree; MAE and RMSE can."""
    for record in records:
        for one in record.sets:
            if one.rmse is not None and one.mae is not None and one.mae > one.rmse * (1 + CLOSE):
                yield f"{_where(record)}: the mean absolute error on {one.name} exceeds the root mean square"
        far = metrics.far_error(one.relative_error for one in record.sets if one.role == "far")
        if not _near(far, record.far_error):
            yield f"{_where(record)}: far_error is not that of its sets"


def _growth(records: Sequence[Record]) -> Iterable[str]:
    for record in records:
        if record.status != "ok":
            continue
        if record.ladder != metrics.LADDER or tuple(r for r, _ in record.axis_growth) != metrics.AXIS_RADII:
            yield f"{_where(record)} was measured at other distances"
            continue
        for (r, worst), known in ((pair, _most_within(record, pair[0])) for pair in record.worst_growth):
            if worst is not None and (known is None or worst < known * (1 - CLOSE)):
                yield f"{_where(record)}: the search within {r:g} R found less than rays there"
        bound = record.certificate
        most = [g for _, g in (*record.axis_growth, *record.worst_growth)] + list(record.growth)
        if bound is not None and any(g is None or g > bound * (1 + CLOSE) for g in most):
            yield f"{_where(record)}: growth exceeds its certificate"
        along = metrics.axis_exponent(record.axis_growth)
        if along is not None and record.axis_exponent is not None and record.exponent is not None:
            # where the slope along axes alone would decide, it was read again over other radii
            again = metrics.growth_kind(along) > metrics.growth_kind(record.exponent)
            if not again and _size(record) != 1 and abs(along - record.axis_exponent) > 1e-3:
                yield f"{_where(record)}: axis_exponent is not that of axis_growth"


def _size(record: Record) -> int | None:
    """How many numbers an input of the record's task has; None where the task is not here."""
    task = _loaded(record.key.task, record.key.seed)
    return None if task is None else task.problem.size


def _most_within(record: Record, reach: float) -> float | None:
    """The largest growth met at most this far out; None where one is not finite."""
    points = [*zip(record.ladder, record.growth, strict=True), *record.axis_growth]
    values = [g for r, g in points if r <= reach * (1 + 1e-9)]
    return None if any(v is None for v in values) else max((v for v in values if v is not None), default=0.0)


def _chosen(records: Sequence[Record]) -> Iterable[str]:
    for record in records:
        if record.status != "ok" or record.learning_rate is None:
            continue
        task = _loaded(record.key.task, 0)
        if task is None:
            continue
        try:
            schedule = get_protocol(record.key.protocol).schedule(task.card, len(task.train.targets))
        except FarFieldError:
            continue
        rates = schedule.learning_rates
        if record.learning_rate not in rates:
            yield f"{_where(record)}: the rate {record.learning_rate:g} is none of the protocol's"
        elif schedule.selects and record.best_step not in (0, *schedule.checks):
            yield f"{_where(record)}: step {record.best_step} is none that the protocol looks at"
        elif len(rates) > 1 and record.edge_of_grid != (record.learning_rate in (rates[0], rates[-1])):
            yield f"{_where(record)}: edge_of_grid does not follow from the rate"


def _copies(records: Sequence[Record]) -> Iterable[str]:
    seen: dict[tuple[object, ...], Record] = {}
    for record in records:
        if record.status != "ok" or record.deterministic:
            continue
        numbers = tuple((one.name, one.rmse, one.mae) for one in record.sets)
        if all(rmse is None for _, rmse, _ in numbers):
            continue
        name = (record.key.cell, numbers)
        if name in seen:
            yield f"{_where(record)} has the numbers of seed {seen[name].key.seed}"
        seen[name] = record
