"""What a card says of lengths and of looking back is held against the network."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from architectures import REGISTRY, register_architecture, register_estimator, resolve
from architectures.contract.examination import Report, cases, examine


class Steps(nn.Module):
    """An answer at each step from a mean over the steps so far, or over all; or one answer from their mean."""

    def __init__(self, problem: Any, norm: Any, *, ahead: bool = False, fixed: bool = False) -> None:
        super().__init__()
        self.each_step, self.ahead = problem.each_step, ahead
        self.rise, self.fall = nn.Linear(problem.shape[1], 8), nn.Linear(8, 1)
        self.norm = norm("hidden", 8)
        self.weights = nn.Parameter(torch.ones(problem.shape[0], 1)) if fixed else None

    def forward(self, x: Tensor) -> Tensor:
        hidden = torch.tanh(self.norm(self.rise(x)))
        if self.weights is not None:
            hidden = hidden * self.weights
        if not self.each_step:
            return self.fall(hidden.mean(1))
        count = torch.arange(1, x.shape[1] + 1, dtype=x.dtype, device=x.device)[:, None]
        seen = hidden.mean(1, keepdim=True) + hidden if self.ahead else hidden.cumsum(1) / count
        answer: Tensor = self.fall(seen).squeeze(-1)
        return answer


@pytest.fixture
def registered() -> Iterator[list[str]]:
    names: list[str] = []
    yield names
    for name in names:
        REGISTRY.remove(name)


def examined(registered: list[str], **more: bool) -> Report:
    def build(problem, norm):  # type: ignore[no-untyped-def]
        """Steps."""
        return Steps(problem, norm, **more)

    name = f"steps-{len(registered)}"
    register_architecture(name, inputs=["sequence"], any_length=True, each_step=True, causal=True)(build)
    registered.append(name)
    return examine(resolve(name))


def test_a_network_that_is_as_its_card_says_passes(registered: list[str]) -> None:
    report = examined(registered)
    assert report.failures == ()
    ran = {(result.check, "each step" in result.where) for result in report.results if result.passed}
    assert {("takes sequences of any length", False), ("takes sequences of any length", True)} <= ran
    assert ("looks back alone", True) in ran
    assert ("looks back alone", False) not in ran


def test_one_length_said_to_be_any_is_found(registered: list[str]) -> None:
    failures = {result.check: result.found for result in examined(registered, fixed=True).failures}
    assert list(failures) == ["takes sequences of any length"]
    assert "fails on 14 steps" in failures["takes sequences of any length"]


def test_looking_ahead_said_to_be_causal_is_found(registered: list[str]) -> None:
    failures = {result.check: result.found for result in examined(registered, ahead=True).failures}
    assert list(failures) == ["looks back alone"]
    assert "changes with step 2" in failures["looks back alone"]


def test_one_answer_where_each_step_is_asked_for_is_found(registered: list[str]) -> None:
    def build(problem, norm):  # type: ignore[no-untyped-def]
        """One answer."""
        return nn.Sequential(nn.Flatten(), nn.Linear(problem.size, 8), norm("hidden", 8), nn.Tanh(), nn.Linear(8, 1))

    register_architecture("one-answer", inputs=["sequence"], each_step=True)(build)
    registered.append("one-answer")
    failures = examine(resolve("one-answer")).failures
    assert {result.check for result in failures} == {"answers one number a row"}
    assert all("(N, 7)" in result.hint and "each step" in result.where for result in failures)


def test_an_estimator_of_one_length_said_to_take_any_is_found(registered: list[str]) -> None:
    @register_estimator("first-steps", inputs=["sequence"], any_length=True)
    class FirstSteps:
        def __init__(self, problem: Any) -> None:
            self.weights = np.ones(problem.size)

        def fit(self, inputs: Any, targets: Any, validation_inputs: Any, validation_targets: Any) -> None:
            pass

        def predict(self, inputs: Any) -> Any:
            return inputs.reshape(len(inputs), -1).astype("float64") @ self.weights

    registered.append("first-steps")
    assert {result.check for result in examine(resolve("first-steps")).failures} == {"predicts for any length"}


@pytest.mark.parametrize("spelling", ["decoder(positions=rope)", "transformer(positions=alibi)", "cnn", "last-value"])
def test_what_says_any_length_among_the_built_in_keeps_it(spelling: str) -> None:
    wanted = {"takes sequences of any length", "predicts for any length", "looks back alone"}
    results = [case.run() for case in cases(resolve(spelling)) if case.name in wanted]
    assert not [result for result in results if result.passed is False]
    checks = {result.check for result in results if result.passed}
    assert checks & {"takes sequences of any length", "predicts for any length"}
    assert ("looks back alone" in checks) == spelling.startswith("decoder")


def test_options_decide_before_the_card() -> None:
    said = [resolve(f"decoder(positions={one})").any_length for one in ("learned", "none", "rope")]
    assert said == [False, True, True]
