"""Errors that a user meets, and what they do to the process or the record."""

from __future__ import annotations

import difflib
from collections.abc import Iterable
from typing import Literal, get_args

EXIT_COMPLETE = 0
EXIT_INCOMPLETE = 1  # some cells failed or timed out
EXIT_BAD_INPUT = 2
EXIT_INTERNAL = 3
EXIT_INTERRUPTED = 130

ReasonCode = Literal[
    "diverged",
    "degenerate_norm",
    "no_such_site",
    "site_conflict",
    "input_kind",
    "length",
    "takes_no_norm",
    "no_own_norm",
    "cannot_normalize",
    "unsupported",
    "too_large",
    "contract",
    "data_changed",
    "source_changed",
    "bad_input",
    "time_limit",
    "out_of_memory",
    "killed",
    "exited",
    "worker_start",
    "contradiction",
    "error",
    "unknown",
]
"""Why a record is not ``ok``, for programs; the words beside it are for people.

``diverged``: no learning rate stayed finite. ``length``: of a sequence, more is asked than the architecture can answer
(another length, each step, steps without those after them). ``degenerate_norm`` … ``unsupported``: the combination
makes no sense. ``too_large``: more parameters than allowed. ``contract``: code from outside breaks what records take
for granted.
``data_changed``, ``source_changed``: since the sweep was planned. ``time_limit`` … ``worker_start``: what befell the
worker. ``contradiction``: two measurements exclude each other. ``error``: an exception of the network's or of ours.
``unknown``: a record from before there were codes, whose words say no more.
"""
OUT_OF_MEMORY = ("allocate memory", "out of memory")
"""How errors read that torch raises where memory runs out."""

REASON_CODES: tuple[ReasonCode, ...] = get_args(ReasonCode)


class FarFieldError(Exception):
    """Base of every error FarField raises on purpose. Its text is one line.

    Args:
        text: the line.
        code: why, for the record that this may become; the class has one for all its errors.
    """

    code: ReasonCode = "error"

    def __init__(self, text: str = "", *, code: ReasonCode | None = None) -> None:
        super().__init__(text)
        if code is not None:
            self.code = code

    def __reduce__(self) -> tuple[object, ...]:
        return (_rebuild, (type(self), str(self), self.code))


class InputError(FarFieldError):
    """The user's input is wrong. One line: what is wrong, where it stands, how to correct it.

    >>> str(InputError("width must be at least 1, not 0", where="--arch mlp(width=0)", hint="give a positive width"))
    'width must be at least 1, not 0 [--arch mlp(width=0)]: give a positive width'
    """

    code: ReasonCode = "bad_input"

    def __init__(
        self, what: str, *, where: str | None = None, hint: str | None = None, code: ReasonCode | None = None
    ) -> None:
        self.what, self.where, self.hint = what, where, hint
        place = f" [{where}]" if where else ""
        cure = f": {hint}" if hint else ""
        super().__init__(" ".join(f"{what}{place}{cure}".split()), code=code)

    def __reduce__(self) -> tuple[object, ...]:
        return (_rebuild_input_error, (type(self), self.what, self.where, self.hint, self.code))

    def at(self, where: str) -> InputError:
        """The same error, placed at ``where`` unless it already names a place."""
        return type(self)(self.what, where=self.where or where, hint=self.hint, code=self.code)


def _rebuild(kind: type[FarFieldError], text: str, code: ReasonCode) -> FarFieldError:
    return kind(text, code=code)


def _rebuild_input_error(
    kind: type[InputError], what: str, where: str | None, hint: str | None, code: ReasonCode
) -> InputError:
    return kind(what, where=where, hint=hint, code=code)


class UnknownName(InputError):
    """A name that is not registered; answers with the nearest names."""

    @classmethod
    def among(cls, kind: str, name: str, known: Iterable[str], *, where: str | None = None) -> UnknownName:
        """An error about ``name``, hinting at the nearest of ``known`` or listing them when none is near."""
        return cls(f"unknown {kind} {name!r}", where=where, hint=suggest(name, known))


class Unsupported(FarFieldError):
    """This combination makes no sense (a scheme a family cannot take, an input kind it cannot read).

    In a sweep it becomes a record with status ``unsupported`` and this text as its reason.
    """

    code: ReasonCode = "unsupported"


def suggest(name: str, known: Iterable[str], most: int = 12) -> str:
    """A hint for a mistyped ``name``: the nearest of ``known``, or all of them when none is near."""
    names = sorted(set(known))
    near = difflib.get_close_matches(name, names, n=3, cutoff=0.5)
    if near:
        return "did you mean " + " or ".join(repr(n) for n in near) + "?"
    if not names:
        return "there are none"
    shown = ", ".join(names[:most])
    return f"choose from {shown}" + (f" and {len(names) - most} more" if len(names) > most else "")
