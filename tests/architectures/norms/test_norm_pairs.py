"""Pairs around a network: where they stand, what ``clip@input`` does, and what follows from it."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
import torch
from torch import Tensor, nn

from architectures import NORM_REGISTRY, parse_scheme, register_norm, resolve
from architectures.analysis.certificate import certificate
from architectures.analysis.prediction import trial_batches
from architectures.building import build_network
from architectures.description import describe, predict
from architectures.norms.pairs import Pair, Paired, distance
from architectures.norms.site import Frame
from bench.core.errors import InputError, Unsupported
from bench.core.problem import Problem

R = 2.5
CASES = [
    ("mlp(width=16)", Problem("features", (5,), radius=R)),
    ("mlp(width=16)", Problem("image", (1, 4, 4), radius=R)),
    ("resmlp(width=16)", Problem("features", (1,), radius=R)),
    ("cnn(width=16)", Problem("image", (2, 8, 8), radius=R)),
    ("cnn(width=16)", Problem("sequence", (8, 2), radius=R)),
    ("rescnn(width=16, stages=2)", Problem("sequence", (8, 2), radius=R)),
    ("transformer(width=16)", Problem("features", (5,), radius=R)),
    ("transformer(width=16)", Problem("image", (1, 8, 8), radius=R)),
    ("transformer(width=16, readout=cls)", Problem("sequence", (8, 2), radius=R)),
    ("decoder(width=16)", Problem("sequence", (8, 2), radius=R)),
]


@pytest.fixture(autouse=True)
def _forget() -> Iterator[None]:
    before = set(NORM_REGISTRY.names())
    yield
    for name in set(NORM_REGISTRY.names()) - before:
        NORM_REGISTRY.remove(name)


def rays(problem: Problem, count: int = 16) -> Tensor:
    """Inputs at distance 1 by the problem's own measure."""
    drawn = torch.randn(count, *problem.shape, dtype=torch.float64, generator=torch.Generator().manual_seed(1))
    squares = drawn.flatten(1).square()
    size = (squares.mean(1) if problem.kind == "sequence" else squares.sum(1)).sqrt()
    return problem.radius * drawn / size.view(-1, *[1] * len(problem.shape))


def built(spelling: str, norm: str, problem: Problem) -> nn.Module:
    return build_network(resolve(spelling), parse_scheme(norm), problem, 3).double().eval()


@pytest.mark.parametrize(("spelling", "problem"), CASES, ids=str)
def test_clipping_changes_nothing_inside_and_holds_the_answer_outside(spelling: str, problem: Problem) -> None:
    plain, clipped = built(spelling, "none", problem), built(spelling, "clip@input", problem)
    on = rays(problem)
    for r in (0.0, 0.3, 1 - 1e-9):
        assert torch.equal(clipped(r * on), plain(r * on))
    for r in (1.5, 100.0, 1e8):
        torch.testing.assert_close(clipped(r * on), plain(on))


@pytest.mark.parametrize(("spelling", "problem"), CASES, ids=str)
def test_clipping_is_predicted_bounded_and_never_exceeds_its_certificate(spelling: str, problem: Problem) -> None:
    prediction = predict(resolve(spelling), parse_scheme("clip@input"), problem)
    assert prediction.exponent == 0
    assert "clip around the network" in prediction.reason
    network = built(spelling, "clip@input", problem)
    bound = certificate(network, trial_batches(problem.shape))
    assert bound is not None
    scales = torch.logspace(-2, 8, 160, dtype=torch.float64).view(-1, *[1] * len(problem.shape))
    most = network(scales * rays(problem, 160)).abs().max().item()
    assert most <= bound
    assert bound < 1e4 * most


def test_the_bound_of_one_linear_map_behind_the_clip_is_attained() -> None:
    """With an activation that is linear where it matters nothing is lost: R ‖w‖ + |b| is the largest answer."""
    pair = built("mlp(width=16)", "clip@input", CASES[0][1])
    assert isinstance(pair, Paired)
    linear = nn.Linear(5, 1).double()
    pair.network = linear
    with torch.no_grad():
        direction = linear.weight[0] * linear.bias.sign()
        reached = pair((1e9 * direction)[None]).abs().item()
    assert certificate(pair, trial_batches((5,))) == pytest.approx(reached, rel=1e-6)


def test_a_pair_s_input_and_a_layer_s_input_are_two_places() -> None:
    problem = CASES[0][1]
    both = built("mlp(width=16)", "clip@input+layer@input", problem)
    assert isinstance(both, Paired)
    assert isinstance(both.network.get_submodule("input_norm"), nn.LayerNorm)
    only = built("mlp(width=16)", "layer@input", problem)
    assert isinstance(only.get_submodule("input_norm"), nn.LayerNorm)
    on = rays(problem)
    torch.testing.assert_close(both(100 * on), only(on))
    rows = describe(resolve("mlp"), parse_scheme("clip@input+layer@input"), problem).sites
    assert [(row.name, row.norm) for row in rows[:2]] == [("network input", "clip"), ("input", "layer")]


def test_schemes_share_weights_inside_a_pair() -> None:
    plain = built("mlp(width=16)", "none", CASES[0][1]).state_dict()
    clipped = built("mlp(width=16)", "clip@input", CASES[0][1]).state_dict()
    assert set(clipped) == {f"network.{name}" for name in plain}
    assert all(torch.equal(clipped[f"network.{name}"], value) for name, value in plain.items())


def radial(frame: Frame) -> nn.Module:
    """``s g(x / s)`` with s = max(1, distance): unchanged inside, linear outside."""

    def inward(x: Tensor) -> tuple[Tensor, Tensor]:
        s = distance(x, frame).clamp_min(1.0)
        return x / s, s.flatten(1)

    return Pair(inward, lambda y, s: s * y)


@pytest.mark.parametrize(("spelling", "problem"), CASES[:5], ids=str)
def test_a_pair_may_have_a_way_back(spelling: str, problem: Problem) -> None:
    register_norm("test-radial", sort="pair", growth="bounds", growth_back="raises")(radial)
    plain, wrapped = built(spelling, "none", problem), built(spelling, "test-radial@input+output", problem)
    on = rays(problem)
    torch.testing.assert_close(wrapped(0.5 * on), plain(0.5 * on))
    torch.testing.assert_close(wrapped(50 * on), 50 * plain(on))
    torch.testing.assert_close(built(spelling, "test-radial@input", problem)(50 * on), plain(on))
    assert predict(resolve(spelling), parse_scheme("test-radial@input+output"), problem).exponent == 1
    assert predict(resolve(spelling), parse_scheme("test-radial@input"), problem).exponent == 0
    assert certificate(wrapped, trial_batches(problem.shape)) is None


def test_what_a_pair_does_not_declare_is_unknown() -> None:
    register_norm("test-silent", sort="pair")(radial)
    for place in ("input", "input+output"):
        assert predict(resolve("mlp"), parse_scheme(f"test-silent@{place}"), CASES[0][1]).exponent is None
    silent = built("mlp(width=16)", "test-silent@input", CASES[0][1])
    assert certificate(silent, trial_batches(CASES[0][1].shape)) is None


@pytest.mark.parametrize(
    ("norm", "words"),
    [
        ("clip@first", "clip stands around the network, not at 'first'"),
        ("clip@input+test-other@input", "two kinds of norm at 'input'"),
        ("clip@input+test-other@output", "two pairs around one network"),
    ],
)
def test_schemes_that_no_pair_can_mean_are_refused(norm: str, words: str) -> None:
    register_norm("test-other", sort="pair")(radial)
    with pytest.raises(InputError, match=words):
        parse_scheme(norm)


@pytest.mark.parametrize(
    ("norm", "words"), [("clip@output", "write clip@input"), ("clip@input+output", "clip has no way back")]
)
def test_a_way_back_without_a_way_in_or_without_one_is_unsupported(norm: str, words: str) -> None:
    with pytest.raises(Unsupported, match=words):
        build_network(resolve("mlp"), parse_scheme(norm), CASES[0][1], 0)


def test_estimators_take_no_pair() -> None:
    with pytest.raises(InputError, match="nothing to normalize"):
        resolve("ridge").check_scheme(parse_scheme("clip@input"))


def test_a_module_without_a_way_in_is_no_pair() -> None:
    register_norm("test-broken", sort="pair")(lambda frame: nn.Identity())
    with pytest.raises(InputError, match="without a method inward"):
        build_network(resolve("mlp"), parse_scheme("test-broken@input"), CASES[0][1], 0)
