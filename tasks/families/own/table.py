"""A task made from the user's own table."""

from __future__ import annotations

import dataclasses
import os
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from bench.core.errors import InputError
from tasks.card import TaskCard
from tasks.data.samples import Samples
from tasks.reading.encoding import Table, held_out
from tasks.reading.expressions import Expression
from tasks.reading.own import frames
from tasks.reading.own.reading import GUESS, NONE, Reading, canonical, listed
from tasks.reading.rules import FarRule, Furthest, Group, Highest, Where

if TYPE_CHECKING:
    from tasks.reading.own.sheet import Sheet

MAHALANOBIS = "mahalanobis"
MOST_INPUTS = 2000
MANY_WORDS = 20
OFTEN_EMPTY = 1 / 3  # a column with a larger share of missing values is named


@dataclass(frozen=True)
class OwnData:
    """A table, the column to predict, which rows are far, and how the table is read.

    Every far rule that is given makes a far set. How it is read is guessed, said in one line, and may be stated
    instead (``separator`` to ``comment``; docs/own-data.md).

    Args:
        path: CSV or Parquet file.
        target: column to predict.
        far_by: column whose highest values are far (times are days since 1970), or ``mahalanobis`` for the rows
            furthest by that distance.
        far_quantile: of ``far_by``, above which rows are far.
        far_where: condition of far rows, such as ``area > 20000 and region == 'north'``.
        group_by: column of groups; it is no input.
        far_group: the group that is far, several separated by commas.
        drop: columns that are no inputs, separated by commas.
        separator: between the fields of a line: one character, ``tab``, or ``space`` for runs of blanks.
        decimal: the decimal sign, ``.`` or ``,``.
        thousands: the sign between groups of digits: ``,``, ``.``, ``'``, ``_``, ``space`` or ``none``.
        header: number of the line that holds the names, or ``none``: the columns are then called c1, c2, ….
        encoding: of the text: utf-8, utf-16, cp1252, latin-1, ….
        missing: entries that mean "no value", separated by commas; ``none``: empty fields only.
        index: columns that only number or name the rows, separated by commas; ``none``: there is none.
        dates: ``day-first``, ``month-first``, a format such as ``%d.%m.%Y``, or ``none``: dates stay texts.
        texts: columns that stay texts although they look like numbers or times, separated by commas.
        skip_lines: numbers of lines to leave out, separated by commas; ``none`` keeps a line of totals too.
        comment: what begins lines of comment, or ``none``.
    """

    path: str
    target: str
    far_by: str | None = None
    far_quantile: float = 0.8
    far_where: str | None = None
    group_by: str | None = None
    far_group: str | None = None
    drop: str | None = None
    separator: str = GUESS
    decimal: str = GUESS
    thousands: str = GUESS
    header: str = GUESS
    encoding: str = GUESS
    missing: str = GUESS
    index: str = GUESS
    dates: str = GUESS
    texts: str = NONE
    skip_lines: str = GUESS
    comment: str = GUESS

    def __post_init__(self) -> None:
        if not 0 < self.far_quantile < 1:
            raise ValueError(f"far_quantile must lie between 0 and 1, not {self.far_quantile:g}")
        if (self.group_by is None) != (self.far_group is None):
            raise ValueError("group_by and far_group belong together: which column, and which of its groups is far")
        if self.far_by is None and self.far_where is None and self.far_group is None:
            raise ValueError(
                "no far rule: give far_by (a column or mahalanobis), far_where, or group_by with far_group"
            )
        for stated in dataclasses.fields(Reading):  # one spelling for one reading: it is part of the task's name
            value = canonical(stated.name, str(getattr(self, stated.name)))
            object.__setattr__(self, stated.name, value)
        for option in ("target", "far_by", "group_by"):
            if isinstance(name := getattr(self, option), str):
                object.__setattr__(self, option, name.strip())
        self.reading()
        for every in dataclasses.fields(self):
            text = str(getattr(self, every.name))
            if '"' in text and "'" in text:
                raise ValueError(f"{every.name} holds both kinds of quotes: use one kind")

    def reading(self) -> Reading:
        """How the table is to be read.

        Raises:
            ValueError: an option is none of the values it may have.
        """
        return Reading(**{stated.name: getattr(self, stated.name) for stated in dataclasses.fields(Reading)})

    def refine(self, card: TaskCard) -> TaskCard:
        """The card of this very table: its version is the file's hash.

        Raises:
            InputError: there is no such file, or a rule cannot be parsed.
        """
        name = os.path.basename(self.path)
        return dataclasses.replace(
            card,
            version=frames.fingerprint(self.path)[:16],
            summary=f"{self.target} from the other columns of {name}.",
            target=self.target,
            far_rule="; ".join(rule.label for rule in self.rules()),
            source=name,
        )

    def rules(self) -> tuple[FarRule, ...]:
        """The far rules that are given, in the order of the options."""
        rules: list[FarRule] = []
        if self.far_by == MAHALANOBIS:
            rules.append(Furthest(self.far_quantile))
        elif self.far_by is not None:
            rules.append(Highest(self.far_by, self.far_quantile))
        if self.far_where is not None:
            Expression.parse(self.far_where)
            rules.append(Where(self.far_where))
        if self.group_by is not None and self.far_group is not None:
            rules.append(Group(self.group_by, _members(self.far_group), whole=self.far_group.strip()))
        return tuple(rules)


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


def _table(sheet: Sheet, options: OwnData) -> tuple[Table, list[str]]:
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
        words = frozenset((*_members(options.far_group), (options.far_group or "").strip()))
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
    return Table(columns, target, unused, described), []


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


def _members(text: str | None) -> tuple[str, ...]:
    return tuple(part.strip() for part in text.split(",") if part.strip()) if text else ()


def _cautions(table: Table) -> list[str]:
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
