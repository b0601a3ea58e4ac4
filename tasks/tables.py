"""Real tables: rows of numbers from the world, with a far rule over their inputs."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from bench.core.errors import InputError, suggest
from tasks.data import FarSet, Rows, Samples
from tasks.files import TextFile, read_table
from tasks.rules import Above, FarRule, Highest

PROTEIN = TextFile(
    path="protein/CASP.csv",
    lines=45_731,
    sha256="b36f6442f1b9b78da962eaa828f7b856a581c646b3ff748dd3301e1267f9f26e",
    url="https://archive.ics.uci.edu/static/public/265/physicochemical+properties+of+protein+tertiary+structure.zip",
)


@dataclass(frozen=True)
class Table:
    """Numeric inputs by column, and further columns that a far rule may use.

    Args:
        features: input columns (n,) by name, in order.
        targets: (n,).
        extra: columns (n,) that are no inputs.
    """

    features: Mapping[str, np.ndarray]
    targets: np.ndarray
    extra: Mapping[str, np.ndarray]

    @property
    def inputs(self) -> np.ndarray:
        """Inputs (n, d) in raw units."""
        return np.column_stack([np.asarray(column, dtype=np.float64) for column in self.features.values()])

    def column(self, name: str) -> np.ndarray:
        """One column (n,), whether it is an input or not."""
        for columns in (self.features, self.extra):
            if name in columns:
                return columns[name]
        raise InputError(f"there is no column {name!r}", mend=suggest(name, [*self.features, *self.extra]))


def held_out(table: Table, *rules: FarRule, notes: tuple[str, ...] = ()) -> Samples:
    """Samples of ``table`` whose far sets are chosen by ``rules``; a row goes to the first rule that takes it.

    Raises:
        InputError: a rule takes no row, or none is left.
    """
    inputs, targets = table.inputs, np.asarray(table.targets, dtype=np.float64)
    inside = np.ones(len(targets), dtype=bool)
    far = []
    for rule in rules:
        chosen = rule.far(table) & inside
        inside &= ~chosen
        if not chosen.any() or not inside.any():
            extent = "nothing" if not chosen.any() else "everything"
            raise InputError(f"the far rule {rule.label!r} selects {extent}", mend="choose another threshold or column")
        far.append(FarSet(rule.name, Rows(inputs[chosen], targets[chosen]), label=rule.label))
    rows = Rows(inputs[inside], targets[inside])
    return Samples(rows, tuple(far), feature_names=tuple(table.features), notes=(*duplicates(inputs), *notes))


def duplicates(inputs: np.ndarray) -> tuple[str, ...]:
    """A note on how many of the rows (n, d) repeat the inputs of an earlier one."""
    repeated = len(inputs) - len(np.unique(inputs, axis=0))
    return (f"{repeated:,} rows repeat the inputs of another; they share its split",) if repeated else ()


def protein() -> Samples:
    """RMSD of decoys from nine physicochemical properties; far: total surface area above 20,000 Å²."""
    columns = read_table(PROTEIN)
    return held_out(Table(columns, columns.pop("RMSD"), {}), Above("F1", 20_000.0, "large"))


def diabetes() -> Samples:
    """Disease progression after one year; far: the fifth with the highest body mass index."""
    from sklearn.datasets import load_diabetes

    data = load_diabetes(scaled=False)
    features = dict(zip(data.feature_names, data.data.T, strict=True))
    return held_out(Table(features, data.target, {}), Highest("bmi", 0.8, "heaviest"))
