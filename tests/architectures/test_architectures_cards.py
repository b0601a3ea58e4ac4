"""Cards, spelling, plug-ins, and what importing costs."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator

import pytest

import architectures
from architectures import list_architectures, list_norms, parse_scheme, register_architecture, registry, resolve
from bench.core.errors import InputError, UnknownName
from bench.core.problem import Problem

_HEAVY = ("torch", "timm", "sklearn", "pandas", "datasets", "wandb", "scipy")


def test_reading_names_and_options_loads_nothing_heavy() -> None:
    script = f"""
import sys
import architectures
for name in architectures.list_architectures():
    architectures.resolve(name)
architectures.resolve("mlp(width=8)").check_scheme(architectures.parse_scheme("layer@first"))
try:
    architectures.resolve("transformer(heads=5)")
except Exception as error:
    assert "heads" in str(error), error
else:
    raise AssertionError
print([name for name in {_HEAVY} if name in sys.modules])
"""
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_every_card_is_complete_and_resolves() -> None:
    for name in list_architectures():
        card = architectures.get_card(name)
        assert all(getattr(card, field) for field in ("version", "summary", "family", "inputs", "build", "citation"))
        assert "\n" not in card.summary
        assert resolve(name).name == name
        assert card.deterministic == (card.role == "estimator")


def test_options_have_one_canonical_spelling() -> None:
    assert resolve("mlp(activation=gelu, depth=3, width=128)").name == "mlp(depth=3, activation=gelu)"
    assert resolve("mlp(2, 128)").name == "mlp"
    assert resolve(resolve("transformer(readout=cls,width=32)").name).options.readout == "cls"
    assert hash(resolve("mlp(depth=3)")) == hash(resolve("mlp( depth = 3 )"))


@pytest.mark.parametrize(
    ("spelling", "words"),
    [
        ("mpl", ["'mpl'", "'mlp'"]),
        ("mlp(widht=3)", ["'widht'", "'width'"]),
        ("mlp(width=0)", ["width must be at least 1"]),
        ("mlp(width=99999999999999999999)", ["width must be at most 10,000,000"]),
        ("transformer(depth=1000000)", ["depth must be at most 10,000"]),
        ("mlp(width=wide)", ["whole number"]),
        ("mlp(activation=rleu)", ["'rleu'", "'relu'"]),
        ("transformer(width=64, heads=5)", ["heads=5", "width=64", "1, 2, 4, 8"]),
        ("cnn(kernel=2)", ["odd"]),
        ("mean(width=3)", ["no options"]),
    ],
)
def test_bad_options_are_one_clear_line(spelling: str, words: list[str]) -> None:
    with pytest.raises(InputError) as caught:
        resolve(spelling)
    assert "\n" not in str(caught.value)
    for word in words:
        assert word in str(caught.value)


def test_places_are_checked_without_building() -> None:
    resolve("mlp").check_scheme(parse_scheme("layer@hidden7+9"))
    with pytest.raises(InputError, match=r"'hiden1'.*did you mean 'hidden1'"):
        resolve("mlp").check_scheme(parse_scheme("layer@hiden1"))
    with pytest.raises(InputError, match="'qk'"):
        resolve("mlp").check_scheme(parse_scheme("layer@qk"))
    with pytest.raises(InputError, match="nothing to normalize"):
        resolve("ridge").check_scheme(parse_scheme("layer@first"))


def test_norms_are_listed() -> None:
    assert list_norms()[:3] == ["none", "layer", "rms"]


@pytest.fixture
def plugin() -> Iterator[str]:
    from torch import nn

    @register_architecture("test-net", inputs=["features"])
    def test_net(problem, norm, width: int = 16, bias: bool = True):  # type: ignore[no-untyped-def]
        """A small network."""
        return nn.Sequential(
            nn.Linear(problem.size, width, bias=bias),
            norm("a", width),
            nn.ReLU(),
            norm("b", width),
            nn.Linear(width, 1),
        )

    yield "test-net"
    registry.remove("test-net")


def test_a_plugged_in_function_becomes_an_architecture(plugin: str) -> None:
    import torch

    from architectures.building import build_network, resolve_sites

    architecture = resolve("test-net(bias=false, width=8)")
    assert architecture.name == "test-net(width=8, bias=false)"
    assert architecture.card.summary == "A small network."
    problem = Problem("features", (3,))
    assert resolve_sites(architecture, parse_scheme("layer@last"), problem) == ("b",)
    before = torch.random.get_rng_state()
    plain = build_network(architecture, parse_scheme("none"), problem, 5)
    normed = build_network(architecture, parse_scheme("layer@all"), problem, 5)
    assert torch.equal(torch.random.get_rng_state(), before)
    assert torch.equal(plain[0].weight, normed[0].weight)  # type: ignore[index]
    assert torch.equal(plain[4].weight, normed[4].weight)  # type: ignore[index]
    other = build_network(architecture, parse_scheme("none"), problem, 6)
    assert not torch.equal(plain[0].weight, other[0].weight)  # type: ignore[index]


def test_a_taken_name_is_refused(plugin: str) -> None:
    with pytest.raises(InputError, match="already registered"):
        register_architecture(plugin)(lambda problem, norm: None)
    with pytest.raises(InputError, match="already registered"):
        register_architecture("mlp")(lambda problem, norm: None)


def test_signatures_that_cannot_be_spelled_are_refused() -> None:
    with pytest.raises(InputError, match="no default"):
        register_architecture("x")(lambda problem, norm, width: None)
    with pytest.raises(InputError, match="name each option"):
        register_architecture("x")(lambda problem, norm, **options: None)
    with pytest.raises(InputError, match="def build"):
        register_architecture("x")(lambda: None)
    with pytest.raises(UnknownName):
        resolve("x")


def test_the_source_hash_follows_the_code() -> None:
    assert resolve("mlp").source_hash == resolve("mlp(depth=3)").source_hash
    assert resolve("mlp").source_hash != resolve("cnn").source_hash
