"""What the checks of networks are tried on: builds, inputs, and how answers are compared."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from architectures.building import build_network
from architectures.contract.check import Subject

ROWS = 6


def built(subject: Subject, seed: int = 0) -> nn.Module:
    """The network in evaluation mode on the subject's device."""
    return build_network(subject.architecture, subject.scheme, subject.problem, seed).to(subject.device).eval()


def inputs_for(subject: Subject, rows: int = ROWS, seed: int = 0, dtype: torch.dtype = torch.float32) -> Tensor:
    """Standard normal inputs (rows, *shape)."""
    generator = torch.Generator().manual_seed(seed)
    drawn = torch.randn(rows, *subject.problem.shape, generator=generator, dtype=torch.float64)
    return drawn.to(subject.device, dtype)


def different(left: Tensor, right: Tensor, tolerance: float) -> float | None:
    """The largest difference relative to the largest entry, when above ``tolerance``; two NaN are no difference."""
    left, right = left.detach(), right.detach()
    scale = max(1e-30, float(right.nan_to_num().abs().max()))
    alike = (left == right) | (left.isnan() & right.isnan())
    gap = float(torch.where(alike, 0.0, left - right).abs().max()) / scale
    return None if gap <= tolerance else gap
