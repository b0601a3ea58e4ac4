"""Where a token stands: position encodings that know any length, written out as their papers have them.

All are computed from the number of tokens at hand, in the dtype of the tokens, so that float64 is float64 throughout.
"""

from __future__ import annotations

import math

import torch
from torch import Tensor

BASE = 10_000.0


def angles(count: int, width: int, like: Tensor) -> Tensor:
    """``p / 10000^(2i / width)`` for the places p = 0 … count - 1, (count, ⌈width / 2⌉)."""
    places = torch.arange(count, dtype=like.dtype, device=like.device)
    even = torch.arange(0, width, 2, dtype=like.dtype, device=like.device)
    return places[:, None] * torch.exp(even * (-math.log(BASE) / width))


def sinusoidal(count: int, width: int, like: Tensor) -> Tensor:
    """What is added to the tokens, (count, width): sine at even and cosine at odd channels.

    ``PE(p, 2i) = sin(p / 10000^(2i / width))`` and ``PE(p, 2i + 1) = cos(p / 10000^(2i / width))`` (Vaswani et al.,
    arXiv 1706.03762, section 3.5).
    """
    turned = angles(count, width, like)
    return torch.stack([turned.sin(), turned.cos()], dim=-1).flatten(1)[:, :width]


def rotated(x: Tensor) -> Tensor:
    """Queries or keys (..., tokens, channels) with each pair of channels turned by its token's angle, same shape.

    ``(x₂ᵢ, x₂ᵢ₊₁)`` at place p is turned by ``p / 10000^(2i / channels)`` (RoPE: Su et al., arXiv 2104.09864, equation
    34), so that a product of query and key depends on places through their difference alone. The channels are even.
    """
    turned = angles(x.shape[-2], x.shape[-1], x)
    sine, cosine = turned.sin(), turned.cos()
    even, odd = x[..., 0::2], x[..., 1::2]
    return torch.stack([even * cosine - odd * sine, even * sine + odd * cosine], dim=-1).flatten(-2)


def slopes(heads: int) -> list[float]:
    """ALiBi's slope of each head: ``2^(-8h / heads)`` for h = 1 … heads, where their number is a power of two.

    Otherwise those of the next lower power of two, then every other one of the next higher (Press et al., arXiv
    2108.12409, and its published code).
    """
    lower = 2 ** int(math.log2(heads))
    made = [2.0 ** (-8 * (h + 1) / lower) for h in range(lower)]
    return made if lower == heads else made + slopes(2 * lower)[0::2][: heads - lower]


def distance_bias(heads: int, count: int, like: Tensor) -> Tensor:
    """What is added to the scores, (heads, count, count): ``-slope · |i - j|`` (ALiBi: Press et al., arXiv 2108.12409).

    The paper masks later tokens; where they are seen, they are as far as those before.
    """
    places = torch.arange(count, dtype=like.dtype, device=like.device)
    slope = torch.tensor(slopes(heads), dtype=like.dtype, device=like.device)
    return -slope[:, None, None] * (places[:, None] - places).abs()
