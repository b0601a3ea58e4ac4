"""``farfield runs``: looking after the store."""

from __future__ import annotations

import sys
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from bench.commands._options import with_options
from bench.commands._output import Format, FormatOption, terminal
from bench.core.errors import InputError
from bench.plan.options import OutOptions, StatusFilterOptions

runs_app = typer.Typer(help="List, show, export and delete stored records.", no_args_is_help=True)


def add_to(app: typer.Typer) -> None:
    """Add the commands."""
    app.add_typer(runs_app, name="runs")


class ExportForm(StrEnum):
    """How records leave the store."""

    jsonl = "jsonl"
    csv = "csv"
    sets_csv = "sets-csv"


@runs_app.command("list")
@with_options
def list_runs(
    chosen: StatusFilterOptions,
    form: FormatOption = Format.table,
) -> None:
    """A row for each record, with its id and, where it is not ok, the reason.

    farfield runs list --status failed
    """
    from bench.sweep.query import existing_store, record_filter
    from leaderboard.records.store.store import Store
    from leaderboard.tables.runs import render_runs

    width, color = terminal()
    with Store(existing_store(chosen.out)) as store:
        summaries = store.summaries(record_filter(chosen))
        sys.stdout.write(render_runs(summaries, form.value, width=width, color=color))


@runs_app.command("show")
@with_options
def show_run(
    results: OutOptions,
    record: Annotated[str, typer.Argument(help="The beginning of a record's id (farfield runs list).")],
) -> None:
    """Everything in one record."""
    from bench.sweep.query import existing_store
    from leaderboard.records.store.store import Store
    from leaderboard.tables.runs import find_record, render_run

    with Store(existing_store(results.out)) as store:
        found = find_record(store, record)
        sys.stdout.write(render_run(found, store.details(found.key)))


@runs_app.command("export")
@with_options
def export_runs(
    chosen: StatusFilterOptions,
    form: Annotated[
        ExportForm, typer.Option("--format", "-f", help="jsonl: whole records; csv: a row each; sets-csv: a row a set.")
    ] = ExportForm.jsonl,
    details: Annotated[bool, typer.Option("--details", help="With jsonl: curves and predictions too.")] = False,
    save: Annotated[Path | None, typer.Option("--save", help="The file. [default: stdout]")] = None,
    hub_folder: Annotated[
        Path | None, typer.Option("--hub-folder", help="Write this folder instead: Parquet and a dataset card.")
    ] = None,
) -> None:
    """Records as JSON lines or CSV, or as a folder that datasets.load_dataset reads.

    farfield runs export --task protein --format csv --save protein.csv

    farfield runs export --protocol 2 --hub-folder my-results
    """
    from bench.sweep.query import existing_store, record_filter
    from leaderboard.publishing.hub import write_hub_folder
    from leaderboard.records.store.store import Store
    from leaderboard.tables.runs import export

    if hub_folder is not None and (details or save is not None or form is not ExportForm.jsonl):
        where = "farfield runs export"
        raise InputError(
            "--hub-folder has a form of its own", where=where, hint="leave out --format, --details, --save"
        )
    with Store(existing_store(chosen.out)) as store:
        if hub_folder is not None:
            print(f"{write_hub_folder(store, hub_folder, record_filter(chosen)):,} records", file=sys.stderr)
            print(hub_folder)
            return
        lines = export(store, record_filter(chosen), form.value, details)
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
@with_options
def delete_runs(
    chosen: StatusFilterOptions,
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask.")] = False,
) -> None:
    """Delete the records that match; asks first. At least one filter is needed."""
    from bench.sweep.query import existing_store, record_filter
    from leaderboard.records.store.store import RecordFilter, Store

    wanted = record_filter(chosen)
    if wanted == RecordFilter():
        raise InputError("nothing says which records", where="farfield runs delete", hint="give --task, --status, …")
    with Store(existing_store(chosen.out), "write") as store:
        keys = store.keys(wanted)
        if not keys:
            raise InputError("no stored record matches", where=str(chosen.out), hint="see farfield runs list")
        if not yes and not typer.confirm(f"Delete {len(keys)} records from {chosen.out}?", err=True):
            raise InputError("nothing was deleted", hint="answer y, or give --yes")
        print(f"{store.delete(keys)} records deleted", file=sys.stderr)
