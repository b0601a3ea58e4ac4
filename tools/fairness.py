"""What conclusions about norm schemes depend on: the same cells under protocol 2 and under each of its variants.

Usage: python -m tools.fairness --out FOLDER [--protocol 2 --protocol 2-sgd ...] [--task NAME ...] [--workers N]
                               [--page docs/fairness.md]

Runs mlp under six schemes with three seeds on two tasks whose truth is bounded and two whose truth grows, under every
protocol (records that are in FOLDER are not run again), and prints the tables of docs/fairness.md as Markdown, or
writes them into the page. Protocols are never ranked together: every ratio and every place is within one protocol, and
what is compared between protocols is what they conclude.
"""

from __future__ import annotations

import argparse
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from itertools import combinations, groupby
from pathlib import Path

import numpy as np

import bench.api
import bench.reading
from bench.plan.protocol import HALVED, VARIANTS
from leaderboard.ranking.comparison import Comparison, compare
from leaderboard.ranking.conclusion import ConclusionRow, conclude
from leaderboard.records.interval import Interval
from leaderboard.records.record import STATUSES, Record, Truth
from leaderboard.records.store.stored_records import summarized
from leaderboard.records.summary import Summaries
from tools.page import write_part

ARCHITECTURE = "mlp"
SCHEMES = ("none", "layer@first", "layer@all", "rms@all", "batch@all", "clip@input")
REFERENCE = SCHEMES[0]
TASKS = ("sine-1d", "double-well", "growing-wave-1d", "damped-pendulum")
SEEDS = 3
PROTOCOLS = (HALVED.name, *(variant.name for variant in VARIANTS))
EDGES = ("edge_of_grid", "edge_of_steps")
MARKS = {"better": "↓", "worse": "↑", "equivalent": "=", "undecided": "?", "reference": ""}

Rows = Mapping[str, ConclusionRow]


def tables(records: Iterable[Record]) -> str:
    """What docs/fairness.md shows of ``records``, which are of one architecture; protocol 2 comes first."""
    summaries = summarized(records).summaries
    compared = {one.protocol: one for one in compare(summaries, "norm", REFERENCE)}
    compared = {name: compared[name] for name in sorted(compared, key=_place)}
    concluded = {name: _by_truth(one) for name, one in compared.items()}
    truths = list(dict.fromkeys(truth for rows in concluded.values() for truth in rows))
    parts = []
    for truth in truths:
        mine = {name: rows[truth] for name, rows in concluded.items() if truth in rows}
        tasks = ", ".join(next(iter(next(iter(mine.values())).values())).tasks)
        parts.append(f"Far error where the truth is {truth} ({tasks}):\n\n{_far_errors(mine)}")
        parts.append(f"Places by it, and what is other than under protocol 2:\n\n{_places(mine)}")
        parts.append(_verdicts(mine))
    parts.append(f"Error near the training data, over all tasks:\n\n{_near(compared)}")
    parts.append(f"Choices at the edge:\n\n{_edges(summaries)}")
    return "\n\n".join(parts) + "\n"


def _place(protocol: str) -> int:
    return PROTOCOLS.index(protocol) if protocol in PROTOCOLS else len(PROTOCOLS)


def _by_truth(comparison: Comparison) -> dict[Truth, Rows]:
    rows = sorted(conclude(comparison).rows, key=lambda row: row.truth)
    return {truth: {row.name: row for row in mine} for truth, mine in groupby(rows, lambda row: row.truth)}


def _far_errors(by_protocol: Mapping[str, Rows]) -> str:
    def cell(row: ConclusionRow) -> str:
        if row.judgement == "reference":
            return _interval(row.far_error)
        return f"{_interval(row.ratio)} {MARKS[row.judgement]}"

    return _grid(by_protocol, cell, first=f"{REFERENCE}: far error")


def _verdicts(by_protocol: Mapping[str, Rows]) -> str:
    """A table, or a line where protocols agree; without the bound, which is another for each training."""

    def cell(row: ConclusionRow) -> str:
        return re.sub(r" ≤ [^,]+", "", row.verdict)

    found = [{name: cell(rows[name]) for name in SCHEMES if name in rows} for rows in by_protocol.values()]
    if all(one == found[0] for one in found):
        said = "; ".join(f"`{name}` {verdict}" for name, verdict in found[0].items())
        return f"Verdicts on these tasks are the same under every protocol: {said}."
    return f"Verdicts on these tasks:\n\n{_grid(by_protocol, cell)}"


def _grid(by_protocol: Mapping[str, Rows], cell: Callable[[ConclusionRow], str], first: str = REFERENCE) -> str:
    lines = {
        protocol: [cell(rows[scheme]) if scheme in rows else "–" for scheme in SCHEMES]
        for protocol, rows in by_protocol.items()
    }
    return _table(["protocol", first, *SCHEMES[1:]], lines)


def _places(by_protocol: Mapping[str, Rows]) -> str:
    """The order by far error; pairs that stand the other way round than under protocol 2; judgements that changed."""
    usual = by_protocol.get(HALVED.name, {})
    lines = {}
    for protocol, rows in by_protocol.items():
        order, before = _order(rows), _order(usual)
        turned = [
            f"{b} before {a}"
            for a, b in combinations(before, 2)
            if a in order and b in order and order.index(a) > order.index(b)
        ]
        changed: dict[str, list[str]] = {}
        for name, row in rows.items():
            if name in usual and row.judgement != usual[name].judgement:
                changed.setdefault(f"{row.judgement}, was {usual[name].judgement}", []).append(name)
        otherwise = [f"{what}: {', '.join(names)}" for what, names in changed.items()]
        same = "" if protocol == HALVED.name else "none"
        lines[protocol] = [", ".join(order), "; ".join(turned) or same, "; ".join(otherwise) or same]
    return _table(["protocol", "order by far error", "turned round", "judged otherwise"], lines)


def _order(rows: Rows) -> list[str]:
    found = {name: row.far_error.mean for name, row in rows.items() if row.far_error is not None}
    return sorted(found, key=lambda name: (found[name], name))


def _near(compared: Mapping[str, Comparison]) -> str:
    lines = {}
    for protocol, comparison in compared.items():
        effects = {row.candidate: row.effect("id_error") for row in comparison.overall}
        lines[protocol] = [_interval(effects[s].ratio) if s in effects else "–" for s in SCHEMES[1:]]
    return _table(["protocol", *(f"{scheme} / {REFERENCE}" for scheme in SCHEMES[1:])], lines)


def _edges(records: Summaries) -> str:
    """Shares of finished records whose rate is the least or greatest of the grid, and whose step is the last."""
    finished = records.status == STATUSES.index("ok")
    of_cell = [(key.protocol, key.norm) for key in records.cells]
    lines = {}
    for protocol in sorted({name for name, _ in of_cell}, key=_place):
        cells = []
        for scheme in SCHEMES:
            mine = finished & np.array([of_cell[cell] == (protocol, scheme) for cell in records.cell.tolist()])
            shares = [float(np.nanmean(records.number(name)[mine])) for name in EDGES if mine.any()]
            cells.append(" / ".join(f"{share:.0%}" for share in shares) or "–")
        lines[protocol] = cells
    return _table(["protocol", *SCHEMES], lines)


def _interval(interval: Interval | None) -> str:
    if interval is None:
        return "–"
    ends = "" if interval.low is None or interval.high is None else f" [{interval.low:.3g}, {interval.high:.3g}]"
    return f"{interval.mean:.3g}{ends}"


def _table(head: Sequence[str], lines: Mapping[str, Sequence[str]]) -> str:
    rows = [head, ["---"] * len(head), *([f"`{name}`", *cells] for name, cells in lines.items())]
    return "\n".join(f"| {' | '.join(row)} |" for row in rows)


def main(arguments: Sequence[str] | None = None) -> None:
    """Run what is missing, and print the tables."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--protocol", action="append", dest="protocols", choices=PROTOCOLS, metavar="NAME")
    parser.add_argument("--task", action="append", dest="tasks", metavar="NAME")
    parser.add_argument("--architecture", default=ARCHITECTURE)
    parser.add_argument("--seeds", type=int, default=SEEDS)
    parser.add_argument("--workers", type=int, default=None)
    parser.add_argument("--page", type=Path, default=None, help="write the tables into this file")
    options = parser.parse_args(arguments)
    tasks, protocols = tuple(options.tasks or TASKS), tuple(options.protocols or PROTOCOLS)
    for protocol in protocols:
        bench.api.run(
            tasks=tasks,
            architectures=options.architecture,
            norms=SCHEMES,
            seeds=options.seeds,
            protocol=protocol,
            out=options.out,
            workers=options.workers,
            wandb="disabled",
        )
    found = bench.reading.load(options.out, tasks=tasks, architectures=[options.architecture], norms=SCHEMES)
    text = tables(found.records.where(lambda cell: cell.protocol in protocols))
    if options.page is None:
        print(text)
    else:
        write_part(options.page, "fairness", text)


if __name__ == "__main__":
    main()
