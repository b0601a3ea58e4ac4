"""The training loop that a page offers to paste against the program that made the records."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import Any

import pytest
import torch
from sklearn.datasets import load_diabetes
from torch import nn

import farfield as ff
from architectures import parse_scheme, resolve
from architectures.building import build_network
from bench.comparing.choice import Choice
from bench.comparing.code import paste
from bench.plan.protocol import get_protocol
from bench.training.rows import TrainingData
from bench.training.train import train


@pytest.mark.parametrize(
    ("norm", "name"),
    [
        ("none", "2"),
        ("layer@first", "2"),
        *(("none", variant) for variant in ("2-sgd", "2-adamw-0.1", "2-last", "2-fixed")),
    ],
)
def test_it_halves_and_selects_as_the_program_does(
    tmp_path: Path, norm: str, name: str, capsys: pytest.CaptureFixture[str]
) -> None:
    load_diabetes(as_frame=True).frame.to_csv(tmp_path / "my.csv", index=False)
    table = ff.own_data(tmp_path / "my.csv", target="target", far_by="bmi")
    loaded = table.load()
    protocol = dataclasses.replace(get_protocol(name), step_share=0.1)
    choice = Choice("mlp(width=8)", norm, True, 0.5, norm, 0.5, None, {})  # type: ignore[arg-type]

    def network(seed: int = 0) -> nn.Module:
        return build_network(resolve(choice.architecture), parse_scheme(norm), loaded.problem, 3)

    head, tail = paste(table, loaded, choice, protocol).split("def error(")
    scope: dict[str, Any] = {}
    exec(head, scope)
    scope["network"] = network  # with the weights of the program's
    exec("def error(" + tail.split("# How far from the training mean")[0], scope)

    def tensor(values: Any) -> torch.Tensor:
        return torch.as_tensor(values, dtype=torch.float32)

    rows = TrainingData(
        tensor(loaded.train.inputs),
        tensor(loaded.train.targets),
        tensor(loaded.validation.inputs),
        tensor(loaded.validation.targets),
    )
    schedule = protocol.schedule(loaded.card, len(loaded.train))
    (result,) = train(network, [0], {0: rows}, schedule, program="loop")
    assert scope["rate"] == result.learning_rate
    scale = loaded.validation.targets.astype(float)
    kept = min(result.curve.validation) if schedule.selects else result.curve.validation[-1]
    expected = (kept / (scale**2).mean()) ** 0.5
    assert scope["least"] == pytest.approx(expected, rel=1e-3)
    assert f"learning rate {result.learning_rate:g}: validation error" in capsys.readouterr().out


def test_a_rate_that_diverges_is_out(tmp_path: Path) -> None:
    """All but one rate answer with NaN from the first step on."""
    load_diabetes(as_frame=True).frame.to_csv(tmp_path / "my.csv", index=False)
    table = ff.own_data(tmp_path / "my.csv", target="target", far_by="bmi")
    loaded = table.load()
    choice = Choice("mlp(width=8)", "none", True, 0.5, "none", 0.5, None, {})  # type: ignore[arg-type]
    protocol = dataclasses.replace(get_protocol("2"), step_share=0.04)
    head, tail = paste(table, loaded, choice, protocol).split("def error(")
    scope: dict[str, Any] = {}
    exec(head, scope)
    built = iter(range(99))
    plain = scope["network"]

    def network() -> nn.Module:
        made: nn.Module = plain()
        if next(built) in (0, 1, 3, 4, 5):  # in the order of the rates; what is built later is for the weights kept
            with torch.no_grad():
                next(made.parameters()).fill_(torch.nan)
        return made

    scope["network"] = network
    exec("def error(" + tail.split("# How far from the training mean")[0], scope)
    assert scope["rate"] == scope["RATES"][2]
