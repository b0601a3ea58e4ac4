"""Networks: against modules written out by hand, shared weights, stacking, refusals."""

from __future__ import annotations

import math
from collections.abc import Callable

import pytest
import torch
from torch import Tensor, nn
from torch.func import functional_call, grad_and_value, stack_module_state, vmap

from architectures import parse_scheme, resolve
from architectures.building import build, build_network, check_size, resolve_sites, sites
from bench.core.errors import InputError, Unsupported
from bench.core.problem import Problem
from bench.core.seeding import seed_from

FEATURES = Problem("features", (5,))
IMAGE = Problem("image", (2, 8, 8))
SEQUENCE = Problem("sequence", (7, 2))


def network(spelling: str, norm: str, problem: Problem, seed: int = 0) -> nn.Module:
    return build_network(resolve(spelling), parse_scheme(norm), problem, seed).double()


def data(problem: Problem, count: int = 6) -> Tensor:
    return torch.randn(count, *problem.shape, dtype=torch.float64, generator=torch.Generator().manual_seed(1))


def over_channels(kind: str, dim: int = -1, eps: float = 1e-5) -> Callable[[Tensor], Tensor]:
    """The norms over channels written out, with their initial gain and shift."""

    def layer(x: Tensor) -> Tensor:
        centred = x - x.mean(dim, keepdim=True)
        return centred / (centred.pow(2).mean(dim, keepdim=True) + eps).sqrt()

    def rms(x: Tensor) -> Tensor:
        return x / (x.pow(2).mean(dim, keepdim=True) + eps).sqrt()

    def scale(x: Tensor) -> Tensor:
        return math.sqrt(x.shape[dim]) * x / x.pow(2).sum(dim, keepdim=True).sqrt()

    def dyt(x: Tensor) -> Tensor:
        return torch.tanh(0.5 * x)

    return {"layer": layer, "rms": rms, "scale": scale, "dyt": dyt}[kind]


@pytest.mark.parametrize("kind", ["layer", "rms", "scale", "dyt"])
@pytest.mark.parametrize(
    ("place", "normed"),
    [
        ("first", {"hidden1"}),
        ("last", {"hidden2"}),
        ("all", {"hidden1", "hidden2"}),
        ("2", {"hidden2"}),
        ("input", {"input"}),
        ("hidden1.post", {"hidden1.post"}),
    ],
)
def test_mlp_is_what_the_design_says(kind: str, place: str, normed: set[str]) -> None:
    net = network("mlp(width=8)", f"{kind}@{place}", FEATURES)
    weights = net.state_dict()
    norm = over_channels(kind)

    def at(site: str, x: Tensor) -> Tensor:
        return norm(x) if site in normed else x

    x = data(FEATURES)
    h = at("input", x)
    for i in range(2):
        h = h @ weights[f"hidden.{i}.linear.weight"].T + weights[f"hidden.{i}.linear.bias"]
        h = at(f"hidden{i + 1}.post", at(f"hidden{i + 1}", h).clamp_min(0))
    expected = h @ weights["head.weight"].T + weights["head.bias"]
    torch.testing.assert_close(net(x), expected)


@pytest.mark.parametrize("problem", [IMAGE, SEQUENCE], ids=["image", "sequence"])
@pytest.mark.parametrize("kind", ["layer", "rms", "scale", "dyt"])
@pytest.mark.parametrize("place", ["first", "last", "all", "1"])
def test_cnn_is_what_the_design_says(problem: Problem, kind: str, place: str) -> None:
    net = network("cnn(stages=2, width=4)", f"{kind}@{place}", problem)
    weights = net.state_dict()
    normed = {"first": ["stem"], "last": ["head"], "all": ["stem", "stage1", "stage2", "head"], "1": ["stage1"]}[place]
    convolve = nn.functional.conv2d if problem.kind == "image" else nn.functional.conv1d
    norm = over_channels(kind, dim=1)
    x = data(problem)
    h = x if problem.kind == "image" else x.transpose(1, 2)
    for name, path, stride in (("stem", "stem", 1), ("stage1", "stages.0", 2), ("stage2", "stages.1", 2)):
        h = convolve(h, weights[f"{path}.conv.weight"], weights[f"{path}.conv.bias"], stride=stride, padding=1)
        h = (norm(h) if name in normed else h).clamp_min(0)
    h = h.flatten(2).mean(-1)
    h = norm(h) if "head" in normed else h
    torch.testing.assert_close(net(x), h @ weights["head.weight"].T + weights["head.bias"])


def transformer_by_hand(
    weights: dict[str, Tensor], tokens: Tensor, normed: set[str], norm: Callable, heads: int
) -> Tensor:
    def at(site: str, x: Tensor) -> Tensor:
        return norm(x) if site in normed else x

    def linear(path: str, x: Tensor) -> Tensor:
        return x @ weights[f"{path}.weight"].T + weights[f"{path}.bias"]

    h = at("embed", tokens)
    width = h.shape[-1]
    for i in (1, 2):
        for branch in ("attn", "mlp"):
            site, path = f"block{i}.{branch}", f"blocks.{i - 1}.{0 if branch == 'attn' else 1}.branch"
            y = at(f"{site}.in", h)
            if branch == "mlp":
                y = linear(f"{path}.fall", nn.functional.gelu(linear(f"{path}.rise", y)))
            else:
                q, k, v = linear(f"{path}.qkv", y).split(width, dim=-1)
                size, outs = width // heads, []
                for head in range(heads):
                    own = slice(head * size, (head + 1) * size)
                    qh, kh = at(f"{site}.qk", q[..., own]), at(f"{site}.qk", k[..., own])
                    attention = torch.softmax(torch.einsum("nid,njd->nij", qh, kh) / math.sqrt(size), -1)
                    outs.append(torch.einsum("nij,njd->nid", attention, v[..., own]))
                y = linear(f"{path}.project", torch.cat(outs, -1))
            h = at(f"{site}.res", h + at(f"{site}.out", y))
    return at("final", h)


_IN = {f"block{i}.{b}.in" for i in (1, 2) for b in ("attn", "mlp")}
_OUT = {s.replace(".in", ".out") for s in _IN}
_RES = {s.replace(".in", ".res") for s in _IN}


@pytest.mark.parametrize("kind", ["layer", "rms", "scale", "dyt"])
@pytest.mark.parametrize(
    ("place", "normed"),
    [
        ("first", {"embed"}),
        ("last", {"final"}),
        ("pre", _IN),
        ("post", _RES),
        ("sandwich", _IN | _OUT),
        ("qk", {"block1.attn.qk", "block2.attn.qk"}),
        ("all", {"embed", "final"} | _IN),
        ("block2.mlp.out", {"block2.mlp.out"}),
        ("pre+final", _IN | {"final"}),
    ],
)
@pytest.mark.parametrize("readout", ["mean", "cls"])
def test_transformer_is_what_the_design_says(kind: str, place: str, normed: set[str], readout: str) -> None:
    net = network(f"transformer(width=12, heads=3, readout={readout})", f"{kind}@{place}", FEATURES)
    weights = net.state_dict()
    x = data(FEATURES)
    tokens = x[:, :, None] * weights["tokenizer.weight"] + weights["tokenizer.bias"]
    if readout == "cls":
        tokens = torch.cat([weights["cls.weight"].expand(len(x), 1, 12), tokens], 1)
    h = transformer_by_hand(weights, tokens, normed, over_channels(kind), heads=3)
    pooled = h.mean(1) if readout == "mean" else h[:, 0]
    torch.testing.assert_close(net(x), pooled @ weights["head.weight"].T + weights["head.bias"])


def test_patches_and_steps_become_tokens() -> None:
    net = network("transformer(width=12, heads=3, patch=4)", "none", IMAGE)
    weights, x = net.state_dict(), data(IMAGE)
    patches = x.unfold(2, 4, 4).unfold(3, 4, 4).permute(0, 2, 3, 1, 4, 5).reshape(len(x), 4, -1)
    tokens = patches @ weights["tokenizer.embed.weight"].flatten(1).T + weights["tokenizer.embed.bias"]
    tokens = tokens + weights["tokenizer.positions.weight"]
    h = transformer_by_hand(weights, tokens, set(), lambda x: x, heads=3).mean(1)
    torch.testing.assert_close(net(x), h @ weights["head.weight"].T + weights["head.bias"])
    net = network("transformer(width=12, heads=3)", "layer@all", SEQUENCE)
    weights, x = net.state_dict(), data(SEQUENCE)
    tokens = x @ weights["tokenizer.embed.weight"].T + weights["tokenizer.embed.bias"]
    tokens = tokens + weights["tokenizer.positions.weight"]
    h = transformer_by_hand(weights, tokens, _IN | {"embed", "final"}, over_channels("layer"), heads=3).mean(1)
    torch.testing.assert_close(net(x), h @ weights["head.weight"].T + weights["head.bias"])


def test_batch_norm_trains_on_the_batch_and_answers_with_training_statistics() -> None:
    net = network("mlp(depth=1, width=4)", "batch(momentum=1)@first", FEATURES)
    weights, x = net.state_dict(), data(FEATURES, 32)
    h = x @ weights["hidden.0.linear.weight"].T + weights["hidden.0.linear.bias"]
    head = lambda y: y.clamp_min(0) @ weights["head.weight"].T + weights["head.bias"]  # noqa: E731
    torch.testing.assert_close(net(x), head((h - h.mean(0)) / (h.var(0, unbiased=False) + 1e-5).sqrt()))
    net.eval()
    far = 100 * x[:3]
    g = far @ weights["hidden.0.linear.weight"].T + weights["hidden.0.linear.bias"]
    torch.testing.assert_close(net(far), head((g - h.mean(0)) / (h.var(0) + 1e-5).sqrt()))


def test_batch_norm_over_positions_counts_every_position() -> None:
    for spelling, problem, path in (
        ("cnn(width=4)", IMAGE, "stem.norm"),
        ("cnn(width=4)", SEQUENCE, "stem.norm"),
        ("transformer(width=8, heads=2)", FEATURES, "embed_norm.layer"),
    ):
        net = network(spelling, "batch(affine=false)@first", problem)
        norm = net.get_submodule(path)
        caught: list[Tensor] = []
        norm.register_forward_hook(lambda module, args, output, caught=caught: caught.append(output))
        net(data(problem, 16))
        axes = [axis for axis in range(caught[0].dim()) if axis != 1]
        torch.testing.assert_close(caught[0].mean(axes), torch.zeros_like(caught[0].mean(axes)), atol=1e-9, rtol=0)
        torch.testing.assert_close(
            caught[0].pow(2).mean(axes), torch.ones_like(caught[0].mean(axes)), atol=1e-2, rtol=0
        )


CASES = [
    (spelling, norm, problem)
    for spelling, problem in [
        ("mlp(width=8)", FEATURES),
        ("cnn(width=4, stages=2)", IMAGE),
        ("cnn(width=4, stages=2)", SEQUENCE),
        ("transformer(width=8, heads=2, depth=1)", FEATURES),
        ("transformer(width=8, heads=2, depth=1, readout=cls)", IMAGE),
    ]
    for norm in ("none", "layer@first", "rms@all", "batch@all")
]


@pytest.mark.parametrize(("spelling", "norm", "problem"), CASES)
def test_stacked_training_equals_lone_training(spelling: str, norm: str, problem: Problem) -> None:
    """Outputs, gradients and running statistics of stacked members are those of the members alone."""
    members = [network(spelling, norm, problem, seed) for seed in range(3)]
    base = network(spelling, norm, problem)
    generator = torch.Generator().manual_seed(2)
    x = torch.randn(3, 8, *problem.shape, dtype=torch.float64, generator=generator)
    z = torch.randn(3, 8, 1, dtype=torch.float64, generator=generator)
    parameters, buffers = stack_module_state(members)

    def loss(parameters: dict, buffers: dict, x: Tensor, z: Tensor) -> Tensor:
        return (functional_call(base, (parameters, buffers), (x,)) - z).pow(2).mean()

    gradients, losses = vmap(grad_and_value(loss), randomness="error")(parameters, buffers, x, z)
    for i, member in enumerate(members):
        lone = (member(x[i]) - z[i]).pow(2).mean()
        lone.backward()
        torch.testing.assert_close(losses[i], lone.detach())
        for name, parameter in member.named_parameters():
            torch.testing.assert_close(gradients[name][i], parameter.grad)
        for name, buffer in member.named_buffers():
            torch.testing.assert_close(buffers[name][i], buffer)


@pytest.mark.parametrize(("spelling", "norm", "problem"), CASES)
def test_schemes_share_the_weights_of_what_they_share(spelling: str, norm: str, problem: Problem) -> None:
    plain = network(spelling, "none", problem, 7).state_dict()
    normed = network(spelling, norm, problem, 7).state_dict()
    assert set(plain) <= set(normed)
    assert all(torch.equal(plain[name], normed[name]) for name in plain)


def test_a_parameter_depends_on_the_seed_and_its_name_alone() -> None:
    shallow, deep = network("mlp(depth=2)", "none", FEATURES), network("mlp(depth=4)", "none", FEATURES)
    assert torch.equal(shallow.state_dict()["hidden.1.linear.weight"], deep.state_dict()["hidden.1.linear.weight"])
    generator = torch.Generator().manual_seed(seed_from(0, "hidden.0.linear.weight"))
    bound = 1 / math.sqrt(5)
    expected = torch.empty(128, 5).uniform_(-bound, bound, generator=generator)
    assert torch.allclose(shallow.state_dict()["hidden.0.linear.weight"], expected.double())
    other = network("mlp(depth=2)", "none", FEATURES, 1).state_dict()
    assert not any(torch.equal(value, other[name]) for name, value in shallow.state_dict().items())


def test_building_leaves_the_global_generator_alone() -> None:
    before = torch.random.get_rng_state()
    network("transformer", "batch@all", FEATURES)
    assert torch.equal(torch.random.get_rng_state(), before)


def test_initializations_have_the_distributions_they_name() -> None:
    big = Problem("features", (400,))
    for spelling, deviation, bias in (
        ("mlp(width=500)", 1 / math.sqrt(3 * 400), 1 / math.sqrt(3 * 400)),
        ("mlp(width=500, init=paper)", math.sqrt(2 / 400), 0.1),
    ):
        net = network(spelling, "none", big).state_dict()
        assert net["hidden.0.linear.weight"].std().item() == pytest.approx(deviation, rel=0.02)
        assert net["hidden.0.linear.bias"].std().item() == pytest.approx(bias, rel=0.15)
    torch_own = nn.Conv2d(3, 64, 3)
    ours = network("cnn(width=64)", "none", Problem("image", (3, 8, 8))).state_dict()["stem.conv.weight"]
    assert ours.std().item() == pytest.approx(torch_own.weight.std().item(), rel=0.1)
    assert ours.abs().max().item() <= 1 / math.sqrt(27)


@pytest.mark.parametrize(
    ("spelling", "norm", "problem", "reason"),
    [
        ("cnn", "none", FEATURES, "reads image or sequence inputs, not features"),
        ("mlp", "layer@hidden3", FEATURES, "no place 'hidden3'"),
        ("mlp", "layer@pre", FEATURES, "no place 'pre'"),
        ("mlp", "layer@input", Problem("features", (1,)), "over 1 feature"),
        ("mlp(width=2)", "layer@first", FEATURES, "over 2 features"),
        ("mlp(width=1)", "rms@first", FEATURES, "over 1 feature"),
        ("mlp", "layer@all+rms@hidden2", FEATURES, "two kinds of norm at 'hidden2'"),
        ("transformer", "none", Problem("features", (1,)), "single token"),
        ("transformer(patch=3)", "none", IMAGE, r"patch=3 does not divide images of 8 by 8; 1, 2, 4, 8 do"),
        ("ridge", "layer@first", FEATURES, "nothing to normalize"),
        ("last-value", "none", FEATURES, "reads sequence inputs"),
    ],
)
def test_what_makes_no_sense_is_unsupported(spelling: str, norm: str, problem: Problem, reason: str) -> None:
    with pytest.raises(Unsupported, match=reason) as caught:
        build(resolve(spelling), parse_scheme(norm), problem, 0)
    assert "\n" not in str(caught.value)


def test_a_network_is_counted_before_it_is_made() -> None:
    assert check_size(resolve("mlp(width=7)"), FEATURES) == 5 * 7 + 7 + 7 * 7 + 7 + 7 + 1
    with pytest.raises(InputError, match="more than the 10 allowed: raise --max-parameters"):
        check_size(resolve("mlp"), FEATURES, 10)
    with pytest.raises(InputError, match="more than the 200,000,000"):
        build(resolve("mlp(width=100000, depth=50)"), parse_scheme("none"), FEATURES, 0)


def test_sites_come_in_forward_order_with_their_positions() -> None:
    found = sites(resolve("transformer(depth=1)"), SEQUENCE)
    assert [site.name for site in found] == [
        "embed",
        *(f"block1.attn.{place}" for place in ("in", "qk", "out", "res")),
        *(f"block1.mlp.{place}" for place in ("in", "out", "res")),
        "final",
    ]
    assert {site.name: site.positions for site in found}["embed"] == 7
    assert [site.positions for site in sites(resolve("cnn"), IMAGE)] == [64, 16, 4, 1, 1]
    assert resolve_sites(resolve("mlp"), parse_scheme("layer@last+1"), FEATURES) == ("hidden1", "hidden2")
    assert sites(resolve("ridge"), FEATURES) == ()
