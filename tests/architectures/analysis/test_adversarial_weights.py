"""Certificates against weights and inputs that are made to break them, at radii to 1e8."""

from __future__ import annotations

import math
from collections.abc import Callable

import pytest
import torch
from torch import Tensor, nn

from architectures import get_norm, list_norms, parse_scheme, resolve
from architectures.analysis.certificate import certificate
from architectures.analysis.prediction import trial_batches
from architectures.building import build_network
from bench.core.errors import Unsupported
from bench.core.problem import Problem

PROBLEMS = {
    "features": Problem("features", (5,), (-1.5, 2.5)),
    "image": Problem("image", (1, 8, 8)),
    "sequence": Problem("sequence", (6, 2)),
}
FAMILIES = [
    ("mlp(width=12)", "features"),
    ("mlp(width=12, activation=gelu)", "features"),
    ("resmlp(width=8)", "features"),
    ("cnn(width=4, stages=2)", "image"),
    ("rescnn(width=4, stages=2)", "sequence"),
    ("transformer(width=8, heads=2, activation=silu)", "sequence"),
    ("transformer(width=8, heads=2, readout=cls)", "image"),
    ("decoder(width=8, heads=2)", "sequence"),
    ("ft-transformer(width=8, heads=2)", "features"),
]
KINDS = [
    kind.replace("group", "group(groups=2)")
    for kind in list_norms()
    if kind not in ("none", "own") and get_norm(kind).sort == "layer" and get_norm(kind).origin == "built in"
]


def drawn(parameter: Tensor, scale: float, generator: torch.Generator) -> Tensor:
    return scale * torch.randn(parameter.shape, generator=generator, dtype=parameter.dtype)


def aligned(parameter: Tensor, scale: float, generator: torch.Generator) -> Tensor:
    """All weights one sign: nothing cancels, sums are as large as they can be."""
    return torch.full_like(parameter, scale)


def lone(parameter: Tensor, scale: float, generator: torch.Generator) -> Tensor:
    """One large weight in a row, the rest nothing."""
    rows = torch.zeros_like(parameter)
    rows.view(-1)[:: 1 + (parameter.shape[-1] if parameter.dim() else 0)] = -10 * scale
    return rows


WEIGHTS: list[Callable[[Tensor, float, torch.Generator], Tensor]] = [drawn, aligned, lone]


def rewritten(network: nn.Module, way: int, scale: float) -> nn.Module:
    generator = torch.Generator().manual_seed(way)
    with torch.no_grad():
        for parameter in network.parameters():
            parameter.copy_(WEIGHTS[way % len(WEIGHTS)](parameter, scale, generator))
        for name, buffer in network.named_buffers():
            if buffer.is_floating_point():
                buffer.copy_(torch.rand(buffer.shape, generator=generator) + 0.1 * name.endswith("var"))
    return network


class TwoPass(nn.Module):
    """``group`` with the mean taken away before anything is scaled.

    torch computes ``scale * x + shift``: where entries are large and nearly alike, what it answers is rounding, whose
    size grows with x. A certificate speaks of real numbers; a record whose float64 answers exceed it carries none.
    """

    def __init__(self, group: nn.GroupNorm) -> None:
        super().__init__()
        self.group = group

    def forward(self, x: Tensor) -> Tensor:
        parts = x.reshape(len(x), self.group.num_groups, -1)
        for _ in range(2):  # the first mean was rounded at the size of x
            parts = parts - parts.mean(-1, keepdim=True)
        parts = parts / (parts.square().mean(-1, keepdim=True) + self.group.eps).sqrt()
        wide = (1, -1, *[1] * (x.dim() - 2))
        return parts.reshape(x.shape) * self.group.weight.view(wide) + self.group.bias.view(wide)


def in_two_passes(network: nn.Module) -> nn.Module:
    """``network`` with its group norms replaced by :class:`TwoPass`, in place."""
    for name, child in list(network.named_children()):
        if isinstance(child, nn.GroupNorm):
            setattr(network, name, TwoPass(child))
        else:
            in_two_passes(child)
    return network


def climbed(network: nn.Module, problem: Problem, rows: int = 24, steps: int = 10) -> float:
    """The largest answer that gradient ascent from inputs of every scale to 1e8 finds, in float64."""
    generator = torch.Generator().manual_seed(0)
    scale = torch.logspace(-2, 8, rows, dtype=torch.float64).view(-1, *[1] * len(problem.shape))
    x = scale * torch.randn(rows, *problem.shape, dtype=torch.float64, generator=generator)
    x[::4] = scale[::4]  # along the diagonal
    best = 0.0
    for _ in range(steps):
        x.requires_grad_()
        answer = network(x)
        assert answer.isfinite().all()
        best = max(best, answer.detach().abs().max().item())
        (slope,) = torch.autograd.grad(answer.abs().sum(), x)
        length = slope.flatten(1).norm(dim=1).view(scale.shape).clamp_min(1e-300)
        x = (x + 0.3 * x.flatten(1).norm(dim=1).view(scale.shape) * slope / length).detach()
    return best


@pytest.mark.slow
@pytest.mark.parametrize(("spelling", "kind"), FAMILIES)
def test_no_climb_to_1e8_exceeds_a_certificate(spelling: str, kind: str) -> None:
    """Every kind at every placement word, with weights drawn, aligned and lone, small and large."""
    problem, architecture = PROBLEMS[kind], resolve(spelling)
    words = [word for word, _ in architecture.card.placements.words]
    schemes = [f"{norm}@{word}" for norm in KINDS for word in words]
    proved = 0
    for way, text in enumerate(["clip@input", "weight@all+layer@first", "spectral@all+rms@last", *schemes]):
        try:
            network = build_network(architecture, parse_scheme(text), problem, 0).double().eval()
        except Unsupported:
            continue
        rewritten(network, way, (0.3, 3.0)[way % 2])
        bound = certificate(network, trial_batches(problem.shape))
        if bound is not None:
            assert math.isfinite(bound)
            assert climbed(in_two_passes(network), problem) <= bound * (1 + 1e-9), text
            proved += 1
    assert proved > 3


def test_a_climb_stays_under_the_certificate_of_each_kind_in_an_mlp() -> None:
    problem = PROBLEMS["features"]
    for way, kind in enumerate(kind for kind in KINDS if kind != "instance"):
        network = build_network(resolve("mlp(width=12)"), parse_scheme(f"{kind}@last"), problem, 0).double().eval()
        bound = certificate(rewritten(network, way, 2.0), trial_batches(problem.shape))
        assert (bound is None) == (kind in ("batch", "power"))
        assert bound is None or climbed(network, problem, 12, 5) <= bound
