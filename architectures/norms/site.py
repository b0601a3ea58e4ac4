"""A place where a network can be normalized, and what a builder asks there."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, Protocol

from bench.core.errors import Unsupported
from bench.core.problem import InputKind

if TYPE_CHECKING:
    from torch import nn

Layout = Literal["last", "first"]


@dataclass(frozen=True)
class Site:
    """A place where a network can be normalized.

    Args:
        name: as schemes spell it.
        dim: number of channels.
        layout: ``last``: (N, *space, dim); ``first``: (N, dim, *space).
        space: sizes of the positions, ``()`` for one vector a sample.
    """

    name: str
    dim: int
    layout: Layout = "last"
    space: tuple[int, ...] = ()

    @property
    def positions(self) -> int:
        """Number of positions."""
        return math.prod(self.space)


class Norm(Protocol):
    """What a builder receives: call it wherever the network could be normalized."""

    def __call__(
        self, site: str, dim: int, layout: Layout = "last", own: nn.Module | None = None, fixed: str = ""
    ) -> nn.Module:
        """The layer that the scheme wants at ``site``, over ``dim`` channels, or an identity.

        ``own`` is the layer that the network itself would put there: the kind ``own`` gives it back, any other kind
        takes its place with its gain and shift. ``fixed`` says in words why nothing can take its place; then it is
        given back, and a scheme that does not keep it is unsupported.
        """
        ...


def divisors(size: int) -> str:
    """The divisors of ``size`` in words."""
    return ", ".join(str(d) for d in range(1, min(size, 4096) + 1) if size % d == 0)


@dataclass(frozen=True)
class Frame:
    """What a pair may know of the network that it stands around: the outside of its input, and how large it is.

    Args:
        kind: ``features``, ``image`` or ``sequence``.
        shape: of one input.
        radius: R, the 99th percentile of the size of x̃ over training inputs.
        back: whether the way back is taken (a scheme that names ``output``).
    """

    kind: InputKind
    shape: tuple[int, ...]
    radius: float = 1.0
    back: bool = False

    @property
    def size(self) -> int:
        """Numbers in one input."""
        return math.prod(self.shape)

    @property
    def reach(self) -> float:
        """Euclidean norm of inputs at distance 1: R, for sequences R √size, for their size is a root mean square."""
        return self.reach_of(self.size)

    def reach_of(self, size: int) -> float:
        """The same for inputs of ``size`` numbers: a sequence of another length than the one of training."""
        return self.radius * (math.sqrt(size) if self.kind == "sequence" else 1.0)


def need_features(site: Site, name: str, features: int, least: int, why: str) -> None:
    """Refuse a layer that would be degenerate at ``site``.

    Raises:
        Unsupported: it normalizes over fewer than ``least`` features, and ``why`` that is no use.
    """
    if features < least:
        count = "feature" if features == 1 else "features"
        what = f"{name} norm at {site.name!r} would be over {features} {count} ({why}); at least {least}"
        raise Unsupported(what, code="degenerate_norm")


def by_rank(layers: Sequence[type[nn.Module]], site: Site, name: str) -> type[nn.Module]:
    """The one of ``layers`` (for 0, 1, 2, ... dimensions of positions) that fits ``site``.

    Raises:
        Unsupported: there is none for so many.
    """
    if len(site.space) >= len(layers):
        most = len(layers) - 1
        what = f"{name} norm at {site.name!r}: {len(site.space)} dimensions of positions, at most {most}"
        raise Unsupported(what, code="degenerate_norm")
    return layers[len(site.space)]
