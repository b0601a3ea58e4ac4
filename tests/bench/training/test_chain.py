"""The program ``chain`` against autograd: every link, alone and after one another, in training and in evaluation."""

from __future__ import annotations

from collections.abc import Callable

import pytest
import torch
from torch import Tensor, nn

import architectures
from architectures.blocks.activations import Erf, Sine
from architectures.building import build_network
from bench.core.problem import Problem
from bench.training.programs.chain import ChainStack, links_of
from bench.training.programs.vmap import Stack

ACTIVATIONS = [nn.ReLU, nn.GELU, nn.SiLU, nn.Tanh, nn.LeakyReLU, Erf, Sine]
NORMS: list[Callable[[], nn.Module]] = [
    lambda: nn.LayerNorm(16),
    lambda: nn.LayerNorm(16, elementwise_affine=False),
    lambda: nn.RMSNorm(16, eps=1e-5),
    lambda: nn.BatchNorm1d(16),
    lambda: nn.BatchNorm1d(16, affine=False, momentum=0.3, eps=1e-3),
    nn.Identity,
]
RATES = [1e-3, 1e-3, 1e-2]


def rows(count: int = 30, width: int = 3) -> tuple[Tensor, Tensor]:
    draw = torch.Generator().manual_seed(1)
    x = torch.randn(count, width, generator=draw, dtype=torch.float64)
    return x, x[:, 0] * x[:, 1]


def held_equal(build: Callable[[int], nn.Module], inputs: Tensor, targets: Tensor) -> None:
    """Twelve steps of three members on shared rows and rows of their own in turn; the middle one leaves after six."""
    chain, stack = ChainStack([build(s) for s in (0, 1, 2)], RATES), Stack([build(s) for s in (0, 1, 2)], RATES)
    own = torch.stack([inputs, inputs * 0.7, inputs.roll(1, 0)]), torch.stack([targets, -targets, targets])
    # a bias before a batch norm has no gradient but rounding, and Adam makes steps of rounding
    rough = any(isinstance(layer, nn.BatchNorm1d) for layer in build(0).modules())
    close = {"rtol": 1e-6, "atol": 1e-8} if rough else {"rtol": 1e-9, "atol": 1e-11}
    losses = {"rtol": 1e-10, "atol": 1e-12} if rough else {"rtol": 1e-11, "atol": 1e-13}
    for step in range(12):
        if step == 6:
            chain.retain([0, 2])
            stack.retain([0, 2])
            own = own[0][[0, 2]], own[1][[0, 2]]
        batch = own if step % 2 else (inputs, targets)
        torch.testing.assert_close(chain.step(*batch), stack.step(*batch), **losses)
        if step % 4 == 3:  # a check between steps changes nothing
            found, expected = chain.predict(own[0], own=True), stack.predict(own[0], own=True)
            torch.testing.assert_close(found, expected, **close)
    for place in (0, 1):
        assert chain.state(place).keys() == stack.state(place).keys() == dict(build(0).state_dict()).keys()
        for name, tensor in stack.state(place).items():
            torch.testing.assert_close(chain.state(place)[name], tensor, **close)
    torch.testing.assert_close(chain.predict(inputs), stack.predict(inputs), **close)


@pytest.mark.parametrize("activation", ACTIVATIONS)
@pytest.mark.parametrize("norm", NORMS)
@pytest.mark.parametrize("after", [False, True])
def test_a_chain_equals_autograd(activation: type[nn.Module], norm: Callable[[], nn.Module], after: bool) -> None:
    def build(seed: int) -> nn.Module:
        torch.manual_seed(seed)
        pair = [activation(), norm()] if after else [norm(), activation()]
        return nn.Sequential(nn.Linear(3, 16), *pair, nn.Linear(16, 16), activation(), nn.Linear(16, 1)).double()

    held_equal(build, *rows())


SCHEMES = [
    "batch@all",
    "batch(affine=false)@first+layer@last",
    "batch@all+rms@hidden2.post",
    "dyt@all",
    "dyt(affine=false, alpha=2.0)@first+batch@hidden1.post",
    "derf@all",
    "derf(affine=false, s=0.3)@first+rms@last",
    "tanh(limit=0.5)@first+batch@last",
    "clamp(limit=0.5)@first+dyt@hidden2.post",
    "scale@all",
    "scale(affine=false)@all",
    "clip@input",
    "clip@input+batch@all+scale@hidden2.post",
]


@pytest.mark.parametrize("inputs", [1, 2, 5, 20])
def test_products_of_any_shape_are_those_of_autograd(inputs: int) -> None:
    """Few inputs, many and one; one output and several inside."""

    def build(seed: int) -> nn.Module:
        torch.manual_seed(seed)
        layers = nn.Linear(inputs, 16), nn.Tanh(), nn.Linear(16, 1), nn.Linear(1, 5), nn.Linear(5, 20), nn.Linear(20, 1)
        return nn.Sequential(*layers).double()

    x = torch.randn(30, inputs, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
    held_equal(build, x, x.sum(1))


@pytest.mark.parametrize("scheme", SCHEMES)
@pytest.mark.parametrize("problem", [Problem("features", (5,)), Problem("sequence", (4, 2))])
@pytest.mark.parametrize("activation", ["relu", "tanh"])
def test_schemes_of_the_registry_train_as_a_chain(scheme: str, problem: Problem, activation: str) -> None:
    spelled = architectures.resolve(f"mlp(depth=2, width=16, activation={activation})")

    def build(seed: int) -> nn.Module:
        return build_network(spelled, architectures.parse_scheme(scheme), problem, seed).double()

    inputs, targets = rows(width=problem.size)
    inputs[0] = 0.0  # what a length divides by
    held_equal(build, 3 * inputs.reshape(-1, *problem.shape), targets)


def test_a_scale_norm_of_zeros_stays_finite_and_equal() -> None:
    def build(seed: int) -> nn.Module:
        module = build_network(
            architectures.resolve("mlp(depth=1)"), architectures.parse_scheme("scale@all"), FLAT, seed
        )
        for parameter in module.get_submodule("hidden.0.linear").parameters():
            nn.init.zeros_(parameter)
        return module.double()

    held_equal(build, *rows())


FLAT = Problem("features", (3,))


def test_one_row_has_no_variance() -> None:
    module = nn.Sequential(nn.Linear(3, 4), nn.BatchNorm1d(4), nn.Linear(4, 1))
    with pytest.raises(ValueError, match="more than 1 value per channel"):
        ChainStack([module], [1e-3]).step(torch.zeros(1, 3), torch.zeros(1))


@pytest.mark.parametrize(
    "norm",
    [
        nn.BatchNorm1d(4, momentum=None),
        nn.BatchNorm1d(4, track_running_stats=False),
        nn.InstanceNorm1d(4),
        nn.LayerNorm(4, bias=False),
        nn.Softplus(),
    ],
)
def test_what_no_link_computes_is_no_chain(norm: nn.Module) -> None:
    assert links_of(nn.Sequential(nn.Linear(3, 4), norm, nn.Linear(4, 1))) is None


def test_a_buffer_that_no_link_knows_is_no_chain() -> None:
    module = nn.Sequential(nn.Linear(3, 4), nn.BatchNorm1d(4), nn.Linear(4, 1))
    assert links_of(module) is not None
    module[0].register_buffer("mine", torch.zeros(1))
    assert links_of(module) is None


@pytest.mark.parametrize("norm", ["batch@all", "dyt@all", "derf@all", "scale@all"])
def test_float32_agrees_over_the_first_steps(norm: str) -> None:
    def build(seed: int) -> nn.Module:
        return build_network(architectures.resolve("mlp(depth=3)"), architectures.parse_scheme(norm), FLAT, seed)

    inputs, targets = (t.float() for t in rows(100))
    chain, stack = ChainStack([build(0), build(1)], [1e-3] * 2), Stack([build(0), build(1)], [1e-3] * 2)
    for _ in range(10):
        torch.testing.assert_close(chain.step(inputs, targets), stack.step(inputs, targets), rtol=1e-4, atol=1e-6)
