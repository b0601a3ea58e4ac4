"""The pairs ``revin`` and ``radial`` against their formulas, and what follows of growth and certificates."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from architectures import parse_scheme, resolve
from architectures.analysis.certificate import certificate
from architectures.analysis.prediction import trial_batches
from architectures.building import build_network
from architectures.description import predict
from architectures.norms.pairs import Paired
from bench.core.errors import Unsupported
from bench.core.problem import Problem
from bench.training.program import choose_program
from bench.training.programs.loop import Single

TABLE = Problem("features", (5,), radius=2.5)
SERIES = Problem("sequence", (8, 2), radius=2.5)
IMAGE = Problem("image", (1, 8, 8), radius=2.5)


def built(spelling: str, norm: str, problem: Problem) -> nn.Module:
    return build_network(resolve(spelling), parse_scheme(norm), problem, 3).double().eval()


def rows(problem: Problem, count: int = 12) -> Tensor:
    return 2 + 3 * torch.randn(count, *problem.shape, dtype=torch.float64, generator=torch.Generator().manual_seed(0))


@pytest.mark.parametrize(("problem", "channel"), [(TABLE, 1), (SERIES, 1), (SERIES, 2)])
@pytest.mark.parametrize("affine", [True, False])
def test_revin_is_the_formula_of_its_paper(problem: Problem, channel: int, affine: bool) -> None:
    """Normalize over the instance, scale and shift; answer, unshift, unscale, put mean and deviation back."""
    said = f"revin(channel={channel}, affine={'true' if affine else 'false'}, eps=1e-3)"
    network = built("mlp(width=16)", f"{said}@input+output", problem)
    assert isinstance(network, Paired)
    x = rows(problem)
    series = x.numpy() if problem is SERIES else x.numpy()[:, :, None]
    channels = series.shape[-1]
    gain, shift = (np.linspace(0.5, 2, channels), np.linspace(-1, 1, channels)) if affine else (1.0, 0.0)
    if affine:
        with torch.no_grad():
            network.pair.weight.copy_(torch.as_tensor(gain))  # type: ignore[operator, union-attr]
            network.pair.bias.copy_(torch.as_tensor(shift))  # type: ignore[operator, union-attr]
    mean, deviation = series.mean(1), np.sqrt(series.var(1) + 1e-3)
    inside = gain * (series - mean[:, None]) / deviation[:, None] + shift
    inner = torch.from_numpy(inside.reshape(x.shape))
    answer = network.network(inner).detach().numpy()[:, 0]
    own = channel - 1
    w, b = (gain[own] + 1e-6, shift[own]) if affine else (1.0, 0.0)  # type: ignore[index]
    expected = (answer - b) / w * deviation[:, own] + mean[:, own]
    assert network(x).detach().numpy()[:, 0] == pytest.approx(expected, rel=1e-9)


def test_units_turn_the_scale_of_the_input_into_that_of_the_target_and_exist_on_the_way_back_alone() -> None:
    network = built("mlp(width=16)", "revin@input+output", SERIES)
    plain = built("mlp(width=16)", "revin(units=false)@input+output", SERIES)
    x = rows(SERIES)
    torch.testing.assert_close(network(x), plain(x))
    with torch.no_grad():
        network.pair.scale.fill_(3.0)  # type: ignore[operator, union-attr]
        network.pair.offset.fill_(-2.0)  # type: ignore[operator, union-attr]
    torch.testing.assert_close(network(x), 3 * plain(x) - 2)
    one_way = built("mlp(width=16)", "revin@input", SERIES)
    assert {name for name, _ in one_way.named_parameters() if "pair" in name} == {"pair.weight", "pair.bias"}


def test_with_units_straight_lines_are_followed_and_without_the_ratio_of_the_units_is_missed() -> None:
    """Lines a + b i, standardized apart from their next values; far away i is up to three times as large."""
    rng = np.random.default_rng(0)

    def lines(count: int, least: int, most: int) -> tuple[np.ndarray, np.ndarray]:
        a, b = rng.standard_normal((2, count, 1))
        line = a + b * (rng.integers(least, most - 10 + 1, size=(count, 1)) + np.arange(11))
        return line[:, :10, None], line[:, 10]

    (x, y), (far, truth) = lines(512, 1, 30), lines(512, 61, 100)
    mean_in, deviation_in, mean, deviation = x.mean(), x.std(), y.mean(), y.std()
    errors = {}
    for norm in ("revin@input+output", "revin(units=false)@input+output"):
        network = build_network(resolve("mlp(width=32)"), parse_scheme(norm), Problem("sequence", (10, 1)), 0)
        program = Single([network.double()], [1e-2])
        for _ in range(200):
            program.step(torch.from_numpy((x - mean_in) / deviation_in), torch.from_numpy((y - mean) / deviation))
        answers = program.predict(torch.from_numpy((far - mean_in) / deviation_in))[0].numpy() * deviation + mean
        errors[norm] = float(np.sqrt(np.square(answers - truth).mean() / np.square(truth - mean).mean()))
    missed = 1 - deviation_in / deviation
    assert errors["revin@input+output"] < 0.01
    assert errors["revin(units=false)@input+output"] == pytest.approx(missed, abs=0.05)


def test_revin_answers_a_series_that_is_moved_and_stretched_by_moving_and_stretching_its_answer() -> None:
    network = built("transformer(width=16)", "revin(eps=1e-12)@input+output", Problem("sequence", (8, 1)))
    x = rows(Problem("sequence", (8, 1)))
    torch.testing.assert_close(network(300 * x - 70), 300 * network(x) - 70, rtol=1e-6, atol=1e-6)


@pytest.mark.parametrize(
    ("norm", "problem", "words"),
    [
        ("revin@input+output", Problem("features", (2,)), "over 2 features"),
        ("revin@input", Problem("features", (1,)), "over 1 feature "),
        ("revin@input+output", Problem("sequence", (2, 4)), "over 2 steps"),
        ("revin@input+output", IMAGE, "reads sequences and tables, not image"),
        ("revin(channel=3)@input+output", SERIES, "of 2 channels"),
        ("revin@output", TABLE, "write revin@input"),
    ],
)
def test_where_revin_would_be_degenerate_it_is_unsupported(norm: str, problem: Problem, words: str) -> None:
    with pytest.raises(Unsupported, match=words):
        built("mlp(width=16)", norm, problem)


@pytest.mark.parametrize(
    ("spelling", "problem"),
    [("mlp(width=16)", TABLE), ("cnn(width=16)", IMAGE), ("transformer(width=16)", SERIES)],
    ids=str,
)
def test_radial_changes_nothing_inside_and_is_linear_beyond(spelling: str, problem: Problem) -> None:
    plain, radial = (built(spelling, norm, problem) for norm in ("none", "radial@input+output"))
    x = rows(problem)
    squares = x.flatten(1).square()
    size = (squares.mean(1) if problem.kind == "sequence" else squares.sum(1)).sqrt()
    on = problem.radius * x / size.view(-1, *[1] * len(problem.shape))
    torch.testing.assert_close(radial(0.7 * on), plain(0.7 * on))
    for r in (1.5, 40.0, 1e7):
        torch.testing.assert_close(radial(r * on), r * plain(on))
    clip, half = (built(spelling, f"{norm}@input", problem) for norm in ("clip", "radial"))
    torch.testing.assert_close(half(40 * on), clip(40 * on))


@pytest.mark.slow
@pytest.mark.parametrize("kind", ["radial", "revin"])
@pytest.mark.parametrize("spelling", ["mlp(width=16)", "resmlp(width=16)", "transformer(width=16)"])
def test_one_way_is_bounded_and_proved_and_both_are_linear(kind: str, spelling: str) -> None:
    for problem in (TABLE, SERIES):
        one, both = (
            predict(resolve(spelling), parse_scheme(f"{kind}@{ends}"), problem) for ends in ("input", "input+output")
        )
        assert (one.exponent, both.exponent) == (0, 1)
        network, batches = built(spelling, f"{kind}@input", problem), trial_batches(problem.shape)
        bound = certificate(network, batches)
        assert bound is not None
        assert certificate(built(spelling, f"{kind}@input+output", problem), batches) is None
        drawn = torch.randn(400, *problem.shape, dtype=torch.float64, generator=torch.Generator().manual_seed(1))
        scales = torch.logspace(-3, 8, 400, dtype=torch.float64).view(-1, *[1] * len(problem.shape))
        assert network(scales * drawn).abs().max() <= bound


@pytest.mark.parametrize(
    ("norm", "program"),
    [
        ("clip@input", "chain"),
        ("radial@input", "chain"),
        ("radial@input+output", "vmap"),
        ("revin@input+output", "vmap"),
    ],
)
def test_networks_in_a_pair_train_together(norm: str, program: str) -> None:
    network = build_network(resolve("mlp(width=16)"), parse_scheme(norm), TABLE, 0)
    assert choose_program(network, torch.randn(8, 5, generator=torch.Generator().manual_seed(0)), 8, 20) == program
