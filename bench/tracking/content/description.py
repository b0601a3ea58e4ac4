"""What a W&B run will say, as plain data: made from records, without wandb."""

from __future__ import annotations

import dataclasses
import hashlib
import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from bench.core.errors import FarFieldError
from bench.core.grammar import parse_call, title_of
from bench.plan.protocol import PROTOCOLS
from bench.tracking.content.history import error_on, history_of
from bench.tracking.options import TrackingOptions
from leaderboard.charts.drawing.schemes import look_of
from leaderboard.ranking.standings import standings
from leaderboard.records.quantities import MEANS
from leaderboard.records.record import CellKey, Details, Record
from leaderboard.records.summary import Summaries
from leaderboard.tables.record_columns import NUMBER_COLUMNS, record_rows

RECORDS = "records.jsonl"  # of a cell, among the files of its run
_OF_SEEDS = ("status", "reason", "reason_code", "program", *NUMBER_COLUMNS)
_LONGEST = {"group": 128, "job_type": 128, "tag": 64, "name": 128}


@dataclass(frozen=True)
class RunTable:
    """A table: column names and rows of numbers, text and nulls."""

    columns: tuple[str, ...]
    rows: tuple[tuple[Any, ...], ...]


@dataclass(frozen=True)
class RunDescription:
    """One W&B run.

    Attributes:
        id: stable, so that describing the same cell again resumes the same run.
        history: (step, values) in ascending order of step.
        summary: what stands beside the run in tables; an infinite number stays infinite.
        files: of the artifact ``records-<id>``, by name.
        failed: W&B is told that the run failed.
        notes: the user's.
    """

    id: str
    name: str
    group: str
    job_type: str
    tags: tuple[str, ...] = ()
    config: Mapping[str, Any] = field(default_factory=dict)
    history: tuple[tuple[int, Mapping[str, float]], ...] = ()
    tables: Mapping[str, RunTable] = field(default_factory=dict)
    summary: Mapping[str, Any] = field(default_factory=dict)
    files: Mapping[str, str] = field(default_factory=dict)
    failed: bool = False
    notes: str | None = None

    def sent_as(self, options: TrackingOptions) -> RunDescription:
        """The same with the user's tags, group and notes; a run that goes elsewhere has an id of its own there."""
        return dataclasses.replace(
            self,
            id=run_id_of(self.id, *options.destination) if options.destination else self.id,
            group=_short(options.group or self.group, "group"),
            tags=tuple(dict.fromkeys((*self.tags, *options.tags))),
            notes=options.notes,
        )

    def to_json(self) -> str:
        """One line; infinities are kept (this never leaves the machine)."""
        return json.dumps(dataclasses.asdict(self), separators=(",", ":"))

    @classmethod
    def from_json(cls, text: str) -> RunDescription:
        """Read what :meth:`to_json` wrote."""
        data = json.loads(text)
        data["tables"] = {
            name: RunTable(tuple(t["columns"]), tuple(map(tuple, t["rows"]))) for name, t in data["tables"].items()
        }
        data["history"] = tuple((step, values) for step, values in data["history"])
        data["tags"] = tuple(data["tags"])
        return cls(**data)

    def digest(self) -> str:
        """SHA-256 (hex) of the content; which sweep brought it is no content."""
        config = {name: value for name, value in self.config.items() if name != "sweep_id"}
        return hashlib.sha256(dataclasses.replace(self, config=config).to_json().encode()).hexdigest()


def describe_cell(
    records: Sequence[Record],
    details: Sequence[Details],
    *,
    suite: str,
    sweep_id: str,
    suite_text: str | None = None,
) -> RunDescription:
    """The run of one cell.

    Args:
        records: one for each seed of the cell, all of them, so that means are over all.
        details: of each record in turn; curves are read from it.
        suite: groups the run, and is part of its id.
        sweep_id: kept in the config.
        suite_text: the suite file, for the artifact.
    """
    records, details = _in_order_of_seed(records, details)
    cell = records[0].key.cell
    family, kinds, placements = _classify(cell)
    run_id = run_id_of(suite, *dataclasses.astuple(cell))
    config = {
        **dataclasses.asdict(cell),
        "seeds": [r.key.seed for r in records],
        "data_hashes": [r.key.data_hash for r in records],
        "suite": suite,
        "sweep_id": sweep_id,
        "family": family,
        "norm_kinds": kinds,
        "norm_placements": placements,
        "scheme": _scheme(cell.norm),
        "protocol_settings": _protocol_settings(cell.protocol),
        "truth": records[0].truth,
        "record_schema": records[0].schema_version,
        "environment": _shared_environment(records),
    }
    tags = [f"family:{family}", *(f"norm:{k}" for k in kinds), *(f"placement:{p}" for p in placements)]
    files = {RECORDS: "".join(f"{r.to_json()}\n" for r in records)}
    if suite_text is not None:
        files["suite.yaml"] = suite_text
    return RunDescription(
        id=run_id,
        name=_short(f"{title_of(cell.task)} {cell.architecture} {cell.norm}", "name"),
        group=_short(suite, "group"),
        job_type=_short(title_of(cell.task), "job_type"),
        tags=tuple(dict.fromkeys(_short(t, "tag") for t in tags)),
        config=config,
        history=history_of(records, details),
        tables={"tables/growth": _growth_table(records), "tables/errors": _error_table(records)},
        summary=_summary(records),
        files=files,
        failed=any(not r.is_final for r in records),
    )


def describe_sweep(
    table: Sequence[Mapping[str, Any]],
    statuses: Mapping[str, int],
    *,
    suite: str,
    sweep_id: str,
    suite_text: str | None = None,
) -> RunDescription:
    """The run that sums up a sweep: the standings table and how many records ended how."""
    columns = tuple(dict.fromkeys(name for row in table for name in row))
    kept = [_one_type([_plain(row.get(name)) for row in table]) for name in columns]
    rows = tuple(zip(*kept, strict=True)) if kept else ()
    return RunDescription(
        id=run_id_of(suite, sweep_id, "sweep"),
        name=_short(f"{suite} standings", "name"),
        group=_short(suite, "group"),
        job_type="sweep",
        config={"suite": suite, "sweep_id": sweep_id},
        tables={"tables/standings": RunTable(columns, rows)} if columns else {},
        summary={"rows": len(rows), **{f"records/{status}": count for status, count in sorted(statuses.items())}},
        files={} if suite_text is None else {"suite.yaml": suite_text},
    )


def run_id_of(*parts: str) -> str:
    """A W&B run id: 20 hex digits of SHA-256 over the parts."""
    return hashlib.sha256(json.dumps(parts).encode()).hexdigest()[:20]


def _in_order_of_seed(
    records: Sequence[Record], details: Sequence[Details]
) -> tuple[tuple[Record, ...], tuple[Details, ...]]:
    if not records or len(records) != len(details):
        raise ValueError(f"{len(records)} records with {len(details)} details")
    if len({r.key.cell for r in records}) > 1 or len({r.key.seed for r in records}) < len(records):
        raise ValueError("the records of a run must be different seeds of one cell")
    pairs = sorted(zip(records, details, strict=True), key=lambda pair: pair[0].key.seed)
    return tuple(r for r, _ in pairs), tuple(d for _, d in pairs)


def _classify(cell: CellKey) -> tuple[str, list[str], list[str]]:
    """Family, kinds of norm and placements; what is not known here (a plug-in's) is named by its spelling."""
    from architectures import parse_scheme, resolve

    try:
        family = resolve(cell.architecture).card.family
    except FarFieldError:
        family = parse_call(cell.architecture).name
    try:
        parts = parse_scheme(cell.norm).parts
    except FarFieldError:
        return family, [cell.norm], []
    kinds = list(dict.fromkeys(part.kind.name for part in parts)) or ["none"]
    return family, kinds, list(dict.fromkeys(part.placement for part in parts))


def _scheme(norm: str) -> dict[str, str]:
    """What the scheme is drawn with in every picture, and what to group runs by: the kind of its norm."""
    look = look_of(norm)
    return {"group": look.kind, "color": look.color, "marker": look.marker, "dash": " ".join(map(str, look.dash))}


def _protocol_settings(name: str) -> dict[str, Any]:
    """None of a protocol of another version of FarField: only an id is one, never its kind."""
    return dataclasses.asdict(PROTOCOLS[name]) if name in PROTOCOLS else {}


def _shared_environment(records: Sequence[Record]) -> dict[str, Any]:
    """The environment; where seeds ran in different ones, a list in order of seed."""
    names = sorted({name for r in records for name in r.environment})
    shared: dict[str, Any] = {}
    for name in names:
        values = [r.environment.get(name) for r in records]
        shared[name] = values[0] if len(set(values)) == 1 else values
    return shared


def _growth_table(records: Sequence[Record]) -> RunTable:
    rows = [
        (r.key.seed, *rung) for r in records for rung in zip(r.ladder, r.growth, r.departure, r.nonfinite, strict=True)
    ]
    return RunTable(("seed", "distance", "growth", "departure", "nonfinite"), tuple(rows))


def _error_table(records: Sequence[Record]) -> RunTable:
    rows = [
        (r.key.seed, s.name, s.role, s.distance[1] if s.distance else None, s.relative_error, s.rmse, s.mae, s.r2)
        for r in records
        for s in r.sets
    ]
    return RunTable(("seed", "set", "role", "distance", "relative_error", "rmse", "mae", "r2"), tuple(rows))


def _summary(records: Sequence[Record]) -> dict[str, Any]:
    """The cell's row of the standings (means over its finished seeds, verdict), and each seed's own values."""
    summaries = Summaries.of(records)
    row = standings(summaries)[0].per_task[0]
    means = {quantity: row.mean(quantity) for quantity in MEANS if quantity.of is None}
    summary: dict[str, Any] = {
        quantity.name: None if mean is None else mean.mean
        for quantity, mean in means.items()
        if mean is not None or quantity.board is not None
    }
    summary |= {"verdict": row.verdict, "grade": row.grade, "seeds": len(records), "nonfinite": row.nonfinite}
    summary |= {f"records/{status}": count for status, count in row.counts if count}
    for name in dict.fromkeys(s.name for r in records for s in r.sets):
        summary[f"error/{name}"] = error_on(records, name)
    summary["parameters"] = next((r.parameters for r in records if r.parameters is not None), None)
    for own in record_rows(summaries):
        values = own.values()
        summary |= {f"{n}/seed{own.seed}": values[n] for n in _OF_SEEDS if values[n] is not None}
    return summary


def _plain(value: Any) -> Any:
    """A table cell: numbers, text and nulls as they are, anything else as its text.

    What is not finite is null: JSON has no infinity, and a text would make a column of texts of it.
    """
    if isinstance(value, float) and not math.isfinite(value):
        return None
    return value if value is None or isinstance(value, (bool, int, float, str)) else str(value)


def _one_type(column: list[Any]) -> list[Any]:
    """The column; one that holds texts beside numbers as texts, for a column has one type in W&B."""
    texts = any(isinstance(value, str) for value in column)
    return [None if value is None else str(value) for value in column] if texts else column


def _short(text: str, what: str) -> str:
    """``text`` cut to what W&B takes, with a digest so that two long names stay apart."""
    longest = _LONGEST[what]
    if len(text) <= longest:
        return text
    return f"{text[: longest - 9]}~{hashlib.sha256(text.encode()).hexdigest()[:8]}"
