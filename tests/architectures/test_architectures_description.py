"""Descriptions: what they say is what the network is."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor, nn

from architectures import REGISTRY, describe, parse_scheme, register_architecture, resolve
from architectures.building import build_network
from architectures.contract.examples import EXAMPLES
from architectures.description import count_flops, placements_of
from bench.core.errors import InputError
from bench.core.problem import Problem

FEATURES = Problem("features", (5,))
CASES = [
    ("mlp(depth=3)", "layer@first", FEATURES),
    ("resmlp", "none", FEATURES),
    ("cnn", "group@all", EXAMPLES["image"][1]),
    ("rescnn", "batch@branch", EXAMPLES["sequence"][0]),
    ("transformer(readout=cls)", "rms@pre+qk", EXAMPLES["image"][0]),
    ("decoder", "layer@pre+dyt@final", EXAMPLES["sequence"][1]),
    ("ft-transformer", "scale@all", FEATURES),
]


@pytest.mark.parametrize(("spelling", "norm", "problem"), CASES)
def test_it_counts_and_lists_what_the_network_has(spelling: str, norm: str, problem: Problem) -> None:
    described = describe(resolve(spelling), parse_scheme(norm), problem)
    network = build_network(resolve(spelling), parse_scheme(norm), problem, 0)
    assert described.parameters == sum(p.numel() for p in network.parameters())
    assert described.parameters == sum(count for _, count in described.parts)
    assert described.parameters == sum(row.parameters for row in described.layers)
    assert described.architecture == resolve(spelling).name
    assert described.norm == norm
    modules = dict(network.named_modules())
    assert all(type(modules[row.name]).__name__ == row.type for row in described.layers)
    assert described.layers[-1].output == (1,)
    normed = [site.name for site in described.sites if site.norm]
    assert list(dict.fromkeys(row.site for row in described.layers if row.site)) == normed
    assert all((row.site is None) == (row.norm is None) for row in described.layers)


def test_layers_come_in_forward_order_with_the_norms_marked() -> None:
    described = describe(resolve("mlp"), parse_scheme("layer(eps=1e-3)@first"), FEATURES)
    assert [(row.type, row.norm) for row in described.layers] == [
        ("Linear", None),
        ("LayerNorm", "layer(eps=0.001)"),
        ("ReLU", None),
        ("Linear", None),
        ("ReLU", None),
        ("Linear", None),
    ]
    assert [(site.name, site.words) for site in described.sites if site.words] == [
        ("hidden1", ("first", "all")),
        ("hidden2", ("last", "all")),
    ]


def test_the_cost_is_two_operations_a_weight_forwards_and_about_four_backwards() -> None:
    described = describe(resolve("mlp(width=7)"), parse_scheme("layer@all"), FEATURES, batch_size=10)
    weights = 5 * 7 + 7 * 7 + 7
    assert described.flops_forward == 2 * weights
    assert described.flops_step == 10 * (6 * weights - 2 * 5 * 7)


def test_the_cost_counted_without_numbers_is_the_cost_with_them() -> None:
    for spelling, norm, problem in CASES:
        network = build_network(resolve(spelling), parse_scheme(norm), problem, 0)
        described = describe(resolve(spelling), parse_scheme(norm), problem, batch_size=4)
        assert described.flops_step == count_flops(network, problem, 4, backward=True)
        assert all(parameter.grad is None for parameter in network.parameters())


def test_describing_allocates_nothing() -> None:
    """Nearly two hundred million parameters, described from shapes alone."""
    described = describe(resolve("mlp(width=9900, depth=3)"), parse_scheme("layer@all"), FEATURES, batch_size=1)
    assert described.parameters is not None
    assert described.parameters > 190e6
    with pytest.raises(InputError, match="more than the 200,000,000 allowed"):
        describe(resolve("mlp(width=20000, depth=3)"), parse_scheme("none"), FEATURES)


def test_describing_draws_nothing() -> None:
    state = torch.random.get_rng_state()
    describe(resolve("transformer"), parse_scheme("none"), FEATURES)
    assert torch.equal(state, torch.random.get_rng_state())


def test_estimators_are_described_by_their_growth() -> None:
    described = describe(resolve("ridge"), parse_scheme("none"), FEATURES)
    assert described.layers == described.sites == ()
    assert described.parameters is None
    assert described.prediction.exponent == 1


def test_placement_words_are_shown_with_the_sites_they_mean() -> None:
    table = dict(placements_of(resolve("transformer(depth=1)"), FEATURES))
    assert table["pre"] == ("block1.attn.in", "block1.mlp.in")
    assert table["first"] == ("embed",)
    assert table["qk"] == ("block1.attn.qk",)


def _reads_a_value(problem, norm):  # type: ignore[no-untyped-def]
    class Net(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.linear, self.norm = nn.Linear(problem.size, 4), norm("a", 4)
            self.head = nn.Linear(4, 1)

        def forward(self, x: Tensor) -> Tensor:
            return self.head(self.norm(self.linear(x))) * (2.0 if x.abs().sum().item() >= 0 else 1.0)

    return Net()


def _needs_numbers_to_build(problem, norm):  # type: ignore[no-untyped-def]
    linear = nn.Linear(problem.size, 4)
    with torch.no_grad():
        linear.weight /= float(linear.weight.norm())
    return nn.Sequential(linear, norm("a", 4), nn.Linear(4, 1))


@pytest.mark.parametrize("build", [_reads_a_value, _needs_numbers_to_build])
def test_a_plugin_that_needs_real_numbers_is_described_from_them(build) -> None:  # type: ignore[no-untyped-def]
    register_architecture("test-numbers", inputs=["features"])(build)
    try:
        architecture = resolve("test-numbers")
    finally:
        REGISTRY.remove("test-numbers")
    described = describe(architecture, parse_scheme("layer@all"), FEATURES)
    assert described.parameters == 5 * 4 + 4 + 8 + 5
    assert [site.name for site in described.sites] == ["a"]
    assert described.flops_forward == 2 * (5 * 4 + 4)
