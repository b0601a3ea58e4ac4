"""A task made from the user's own table."""

from __future__ import annotations

import dataclasses
import os
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from bench.core.errors import InputError
from tasks.data.samples import Samples
from tasks.families.own.options import MAHALANOBIS, OwnData, members
from tasks.reading.encoding import EncodedTable, held_out
from tasks.reading.expressions import Expression
from tasks.reading.own import frames
from tasks.reading.own.reading import listed

if TYPE_CHECKING:
    from tasks.reading.own.sheet import Sheet

MOST_INPUTS = 2000
MANY_WORDS = 20
OFTEN_EMPTY = 1 / 3  # a column with a larger share of missing values is named


def build(options: OwnData) -> Samples:
    """The samples of a user's table.

    Raises:
        InputError: whatever is wrong with the file, the columns or the far rules.
    """
    from tasks.reading.own.sheet import Sheet

    sheet = Sheet(options.path, options.reading())
    table, notes = _table(sheet, options)
    rules = options.rules()
    targets = table.column(table.target)
    known = np.isfinite(targets)
    if not known.any():
        raise InputError(f"the target {table.target!r} is empty", hint="choose a column of numbers")
    if not known.all():
        notes.append(f"rows left out because they have no target: {(~known).sum():,}")
    table = table.take(known)
    open_rows = np.any([rule.undecided(table) for rule in rules], axis=0)
    if open_rows.all():
        raise InputError(
            "no row has the values by which rows are far", hint="choose a far rule over columns with values"
        )
    if open_rows.any():
        notes.append(f"rows left out because the values that tell far from near are missing: {open_rows.sum():,}")
    table = table.take(~open_rows)
    notes += _cautions(table)
    samples = held_out(table, *rules, notes=(*sheet.said(), *notes))
    if samples.domain.inputs.shape[1] > MOST_INPUTS:
        width = samples.domain.inputs.shape[1]
        raise InputError(f"{width:,} inputs after one-hot encoding", hint=f"drop columns; at most {MOST_INPUTS:,}")
    return dataclasses.replace(samples, split_by=f"own-data {frames.fingerprint(options.path)} {table.target}")


def _table(sheet: Sheet, options: OwnData) -> tuple[EncodedTable, list[str]]:
    """The columns that are inputs, the target, or looked at by a far rule.

    Raises:
        InputError: a column that is named does not exist, or cannot be read.
    """
    from tasks.reading.own.context import Wanted

    target = _target(sheet, options.target)
    dropped = sheet.listed(options.drop)
    if target in dropped:
        raise InputError(f"the target {target!r} is dropped", hint="leave it out of drop")
    group = sheet.resolved(options.group_by) if options.group_by else None
    watched = [] if options.far_by in (None, MAHALANOBIS) else [options.far_by or ""]
    watched += Expression.parse(options.far_where).names if options.far_where else ()
    looked_at = {name: sheet.resolved(name) for name in watched}
    if options.far_by == MAHALANOBIS and MAHALANOBIS in sheet.names:
        raise InputError(f"far_by={MAHALANOBIS} is also the name of a column", hint="rename the column")
    needed = frozenset({target, *looked_at.values(), *dropped, *((group,) if group else ())})
    index = sheet.index_columns(needed)
    unused = (*dropped, *((group,) if group else ()), *(name for name in index if name != target))
    described = {}
    for name in sheet.names:
        if name in looked_at.values() or name == target or name not in unused:
            described[name] = sheet.column(name)
    if group is not None:
        words = frozenset((*members(options.far_group), (options.far_group or "").strip()))
        described[group] = sheet.column(group, Wanted(keys=True, words=words, mixed=True))
    if described[target].values.dtype.kind != "f":
        words_there = described[target].values
        example = str(next(iter(words_there[words_there != ""]), ""))
        what = f"the target {target!r} is not numeric (it holds {example!r})"
        raise InputError(what, hint="choose a column of numbers")
    for written, name in looked_at.items():
        described[written] = described[name]  # found as the user writes it, too
    if group is not None and options.group_by is not None:
        described[options.group_by] = described[group]
    columns = {name: described[name].values for name in sheet.names if name in described}
    unused = tuple(name for name in unused if name in columns)
    return EncodedTable(columns, target, unused, described), []


def _target(sheet: Sheet, name: str) -> str:
    try:
        return sheet.resolved(name)
    except InputError:
        if len(listed(name)) > 1 and all(part in sheet.names for part in listed(name)):
            hint = "name one column; another may be predicted in a run of its own"
            raise InputError(
                f"{len(listed(name))} targets are given: one is predicted", where=name, hint=hint
            ) from None
        raise


def _cautions(table: EncodedTable) -> list[str]:
    """What is said of inputs that are often empty, and of words."""
    notes = []
    for name in table.input_names:
        column = table.details(name)
        gaps = int(column.missing.sum())
        if gaps >= OFTEN_EMPTY * len(column.missing):
            share = f"{gaps:,} of {len(column.missing):,} rows"
            notes.append(f"CAUTION: {name!r} is empty in {share}: leave it out with drop={name}, if it says nothing")
        if column.values.dtype.kind != "U":
            continue
        different = len(column.groups())
        if different > MANY_WORDS:
            notes.append(f"the {different} different words of {name!r} become as many inputs")
        if gaps:
            notes.append(f"missing words, 0 in all columns of {name!r}: {gaps:,}")
    return notes


def path_of(source: object) -> str:
    """The ``path`` option for a file or for a data frame, which is kept in the cache.

    The path is part of the task's name and so of the keys of records: one file has one, however it was reached. It is
    relative to the working folder for a file below that, where results are too by default, and absolute for others.
    """
    if not isinstance(source, (str, Path)):
        from tasks.reading.own.parquet import keep_frame

        return keep_frame(source)
    if str(source).startswith(frames.FRAME):
        return str(source)
    folder = Path.cwd()
    file = Path(os.path.abspath(Path(source).expanduser()))
    return str(file.relative_to(folder) if file.is_relative_to(folder) else file)
