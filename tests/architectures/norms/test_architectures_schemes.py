"""The grammar of norm schemes, and how placements find sites."""

from __future__ import annotations

import dataclasses

import pytest
from hypothesis import given
from hypothesis import strategies as st

from architectures import NormKind, get_norm, list_norms, parse_scheme
from architectures.families.cnn.places import CNN
from architectures.families.mlp.places import MLP
from architectures.families.transformer.places import TRANSFORMER
from architectures.norms.placements import ANY
from architectures.norms.scheme import NormScheme
from bench.core.errors import InputError, Unsupported


@pytest.mark.parametrize(
    ("text", "canonical"),
    [
        ("none", "none"),
        (" layer@first ", "layer@first"),
        ("layer(affine=true, eps=1e-5)@first", "layer@first"),
        ("layer(eps=1e-6,affine=false)@hidden2", "layer(affine=false, eps=1e-06)@hidden2"),
        ("layer@final+pre", "layer@pre+final"),
        ("layer@pre+layer@final", "layer@pre+final"),
        ("rms@last + layer@first", "layer@first+rms@last"),
        ("layer@10+9", "layer@9+10"),
        ("layer@first+first", "layer@first"),
        ("layer@hidden1.post", "layer@hidden1.post"),
    ],
)
def test_canonical_spelling(text: str, canonical: str) -> None:
    assert str(parse_scheme(text)) == canonical
    assert parse_scheme(canonical) == parse_scheme(text)


def kinds_of(kind: type[NormKind]) -> st.SearchStrategy[NormKind]:
    values = {
        "affine": st.booleans(),
        "eps": st.floats(1e-12, 1.0),
        "momentum": st.floats(0.01, 1.0),
        "groups": st.integers(1, 64),
        "alpha": st.floats(0.01, 10.0),
        "s": st.floats(-2.0, 2.0),
        "limit": st.floats(0.01, 1e4),
        "layer_scale": st.booleans(),
    }
    return st.builds(kind, **{field.name: values[field.name] for field in dataclasses.fields(kind)})


_LAYERS = [get_norm(name) for name in list_norms() if name != "none"]
_KIND = st.one_of(*(kinds_of(card.options) for card in _LAYERS if card.sort == "layer"))
_PLACE = st.from_regex(r"[a-z]{1,5}[0-9]{0,2}(\.[a-z]{1,3})?|[1-9][0-9]?", fullmatch=True)


@given(st.dictionaries(_PLACE, _KIND, max_size=5))
def test_any_scheme_reads_back_whatever_the_order(parts: dict[str, NormKind]) -> None:
    pieces = [f"{kind}@{place}" for place, kind in parts.items()]
    scheme = parse_scheme("+".join(pieces) or "none")
    assert scheme == parse_scheme("+".join(reversed(pieces)) or "none")
    assert parse_scheme(str(scheme)) == scheme
    assert {part.placement: part.kind for part in scheme.parts} == parts
    assert scheme.is_none == (not parts)


@given(st.text(alphabet="layerms@+()=,. 0\"'", max_size=30))
def test_any_text_is_a_scheme_or_one_clear_line(text: str) -> None:
    try:
        scheme = parse_scheme(text)
    except InputError as error:
        message = str(error)
    else:
        message = f"this is a scheme: {scheme}"
        assert isinstance(scheme, NormScheme)
    assert "\n" not in message
    assert len(message) > 10


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", ["empty"]),
        ("layer", ["layer@first"]),
        ("first", ["kind@place"]),
        ("lyer@first", ["'lyer'", "did you mean 'layer'"]),
        ("layer@first+rmz@last", ["part 2", "'rmz@last'", "did you mean 'rms'"]),
        ("layer@first+rms", ["part 2", "kind@place"]),
        ("none@first", ["'none' takes no place"]),
        ("layer@first+none", ["part 2"]),
        ("layer@", ["no place"]),
        ("layer@a@b", ["more than one @"]),
        ("layer(eps=0)@first", ["eps must be positive"]),
        ("layer(eps=x)@first", ["not a number"]),
        ("layer(epz=1)@first", ["'epz'", "did you mean 'eps'"]),
        ("layer(affine=maybe)@first", ["true or false"]),
        ("layer(@first", ["parenthes"]),
        ("layer@first+rms@first", ["two kinds", "'first'"]),
        ("layer@first+layer(affine=false)@first", ["two kinds"]),
        ("batch(momentum=2)@first", ["momentum"]),
    ],
)
def test_errors_point_at_the_wrong_part(text: str, words: list[str]) -> None:
    with pytest.raises(InputError) as caught:
        parse_scheme(text)
    for word in words:
        assert word in str(caught.value)
    assert "\n" not in str(caught.value)


def test_placements_find_sites() -> None:
    sites = ["input", "hidden1", "hidden1.post", "hidden2", "hidden2.post"]
    assert MLP.pick("first", sites) == ("hidden1",)
    assert MLP.pick("last", sites) == ("hidden2",)
    assert MLP.pick("all", sites) == ("hidden1", "hidden2")
    assert MLP.pick("2", sites) == ("hidden2",)
    assert MLP.pick("hidden1.post", sites) == ("hidden1.post",)
    assert CNN.pick("all", ["stem", "stage1", "stage2", "head"]) == ("stem", "stage1", "stage2", "head")
    block = [f"block1.{branch}.{place}" for branch in ("attn", "mlp") for place in ("in", "out", "res")]
    sites = ["embed", "block1.attn.qk", *block, "final"]
    assert TRANSFORMER.pick("pre", sites) == ("block1.attn.in", "block1.mlp.in")
    assert TRANSFORMER.pick("post", sites) == ("block1.attn.res", "block1.mlp.res")
    assert set(TRANSFORMER.pick("sandwich", sites)) == {
        f"block1.{b}.{p}" for b in ("attn", "mlp") for p in ("in", "out")
    }
    assert TRANSFORMER.pick("qk", sites) == ("block1.attn.qk",)
    assert TRANSFORMER.pick("all", sites) == ("embed", "block1.attn.in", "block1.mlp.in", "final")
    assert TRANSFORMER.pick("first", sites) + TRANSFORMER.pick("last", sites) == ("embed", "final")
    assert ANY.pick("2", ["a", "b", "c"]) == ("b",)
    assert ANY.pick("last", ["a", "b", "c"]) == ("c",)


@pytest.mark.parametrize("placement", ["3", "0", "hidden3", "pre", "head"])
def test_a_place_this_network_lacks_is_unsupported(placement: str) -> None:
    with pytest.raises(Unsupported, match=f"no place '{placement}'"):
        MLP.pick(placement, ["input", "hidden1", "hidden2"])
