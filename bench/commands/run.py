"""``farfield run``."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from bench.commands._options import (
    DEFAULT_OUT,
    Format,
    FormatOption,
    Out,
    Plugin,
    ProtocolOption,
    load_plugins,
    terminal,
)
from bench.core.errors import EXIT_INCOMPLETE, InputError

if TYPE_CHECKING:
    from leaderboard.records.record import Record


def add_to(app: typer.Typer) -> None:
    """Add this module's commands."""
    app.command("run")(run)


def run(
    suite: Annotated[
        str | None, typer.Option("--suite", help="A suite's name (farfield list suites) or a YAML file.")
    ] = None,
    task: Annotated[list[str] | None, typer.Option("--task", help="A task, e.g. protein. Repeatable.")] = None,
    arch: Annotated[
        list[str] | None, typer.Option("--arch", help="An architecture, e.g. 'mlp(width=256)'. Repeatable.")
    ] = None,
    norm: Annotated[
        list[str] | None, typer.Option("--norm", help="A norm scheme, e.g. layer@first. Repeatable. [default: none]")
    ] = None,
    seeds: Annotated[
        str | None, typer.Option("--seeds", help="3 means 0, 1, 2; 0,4,7 names them. [default: the suite's, or 5]")
    ] = None,
    protocol: ProtocolOption = None,
    out: Out = DEFAULT_OUT,
    workers: Annotated[int | None, typer.Option("--workers", help="Worker processes. [default: one a core]")] = None,
    device: Annotated[str, typer.Option("--device", help="cpu, cuda, cuda:1, or auto.")] = "cpu",
    timeout: Annotated[float | None, typer.Option("--timeout", help="Seconds a cell may take.")] = None,
    memory_limit: Annotated[
        float | None,
        typer.Option("--memory-limit", help="Gigabytes of address space a worker may take; torch alone maps about 3."),
    ] = None,
    retry: Annotated[bool, typer.Option("--retry", help="Run failed and timed-out records again.")] = False,
    keep_weights: Annotated[
        bool, typer.Option("--keep-weights", help="Keep the selected weights as safetensors.")
    ] = False,
    max_parameters: Annotated[
        int, typer.Option("--max-parameters", min=1, help="Networks with more parameters fail.")
    ] = 200_000_000,
    method: Annotated[
        str | None,
        typer.Option("--method", help="How members train: chain, vmap or loop. [default: by the size of a step]"),
    ] = None,
    plugin: Plugin = None,
    data: Annotated[Path | None, typer.Option("--data", help="Your own table, CSV or Parquet, as the task.")] = None,
    target: Annotated[str | None, typer.Option("--target", help="With --data: the column to predict.")] = None,
    far_by: Annotated[
        str | None,
        typer.Option("--far-by", help="With --data: the column whose highest values are far, or mahalanobis."),
    ] = None,
    far_quantile: Annotated[
        float | None, typer.Option("--far-quantile", help="With --far-by: above which quantile. [default: 0.8]")
    ] = None,
    far_where: Annotated[
        str | None, typer.Option("--far-where", help="With --data: a condition, e.g. 'area > 20000'.")
    ] = None,
    group_by: Annotated[
        str | None, typer.Option("--group-by", help="With --data: a column of groups, no input.")
    ] = None,
    far_group: Annotated[str | None, typer.Option("--far-group", help="With --group-by: the far group.")] = None,
    drop: Annotated[str | None, typer.Option("--drop", help="With --data: columns that are no inputs, a,b,c.")] = None,
    wandb: Annotated[
        str | None,
        typer.Option("--wandb", help="online, offline (kept in OUT/wandb) or disabled. [default: offline]"),
    ] = None,
    form: FormatOption = Format.table,
) -> int:
    """Train, probe far away, store every record, and print the standings.

    Repeated --task, --arch and --norm form a product. Finished records are never computed again, so the same command
    goes on where an earlier one stopped. Exit code 1 says that some records failed or timed out.

    farfield run --suite quick

    farfield run --task diabetes --arch mlp --norm none --norm layer@first --seeds 3

    farfield run --data cars.csv --target price --far-by mileage --arch mlp --norm none --norm layer@first
    """
    from bench.api import run as run_sweep
    from bench.sweep.progress import progress, seconds_text
    from leaderboard.ranking.standings import standings
    from leaderboard.tables.rendering import Scope, render_standings

    load_plugins(plugin)
    rules = {
        "far_by": far_by,
        "far_quantile": far_quantile,
        "far_where": far_where,
        "group_by": group_by,
        "far_group": far_group,
        "drop": drop,
    }
    task = [*(task or ()), *_own_task(data, target, {k: v for k, v in rules.items() if v is not None})]
    if suite is None and not task:
        raise InputError("nothing to run", where="farfield run", hint="--suite quick, or --task and --arch")
    with progress() as watcher:
        results = run_sweep(
            suite=suite,
            tasks=task,
            architectures=arch or (),
            norms=norm or (),
            seeds=seeds,
            protocol=protocol,
            out=out,
            workers=workers,
            device=device,
            timeout=timeout,
            memory_limit=memory_limit,
            retry=retry,
            keep_weights=keep_weights,
            max_parameters=max_parameters,
            method=method,
            plugins=plugin or (),
            wandb=wandb,
            watchers=[watcher],
        )
    width, color = terminal()
    boards = standings(results.records)
    scope: Scope = "both" if any(len(board.editions) > 1 for board in boards) else "tasks"
    sys.stdout.write(render_standings(boards, form.value, scope=scope, width=width, color=color))
    counts = ", ".join(f"{n} {status}" for status, n in sorted(results.counts.items()))
    known = len(results.records) - results.fresh
    unfinished = sum(n for status, n in results.counts.items() if status in ("failed", "timeout"))
    if unfinished and known and not retry:
        print(
            f"{unfinished} records failed or timed out, some perhaps earlier: --retry runs them again", file=sys.stderr
        )
    print(
        f"{len(results.records)} records ({counts}; {known} known before) in {seconds_text(results.seconds)}, "
        f"stored in {results.store}",
        file=sys.stderr,
    )
    if results.records and all(_refused(record) for record in results.records):
        reason = results.records[0].reason or "unsupported"
        raise InputError(f"nothing of this can be run: {reason}", hint="choose another architecture, norm or task")
    return 0 if results.complete else EXIT_INCOMPLETE


def _refused(record: Record) -> bool:
    """Nothing was tried: the combination makes no sense, or the network is larger than allowed."""
    return record.status == "unsupported" or record.reason_code == "too_large"


def _own_task(data: Path | None, target: str | None, rules: Mapping[str, str | float]) -> list[str]:
    """The task that --data and the options beside it describe, if they do."""
    if data is None:
        given = ["target"] * (target is not None) + list(rules)
        if given:
            option = "--" + given[0].replace("_", "-")
            raise InputError(f"{option} belongs to --data", where="farfield run", hint="give --data FILE")
        return []
    if target is None:
        raise InputError("--data needs --target", where="farfield run", hint="--target COLUMN")
    import tasks

    own = tasks.own_data(data, target=target, **rules)
    for note in own.load().notes:
        print(f"{data}: {note}", file=sys.stderr)
    return [own.name]
