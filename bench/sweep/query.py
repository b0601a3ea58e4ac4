"""Which stored records a command speaks of."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from bench.core.errors import InputError
from bench.core.grammar import OWN_DATA
from bench.plan.options import FilterOptions, StatusFilterOptions, SuiteFilterOptions
from bench.plan.protocol import id_in_records
from bench.plan.suite import load_suite
from leaderboard.records.record import STATUSES
from leaderboard.records.store.store import RecordFilter, Store
from leaderboard.records.store.stored_records import StoredRecords

STORE_NAME = "records.sqlite"


def existing_store(out: Path) -> Path:
    """The store in ``out``.

    Raises:
        InputError: there is none yet.
    """
    path = out / STORE_NAME
    if not path.exists():
        raise InputError("there are no results yet", where=str(out), hint="farfield run first, or name another --out")
    return path


def stored_records(
    out: Path,
    suite: str | None = None,
    protocol: str | None = None,
    tasks: Sequence[str] | None = None,
    architectures: Sequence[str] | None = None,
    norms: Sequence[str] | None = None,
) -> StoredRecords:
    """The records in ``out`` that belong to ``suite`` and match the patterns; what is not given asks for all.

    Raises:
        InputError: no store, an unknown suite, or nothing that matches.
    """
    asked = (tuple(names or ()) for names in (tasks, architectures, norms))
    names = dict(zip(("tasks", "architectures", "norms"), asked, strict=True))
    return chosen_records(SuiteFilterOptions(out=out, suite=suite, protocol=protocol, **names))


def chosen_records(chosen: SuiteFilterOptions) -> StoredRecords:
    """The records that ``chosen`` asks for.

    Raises:
        InputError: no store, an unknown suite, or nothing that matches.
    """
    with Store(existing_store(chosen.out)) as store:
        summaries = store.summaries(record_filter(chosen))
    if chosen.suite is not None:
        suite = load_suite(chosen.suite)
        protocol = suite.protocol if chosen.protocol is None else id_in_records(chosen.protocol)
        cells = {(c.task, c.architecture, c.norm, protocol) for c in suite.cells()}
        inside = [(k.task, k.architecture, k.norm, k.protocol) in cells for k in summaries.cells]
        summaries = summaries.take([place for place, cell in enumerate(summaries.cell.tolist()) if inside[cell]])
    if not len(summaries):
        raise InputError("no stored record matches", where=str(chosen.out), hint="farfield run first, or ask for less")
    return StoredRecords(existing_store(chosen.out), summaries)


def record_filter(chosen: FilterOptions) -> RecordFilter:
    """The same as the store understands it.

    Raises:
        InputError: no such status or protocol.
    """
    statuses = chosen.statuses if isinstance(chosen, StatusFilterOptions) else ()
    for name in statuses:
        if name not in STATUSES:
            raise InputError(f"unknown status {name!r}", where="--status", hint=f"one of {', '.join(STATUSES)}")
    return RecordFilter(
        protocol=() if chosen.protocol is None else (id_in_records(chosen.protocol),),
        task=tuple(pattern for task in chosen.tasks for pattern in _patterns(task)),
        architecture=chosen.architectures,
        norm=chosen.norms,
        status=statuses,
    )


def _patterns(task: str) -> tuple[str, ...]:
    """A task's pattern, and the spellings of a user's table whose name matches it."""
    return (task,) if "(" in task else (task, f"{OWN_DATA}(*name={task})", f'{OWN_DATA}(*name="{task}")')
