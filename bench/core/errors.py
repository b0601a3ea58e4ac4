"""Errors that a user meets, and what they do to the process or the record."""

from __future__ import annotations

import difflib
from collections.abc import Iterable

EXIT_COMPLETE = 0
EXIT_INCOMPLETE = 1  # some cells failed or timed out
EXIT_BAD_INPUT = 2
EXIT_INTERNAL = 3
EXIT_INTERRUPTED = 130

TOO_LARGE = "raise --max-parameters (and give --retry)"
"""How the text ends that refuses a network for its size."""


class FarFieldError(Exception):
    """Base of every error FarField raises on purpose. Its text is one line."""


class InputError(FarFieldError):
    """The user's input is wrong. One line: what is wrong, where it stands, how to correct it.

    >>> str(InputError("width must be at least 1, not 0", where="--arch mlp(width=0)", hint="give a positive width"))
    'width must be at least 1, not 0 [--arch mlp(width=0)]: give a positive width'
    """

    def __init__(self, what: str, *, where: str | None = None, hint: str | None = None) -> None:
        self.what, self.where, self.hint = what, where, hint
        place = f" [{where}]" if where else ""
        cure = f": {hint}" if hint else ""
        super().__init__(" ".join(f"{what}{place}{cure}".split()))

    def __reduce__(self) -> tuple[object, ...]:
        return (_rebuild_input_error, (type(self), self.what, self.where, self.hint))

    def at(self, where: str) -> InputError:
        """The same error, placed at ``where`` unless it already names a place."""
        return type(self)(self.what, where=self.where or where, hint=self.hint)


def _rebuild_input_error(kind: type[InputError], what: str, where: str | None, hint: str | None) -> InputError:
    return kind(what, where=where, hint=hint)


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
