"""What was measured, without running anything: records of a folder, their standings, comparisons and pictures."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, get_args

from bench.checking.sandbox import CheckLimits, check_file
from bench.core.errors import InputError, UnknownName
from bench.plan.options import OutOptions, SuiteFilterOptions
from bench.reporting import Checked, Comparisons, Standings
from bench.sweep.query import PUBLISHED, chosen_records, tracks_of
from bench.sweep.remembering import need_tasks
from bench.sweep.runner import Results
from leaderboard.ranking import comparison
from leaderboard.ranking.pairs import By
from leaderboard.ranking.tracks import Tracks, track_boards
from leaderboard.records.record import Record
from leaderboard.records.store.store import Store
from leaderboard.records.store.stored_records import StoredRecords, cells_of
from leaderboard.tables.rendering import Scope

if TYPE_CHECKING:
    import altair
    import pandas

Plot = Literal["growth", "bounds", "error", "pareto", "function", "far"]


@dataclass(frozen=True)
class Loaded:
    """Stored records.

    Attributes:
        records: a sequence, read from the store when somebody looks into one.
        store: the store's file.
        tracks: of the suite whose records these are: the tasks of each; empty where there are none.
    """

    records: StoredRecords
    store: Path
    tracks: Tracks = dataclasses.field(default_factory=dict)

    def frame(self) -> pandas.DataFrame:
        """One row a record, with the columns of :meth:`bench.sweep.runner.Results.frame`."""
        return Results(self.records, self.store, 0, 0.0).frame()

    def standings(self, scope: Scope | None = None) -> Standings:
        """See :func:`standings`."""
        return standings(self, scope)

    def __len__(self) -> int:
        return len(self.records)


Source = str | Path | Loaded | Results | Iterable[Record]
"""Where records come from: a folder of results, what :func:`load` or ``run`` returned, or records."""


def load(
    out: str | Path = OutOptions.out,
    *,
    suite: str | None = None,
    protocol: str | None = None,
    tasks: Sequence[str] = (),
    architectures: Sequence[str] = (),
    norms: Sequence[str] = (),
    real: bool | None = None,
) -> Loaded:
    """The records in a folder of results; nothing is run.

    Args:
        out: the folder that ``run`` wrote to, or ``"published"`` for the results that come with FarField (a folder of
            that name is ``"./published"``).
        suite: only the cells of this suite (a name or a YAML file).
        protocol: only this protocol.
        tasks, architectures, norms: only these; shell patterns such as ``"sine*"``. One may be given as a string.
        real: only tasks measured in the world (true), or only those computed from a formula (false).

    Raises:
        InputError: no results there, an unknown suite, or nothing that matches.
    """
    named, built, normed = ((n,) if isinstance(n, str) else tuple(n) for n in (tasks, architectures, norms))
    chosen = SuiteFilterOptions(
        suite=suite, protocol=protocol, tasks=named, architectures=built, norms=normed, real=real, out=Path(out)
    )
    if out == PUBLISHED:
        from bench.sweep.entries import published  # one's own results need nothing of it

        records = published().records(chosen)
    else:
        records = chosen_records(chosen)
    return Loaded(records, records.path, tracks_of(chosen))


def standings(source: Source = OutOptions.out, scope: Scope | None = None, own_tables: bool = False) -> Standings:
    """Who answers how well near and far: ranked by far_error, then id_error, then max growth, for each protocol.

    Args:
        source: a folder of results, what :func:`load` or ``run`` returned, or records.
        scope: what is printed: ``overall`` (totals over tasks), ``tasks`` or ``both``; by default ``both`` where there
            are several tasks.
        own_tables: a user's own tables enter totals beside other tasks.

    Returns:
        An object that prints as tables; ``frame()`` makes a data frame of it.

    Raises:
        InputError: no results there.
    """
    boards = tuple(track_boards(_records(source), _tracks(source), own_tables))
    several = any(len(board.editions) + len(board.apart) > 1 for board in boards)
    return Standings(boards, _scope(scope) or ("both" if several else "tasks"))


def compare(
    source: Source = OutOptions.out,
    by: By = "norm",
    reference: str | None = None,
    scope: Scope = "both",
    own_tables: bool = False,
) -> Comparisons:
    """Ratios of errors and growth to a reference, paired by task and seed, with 95% intervals over seeds.

    Args:
        source: a folder of results, what :func:`load` or ``run`` returned, or records.
        by: what differs within a pair: ``norm`` or ``architecture``.
        reference: what the others are compared with; ``none`` for norms, where it is there.
        scope: what is printed: ``overall``, ``tasks`` or ``both``.
        own_tables: a user's own tables enter totals beside other tasks.

    Returns:
        An object that prints as tables; below 1 the candidate's number is smaller.

    Raises:
        InputError: no results there, nothing to compare, or no record has that reference.
    """
    compared = comparison.compare(_records(source), by, reference, own_tables)
    return Comparisons(tuple(compared), _scope(scope) or "both")


def plot(
    source: Source = OutOptions.out,
    kind: Plot = "growth",
    *,
    save: str | Path | None = None,
    overall: bool = False,
    far_set: str | None = None,
    feature: str | None = None,
) -> altair.TopLevelMixin:
    """A picture of records of one protocol.

    Args:
        source: a folder of results, what :func:`load` or ``run`` returned, or records.
        kind: ``growth`` (against distance), ``bounds`` (proved, searched, seen along rays), ``error`` (of the test and
            far sets against how far they are), ``pareto`` (far_error against max growth), ``function`` (what networks
            with one input answer) or ``far`` (predictions on a far set); the last two are of one task and need records
            that are in a store.
        save: a file to write; its ending decides: ``.png``, ``.svg``, ``.pdf``, ``.html`` or ``.json``.
        overall: with ``pareto``: totals over tasks instead of a panel for each.
        far_set, feature: with ``far``: which far set (the furthest), and the column to draw trends against (distance).

    Returns:
        The Altair chart, which a notebook shows.

    Raises:
        InputError: no results there, nothing to draw, several protocols, or a file that cannot be written.
    """
    from leaderboard.charts import bounds_chart, error_chart, growth_chart, pareto_chart
    from leaderboard.charts import save as save_chart

    if kind not in get_args(Plot):
        raise UnknownName.among("plot", kind, get_args(Plot))
    records = _of_one_protocol(_records(source))
    chart: altair.TopLevelMixin
    if kind == "growth":
        chart = growth_chart(records)
    elif kind == "bounds":
        chart = bounds_chart(records)
    elif kind == "error":
        chart = error_chart(records)
    elif kind == "pareto":
        chart = pareto_chart(records, overall=overall)
    else:
        chart = _detailed(records, kind, far_set, feature)
    if save is not None:
        save_chart(chart, save)
    return chart


def check(file: str | Path, *, timeout: float = 60.0, memory_limit: float = 4.0) -> Checked:
    """Try a file that registers an architecture, an estimator or a task: what it registers, does and breaks.

    It runs in a process of its own, with your rights: look at a stranger's file before you check it.

    Args:
        file: a Python file.
        timeout: seconds that one step may take.
        memory_limit: gigabytes that the file may take.

    Returns:
        An object that prints as a table; ``passed`` says whether nothing failed.

    Raises:
        InputError: a limit is not positive.
    """
    return Checked(check_file(file, CheckLimits(seconds=timeout, memory=int(memory_limit * 2**30))))


def _records(source: Source) -> Sequence[Record]:
    if isinstance(source, (str, Path)):
        return load(source).records
    if isinstance(source, (Loaded, Results)):
        return source.records
    return source if isinstance(source, StoredRecords) else list(source)


def _tracks(source: Source) -> Tracks:
    if isinstance(source, Results):
        return source.suite.tracks if source.suite else {}
    return source.tracks if isinstance(source, Loaded) else {}


def _scope(scope: Scope | None) -> Scope | None:
    if scope is not None and scope not in get_args(Scope):
        raise UnknownName.among("scope", scope, get_args(Scope))
    return scope


def _of_one_protocol(records: Sequence[Record]) -> Sequence[Record]:
    protocols = sorted({cell.protocol for cell in cells_of(records)})
    if len(protocols) > 1:
        hint = f"choose one: load(..., protocol={protocols[0]!r})"
        raise InputError(f"records of the protocols {', '.join(protocols)}", hint=hint)
    return records


def _detailed(records: Sequence[Record], kind: Plot, far_set: str | None, feature: str | None) -> Any:
    """A picture that needs more of the store than the records, and the task's data."""
    from bench.task_charts import far_picture, function_picture
    from leaderboard.charts import lone_network

    if not isinstance(records, StoredRecords):
        raise InputError(f"a picture of the kind {kind!r} needs stored records", hint="give a folder, or load it")
    chosen = lone_network(records)
    with Store(records.path) as store:
        need_tasks(store, sorted({key.task for key in cells_of(chosen)}))
        if kind == "function":
            return function_picture(chosen, store.details)
        return far_picture(chosen, store.details, far_set, feature)
