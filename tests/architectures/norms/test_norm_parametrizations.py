"""Parametrizations of the linear map before a site: which map that is, and that nothing else changes."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
import torch
from torch import Tensor, nn
from torch.nn.utils import parametrize

from architectures import NORM_REGISTRY, parse_scheme, register_architecture, register_norm, resolve
from architectures import REGISTRY as ARCHITECTURES
from architectures.analysis.certificate import certificate
from architectures.analysis.prediction import trial_batches
from architectures.building import build_network
from architectures.description import describe, predict
from bench.core.errors import InputError, Unsupported
from bench.core.problem import Problem

FEATURES = Problem("features", (5,))
SEQUENCE = Problem("sequence", (8, 2))
IMAGE = Problem("image", (1, 8, 8))


@pytest.fixture(autouse=True)
def _forget() -> Iterator[None]:
    before = {registry: set(registry.names()) for registry in (NORM_REGISTRY, ARCHITECTURES)}
    yield
    for registry, names in before.items():
        for name in set(registry.names()) - names:
            registry.remove(name)


def parametrized(network: nn.Module) -> list[str]:
    return [name for name, module in network.named_modules() if parametrize.is_parametrized(module)]


@pytest.mark.parametrize(
    ("spelling", "problem", "norm", "maps"),
    [
        ("mlp(depth=3)", FEATURES, "weight@all", ["hidden.0.linear", "hidden.1.linear", "hidden.2.linear"]),
        ("mlp(depth=3)", FEATURES, "weight@2", ["hidden.1.linear"]),
        ("mlp(depth=3)", FEATURES, "weight@hidden2.post+hidden2", ["hidden.1.linear"]),
        ("cnn", IMAGE, "weight@stem+head", ["stem.conv", "stages.2.conv"]),
        ("transformer", SEQUENCE, "weight@embed", ["tokenizer.embed"]),
        ("transformer", FEATURES, "weight@embed", ["tokenizer"]),
        ("transformer", SEQUENCE, "weight@qk", ["blocks.0.0.branch.qkv", "blocks.1.0.branch.qkv"]),
        (
            "transformer",
            SEQUENCE,
            "weight@block1.attn.out+block1.mlp.res",
            ["blocks.0.0.branch.project", "blocks.0.1.branch.fall"],
        ),
        ("resmlp(depth=1)", FEATURES, "weight@all", ["embed", "blocks.0.branch.fall"]),
    ],
)
def test_it_is_the_map_that_ran_last_before_the_site(
    spelling: str, problem: Problem, norm: str, maps: list[str]
) -> None:
    assert parametrized(build_network(resolve(spelling), parse_scheme(norm), problem, 0)) == maps


@pytest.mark.parametrize("spelling", ["mlp", "cnn", "transformer"])
def test_weight_norm_starts_where_the_plain_network_starts(spelling: str) -> None:
    plain, normed = (
        build_network(resolve(spelling), parse_scheme(norm), SEQUENCE, 4).double() for norm in ("none", "weight@all")
    )
    x = torch.randn(3, 8, 2, dtype=torch.float64, generator=torch.Generator().manual_seed(0))
    torch.testing.assert_close(normed(x), plain(x), rtol=1e-5, atol=1e-6)
    before = dict(plain.named_parameters())
    shared = [name for name, p in normed.named_parameters() if name in before and torch.equal(p, before[name])]
    assert len(shared) > 2


def test_spectral_norm_divides_by_the_largest_singular_value() -> None:
    network = build_network(resolve("mlp(width=32)"), parse_scheme("spectral@all"), FEATURES, 0).train()
    for _ in range(100):
        network(torch.randn(4, 5, generator=torch.Generator().manual_seed(0)))
    linear = network.eval().get_submodule("hidden.1.linear")
    assert torch.linalg.matrix_norm(linear.weight, 2).item() == pytest.approx(1.0, abs=1e-3)  # type: ignore[arg-type]


def test_parametrization_and_layer_may_stand_together() -> None:
    scheme = parse_scheme("layer@first+weight@first")
    network = build_network(resolve("mlp(width=16)"), scheme, FEATURES, 0)
    assert parametrized(network) == ["hidden.0.linear"]
    assert isinstance(network.get_submodule("hidden.0.norm"), nn.LayerNorm)
    rows = {row.name: row.norm for row in describe(resolve("mlp"), scheme, FEATURES).sites}
    assert rows["hidden1"] == "layer, weight"
    assert rows["hidden2"] is None


@pytest.mark.parametrize(("norm", "exponent"), [("weight@all", 1), ("spectral@all", 1), ("spectral@all+layer@last", 0)])
def test_a_parametrized_map_stays_linear(norm: str, exponent: int) -> None:
    scheme = parse_scheme(norm)
    assert predict(resolve("mlp"), scheme, FEATURES).exponent == exponent
    network = build_network(resolve("mlp(width=16)"), scheme, FEATURES, 0).double().eval()
    bound = certificate(network, trial_batches(FEATURES.shape))
    assert (bound is not None) == (exponent == 0)
    if bound is not None:
        x = torch.logspace(-2, 8, 50, dtype=torch.float64)[:, None] * torch.randn(
            50, 5, dtype=torch.float64, generator=torch.Generator().manual_seed(0)
        )
        assert network(x).abs().max() <= bound


def test_where_no_linear_map_stands_before_it_is_unsupported() -> None:
    with pytest.raises(Unsupported, match="no linear map before it"):
        build_network(resolve("mlp"), parse_scheme("weight@input"), FEATURES, 0)


class Product(nn.Module):
    """A linear map that no scheme can see into."""

    def __init__(self) -> None:
        super().__init__()
        self.matrix = nn.Parameter(torch.ones(5, 8))

    def forward(self, x: Tensor) -> Tensor:
        return x @ self.matrix


def test_a_map_of_another_type_is_named_and_no_earlier_one_taken_for_it() -> None:
    @register_architecture("test-product", inputs=["features"])
    def build(problem, norm):  # type: ignore[no-untyped-def]
        return nn.Sequential(nn.Linear(problem.size, 5), Product(), norm("hidden", 8), nn.ReLU(), nn.Linear(8, 1))

    with pytest.raises(Unsupported, match="a Product, is no linear map or convolution"):
        build_network(resolve("test-product"), parse_scheme("weight@hidden"), FEATURES, 0)


def test_two_kinds_on_one_map_are_unsupported() -> None:
    with pytest.raises(Unsupported, match=r"parametrizes the linear map 'hidden\.0\.linear' twice"):
        build_network(resolve("mlp"), parse_scheme("weight@hidden1+spectral@hidden1.post"), FEATURES, 0)


def test_a_kind_that_parametrizes_nothing_is_refused() -> None:
    register_norm("test-idle", sort="parametrization")(lambda linear: None)
    with pytest.raises(InputError, match="leaves the weight of the Linear before 'hidden1' as it is"):
        build_network(resolve("mlp"), parse_scheme("test-idle@first"), FEATURES, 0)


class Centred(nn.Module):
    """The weights of each output minus their mean: one parameter, no buffer."""

    def forward(self, weight: Tensor) -> Tensor:
        return weight - weight.mean(1, keepdim=True)


def test_the_chain_does_not_take_a_parametrized_map_for_a_plain_one() -> None:
    from bench.training.programs.chain import links_of

    @register_norm("test-centred", sort="parametrization")
    def centred(linear):  # type: ignore[no-untyped-def]
        parametrize.register_parametrization(linear, "weight", Centred())

    network = build_network(resolve("mlp"), parse_scheme("test-centred@first"), FEATURES, 0)
    assert len(list(network.get_submodule("hidden.0.linear").parameters())) == 2
    assert links_of(network) is None
    assert links_of(build_network(resolve("mlp"), parse_scheme("layer@first+rms@last"), FEATURES, 0)) is not None
