from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Literal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bench.core.errors import InputError
from bench.core.grammar import bind, parse_call, spell


@dataclass(frozen=True)
class Sizes:
    width: int = 128
    activation: Literal["relu", "gelu"] = "relu"
    head: str | None = None
    scale: float = 1.0
    affine: bool = True

    def __post_init__(self) -> None:
        if self.width < 1:
            raise ValueError(f"width must be at least 1, not {self.width}")


text_values = st.text(alphabet=st.characters(codec="ascii", exclude_characters="\"'"), min_size=1, max_size=20).filter(
    lambda s: s.strip() == s and s.lower() != "none"
)


@given(
    st.builds(
        Sizes,
        width=st.integers(1, 10**6),
        activation=st.sampled_from(["relu", "gelu"]),
        head=st.none() | text_values,
        scale=st.floats(allow_nan=False, allow_infinity=False),
        affine=st.booleans(),
    )
)
def test_what_spell_writes_is_read_back(sizes: Sizes) -> None:
    spelled = spell("net", sizes)
    assert bind(parse_call(spelled), Sizes) == sizes
    assert spell("net", bind(parse_call(spelled), Sizes)) == spelled


def test_defaults_are_left_out_and_order_is_the_fields() -> None:
    assert spell("net", Sizes()) == "net"
    assert spell("net", bind(parse_call("net(affine=FALSE, width=3)"), Sizes)) == "net(width=3, affine=false)"


def test_values_may_nest_and_positions_count() -> None:
    call = parse_call('net(7, head="mlp(width=128, depth=2)")')
    assert bind(call, Sizes) == Sizes(width=7, head="mlp(width=128, depth=2)")
    bare = parse_call("net(head=mlp(width=128, depth=2))")
    assert bare.options["head"] == "mlp(width=128, depth=2)"


@pytest.mark.parametrize(
    ("text", "fragment"),
    [
        ("", "empty"),
        ("net(", "closing parenthesis"),
        ("net)", "is no"),
        ("net(width=1) x", "closing parenthesis"),
        ("net(width=)", "no value"),
        ("net(widht=1)", "did you mean 'width'"),
        ("net(width=wide)", "whole number"),
        ("net(width=1.5)", "whole number"),
        ("net(scale=nan)", "finite"),
        ("net(scale=inf)", "finite"),
        ("net(affine=maybe)", "true or false"),
        ("net(activation=rellu)", "did you mean 'relu'"),
        ("net(width=1, width=2)", "given twice"),
        ("net(1, width=2)", "given twice"),
        ("net(width=0)", "at least 1"),
        ("net(width=1, 2)", "after named"),
        ("net(1, gelu, a, 1.0, true, 9)", "does not take"),
        ("net(head='a)", "unbalanced"),
        ("n" * 3000, "characters"),
    ],
)
def test_bad_text_is_one_line_that_says_what(text: str, fragment: str) -> None:
    with pytest.raises(InputError) as caught:
        bind(parse_call(text), Sizes)
    assert fragment in str(caught.value)
    assert "\n" not in str(caught.value)


@given(st.text(max_size=60))
def test_any_text_parses_or_is_refused_politely(text: str) -> None:
    try:
        call = parse_call(text)
    except InputError:
        return
    assert call.name


def test_required_options_are_asked_for() -> None:
    @dataclass(frozen=True)
    class Needs:
        path: str

    with pytest.raises(InputError, match="needs the option 'path'"):
        bind(parse_call("net"), Needs)


def test_floats_keep_every_bit() -> None:
    value = math.nextafter(0.1, 1)
    assert bind(parse_call(spell("net", Sizes(scale=value))), Sizes).scale == value
