"""Norm kinds as cards: registering, identity, and the contract of every registered kind in every family."""

from __future__ import annotations

import dataclasses
import hashlib
from collections.abc import Iterator

import pytest
import torch
from torch import Tensor, nn

from architectures import NORM_REGISTRY, get_norm, list_norms, parse_scheme, register_norm, resolve
from architectures.analysis.certificate import certificate
from architectures.analysis.prediction import trial_batches
from architectures.building import build_network
from architectures.contract.norm_cases import NETWORKS, norm_cases
from architectures.description import predict
from architectures.norms.layers import make_norm, marked
from architectures.norms.registry import FIRST
from architectures.norms.site import Site
from bench.core.errors import InputError, Unsupported
from bench.core.problem import Problem

KINDS = [name for name in list_norms() if name not in ("none", "own")]
FEATURES = Problem("features", (5,))


class Squash(nn.Module):
    """Elementwise ``scale tanh(x / scale)``."""

    def __init__(self, scale: float = 3.0) -> None:
        super().__init__()
        self.scale = scale

    def forward(self, x: Tensor) -> Tensor:
        return self.scale * torch.tanh(x / self.scale)


@pytest.fixture(autouse=True)
def _forget() -> Iterator[None]:
    before = set(NORM_REGISTRY.names())
    yield
    for name in set(NORM_REGISTRY.names()) - before:
        NORM_REGISTRY.remove(name)


@pytest.mark.parametrize("name", KINDS)
def test_every_kind_keeps_the_contract_in_every_family(name: str) -> None:
    results = [case.run() for case in norm_cases(name)]
    assert [(r.check, r.where, r.found) for r in results if r.passed is False] == []
    networks = {spelling.partition("(")[0] for spelling, _ in NETWORKS}
    assert set(results[0].found.partition("(")[0].split(", ")) <= networks
    if name != "instance":  # it needs positions, which an MLP has none of
        assert all(family in results[0].found for family in networks)


@pytest.mark.parametrize("name", KINDS)
def test_every_card_says_what_its_kind_is(name: str) -> None:
    card = get_norm(name)
    assert card.origin == "built in"
    assert card.source_hash == ""
    assert card.identity == f"farfield:norm:{name}:{card.version}"
    assert card.citation != "unpublished"
    assert dataclasses.is_dataclass(card.options)
    assert card.options().card is card
    assert card.sort == "parametrization" or card.growth is not None


def test_the_oldest_kinds_come_first_and_others_by_name() -> None:
    names = list_norms()
    assert names[0] == "none"
    assert tuple(names[1 : 1 + len(FIRST)]) == FIRST
    assert names[1 + len(FIRST) :] == sorted(names[1 + len(FIRST) :])
    assert list_norms("s*") == ["scale", "spectral"]


def test_a_function_becomes_a_kind_with_its_signature_as_options() -> None:
    @register_norm("squash-1")
    def squash(site, scale: float = 3.0):  # type: ignore[no-untyped-def]
        """Limits every entry."""
        return Squash(scale)

    card = get_norm("squash-1")
    assert (card.sort, card.origin, card.summary) == ("layer", "plug-in", "Limits every entry.")
    assert len(card.source_hash) == 64
    assert str(parse_scheme("squash-1(scale=2)@first + squash-1@last")) == "squash-1@last+squash-1(scale=2.0)@first"
    layer = make_norm(parse_scheme("squash-1(2.0)@x").parts[0].kind, Site("x", 4))
    assert isinstance(layer, Squash)
    assert layer.scale == 2.0


def test_what_is_not_declared_is_unknown_and_what_is_declared_counts() -> None:
    register_norm("squash-2")(lambda site: Squash())
    register_norm("squash-3", growth="bounds")(lambda site: Squash())
    register_norm("squash-4", growth="bounds", bound=lambda layer, site, value: layer.scale)(lambda site: Squash())
    for name, exponent, proved in (("squash-2", None, False), ("squash-3", 0, False), ("squash-4", 0, True)):
        scheme = parse_scheme(f"{name}@first")
        prediction = predict(resolve("mlp(width=8)"), scheme, FEATURES)
        assert prediction.exponent == exponent
        assert f"{name} norm at hidden1" in prediction.reason
        network = build_network(resolve("mlp(width=8)"), scheme, FEATURES, 0).double().eval()
        assert (certificate(network, trial_batches(FEATURES.shape)) is not None) == proved


def test_a_known_layer_in_a_kind_that_declares_nothing_is_not_guessed_from_its_type() -> None:
    register_norm("squash-5")(lambda site: nn.LayerNorm(site.dim))
    prediction = predict(resolve("mlp(width=8)"), parse_scheme("squash-5@first"), FEATURES)
    assert prediction.exponent is None
    network = build_network(resolve("mlp(width=8)"), parse_scheme("squash-5@first"), FEATURES, 0)
    assert certificate(network, trial_batches(FEATURES.shape)) is None


def test_a_layer_is_turned_to_the_layout_that_it_wants() -> None:
    register_norm("last-only", layout="last")(lambda site: nn.LayerNorm(site.dim))
    register_norm("first-only", layout="first")(lambda site: nn.GroupNorm(2, site.dim))
    x = torch.randn(3, 6, 4, 5, generator=torch.Generator().manual_seed(0))
    for name, reference in (("last-only", "layer"), ("first-only", "group(groups=2)")):
        kind, built_in = (parse_scheme(f"{text}@x").parts[0].kind for text in (name, reference))
        for site, seen in ((Site("x", 6, "first", (4, 5)), x), (Site("x", 6, "last", (4, 5)), x.movedim(1, -1))):
            torch.testing.assert_close(make_norm(kind, site)(seen), make_norm(built_in, site)(seen))


@pytest.mark.parametrize(
    ("register", "words"),
    [
        (lambda: register_norm("layer")(lambda site: Squash()), "'layer' is already registered"),
        (lambda: register_norm("none")(lambda site: Squash()), "is no name for a norm kind"),
        (lambda: register_norm("two words")(lambda site: Squash()), "is no name for a norm kind"),
        (lambda: register_norm("bad-1")(lambda: Squash()), "takes 0 arguments"),
        (lambda: register_norm("bad-2")(lambda site, scale: Squash()), "'scale' of <lambda> has no default"),
        (lambda: register_norm("bad-3")(lambda site, name="x": Squash()), "cannot be called 'name'"),
        (lambda: register_norm("bad-4", growth="shrinks")(lambda site: Squash()), "growth of bad-4 must be"),  # type: ignore[arg-type]
        (lambda: register_norm("bad-5", sort="block")(lambda site: Squash()), "sort of bad-5 must be"),  # type: ignore[arg-type]
    ],
)
def test_what_cannot_be_registered_is_said_in_one_line(register, words: str) -> None:  # type: ignore[no-untyped-def]
    with pytest.raises(InputError) as caught:
        register()
    assert words in str(caught.value)
    assert "\n" not in str(caught.value)


SHARED = nn.LayerNorm(8)


@pytest.mark.parametrize(
    ("give", "words"),
    [(lambda site: None, "it gives a NoneType for 'hidden1'"), (lambda site: SHARED, "a layer that it gave before")],
)
def test_a_kind_that_gives_no_layer_or_an_old_one_is_refused(give, words: str) -> None:  # type: ignore[no-untyped-def]
    register_norm("gives")(give)
    with pytest.raises(InputError, match=words):
        build_network(resolve("mlp(width=8)"), parse_scheme("gives@all"), FEATURES, 0)


def test_the_hash_of_a_scheme_names_its_kinds_alone() -> None:
    """The formula that record keys and the migration of older stores rely on."""

    def formula(*identities: str) -> str:
        return hashlib.sha256("\0".join(identities).encode()).hexdigest()[:16]

    assert parse_scheme("none").source_hash == ""
    assert parse_scheme("layer@first").source_hash == formula("farfield:norm:layer:1")
    assert parse_scheme("layer(affine=false)@2+layer@1").source_hash == formula("farfield:norm:layer:1")
    both = formula("farfield:norm:layer:1", "farfield:norm:rms:1")
    assert parse_scheme("rms@last+layer@first").source_hash == both
    register_norm("squash-6")(lambda site: Squash())
    mine = get_norm("squash-6").source_hash
    assert parse_scheme("squash-6@last+layer@first").source_hash == formula("farfield:norm:layer:1", mine)
    assert parse_scheme("squash-6@last+layer@first").outside == ("squash-6",)
    assert parse_scheme("layer@first").outside == ()


def test_the_hash_agrees_with_that_of_migrated_records() -> None:
    from leaderboard.records.upgrading import built_in_norm_hash

    for text in ("none", "layer@first", "batch@all+layer@head", "dyt(alpha=1.0)@pre+final", "own@all", "clip@input"):
        scheme = parse_scheme(text)
        assert scheme.source_hash == built_in_norm_hash(str(scheme))


def test_a_stranger_s_kind_stands_in_networks_that_bring_their_own_layers() -> None:
    register_norm("squash-7")(lambda site: Squash())
    network = build_network(
        resolve("timm/test_resnet"), parse_scheme("squash-7@first"), Problem("image", (1, 32, 32)), 0
    )
    placed = [mark for mark in map(marked, network.modules()) if mark is not None]
    assert [mark.kind.name for mark in placed] == ["squash-7"]
    assert network(torch.zeros(2, 1, 32, 32)).shape == (2, 1)


def test_a_kind_may_refuse_a_site() -> None:
    @register_norm("picky")
    def picky(site):  # type: ignore[no-untyped-def]
        raise Unsupported(f"picky norm at {site.name!r} needs positions", code="degenerate_norm")

    with pytest.raises(Unsupported, match="needs positions"):
        build_network(resolve("mlp(width=8)"), parse_scheme("picky@first"), FEATURES, 0)
