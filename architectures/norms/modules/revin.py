"""Reversible instance normalization around a network (Kim et al., ICLR 2022)."""

from __future__ import annotations

import torch
from torch import Tensor, nn

Kept = tuple[Tensor, Tensor]
"""Mean and deviation of the answer's channel, (N, 1) each."""


class RevIn(nn.Module):
    """The pair: ``inward`` takes each instance's mean and deviation out, ``outward`` puts them back on the answer.

    Mean and deviation carry gradients to the input, unlike in the authors' code: training needs none there, but what
    searches for the largest answer does.

    Args:
        channels: of a sequence; 1 of a table.
        answer: the channel, from 0, on whose scale the answer is put back.
        sequence: whether inputs are (N, steps, channels), else (N, features).
        eps: added to the variance.
        affine: whether there is a gain and a shift per channel.
        units: whether the answer has a scale and an offset of its own.
    """

    def __init__(self, channels: int, answer: int, sequence: bool, eps: float, affine: bool, units: bool) -> None:
        super().__init__()
        self.answer, self.sequence, self.eps = answer, sequence, eps
        self.weight = nn.Parameter(torch.ones(channels)) if affine else None
        self.bias = nn.Parameter(torch.zeros(channels)) if affine else None
        self.scale = nn.Parameter(torch.ones(1)) if units else None
        self.offset = nn.Parameter(torch.zeros(1)) if units else None

    def inward(self, x: Tensor) -> tuple[Tensor, Kept]:
        """``gain (x - mean) / √(var + eps) + shift`` over axis 1, and what :meth:`outward` needs."""
        mean = x.mean(1, keepdim=True)
        centred = x - mean
        deviation = (centred.square().mean(1, keepdim=True) + self.eps).sqrt()
        y = centred / deviation
        if self.weight is not None and self.bias is not None:
            y = y * self.weight + self.bias
        if not self.sequence:
            return y, (mean, deviation)
        own = slice(self.answer, self.answer + 1)
        return y, (mean[:, 0, own], deviation[:, 0, own])

    def outward(self, y: Tensor, kept: Kept) -> Tensor:
        """``scale (deviation (y - shift) / (gain + eps²) + mean) + offset``, (N, 1); eps² is the authors' guard."""
        mean, deviation = kept
        if self.weight is not None and self.bias is not None:
            y = (y - self.bias[self.answer]) / (self.weight[self.answer] + self.eps**2)
        y = y * deviation + mean
        return y if self.scale is None or self.offset is None else y * self.scale + self.offset
