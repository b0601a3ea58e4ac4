"""Residual networks, the decoder and FT-Transformer against modules written out by hand; options of all families."""

from __future__ import annotations

import math
from collections.abc import Callable

import pytest
import torch
from torch import Tensor, nn

from architectures import parse_scheme, resolve
from architectures.blocks.layers import Affine
from architectures.building import build_network
from bench.core.errors import Unsupported
from bench.core.problem import Problem

FEATURES = Problem("features", (5,), (-1.5, 2.5))
IMAGE = Problem("image", (2, 8, 8))
SEQUENCE = Problem("sequence", (7, 2))


def network(spelling: str, norm: str, problem: Problem, seed: int = 0) -> nn.Module:
    return build_network(resolve(spelling), parse_scheme(norm), problem, seed).double().eval()


def data(problem: Problem, count: int = 6) -> Tensor:
    return torch.randn(count, *problem.shape, dtype=torch.float64, generator=torch.Generator().manual_seed(1))


def layer_norm(dim: int) -> Callable[[Tensor], Tensor]:
    def norm(x: Tensor) -> Tensor:
        centred = x - x.mean(dim, keepdim=True)
        return centred / (centred.pow(2).mean(dim, keepdim=True) + 1e-5).sqrt()

    return norm


class ByHand:
    """Layers by their names in a state dict, and a layer norm at the sites of ``normed``."""

    def __init__(self, net: nn.Module, normed: set[str], dim: int = -1) -> None:
        self.weights, self.normed, self.norm = net.state_dict(), normed, layer_norm(dim)

    def at(self, site: str, x: Tensor) -> Tensor:
        return self.norm(x) if site in self.normed else x

    def linear(self, path: str, x: Tensor) -> Tensor:
        return x @ self.weights[f"{path}.weight"].T + self.weights[f"{path}.bias"]


def places(words: str, *branches: str) -> set[str]:
    return {f"{branch}.{word}" for branch in branches for word in words.split()}


BLOCKS = ("block1", "block2")


@pytest.mark.parametrize(
    ("place", "normed"),
    [
        ("first", {"embed"}),
        ("last", {"final"}),
        ("pre", places("in", *BLOCKS)),
        ("post", places("res", *BLOCKS)),
        ("sandwich", places("in out", *BLOCKS)),
        ("all", {"embed", "final"} | places("in", *BLOCKS)),
        ("block2.out", {"block2.out"}),
    ],
)
def test_residual_mlp(place: str, normed: set[str]) -> None:
    net = network("resmlp(width=8, ratio=2)", f"layer@{place}", FEATURES)
    hand, x = ByHand(net, normed), data(FEATURES)
    h = hand.at("embed", hand.linear("embed", x))
    for i in range(2):
        site, path = f"block{i + 1}", f"blocks.{i}.branch"
        y = hand.linear(f"{path}.fall", hand.linear(f"{path}.rise", hand.at(f"{site}.in", h)).clamp_min(0))
        h = hand.at(f"{site}.res", h + hand.at(f"{site}.out", y))
    torch.testing.assert_close(net(x), hand.linear("head", hand.at("final", h)))


STAGES = ("stage1", "stage2")


@pytest.mark.parametrize("problem", [IMAGE, SEQUENCE], ids=["image", "sequence"])
@pytest.mark.parametrize(
    ("place", "normed"),
    [
        ("first", {"stem"}),
        ("last", {"head"}),
        ("pre", places("in", *STAGES)),
        ("post", places("res", *STAGES)),
        ("sandwich", places("in out", *STAGES)),
        ("branch", places("mid out", *STAGES)),
        ("all", {"stem", "head"} | places("in", *STAGES)),
    ],
)
def test_residual_cnn(problem: Problem, place: str, normed: set[str]) -> None:
    net = network("rescnn(stages=2, width=4)", f"layer@{place}", problem)
    hand, x = ByHand(net, normed, dim=1), data(problem)
    convolve = nn.functional.conv2d if problem.kind == "image" else nn.functional.conv1d

    def conv(path: str, y: Tensor, stride: int, padding: int) -> Tensor:
        weight, bias = hand.weights[f"{path}.weight"], hand.weights[f"{path}.bias"]
        return convolve(y, weight, bias, stride=stride, padding=padding)

    h = hand.at("stem", conv("stem.conv", x if problem.kind == "image" else x.mT, 1, 1)).clamp_min(0)
    for i in range(2):
        site, path = f"stage{i + 1}", f"stages.{i}.residual"
        y = hand.at(f"{site}.mid", conv(f"{path}.branch.conv1", hand.at(f"{site}.in", h), 2, 1)).clamp_min(0)
        y = hand.at(f"{site}.out", conv(f"{path}.branch.conv2", y, 1, 1))
        h = hand.at(f"{site}.res", conv(f"{path}.skip", h, 2, 0) + y).clamp_min(0)
    torch.testing.assert_close(net(x), hand.linear("head", hand.at("head", h.flatten(2).mean(2))))


def attention(hand: ByHand, path: str, site: str, x: Tensor, heads: int, causal: bool) -> Tensor:
    width = x.shape[-1]
    q, k, v = hand.linear(f"{path}.qkv", x).split(width, dim=-1)
    size, outs = width // heads, []
    for head in range(heads):
        own = slice(head * size, (head + 1) * size)
        scores = hand.at(f"{site}.qk", q[..., own]) @ hand.at(f"{site}.qk", k[..., own]).mT / math.sqrt(size)
        if causal:
            scores = scores + torch.full_like(scores[0], -math.inf).triu(1)
        outs.append(torch.softmax(scores, -1) @ v[..., own])
    return hand.linear(f"{path}.project", torch.cat(outs, -1))


def gelu_mlp(hand: ByHand, path: str, x: Tensor) -> Tensor:
    return hand.linear(f"{path}.fall", nn.functional.gelu(hand.linear(f"{path}.rise", x)))


def reglu_mlp(hand: ByHand, path: str, x: Tensor) -> Tensor:
    value, gate = hand.linear(f"{path}.rise", x).chunk(2, -1)
    return hand.linear(f"{path}.fall", value * gate.clamp_min(0))


def blocks(hand: ByHand, h: Tensor, mlp: Callable[[ByHand, str, Tensor], Tensor], causal: bool) -> Tensor:
    h = hand.at("embed", h)
    for i in range(2):
        site, path = f"block{i + 1}", f"blocks.{i}"
        y = attention(hand, f"{path}.0.branch", f"{site}.attn", hand.at(f"{site}.attn.in", h), 3, causal)
        h = hand.at(f"{site}.attn.res", h + hand.at(f"{site}.attn.out", y))
        y = mlp(hand, f"{path}.1.branch", hand.at(f"{site}.mlp.in", h))
        h = hand.at(f"{site}.mlp.res", h + hand.at(f"{site}.mlp.out", y))
    return hand.at("final", h)


BRANCHES = tuple(f"block{i}.{branch}" for i in (1, 2) for branch in ("attn", "mlp"))
TRANSFORMER_PLACES = [
    ("first", {"embed"}),
    ("last", {"final"}),
    ("pre", places("in", *BRANCHES)),
    ("post", places("res", *BRANCHES)),
    ("sandwich", places("in out", *BRANCHES)),
    ("qk", {"block1.attn.qk", "block2.attn.qk"}),
    ("all", {"embed", "final"} | places("in", *BRANCHES)),
]


@pytest.mark.parametrize(("place", "normed"), TRANSFORMER_PLACES)
def test_decoder(place: str, normed: set[str]) -> None:
    net = network("decoder(width=12, heads=3)", f"layer@{place}", SEQUENCE)
    hand, x = ByHand(net, normed), data(SEQUENCE)
    tokens = hand.linear("tokenizer.embed", x) + hand.weights["tokenizer.positions.weight"]
    expected = hand.linear("head", blocks(hand, tokens, gelu_mlp, causal=True)[:, -1])
    torch.testing.assert_close(net(x), expected)


def test_the_decoder_of_the_paper_can_be_spelled() -> None:
    assert resolve("decoder(depth=2, heads=4, width=64)").name == "decoder"


def test_a_token_of_the_decoder_sees_nothing_later() -> None:
    net, x = network("decoder(width=12, heads=3)", "layer@pre+final", SEQUENCE), data(SEQUENCE)
    seen: list[Tensor] = []
    net.get_submodule("final_norm").register_forward_hook(lambda module, args, output: seen.append(output))
    net(x)
    later = x.clone()
    later[:, 4:] += 10
    net(later)
    torch.testing.assert_close(seen[0][:, :4], seen[1][:, :4])
    assert not torch.allclose(seen[0][:, 4:], seen[1][:, 4:])


@pytest.mark.parametrize(("place", "normed"), TRANSFORMER_PLACES)
def test_ft_transformer(place: str, normed: set[str]) -> None:
    net = network("ft-transformer(width=12, heads=3)", f"layer@{place}", FEATURES)
    hand, x = ByHand(net, normed), data(FEATURES)
    assert hand.weights["blocks.0.1.branch.fall.weight"].shape == (12, 16)
    tokens = x[:, :, None] * hand.weights["tokenizer.weight"] + hand.weights["tokenizer.bias"]
    tokens = torch.cat([hand.weights["cls.weight"].expand(len(x), 1, 12), tokens], 1)
    read = blocks(hand, tokens, reglu_mlp, causal=False)[:, 0]
    torch.testing.assert_close(net(x), hand.linear("head", read.clamp_min(0)))


NETWORKS = [
    ("mlp(width=8{})", FEATURES),
    ("resmlp(width=8{})", FEATURES),
    ("cnn(width=4, stages=2{})", IMAGE),
    ("rescnn(width=4, stages=2{})", SEQUENCE),
    ("transformer(width=8, heads=2, depth=1{})", IMAGE),
    ("decoder(width=8, heads=2, depth=1{})", SEQUENCE),
    ("ft-transformer(width=8, heads=2, depth=1{})", FEATURES),
]


@pytest.mark.parametrize("init", ["torch", "paper"])
@pytest.mark.parametrize(("spelling", "problem"), NETWORKS)
def test_ntk_is_the_same_network_with_parameters_of_deviation_one(spelling: str, problem: Problem, init: str) -> None:
    """Same function at the start, other parameters: a step of gradient descent moves it otherwise."""
    standard = network(spelling.format(f", init={init}"), "layer@first", problem)
    ntk = network(spelling.format(f", init={init}, parameterization=ntk"), "layer@first", problem)
    x = data(problem)
    torch.testing.assert_close(ntk(x), standard(x), rtol=1e-4, atol=1e-5)
    spread = torch.cat(
        [p.flatten() for m in ntk.modules() if isinstance(m, Affine) for p in m.parameters(recurse=False)]
    )
    assert spread.std().item() == pytest.approx(1, rel=0.15)
    ntk(x).sum().backward()
    standard(x).sum().backward()
    ours, theirs = (dict(net.named_parameters())["head.weight"].grad for net in (ntk, standard))
    assert ours is not None
    assert theirs is not None
    fan_in = ours.shape[1]
    factor = 1 / math.sqrt(3 * fan_in) if init == "torch" else math.sqrt(2 / fan_in)
    torch.testing.assert_close(ours, factor * theirs, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize(("spelling", "problem"), NETWORKS)
def test_clamp_limits_answers_to_the_range_of_the_training_targets_and_not_the_training(
    spelling: str, problem: Problem
) -> None:
    plain, clamped = (network(spelling.format(option), "none", problem) for option in ("", ", clamp=true"))
    x = 1e4 * data(problem, 40)
    assert plain(x).abs().max() > 10
    torch.testing.assert_close(clamped(x), plain(x).clamp(*problem.target_range))
    torch.testing.assert_close(clamped.train()(x), plain(x))


@pytest.mark.parametrize(
    ("name", "function"),
    [
        ("relu", lambda x: x.clamp_min(0)),
        ("leaky_relu", lambda x: torch.where(x > 0, x, 0.01 * x)),
        ("gelu", lambda x: x * (1 + torch.erf(x / math.sqrt(2))) / 2),
        ("silu", lambda x: x / (1 + torch.exp(-x))),
        ("tanh", lambda x: (torch.exp(2 * x) - 1) / (torch.exp(2 * x) + 1)),
        ("erf", torch.erf),
        ("sine", torch.sin),
    ],
)
def test_activations(name: str, function: Callable[[Tensor], Tensor]) -> None:
    net, x = network(f"mlp(depth=1, width=8, activation={name})", "none", FEATURES), data(FEATURES)
    hand = ByHand(net, set())
    torch.testing.assert_close(net(x), hand.linear("head", function(hand.linear("hidden.0.linear", x))))


@pytest.mark.parametrize(
    ("spelling", "problem", "reason"),
    [
        ("decoder", FEATURES, "reads sequence inputs, not features"),
        ("decoder", Problem("sequence", (1, 3)), "single token"),
        ("ft-transformer", IMAGE, "reads features inputs"),
        ("rescnn", FEATURES, "reads image or sequence"),
    ],
)
def test_what_a_family_cannot_read_is_unsupported(spelling: str, problem: Problem, reason: str) -> None:
    with pytest.raises(Unsupported, match=reason):
        network(spelling, "none", problem)


def test_ft_transformer_reads_a_single_feature() -> None:
    assert network("ft-transformer", "layer@all", Problem("features", (1,)))(torch.ones(2, 1).double()).shape == (2, 1)
