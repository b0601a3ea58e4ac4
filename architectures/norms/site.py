"""A place where a network can be normalized, and what a builder asks there."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, Protocol

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
        count = 1
        for size in self.space:
            count *= size
        return count


class Norm(Protocol):
    """What a builder receives: call it wherever the network could be normalized."""

    def __call__(self, site: str, dim: int, layout: Layout = "last", own: nn.Module | None = None) -> nn.Module:
        """The layer that the scheme wants at ``site``, over ``dim`` channels, or an identity.

        ``own`` is the layer that the network itself would put there: the kind ``own`` gives it back, any other kind
        takes its place with its gain and shift.
        """
        ...


def divisors(size: int) -> str:
    """The divisors of ``size`` in words."""
    return ", ".join(str(d) for d in range(1, min(size, 4096) + 1) if size % d == 0)
