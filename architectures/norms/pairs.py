"""A pair around a network: one map before it, and where it has a way back, one after it."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor, nn

from architectures.norms.card import NormKind
from architectures.norms.layers import mark, marked
from architectures.norms.site import Frame
from bench.core.errors import InputError, Unsupported


class Pair(nn.Module):
    """Two maps around a network. Any module with these two methods is one; this class makes one of two functions.

    Args:
        inward: input (N, *shape) to what the network sees, of the same shape, and whatever ``outward`` needs of it.
        outward: the network's answer (N, 1) and what was kept, to the answer (N, 1); None where there is no way back.
    """

    def __init__(
        self, inward: Callable[[Tensor], tuple[Tensor, Any]], outward: Callable[[Tensor, Any], Tensor] | None = None
    ) -> None:
        super().__init__()
        self.inward = inward
        if outward is not None:
            self.outward = outward


class Paired(nn.Module):
    """``outward(network(inward(x)))``: (N, *shape) to (N, 1).

    Args:
        network: what stands inside.
        pair: the two maps.
        back: whether the way back is taken (a scheme that names ``output``).
    """

    def __init__(self, network: nn.Module, pair: nn.Module, back: bool) -> None:
        super().__init__()
        self.network, self.pair, self.back = network, pair, back

    def forward(self, x: Tensor) -> Tensor:
        """(N, *shape) to (N, 1)."""
        inside, kept = self.pair.inward(x)  # type: ignore[operator]
        answer: Tensor = self.network(inside)
        if self.back:
            answer = self.pair.outward(answer, kept)  # type: ignore[operator]
        return answer


def around(network: nn.Module, kind: NormKind, frame: Frame, ends: frozenset[str]) -> Paired:
    """``network`` inside the pair of ``kind``.

    Args:
        ends: the sites that the scheme names, of ``input`` and ``output``.

    Raises:
        Unsupported: ``output`` is named and ``input`` is not, or there is no way back.
        InputError: what the kind gives is no pair.
    """
    if "input" not in ends:
        what = f"{kind}@output puts back what {kind}@input took; write {kind}@input+output"
        raise Unsupported(what, code="no_such_site")
    pair = kind.card.build(frame, kind)
    if not isinstance(pair, nn.Module) or not callable(getattr(pair, "inward", None)):
        what = f"it gives a {type(pair).__name__} without a method inward"
        raise InputError(what, where=f"norm kind {kind}", hint="return a torch.nn.Module with inward(x) -> (x, kept)")
    if marked(pair) is not None:
        raise InputError("it gives a pair that it gave before", where=f"norm kind {kind}", hint="make a new one")
    back = "output" in ends
    if back and not callable(getattr(pair, "outward", None)):
        raise Unsupported(f"{kind} has no way back; write {kind}@input", code="no_such_site")
    mark(pair, frame, kind)
    return Paired(network, pair, back)


def distance(x: Tensor, frame: Frame) -> Tensor:
    """The distance of standardized inputs (N, *shape) in units of R, shaped to divide them: (N, 1, ...).

    ``‖x̃‖₂ / R``, for sequences the root mean square per element over R.
    """
    size: Tensor = torch.linalg.vector_norm(x, dim=tuple(range(1, x.dim())), keepdim=True)
    return size / frame.reach_of(math.prod(x.shape[1:]))  # a longer sequence is not farther away
