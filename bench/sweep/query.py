"""Which stored records a command speaks of."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from bench.core.errors import InputError
from bench.plan.suite import load_suite
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
    wanted = RecordFilter(
        protocol=() if protocol is None else (protocol,),
        task=tuple(tasks or ()),
        architecture=tuple(architectures or ()),
        norm=tuple(norms or ()),
    )
    with Store(existing_store(out)) as store:
        summaries = store.summaries(wanted)
    if suite is not None:
        cells = {(c.task, c.architecture, c.norm, c.protocol) for c in load_suite(suite).cells(protocol)}
        inside = [(k.task, k.architecture, k.norm, k.protocol) in cells for k in summaries.cells]
        summaries = summaries.take([place for place, cell in enumerate(summaries.cell.tolist()) if inside[cell]])
    if not len(summaries):
        raise InputError("no stored record matches", where=str(out), hint="farfield run first, or ask for less")
    return StoredRecords(existing_store(out), summaries)
