"""From columns of any type to numeric inputs: numbers as they are, words one-hot, missing values by training means."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np

from bench.core.errors import InputError, suggest
from tasks.data.samples import FarSet, RawTask, Rows, Samples
from tasks.reading.columns import KeyColumn
from tasks.reading.rules import FarRule

MOST_WORDS = 100
MOST_NAMED = 12


@dataclass(frozen=True)
class EncodedTable:
    """Columns of a table, and which of them is the target.

    Args:
        columns: (n,) arrays by name: float64 (NaN: missing) or text ("": missing).
        target: name of the column to predict.
        unused: names of columns that are no inputs; far rules may look at them.
        described: what is known of columns beside their values, by name (times, exact values, an order).
    """

    columns: Mapping[str, np.ndarray]
    target: str
    unused: tuple[str, ...] = field(default=())
    described: Mapping[str, KeyColumn] = field(default_factory=dict)

    def column(self, name: str) -> np.ndarray:
        """One column (n,).

        Raises:
            InputError: there is none of that name.
        """
        if name not in self.columns:
            raise InputError(f"there is no column {name!r}", hint=suggest(name, self.columns))
        return self.columns[name]

    def details(self, name: str) -> KeyColumn:
        """One column with all that is known of it.

        Raises:
            InputError: there is none of that name.
        """
        return self.described[name] if name in self.described else KeyColumn.of(self.column(name))

    def take(self, which: np.ndarray) -> EncodedTable:
        """The rows at the given indices, or where a mask is true."""
        columns = {name: values[which] for name, values in self.columns.items()}
        described = {name: column.take(which) for name, column in self.described.items()}
        return dataclasses.replace(self, columns=columns, described=described)

    @property
    def input_names(self) -> list[str]:
        """Columns that are inputs."""
        return [name for name in self.columns if name != self.target and name not in self.unused]

    def encoded(self, reference: np.ndarray | None = None) -> tuple[np.ndarray, tuple[str, ...]]:
        """Inputs (n, d) with their names.

        A column of words becomes a column of 0 and 1 for each word that occurs in the rows ``reference`` (all, if
        not given); a word unknown there, or a missing one, is 0 in all of them.

        Raises:
            InputError: more than 100 different words in a column.
        """
        parts, names = [], []
        for name in self.input_names:
            values = self.columns[name]
            if values.dtype.kind == "f":
                parts.append(values[:, None])
                names.append(name)
                continue
            words = np.unique(values if reference is None else values[reference])
            words = words[words != ""]
            if len(words) > MOST_WORDS:
                raise InputError(
                    f"the column {name!r} has {len(words):,} different texts",
                    hint=f"leave it out (drop={name}); at most {MOST_WORDS} categories can be encoded",
                )
            parts.append((values[:, None] == words).astype(np.float64))
            names += [f"{name}={word}" for word in words]
        if not parts:
            raise InputError("no input column is left", hint="keep at least one column beside the target")
        return np.concatenate(parts, axis=1), tuple(names)


def held_out(table: EncodedTable, *rules: FarRule, notes: tuple[str, ...] = (), together: str = "") -> Samples:
    """Samples of ``table`` whose far sets are chosen by ``rules``; a row goes to the first rule that takes it.

    Args:
        table: its columns.
        rules: one a far set.
        notes: what was counted on the way.
        together: column whose equal values mark rows of one source, which share a split; none if empty.

    Raises:
        InputError: a rule takes no row, or none is left.
    """
    targets = table.column(table.target)
    inside, masks = np.ones(len(targets), dtype=bool), {}
    for rule in rules:
        masks[rule] = rule.far(table) & inside
        inside &= ~masks[rule]
        if not masks[rule].any() or not inside.any():
            extent = "everything" if masks[rule].any() else "nothing"
            raise InputError(f"the far rule {rule.label!r} selects {extent}", hint="choose another threshold or column")
    inputs, names = table.encoded(inside)
    sources = np.unique(table.column(together), return_inverse=True)[1] if together else None
    rows = Rows(inputs, targets, sources)
    far = tuple(FarSet(rule.name, rows.take(mask), label=rule.label) for rule, mask in masks.items())
    return Samples(rows.take(inside), far, feature_names=names, notes=notes)


def impute(raw: RawTask) -> RawTask:
    """Replace missing inputs (NaN) of a table by the training mean of their column, and note how many.

    Raises:
        InputError: a column has no value at all in the training rows.
    """
    missing = np.sum([np.isnan(rows.inputs).sum(axis=0) for rows in raw.sets().values()], axis=0)
    if not missing.any():
        return raw
    names = raw.feature_names or tuple(f"x{i + 1}" for i in range(len(missing)))
    present = ~np.isnan(raw.train.inputs)
    if not present.any(axis=0).all():
        empty = names[int(np.argmin(present.any(axis=0)))]
        raise InputError(f"the column {empty!r} has no value in the training rows", hint="leave that column out")
    means = np.nanmean(raw.train.inputs, axis=0)

    def filled(rows: Rows) -> Rows:
        return dataclasses.replace(rows, inputs=np.where(np.isnan(rows.inputs), means, rows.inputs))

    listed = [f"{count:,} in {name!r}" for name, count in zip(names, missing, strict=True) if count]
    rest = f" and in {len(listed) - MOST_NAMED} more columns" if len(listed) > MOST_NAMED else ""
    counted = ", ".join(listed[:MOST_NAMED]) + rest
    return dataclasses.replace(
        raw,
        train=filled(raw.train),
        validation=filled(raw.validation),
        test=filled(raw.test),
        far=tuple(dataclasses.replace(far, rows=filled(far.rows)) for far in raw.far),
        notes=(*raw.notes, f"missing values replaced by the training mean: {counted}"),
    )
