"""Derf, tanh and clamp: the formula of each entry, what may be asked for, and their links in a chain."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch
from scipy.special import erf
from torch import Tensor, nn

from architectures import parse_scheme, resolve
from architectures.building import build_network
from architectures.norms.layers import make_norm
from architectures.norms.site import Site
from bench.core.errors import InputError
from bench.core.problem import Problem
from bench.training.programs.chain import ChainStack, links_of
from bench.training.programs.loop import Single

FEATURES = Problem("features", (5,))


def layer_of(text: str, site: Site) -> nn.Module:
    return make_norm(parse_scheme(f"{text}@x").parts[0].kind, site).double()


def entries(*shape: int) -> Tensor:
    return 3 * torch.randn(shape, dtype=torch.float64, generator=torch.Generator().manual_seed(0))


def test_derf_is_the_formula_of_its_paper() -> None:
    """``gamma erf(alpha x + s) + beta`` with one alpha, one s, and gamma and beta per channel (arXiv 2512.10938)."""
    last, first = layer_of("derf(alpha=0.7, s=-0.2)", Site("x", 6, "last", (4,))), Site("x", 6, "first", (4,))
    turned = layer_of("derf(alpha=0.7, s=-0.2)", first)
    gamma, beta = np.linspace(0.5, 2, 6), np.linspace(-1, 1, 6)
    for layer in (last, turned):
        assert {name.rpartition(".")[2] for name, _ in layer.named_parameters()} == {"alpha", "s", "weight", "bias"}
        for name, parameter in layer.named_parameters():
            if parameter.dim():
                parameter.data.copy_(torch.from_numpy(gamma if name.endswith("weight") else beta))
    x = entries(3, 4, 6)
    expected = gamma * erf(0.7 * x.numpy() - 0.2) + beta
    assert last(x).detach().numpy() == pytest.approx(expected, rel=1e-6)
    assert turned(x.movedim(-1, 1)).movedim(1, -1).detach().numpy() == pytest.approx(expected, rel=1e-6)


def test_derf_starts_as_its_paper_says_and_without_affine_learns_alpha_and_s_alone() -> None:
    plain = layer_of("derf(affine=false)", Site("x", 6))
    assert {name: p.item() for name, p in plain.named_parameters()} == {"alpha": 0.5, "s": 0.0}
    full = dict(layer_of("derf", Site("x", 6)).named_parameters())
    assert full["weight"].tolist() == [1.0] * 6
    assert full["bias"].tolist() == [0.0] * 6


@pytest.mark.parametrize(
    ("text", "formula"),
    [
        ("tanh", np.tanh),
        ("tanh(limit=2.5)", lambda x: 2.5 * np.tanh(x / 2.5)),
        ("clamp", lambda x: np.clip(x, -3, 3)),
        ("clamp(limit=0.5)", lambda x: np.clip(x, -0.5, 0.5)),
    ],
)
def test_tanh_and_clamp_are_their_formulas_with_nothing_learned(text, formula) -> None:  # type: ignore[no-untyped-def]
    for layout in ("last", "first"):
        layer = layer_of(text, Site("x", 6, layout, (4,)))  # type: ignore[arg-type]
        x = entries(3, 6, 4)
        assert layer(x).numpy() == pytest.approx(formula(x.numpy()), abs=1e-12)
        assert not list(layer.parameters())
        assert not list(layer.buffers())


@pytest.mark.parametrize("text", ["clamp(limit=0)@first", "tanh(limit=1e5)@first", "derf(alpha=-1)@first"])
def test_options_that_mean_nothing_are_refused(text: str) -> None:
    with pytest.raises(InputError):
        parse_scheme(text)


@pytest.mark.parametrize(
    "norm",
    [
        "tanh@all",
        "tanh(limit=0.3)@hidden1",
        "clamp(limit=0.4)@all",
        "tanh@hidden1.post+layer@hidden2",
        "clamp@hidden2.post",
    ],
)
@pytest.mark.parametrize("act", ["relu", "tanh", "gelu"])
def test_their_links_learn_what_autograd_learns(norm: str, act: str) -> None:
    def member(seed: int) -> nn.Module:
        architecture = resolve(f"mlp(width=16, activation={act})")
        return build_network(architecture, parse_scheme(norm), FEATURES, seed).double()

    assert links_of(member(0)) is not None
    chain, alone = ChainStack([member(0), member(1)], [1e-2] * 2), [Single([member(s)], [1e-2]) for s in (0, 1)]
    x = entries(20, 5)
    z = x.sum(1).sin()
    for _ in range(5):
        losses = chain.step(x, z)
        torch.testing.assert_close(losses, torch.cat([one.step(x, z) for one in alone]))
    torch.testing.assert_close(chain.predict(x), torch.cat([one.predict(x) for one in alone]))


def test_far_away_each_answers_with_its_limit() -> None:
    """Where every entry is saturated a layer gives ±limit (derf: ±gain + shift), whatever the direction."""
    far = torch.tensor([[1e8, -1e8, 1e8]], dtype=torch.float64)
    for text, most in (("derf", 1.0), ("tanh(limit=2)", 2.0), ("clamp(limit=5)", 5.0)):
        assert layer_of(text, Site("x", 3))(far).detach().tolist() == [[most, -most, most]]
    assert math.isfinite(layer_of("derf", Site("x", 3))(1e300 * far).detach().sum().item())
