"""What FarField knows of a norm kind. Nothing here imports torch."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar, Literal, get_args

from architectures.norms.site import Layout
from bench.core.grammar import spell
from bench.core.origin import Origin

if TYPE_CHECKING:
    from architectures.norms.links import Link
    from architectures.norms.regions import Known

Sort = Literal["layer", "parametrization", "pair"]
"""A layer at a site, a parametrization of the linear map before a site, or a pair around the whole network."""

Effect = Literal["bounds", "keeps", "raises"]
"""What becomes of a value that grows like r^e along a ray: it is bounded, keeps e, or grows like r^(e + 1)."""

Bound = Callable[[Any, Any, Any], "Known | float | None"]
"""``bound(module, site, value)``: see :class:`NormKindCard`."""

OWN = "own"
"""The kind whose layer the network brings itself."""


@dataclass(frozen=True)
class NormKind:
    """A kind with its options: the base of every kind's options, themselves a frozen dataclass.

    ``kind.card`` is the card of its kind, ``str(kind)`` the canonical spelling, as ``layer(affine=false)``.
    """

    card: ClassVar[NormKindCard]

    @property
    def name(self) -> str:
        """The registered name."""
        return self.card.name

    def __str__(self) -> str:
        return spell(self.name, self)


@dataclass(frozen=True)
class NormKindCard:
    """What FarField knows of a norm kind before a layer of it is made.

    Growth and bound are what the author declares; where nothing is declared, nothing is assumed: the prediction is
    "unknown", there is no certificate, and the growth is measured like anybody's.

    Args:
        name: as schemes spell it.
        version: of a built-in kind, raised when the same options give other numbers; part of every record's key.
        summary: one line.
        sort: which of the three it is.
        build: called as ``build(place, options)``. The place of a layer is its :class:`~architectures.norms.site.Site`,
            and it returns a ``torch.nn.Module``; that of a parametrization is the linear map, a module with a
            ``weight``, to be parametrized in place; that of a pair is the
            :class:`~architectures.norms.site.Frame`, and it returns a module with the methods ``inward`` and, where
            it takes ``output``, ``outward`` (:mod:`architectures.norms.pairs`).
        options: frozen dataclass of its options.
        origin: where it comes from.
        source_hash: SHA-256 of its source where it is not built in; empty for built-in kinds.
        citation: where it is described.
        layout: where the layer wants the channels of sites with several positions; it is turned where they stand
            otherwise. None: it takes either.
        growth: what it does to growth along rays (of a pair: on the way in).
        why: what the prediction says of a kind that keeps or raises growth.
        growth_back: what a pair does to growth on the way out.
        bound: ``bound(module, site, value)``, what its output lies in: a number that no entry exceeds in absolute
            value, a region (:mod:`architectures.norms.regions`), or None where nothing is known. ``site`` is None
            where no scheme placed the module; ``value`` is what is known of the input. Of a pair, ``site`` is its
            frame. Not read of built-in kinds: their operations are followed.
        modules: torch's own types of this kind, as ``"torch.nn:LayerNorm"``; growth, bound and link count for them
            wherever they stand.
        centres_channels: whether the mean over positions of what this layer gives is a constant.
        link: the fast link of the training program ``chain`` for this layer and the names of its parameters, or None.
    """

    name: str
    version: str
    summary: str
    sort: Sort
    build: Callable[[Any, Any], Any]
    options: type[NormKind]
    origin: Origin
    source_hash: str = ""
    citation: str = "unpublished"
    layout: Layout | None = None
    growth: Effect | None = None
    why: str = ""
    growth_back: Effect | None = None
    bound: Bound | None = None
    modules: tuple[str, ...] = ()
    centres_channels: Callable[[Any], bool] | None = None
    link: Callable[[Any, list[str]], Link | None] | None = None

    def __post_init__(self) -> None:
        for field in ("name", "version", "summary", "citation"):
            if not getattr(self, field).strip():
                raise ValueError(f"the card of {self.name or 'a norm kind'} needs a {field}")
        for field, kinds in (("sort", Sort), ("origin", Origin)):
            if getattr(self, field) not in get_args(kinds):
                raise ValueError(f"{field} of {self.name} must be one of {', '.join(get_args(kinds))}")
        for field in ("growth", "growth_back"):
            if getattr(self, field) not in (None, *get_args(Effect)):
                raise ValueError(f"{field} of {self.name} must be one of {', '.join(get_args(Effect))}, or left out")
        if self.layout not in (None, *get_args(Layout)):
            raise ValueError(f"layout of {self.name} must be last or first, or left out, not {self.layout!r}")

    @property
    def identity(self) -> str:
        """What stands for the code of this kind in a record's key."""
        return self.source_hash or f"farfield:norm:{self.name}:{self.version}"
