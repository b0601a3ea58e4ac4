"""A typed registry of cards: built-in, plugged in, or offered by installed packages.

A card is a small frozen object with a ``name``. What it describes is loaded only when used: its ``build`` is
``"package.module:attribute"`` or the object itself. Entry points are listed without being loaded.
"""

from __future__ import annotations

import fnmatch
import importlib
import importlib.metadata
import pkgutil
import re
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import Any, Generic, Protocol, TypeVar

from bench.core.errors import InputError, UnknownName
from bench.core.origin import Origin


class Named(Protocol):
    """Anything with a name."""

    @property
    def name(self) -> str:
        """The registered name."""
        ...


Card = TypeVar("Card", bound=Named)


@dataclass(frozen=True)
class Family(Generic[Card]):
    """Cards that are not listed with the others and are made when they are asked for: somebody else's catalogue.

    Args:
        summary: one line on all of them.
        names: every full name; called when somebody lists or misspells a name that starts with the prefix.
        card: makes the card of a full name, or returns None where there is no such name.
        origin: of those cards, for lists that do not make them.
    """

    summary: str
    names: Callable[[], Iterable[str]]
    card: Callable[[str], Card | None]
    origin: Origin = "built in"


class Registry(Generic[Card]):
    """Cards by name.

    Args:
        kind: what the cards describe, for messages ("task").
        groups: the entry-point groups that installed packages add to. Each entry point resolves to a card, or to
            something whose module registers a card of the entry point's name when it is imported.
    """

    def __init__(self, kind: str, *groups: str) -> None:
        self.kind, self.groups = kind, groups
        self.families: dict[str, Family[Card]] = {}
        self._cards: dict[str, Card] = {}
        self._offers: dict[str, list[importlib.metadata.EntryPoint]] | None = None

    def register(self, card: Card) -> Card:
        """Add ``card``.

        Raises:
            InputError: the name is taken, or lies in a family.
        """
        if card.name in self._cards or self._prefix(card.name) is not None:
            raise InputError(f"{self.kind} {card.name!r} is already registered", hint="choose another name")
        self._cards[card.name] = card
        return card

    def register_family(self, prefix: str, family: Family[Card]) -> None:
        """Add ``family`` under what its names start with (``"timm/"``), or under a single name.

        A pattern lists a family only when it starts so.

        Raises:
            InputError: the prefix is taken.
        """
        if prefix in self.families or prefix in self._cards:
            raise InputError(f"{self.kind} {prefix!r} is already registered", hint="choose another name")
        self.families[prefix] = family

    def remove(self, name: str) -> None:
        """Forget ``name`` (a plug-in being taken out); unknown names are ignored."""
        self._cards.pop(name, None)

    def get(self, name: str) -> Card:
        """The card registered as ``name``; loads the entry point that offers it if need be.

        Raises:
            UnknownName: nothing has that name; the nearest names are offered.
        """
        prefix = self._prefix(name)
        if prefix is not None:
            return self._from_family(prefix, name)
        if name not in self._cards and name in self._offered():
            self._load_offer(name)
        if name not in self._cards:
            raise UnknownName.among(self.kind, name, self.names())
        return self._cards[name]

    def names(self, pattern: str = "*") -> list[str]:
        """Names that match a shell pattern, in natural order (``net2`` before ``net10``)."""
        prefix = self._prefix(pattern)
        known = {*self._cards, *self._offered()} if prefix is None else set(self.families[prefix].names())
        return sorted(fnmatch.filter(known, pattern), key=natural)

    def loaded(self) -> list[Card]:
        """Every card that is there now, in the order of registration; loads nothing."""
        return list(self._cards.values())

    def __iter__(self) -> Iterator[Card]:
        """Every card outside the families, in natural order; loads what entry points offer."""
        return iter([self.get(name) for name in self.names()])

    def __contains__(self, name: object) -> bool:
        if isinstance(name, str) and (prefix := self._prefix(name)) is not None:
            return self.families[prefix].card(name) is not None
        return name in self._cards or name in self._offered()

    def _prefix(self, name: str) -> str | None:
        """The prefix of the family that ``name`` (or a pattern) belongs to."""
        return next((p for p in self.families if name == p or (p.endswith("/") and name.startswith(p))), None)

    def _from_family(self, prefix: str, name: str) -> Card:
        card = self.families[prefix].card(name)
        if card is None:
            raise UnknownName.among(self.kind, name, self.families[prefix].names())
        return card

    def _offered(self) -> dict[str, list[importlib.metadata.EntryPoint]]:
        if self._offers is None:
            self._offers = {}
            for group in self.groups:
                for offer in importlib.metadata.entry_points(group=group):
                    self._offers.setdefault(offer.name, []).append(offer)
        return self._offers

    def _load_offer(self, name: str) -> None:
        offer, *others = self._offered()[name]
        where = f"entry point {offer.value}"
        if others:
            what = f"{self.kind} {name!r} is offered twice, by {offer.value} and {others[0].value}"
            raise InputError(what, hint="uninstall one of the packages")
        try:
            loaded = offer.load()
        except Exception as error:
            raise InputError(
                f"{self.kind} {name!r} cannot be loaded: {type(error).__name__}: {error}",
                where=where,
                hint="repair or uninstall that package",
            ) from error
        if name not in self._cards and getattr(loaded, "name", None) == name:
            self.register(loaded)
        if name not in self._cards:
            what = f"what is loaded registers no {self.kind} {name!r}"
            raise InputError(what, where=where, hint="name the entry point like what its module registers")


def load_cards(package: str, module: str = "") -> None:
    """Import every module of ``package`` (of every folder in it, its ``module``): each registers its cards.

    What lies in the folder is found by looking, so that a new card is a new file and no list is edited.
    """
    for found in pkgutil.iter_modules(importlib.import_module(package).__path__):
        importlib.import_module(".".join(filter(None, (package, found.name, module))))


def natural(text: str) -> list[tuple[int, int | str]]:
    """Sort key that compares digits as numbers."""
    return [(0, int(piece)) if piece.isdigit() else (1, piece) for piece in re.split(r"(\d+)", text) if piece]


def resolve_target(target: str | Callable[..., Any] | type) -> Any:
    """The object behind ``"package.module:attribute"``; anything but a string is returned as it is."""
    if not isinstance(target, str):
        return target
    module, _, attribute = target.partition(":")
    return getattr(importlib.import_module(module), attribute)
