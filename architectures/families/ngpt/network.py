"""nGPT: vectors and matrices on the unit sphere (Loshchilov et al., arXiv 2410.01131)."""

from __future__ import annotations

import math
from collections.abc import Mapping
from functools import partial

import torch
from torch import Tensor, nn
from torch.nn.functional import normalize, silu

from architectures.blocks.after_step import Mend
from architectures.blocks.layers import Draw, Drawn, Tokens, limit
from architectures.blocks.options import Drawing
from architectures.families.ngpt.options import NgptOptions
from architectures.families.transformer.tokenizers import FeatureTokens, Tokenizer, tokenizer
from architectures.norms.site import Norm
from bench.core.errors import Unsupported
from bench.core.problem import Problem

EPS = 1e-5
"""A vector shorter than this is not stretched to length 1."""


def unit(x: Tensor, axis: int) -> Tensor:
    """``x / max(‖x‖₂, eps)`` along ``axis``."""
    return normalize(x, dim=axis, eps=EPS)


class Unit(nn.Module):
    """``x / max(‖x‖₂, eps)`` over the last dimension: the ``Norm`` of the paper."""

    def forward(self, x: Tensor) -> Tensor:
        """(..., dim) to the same shape."""
        return unit(x, -1)


class UnitLinear(nn.Linear, Drawn):
    """``x Wᵀ`` with vectors of length 1 in W, which every step of the optimizer is followed by making so again.

    Args:
        in_features, out_features: sizes.
        embeds: whether the outputs are the embedding, so that its vectors are the columns of W; else the rows are.
    """

    def __init__(self, in_features: int, out_features: int, embeds: bool = False) -> None:
        super().__init__(in_features, out_features, bias=False)
        self.axis = 0 if embeds else 1

    def draw(self, generator: Draw) -> None:
        """Normal, of random direction."""
        self.weight.normal_(generator=generator("weight"))

    def after_step(self) -> Mapping[str, Mend]:
        """Vectors of length 1."""
        return {"weight": partial(unit, axis=self.axis)}


class Scaling(nn.Module):
    """A learned vector s of ``size`` numbers that starts at ``start`` and is stored as ``s · scale / start``.

    The smaller ``scale``, the faster Adam moves s (section 2.5 of the paper).
    """

    def __init__(self, size: int, start: float, scale: float) -> None:
        super().__init__()
        self.factor = start / scale
        self.weight = nn.Parameter(torch.full((size,), scale))

    def forward(self) -> Tensor:
        """s, (size,)."""
        return self.weight * self.factor


class Attention(nn.Module):
    """Attention with queries and keys on the sphere: ``softmax(√d (s q) (s k)ᵀ) v`` per head of d channels."""

    def __init__(self, name: str, norm: Norm, options: NgptOptions) -> None:
        super().__init__()
        width, self.heads = options.width, options.heads
        self.qkv = UnitLinear(width, 3 * width)
        self.q_norm = norm(f"{name}.qk", width // self.heads, own=Unit())
        self.k_norm = norm(f"{name}.qk", width // self.heads, own=Unit())
        self.s_qk = Scaling(width, 1.0, 1 / math.sqrt(width))
        self.project = UnitLinear(width, width, embeds=True)

    def forward(self, x: Tensor) -> Tensor:
        """(N, tokens, width) to the same shape."""
        q, k, v = self.qkv(x).unflatten(-1, (3, self.heads, -1)).permute(2, 0, 3, 1, 4).contiguous().unbind(0)
        s = self.s_qk().unflatten(0, (self.heads, 1, -1))
        q, k = s * self.q_norm(q), s * self.k_norm(k)
        scores = k @ (q * math.sqrt(q.shape[-1])).transpose(-2, -1)  # keys down, as in the transformer
        mixed = torch.softmax(scores, dim=-2).transpose(-2, -1) @ v
        output: Tensor = self.project(mixed.transpose(1, 2).flatten(2))
        return output


class FeedForward(nn.Module):
    """The gated MLP ``W₃ (s_u u ⊙ silu(√width s_v v))`` with u = W₁ x and v = W₂ x."""

    def __init__(self, options: NgptOptions) -> None:
        super().__init__()
        width, hidden = options.width, options.ratio * options.width
        self.rise = UnitLinear(width, 2 * hidden)
        self.s_u, self.s_v = Scaling(hidden, 1.0, 1.0), Scaling(hidden, 1.0, 1.0)
        self.fall = UnitLinear(hidden, width, embeds=True)
        self.root = math.sqrt(width)

    def forward(self, x: Tensor) -> Tensor:
        """(..., width) to the same shape."""
        u, v = self.rise(x).chunk(2, dim=-1)
        y: Tensor = self.fall(self.s_u() * u * silu(self.root * self.s_v() * v))
        return y


class Step(nn.Module):
    """``Norm(h + |α| (Norm(branch(h)) - h))``: a step along the sphere towards what the branch says."""

    def __init__(self, branch: nn.Module, name: str, norm: Norm, options: NgptOptions) -> None:
        super().__init__()
        self.name, self.branch = name, branch
        self.alpha = Scaling(options.width, options.alpha, 1 / math.sqrt(options.width))
        self.norm_out = norm(f"{name}.out", options.width, own=Unit())
        self.norm_res = norm(f"{name}.res", options.width, own=Unit())

    def forward(self, h: Tensor) -> Tensor:
        """(N, tokens, width) to the same shape."""
        y: Tensor = self.norm_res(h + self.alpha().abs() * (self.norm_out(self.branch(h)) - h))
        return y


class Ngpt(nn.Module):
    """Tokens, steps, a readout, a unit vector: (N, *shape) to (N, 1).

    The tokens are those of the transformers, with the embedding vectors and positions of length 1. All tokens attend to
    all. The answer is ``s_z w · h``, so that it never exceeds ``|s_z|`` under ``own@all``.
    """

    def __init__(self, problem: Problem, norm: Norm, options: NgptOptions) -> None:
        super().__init__()
        self.tokenizer: Tokenizer = tokenizer(problem, options.width, options.patch, Drawing(), "learned")
        if self.tokenizer.count == 1 and options.readout != "cls":
            raise Unsupported("a single token has no attention to learn; a class token (readout=cls) gives it one")
        self.cls = Tokens(1, options.width) if options.readout == "cls" else None
        self.embed_norm = norm("embed", options.width, own=Unit())
        blocks = [block for i in range(options.depth) for block in _block(f"block{i + 1}", norm, options)]
        self.blocks = nn.Sequential(*blocks)
        self.head = UnitLinear(options.width, 1)
        self.s_z = Scaling(1, 1.0, 1 / math.sqrt(options.width))
        self.limit = limit(options.clamp, problem.target_range)

    def after_step(self) -> Mapping[str, Mend]:
        """Embedding vectors and positions of length 1."""
        cls: dict[str, Mend] = {"cls.weight": partial(unit, axis=1)}
        if isinstance(self.tokenizer, FeatureTokens):
            rows: Mend = partial(unit, axis=1)
            return cls | {"tokenizer.weight": rows, "tokenizer.bias": rows}
        return cls | {"tokenizer.embed.weight": partial(unit, axis=0), "tokenizer.positions.weight": cls["cls.weight"]}

    def forward(self, x: Tensor) -> Tensor:
        """(N, *shape) to (N, 1)."""
        h = self.tokenizer(x)
        if self.cls is not None:
            h = torch.cat([self.cls().expand(h.shape[0], -1, -1), h], dim=1)
        h = self.blocks(self.embed_norm(h))
        read = h.mean(1) if self.cls is None else h[:, 0]
        output: Tensor = self.limit(self.s_z() * self.head(read))
        return output


def _block(name: str, norm: Norm, options: NgptOptions) -> tuple[nn.Module, nn.Module]:
    attention = Attention(f"{name}.attn", norm, options)
    return (
        Step(attention, f"{name}.attn", norm, options),
        Step(FeedForward(options), f"{name}.mlp", norm, options),
    )


def ngpt(problem: Problem, norm: Norm, options: NgptOptions) -> nn.Module:
    """Build nGPT over features, patches or steps."""
    return Ngpt(problem, norm, options)
