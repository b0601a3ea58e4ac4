"""Networks of a user's own, from the file to the record."""

from __future__ import annotations

import textwrap
from pathlib import Path

import pytest
import torch
from torch import Tensor, nn

import bench
from architectures import parse_scheme, resolve
from architectures.building import build_network, sites
from architectures.contract.precision import in_float64, without_fast_paths
from bench.core.errors import InputError, Unsupported
from bench.core.problem import Problem
from bench.training.agreement import agrees
from leaderboard.records.store.store import Store

pytestmark = pytest.mark.usefixtures("forget_plugins")
PROBLEM = Problem("features", (3,))

MODELS = """
import torch
import torch.nn.functional as F
from torch import nn
from typing import Literal, Optional

KNOTS = torch.linspace(-1, 1, 9)

def sized(problem, d: int = 64, act: Literal["relu", "tanh"] = "relu", rate=0.5, deep=False,
          name: Optional[str] = None):
    net = nn.Sequential(nn.Linear(problem.size, d), nn.ReLU() if act == "relu" else nn.Tanh(), nn.Linear(d, 1))
    net.said = (d, act, rate, deep, name)
    return net

def needy(problem, d):
    return nn.Linear(problem.size, 1)

def anything(problem, /, *, target="x", **more):
    net = nn.Linear(problem.size, 1)
    net.said = (target, more)
    return net

class Named(nn.Module):
    def __init__(self, problem, norm="batch", place=3):
        super().__init__()
        self.norm = nn.Linear(problem.size, 8)  # a Linear that is called norm
        self.last, self.said = nn.Linear(8, 1), (norm, place)
    def forward(self, x):
        return self.last(torch.relu(self.norm(x)))

class NormalHead(nn.Module):
    def __init__(self):
        super().__init__()
        self.layer = nn.Linear(8, 1)
    def forward(self, x):
        return self.layer(x)

def names(problem):
    first = nn.utils.parametrizations.spectral_norm(nn.Linear(problem.size, 8))
    return nn.Sequential(first, nn.Tanh(), nn.utils.parametrizations.weight_norm(nn.Linear(8, 8)), NormalHead())

class Rms(nn.Module):
    def __init__(self, dim):
        super().__init__()
        self.gain = nn.Parameter(torch.ones(dim))
    def forward(self, x):
        return self.gain * x * torch.rsqrt(x.pow(2).mean(-1, keepdim=True) + 1e-6)

def home_made(problem):
    return nn.Sequential(nn.Linear(problem.size, 8), Rms(8), nn.ReLU(), nn.LayerNorm(8), nn.Linear(8, 1))

class Reads(nn.Module):
    def __init__(self, problem):
        super().__init__()
        self.first, self.norm, self.last = nn.Linear(problem.size, 8), nn.LayerNorm(8), nn.Linear(8, 1)
    def forward(self, x):
        h = self.first(x)
        return self.last(F.layer_norm(h, self.norm.normalized_shape, self.norm.weight, self.norm.bias, self.norm.eps))

class Late(nn.Module):
    def __init__(self):
        super().__init__()
        self.layer = None
    def forward(self, x):
        if self.layer is None:
            self.layer = nn.Linear(x.flatten(1).shape[1], 1).to(x)
        return self.layer(x.flatten(1))

def lazy(problem):
    return nn.Sequential(nn.Flatten(), nn.LazyLinear(8), nn.LazyBatchNorm1d(), nn.ReLU(), nn.LazyLinear(1))

def knots(problem):
    return Knots(problem.size)

class Knots(nn.Module):
    def __init__(self, size):
        super().__init__()
        self.head = nn.Linear(size * len(KNOTS), 1)
    def forward(self, x):
        return self.head(torch.exp(-(x[:, :, None] - KNOTS) ** 2).flatten(1))

class Tokens(nn.Module):
    def __init__(self, problem, first=False):
        super().__init__()
        self.embed, self.head = nn.Linear(1, 8), nn.Linear(8, 1)
        layer = nn.TransformerEncoderLayer(8, 2, 16, dropout=0.0, batch_first=True, norm_first=first)
        self.encoder = nn.TransformerEncoder(layer, 2, norm=nn.LayerNorm(8), enable_nested_tensor=False)
        decoder = nn.TransformerDecoderLayer(8, 2, 16, dropout=0.0, batch_first=True)
        self.decoder = nn.TransformerDecoder(decoder, 1)
        self.attention = nn.MultiheadAttention(8, 2, batch_first=True)
    def forward(self, x):
        tokens = self.embed(x[:, :, None])
        seen = self.decoder(tokens, self.encoder(tokens))
        return self.head((seen + self.attention(seen, seen, seen, need_weights=False)[0]).mean(1))

class Pictures(nn.Module):
    def __init__(self, problem):
        super().__init__()
        channels, height, width = problem.shape
        self.conv, self.more = nn.Conv2d(channels, 8, 3, padding=1), nn.Conv2d(8, 8, 3, padding=1)
        self.head = nn.Linear(8 * (height // 2) * (width // 2), 1)
    def forward(self, x):
        x = F.max_pool2d(F.relu(self.more(F.relu(self.conv(x)))), 2)
        return self.head(x.view(x.size(0), -1))

def hooked(problem):
    net = nn.Sequential(nn.Linear(problem.size, 8), nn.ReLU(), nn.Linear(8, 1))
    net[0].register_forward_hook(lambda layer, given, answer: 3 * answer)
    return net

def bent(problem):
    net = nn.Sequential(nn.Linear(problem.size, 8), nn.ReLU(), nn.Linear(8, 1))
    net[1].forward = torch.tanh
    return net
"""


@pytest.fixture
def file(tmp_path: Path) -> str:
    path = tmp_path / "models.py"
    path.write_text(textwrap.dedent(MODELS))
    return str(path)


def built(spelling: str, scheme: str = "none", problem: Problem = PROBLEM) -> nn.Module:
    return build_network(resolve(spelling), parse_scheme(scheme), problem, 0)


def test_options_of_the_builder_are_typed_by_its_signature(file: str) -> None:
    network = built(f"module({file}:sized, d=32, act=tanh, rate=1, deep=true, name=none)")
    assert network.said == (32, "tanh", 1.0, True, None)
    plain, same = resolve(f"module({file}:sized)"), resolve(f"module({file}:sized, d=64, act=relu)")
    assert plain.name == same.name == f"module(target={file}:sized)"
    other = resolve(f"module({file}:sized, act=tanh, d=032)")
    assert other.name == f"module(target={file}:sized, d=32, act=tanh)"
    assert resolve(other.name) == other
    assert built(f"module({file}:needy, d=3)")
    given = resolve(f"module({file}:anything, target=7, depth=2, wide=yes)")
    assert built(given.name).said == ("7", {"depth": 2, "wide": "yes"})
    assert resolve(given.name) == given


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ("d=wide", "'wide' is not a whole number"),
        ("act=gelu", "'gelu' is not allowed"),
        ("dd=3", "unknown option 'dd' of sized.*did you mean 'd'"),
        ("deep=3", "not a truth value"),
    ],
)
def test_options_that_the_builder_does_not_take_are_one_line(file: str, options: str, words: str) -> None:
    with pytest.raises(InputError, match=words):
        resolve(f"module({file}:sized, {options})")


def test_options_that_share_a_name_with_ours_stay_the_networks(file: str) -> None:
    assert built(f"module({file}:Named)").said == ("batch", 3)
    assert built(f"module({file}:Named, norm=layer, place=5)").said == ("layer", 5)


@pytest.mark.parametrize("name", ["names", "Named", "knots"])
def test_what_is_merely_called_a_norm_is_none(file: str, name: str) -> None:
    assert sites(resolve(f"module({file}:{name})"), PROBLEM) == ()
    assert built(f"module({file}:{name})")(torch.randn(4, 3)).shape == (4, 1)


def test_a_home_made_norm_runs_as_it_came_and_can_be_named(file: str) -> None:
    spelling = f"module({file}:home_made)"
    assert [site.name for site in sites(resolve(spelling), PROBLEM)] == ["layers.3", "layers.1"]
    assert type(built(spelling, "own@all")[1]).__name__ == "Rms"  # type: ignore[index]
    kept = built(spelling, "rms@layers.3+own@layers.1")
    assert [type(layer).__name__ for layer in kept][1:4] == ["Rms", "ReLU", "RMSNorm"]  # type: ignore[union-attr]
    for scheme in ("none", "layer@all", "own@layers.3", "weight@layers.3"):
        with pytest.raises(Unsupported, match="Rms at '1' does a division by a reduction of the same values") as caught:
            built(spelling, scheme)
        assert caught.value.code == "cannot_normalize"


def test_a_norm_whose_numbers_are_read_can_only_stay(file: str) -> None:
    spelling = f"module({file}:Reads)"
    assert built(spelling, "own@all")(torch.randn(4, 3)).shape == (4, 1)
    with pytest.raises(Unsupported, match="reads the attribute 'normalized_shape' of the norm layer at 'norm'"):
        built(spelling, "rms@all")


@pytest.mark.parametrize("name", ["Late", "lazy"])
def test_layers_whose_size_the_first_batch_decides(file: str, name: str) -> None:
    network = built(f"module({file}:{name})")
    assert {p.shape[1] for p in network.parameters() if p.dim() == 2} <= {3, 8}
    assert len(list(network.parameters())) in (2, 4)
    again = built(f"module({file}:{name})")
    assert all(torch.equal(a, b) for a, b in zip(network.parameters(), again.parameters(), strict=True))


def by_hand(network: nn.Module, x: Tensor) -> Tensor:
    """The layers of torch one after the other, with whatever stands in the place of their norms."""
    tokens = network.embed(x[:, :, None])
    memory = tokens
    for layer in network.encoder.layers:
        memory = layer.norm1(memory + layer.self_attn(memory, memory, memory, need_weights=False)[0])
        memory = layer.norm2(memory + layer.linear2(torch.relu(layer.linear1(memory))))
    memory = network.encoder.norm(memory)
    seen = tokens
    for layer in network.decoder.layers:
        seen = layer.norm1(seen + layer.self_attn(seen, seen, seen, need_weights=False)[0])
        seen = layer.norm2(seen + layer.multihead_attn(seen, memory, memory, need_weights=False)[0])
        seen = layer.norm3(seen + layer.linear2(torch.relu(layer.linear1(seen))))
    return network.head((seen + network.attention(seen, seen, seen, need_weights=False)[0]).mean(1))


@pytest.mark.parametrize("scheme", ["none", "own@all", "layer@all", "rms@all", "batch@all", "dyt@all", "scale@first"])
def test_torchs_own_transformer_layers_take_every_scheme_with_the_right_numbers(file: str, scheme: str) -> None:
    network = built(f"module({file}:Tokens)", scheme).double()
    x = torch.randn(5, 3, dtype=torch.float64)
    with torch.no_grad():
        for parameter in network.parameters():
            parameter.add_(0.1 * torch.randn_like(parameter))
        for training in (True, False):
            network.train(training)
            expected = by_hand(network, x)
            assert torch.allclose(network(x), expected)
            with without_fast_paths():
                assert torch.allclose(network(x), expected)


def test_a_decorated_encoder_takes_every_scheme(tmp_path: Path) -> None:
    path = tmp_path / "plug.py"
    path.write_text(
        textwrap.dedent("""
        from torch import nn
        from architectures import register_architecture

        class Net(nn.Module):
            def __init__(self, problem, norm):
                super().__init__()
                self.embed, self.head = nn.Linear(1, 8), nn.Linear(8, 1)
                layer = nn.TransformerEncoderLayer(8, 2, 16, dropout=0.0, batch_first=True)
                layer.norm1, layer.norm2 = norm("one", 8), norm("two", 8)
                self.encoder = nn.TransformerEncoder(layer, 2)
            def forward(self, x):
                return self.head(self.encoder(self.embed(x[:, :, None])).mean(1))

        @register_architecture("decorated-encoder", inputs=["features"])
        def build(problem, norm):
            return Net(problem, norm)
        """)
    )
    bench.core.plugins.load_plugin(path)
    x = torch.randn(5, 3)
    answers = []
    for scheme in ("none", "batch@all", "dyt@one"):
        network = built("decorated-encoder", scheme).eval()
        with torch.no_grad():
            fast = network(x)
        answers.append(fast)
        assert torch.allclose(fast, network(x), atol=1e-6)
    assert not torch.allclose(answers[0], answers[1])


def test_a_first_state_made_in_the_forward_has_the_dtype_of_the_evaluation() -> None:
    with in_float64():
        assert torch.zeros(2).dtype == torch.float64
    assert torch.zeros(2).dtype == torch.float32


def test_a_program_that_passes_over_what_a_network_does_is_not_taken(file: str) -> None:
    rows = torch.randn(8, 3)
    for name, programs in {"sized": {"chain", "vmap"}, "hooked": {"vmap"}, "bent": {"vmap"}}.items():
        spelling = f"module({file}:{name})"

        def build(seed: int, spelling: str = spelling) -> nn.Module:
            return build_network(resolve(spelling), parse_scheme("none"), PROBLEM, seed)

        assert {program for program in ("chain", "vmap") if agrees(program, build, (0, 1), rows)} == programs, name


@pytest.mark.slow
def test_every_program_trains_the_same(file: str, tmp_path: Path) -> None:
    """By the errors of the first 50 steps: over a thousand, training makes 1e-7 of rounding into some percent."""
    curves: dict[str, list[tuple[float | None, ...]]] = {}
    for program in (None, "chain", "vmap", "loop"):
        results = bench.run(
            tasks=["double-well"],  # in batches; one learning rate is far better than the other
            architectures=[f"module({file}:{name})" for name in ("sized", "hooked")],
            seeds=2,
            protocol="quick",
            out=tmp_path / str(program),
            program=program,
            wandb="disabled",
        )
        with Store(results.store) as store:
            for record in results.records:
                if program == "chain" and "hooked" in record.key.architecture:
                    assert "learns otherwise under --program chain" in (record.reason or "")
                    continue
                kept = store.details(record.key, "curve.step", "curve.train", "curve.validation")
                assert kept["curve.step"][:10] == tuple(range(5, 55, 5))
                curve = (record.learning_rate, *kept["curve.train"][:10], *kept["curve.validation"][:10])
                curves.setdefault(f"{record.key.architecture}{record.key.seed}", []).append(curve)
    assert [len(found) for found in curves.values()] == [4, 4, 3, 3]
    for first, *others in curves.values():
        assert others == [pytest.approx(first, rel=1e-5)] * len(others)


@pytest.mark.slow
def test_a_view_after_a_convolution_runs_by_loop(file: str, tmp_path: Path) -> None:
    results = bench.run(
        tasks=["digits-rotation"],
        architectures=[f"module({file}:Pictures)"],
        seeds=1,
        protocol="quick",
        out=tmp_path / "out",
        program="loop",
        wandb="disabled",
    )
    assert results.counts == {"ok": 1}
