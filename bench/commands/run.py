"""``farfield run``."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Annotated, Any

import typer

from bench.commands._options import Against, Fields, Given, keywords, load_plugins, with_options
from bench.commands._output import Format, FormatOption, terminal
from bench.commands._own_data import has_table
from bench.core.errors import EXIT_BAD_INPUT, EXIT_INCOMPLETE, InputError
from bench.plan.options import CellOptions, SweepOptions
from bench.tracking.options import WandbOptions
from tasks.families.own.options import OwnData

if TYPE_CHECKING:
    from bench.sweep.runner import Results
    from leaderboard.records.record import Record
    from leaderboard.tables.grid import Grid


def add_to(app: typer.Typer) -> None:
    """Add the command."""
    app.command("run")(with_options(run))


def run(
    cells: CellOptions,
    how: SweepOptions,
    own: Annotated[Given, Fields(OwnData, flags={"path": "--data"}, when="With --data: ")],
    mirrored: WandbOptions,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Train and store nothing: say what a run would be, and what is missing.")
    ] = False,
    form: FormatOption = Format.table,
    against: Against = None,
    method: Annotated[str | None, typer.Option("--method", hidden=True)] = None,
) -> int:
    """Train, probe far away, store every record, and print the standings.

    Repeated --task, --arch and --norm form a product. Finished records are never computed again, so the same command
    goes on where an earlier one stopped. Exit code 1 says that some records failed or timed out.

    farfield run --suite quick

    farfield run --suite standard --against published

    farfield run --task diabetes --arch mlp --norm none --norm layer@first --seeds 3

    farfield run --data cars.csv --target price --far-by mileage --arch mlp --norm none --norm layer@first
    """
    from bench.api import dry_run as foresee
    from bench.api import run as run_sweep
    from bench.sweep.progress import progress

    if method is not None:
        raise InputError("--method is called --program now", hint=f"--program {method}")
    load_plugins(cells.plugins)
    given: dict[str, Any] = keywords(cells, how, mirrored)
    given["tasks"] = [*cells.tasks, *_own_task(own)]
    if cells.suite is None and not given["tasks"]:
        raise InputError("nothing to run", where="farfield run", hint="--suite quick, or --task and --arch")
    if dry_run:
        foreseen = foresee(**given)
        sys.stdout.write(foreseen.text(form.value))
        return EXIT_BAD_INPUT if foreseen.needs else 0
    _need_published(cells, against)
    with progress() as watcher:
        results = run_sweep(**given, watchers=[watcher])
    _show(results, form, against)
    _sum_up(results, how)
    if results.records and all(_refused(record) for record in results.records):
        reason = results.records[0].reason or "unsupported"
        raise InputError(f"nothing of this can be run: {reason}", hint="choose another architecture, norm or task")
    return 0 if results.complete else EXIT_INCOMPLETE


def _need_published(cells: CellOptions, against: str | None) -> None:
    """Read what the end of the run needs of published results: what is wrong with them is said before it begins."""
    ranked = cells.suite is not None and bool(cells.architectures or cells.norms)
    if against is None and not ranked:
        return
    from bench.sweep.entries import published  # other runs need nothing of it

    if ranked:
        published()
    if against is not None:
        published(against).records()


def _show(results: Results, form: Format, against: str | None) -> None:
    """The standings, and how they agree with what is published, on stdout.

    Where something was put on a suite, the suite's boards and its places there.
    """
    from leaderboard.ranking.tracks import track_boards
    from leaderboard.tables.rendering import Scope, render_standings

    boards = track_boards(results.board_records(), results.suite.tracks if results.suite else None)
    scope: Scope = "both" if any(len(board.editions) + len(board.apart) > 1 for board in boards) else "tasks"
    agreement: list[Grid[Any]] = []
    if against is not None:
        from bench.published import compared
        from leaderboard.publishing.agreement import agreement_grid

        found = compared(results.records.summaries, against)
        print(found.sentence, file=sys.stderr)
        agreement = [agreement_grid(found)] if form is not Format.csv else []  # CSV has columns of one kind
    width, color = terminal()
    places = results.places()
    sys.stdout.write(
        render_standings(boards, form.value, scope=scope, width=width, color=color, places=places, beside=agreement)
    )
    if form is Format.csv:
        for place in places:
            print(place.sentence, file=sys.stderr)


def _sum_up(results: Results, how: SweepOptions) -> None:
    """What was run and where it is, on stderr."""
    from bench.sweep.progress import seconds_text

    counts = ", ".join(f"{n} {status}" for status, n in sorted(results.counts.items()))
    known = len(results.records) - results.fresh
    unfinished = sum(n for status, n in results.counts.items() if status in ("failed", "timeout"))
    if unfinished and known and not how.retry:
        print(
            f"{unfinished} records failed or timed out, some perhaps earlier: --retry runs them again", file=sys.stderr
        )
    print(
        f"{len(results.records)} records ({counts}; {known} known before) in {seconds_text(results.seconds)}, "
        f"stored in {results.store}",
        file=sys.stderr,
    )


def _refused(record: Record) -> bool:
    """Nothing was tried: the combination makes no sense, or the network is larger than allowed."""
    return record.status == "unsupported" or record.reason_code == "too_large"


def _own_task(own: Given) -> list[str]:
    """The task that --data and the options beside it describe, if they do."""
    if not has_table(own, "farfield run"):
        return []
    import tasks

    rules = {name: value for name, value in own.items() if name not in ("path", "target")}
    task = tasks.own_data(own["path"], target=own["target"], **rules)
    for note in task.load().notes:
        print(f"{own['path']}: {note}", file=sys.stderr)
    return [task.name]
