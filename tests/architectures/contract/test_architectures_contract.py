"""The contract: every registered architecture keeps it, and each way of breaking it is named."""

from __future__ import annotations

import importlib.util
import random
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from architectures import REGISTRY, list_architectures, register_architecture, resolve
from architectures.card import Architecture, ArchitectureCard
from architectures.contract.examination import Report, cases, examine
from architectures.norms.placements import NOWHERE
from bench.core.errors import Unsupported

_NEEDS = {"xgboost": "xgboost", "linear-trees": "lightgbm"}


@pytest.mark.parametrize("name", list_architectures())
def test_every_registered_architecture_keeps_the_contract(name: str) -> None:
    if name in _NEEDS and importlib.util.find_spec(_NEEDS[name]) is None:
        pytest.skip(f"{_NEEDS[name]} is not installed")
    report = examine(resolve(name))
    assert report.failures == ()
    assert report.passed
    if "image" in resolve(name).card.inputs:
        assert any("image 3x8x8" in result.where for result in report.results)


@pytest.mark.skipif(not torch.cuda.is_available(), reason="there is no GPU here")
@pytest.mark.parametrize("name", ["mlp", "resmlp", "cnn", "rescnn", "transformer", "decoder", "ft-transformer"])
def test_every_network_keeps_the_contract_on_the_gpu(name: str) -> None:
    assert examine(resolve(name), device="cuda").failures == ()


def head(problem: Any, norm: Any) -> nn.Module:
    """A network that keeps the contract, for the flawed to start from."""
    return nn.Sequential(nn.Linear(problem.size, 8), norm("hidden", 8), nn.Tanh(), nn.Linear(8, 1))


class Around(nn.Module):
    """A good network with a flawed forward."""

    def __init__(self, problem: Any, norm: Any, forward: Callable[[nn.Module, Tensor, Any], Any]) -> None:
        super().__init__()
        self.inner, self.flawed = head(problem, norm), forward
        self.register_buffer("count", torch.zeros(()))

    def forward(self, x: Tensor) -> Any:
        return self.flawed(self.inner, x, self)


def around(forward: Callable[[nn.Module, Tensor, Any], Any]) -> Callable[..., nn.Module]:
    return lambda problem, norm: Around(problem, norm, forward)


def _counts(inner: nn.Module, x: Tensor, self: Any) -> Tensor:
    self.count += 1
    return inner(x)


def _writes(inner: nn.Module, x: Tensor, self: Any) -> Tensor:
    y = inner(x)
    x[...] = 0
    return y


def _sets_threads(problem: Any, norm: Any) -> nn.Module:
    torch.set_num_threads(torch.get_num_threads() + 1)
    return head(problem, norm)


def _own_seed(problem: Any, norm: Any) -> nn.Module:
    torch.manual_seed(3)
    return head(problem, norm)


def _branches_on_the_scheme(problem: Any, norm: Any) -> nn.Module:
    layer = norm("hidden", 8)
    extra = [nn.Linear(8, 8)] if isinstance(layer, nn.LayerNorm) else []
    torch.rand(len(extra))
    return nn.Sequential(nn.Sequential(*extra), nn.Linear(problem.size, 8), layer, nn.Linear(8, 1))


def _unused_parameter(problem: Any, norm: Any) -> nn.Module:
    network = head(problem, norm)
    network[1].spare = nn.Parameter(torch.ones(3))  # type: ignore[index]
    return network


def _tied(problem: Any, norm: Any) -> nn.Module:
    network = nn.Sequential(nn.Linear(problem.size, 8), nn.Linear(8, 8), nn.Linear(8, 8), norm("a", 8), nn.Linear(8, 1))
    network[2].weight = network[1].weight
    return network


def _unapplied_norm(problem: Any, norm: Any) -> nn.Module:
    norm("elsewhere", 8)
    return head(problem, norm)


FLAWS: dict[str, tuple[Callable[..., Any], str, str]] = {
    "wrong shape": (around(lambda inner, x, self: inner(x)[:, 0]), "answers one number a row", "(N, 1)"),
    "a list": (around(lambda inner, x, self: [inner(x)]), "answers one number a row", "returns a list"),
    "float32 always": (
        around(lambda inner, x, self: inner(x).float()),
        "works in float32 and float64",
        "torch.float32",
    ),
    "not finite": (around(lambda inner, x, self: inner(x).exp().log() / x.sum()), "answers are finite", "not finite"),
    "explodes": (
        around(lambda inner, x, self: inner(x) + (x**3).exp().sum(1, True)),
        "answers are finite",
        "far inputs",
    ),
    "detached": (
        around(lambda inner, x, self: inner[3](inner[0](x).detach())),
        "gradient reaches every parameter",
        "no gradient",
    ),  # type: ignore[index]
    "unused parameter": (_unused_parameter, "gradient reaches every parameter", "spare"),
    "its own seed": (_own_seed, "the seed decides the weights", "two seeds are equal"),
    "numbers from outside": (
        lambda problem, norm: _Factor(head(problem, norm)),
        "the seed decides the weights",
        "two builds at one seed differ",
    ),
    "other weights under a scheme": (_branches_on_the_scheme, "schemes share their weights", "starts elsewhere"),
    "random": (
        around(lambda inner, x, self: inner(x) + torch.rand(len(x), 1, dtype=x.dtype)),
        "evaluation is repeatable",
        "two evaluations differ",
    ),
    "counts in evaluation": (around(_counts), "evaluation is repeatable", "changes count"),
    "mixes rows": (around(lambda inner, x, self: inner(x - x.mean(0))), "rows do not mix in evaluation", "other rows"),
    "writes": (around(_writes), "leaves its inputs alone", "changes its inputs"),
    "threads": (_sets_threads, "leaves the process alone", "number of threads"),
    "tied": (_tied, "weights survive a file", "share memory"),
    "unapplied norm": (_unapplied_norm, "every site is used", "'elsewhere'"),
    "no module": (lambda problem, norm: 3, "every kind it claims", "built a int"),
    "raises": (lambda problem, norm: 1 / 0, "every kind it claims", "ZeroDivisionError"),
    "announces other channels": (
        lambda problem, norm: nn.Sequential(nn.Linear(problem.size, 8), norm("a", 9), nn.Linear(8, 1)),
        "every kind it claims",
        "announced with 9 channels",
    ),
}


class _Factor(nn.Module):
    def __init__(self, inner: nn.Module) -> None:
        super().__init__()
        self.inner = inner
        self.factor = nn.Parameter(torch.tensor(random.SystemRandom().random()))

    def forward(self, x: Tensor) -> Tensor:
        return self.inner(x) * self.factor


@pytest.fixture
def threads() -> Iterator[None]:
    before = torch.get_num_threads()
    yield
    torch.set_num_threads(before)


def examined(build: Callable[..., Any]) -> Report:
    register_architecture("test-flawed", inputs=["features"])(build)
    try:
        return examine(resolve("test-flawed"))
    finally:
        REGISTRY.remove("test-flawed")


def test_a_good_plugin_passes() -> None:
    report = examined(head)
    assert report.failures == ()
    assert report.passed


def test_what_cannot_be_stacked_is_no_flaw() -> None:
    """Dropout draws in training, which vmap refuses: such members train one after the other."""

    def build(problem, norm):  # type: ignore[no-untyped-def]
        return nn.Sequential(nn.Dropout(0.1), head(problem, norm))

    assert examined(build).passed


@pytest.mark.usefixtures("threads")
@pytest.mark.parametrize("flaw", FLAWS)
def test_each_flaw_is_found_by_its_check_and_named(flaw: str) -> None:
    build, check, words = FLAWS[flaw]
    report = examined(lambda problem, norm: build(problem, norm))
    assert not report.passed
    failures = [failure for failure in report.failures if failure.check == check]
    assert failures, [(f.check, f.found) for f in report.failures]
    assert any(words in failure.found + failure.hint for failure in failures), failures
    assert all(failure.hint and failure.tried and "\n" not in failure.found for failure in report.failures)


def test_claiming_what_it_refuses_is_found() -> None:
    def build(problem, norm):  # type: ignore[no-untyped-def]
        if problem.kind != "features":
            raise Unsupported("tables only")
        return head(problem, norm)

    register_architecture("test-flawed")(build)
    try:
        failures = examine(resolve("test-flawed")).failures
    finally:
        REGISTRY.remove("test-flawed")
    assert "claims image inputs and refuses them: tables only" in failures[0].found


def test_a_case_says_what_it_is_about_to_do_before_it_runs() -> None:
    case = next(iter(cases(resolve("mlp"))))
    assert case.name == "every kind it claims"
    assert "norm none" in case.where
    names = {case.name for case in cases(resolve("mlp"))}
    assert "stacked training equals lone training" in names


class Guess:
    """A flawed estimator."""

    def __init__(self, flaw: str) -> None:
        self.flaw, self.mean = flaw, 0.0

    def fit(self, inputs: Any, targets: Any, validation_inputs: Any, validation_targets: Any) -> None:
        self.mean = float(np.mean(targets))
        if self.flaw == "random":
            self.mean += random.SystemRandom().random()
        if self.flaw == "writes":
            targets[:] = 0

    def predict(self, inputs: Any) -> Any:
        answers = {
            "shape": lambda: np.full((len(inputs), 1), self.mean),
            "dtype": lambda: np.full(len(inputs), self.mean, np.float32),
            "infinite": lambda: np.full(len(inputs), np.inf),
            "mixes": lambda: np.full(len(inputs), float(np.mean(inputs))),
        }
        return answers.get(self.flaw, lambda: np.full(len(inputs), self.mean))()


@pytest.mark.parametrize(
    ("flaw", "check"),
    [
        ("shape", "predicts one number a row"),
        ("dtype", "predicts one number a row"),
        ("infinite", "predicts one number a row"),
        ("random", "fitting is repeatable"),
        ("mixes", "rows do not mix"),
        ("writes", "leaves its data alone"),
        ("none", ""),
    ],
)
def test_flawed_estimators_are_found(flaw: str, check: str) -> None:
    card = ArchitectureCard(
        name="test-guess",
        version="1",
        summary="a guess",
        family="estimator",
        inputs=("features",),
        build=lambda problem: Guess(flaw),
        options=None,
        role="estimator",
        deterministic=True,
        citation="none",
        placements=NOWHERE,
        origin="plug-in",
        source_hash="none",
    )
    report = examine(Architecture(card))
    assert {failure.check for failure in report.failures} == ({check} if check else set())
