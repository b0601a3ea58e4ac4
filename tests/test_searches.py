"""The tools that measure steps and halving read from one training what separate trainings give."""

from __future__ import annotations

import json
import math
from pathlib import Path

import pytest
import torch

import tasks
from architectures import parse_scheme, resolve
from architectures.building import build_network
from bench.core.seeding import seed_from
from bench.plan.options import ProgramName
from bench.training.rows import TrainingData
from bench.training.train import train
from tools import halving, steps
from tools.tracks import Pool, checks_of, schedule_of

TASK = "sine-1d"


def rows(seed: int) -> TrainingData:
    task = tasks.resolve(TASK).load(seed)
    arrays = task.train.inputs, task.train.targets, task.validation.inputs, task.validation.targets
    return TrainingData(*(torch.as_tensor(array, dtype=torch.float32) for array in arrays))


@pytest.mark.parametrize(("norm", "program"), [("none", "chain"), ("group(groups=4)@all", "vmap")])
def test_one_training_gives_what_trainings_of_every_length_give(norm: str, program: ProgramName) -> None:
    """Not under batch norm: rounding alone moves a bias before it, and with it the running mean of evaluation."""
    network, seeds, ladder = "mlp(width=16)", [0, 1], (24, 48, 96)
    pool = Pool(TASK, network, norm, seeds, schedule_of(TASK, ladder[-1]), checks_of(ladder))
    problem = tasks.resolve(TASK).load().problem
    data = {seed: rows(seed) for seed in seeds}

    def build(seed: int) -> torch.nn.Module:
        return build_network(resolve(network), parse_scheme(norm), problem, seed_from("weights", TASK, network, seed))

    for count in (*ladder, ladder[0]):  # asked again, it answers from what it knows
        schedule = schedule_of(TASK, count)
        found = pool.search(schedule)
        for result in train(build, seeds, data, schedule, program=program):
            assert (found[result.seed].rate, found[result.seed].step) == (result.learning_rate, result.best_step)
            assert found[result.seed].validation == pytest.approx(min(result.curve.validation), rel=1e-3)
            module = build(result.seed)
            assert result.state is not None
            module.load_state_dict(result.state)
            test = tasks.resolve(TASK).load(result.seed).test
            with torch.no_grad():
                answers = module.eval()(torch.as_tensor(test.inputs, dtype=torch.float32))[:, 0].numpy()
            assert found[result.seed].test == pytest.approx(((answers - test.targets) ** 2).mean(), rel=1e-2)
    spent = pool.trained
    assert spent < len(seeds) * 3.25 * sum(ladder)  # less than separate trainings


@pytest.mark.slow
def test_steps_are_found_and_what_is_done_is_skipped(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    out = tmp_path / "steps.jsonl"
    out.write_text('{"task": "linear-1d"}\n{"task": "sine')
    steps.main([TASK, "linear-1d", "--out", str(out), "--seeds", "1", "--start", "4"])
    first, second = (json.loads(line) for line in out.read_text().splitlines())
    assert (first["task"], second["task"]) == ("linear-1d", TASK)
    assert second["base_steps"] == 4
    assert second["steps"] == 4 * second["factor"]
    assert second["doubling"].keys() == {"none", "layer@all", "batch@all"}
    last = second["doublings"][-1]
    means = [second["searches"][str(count)]["none"]["mean"] for count in (last["steps"], 2 * last["steps"])]
    assert last["ratios"]["none"] == pytest.approx(means[1] / means[0])
    assert math.prod(last["ratios"].values()) == pytest.approx(last["ratio"] ** 3)
    assert "1 of 1: sine-1d" in capsys.readouterr().out


@pytest.mark.slow
def test_halving_is_read_from_the_full_grid(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    out = tmp_path / "halving.jsonl"
    halving.main([TASK, "--out", str(out), "--seeds", "1", "--steps", "16"])
    (line,) = out.read_text().splitlines()
    records = json.loads(line)["records"]
    assert [record["scheme"] for record in records] == ["none", "layer@all", "batch@all"]
    assert all(record["validation"] >= 1 for record in records)
    assert "| all | 3 |" in capsys.readouterr().out
