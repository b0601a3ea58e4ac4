"""Position encodings against their papers' formulas, and what follows for lengths, growth and certificates."""

from __future__ import annotations

import math

import pytest
import torch
from torch import Tensor

from architectures import parse_scheme, resolve
from architectures.analysis.certificate import certificate
from architectures.analysis.prediction import predict_module, trial_batches
from architectures.building import build_network
from architectures.families.transformer.positions import distance_bias, rotated, sinusoidal, slopes
from bench.core.errors import InputError, Unsupported
from bench.core.problem import Problem

ENCODINGS = ("none", "sinusoidal", "rope", "alibi")
LONGER = Problem("sequence", (6, 2), lengths=(12, 24))
EACH = Problem("sequence", (6, 2), lengths=(12, 24), each_step=True, causal=True)
LIKE = torch.zeros((), dtype=torch.float64)


def normal(*shape: int) -> Tensor:
    return torch.randn(*shape, dtype=torch.float64, generator=torch.Generator().manual_seed(1))


@pytest.mark.parametrize("width", [8, 7])
def test_sinusoidal_is_the_formula_of_the_paper(width: int) -> None:
    table = sinusoidal(5, width, LIKE)
    for place in range(5):
        for channel in range(width):
            angle = place / 10_000 ** (2 * (channel // 2) / width)
            assert float(table[place, channel]) == pytest.approx((math.cos if channel % 2 else math.sin)(angle))


def test_rope_is_a_product_of_complex_numbers() -> None:
    x = normal(3, 5, 8)
    turns = torch.exp(1j * torch.arange(5.0, dtype=torch.float64)[:, None] / 10_000 ** (torch.arange(0, 8, 2) / 8))
    expected = torch.view_as_real(torch.view_as_complex(x.unflatten(-1, (4, 2))) * turns).flatten(-2)
    torch.testing.assert_close(rotated(x), expected)


def test_rope_scores_know_differences_of_places_alone() -> None:
    query, key = normal(8).expand(20, 8), normal(2, 8)[1].expand(20, 8)
    scores = rotated(query) @ rotated(key).T
    for apart in range(-19, 20):
        diagonal = torch.diagonal(scores, apart)
        torch.testing.assert_close(diagonal, diagonal[:1].expand_as(diagonal))
    assert float(scores[0].std()) > 0.01


def test_alibi_slopes_are_those_of_the_paper() -> None:
    assert slopes(8) == [2.0**-h for h in range(1, 9)]  # "1/2, 1/2², …, 1/2⁸"
    assert slopes(16) == pytest.approx([2.0 ** (-h / 2) for h in range(1, 17)])  # starts at 1/2^0.5
    assert slopes(12) == pytest.approx([*slopes(8), *(2.0**-h for h in (0.5, 1.5, 2.5, 3.5))])  # its code, other counts
    bias = distance_bias(8, 4, LIKE)
    assert bias[2, 3].tolist() == [-3 / 8, -2 / 8, -1 / 8, 0.0]
    torch.testing.assert_close(bias, bias.mT)


@pytest.mark.parametrize("family", ["transformer", "decoder"])
@pytest.mark.parametrize("encoding", ENCODINGS)
def test_any_length_is_taken_and_steps_are_told_apart_where_they_should_be(family: str, encoding: str) -> None:
    network = build_network(resolve(f"{family}(positions={encoding})"), parse_scheme("none"), LONGER, 0).double().eval()
    for steps in (6, 12, 24):
        x = normal(3, steps, 2)
        answer, moved = network(x), network(x.roll(1, 1))
        assert answer.shape == (3, 1)
        order_matters = not torch.allclose(answer, moved, rtol=1e-9)
        assert order_matters == (encoding != "none" or family == "decoder")


@pytest.mark.parametrize("encoding", ENCODINGS)
def test_answers_at_each_step_go_on_alike_in_longer_sequences(encoding: str) -> None:
    """A decoder's answers to the first steps are the same whatever comes after, at any length."""
    network = (
        build_network(resolve(f"decoder(positions={encoding})"), parse_scheme("layer@pre"), EACH, 0).double().eval()
    )
    x = normal(3, 24, 2)
    answer = network(x)
    assert answer.shape == (3, 24)
    torch.testing.assert_close(network(x[:, :6]), answer[:, :6])


def test_an_encoder_answers_at_each_step_with_and_without_a_class_token() -> None:
    both_ways = Problem("sequence", (6, 2), lengths=(12,), each_step=True)
    for readout in ("mean", "cls"):
        spelling = f"transformer(positions=rope,readout={readout})"
        network = build_network(resolve(spelling), parse_scheme("none"), both_ways, 0).eval()
        assert network(torch.randn(3, 12, 2)).shape == (3, 12)


def test_learned_positions_stay_what_they_were_and_have_one_length() -> None:
    plain = build_network(resolve("decoder"), parse_scheme("none"), Problem("sequence", (6, 2)), 0)
    assert plain.state_dict()["tokenizer.positions.weight"].shape == (6, 64)
    assert resolve("decoder(positions=learned)").name == "decoder"
    with pytest.raises(
        Unsupported, match="takes 6 steps alone, and the task asks for 12 and 24: positions=none"
    ) as caught:
        build_network(resolve("decoder"), parse_scheme("none"), LONGER, 0)
    assert caught.value.code == "length"


@pytest.mark.parametrize(
    ("spelling", "problem", "message"),
    [
        ("mlp", LONGER, "takes 6 steps alone"),
        ("cnn", EACH, "one answer a sequence"),
        ("transformer(positions=rope)", EACH, "sees the steps that come after"),
    ],
)
def test_what_a_network_cannot_do_is_unsupported(spelling: str, problem: Problem, message: str) -> None:
    with pytest.raises(Unsupported, match=message):
        build_network(resolve(spelling), parse_scheme("none"), problem, 0)


@pytest.mark.parametrize("problem", [Problem("features", (5,)), Problem("image", (1, 8, 8))], ids=["table", "image"])
def test_positions_are_of_sequences_alone(problem: Problem) -> None:
    one, other = (
        build_network(resolve(f"transformer(positions={kind})"), parse_scheme("none"), problem, 0).double().eval()
        for kind in ("rope", "learned")
    )
    x = normal(3, *problem.shape)
    torch.testing.assert_close(one(x), other(x))


def test_rope_wants_pairs_of_channels() -> None:
    with pytest.raises(InputError, match="pairs of channels"):
        resolve("decoder(width=12,heads=4,positions=rope)")


@pytest.mark.parametrize("encoding", ENCODINGS)
@pytest.mark.parametrize(("norm", "exponent"), [("none", 1), ("layer@pre", 1), ("layer@pre+final", 0)])
@pytest.mark.parametrize("problem", [LONGER, EACH], ids=["once", "each step"])
def test_encodings_change_neither_the_predicted_growth_nor_the_certificate(
    encoding: str, norm: str, exponent: int, problem: Problem
) -> None:
    architecture = resolve(f"decoder(positions={encoding},width=16)")
    network = build_network(architecture, parse_scheme(norm), problem, 0).double()
    batches = trial_batches(problem.shape)
    assert predict_module(network, batches).exponent == exponent
    assert (certificate(network, batches) is None) == (exponent == 1)


def test_clipping_measures_longer_sequences_by_their_mean_square() -> None:
    """``clip@input`` leaves a sequence inside the radius alone, however long it is."""
    spelling = resolve("decoder(positions=none,width=16)")
    clipped = build_network(spelling, parse_scheme("clip@input"), LONGER, 0).double().eval()
    plain = build_network(spelling, parse_scheme("none"), LONGER, 0).double().eval()
    inside = 0.9 * torch.ones(2, 24, 2, dtype=torch.float64)
    torch.testing.assert_close(clipped(inside), plain(inside))
    torch.testing.assert_close(clipped(3 * inside), plain(inside / 0.9))
