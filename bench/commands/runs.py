"""``farfield runs``: looking after the store."""

from __future__ import annotations

import sys
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from bench.commands._options import (
    DEFAULT_OUT,
    ArchFilter,
    Format,
    FormatOption,
    NormFilter,
    Out,
    ProtocolOption,
    TaskFilter,
    terminal,
)
from bench.core.errors import InputError

if TYPE_CHECKING:
    from leaderboard.records.store.store import RecordFilter

runs_app = typer.Typer(help="List, show, export and delete stored records.", no_args_is_help=True)

StatusFilter = Annotated[
    list[str] | None, typer.Option("--status", help="ok, diverged, unsupported, failed or timeout. Repeatable.")
]


def add_to(app: typer.Typer) -> None:
    """Add this module's commands."""
    app.add_typer(runs_app, name="runs")


class ExportForm(StrEnum):
    """How records leave the store."""

    jsonl = "jsonl"
    csv = "csv"
    sets_csv = "sets-csv"


def _filter(
    protocol: str | None,
    task: list[str] | None,
    arch: list[str] | None,
    norm: list[str] | None,
    status: list[str] | None,
) -> RecordFilter:
    from leaderboard.records.record import STATUSES
    from leaderboard.records.store.store import RecordFilter

    for name in status or ():
        if name not in STATUSES:
            raise InputError(f"unknown status {name!r}", where="--status", hint=f"one of {', '.join(STATUSES)}")
    protocols = () if protocol is None else (protocol,)
    return RecordFilter(protocols, tuple(task or ()), tuple(arch or ()), tuple(norm or ()), tuple(status or ()))


@runs_app.command("list")
def list_runs(
    protocol: ProtocolOption = None,
    task: TaskFilter = None,
    arch: ArchFilter = None,
    norm: NormFilter = None,
    status: StatusFilter = None,
    out: Out = DEFAULT_OUT,
    form: FormatOption = Format.table,
) -> None:
    """A row for each record, with its id and, where it is not ok, the reason.

    farfield runs list --status failed
    """
    from bench.sweep.query import existing_store
    from leaderboard.records.store.store import Store
    from leaderboard.tables.runs import render_runs

    width, color = terminal()
    with Store(existing_store(out)) as store:
        summaries = store.summaries(_filter(protocol, task, arch, norm, status))
        sys.stdout.write(render_runs(summaries, form.value, width=width, color=color))


@runs_app.command("show")
def show_run(
    record: Annotated[str, typer.Argument(help="The beginning of a record's id (farfield runs list).")],
    out: Out = DEFAULT_OUT,
) -> None:
    """Everything in one record."""
    from bench.sweep.query import existing_store
    from leaderboard.records.store.store import Store
    from leaderboard.tables.runs import find_record, render_run

    with Store(existing_store(out)) as store:
        found = find_record(store, record)
        sys.stdout.write(render_run(found, store.details(found.key)))


@runs_app.command("export")
def export_runs(
    protocol: ProtocolOption = None,
    task: TaskFilter = None,
    arch: ArchFilter = None,
    norm: NormFilter = None,
    status: StatusFilter = None,
    out: Out = DEFAULT_OUT,
    form: Annotated[
        ExportForm, typer.Option("--format", "-f", help="jsonl: whole records; csv: a row each; sets-csv: a row a set.")
    ] = ExportForm.jsonl,
    details: Annotated[bool, typer.Option("--details", help="With jsonl: curves and predictions too.")] = False,
    save: Annotated[Path | None, typer.Option("--save", help="The file. [default: stdout]")] = None,
) -> None:
    """Records as JSON lines or CSV.

    farfield runs export --task protein --format csv --save protein.csv
    """
    from bench.sweep.query import existing_store
    from leaderboard.records.store.store import Store
    from leaderboard.tables.runs import export

    with Store(existing_store(out)) as store:
        lines = export(store, _filter(protocol, task, arch, norm, status), form.value, details)
        if save is None:
            sys.stdout.writelines(lines)
            return
        try:
            with save.open("w", encoding="utf-8", newline="") as file:
                file.writelines(lines)
        except OSError as error:
            raise InputError(f"cannot write: {error.strerror}", where=str(save), hint="choose another file") from None
    print(save)


@runs_app.command("delete")
def delete_runs(
    protocol: ProtocolOption = None,
    task: TaskFilter = None,
    arch: ArchFilter = None,
    norm: NormFilter = None,
    status: StatusFilter = None,
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask.")] = False,
    out: Out = DEFAULT_OUT,
) -> None:
    """Delete the records that match; asks first. At least one filter is needed."""
    from bench.sweep.query import existing_store
    from leaderboard.records.store.store import RecordFilter, Store

    wanted = _filter(protocol, task, arch, norm, status)
    if wanted == RecordFilter():
        raise InputError("nothing says which records", where="farfield runs delete", hint="give --task, --status, …")
    with Store(existing_store(out), "write") as store:
        keys = store.keys(wanted)
        if not keys:
            raise InputError("no stored record matches", where=str(out), hint="see farfield runs list")
        if not yes and not typer.confirm(f"Delete {len(keys)} records from {out}?", err=True):
            raise InputError("nothing was deleted", hint="answer y, or give --yes")
        print(f"{store.delete(keys)} records deleted", file=sys.stderr)
