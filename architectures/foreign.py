"""Where a network from outside normalizes by itself: by functions, or by layers of unknown types."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from architectures.analysis.graph import Graph, Unread
from architectures.analysis.graph_reading import read_graph
from architectures.analysis.normalizations import Normalization, normalizations
from architectures.analysis.recording import record_graph
from bench.core.problem import Problem


@dataclass(frozen=True)
class ForeignNorm:
    """A normalization that no scheme can take out.

    Args:
        size: of the last dimension of what it gives.
        reason: what it is and where, in words.
    """

    size: int
    reason: str


def foreign_norms(
    network: nn.Module, problem: Problem, kept: Collection[str], taken: Collection[str]
) -> dict[str, ForeignNorm]:
    """Where ``network`` normalizes in evaluation or in training, by names that a scheme can use (``own@NAME``).

    Args:
        network: without any norm that a scheme may place.
        problem: what it was built for.
        kept: paths of modules that are known to normalize and are left out.
        taken: names of sites that are in use.
    """
    rows = torch.linspace(-1.0, 1.0, 3 * problem.size).reshape(3, *problem.shape)
    found: dict[str, Normalization] = {}
    for training in (False, True):
        graph = _graph(network, rows, training)
        if graph is not None:
            found |= {one.path: one for one in normalizations(graph, kept) if one.path not in found}
    network.eval()
    return {_name(one.path, taken): ForeignNorm(one.size, _reason(one)) for one in found.values()}


def _graph(network: nn.Module, rows: Tensor, training: bool) -> Graph | None:
    """What ``torch.export`` records; where it cannot, what one run does; None where that fails in training."""
    graph = read_graph(network, rows, training)
    if not isinstance(graph, Unread):
        return graph
    try:
        return record_graph(network, rows, training)
    except Exception:
        if not training:
            raise
        return None


def _name(path: str, taken: Collection[str]) -> str:
    name = f"layers.{path}" if path[:1].isdigit() else path or "forward"
    return f"{name}.itself" if name in taken else name


def _reason(one: Normalization) -> str:
    where = f"{one.type} at {one.path!r}" if one.path else "its forward"
    return f"it normalizes by a function that cannot be taken out: {where} does {one.what}"
