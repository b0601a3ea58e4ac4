"""The growth that a network's structure implies, before anything is measured.

Every operation of the network's graph (:mod:`architectures.analysis.graph_reading`) is asked what it makes of a value
that grows like ``r^e`` along a ray ``r d`` for large r (:mod:`architectures.analysis.growth`):

- what is bounded whatever the input (norms, saturating activations, limits) has e = 0, as for a certificate;
- linear maps, convolutions, averages, relu and its kin keep e, for some directions at least;
- a sum takes the larger e of the two, a product adds them; attention answers with averages of its values, whatever
  its scores are, so it takes the largest e of all tokens' values;
- a norm of a kind that is not built in does what its card declares; nothing is predicted of one that declares nothing.

The prediction is generic: it holds for almost all weights, not for those that cancel exactly. It counts only if the
graph answers as the network does on the batches given.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from architectures.analysis.bounds.values import WIDEST
from architectures.analysis.bounds.visitor import BoundsVisitor, Unknown, doubled
from architectures.analysis.certificate import float64_by_default
from architectures.analysis.graph import Unread
from architectures.analysis.graph_reading import read_faithfully
from architectures.analysis.growth import GrowthVisitor, Rate

SIZES = (16, 1, 3)
FEW_SIZES = (3, 1)
"""Enough for code that a version identifies: it has no secrets, and a convolution in float64 is slow."""
SCALES = (1.0, 1e4)


@dataclass(frozen=True)
class Prediction:
    """What the structure implies.

    Args:
        exponent: of the growth along rays; None where an operation is not known.
        reason: why, in words.
    """

    exponent: int | None
    reason: str

    @property
    def bounded(self) -> bool | None:
        """Whether the network is predicted to be bounded."""
        return None if self.exponent is None else self.exponent == 0


def trial_batches(shape: tuple[int, ...], sizes: Sequence[int] = SIZES) -> list[Tensor]:
    """Rows near and far in several numbers, on which a graph is held against its network: (rows, *shape)."""
    generator = torch.Generator().manual_seed(0)
    rows = torch.randn(max(sizes), *shape, generator=generator, dtype=torch.float64)
    return [scale * rows[:size] for size in sizes for scale in SCALES]


def predict_module(network: nn.Module, batches: Sequence[Tensor]) -> Prediction:
    """The exponent that the structure of ``network`` implies.

    Args:
        network: with its numbers; left as it is.
        batches: rows (any number, *shape) on which its graph has to answer as it does.
    """
    boxes = WIDEST.set(0)
    try:
        with float64_by_default(), torch.no_grad():
            return _prediction(doubled(network), [batch.to("cpu", torch.float64) for batch in batches])
    except Exception as error:  # a network's own code runs here
        return Prediction(None, " ".join(f"it cannot be read: {type(error).__name__}: {error}".split())[:300])
    finally:
        WIDEST.reset(boxes)


def _prediction(network: nn.Module, batches: Sequence[Tensor]) -> Prediction:
    graph = read_faithfully(network, batches)
    if isinstance(graph, Unread):
        return Prediction(None, f"its operations cannot be read: {graph.reason}")
    bounds = BoundsVisitor(graph, network)
    bounds(graph)
    found = GrowthVisitor(graph, network, bounds)(graph)
    if isinstance(found, Unknown):
        return Prediction(None, f"it is not known what {found.what} does to growth")
    if not isinstance(found, Rate):
        return Prediction(None, "it does not answer with one tensor")
    return Prediction(found.most, _in_words(found.most, found.reasons.get(found.most, ())))


def _in_words(exponent: int, reasons: tuple[str, ...]) -> str:
    named = ", ".join(reasons[:4])
    if len(reasons) > 4:
        named += f" and {len(reasons) - 4} more"
    if exponent == 0:
        return f"every path from the input passes something bounded: {named or 'none reaches the output'}"
    carried = named or "linear maps and activations that grow"
    return f"a path from the input to the output passes nothing bounded: {carried}"
