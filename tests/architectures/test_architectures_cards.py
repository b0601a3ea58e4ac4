"""Cards, spelling, plug-ins, and what importing costs."""

from __future__ import annotations

import dataclasses
import hashlib
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

import architectures
from architectures import REGISTRY, list_architectures, list_norms, parse_scheme, register_architecture, resolve
from bench.core.errors import InputError, UnknownName
from bench.core.problem import Problem

_HEAVY = ("torch", "numpy", "timm", "sklearn", "pandas", "datasets", "wandb", "scipy")


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
    REGISTRY.remove("test-net")


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
    with pytest.raises(InputError, match=r"takes \*\*options: name each option"):
        register_architecture("x")(lambda problem, norm, **options: None)
    with pytest.raises(InputError, match="def build"):
        register_architecture("x")(lambda: None)
    with pytest.raises(InputError, match="takes 1 argument and is called with problem, norm: def build"):
        register_architecture("x")(lambda problem: None)
    with pytest.raises(InputError, match=r"inputs of x must be some of features.*\[x\]"):
        register_architecture("x", inputs=["sound"])(lambda problem, norm: None)  # type: ignore[list-item]
    with pytest.raises(InputError, match="'a b' is no name"):
        register_architecture("a b")(lambda problem, norm: None)
    with pytest.raises(UnknownName):
        resolve("x")


def test_the_source_hash_follows_the_code() -> None:
    assert resolve("mlp").source_hash == resolve("mlp(depth=3)").source_hash
    assert resolve("mlp").source_hash != resolve("cnn").source_hash


def test_keys_of_records_know_the_built_in_ones_by_name_and_version() -> None:
    """Stored records are found by these hashes: they must never change."""
    assert resolve("mlp").source_hash == "50fc24f55ad629c0"
    assert resolve("ridge").source_hash == "2ecac4a5960f79fd"
    assert resolve("timm/test_resnet").source_hash == "446ec189e6eb259c"


def test_every_card_says_where_it_comes_from(plugin: str) -> None:
    assert architectures.get_card(plugin).origin == "plug-in"
    assert architectures.get_card("timm/resnet18").origin == "timm"
    assert architectures.get_card("module").origin == "module"
    for card in map(architectures.get_card, list_architectures()):
        where = card.build if isinstance(card.build, str) else card.build.__module__
        assert (card.origin == "built in") == where.startswith("architectures."), card.name
    with pytest.raises(ValueError, match="needs a source_hash"):
        dataclasses.replace(architectures.get_card(plugin), source_hash="")


def test_a_network_that_is_named_is_loaded_on_use(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from architectures.building import build_network

    file = tmp_path / "named_nets.py"
    file.write_text("from torch import nn\ndef net(problem, norm):\n    return nn.Linear(problem.size, 1)\n")
    monkeypatch.syspath_prepend(tmp_path)
    register_architecture("test-named", inputs=["features"], build="named_nets:net")
    try:
        assert resolve("test-named").card.origin == "plug-in"
        assert resolve("test-named").card.source_hash == hashlib.sha256(file.read_bytes()).hexdigest()
        assert "named_nets" not in sys.modules
        network = build_network(resolve("test-named"), parse_scheme("none"), Problem("features", (3,)), 0)
        assert network.in_features == 3
    finally:
        REGISTRY.remove("test-named")
    with pytest.raises(InputError, match="there is no Python module 'no_such_nets'"):
        register_architecture("test-named", build="no_such_nets:net")
