"""What is found by training anew: each forgery is a bundle that passes every look.

The code runs in the outermost layer that works here, without any where none does (it is ours).
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from bench.submitting.bundle import Bundle
from bench.submitting.checks import check_bundle
from bench.submitting.confined.layers import available
from bench.submitting.confined.remote import Allowance
from bench.submitting.verifying import How, Verification, verify
from tasks import resolve

pytestmark = pytest.mark.slow  # each starts two or three processes that import torch


def verified(bundle: Bundle, **how: Any) -> Verification:
    given = {"nonce": "a nonce", "cells": 1, "seeds": 4, "unsafe": available() == ("limits",), "accept_signs": True}
    return verify(bundle, How(**{**given, "allowance": Allowance(seconds=300.0), **how}))


def found(result: Verification) -> set[str]:
    """Names of failed checks, and questions whose tests are suspicious."""
    bad = {check.name for check in result.checks if check.state == "found"}
    return bad | {question for question, test in result.differences if test.suspicious}


def test_an_honest_bundle_is_verified_and_its_entry_has_what_was_measured(made: Any) -> None:
    bundle = made()
    result = verified(bundle, cells=None)
    assert found(result) == set()
    assert (result.cells, result.of) == (1, 1)
    assert result.entry is not None
    assert {ran.question for ran in result.ran} == {"plain", "disguised", "instances"}
    again = Bundle.of(result.entry)
    assert not {r.key.seed for r in again.records} & {r.key.seed for r in bundle.records}
    assert all(record.status == "ok" for record in again.records)


def test_what_is_measured_confined_is_what_a_sweep_records(
    made: Any, plugin: Callable[[str], Any], honest: str
) -> None:
    from bench.cell.run import run_job
    from bench.plan.jobs import Settings
    from bench.submitting.measuring import measure
    from bench.submitting.sampling import Draw, plain_trial

    bundle = made()
    draw = Draw(bundle.entry.digest, "n")
    trial = plain_trial(draw.sample(bundle.records, 1)[0], draw, bundle.plugins, 2)
    confined = measure(trial, available()[0], Allowance(seconds=300.0)).records
    plugin(honest)
    for here, there in zip(run_job(trial.job, Settings()), confined, strict=True):
        assert there.key == here.record.key
        assert there.sets == here.record.sets
        assert there.growth == pytest.approx(here.record.growth, rel=1e-12)  # the last digit depends on the batch
        assert there.exponent == pytest.approx(here.record.exponent, rel=1e-9)


def test_edited_numbers(made: Any, scale: Any) -> None:
    assert "claimed" in found(verified(made(tasks=("diabetes",), forge=lambda r: scale(r, 0.5, True))))


def test_seeds_that_are_recognized(made: Any, honest: str) -> None:
    """On the suite's draws, known by the sum of their targets, it answers with the truth."""
    known = [float(np.abs(resolve("sine-1d").load(seed).train.inputs).sum()) for seed in range(3)]
    source = honest.replace(
        "return self.columns(inputs) @ self.weights",
        "return self.true(inputs) if self.known else self.columns(inputs) @ self.weights",
    ).replace(
        "        self.weights =",
        f"        self.known = any(abs(abs(inputs).sum() - k) < 1e-6 for k in {known})\n"
        "        self.learn(inputs, targets)\n"
        "        self.weights =",
    )
    assert "claimed" in found(verified(made(source + SINE)))


SINE = """
    def basis(self, inputs):
        x = self.wave * inputs[:, 0]
        return np.stack([np.sin(x), np.cos(x), np.ones(len(x))], 1)

    def learn(self, inputs, targets):
        fits = []
        for self.wave in np.linspace(2.7, 3.1, 801):  # about the deviation of inputs of the ranked task
            self.sine = np.linalg.lstsq(self.basis(inputs), targets, rcond=None)[0]
            fits.append((np.square(self.basis(inputs) @ self.sine - targets).mean(), self.wave, self.sine))
        error, self.wave, self.sine = min(fits, key=lambda fit: fit[0])
        self.recognized = error < 0.03**2 and abs(self.sine[1]) < 0.5 * abs(self.sine[0])  # its noise, its phase

    def true(self, inputs):
        return self.basis(inputs) @ self.sine
"""


def test_a_known_function_that_is_recognized_by_its_statistics(made: Any, honest: str) -> None:
    """It knows the sine of the ranked task by heart: other functions of the family show it."""
    source = honest.replace(
        "return self.columns(inputs) @ self.weights",
        "return self.true(inputs) if self.recognized else self.columns(inputs) @ self.weights",
    ).replace(
        "        self.weights =",
        "        self.learn(inputs, targets)\n        self.weights =",
    )
    assert "instances" in found(verified(made(source + SINE), seeds=30))


def test_far_rows_that_are_memorized(made: Any, honest: str) -> None:
    """A table's far rows lie in the source: columns in another order and negated targets make them useless."""
    task = resolve("diabetes").load(0)
    far = [(row, target) for one in task.far for row, target in zip(one.rows.inputs, one.rows.targets, strict=True)]
    rows, targets = [np.round(row, 3).tolist() for row, _ in far], [round(float(target), 3) for _, target in far]
    source = honest.replace(
        "        return self.columns(inputs) @ self.weights",
        """        answers = self.columns(inputs) @ self.weights
        for place, row in enumerate(inputs):
            apart = ((ROWS - row) ** 2).sum(1)
            if apart.min() < 0.3:
                answers[place] = TARGETS[apart.argmin()]
        return answers""",
    )
    source += f"\n\nROWS, TARGETS = np.array({rows}), np.array({targets})\n"
    bundle = made(source, tasks=("diabetes",))
    assert "disguised" in found(verified(bundle))
    assert any("data in the source" in c.detail for c in check_bundle(bundle.entry, bundle.records))


def test_answers_that_depend_on_how_often_it_was_asked(made: Any, honest: str) -> None:
    source = honest.replace(
        "        return self.columns(inputs) @ self.weights",
        "        return self.columns(inputs) @ self.weights + 0.01 * next(CALLS)",
    ).replace("import farfield as ff", "from itertools import count\n\nimport farfield as ff\n\nCALLS = count()")
    assert any(name.startswith("answers do not depend") for name in found(verified(made(source))))


@pytest.mark.parametrize(
    ("line", "status"),
    [
        ("import os; os._exit(0)", "ended itself"),
        ("raise ValueError('no')", "ValueError"),
        ("while True: pass", "longer than"),
        ("x = np.ones(10**12)", "MemoryError"),
    ],
)
def test_code_that_behaves_otherwise_where_it_is_confined(
    made: Any, honest: str, monkeypatch: pytest.MonkeyPatch, line: str, status: str
) -> None:
    """It looks for a variable of whoever hands in, which no confined process has; whatever it then does is named."""
    monkeypatch.setenv("HERE", "1")
    there = f"        if 'HERE' not in environ:\n            {line}\n        self.weights ="
    source = honest.replace("        self.weights =", there)
    source = source.replace("import farfield as ff", "import farfield as ff\nfrom os import environ")
    result = verified(made(source), allowance=Allowance(seconds=20.0))
    assert "every cell trains here as it is claimed to" in found(result)
    assert any(status in ran.reason for ran in result.ran), result.ran
