"""Cells of tasks whose far sets are longer, or which are answered at each step."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pytest
import torch
from torch import Tensor, nn

import tasks
from bench.cell import probing
from bench.cell.directions import directions
from bench.cell.fitting import misfit
from bench.cell.proof import far_growths, probes, proven_growth
from bench.cell.run import run_job
from bench.plan.jobs import Cell, Settings, make_plan
from tasks.data.samples import FarSet, Rows, Samples
from tasks.registry import REGISTRY

DECODER = "decoder(depth=1,width=8,heads=2,positions=rope)"


class Running(nn.Module):
    """Answers the sum of the steps so far."""

    def __init__(self) -> None:
        super().__init__()
        self.gain = nn.Parameter(torch.ones(()))

    def forward(self, x: Tensor) -> Tensor:
        return self.gain * x[..., 0].cumsum(1)


class Falling(nn.Module):
    """Answers each step times how many are left, itself among them: 1 at the last."""

    def forward(self, x: Tensor) -> Tensor:
        return x[..., 0] * torch.arange(x.shape[1], 0, -1, dtype=x.dtype)


def waves(steps: int, answers: int, count: int) -> Rows:
    inputs = np.random.default_rng((steps, count)).normal(size=(count, steps, 1))
    return Rows(inputs, np.sin(inputs[:, :, 0].cumsum(axis=1))[:, -answers:])


@pytest.fixture(autouse=True)
def made() -> Iterator[None]:
    """A task with a far set of each sort: as long, longer, and both answered at some steps."""

    @tasks.register_task("made-waves", target="the wave", truth="bounded", far_rule="longer", kind="sequence")
    def build() -> Samples:
        far = (FarSet("alike", waves(6, 6, 40)), FarSet("longer", waves(12, 6, 40)))
        return Samples(waves(6, 6, 300), far, causal=True)

    yield
    REGISTRY.remove("made-waves")


def cell(task: str, architecture: str, norm: str = "none") -> Cell:
    return Cell(task, architecture, norm, "quick-2")


def test_errors_are_means_over_the_steps_that_are_asked_for() -> None:
    task = tasks.resolve("made-waves").load()
    predict = probing.network_predict(Running())
    test, alike, longer = probing.evaluate(predict, task)
    for result, rows, asked in ((test, task.test, 6), (alike, task.far[0].rows, 6), (longer, task.far[1].rows, 6)):
        answers = rows.inputs[..., 0].cumsum(axis=1)[:, -asked:]
        error = np.sqrt(np.square(answers - rows.targets).mean() / np.square(rows.targets).mean())
        assert result.relative_error == pytest.approx(error)
    assert predict(task.far[1].rows.inputs).shape == (40, 12)


def test_growth_is_read_at_the_last_step() -> None:
    task = tasks.resolve("made-waves").load()
    rays = directions(task)
    ladder = probing.probe_rays(probing.at_the_last(probing.network_predict(Falling())), task, rays)
    ends = np.abs(task.radius * rays[:, -1, 0])
    assert ladder.growth[0] == pytest.approx(ends.max() / task.target_max)


def test_a_certificate_speaks_of_the_training_length_alone() -> None:
    task = tasks.resolve("made-waves").load()

    class Bounded(nn.Module):
        """Bounded by √6 at the training length, by √12 in the longer set."""

        def __init__(self) -> None:
            super().__init__()
            self.norm = nn.LayerNorm(1)

        def forward(self, x: Tensor) -> Tensor:
            return torch.tanh(x).sum(1)

    module = Bounded().double().eval()
    predict = probing.at_the_last(probing.network_predict(module))
    assert {tuple(batch.shape[1:]) for batch in probes(task, directions(task))} == {(6, 1)}
    assert len(far_growths(predict, task)) == 2
    bound, against = proven_growth(module, task, directions(task), far_growths(predict, task))
    assert against is None
    assert bound == pytest.approx(6 / task.target_max, rel=1e-6)


@pytest.mark.parametrize(
    ("architecture", "code", "words"),
    [
        ("ridge", "length", "takes 6 steps alone"),
        ("knn", "length", "takes 6 steps alone"),
        ("ntk", "length", "takes 6 steps alone"),
        ("mlp", "length", "takes 6 steps alone"),
        ("decoder", "length", "positions=none"),
        ("cnn", "length", "one answer a sequence"),
        ("transformer(positions=none)", "length", "steps that come after"),
        (DECODER, None, ""),
        ("mean", None, ""),
        ("linear-extrapolation", None, ""),
    ],
)
def test_what_does_not_fit_is_known_before_it_runs(architecture: str, code: str | None, words: str) -> None:
    found = misfit(cell("made-waves", architecture), 10**6)
    assert (found.code if found else None) == code
    if found is not None:
        assert words in found.reason
        (outcome,) = run_job(make_plan([cell("made-waves", architecture)], (0,), ()).jobs[0], Settings())
        assert outcome.record.status == "unsupported"
        assert outcome.record.reason_code == code


@pytest.mark.parametrize(("norm", "bounded"), [("none", False), ("layer@pre+final", True)])
def test_a_whole_cell_is_measured_at_each_step(norm: str, bounded: bool) -> None:
    plan = make_plan([cell("made-waves", DECODER, norm)], (0, 1), ())
    task = tasks.resolve("made-waves").load()
    for outcome in run_job(plan.jobs[0], Settings()):
        record = outcome.record
        assert record.status == "ok", record.reason
        assert [one.name for one in record.sets] == ["test", "alike", "longer"]
        assert record.exponent == pytest.approx(0 if bounded else 1, abs=0.05)
        assert (record.certificate is not None) == bounded
        assert record.certificate_reason is None
        assert len(outcome.details["far.longer.prediction"]) == len(task.far[1])  # of the last step


@pytest.mark.parametrize("name", ["mean", "last-value", "linear-extrapolation"])
def test_baselines_answer_at_each_step(name: str) -> None:
    plan = make_plan([cell("made-waves", name)], (0,), ())
    (outcome,) = run_job(plan.jobs[0], Settings())
    assert outcome.record.status == "ok", outcome.record.reason
    assert outcome.record.id_error is not None
    assert outcome.record.id_error < 1.001
    if name == "mean":
        assert outcome.record.far_error == pytest.approx(1.0)


def test_lines_are_continued_exactly_once_two_points_are_seen() -> None:
    from architectures.estimators.continuation import Continuation

    line = np.random.default_rng(0).normal(size=(2, 50, 1)) * np.ones(9)
    line = line[0] + line[1] * np.arange(9)
    estimator = Continuation(4, degree=1, each_step=True)
    estimator.weights = np.array([1.0, 0.0])
    answers = estimator.predict(line[:, :8, None])
    np.testing.assert_allclose(answers[:, 1:], line[:, 2:], atol=1e-9)
    np.testing.assert_allclose(answers[:, 0], line[:, 0])
