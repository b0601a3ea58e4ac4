"""The report of a check, for people and for programs."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from bench.checking.findings import CheckReport, Finding, Portrait
from leaderboard.tables.grid import Column, Grid, clean
from leaderboard.tables.writing import Format, render


@dataclass(frozen=True)
class _Row:
    """All settings of one check."""

    findings: tuple[Finding, ...]

    @property
    def failed(self) -> tuple[Finding, ...]:
        return tuple(finding for finding in self.findings if finding.passed is False)

    @property
    def passed(self) -> tuple[Finding, ...]:
        return tuple(finding for finding in self.findings if finding.passed)

    @property
    def result(self) -> str:
        if self.failed:
            return "FAILED"
        return "passed" if self.passed else "skipped"

    @property
    def settings(self) -> str:
        """In how many settings it was run, and in how many it failed."""
        counted = len(self.failed) + len(self.passed)
        if counted <= 1:
            return ""
        return f"{len(self.failed)} of {counted}" if self.failed else f"all {counted}"

    @property
    def seen(self) -> str:
        """What was found where it failed first; else what it found, when that is one thing."""
        if self.failed:
            worst = self.failed[0]
            return f"{worst.found} ({worst.where})" if worst.where else worst.found
        said = tuple(dict.fromkeys(finding.found for finding in self.passed or self.findings))
        return said[0] if len(said) == 1 else f"{said[0]}, and so on"

    @property
    def hint(self) -> str:
        return self.failed[0].hint if self.failed else ""


def render_report(report: CheckReport, form: Format, *, width: int | None = None, color: bool = False) -> str:
    """The report as text: the checks, then what the network is under each scheme that was tried."""
    grids = report_grids(report)
    return render(grids[:1] if form == "csv" else grids, form, width=width, color=color)  # CSV is one table


def report_grids(report: CheckReport) -> list[Grid[Any]]:
    """The report as tables: the checks, and, if there are any, the portraits."""
    return [_checks(report), *([_portraits(report.portraits)] if report.portraits else [])]


def summary(report: CheckReport) -> str:
    """One line."""
    what = clean(f"{report.path} ({', '.join(report.registered)})" if report.registered else report.path)
    checks = {finding.check for finding in report.findings if finding.passed is not None}
    if report.passed:
        return f"{what} passes {len(checks)} checks in {report.seconds:.0f} s"
    more = f" and {len(report.failed) - 3} more" if len(report.failed) > 3 else ""
    return f"{what} fails {len(report.failed)} of {len(checks)} checks: {', '.join(report.failed[:3])}{more}"


def _checks(report: CheckReport) -> Grid[_Row]:
    names = dict.fromkeys(finding.check for finding in report.findings)
    rows = [_Row(tuple(f for f in report.findings if f.check == name)) for name in names]
    columns = [
        Column[_Row]("check", "check", lambda row: row.findings[0].check),
        Column[_Row]("result", "result", lambda row: row.result),
        Column[_Row]("settings", "settings", lambda row: row.settings, spare=1),
        Column[_Row]("tried", "what was tried", lambda row: row.findings[0].tried, spare=-1),
        Column[_Row]("seen", "what was seen", lambda row: row.seen),
        Column[_Row]("hint", "how to correct it", lambda row: row.hint),
        Column[_Row]("seconds", "s", lambda row: sum(f.seconds for f in row.findings), extra=True),
    ]
    facts = {"path": report.path, "registered": list(report.registered), "passed": report.passed}
    return Grid(summary(report), columns, rows, facts={**facts, "seconds": report.seconds})


def _portraits(portraits: Sequence[Portrait]) -> Grid[Portrait]:
    first = portraits[0]
    columns = [
        Column[Portrait]("norm", "norm", lambda p: p.norm),
        Column[Portrait]("parameters", "parameters", lambda p: p.parameters, show=lambda p: _thousands(p.parameters)),
        Column[Portrait](
            "flops", f"operations a step of {first.batch} rows", lambda p: p.flops, show=lambda p: _thousands(p.flops)
        ),
        Column[Portrait](
            "predicted", "predicted exponent", lambda p: p.predicted, show=lambda p: _predicted(p.predicted)
        ),
        Column[Portrait]("measured", "measured exponent", lambda p: p.measured),
        Column[Portrait]("growth", "G(100)", lambda p: p.growth),
        Column[Portrait]("id_error", "test error", lambda p: p.id_error),
        Column[Portrait]("seconds", "s", lambda p: p.seconds),
        Column[Portrait]("reason", "why it is predicted so", lambda p: p.reason, spare=1),
    ]
    sites = ", ".join(first.sites[:12]) + (f" and {len(first.sites) - 12} more" if len(first.sites) > 12 else "")
    notes = [
        f"sites that a norm scheme can name: {sites or 'none; call norm(site, dim) in the builder to have some'}",
        "exponent 0: the answers stay bounded far away; 1: they grow like the distance",
        "G(100): the greatest answer at 100 training radii, in units of the greatest training target",
        "measured on one seed and a fifth of the steps of protocol 2: a first look, no result",
    ]
    title = f"{first.name} on {first.task}, input {first.problem}"
    return Grid(title, columns, list(portraits), notes=notes)


def _thousands(value: int | None) -> str | None:
    return None if value is None else f"{value:,}"


def _predicted(value: int | None) -> str:
    return "unknown" if value is None else str(value)
