"""Bundles of a small estimator of somebody's, honest or not; it fits in no time."""

from __future__ import annotations

import dataclasses
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from architectures import REGISTRY
from bench.cell.run import run_job
from bench.core.plugins import Plugin, load_plugin, read_plugin
from bench.plan.jobs import Cell, Job, Settings, record_keys
from bench.publishing import Credit
from bench.submitting.bundle import Bundle
from leaderboard.publishing.entry import SuiteName
from leaderboard.publishing.packing import make_entry
from leaderboard.publishing.source import SourceText
from leaderboard.records.record import Record
from tasks import resolve

HONEST = '''
import numpy as np
import farfield as ff


@ff.register_estimator("own-line", inputs=["features"])
class OwnLine:
    """A straight line by least squares."""

    def __init__(self, problem):
        self.size = problem.size

    def fit(self, inputs, targets, validation_inputs, validation_targets):
        self.weights = np.linalg.lstsq(self.columns(inputs), targets, rcond=None)[0]

    def predict(self, inputs):
        return self.columns(inputs) @ self.weights

    def columns(self, inputs):
        return np.concatenate([inputs, np.ones((len(inputs), 1))], axis=1)
'''
SUITE, PROTOCOL, SEEDS = "quick", "quick-2", 3
Make = Callable[..., Bundle]


@pytest.fixture
def plugin(tmp_path: Path) -> Iterator[Callable[[str], Plugin]]:
    """Writes, reads and loads a source; what it registers is forgotten afterwards."""
    before = set(REGISTRY.names())

    def forget() -> None:
        for name in set(REGISTRY.names()) - before:
            REGISTRY.remove(name)
        for name in [name for name in sys.modules if name.startswith("farfield_plugin_")]:
            del sys.modules[name]

    def load(source: str) -> Plugin:
        forget()
        file = tmp_path / "own.py"
        file.write_text(source)
        read = read_plugin(file)
        load_plugin(read)
        return read

    forget()
    yield load
    forget()


@pytest.fixture
def made(plugin: Callable[[str], Plugin]) -> Make:
    """A bundle of a source, on some tasks, with its records changed by ``forge`` on the way."""

    def make(
        source: str = HONEST,
        tasks: tuple[str, ...] = ("sine-1d",),
        forge: Callable[[Record], Record] = lambda record: record,
        text: str | None = None,
    ) -> Bundle:
        read = plugin(source)
        records = []
        for task in tasks:
            keys = tuple(record_keys(Cell(task, "own-line", "none", PROTOCOL), range(SEEDS)))
            job = Job(keys, resolve(task).card.truth, "plug-in")
            records += [forge(steady(outcome.record)) for outcome in run_job(job, Settings())]
        card = Credit(authors=("Somebody",)).card("own-line", "system")
        given = SourceText.of(read if text is None else plugin(text))
        return Bundle.of(make_entry(records, card, [given], SuiteName(SUITE, _version())))

    return make


@pytest.fixture
def honest() -> str:
    """The source of an estimator that knows nothing but its rows."""
    return HONEST


@pytest.fixture
def scale() -> Callable[[Record, float, bool], Record]:
    """Edits the far errors of a record."""
    return scaled


def _version() -> int:
    from bench.plan.suite import load_suite

    return load_suite(SUITE).version


def steady(record: Record) -> Record:
    """Without what depends on when and where it was made: the bundle's hash, and so the sample, is always the same."""
    return dataclasses.replace(record, created="2024-06-07T00:00:00+00:00", seconds=0.1, environment={"python": "3"})


def scaled(record: Record, factor: float, consistent: bool) -> Record:
    """The record with its far errors times ``factor``; with all that follows from them, or not."""
    sets = []
    for one in record.sets:
        if one.role == "test" or one.relative_error is None or one.rmse is None or one.mae is None or one.r2 is None:
            sets.append(one)
            continue
        changes: dict[str, float] = {"relative_error": one.relative_error * factor}
        if consistent:
            changes |= {"rmse": one.rmse * factor, "mae": one.mae * factor, "r2": 1 - (1 - one.r2) * factor**2}
        sets.append(dataclasses.replace(one, **changes))
    far = record.far_error
    return dataclasses.replace(record, sets=tuple(sets), far_error=None if far is None else far * factor)
