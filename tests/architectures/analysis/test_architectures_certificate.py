"""Certificates: never below what a search finds, and not absurdly above it."""

from __future__ import annotations

import math

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor, nn

from architectures import parse_scheme, resolve
from architectures.analysis.certificate import certificate
from architectures.analysis.prediction import trial_batches
from architectures.blocks.activations import ACTIVATIONS, Activation
from architectures.building import build_network
from architectures.description import predict
from architectures.norms.layers import marked
from architectures.norms.regions import Region
from bench.core.errors import Unsupported
from bench.core.problem import Problem

PROBLEMS = {
    "features": Problem("features", (5,), (-1.5, 2.5)),
    "image": Problem("image", (1, 8, 8)),
    "sequence": Problem("sequence", (6, 2)),
}


def unsettled(spelling: str, norm: str, problem: Problem, seed: int) -> nn.Module:
    """A network in float64 whose every parameter and statistic has been moved from where initialization left it."""
    network = build_network(resolve(spelling), parse_scheme(norm), problem, seed).double().eval()
    generator = torch.Generator().manual_seed(seed)
    with torch.no_grad():
        for parameter in network.parameters():
            parameter.add_(0.5 * torch.randn(parameter.shape, generator=generator, dtype=torch.float64))
        for name, buffer in network.named_buffers():
            if buffer.is_floating_point():
                buffer.copy_(torch.rand(buffer.shape, generator=generator) + 0.1 * name.endswith("var"))
    return network


def found(network: nn.Module, problem: Problem, rows: int = 16, steps: int = 12) -> float:
    """The largest answer in absolute value that gradient ascent from inputs of every scale finds."""
    scale = torch.logspace(-2, 5, rows, dtype=torch.float64).view(-1, *[1] * len(problem.shape))
    drawn = torch.randn(rows, *problem.shape, dtype=torch.float64, generator=torch.Generator().manual_seed(0))
    x = (scale * drawn).requires_grad_()
    best = 0.0
    for step in range(steps):
        answer = network(x)
        best = max(best, answer.detach().abs().max().item())
        (gradient,) = torch.autograd.grad(answer.abs().sum(), x)
        length = gradient.flatten(1).norm(dim=1).view(scale.shape).clamp_min(1e-300)
        with torch.no_grad():
            x += 0.3 / (1 + 0.1 * step) * x.flatten(1).norm(dim=1).view(scale.shape) * gradient / length
    return best


NETWORKS = [
    ("mlp(width=16)", "features"),
    ("mlp(width=16, depth=3, activation=gelu)", "features"),
    ("mlp(width=16, activation=silu)", "features"),
    ("mlp(width=16, activation=leaky_relu)", "features"),
    ("mlp(width=16, activation=tanh)", "features"),
    ("mlp(width=16, activation=erf)", "features"),
    ("mlp(width=16, activation=sine)", "features"),
    ("mlp(width=16, clamp=true)", "features"),
    ("mlp(width=16, init=paper, parameterization=ntk)", "features"),
    ("resmlp(width=8)", "features"),
    ("cnn(width=4, stages=2)", "image"),
    ("rescnn(width=4, stages=2)", "sequence"),
    ("transformer(width=8, heads=2)", "image"),
    ("transformer(width=8, heads=2, readout=cls)", "sequence"),
    ("decoder(width=8, heads=2)", "sequence"),
    ("ft-transformer(width=8, heads=2)", "features"),
    ("ngpt(width=8, heads=2)", "sequence"),
]
KINDS = [
    *("layer", "rms(affine=false)", "batch", "group(groups=2)", "instance", "scale", "dyt", "derf", "tanh", "clamp"),
    *("power", "power(layer_scale=true)"),
]


@pytest.mark.slow
@pytest.mark.parametrize(("spelling", "kind"), NETWORKS)
def test_there_is_a_certificate_where_growth_is_bounded_and_no_search_exceeds_it(spelling: str, kind: str) -> None:
    problem, architecture = PROBLEMS[kind], resolve(spelling)
    checked = 0
    for word in ("first", "last", *(["post", "sandwich"] if "block" in str(architecture.card) else [])):
        for norm in KINDS:
            try:
                bounded = predict(architecture, parse_scheme(f"{norm}@{word}"), problem).bounded
                network = unsettled(spelling, f"{norm}@{word}", problem, checked)
            except Unsupported:
                continue
            bound = certificate(network, trial_batches(problem.shape))
            assert (bound is not None) == bounded, (norm, word)
            if bound is not None:
                assert found(network, problem) <= bound, (norm, word)
            checked += 1
    assert checked > 6


@settings(max_examples=40, deadline=None)
@given(
    seed=st.integers(0, 10**6),
    activation=st.sampled_from(list(ACTIVATIONS)),
    norm=st.sampled_from(["layer", "rms", "scale", "dyt", "group(groups=4)", "derf", "tanh", "clamp(limit=2)"]),
    place=st.sampled_from(["hidden1", "hidden1.post", "hidden2", "hidden2.post"]),
)
def test_no_input_of_any_mlp_exceeds_its_certificate(seed: int, activation: str, norm: str, place: str) -> None:
    problem = PROBLEMS["features"]
    network = unsettled(f"mlp(width=12, activation={activation})", f"{norm}@{place}", problem, seed)
    scales = torch.logspace(-3, 8, 400, dtype=torch.float64)[:, None]
    x = scales * torch.randn(400, 5, dtype=torch.float64, generator=torch.Generator().manual_seed(seed))
    bound = certificate(network, trial_batches(problem.shape))
    assert bound is not None
    assert network(x).abs().max() <= bound


@pytest.mark.parametrize("kind", ["layer", "rms", "scale"])
def test_it_is_exact_where_the_norm_stands_before_the_head(kind: str) -> None:
    """Of one linear map after a norm it is the true supremum, attained by the best direction."""
    network = unsettled("mlp(depth=1, width=9)", f"{kind}@hidden1.post", PROBLEMS["features"], 3)
    (norm,) = [module for module in network.modules() if marked(module)]
    head = network.get_submodule("head")
    assert isinstance(head, nn.Linear)
    with torch.no_grad():
        weight = head.weight[0] * (norm.weight if hasattr(norm, "weight") else 1)
        best = weight - weight.mean() if kind == "layer" else weight
        reached = [head(norm(sign * 1e9 * best)).item() for sign in (1, -1)]
    assert certificate(network, trial_batches(PROBLEMS["features"].shape)) == pytest.approx(
        max(map(abs, reached)), rel=1e-6
    )


def test_how_far_above_the_search_it_lies_for_a_small_mlp() -> None:
    """The bound is of the order of what is reached: within a factor of 10 for two layers after initialization."""
    problem = PROBLEMS["features"]
    for norm in ("layer@first", "rms@last", "layer@all"):
        network = build_network(resolve("mlp(width=64)"), parse_scheme(norm), problem, 0).double().eval()
        bound = certificate(network, trial_batches(problem.shape))
        assert bound is not None
        assert found(network, problem) <= bound <= 10 * found(network, problem, 64, 40)


class Attends(nn.Module):
    """Averages of 7 tokens, each within 2, by weights that no bound is known of; the largest of the averages."""

    def __init__(self, across: bool) -> None:
        super().__init__()
        self.across = across

    def forward(self, x: Tensor) -> Tensor:
        tokens = 2 * torch.tanh(x)
        scores = x @ x.transpose(-2, -1)
        if self.across:
            return (torch.softmax(scores, -2).transpose(-2, -1) @ tokens).amax((1, 2))[:, None]
        return (torch.softmax(scores, -1) @ tokens).amax((1, 2))[:, None]


@pytest.mark.parametrize("across", [False, True])
def test_attention_averages_whichever_way_its_weights_stand(across: bool) -> None:
    assert certificate(Attends(across).double(), trial_batches((7, 3))) == pytest.approx(2.0)


def test_the_clamp_is_its_own_certificate() -> None:
    network = unsettled("mlp(clamp=true)", "none", PROBLEMS["features"], 0)
    assert certificate(network, trial_batches(PROBLEMS["features"].shape)) == pytest.approx(2.5)


def test_it_says_nothing_of_what_it_does_not_know() -> None:
    class Mystery(nn.Module):
        def forward(self, x: Tensor) -> Tensor:
            return x.sinh()

    rows = trial_batches((3,))
    assert certificate(nn.Sequential(nn.Linear(3, 4), nn.Tanh(), Mystery(), nn.Linear(4, 1)), rows) is None
    assert certificate(nn.Sequential(nn.Linear(3, 4), nn.ReLU(), nn.Linear(4, 1)), rows) is None
    linear = nn.Linear(4, 1)
    expected = (linear.weight.abs().sum() + linear.bias.abs()).detach()
    assert certificate(nn.Sequential(nn.Linear(3, 4), nn.Tanh(), linear), rows) == pytest.approx(expected.item())


@pytest.mark.parametrize("name", list(ACTIVATIONS))
def test_what_is_claimed_of_activations_holds(name: str) -> None:
    activation: Activation = ACTIVATIONS[name]  # type: ignore[index]
    function = activation.make()
    x = torch.linspace(-20, 20, 2_000_001, dtype=torch.float64, requires_grad=True)
    y = function(x)
    (slope,) = torch.autograd.grad(y.sum(), x)
    assert slope.abs().max() <= activation.lipschitz * (1 + 1e-12)
    assert slope.abs().max() >= activation.lipschitz * (1 - 1e-5)
    far = function(torch.tensor([1e6, 1e7], dtype=torch.float64)).abs()
    if activation.exponent:
        assert (far[1] / far[0]).log10() == pytest.approx(1)
    else:
        assert y.abs().max() <= 1
    if activation.turns is not None:
        changes = x.detach()[1:][(slope[1:] * slope[:-1] < -1e-30)]
        assert len(changes) == len(activation.turns)
        for place, turn in zip(changes, activation.turns, strict=True):
            assert float(place) == pytest.approx(turn, abs=3e-5)
            least = function(torch.tensor(turn, dtype=torch.float64)) - 1e-9
            assert least <= y.min()


@settings(max_examples=60, deadline=None)
@given(st.integers(0, 10**6), st.integers(2, 6), st.integers(1, 3))
def test_regions_contain_what_they_are_made_from(seed: int, half: int, heads: int) -> None:
    """Points of two regions stay inside every region derived from them."""
    generator = torch.Generator().manual_seed(seed)
    dim = half * heads

    def draw(*shape: int) -> Tensor:
        return torch.randn(*shape, generator=generator, dtype=torch.float64)

    def region() -> tuple[Region, Tensor]:
        shape, centre = draw(dim, dim + 1), draw(dim)
        inside = draw(200, dim + 1)
        inside = inside / inside.norm(dim=1, keepdim=True)
        points = centre + inside @ shape.T
        return Region.of(
            torch.full((dim,), -math.inf).double(), torch.full((dim,), math.inf).double(), centre, shape
        ), points

    def contains(region: Region, points: Tensor) -> bool:
        slack = 1e-9 * (1 + points.abs().max())
        in_box = (points >= region.low - slack).all() and (points <= region.high + slack).all()
        solution = torch.linalg.lstsq(region.shape, (points - region.centre).T, driver="gelsd").solution
        return bool(in_box) and bool((solution.norm(dim=0) <= 1 + 1e-6).all())

    (one, first), (two, second) = region(), region()
    assert contains(one, first)
    weight, bias = draw(dim, dim), draw(dim)
    assert contains(one.affine(weight, bias), first @ weight.T + bias)
    assert contains(one.plus(two), first + second)
    assert contains(one.times(two), first * second)
    assert contains(Region.around([one, two]), (first + second) / 2)
    assert contains(Region.around([one, two]), second)
    assert contains(one.part(1, dim), first[:, 1:])
    mixed = torch.cat(
        [first[torch.randperm(200, generator=generator), h * half : (h + 1) * half] for h in range(heads)], 1
    )
    assert contains(one.mixed(heads), mixed)
    boxed = one.with_zero()
    assert contains(boxed, first)
    assert contains(boxed, torch.zeros(1, dim, dtype=torch.float64))
