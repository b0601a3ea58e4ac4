from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

import tasks
from bench.core.errors import InputError

COUNT = 120


@dataclass(frozen=True)
class Outcome:
    """All rows of a task in their raw units, sorted by target, and what was said of them."""

    inputs: pd.DataFrame
    targets: np.ndarray
    far_targets: np.ndarray
    notes: tuple[str, ...]

    @property
    def said(self) -> str:
        return " | ".join(self.notes)


@dataclass(frozen=True)
class Kit:
    """A table of two inputs and a target, ways to write it, and what must be read back."""

    folder: Path
    x: np.ndarray
    w: np.ndarray
    y: np.ndarray

    def lines(
        self,
        columns: Sequence[Iterable[object]] | None = None,
        names: Sequence[str] = ("x", "w", "y"),
        separator: str = ",",
        end: str = "\n",
    ) -> str:
        """A text table."""
        columns = (self.x, self.w, self.y) if columns is None else columns
        rows = [separator.join(names)]
        rows += [separator.join(str(cell) for cell in row) for row in zip(*columns, strict=True)]
        return end.join(rows) + end

    def read(self, content: object, *, name: str = "t.csv", **options: object) -> Outcome:
        """Write a table and read it as a task: target y and far by x, unless told otherwise."""
        source: object = content
        if isinstance(content, (str, bytes)):
            source = self.folder / name
            Path(str(source)).write_bytes(content.encode() if isinstance(content, str) else content)
        given = {"target": "y", "far_by": "x", **options}
        task = tasks.own_data(source, **{key: value for key, value in given.items() if value is not None})  # type: ignore[arg-type]
        assert tasks.resolve(task.name) == task, "its name is enough to read it the same way again"
        task.load()
        raw = task.load_raw()
        targets = np.concatenate([rows.targets for rows in raw.sets().values()])
        inputs = np.concatenate([rows.inputs for rows in raw.sets().values()])
        order = np.argsort(targets, kind="stable")
        far = np.sort(np.concatenate([far.rows.targets for far in raw.far]))
        return Outcome(pd.DataFrame(inputs[order], columns=list(raw.feature_names)), targets[order], far, raw.notes)

    def refused(self, content: object, **options: object) -> str:
        """The one line by which a table is refused."""
        with pytest.raises(InputError) as caught:
            self.read(content, **options)
        line = str(caught.value)
        assert "\n" not in line
        return line

    def same(self, outcome: Outcome) -> None:
        """The outcome holds exactly the numbers of the table, under their names."""
        order = np.argsort(self.y, kind="stable")
        assert list(outcome.inputs.columns) == ["x", "w"]
        np.testing.assert_array_equal(outcome.targets, self.y[order])
        np.testing.assert_array_equal(outcome.inputs["x"], self.x[order])
        np.testing.assert_array_equal(outcome.inputs["w"], self.w[order])


@pytest.fixture
def kit(tmp_path: Path) -> Kit:
    place = np.arange(COUNT)
    x = np.round(1 + 49 * ((place * 37) % COUNT) / COUNT, 2)
    w = np.round(1 + 4 * ((place * 53) % COUNT) / COUNT, 3)
    return Kit(tmp_path, x, w, np.round(2 * x + 0.5 * w, 4))
