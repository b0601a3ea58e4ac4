"""From signatures to options and back, and where code comes from."""

from __future__ import annotations

import dataclasses
import hashlib
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import pytest

from bench.core.errors import InputError
from bench.core.grammar import parse_call, spell
from bench.core.origin import hash_source, origin_of
from bench.core.plugins import load_plugin
from bench.core.signature import FromKeywords, bind_options, call_build, options_of

if TYPE_CHECKING:
    from nowhere import Unknown  # type: ignore[import-not-found]


def build(
    problem: Unknown, width: int = 64, *, act: Literal["relu", "tanh"] = "relu", rate: float | None = None
) -> Any:
    """What is only named for type checkers does no harm."""
    return problem, width, act, rate


def test_a_signature_becomes_options_and_options_a_call() -> None:
    options = options_of(build, ("problem",))
    assert options is not None
    assert [(f.name, f.default) for f in dataclasses.fields(options)] == [
        ("width", 64),
        ("act", "relu"),
        ("rate", None),
    ]
    bound = bind_options(parse_call("net(width=8, rate=0.5)"), options)
    assert spell("net", bound) == "net(width=8, rate=0.5)"
    assert call_build(FromKeywords(build), "a problem", options=bound) == ("a problem", 8, "relu", 0.5)
    with pytest.raises(InputError, match="'rleu' is not allowed"):
        bind_options(parse_call("net(act=rleu)"), options)


def test_a_class_is_called_like_a_function() -> None:
    class Nearest:
        def __init__(self, problem: object, power: float = 2.0) -> None:
            self.power = power

    options = options_of(Nearest, ("problem",))
    assert call_build(FromKeywords(Nearest), None, options=bind_options(parse_call("n(power=3)"), options)).power == 3.0


def test_without_options_nothing_is_passed() -> None:
    assert options_of(lambda problem: problem, ("problem",)) is None
    assert call_build("builtins:len", "four") == 4
    assert bind_options(parse_call("net"), None) is None
    with pytest.raises(InputError, match="net takes no options"):
        bind_options(parse_call("net(width=3)"), None)


def required(problem: object, width: int) -> None: ...


def unspelled(problem: object, width=None) -> None: ...  # type: ignore[no-untyped-def]


def listed(problem: object, width: list[int] | None = None) -> None: ...


def misspelled(problem: object, width: itn = 3) -> None: ...  # type: ignore[name-defined]  # noqa: F821


def starred(problem: object, *width: int) -> None: ...


@pytest.mark.parametrize(
    ("function", "complaint"),
    [
        (required, "option 'width' of required has no default: width: int = 64"),
        (unspelled, "option 'width' of unspelled needs an annotation that can be spelled: int, float"),
        (listed, "option 'width' of listed needs an annotation that can be spelled"),
        (misspelled, "annotation of option 'width' of misspelled cannot be read: name 'itn' is not defined"),
        (starred, r"starred takes \*width: name each option"),
        (lambda: None, r"takes 0 arguments and is called with problem: def build\(problem, width: int = 64\)"),
    ],
)
def test_a_signature_that_does_not_fit_is_bad_input(function: Callable[..., Any], complaint: str) -> None:
    with pytest.raises(InputError, match=complaint):
        options_of(function, ("problem",))


def typed(body: str) -> Any:
    """A class as somebody types it into a session: there is no file."""
    names: dict[str, Any] = {"__name__": "__no_file__"}
    exec(f"class Net:\n    def build(self, width=3):\n        {body}\n", names)
    return names["Net"]


def test_code_without_a_file_is_identified_by_what_it_does() -> None:
    one = "return [x for x in range(width) if x in {'a', 'b'}]"
    assert hash_source(typed(one)) == hash_source(typed(one))
    assert hash_source(typed(one)) != hash_source(typed(one.replace("'b'", "'c'")))
    assert hash_source(typed(one).build) != hash_source(typed(one.replace("range", "len")).build)
    assert hash_source(typed("return 1")) != hash_source(typed("return 2"))
    assert origin_of(typed(one)) == "plug-in"


def test_code_knows_where_it_was_loaded_from(tmp_path: Path) -> None:
    assert origin_of("bench.core.signature:options_of") == "built in"
    assert origin_of(options_of) == "built in"
    assert origin_of(FromKeywords(len)) == "built in"
    assert origin_of(build) == "plug-in"
    assert origin_of("json:loads") == "plug-in"
    file = tmp_path / "architectures.py"  # called like a room, and yet from outside
    file.write_text("def net(): ...")
    net = load_plugin(file).net
    file.write_text("changed")
    assert origin_of(net) == "plug-in"
    assert hash_source(net) == hashlib.sha256(b"def net(): ...").hexdigest()
    assert hash_source(build) == hashlib.sha256(Path(__file__).read_bytes()).hexdigest()
    with pytest.raises(InputError, match=r"there is no Python module 'no\.such'"):
        hash_source("no.such:thing")
