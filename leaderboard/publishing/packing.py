"""Records to an entry and back.

Numbers that were measured are rounded to six significant digits, a certificate upwards; where that would change the
verdict on a cell, its records keep more. ``id_error`` and ``far_error`` are made anew from the errors of the sets.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, fields, replace
from typing import Any

from pydantic import ValidationError

from bench.core.errors import InputError
from leaderboard.publishing.entry import (
    FORMAT,
    CellBlock,
    Draw,
    Entry,
    EntryCard,
    LabelledSet,
    MeasuredTask,
    SeedBlock,
    SetNumbers,
    SuiteName,
    refused,
)
from leaderboard.publishing.source import SourceText
from leaderboard.ranking.standings import verdicts_by_cell
from leaderboard.records.metrics import far_error
from leaderboard.records.record import CellKey, Record, RecordKey, SetResult

DIGITS = 6
_MORE_DIGITS = (9, 17)  # the last is every digit
_MEASURES = ("relative_error", "rmse", "mae", "r2")
_SLOPES = ("exponent", "local_exponent", "axis_exponent")
_AS_THEY_ARE = frozenset({"seed", "sets", "nonfinite", "axis_growth", "worst_growth", "environment"})
_COPIED = tuple(f.name for f in fields(SeedBlock) if f.name not in _AS_THEY_ARE)


def make_entry(
    records: Sequence[Record], card: EntryCard, sources: Iterable[SourceText] = (), suite: SuiteName | None = None
) -> Entry:
    """An entry of ``records``; the same records make the same entry, whatever their order.

    Args:
        records: of one protocol, each key once.
        card: what the entry is.
        sources: of what is not built in.
        suite: whose cells these are.

    Raises:
        InputError: no records, several protocols or editions of a task, records that were probed at different
            distances, or that disagree about what they share.
    """
    every = [_rounded(record, DIGITS) for record in _sorted(records)]
    if not every:
        raise InputError("there is no record to publish", hint="farfield run first")
    try:
        return _packed(_with_verdicts(every, records), card, sources, suite)
    except ValidationError as error:
        raise refused(error, "publish what FarField measured") from None


def _sorted(records: Iterable[Record]) -> list[Record]:
    names = ("protocol", "task", "architecture", "norm", "source_hash", "norm_hash", "seed", "data_hash")
    return sorted(records, key=lambda record: tuple(getattr(record.key, name) for name in names))


def _with_verdicts(rounded: list[Record], records: Sequence[Record]) -> list[Record]:
    """``rounded``, with more digits of the cells whose verdict is another than that of ``records``."""
    exact = {record.key: record for record in records}
    wanted = verdicts_by_cell(records)
    for digits in _MORE_DIGITS:
        found = verdicts_by_cell(rounded)
        moved = {cell for cell, verdict in wanted.items() if _said(found[cell]) != _said(verdict)}
        rounded = [_rounded(exact[r.key], digits) if r.key.cell in moved else r for r in rounded]
    return rounded


def _said(verdict: Any) -> tuple[object, ...]:
    return verdict.words, verdict.kinds, verdict.grade


def records_of(entry: Entry) -> tuple[Record, ...]:
    """The records of an entry, in order of task, architecture, norm and seed.

    Raises:
        InputError: one of them is no valid record; its place is named.
    """
    return tuple(record for cell in entry.cells for record in _unpacked(entry, cell))


@dataclass(frozen=True)
class _Shared:
    """What the records of an entry share."""

    ladder: tuple[float, ...]
    axis_radii: tuple[float, ...]
    worst_radii: tuple[float, ...]
    environments: tuple[dict[str, str], ...]


def _packed(
    records: Sequence[Record], card: EntryCard, sources: Iterable[SourceText], suite: SuiteName | None
) -> Entry:
    protocols = sorted({record.key.protocol for record in records})
    if len(protocols) > 1:
        raise InputError(f"records of the protocols {', '.join(protocols)}", hint="an entry is of one: --protocol")
    environments = {tuple(sorted(record.environment.items())): None for record in records}
    shared = _Shared(
        _common("ladder", (record.ladder for record in records)),
        _common("radii along axes", (tuple(r for r, _ in record.axis_growth) for record in records)),
        _common("radii of searches", (tuple(r for r, _ in record.worst_growth) for record in records)),
        tuple(dict(items) for items in sorted(environments)),
    )
    by_cell: dict[CellKey, list[Record]] = {}
    for record in records:
        by_cell.setdefault(record.key.cell, []).append(record)
    made = Entry(
        format=FORMAT,
        card=card,
        protocol=protocols[0],
        suite=suite,
        **vars(shared),
        tasks=_tasks(records),
        sources=tuple(sorted(sources, key=lambda source: source.order)),
        cells=tuple(sorted((_cell(key, mine, shared) for key, mine in by_cell.items()), key=lambda cell: cell.order)),
    )
    _check_return(made, records)
    return made


def _check_return(entry: Entry, records: Sequence[Record]) -> None:
    """Reading the entry gives what went in."""
    back = {record.key: record for record in records_of(entry)}
    for record in records:
        odd = [f.name for f in fields(Record) if not _alike(getattr(record, f.name), getattr(back[record.key], f.name))]
        if odd:
            key = record.key
            where = f"{key.architecture} {key.norm} on {key.task}, seed {key.seed}"
            raise InputError(f"{odd[0]} does not follow from the rest of its record", where=where, hint="run it again")


def _alike(one: Any, other: Any) -> bool:
    if isinstance(one, float) and isinstance(other, float):
        return math.isclose(one, other, rel_tol=1e-4)
    return bool(one == other)


def _common(what: str, several: Iterable[tuple[float, ...]]) -> tuple[float, ...]:
    found = {one for one in several if one}
    if len(found) > 1:
        raise InputError(f"records with several {what}", hint="an entry has records that were measured alike")
    return next(iter(found), ())


def _tasks(records: Sequence[Record]) -> tuple[MeasuredTask, ...]:
    found: dict[str, list[Record]] = {}
    for record in records:
        found.setdefault(record.key.task, []).append(record)
    return tuple(_task(name, mine) for name, mine in sorted(found.items()))


def _task(name: str, records: Sequence[Record]) -> MeasuredTask:
    _one(f"editions of {name}", (record.key.cell.edition for record in records))
    draws: dict[int, list[Record]] = {}
    for record in records:
        draws.setdefault(record.key.seed, []).append(record)
    return MeasuredTask(
        task=name,
        version=_one(f"versions of {name}", (record.key.task_version for record in records)),
        truth=_one(f"kinds of truth of {name}", (record.truth for record in records)),
        far_kind=_one(f"far kinds of {name}", (record.far_kind for record in records if record.far_kind), None),
        draws=tuple(
            Draw(
                seed=seed,
                data_hash=_one(f"data of {name} at seed {seed}", (record.key.data_hash for record in mine)),
                sets=_sets(mine),
            )
            for seed, mine in sorted(draws.items())
        ),
    )


def _sets(records: Sequence[Record]) -> tuple[LabelledSet, ...]:
    found: dict[str, LabelledSet] = {}
    for record in records:
        for one in record.sets:
            facts = LabelledSet(one.name, one.role, one.rows, one.distance, one.beyond)
            if found.setdefault(one.name, facts) != facts:
                what = f"records of seed {record.key.seed} of {record.key.task} disagree about the set {one.name}"
                raise InputError(what, hint="run it again")
    return tuple(found.values())


def _one(what: str, values: Iterable[Any], otherwise: Any = ...) -> Any:
    found = sorted(set(values))
    if len(found) > 1:
        hint = "an entry has records of one state of the code: run it again, or name --protocol and --task"
        raise InputError(f"several {what}: {', '.join(map(str, found))[:200]}", hint=hint)
    return found[0] if found else otherwise


def _cell(key: CellKey, records: Sequence[Record], shared: _Shared) -> CellBlock:
    return CellBlock(
        task=key.task,
        architecture=key.architecture,
        source_hash=key.source_hash,
        norm=key.norm,
        norm_hash=key.norm_hash,
        origin=_one(f"origins of {key.architecture}", {record.origin for record in records if record.origin}, None),
        records=tuple(_block(record, shared) for record in records),
    )


def _block(record: Record, shared: _Shared) -> SeedBlock:
    return SeedBlock(
        seed=record.key.seed,
        environment=shared.environments.index(dict(sorted(record.environment.items()))),
        sets=tuple(
            SetNumbers(one.name, **{name: getattr(one, name) for name in _MEASURES}, nonfinite=one.nonfinite)
            for one in record.sets
        ),
        nonfinite=record.nonfinite if any(record.nonfinite) else (),
        axis_growth=tuple(growth for _, growth in record.axis_growth),
        worst_growth=tuple(growth for _, growth in record.worst_growth),
        **{name: getattr(record, name) for name in _COPIED},
    )


def _unpacked(entry: Entry, cell: CellBlock) -> Iterable[Record]:
    task = entry.task_of(cell)
    draws = {draw.seed: draw for draw in task.draws}
    for block in cell.records:
        try:
            yield _record(entry, cell, task, draws[block.seed], block)
        except ValueError as error:
            where = f"{cell.architecture} {cell.norm} on {cell.task}, seed {block.seed}"
            first = " ".join(str(error).splitlines()[1:3]) or str(error)
            raise InputError(
                f"not a valid record: {' '.join(first.split())[:300]}", where=where, hint="hand in what FarField wrote"
            ) from None


def _record(entry: Entry, cell: CellBlock, task: MeasuredTask, draw: Draw, block: SeedBlock) -> Record:
    facts: Mapping[str, LabelledSet] = {one.name: one for one in draw.sets}
    sets = tuple(_set(facts[numbers.name], numbers) for numbers in block.sets)
    near = [one.relative_error for one in sets if one.role == "test"]
    far = [one.relative_error for one in sets if one.role == "far"]
    probed = bool(block.growth)
    return Record(
        key=RecordKey(
            protocol=entry.protocol,
            task=cell.task,
            task_version=task.version,
            data_hash=draw.data_hash,
            architecture=cell.architecture,
            source_hash=cell.source_hash,
            norm=cell.norm,
            seed=block.seed,
            norm_hash=cell.norm_hash,
        ),
        truth=task.truth,
        origin=cell.origin,
        far_kind=task.far_kind if far else None,
        id_error=near[0] if near else None,
        far_error=far_error(far),
        sets=sets,
        ladder=entry.ladder if probed else (),
        nonfinite=block.nonfinite or ((0,) * len(entry.ladder) if probed else ()),
        axis_growth=tuple(zip(entry.axis_radii, block.axis_growth, strict=False)) if block.axis_growth else (),
        worst_growth=tuple(zip(entry.worst_radii, block.worst_growth, strict=False)) if block.worst_growth else (),
        environment=entry.environments[block.environment],
        **{name: getattr(block, name) for name in _COPIED},
    )


def _set(facts: LabelledSet, numbers: SetNumbers) -> SetResult:
    return SetResult(
        name=facts.name,
        role=facts.role,
        rows=facts.rows,
        distance=facts.distance,
        beyond=facts.beyond,
        nonfinite=numbers.nonfinite,
        **{name: getattr(numbers, name) for name in _MEASURES},
    )


def _rounded(record: Record, digits: int) -> Record:
    """The record with its measured numbers to so many significant digits."""

    def one(number: float | None) -> float | None:
        return None if number is None else float(f"{number:.{digits - 1}e}")

    def every(numbers: Iterable[float | None]) -> tuple[float | None, ...]:
        return tuple(one(number) for number in numbers)

    changes: dict[str, Any] = {name: one(getattr(record, name)) for name in (*_SLOPES, "id_error", "far_error")}
    changes |= {name: every(getattr(record, name)) for name in ("growth", "departure")}
    for name in ("axis_growth", "worst_growth"):
        changes[name] = tuple((r, one(growth)) for r, growth in getattr(record, name))
    sets = []
    for found in record.sets:
        of_set: dict[str, Any] = {name: one(getattr(found, name)) for name in (*_MEASURES, "beyond")}
        of_set["distance"] = every(found.distance) if found.distance else None
        sets.append(replace(found, **of_set))
    return replace(
        record,
        sets=tuple(sets),
        seconds=None if record.seconds is None else float(f"{record.seconds:.2e}"),
        certificate=_upwards(record.certificate, digits),
        **changes,
    )


def _upwards(bound: float | None, digits: int) -> float | None:
    """Never less than the bound."""
    if bound is None or not bound:
        return bound
    text = f"{bound:.{digits - 1}e}"
    if float(text) >= bound:
        return float(text)
    mantissa, exponent = text.split("e")
    return float(f"{float(mantissa) + 10.0 ** (1 - digits):.{digits - 1}f}e{exponent}")
