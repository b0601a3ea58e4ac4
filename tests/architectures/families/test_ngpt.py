"""nGPT against the equations of its paper, and what is kept on the unit sphere by every training program."""

from __future__ import annotations

import math
from collections.abc import Callable

import pytest
import torch
from torch import Tensor, nn

from architectures import parse_scheme, resolve
from architectures.analysis.certificate import certificate
from architectures.analysis.prediction import trial_batches
from architectures.blocks.after_step import after_step, mend
from architectures.building import build_network, resolve_sites
from architectures.description import predict
from bench.core.errors import Unsupported
from bench.core.problem import Problem
from bench.training.agreement import agrees
from bench.training.programs.loop import Single
from bench.training.programs.program import StartProgram
from bench.training.programs.vmap import Stack

PROBLEMS = {
    "features": Problem("features", (5,)),
    "image": Problem("image", (1, 8, 8)),
    "sequence": Problem("sequence", (6, 2)),
}
OWN = "own@all"


def built(kind: str, norm: str = OWN, seed: int = 0, options: str = "") -> nn.Module:
    spelling = f"ngpt(width=16, heads=2{options})"
    return build_network(resolve(spelling), parse_scheme(norm), PROBLEMS[kind], seed).double()


def rows(kind: str, count: int = 7) -> Tensor:
    generator = torch.Generator().manual_seed(0)
    return torch.randn(count, *PROBLEMS[kind].shape, dtype=torch.float64, generator=generator)


def by_the_paper(state: dict[str, Tensor], x: Tensor, alpha_start: float) -> Tensor:
    """Equations 8 to 16 and 20 to 22 of arXiv 2410.01131 for a sequence, one head at a time, one row at a time."""

    def norm(v: Tensor) -> Tensor:
        return v / v.norm(dim=-1, keepdim=True)

    width, heads = 16, 2
    root = math.sqrt(width)
    answers = []
    for row in x:
        h = norm(
            row @ state["tokenizer.embed.weight"].T
            + state["tokenizer.embed.bias"]
            + state["tokenizer.positions.weight"]
        )
        for block in (0, 2):
            at, ml = (f"blocks.{block + i}" for i in (0, 1))
            alpha_a, alpha_m = (alpha_start * root * state[f"{one}.alpha.weight"] for one in (at, ml))
            q, k, v = (h @ part.T for part in state[f"{at}.branch.qkv.weight"].split(width))
            s_qk = root * state[f"{at}.branch.s_qk.weight"]
            mixed = []
            for head in range(heads):
                own = slice(head * width // heads, (head + 1) * width // heads)
                queries, keys = s_qk[own] * norm(q[:, own]), s_qk[own] * norm(k[:, own])
                shares = torch.softmax(math.sqrt(width / heads) * queries @ keys.T, dim=-1)
                mixed.append(shares @ v[:, own])
            h_a = norm(torch.cat(mixed, -1) @ state[f"{at}.branch.project.weight"].T)
            h = norm(h + alpha_a.abs() * (h_a - h))
            u, gate = (h @ part.T for part in state[f"{ml}.branch.rise.weight"].chunk(2))
            u, gate = u * state[f"{ml}.branch.s_u.weight"], gate * state[f"{ml}.branch.s_v.weight"] * root
            h_m = norm((u * gate * torch.sigmoid(gate)) @ state[f"{ml}.branch.fall.weight"].T)
            h = norm(h + alpha_m.abs() * (h_m - h))
        answers.append(root * state["s_z.weight"] * (h.mean(0) @ state["head.weight"][0]))
    return torch.stack(answers)


@pytest.mark.parametrize("alpha", [0.05, 0.4])
def test_it_is_the_network_of_the_paper(alpha: float) -> None:
    network = built("sequence", options=f", alpha={alpha}")
    generator = torch.Generator().manual_seed(5)
    with torch.no_grad():
        for name, parameter in network.named_parameters():
            if parameter.dim() == 1:  # scalings and the bias, anywhere else than at their start
                noise = torch.randn(parameter.shape, dtype=torch.float64, generator=generator)
                parameter.add_(0.2 * noise, alpha=1.0 if name.startswith("blocks") else 0.5)
    x = rows("sequence")
    expected = by_the_paper(dict(network.state_dict()), x, alpha)
    torch.testing.assert_close(network(x).detach(), expected)


def test_scalings_start_where_the_paper_starts_them() -> None:
    network = built("sequence")
    for path, start in (("blocks.0.alpha", 0.05), ("blocks.0.branch.s_qk", 1), ("blocks.1.branch.s_u", 1), ("s_z", 1)):
        scaling = network.get_submodule(path)
        torch.testing.assert_close(scaling(), torch.full_like(scaling(), start))
    assert network.get_submodule("s_z").weight.item() == pytest.approx(1 / 4)  # type: ignore[union-attr, operator]


def off_the_sphere(network_state: dict[str, Tensor], kind: str) -> float:
    """By how much any vector of a matrix misses length 1."""
    worst = 0.0
    for name, value in network_state.items():
        if value.dim() < 2:
            continue
        columns = ("project.weight", "fall.weight", "embed.weight")
        lengths = value.norm(dim=0 if name.endswith(columns) else 1)
        worst = max(worst, float((lengths - 1).abs().max()))
    return worst


@pytest.mark.parametrize("kind", PROBLEMS)
@pytest.mark.parametrize("options", ["", ", readout=cls"])
@pytest.mark.parametrize("start", [Single, Stack])
def test_every_matrix_is_on_the_sphere_at_first_and_after_every_step(
    kind: str, options: str, start: StartProgram
) -> None:
    assert off_the_sphere(dict(built(kind, options=options).state_dict()), kind) < 1e-6
    seeds = [0] if start is Single else [0, 1, 2]
    program = start([built(kind, seed=seed, options=options) for seed in seeds], [3e-2] * len(seeds))
    x = rows(kind)
    z = x.flatten(1).sum(1).sin()
    first = program.step(x, z)
    for _ in range(15):
        last = program.step(x, z)
        assert max(off_the_sphere(program.state(place), kind) for place in range(len(seeds))) < 1e-12
    assert bool((last < first).all())


@pytest.mark.parametrize("kind", PROBLEMS)
def test_stacked_members_learn_as_each_does_alone(kind: str) -> None:
    assert agrees("vmap", lambda seed: built(kind, seed=seed), [0, 1, 2], rows(kind))


def test_a_step_matters_to_what_comes_after_it() -> None:
    """Without what follows a step the weights go elsewhere: it is not undone by the forward pass."""
    x = rows("sequence")
    z = x.flatten(1).sum(1).sin()
    kept, left = built("sequence"), built("sequence")
    for module in left.modules():
        if hasattr(module, "after_step"):
            module.after_step = dict  # type: ignore[method-assign, assignment]
    programs = [Single([network], [3e-2]) for network in (kept, left)]
    for _ in range(10):
        losses = [program.step(x, z).item() for program in programs]
    assert losses[0] != pytest.approx(losses[1], rel=1e-3)
    assert off_the_sphere(programs[1].state(0), "sequence") > 0.01


@pytest.mark.parametrize(
    "kind", [*(pytest.param(k, marks=pytest.mark.slow) for k in ("image", "features")), "sequence"]
)
def test_the_answer_never_exceeds_s_z_and_the_certificate_says_so(kind: str) -> None:
    problem, network = PROBLEMS[kind], built(kind).eval()
    with torch.no_grad():
        network.get_submodule("s_z").weight.mul_(-7)  # type: ignore[union-attr, operator]
    prediction = predict(resolve("ngpt"), parse_scheme(OWN), problem)
    assert prediction.exponent == 0
    assert "Unit at embed" in prediction.reason
    bound = certificate(network, trial_batches(problem.shape))
    assert bound == pytest.approx(7.0, rel=1e-6)
    scales = torch.logspace(-3, 8, 200, dtype=torch.float64).view(-1, *[1] * len(problem.shape))
    drawn = torch.randn(200, *problem.shape, dtype=torch.float64, generator=torch.Generator().manual_seed(1))
    assert network(scales * drawn).abs().max() <= bound


@pytest.mark.slow
def test_the_scheme_decides_what_of_its_vectors_is_normalized() -> None:
    architecture, problem = resolve("ngpt(depth=1)"), PROBLEMS["sequence"]
    everything = resolve_sites(architecture, parse_scheme(OWN), problem)
    assert everything == (
        *("embed", "block1.attn.qk", "block1.attn.out", "block1.attn.res", "block1.mlp.out", "block1.mlp.res"),
    )
    # each gated MLP multiplies two growing factors: its exponent doubles that of its input
    assert predict(architecture, parse_scheme("none"), problem).exponent == 2
    assert predict(resolve("ngpt(depth=3)"), parse_scheme("none"), problem).exponent == 8
    assert predict(architecture, parse_scheme("layer@last"), problem).exponent == 0


def test_a_single_token_needs_a_class_token() -> None:
    with pytest.raises(Unsupported, match="a single token"):
        build_network(resolve("ngpt"), parse_scheme(OWN), Problem("features", (1,)), 0)


class Clipped(nn.Module):
    """A stranger's network with a constraint of its own."""

    def __init__(self) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.linspace(-1, 1, 5, dtype=torch.float64)[None])

    def after_step(self) -> dict[str, Callable[[Tensor], Tensor]]:
        return {"weight": lambda w: w.clamp(-0.5, 0.5), "gone": lambda w: w}

    def forward(self, x: Tensor) -> Tensor:
        return x @ self.weight.T


def test_any_network_may_say_what_follows_a_step() -> None:
    network = nn.Sequential(Clipped(), nn.Linear(1, 1).double())
    assert set(after_step(network)) == {"0.weight"}
    mend(network)
    assert network[0].weight.abs().max().item() == 0.5
    program = Single([network], [0.3])
    x = rows("features")
    for _ in range(5):
        program.step(x, 10 * x.sum(1))
        assert program.state(0)["0.weight"].abs().max().item() <= 0.5
