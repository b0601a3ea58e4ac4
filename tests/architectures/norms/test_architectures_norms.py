"""The normalization layers against their formulas, in both layouts, with and without gain and shift."""

from __future__ import annotations

import math

import pytest
import torch
from torch import Tensor, nn

from architectures import REGISTRY, parse_scheme, register_architecture, resolve
from architectures.building import build_network
from architectures.norms.layers import averages_to_nothing, make_norm, marked
from architectures.norms.site import Layout, Site
from bench.core.errors import Unsupported
from bench.core.problem import Problem


def layer_of(text: str, dim: int, layout: Layout = "last", space: tuple[int, ...] = ()) -> nn.Module:
    return make_norm(parse_scheme(f"{text}@x").parts[0].kind, Site("x", dim, layout, space)).double()


def by_formula(kind: str, x: Tensor, eps: float) -> Tensor:
    """Of x (N, dim, *space), without gain and shift."""
    if kind in ("rms", "scale", "dyt"):
        if kind == "dyt":
            return torch.tanh(0.5 * x)
        if kind == "scale":
            return math.sqrt(x.shape[1]) * x / x.norm(dim=1, keepdim=True).clamp_min(eps)
        return x / (x.pow(2).mean(1, keepdim=True) + eps).sqrt()
    if kind == "batch":
        axes = [0, *range(2, x.dim())]
        grouped = x
    elif kind == "layer":
        axes, grouped = [1], x
    else:
        groups = x.shape[1] if kind == "instance" else 2
        grouped = x.reshape(len(x), groups, x.shape[1] // groups, *x.shape[2:])
        axes = list(range(2, grouped.dim()))
    centred = grouped - grouped.mean(axes, keepdim=True)
    return (centred / (centred.pow(2).mean(axes, keepdim=True) + eps).sqrt()).reshape(x.shape)


KINDS = ["layer", "rms", "batch", "group(groups=2)", "instance", "scale", "dyt"]


@pytest.mark.parametrize("affine", [True, False])
@pytest.mark.parametrize("space", [(), (5,), (3, 4)], ids=["vector", "line", "plane"])
@pytest.mark.parametrize("text", KINDS)
def test_a_norm_is_its_formula_in_both_layouts(text: str, space: tuple[int, ...], affine: bool) -> None:
    kind = text.partition("(")[0]
    if kind == "instance" and not space:
        return
    options = [o for o in (text[len(kind) :].strip("()"), "affine=false" * (not affine), "eps=1e-3") if o]
    options = [o for o in options if not (kind == "dyt" and o.startswith("eps"))]
    spelling = f"{kind}({', '.join(options)})" if options else kind
    dim = 6
    first, last = layer_of(spelling, dim, "first", space), layer_of(spelling, dim, "last", space)
    generator = torch.Generator().manual_seed(0)
    for one, two in zip(first.parameters(), last.parameters(), strict=True):
        if one.dim():
            one.data.normal_(generator=generator)
            two.data.copy_(one.data)
    x = 1 + 2 * torch.randn(4, dim, *space, dtype=torch.float64, generator=generator)
    expected = by_formula(kind, x, 1e-3)
    gain = {name.rpartition(".")[2]: p for name, p in first.named_parameters()}
    along = (1, dim) + (1,) * len(space)
    if affine and kind != "scale":
        expected = expected * gain["weight"].view(along)
        expected = expected + gain["bias"].view(along) if "bias" in gain else expected
    assert ("weight" in gain) == (affine and kind != "scale")
    torch.testing.assert_close(first(x), expected)
    torch.testing.assert_close(last(x.movedim(1, -1)), expected.movedim(1, -1))


def test_the_default_eps_is_the_same_for_all() -> None:
    tiny = torch.full((1, 6, 2), 1e-4, dtype=torch.float64) * torch.arange(1, 7)[None, :, None] * torch.tensor([1, -1])
    for text in KINDS:
        if text != "dyt":
            kind = text.partition("(")[0]
            torch.testing.assert_close(layer_of(text, 6, "first", (2,)).train()(tiny), by_formula(kind, tiny, 1e-5))


def test_norm_layers_draw_nothing() -> None:
    state = torch.random.get_rng_state()
    for text in KINDS:
        layer_of(text, 6, "first", (3,))
    assert torch.equal(state, torch.random.get_rng_state())


def test_instance_norm_keeps_no_statistics() -> None:
    layer = layer_of("instance", 4, "first", (9,))
    x = torch.randn(2, 4, 9, dtype=torch.float64, generator=torch.Generator().manual_seed(0))
    trained = layer.train()(x)
    assert not list(layer.buffers())
    torch.testing.assert_close(layer.eval()(x), trained)


@pytest.mark.parametrize(
    ("text", "dim", "space", "reason"),
    [
        ("layer", 1, (), "over 1 feature .*at least 3"),
        ("layer", 2, (50,), "over 2 features"),
        ("rms", 1, (), "over 1 feature"),
        ("scale", 1, (), "over 1 feature"),
        ("group(groups=4)", 8, (), "over 2 features"),
        ("group(groups=5)", 12, (), r"groups=5 does not divide 12 channels; 1, 2, 3, 4, 6, 12 do"),
        ("group", 4, (9,), "groups=8 does not divide 4"),
        ("instance", 8, (), "1 position"),
        ("instance", 8, (1, 1), "1 position"),
        ("batch", 8, (2, 2, 2, 2), "4 dimensions"),
    ],
)
def test_degenerate_norms_are_unsupported(text: str, dim: int, space: tuple[int, ...], reason: str) -> None:
    with pytest.raises(Unsupported, match=reason):
        layer_of(text, dim, "first", space)


def test_what_the_degenerate_rules_refuse_is_degenerate_and_the_next_size_is_not() -> None:
    """Over 1 and 2 features layer norm forgets how large and how different they are; over 3 it does not."""
    x, y = torch.tensor([[3.0, 5.0]]), torch.tensor([[-100.0, 7.0]])
    plain = nn.LayerNorm(2, eps=1e-12)
    torch.testing.assert_close(plain(x), plain(y))
    assert not torch.allclose(
        nn.LayerNorm(3)(torch.tensor([1.0, 2.0, 4.0])), nn.LayerNorm(3)(torch.tensor([1.0, 3.0, 4.0]))
    )
    assert layer_of("layer", 3)
    assert layer_of("group(groups=4)", 8, "first", (2,))
    assert layer_of("instance", 1, "first", (2,))


def test_group_norm_of_one_channel_each_averages_to_nothing_like_instance_norm() -> None:
    assert averages_to_nothing(layer_of("instance", 8, "last", (5,)))
    assert averages_to_nothing(layer_of("group(groups=8)", 8, "last", (5,)))
    assert not averages_to_nothing(layer_of("group(groups=4)", 8, "last", (5,)))
    assert not averages_to_nothing(layer_of("layer", 8, "last", (5,)))


@pytest.mark.parametrize("place", ["last", "post"])
def test_a_constant_transformer_is_refused(place: str) -> None:
    problem = Problem("features", (4,))
    with pytest.raises(Unsupported, match="leaves nothing to their mean"):
        build_network(resolve("transformer"), parse_scheme(f"instance@{place}"), problem, 0)
    build_network(resolve("transformer(readout=cls)"), parse_scheme(f"instance@{place}"), problem, 0)
    build_network(resolve("transformer"), parse_scheme("instance@post+layer@final"), problem, 0)


def test_layers_say_what_they_are_and_where() -> None:
    net = build_network(resolve("cnn"), parse_scheme("rms@stem+batch@head"), Problem("image", (1, 8, 8)), 0)
    marks = {mark.site.name: mark.kind.name for mark in map(marked, net.modules()) if mark}
    assert marks == {"stem": "rms", "head": "batch"}


@pytest.fixture
def bringing() -> str:  # type: ignore[misc]
    @register_architecture("test-bringing", inputs=["features"])
    def build(problem, norm):  # type: ignore[no-untyped-def]
        own = nn.LayerNorm(8, eps=0.5)
        with torch.no_grad():
            own.weight.normal_()
            own.bias.normal_()
        return nn.Sequential(nn.Linear(problem.size, 8), norm("a", 8, own=own), norm("b", 8), nn.Linear(8, 1))

    yield "test-bringing"
    REGISTRY.remove("test-bringing")


def test_a_network_may_bring_its_own_layers(bringing: str) -> None:
    problem, architecture = Problem("features", (3,)), resolve(bringing)

    def built(scheme: str) -> nn.Sequential:
        return build_network(architecture, parse_scheme(scheme), problem, 0)  # type: ignore[return-value]

    own = built("own@a")[1]
    assert isinstance(own, nn.LayerNorm)
    assert own.eps == 0.5
    assert isinstance(built("none")[1], nn.Identity)
    other = built("rms(eps=1e-3)@a")[1]
    assert isinstance(other, nn.RMSNorm)
    assert torch.equal(other.weight, own.weight)
    assert torch.equal(built("batch@a")[1].bias, own.bias)
    with pytest.raises(Unsupported, match="brings no norm layer of its own to 'b'"):
        built("own@b")
