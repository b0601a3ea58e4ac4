"""The growth that the structure implies against the growth that is measured."""

from __future__ import annotations

import functools
import math

import numpy as np
import pytest
import torch
from scipy.stats import theilslopes
from torch import Tensor, nn

from architectures import get_norm, list_norms, parse_scheme, resolve
from architectures.analysis.prediction import predict_module, trial_batches
from architectures.building import build_network
from architectures.description import predict
from bench.core.errors import Unsupported
from bench.core.problem import Problem

PROBLEMS = {
    "features": Problem("features", (6,)),
    "image": Problem("image", (1, 8, 8)),
    "sequence": Problem("sequence", (8, 2)),
}
# Far enough for saturating parts to have saturated: what is predicted is the limit.
LADDER = (1e6, 1e7, 1e8)
OSCILLATING = tuple(np.logspace(4, 9, 51))


def measured(network: nn.Module, problem: Problem, ladder: tuple[float, ...] = LADDER, directions: int = 24) -> float:
    """Theil-Sen slope of log max |output| against log distance."""
    drawn = torch.randn(directions, problem.size, dtype=torch.float64, generator=torch.Generator().manual_seed(0))
    unit = (drawn / drawn.norm(dim=1, keepdim=True)).view(-1, *problem.shape)
    rays = torch.cat([distance * math.sqrt(problem.size) * unit for distance in ladder])
    with torch.no_grad():
        growth = network.double().eval()(rays).abs().view(len(ladder), -1).amax(1).clamp_min(1e-6)
    return float(theilslopes(growth.log().numpy(), np.log(ladder))[0])


FAMILIES = [
    ("mlp(width=32)", "features"),
    ("mlp(width=32, activation=tanh)", "features"),
    ("resmlp(width=32)", "features"),
    ("cnn(width=16)", "image"),
    ("cnn(width=16)", "sequence"),
    ("rescnn(width=16, stages=2)", "sequence"),
    ("transformer(width=16)", "features"),
    ("transformer(width=16)", "image"),
    ("transformer(width=16, readout=cls)", "features"),
    ("decoder(width=16)", "sequence"),
    ("ft-transformer(width=16)", "features"),
    ("ngpt(width=16)", "features"),
]
LAYERS = [kind for kind in list_norms() if kind not in ("none", "own") and get_norm(kind).sort == "layer"]
KINDS = [kind.replace("group", "group(groups=2)") for kind in LAYERS]


def disagreements(spelling: str, kind: str, schemes: list[str]) -> tuple[list[object], int]:
    """Schemes whose measured exponent is not the predicted one, and how many could be built."""
    architecture, problem = resolve(spelling), PROBLEMS[kind]
    ladder = OSCILLATING if "sine" in spelling else LADDER
    wrong: list[object] = []
    built = 0
    for text in schemes:
        try:
            prediction = predict(architecture, parse_scheme(text), problem)
        except Unsupported:
            continue
        exponent = measured(build_network(architecture, parse_scheme(text), problem, 0), problem, ladder)
        built += 1
        if prediction.exponent is None or abs(exponent - prediction.exponent) > 0.02:
            wrong.append((text, prediction, exponent))
    return wrong, built


@pytest.mark.slow
@pytest.mark.parametrize(("spelling", "kind"), FAMILIES)
def test_every_scheme_grows_as_its_structure_implies(spelling: str, kind: str) -> None:
    """Each norm kind at each placement word, and layer norm at each site by its name, at initialization."""
    placements = resolve(spelling).card.placements
    words = [word for word, _ in placements.words]
    schemes = ["none", *(f"{norm}@{word}" for norm in KINDS for word in words)]
    schemes += [f"layer@{site.replace('#', '1')}" for site in placements.sites]
    schemes += ["layer@pre+final"] if "pre" in words else []
    schemes += ["clip@input", "weight@all", "spectral@first", "power(layer_scale=true)@first"]
    schemes += [f"{pair}@{ends}" for pair in ("radial", "revin") for ends in ("input", "input+output")]
    wrong, built = disagreements(spelling, kind, schemes)
    assert not wrong
    assert built > len(schemes) / 2


@pytest.mark.slow
@pytest.mark.parametrize(
    ("spelling", "kind"),
    [
        ("mlp(width=32, activation=leaky_relu)", "features"),
        ("mlp(width=32, activation=gelu)", "features"),
        ("mlp(width=32, activation=silu)", "features"),
        ("mlp(width=32, activation=erf)", "features"),
        ("mlp(width=32, activation=sine)", "features"),
        ("mlp(width=32, init=paper, parameterization=ntk)", "features"),
        ("mlp(width=32, clamp=true)", "features"),
        ("resmlp(width=32, activation=tanh)", "features"),
        ("cnn(width=16, activation=tanh)", "image"),
        ("rescnn(width=16)", "image"),
        ("transformer(width=16)", "sequence"),
        ("transformer(width=16, readout=cls)", "image"),
        ("ft-transformer(width=16, activation=tanh)", "features"),
    ],
)
def test_options_change_growth_as_predicted(spelling: str, kind: str) -> None:
    wrong, _ = disagreements(spelling, kind, ["none", "batch@all", "layer@first", "rms@last", "layer@pre"])
    assert not wrong


KNOWN = [
    ("mlp", "none", 1),
    ("mlp", "batch@all", 1),
    *(
        ("mlp", f"{kind}@{place}", 0)
        for kind in ("layer", "rms", "group", "scale", "dyt", "derf", "tanh", "clamp")
        for place in ("first", "last")
    ),
    ("mlp", "power@all", 1),
    ("mlp", "power(layer_scale=true)@first", 0),
    ("mlp", "radial@input+output", 1),
    ("mlp", "revin@input", 0),
    ("mlp", "revin@input+output", 1),
    ("mlp(activation=tanh)", "none", 0),
    ("transformer", "layer@peri", 0),
    ("transformer", "none", 1),
    ("transformer", "layer@pre", 1),
    ("transformer", "layer@sandwich", 1),
    ("transformer", "layer@qk", 1),
    ("transformer", "layer@post", 0),
    ("transformer", "layer@embed", 0),
    ("transformer", "layer@pre+final", 0),
    ("transformer(readout=cls)", "none", 1),
    ("transformer(readout=cls)", "layer@pre", 0),
    ("transformer(readout=cls)", "layer@block1.attn.in", 1),
    ("decoder", "layer@pre", 1),
    ("ft-transformer", "none", 4),
    ("ft-transformer(depth=3)", "none", 8),
    ("ft-transformer", "layer@pre", 0),
    ("mlp(clamp=true)", "none", 0),
]


@pytest.mark.parametrize(("spelling", "norm", "exponent"), KNOWN)
def test_what_is_known_from_theory_is_predicted(spelling: str, norm: str, exponent: int) -> None:
    problem = PROBLEMS["sequence" if spelling == "decoder" else "features"]
    prediction = predict(resolve(spelling), parse_scheme(norm), problem)
    assert prediction.exponent == exponent
    assert prediction.bounded == (exponent == 0)


@pytest.mark.parametrize(
    ("spelling", "norm", "words"),
    [
        ("mlp", "rms@2", ["bounded: rms norm at hidden2"]),
        ("mlp(activation=tanh)", "none", ["tanh is bounded"]),
        ("mlp", "batch@all", ["passes nothing bounded", "batch norm, an affine map in evaluation"]),
        ("transformer", "layer@pre", ["the residual around block1.attn"]),
        ("transformer(readout=cls)", "layer@pre", ["layer norm at block1.attn.in"]),
        ("ft-transformer", "none", ["products of growing factors"]),
        ("mlp(clamp=true)", "none", ["limited to the range of the training targets"]),
        ("ridge", "none", ["ridge regression"]),
    ],
)
def test_predictions_say_why(spelling: str, norm: str, words: list[str]) -> None:
    reason = predict(resolve(spelling), parse_scheme(norm), PROBLEMS["features"]).reason
    assert all(word in reason for word in words), reason


def test_unknown_modules_are_not_guessed() -> None:
    class Mystery(nn.Module):
        def forward(self, x: Tensor) -> Tensor:
            return x.exp()

    prediction = predict_module(nn.Sequential(nn.Linear(3, 4), Mystery(), nn.Linear(4, 1)), trial_batches((3,)))
    assert prediction.exponent is prediction.bounded is None
    assert "Mystery" in prediction.reason
    assert predict_module(nn.Sequential(nn.Linear(3, 4), nn.Tanh(), nn.Linear(4, 1)), trial_batches((3,))).exponent == 0


@functools.cache
def trained(spelling: str, norm: str) -> float:
    """The exponent after a short training, where the benchmark reads it: r from 100 to 10,000."""
    problem = PROBLEMS["features"]
    network = build_network(resolve(spelling), parse_scheme(norm), problem, 0).train()
    x = torch.randn(128, 6, generator=torch.Generator().manual_seed(2))
    z = (x[:, :1] * x[:, 1:2] + x[:, 2:3].sin()) / 1.5
    optimizer = torch.optim.Adam(network.parameters(), lr=3e-3)
    losses = []
    for _ in range(60):
        optimizer.zero_grad()
        loss = (network(x) - z).pow(2).mean()
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    assert losses[-1] < 0.7 * losses[0]
    return measured(network, problem, (100, 300, 1e3, 3e3, 1e4), directions=64)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("spelling", "norm"),
    [
        ("mlp", "none"),
        ("mlp", "batch@all"),
        ("mlp", "layer@first"),
        ("mlp", "group@last"),
        ("mlp(activation=tanh)", "none"),
        ("resmlp", "layer@pre"),
        ("resmlp", "rms@post"),
        ("transformer(width=32)", "layer@pre"),
        ("transformer(width=32)", "layer@pre+final"),
        ("transformer(width=32, readout=cls)", "layer@pre"),
    ],
)
def test_training_does_not_change_the_exponent(spelling: str, norm: str) -> None:
    prediction = predict(resolve(spelling), parse_scheme(norm), PROBLEMS["features"])
    assert trained(spelling, norm) == pytest.approx(prediction.exponent, abs=0.05)
