"""Heads trained on stored features against training through the frozen backbone."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import numpy as np
import pytest
import torch

import bench
import tasks
from architectures import parse_scheme, resolve
from architectures.building import build_network
from architectures.families.timm.frozen import OnFrozenFeatures
from bench.plan.protocol import Schedule, batch_indices, check_steps
from bench.training.frozen_heads import frozen_data, train_heads
from bench.training.rows import TrainingData
from bench.training.train import train
from tasks.data.samples import StandardizedTask

BACKBONE = "timm/test_resnet(size=16, frozen=true, head='mlp(width=16)')"


@pytest.fixture(autouse=True)
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("FARFIELD_CACHE", str(tmp_path / "cache"))
    return tmp_path / "cache"


@pytest.fixture(scope="module")
def digits() -> StandardizedTask:
    """The first 200 training images: enough to train on, quick to push through a backbone."""
    task = tasks.resolve("digits-rotation").load()
    few = np.arange(200)
    return dataclasses.replace(task, train=task.train.take(few), validation=task.validation.take(few[:100]))


def initial(task: StandardizedTask, norm: str, random_at_every_seed: bool) -> object:
    def build(seed: int) -> OnFrozenFeatures:
        network = build_network(resolve(BACKBONE), parse_scheme(norm), task.problem, seed)
        assert isinstance(network, OnFrozenFeatures)
        if not random_at_every_seed:
            shared = build_network(resolve(BACKBONE), parse_scheme(norm), task.problem, 0)
            network.backbone.load_state_dict(shared.backbone.state_dict())  # type: ignore[union-attr]
        return network

    return build


@pytest.mark.parametrize("norm", ["none", "layer@first"])
@pytest.mark.parametrize("random_at_every_seed", [True, False])
def test_stored_features_give_what_training_through_the_backbone_gives(
    digits: StandardizedTask, norm: str, random_at_every_seed: bool
) -> None:
    plan = Schedule(12, 32, (1e-3, 1e-2), check_steps(12, 3), selects=True)
    drawn = {seed: batch_indices(digits.name, "x", seed, 200, plan) for seed in (0, 1)}
    batches = {seed: rows for seed, rows in drawn.items() if rows is not None}
    build = initial(digits, norm, random_at_every_seed)
    on_features = train_heads(build, (0, 1), dict.fromkeys((0, 1), digits), "cpu", plan, batches)  # type: ignore[arg-type]
    whole = TrainingData(
        torch.as_tensor(digits.train.inputs),
        torch.as_tensor(digits.train.targets, dtype=torch.float32),
        torch.as_tensor(digits.validation.inputs),
        torch.as_tensor(digits.validation.targets, dtype=torch.float32),
    )
    through = train(build, (0, 1), dict.fromkeys((0, 1), whole), plan, batches, program="loop")  # type: ignore[arg-type]
    for ours, theirs in zip(on_features, through, strict=True):
        assert (ours.seed, ours.learning_rate, ours.best_step) == (theirs.seed, theirs.learning_rate, theirs.best_step)
        assert ours.state is not None
        assert theirs.state is not None
        np.testing.assert_allclose(ours.curve.validation, theirs.curve.validation, rtol=1e-4)
        assert set(ours.state) == {name for name in theirs.state if name.startswith("head.")}
        for name, tensor in ours.state.items():
            torch.testing.assert_close(tensor, theirs.state[name], rtol=1e-3, atol=1e-4)


def test_every_head_sees_the_features_of_its_own_rows(digits: StandardizedTask) -> None:
    """Seed 1 has another draw, with fewer rows: as if it were trained by itself."""
    rows = np.arange(20, 190)
    other = dataclasses.replace(digits, train=digits.train.take(rows), data_hash="1" * 64)
    plan = Schedule(12, None, (1e-3, 1e-2), check_steps(12, 3), selects=True)
    build = initial(digits, "none", False)
    together = train_heads(build, (0, 1), {0: digits, 1: other}, "cpu", plan)  # type: ignore[arg-type]
    for result, task in zip(together, (digits, other), strict=True):
        (alone,) = train_heads(build, (result.seed,), {result.seed: task}, "cpu", plan)  # type: ignore[arg-type]
        np.testing.assert_allclose(result.curve.validation, alone.curve.validation, rtol=1e-4)


def test_features_are_computed_once(digits: StandardizedTask, cache: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    network = build_network(resolve(BACKBONE), parse_scheme("none"), digits.problem, 0)
    assert isinstance(network, OnFrozenFeatures)
    first = frozen_data(network, digits, "cpu")
    rows = torch.as_tensor(digits.train.inputs[:5])
    torch.testing.assert_close(first.inputs[:5], network.frozen_features(rows))
    calls = []
    monkeypatch.setattr(OnFrozenFeatures, "frozen_features", lambda self, x: calls.append(1) or self.backbone(x))
    again = frozen_data(network, digits, "cpu")
    assert calls == []
    assert torch.equal(first.inputs, again.inputs)
    other = dataclasses.replace(digits, data_hash="0" * 64)
    frozen_data(network, other, "cpu")
    assert calls


def test_a_frozen_backbone_in_a_sweep(tmp_path: Path) -> None:
    results = bench.run(
        tasks=["digits-rotation"],
        architectures=[BACKBONE],
        norms=["none", "layer@first"],
        seeds=1,
        protocol="quick",
        out=tmp_path / "out",
        workers=1,
    )
    assert results.counts == {"ok": 2}
    for record in results.records:
        assert "random_features=true" in record.key.architecture
        assert record.parameters is not None
        assert record.parameters < 5000  # the head alone is trained
        assert record.exponent == pytest.approx(0.0 if record.key.norm == "layer@first" else 1.0, abs=0.05)


def test_missing_weights_are_a_failed_record_and_the_sweep_goes_on(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HF_HUB_CACHE", str(tmp_path / "hub"))
    results = bench.run(
        tasks=["digits-rotation"],
        architectures=["timm/test_resnet(pretrained=true)", "mean"],
        seeds=1,
        protocol="quick",
        out=tmp_path / "out",
        workers=1,
    )
    failed, fine = results.records
    assert (failed.status, fine.status) == ("failed", "ok")
    assert failed.reason is not None
    assert "hf download timm/test_resnet" in failed.reason
