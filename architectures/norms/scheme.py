"""The language of norm schemes: which kind of norm stands where.

    scheme    = "none" | part { "+" part }
    part      = [ kind [ "(" options ")" ] "@" ] placement      (a part without a kind takes the kind before it)
    placement = a word of the family (first, last, all, pre, ...), a number, or the name of a site;
                of a pair: input or output, the two ends of the whole network

    >>> str(parse_scheme("layer@pre + layer@final"))
    'layer@pre+final'
    >>> str(parse_scheme("rms@last+layer(eps=1e-5, affine=false)@first"))
    'layer(affine=false)@first+rms@last'

One meaning has one canonical spelling, ``str(scheme)``, which records carry. Nothing here knows a family or torch.

``input`` may be two places. A pair (``clip@input``) stands around the network, whatever the family; a layer
(``layer@input``) stands at the family's own site of that name, where there is one. Both may be there at once: the pair
is then the outer one.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable
from dataclasses import dataclass

from architectures.norms.card import NormKind
from architectures.norms.registry import REGISTRY, rank
from bench.core.errors import InputError
from bench.core.grammar import bind, parse_call, split_outside
from bench.core.registry import natural

_PLACEMENT = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.\-]*\Z")
# Reading order of the common words, from input to output; other names stand between "qk" and "last".
_EARLY = ("input", "embed", "stem", "first", "all", "pre", "post", "sandwich", "peri", "qk")
_LATE = ("last", "head", "final")
ENDS = ("input", "output")
"""The two sites of a pair: of the whole network, not of a family."""


@dataclass(frozen=True)
class SchemePart:
    """One kind of norm at one placement."""

    kind: NormKind
    placement: str

    @property
    def around(self) -> bool:
        """Whether it stands around the whole network instead of at a site of the family."""
        return self.kind.card.sort == "pair"

    @property
    def place(self) -> tuple[str, str]:
        """Where it stands. One kind of each sort stands there: a pair's ``input`` is not a layer's, and the linear map
        before a layer may be parametrized.
        """
        return self.kind.card.sort, self.placement


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
            placements.setdefault(str(part.kind), []).append(part.placement)
        return "+".join(f"{kind}@{'+'.join(where)}" for kind, where in placements.items()) or "none"

    @property
    def source_hash(self) -> str:
        """Changes when the code of a kind does: part of a record's key.

        Empty for ``none``; else the first 16 hex digits of SHA-256 over the distinct kinds in canonical order, joined
        by a zero byte: ``farfield:norm:name:version`` of a built-in kind, the hash of its source of any other.
        """
        if self.is_none:
            return ""
        identities = {part.kind.name: part.kind.card.identity for part in self.parts}
        return hashlib.sha256("\0".join(identities.values()).encode()).hexdigest()[:16]

    @property
    def outside(self) -> tuple[str, ...]:
        """Names of its kinds that are not built in: their code is tried before it is trained."""
        return tuple(dict.fromkeys(part.kind.name for part in self.parts if part.kind.card.origin != "built in"))


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
    part = SchemePart(kind, placement)
    if part.around and placement not in ENDS:
        raise InputError(f"{kind} stands around the network, not at {placement!r}", hint=f"{kind}@input")
    return part


def _names_a_kind(text: str) -> bool:
    name = text.partition("(")[0].strip()
    return name == "none" or name in REGISTRY


def _parse_kind(text: str) -> NormKind:
    call = parse_call(text, "norm kind")
    if call.name == "none":
        raise InputError("'none' takes no place", hint="write none alone")
    return bind(call, REGISTRY.get(call.name).options)


def _canonical(parts: Iterable[SchemePart], source: str) -> tuple[SchemePart, ...]:
    kinds: dict[tuple[str, str], SchemePart] = {}
    for part in parts:
        if kinds.setdefault(part.place, part) != part:
            raise InputError(f"two kinds of norm at {part.placement!r}", where=source, hint="one kind a place")
    if len({part.kind for part in kinds.values() if part.around}) > 1:
        raise InputError("two pairs around one network", where=source, hint="one pair, one kind")
    return tuple(sorted(kinds.values(), key=_order))


def _order(part: SchemePart) -> tuple[tuple[int, str], str, int, list[tuple[int, int | str]]]:
    kind, place = part.kind, part.placement
    depth = _EARLY.index(place) if place in _EARLY else len(_EARLY)
    depth += 1 + _LATE.index(place) if place in _LATE else 0
    return rank(kind.name), str(kind), depth, natural(place)
