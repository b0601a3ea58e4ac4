"""Which stored records a command speaks of."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

import architectures
from bench.core.errors import FarFieldError, InputError, UnknownName
from bench.core.grammar import OWN_DATA, parse_call
from bench.plan.options import FilterOptions, StatusFilterOptions, SuiteFilterOptions
from bench.plan.protocol import id_in_records
from bench.plan.suite import load_suite
from bench.sweep.options import STORE_NAME
from bench.sweep.remembering import remembered_task, scope_of
from leaderboard.records.record import STATUSES
from leaderboard.records.store.store import RecordFilter, Store
from leaderboard.records.store.stored_records import StoredRecords
from tasks import get_card

PUBLISHED = "published"
"""What stands, in place of a folder of results, for those that come with FarField."""


class NoRecords(InputError):
    """There are no results, or none that match."""


def existing_store(out: Path) -> Path:
    """The store in ``out``.

    Raises:
        NoRecords: there is none yet.
    """
    path = out / STORE_NAME
    if not path.exists():
        raise NoRecords("there are no results yet", where=str(out), hint="farfield run first, or name another --out")
    return path


def stored_records(
    out: Path,
    suite: str | None = None,
    protocol: str | None = None,
    tasks: Sequence[str] | None = None,
    architectures: Sequence[str] | None = None,
    norms: Sequence[str] | None = None,
    real: bool | None = None,
) -> StoredRecords:
    """The records in ``out`` that belong to ``suite`` and match the patterns; what is not given asks for all.

    ``real`` chooses tasks measured in the world (true) or computed from a formula (false).

    Raises:
        InputError: no store, an unknown suite, or nothing that matches.
    """
    asked = SuiteFilterOptions(
        out=out,
        suite=suite,
        protocol=protocol,
        tasks=tuple(tasks or ()),
        architectures=tuple(architectures or ()),
        norms=tuple(norms or ()),
        real=real,
    )
    return chosen_records(asked)


def chosen_records(chosen: SuiteFilterOptions) -> StoredRecords:
    """The records that ``chosen`` asks for.

    Raises:
        InputError: no store, an unknown suite, or nothing that matches.
    """
    with Store(existing_store(chosen.out)) as store:
        summaries = store.summaries(record_filter(chosen))
        scope = None if chosen.suite is None else scope_of(store, chosen.suite)
    if scope is not None:
        scope = scope.under(None if chosen.protocol is None else id_in_records(chosen.protocol))
        inside = [scope.holds(key) for key in summaries.cells]
        summaries = summaries.take([place for place, cell in enumerate(summaries.cell.tolist()) if inside[cell]])
    if not len(summaries):
        raise NoRecords("no stored record matches", where=str(chosen.out), hint="farfield run first, or ask for less")
    return StoredRecords(existing_store(chosen.out), summaries)


def tracks_of(chosen: SuiteFilterOptions) -> Mapping[str, tuple[str, ...]]:
    """The tasks of each track of the suite that ``chosen`` names; empty where it has none.

    Raises:
        InputError: no such suite.
    """
    if chosen.suite is None:
        return {}
    if not (chosen.out / STORE_NAME).exists():  # published results are shown
        return load_suite(chosen.suite).track_tasks()
    with Store(existing_store(chosen.out)) as store:
        return scope_of(store, chosen.suite).tracks


def record_filter(chosen: FilterOptions) -> RecordFilter:
    """The same as the store understands it.

    Raises:
        InputError: no such status or protocol; or whether tasks are real is asked for, and there is no store, no such
            task in it or one that is not known here.
    """
    statuses = chosen.statuses if isinstance(chosen, StatusFilterOptions) else ()
    for name in statuses:
        if name not in STATUSES:
            raise InputError(f"unknown status {name!r}", where="--status", hint=f"one of {', '.join(STATUSES)}")
    return RecordFilter(
        protocol=() if chosen.protocol is None else (id_in_records(chosen.protocol),),
        task=_task_patterns(chosen) if chosen.real is None else _of_kind(chosen, chosen.real),
        architecture=_as_recorded(chosen.architectures, lambda name: architectures.resolve(name).name),
        norm=_as_recorded(chosen.norms, lambda name: str(architectures.parse_scheme(name))),
        status=statuses,
    )


def _as_recorded(asked: Sequence[str], spelled: Callable[[str], str]) -> tuple[str, ...]:
    """Patterns, and beside each that is a whole name its spelling in records: options in order, defaults left out."""
    patterns = list(asked)
    for name in asked:
        if not any(sign in name for sign in "*?["):
            with contextlib.suppress(FarFieldError):  # what is not known here may be stored all the same
                patterns.append(spelled(name))
    return tuple(dict.fromkeys(patterns))


def _task_patterns(chosen: FilterOptions) -> tuple[str, ...]:
    return tuple(pattern for task in chosen.tasks for pattern in _patterns(task))


def _patterns(task: str) -> tuple[str, ...]:
    """A task's pattern, and the spellings of a user's table whose name matches it."""
    return (task,) if "(" in task else (task, f"{OWN_DATA}(*name={task})", f'{OWN_DATA}(*name="{task}")')


def _of_kind(chosen: FilterOptions, real: bool) -> tuple[str, ...]:
    """Patterns of the stored tasks, of those chosen, that are real (or computed)."""
    with Store(existing_store(chosen.out)) as store:
        stored = store.summaries(RecordFilter(task=_task_patterns(chosen)))
        occurring = {stored.cells[cell].task for cell in set(stored.cell.tolist())}
        names = [name for name in sorted(occurring) if _is_real(store, name) == real]
    if not names:
        kind = "real" if real else "computed"
        raise NoRecords(f"no stored record is of a {kind} task", where=str(chosen.out), hint="ask for less")
    return tuple(name.replace("[", "[[]") for name in names)  # as they are, not as patterns


def _is_real(store: Store, name: str) -> bool:
    try:
        return get_card(parse_call(name, "task").name).real
    except UnknownName:
        known = remembered_task(store, name)
        if known is not None:
            return bool(known[1].get("real"))
        raise InputError(
            f"whether the task {name!r} is real is not known here: a plug-in registers it",
            where="--real/--computed",
            hint="choose tasks by --task",
        ) from None
