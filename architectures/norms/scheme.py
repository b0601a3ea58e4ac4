"""The language of norm schemes: which normalization layer stands where.

    scheme    = "none" | part { "+" part }
    part      = [ kind [ "(" options ")" ] "@" ] placement      (a part without a kind takes the kind before it)
    placement = a word of the family (first, last, all, pre, ...), a number, or the name of a site

    >>> str(parse_scheme("layer@pre + layer@final"))
    'layer@pre+final'
    >>> str(parse_scheme("rms@last+layer(eps=1e-5, affine=false)@first"))
    'layer(affine=false)@first+rms@last'

One meaning has one canonical spelling, ``str(scheme)``, which records carry. Nothing here knows a family or torch.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass

from architectures.norms.kinds import KINDS, NormKind
from bench.core.errors import InputError, UnknownName
from bench.core.grammar import bind, parse_call, spell, split_outside
from bench.core.registry import natural

_PLACEMENT = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.\-]*\Z")
# Reading order of the common words, from input to output; other names stand between "qk" and "last".
_EARLY = ("input", "embed", "stem", "first", "all", "pre", "post", "sandwich", "qk")
_LATE = ("last", "head", "final")


@dataclass(frozen=True)
class SchemePart:
    """One kind of norm at one placement."""

    kind: NormKind
    placement: str


@dataclass(frozen=True)
class NormScheme:
    """What is normalized, and where: parts in canonical order, none for ``none``."""

    parts: tuple[SchemePart, ...] = ()

    @property
    def is_none(self) -> bool:
        """Whether nothing is normalized."""
        return not self.parts

    def __str__(self) -> str:
        placements: dict[str, list[str]] = {}
        for part in self.parts:
            placements.setdefault(spell(part.kind.name, part.kind), []).append(part.placement)
        return "+".join(f"{kind}@{'+'.join(where)}" for kind, where in placements.items()) or "none"


def parse_scheme(text: str) -> NormScheme:
    """Read a scheme.

    Raises:
        InputError: the text is no scheme; the message points at the part that is wrong.
    """
    source = text.strip()
    if source == "none":
        return NormScheme()
    if not source:
        raise InputError("empty norm scheme", hint="write none, or for example layer@first")
    parts: list[SchemePart] = []
    pieces = split_outside(source, "+", source)
    for index, piece in enumerate(pieces):
        place = source if len(pieces) == 1 else f"part {index + 1}, {piece.strip()!r}, of {source}"
        try:
            parts.append(_parse_part(piece.strip(), parts[-1].kind if parts else None))
        except InputError as error:
            raise type(error)(error.what, where=place, hint=error.hint) from None
    return NormScheme(_canonical(parts, source))


def _parse_part(piece: str, before: NormKind | None) -> SchemePart:
    head, *rest = split_outside(piece, "@")
    if len(rest) > 1:
        raise InputError("more than one @", hint="one kind and one place a part, joined by +")
    if not rest and (before is None or _names_a_kind(head)):
        raise InputError(f"{head!r} does not say both what and where", hint="write kind@place, as in layer@first")
    placement = (rest[0] if rest else head).strip()
    kind = _parse_kind(head) if rest else before
    assert kind is not None
    if not _PLACEMENT.match(placement):
        raise InputError(f"{placement!r} is no place", hint="a placement such as first, a number or a site's name")
    return SchemePart(kind, placement)


def _names_a_kind(text: str) -> bool:
    return text.partition("(")[0].strip() in {"none", *KINDS}


def _parse_kind(text: str) -> NormKind:
    call = parse_call(text, "norm kind")
    if call.name == "none":
        raise InputError("'none' takes no place", hint="write none alone")
    if call.name not in KINDS:
        raise UnknownName.among("norm kind", call.name, KINDS)
    return bind(call, KINDS[call.name])


def _canonical(parts: Iterable[SchemePart], source: str) -> tuple[SchemePart, ...]:
    kinds: dict[str, NormKind] = {}
    for part in parts:
        if kinds.setdefault(part.placement, part.kind) != part.kind:
            raise InputError(f"two kinds of norm at {part.placement!r}", where=source, hint="one kind a place")
    return tuple(sorted((SchemePart(kind, place) for place, kind in kinds.items()), key=_order))


def _order(part: SchemePart) -> tuple[int, str, int, list[tuple[int, int | str]]]:
    kind, place = part.kind, part.placement
    rank = _EARLY.index(place) if place in _EARLY else len(_EARLY)
    rank += 1 + _LATE.index(place) if place in _LATE else 0
    return list(KINDS).index(kind.name), spell(kind.name, kind), rank, natural(place)
