"""A page about one table of a user's own: what to take, what the errors are, what far means there, code to paste."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from importlib import metadata
from pathlib import Path
from typing import Any

from leaderboard.page.shell import Chart, rendered, written
from leaderboard.ranking.conclusion import Conclusion, ConclusionRow
from leaderboard.records.interval import Interval
from leaderboard.records.record import Record
from leaderboard.tables.grid import show_number

Named = tuple[str, str]


@dataclass(frozen=True)
class FarFacts:
    """One far set: how far it is.

    Attributes:
        rule: which rows are far.
        rows: how many.
        distance: 5th, 50th and 95th percentile of ``‖x̃‖ / R``.
        beyond: share of rows whose distance is above 1.
        mahalanobis, nearest: medians, in units of the 99th percentile of training rows.
        auc: how well a classifier tells the rows from training rows; 0.5 is not at all.
    """

    rule: str
    rows: int
    distance: tuple[float, ...]
    beyond: float
    mahalanobis: float
    nearest: float
    auc: float


@dataclass(frozen=True)
class TableFacts:
    """The table.

    Attributes:
        path, file, target: as given; the file's name alone.
        rows: for training, validation and test.
        inputs: how many, after encoding.
        version: start of the file's hash.
        notes, cautions: what was guessed and counted when it was read.
        near: quantiles of the distance of test rows.
        far: the far sets.
    """

    path: str
    file: str
    target: str
    rows: tuple[int, int, int]
    inputs: int
    version: str
    notes: tuple[str, ...]
    cautions: tuple[str, ...]
    near: tuple[float, ...]
    far: tuple[FarFacts, ...]


@dataclass(frozen=True)
class Page:
    """What the page says beside its records.

    Attributes:
        title: of the page.
        schemes, baselines: conclusions against ``none``, and against the first network.
        chosen: architecture and norm that are recommended.
        validation: error on validation rows by architecture and norm.
        said: the sentences it begins with; those in capitals are warnings.
        facts: the table.
        code, command: to paste.
        protocol: its name; ``settings``: what it fixes.
    """

    title: str
    schemes: Conclusion
    baselines: Conclusion | None
    chosen: Named | None
    validation: Mapping[Named, float]
    said: tuple[str, ...]
    facts: TableFacts
    code: str
    command: str
    protocol: str
    settings: tuple[Named, ...]


def render_own_table(records: Sequence[Record], page: Page) -> str:
    """The page as HTML.

    Args:
        records: of the networks and baselines on this table, of one protocol; their task's name is shown.
        page: all else.
    """
    charts = _charts(records)
    environment = next((r.environment for r in records if r.environment), {})
    return rendered(
        "own_table.html",
        charts,
        page=page,
        facts=page.facts,
        warnings=[text for text in page.said if _is_warning(text)],
        said=[text for text in page.said if not _is_warning(text)],
        rows=_rows(page),
        number=show_number,
        version=metadata.version("farfield"),
        made=datetime.now(UTC).strftime("%Y-%m-%d %H:%M UTC"),
        environment=", ".join(f"{name} {value}" for name, value in environment.items()),
    )


def write_own_table(records: Sequence[Record], page: Page, path: str | Path) -> Path:
    """Write :func:`render_own_table` to ``path``.

    Raises:
        InputError: the file cannot be written.
    """
    return written(render_own_table(records, page), path)


def is_bounded(row: ConclusionRow) -> bool:
    """The verdict is bounded for all seeds, and no search found growth."""
    return row.verdict.startswith("bounded") and "growth found" not in (row.grade, *row.verdict.split(", "))


def _verdict(row: ConclusionRow) -> str:
    """Word and grade."""
    return f"{row.verdict}, {row.grade}" if row.grade and row.grade not in row.verdict else row.verdict


def _is_warning(text: str) -> bool:
    return text.startswith("ONLY ")


def _charts(records: Sequence[Record]) -> list[Chart]:
    from leaderboard.charts import error_chart, growth_chart

    if not any(record.status == "ok" for record in records):
        return []
    made = (
        ("Growth on rays", "How far from the training mean the answers are, further and further out.", growth_chart),
        ("Errors near and far", "On test rows and on far rows, with 95% intervals over seeds.", error_chart),
    )
    return [Chart(i, title, text, draw(records).to_dict(validate=False)) for i, (title, text, draw) in enumerate(made)]


def _rows(page: Page) -> list[dict[str, Any]]:
    """The errors table: networks, then baselines, each from the least far error to the greatest."""
    rows = [_row(row, (row.fixed, row.name), page) for row in page.schemes.rows]
    names = {row["names"][0] for row in rows}
    beside = page.baselines.rows if page.baselines else ()
    rows += [_row(row, (row.name, row.fixed), page) for row in beside if row.name not in names]
    return rows


def _row(row: ConclusionRow, names: Named, page: Page) -> dict[str, Any]:
    validation = page.validation.get(names)
    return {
        "names": names,
        "chosen": names == page.chosen,
        "network": names[0] in {one.fixed for one in page.schemes.rows},
        "validation": "" if validation is None else show_number(validation),
        "near": _shown(row.id_error),
        "far": _shown(row.far_error),
        "ratio": _shown(row.ratio),
        "judgement": row.judgement,
        "could": "" if row.detectable is None or row.judgement != "undecided" else show_number(row.detectable),
        "verdict": _verdict(row),
        "bounded": is_bounded(row),
        "troubles": ", ".join(f"{n} {status}" for status, n in row.troubles),
    }


def _shown(interval: Interval | None) -> tuple[str, str]:
    """The mean, and the ends of its interval."""
    if interval is None:
        return "", ""
    known = interval.low is not None and interval.high is not None and interval.low != interval.high
    ends = f"{show_number(interval.low or 0.0)} – {show_number(interval.high or 0.0)}" if known else ""
    return show_number(interval.mean), ends
