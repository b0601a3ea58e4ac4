"""Options of ``module(my_models.py:build, d=32)``: where the network comes from, and its builder's own options."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from architectures.families.user_module.loading import WRITE, find_function, hash_place
from architectures.families.user_module.own_options import Own, read_own
from bench.core.errors import InputError
from bench.core.grammar import Call


@dataclass(frozen=True)
class ModuleOptions:
    """Where the network comes from.

    Args:
        target: ``file.py:name`` or ``package.module:name`` of a function or class that gives a ``torch.nn.Module``.
        own: options of that function that differ from their defaults.
    """

    target: str
    own: Own = ()

    def __post_init__(self) -> None:
        place, _, name = self.target.rpartition(":")
        if not place or not name.isidentifier():
            raise ValueError(f"{self.target!r} does not name a function in a file; write {WRITE}")

    @classmethod
    def from_call(cls, call: Call) -> ModuleOptions:
        """The options that a spelling gives. Only where it gives some of the builder's own is the file imported.

        Raises:
            InputError: no target, or options that the builder does not take.
        """
        texts = dict(call.options)
        target = call.positional[0] if call.positional else texts.pop("target", None)
        if target is None:
            raise InputError(f"{call.name} needs the option 'target'", hint=f"write {WRITE}")
        if len(call.positional) > 1:
            what = f"{call.name} does not take the value {call.positional[1]!r}"
            raise InputError(what, hint=f"name each option: {call.name}({target}, width=64)")
        try:
            options = cls(target)
        except ValueError as error:
            raise InputError(str(error), where=call.name) from None
        if not texts:
            return options
        return cls(target, read_own(find_function(*options.named, options.where), texts, options.where))

    def changed(self) -> Iterator[tuple[str, Any]]:
        """What the canonical spelling says; the target without its name where the builder has a ``target``, too."""
        yield "" if "target" in dict(self.own) else "target", self.target
        yield from self.own

    @property
    def named(self) -> tuple[str, str]:
        """The file or module, and the name in it."""
        place, _, name = self.target.rpartition(":")
        return place, name

    @property
    def where(self) -> str:
        """How messages name it."""
        return f"module({self.target})"

    def source(self) -> str:
        """SHA-256 of the file and of every file of the user's that it imports.

        Raises:
            InputError: there is no such file or module, or it is no Python source.
        """
        return hash_place(self.named[0], self.where)
