"""How the placement words of a family map onto the sites of one of its networks."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from bench.core.errors import InputError, Unsupported, suggest


@dataclass(frozen=True)
class SiteRule:
    """Sites that match any of ``patterns`` (``#`` a whole number, ``*`` anything): every one, the first or the last."""

    patterns: tuple[str, ...]
    take: Literal["every", "first", "last"] = "every"

    def pick(self, sites: Sequence[str]) -> tuple[str, ...]:
        """The sites meant, in forward order."""
        found = tuple(site for site in sites if any(matches(site, pattern) for pattern in self.patterns))
        return {"every": found, "first": found[:1], "last": found[-1:]}[self.take]


@dataclass(frozen=True)
class Placements:
    """The words of a family.

    Args:
        words: each word with its rule, in the order in which they are listed to users.
        numbered: the sites that a bare number counts (from 1), or None where numbers mean nothing.
        sites: patterns of every site that a network of the family can have.
    """

    words: tuple[tuple[str, SiteRule], ...]
    numbered: str | None
    sites: tuple[str, ...]

    def check(self, placement: str) -> None:
        """Check ``placement`` as far as it can be done without a network.

        Raises:
            InputError: the family has no such word and no such site.
        """
        known = placement in dict(self.words) or any(matches(placement, pattern) for pattern in self.sites)
        if not known and not (placement.isdigit() and self.numbered and int(placement) > 0):
            names = [word for word, _ in self.words] + [site.replace("#", "1") for site in self.sites]
            raise InputError(f"no such place: {placement!r}", hint=suggest(placement, names, most=20))

    def pick(self, placement: str, sites: Sequence[str]) -> tuple[str, ...]:
        """The names among ``sites`` (forward order) that ``placement`` means.

        Raises:
            Unsupported: this network has none.
        """
        if not sites:
            raise Unsupported("this network has no place for a norm; it takes norm none only", code="no_such_site")
        words = dict(self.words)
        if placement in words:
            found = words[placement].pick(sites)
        elif placement.isdigit() and self.numbered:
            counted = SiteRule((self.numbered,)).pick(sites)
            found = counted[int(placement) - 1 : int(placement)] if int(placement) else ()
        else:
            found = tuple(site for site in sites if site == placement)
        if not found:
            known = ", ".join([*words, *sites][:24])
            raise Unsupported(
                f"this network has no place {placement!r} for a norm; it has {known or 'none'}", code="no_such_site"
            )
        return found


def matches(site: str, pattern: str) -> bool:
    """Whether ``site`` fits ``pattern``."""
    expression = re.escape(pattern).replace(r"\#", "[1-9][0-9]*").replace(r"\*", ".*")
    return re.fullmatch(expression, site) is not None


ANY = Placements(
    words=(("first", SiteRule(("*",), "first")), ("last", SiteRule(("*",), "last")), ("all", SiteRule(("*",)))),
    numbered="*",
    sites=("*",),
)
"""For networks whose sites are known only once they are built: counted in the order in which they are asked for."""

NOWHERE = Placements(words=(), numbered=None, sites=())
"""For what has nothing to normalize."""


def residual(first: str, last: str, *branches: str, more: tuple[tuple[str, SiteRule], ...] = ()) -> Placements:
    """Of a residual network: ``in``, ``out`` and ``res`` before, after and around each of the ``branches``.

    Args:
        first, last: sites of the stream before and after all branches.
        branches: patterns of the branches' names.
        more: further words, each with its rule.
    """
    before, after, around = (tuple(f"{branch}.{place}" for branch in branches) for place in ("in", "out", "res"))
    known = (first, *before, *after, *around, last)
    extra = tuple(pattern for _, rule in more for pattern in rule.patterns if pattern not in known)
    return Placements(
        words=(
            ("first", SiteRule((first,))),
            ("last", SiteRule((last,))),
            ("pre", SiteRule(before)),
            ("post", SiteRule(around)),
            ("sandwich", SiteRule((*before, *after))),
            *more,
            ("all", SiteRule((first, *before, last))),
        ),
        numbered=None,
        sites=tuple(dict.fromkeys((first, *before, *extra, *after, *around, last))),
    )
