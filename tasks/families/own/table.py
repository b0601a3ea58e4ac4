"""A task made from the user's own table."""

from __future__ import annotations

import dataclasses
import os
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from bench.core.errors import InputError
from tasks.card import TaskCard
from tasks.data.samples import Samples
from tasks.reading import frames
from tasks.reading.encoding import Table, held_out
from tasks.reading.expressions import Expression
from tasks.reading.rules import FarRule, Furthest, Group, Highest, Where

MAHALANOBIS = "mahalanobis"
MOST_INPUTS = 2000


@dataclass(frozen=True)
class OwnData:
    """A table, the column to predict, and which rows are far. Every rule that is given makes a far set.

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
    """

    path: str
    target: str
    far_by: str | None = None
    far_quantile: float = 0.8
    far_where: str | None = None
    group_by: str | None = None
    far_group: str | None = None
    drop: str | None = None

    def __post_init__(self) -> None:
        if not 0 < self.far_quantile < 1:
            raise ValueError(f"far_quantile must lie between 0 and 1, not {self.far_quantile:g}")
        if (self.group_by is None) != (self.far_group is None):
            raise ValueError("group_by and far_group belong together: which column, and which of its groups is far")
        if self.far_by is None and self.far_where is None and self.far_group is None:
            raise ValueError(
                "no far rule: give far_by (a column or mahalanobis), far_where, or group_by with far_group"
            )
        for field in dataclasses.fields(self):
            text = str(getattr(self, field.name))
            if '"' in text and "'" in text:
                raise ValueError(f"{field.name} holds both kinds of quotes: use one kind")

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
            rules.append(Group(self.group_by, _listed(self.far_group)))
        return tuple(rules)


def build(options: OwnData) -> Samples:
    """The samples of a user's table.

    Raises:
        InputError: whatever is wrong with the file, the columns or the far rules.
    """
    columns = frames.read_columns(options.path)
    unused = _listed(options.drop) + ((options.group_by,) if options.group_by else ())
    table = Table(columns, options.target, unused)
    for name in (*unused, options.target):
        table.column(name)
    targets = table.column(options.target)
    if targets.dtype.kind != "f":
        example = str(next(iter(targets[targets != ""]), ""))
        raise InputError(
            f"the target {options.target!r} is not numeric (it holds {example!r})", hint="choose a column of numbers"
        )
    if options.far_by == MAHALANOBIS and MAHALANOBIS in columns:
        raise InputError(f"far_by={MAHALANOBIS} is also the name of a column", hint="rename the column")
    known = np.isfinite(targets)
    kept = {name: values[known] for name, values in columns.items()}
    notes = (f"rows left out because they have no target: {(~known).sum():,}",) if not known.all() else ()
    samples = held_out(dataclasses.replace(table, columns=kept), *options.rules(), notes=notes)
    if samples.domain.inputs.shape[1] > MOST_INPUTS:
        width = samples.domain.inputs.shape[1]
        raise InputError(f"{width:,} inputs after one-hot encoding", hint=f"drop columns; at most {MOST_INPUTS:,}")
    return dataclasses.replace(samples, split_by=f"own-data {frames.fingerprint(options.path)} {options.target}")


def _listed(text: str | None) -> tuple[str, ...]:
    return tuple(part.strip() for part in text.split(",") if part.strip()) if text else ()


def path_of(source: object) -> str:
    """The ``path`` option for a file or for a data frame, which is kept in the cache.

    The path is part of the task's name and so of the keys of records: one file has one, however it was reached. It is
    relative to the working folder for a file below that, where results are too by default, and absolute for others.
    """
    if not isinstance(source, (str, Path)):
        return frames.keep_frame(source)  # type: ignore[arg-type]
    if str(source).startswith(frames.FRAME):
        return str(source)
    folder = Path.cwd()
    file = Path(os.path.abspath(Path(source).expanduser()))
    return str(file.relative_to(folder) if file.is_relative_to(folder) else file)
