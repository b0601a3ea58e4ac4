"""What a check of the contract is: what it looks at, and how it says that something is broken."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from architectures.card import Architecture
from architectures.norms.scheme import NormScheme
from bench.core.problem import Problem


class Broken(Exception):
    """An architecture breaks the contract: what was found, and how to correct it."""

    def __init__(self, found: str, hint: str) -> None:
        super().__init__(found)
        self.found, self.hint = found, hint


class Skipped(Exception):
    """A check has nothing to say here, for the reason given."""


@dataclass(frozen=True)
class Subject:
    """What a check looks at."""

    architecture: Architecture
    scheme: NormScheme
    problem: Problem
    device: str = "cpu"


Check = Callable[[Subject], str]
"""Returns what it saw; raises :class:`Broken` or :class:`Skipped`."""
