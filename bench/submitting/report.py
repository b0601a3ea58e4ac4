"""What verification found, for people and for programs."""

from __future__ import annotations

import json
import math
from collections.abc import Iterator
from typing import Any

from bench.submitting.agreement import Difference
from bench.submitting.checks import Check
from bench.submitting.verifying import Ran, Verification
from leaderboard.tables.grid import Column, Grid, clean
from leaderboard.tables.writing import Format, render

_QUESTIONS = {
    "claimed": "claimed against fresh seeds",
    "disguised": "fresh seeds against disguised ones",
    "instances": "the ranked function against others of its family",
}

_MOST_DETAIL = 200  # characters of the line that sums up; the report has all


def render_verification(found: Verification, form: Format, width: int | None = None, color: bool = False) -> str:
    """The report.

    Args:
        found: what was.
        form: ``table``, ``markdown``, ``csv`` (the checks) or ``json``.
        width, color: of the terminal.
    """
    if form == "json":
        return json.dumps(as_json(found), indent=1, ensure_ascii=False, allow_nan=False) + "\n"
    grids: list[Grid[Any]] = [_checks(found)]
    if form != "csv":
        grids += [_ran(found)] if found.ran else []
        grids += [_differences(found)] if found.differences else []
    return render(grids, form, width=width, color=color)


def summary(found: Verification) -> str:
    """One line."""
    card = found.bundle.entry.card
    what = clean(f"{card.title} by {', '.join(card.authors)}")
    bad = [f"{check.name} ({check.detail[:_MOST_DETAIL]})" for check in found.checks if check.state == "found"]
    bad += [f"{_QUESTIONS[question]}: {test.what}" for question, test in found.differences if test.suspicious]
    if bad:
        more = f" and {len(bad) - 1} more" if len(bad) > 1 else ""
        return clean(f"{what}: NOT verified: it does not hold that {bad[0]}{more}")
    open_ = sum(check.state == "not checked" for check in found.checks)
    skipped = f"; {open_} checks could not be made here" if open_ else ""
    if not found.ran:
        return f"{what}: nothing wrong is seen without running it{skipped}"
    return f"{what}: nothing wrong is found in {found.cells} of {found.of} cells{skipped}"


def as_json(found: Verification) -> dict[str, Any]:
    """The report for programs."""
    entry = found.bundle.entry
    return {
        "title": entry.card.title,
        "authors": list(entry.card.authors),
        "bundle": entry.digest,
        "nonce": found.nonce or None,
        "suspicious": found.suspicious,
        "summary": summary(found),
        "layers": list(found.layers),
        "cells": found.cells,
        "of": found.of,
        "checks": [{"name": c.name, "state": c.state, "detail": c.detail} for c in found.checks],
        "ran": [
            {"cell": r.title, "question": r.question, "statuses": list(r.statuses), "reason": r.reason or None}
            for r in found.ran
        ],
        "differences": [
            {
                "question": question,
                "what": test.what,
                "ratio": _finite(test.ratio),
                "p_value": test.p_value,
                "level": test.level,
                "found_ratio": _finite(test.found_ratio),
                "suspicious": test.suspicious,
            }
            for question, test in found.differences
        ],
    }


def _finite(value: float) -> float | None:
    return value if math.isfinite(value) else None


Row = tuple[str, Difference]


def _checks(found: Verification) -> Grid[Check]:
    columns = [
        Column[Check]("check", "what must hold", lambda c: c.name),
        Column[Check]("state", "state", lambda c: c.state, show=lambda c: "FOUND" if c.state == "found" else c.state),
        Column[Check]("detail", "what was seen", lambda c: c.detail),
    ]
    notes = [f"bundle {found.bundle.entry.digest[:16]}" + (f", nonce {found.nonce}" if found.nonce else "")]
    notes += [f"layers that held: {words}" for words in found.layers]
    return Grid(summary(found), columns, list(found.checks), notes=notes)


def _ran(found: Verification) -> Grid[Ran]:
    columns = [
        Column[Ran]("cell", "cell", lambda r: r.title),
        Column[Ran]("question", "trained", lambda r: r.question),
        Column[Ran]("statuses", "fresh seeds", lambda r: ", ".join(_counted(r))),
        Column[Ran]("unsteady", "two answers differ by", lambda r: r.unsteady),
        Column[Ran]("reason", "reason", lambda r: r.reason),
    ]
    return Grid(f"{found.cells} of {found.of} cells trained anew", columns, list(found.ran))


def _counted(ran: Ran) -> Iterator[str]:
    for status in dict.fromkeys(ran.statuses):
        yield f"{ran.statuses.count(status)} {status}"


def _differences(found: Verification) -> Grid[Row]:
    columns = [
        Column[Row]("question", "compared", lambda row: _QUESTIONS[row[0]]),
        Column[Row]("what", "quantity", lambda row: row[1].what),
        Column[Row]("ratio", "worse by", lambda row: row[1].ratio, show=_times),
        Column[Row]("p_value", "p", lambda row: row[1].p_value),
        Column[Row]("level", "held at", lambda row: row[1].level),
        Column[Row]("found_ratio", "would be found (80%)", lambda row: row[1].found_ratio, show=_size),
        Column[Row]("suspicious", "result", lambda row: row[1].suspicious, show=_result),
    ]
    notes = [
        "worse by: the geometric mean of what was measured second, over that of what was measured first",
        "would be found: how much better than the truth a claim must be to be found in four of five cases",
        "an honest bundle is suspected in 5 of 100 cases at most",
    ]
    return Grid("Claimed and fresh numbers", columns, list(found.differences), notes=notes)


def _times(row: Row) -> str:
    return f"×{row[1].ratio:.3g}"


def _size(row: Row) -> str:
    return f"×{row[1].found_ratio:.3g}"


def _result(row: Row) -> str:
    return "FOUND" if row[1].suspicious else "ok"
