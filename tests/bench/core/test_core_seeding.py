from __future__ import annotations

import pickle

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bench.core.errors import InputError, UnknownName
from bench.core.problem import Problem
from bench.core.seeding import generator, seed_from

parts = st.lists(st.text(max_size=8) | st.integers(-5, 5), min_size=1, max_size=4)


@given(parts, parts)
def test_different_names_give_different_seeds(first: list[str | int], second: list[str | int]) -> None:
    same = [(type(p), p) for p in first] == [(type(p), p) for p in second]
    assert (seed_from(*first) == seed_from(*second)) == same


def test_the_seed_is_the_same_everywhere() -> None:
    # SHA-256 over 8-byte lengths and "type:value" texts, first 8 bytes, without the sign bit
    import hashlib

    texts = [b"str:task", b"int:3"]
    digest = hashlib.sha256(b"".join(len(t).to_bytes(8, "big") + t for t in texts)).digest()
    assert seed_from("task", 3) == int.from_bytes(digest[:8], "big") >> 1


def test_only_names_and_numbers_make_seeds() -> None:
    with pytest.raises(TypeError, match="not float"):
        seed_from(1.0)  # type: ignore[arg-type]
    with pytest.raises(TypeError, match="not bool"):
        seed_from(True)


def test_draws_repeat() -> None:
    assert (generator("a", 1).standard_normal(5) == generator("a", 1).standard_normal(5)).all()


def test_errors_cross_process_borders_whole() -> None:
    error = InputError("what", where="where", hint="hint")
    again = pickle.loads(pickle.dumps(error))
    assert (str(again), again.where) == (str(error), "where")
    unknown = UnknownName.among("task", "a", ["b"])
    assert str(pickle.loads(pickle.dumps(unknown))) == str(unknown)
    assert error.at("elsewhere").where == "where"


@pytest.mark.parametrize(("kind", "shape"), [("table", (3,)), ("image", (3,)), ("features", (0,)), ("sequence", (10,))])
def test_impossible_problems_are_refused(kind: str, shape: tuple[int, ...]) -> None:
    with pytest.raises(ValueError, match=r"kind must be|positive sizes"):
        Problem(kind, shape)  # type: ignore[arg-type]
