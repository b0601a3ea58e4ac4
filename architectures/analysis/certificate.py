"""A proven bound on what a network can answer, whatever its input.

The operations of the network are read from its graph (:mod:`architectures.analysis.graph_reading`), never guessed from
the names of its classes, and followed one by one with what is known of each value: a box, and a region that vectors lie
in (:mod:`architectures.analysis.bounds.values`, :mod:`architectures.norms.regions`).

- A layer norm's output is ``shift + gain ⊙ u`` with ``‖u‖₂ ≤ √dim`` and ``Σ u = 0``; other norms likewise, and any
  division of vectors by their own norm, however it is written.
- A linear map sends box and ellipsoid exactly; along each output the tighter of the two counts.
- An activation sends the box exactly, and the ellipsoid into a ball by its Lipschitz constant.
- Averages (attention, pooling) stay inside convex regions; sums add regions.

What is trusted: that the graph is the network's. It counts only if its program answers as the network does on every
batch given, in these sizes (the benchmark gives all that it probes the network with). A network that recognises when it
is recorded, or that changes after more calls than were tried, can still deceive; what is measured afterwards is then
held against the bound, and a bound below it is a contradiction. Where a scheme has placed a norm of a kind that is not
built in, its card's word is taken for the layer (:mod:`architectures.analysis.bounds.declared`).

What is assumed: evaluation mode, and real arithmetic on the weights as they are stored. The bound is computed in
float64 and widened by 1e-9 of itself; this covers the rounding of the bound's own computation, not that of a network
evaluated in float32. Box propagation is the interval arithmetic of Gowal et al., arXiv 1810.12715.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn

from architectures.analysis.bounds.values import Joined, Known, exactly, merged
from architectures.analysis.bounds.visitor import SIZE, BoundsVisitor, Unknown, doubled
from architectures.analysis.graph import Graph, Unread
from architectures.analysis.graph_reading import Reader


@dataclass(frozen=True)
class Certificate:
    """A bound, or why there is none.

    Args:
        bound: of ``|network(x)|`` over all x; None where none is known.
        why: in words, where there is none.
    """

    bound: float | None
    why: str = ""


def certify(network: nn.Module, batches: Sequence[Tensor], reader: Reader | None = None) -> Certificate:
    """An upper bound of ``|network(x)|`` over all x in evaluation mode.

    It takes a fraction of a second to read the graph, and singular values of matrices as wide as the network.

    Args:
        network: on any device and of any precision; left as it is.
        batches: rows (any number, *shape) on which the graph has to answer as the network does.
        reader: one that has read networks like it; it need not record this one again.
    """
    try:
        with float64_by_default(), torch.no_grad():
            graph = graph_of(network, batches, reader)
            if isinstance(graph, Unread):
                return Certificate(None, f"its operations cannot be read: {graph.reason}")
            return _certificate(BoundsVisitor(graph, network)(graph))
    except Exception as error:  # a network's own code runs here, and torch on numbers of its
        return Certificate(None, " ".join(f"{type(error).__name__}: {error}".split())[:300])


def certificate(network: nn.Module, batches: Sequence[Tensor], reader: Reader | None = None) -> float | None:
    """The bound of :func:`certify`; None where none is known."""
    return certify(network, batches, reader).bound


def graph_of(network: nn.Module, batches: Sequence[Tensor], reader: Reader | None = None) -> Graph | Unread:
    """The graph of a network in float64 that answers as the network does on ``batches``."""
    in_float64 = [batch.detach().to("cpu", torch.float64) for batch in batches]
    return (reader or Reader()).read(doubled(network), in_float64)


@contextmanager
def float64_by_default() -> Iterator[None]:
    """What a network makes without naming a type is float64 here, as its weights are."""
    before = torch.get_default_dtype()
    torch.set_default_dtype(torch.float64)
    try:
        yield
    finally:
        torch.set_default_dtype(before)


def _certificate(found: Any) -> Certificate:
    if isinstance(found, Unknown):
        return Certificate(None, f"it is not known what {found.what} does")
    if isinstance(found, Tensor):
        found = exactly(found, found.dim())
    if found is SIZE or not isinstance(found, (Known, Joined)):
        return Certificate(None, "it does not answer with one tensor")
    value = merged(found)
    greatest = float(torch.maximum(value.low.abs().max(), value.high.abs().max()))
    if not math.isfinite(greatest):
        return Certificate(None, "a path from the input to the output passes nothing that bounds it")
    return Certificate(greatest * (1 + 1e-9))
