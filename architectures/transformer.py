"""The transformer encoder."""

from __future__ import annotations

import math

import torch
from torch import Tensor, nn

from architectures.layers import Linear, Tokens, activation
from architectures.norms import Norm
from architectures.options import TransformerOptions
from architectures.tokenizers import tokenizer
from bench.core.errors import Unsupported
from bench.core.problem import Problem


class Attention(nn.Module):
    """Multi-head self-attention, ``softmax(q kᵀ / √d) v`` per head (Vaswani et al., arXiv 1706.03762).

    Written out in matrix products: torch's fused attention has no batching rule that keeps it fast when the
    parameters of many members are stacked. Site ``qk`` normalizes queries and keys of each head, by a layer each.
    """

    def __init__(self, width: int, heads: int, name: str, norm: Norm, options: TransformerOptions) -> None:
        super().__init__()
        self.heads = heads
        self.qkv = Linear(width, 3 * width, options.init)
        self.q_norm = norm(f"{name}.qk", width // heads)
        self.k_norm = norm(f"{name}.qk", width // heads)
        self.project = Linear(width, width, options.init)

    def forward(self, x: Tensor) -> Tensor:
        """(N, tokens, width) to the same shape."""
        q, k, v = (part.unflatten(-1, (self.heads, -1)).transpose(1, 2) for part in self.qkv(x).chunk(3, dim=-1))
        q, k = self.q_norm(q), self.k_norm(k)
        scores = q @ k.transpose(-2, -1) / math.sqrt(q.shape[-1])
        mixed = torch.softmax(scores, dim=-1) @ v
        return self.project(mixed.transpose(1, 2).flatten(2))


class FeedForward(nn.Module):
    """``W₂ activation(W₁ x)`` for each token."""

    def __init__(self, width: int, options: TransformerOptions) -> None:
        super().__init__()
        self.rise = Linear(width, options.ratio * width, options.init)
        self.activation = activation(options.activation)
        self.fall = Linear(options.ratio * width, width, options.init)

    def forward(self, x: Tensor) -> Tensor:
        """(N, tokens, width) to the same shape."""
        return self.fall(self.activation(self.rise(x)))


class Residual(nn.Module):
    """``res(x + out(branch(in(x))))``: the sites of pre-norm, sandwich and post-norm around one branch."""

    def __init__(self, branch: nn.Module, width: int, name: str, norm: Norm) -> None:
        super().__init__()
        self.norm_in = norm(f"{name}.in", width)
        self.branch = branch
        self.norm_out = norm(f"{name}.out", width)
        self.norm_res = norm(f"{name}.res", width)

    def forward(self, x: Tensor) -> Tensor:
        """(N, tokens, width) to the same shape."""
        return self.norm_res(x + self.norm_out(self.branch(self.norm_in(x))))


def _block(name: str, norm: Norm, options: TransformerOptions) -> nn.Module:
    attention = Attention(options.width, options.heads, f"{name}.attn", norm, options)
    feed_forward = FeedForward(options.width, options)
    return nn.Sequential(
        Residual(attention, options.width, f"{name}.attn", norm),
        Residual(feed_forward, options.width, f"{name}.mlp", norm),
    )


class Transformer(nn.Module):
    """Tokens, learned positions, blocks, a readout, a linear head: (N, *shape) to (N, 1).

    Sites: ``embed`` on the tokens before the blocks; ``blockI.attn.in|out|res|qk`` and ``blockI.mlp.in|out|res``;
    ``final`` on the tokens before the readout.
    """

    def __init__(self, problem: Problem, norm: Norm, options: TransformerOptions) -> None:
        super().__init__()
        self.tokenizer = tokenizer(problem, options)
        count = self.tokenizer.count
        if count == 1 and options.readout == "mean":
            raise Unsupported("a single token has no attention to learn under readout=mean; use readout=cls")
        self.cls = Tokens(1, options.width) if options.readout == "cls" else None
        self.embed_norm = norm("embed", options.width)
        self.blocks = nn.Sequential(*(_block(f"block{i + 1}", norm, options) for i in range(options.depth)))
        self.final_norm = norm("final", options.width)
        self.head = Linear(options.width, 1, options.init)

    def forward(self, x: Tensor) -> Tensor:
        """(N, *shape) to (N, 1)."""
        tokens = self.tokenizer(x)
        if self.cls is not None:
            tokens = torch.cat([self.cls().expand(len(tokens), -1, -1), tokens], dim=1)
        tokens = self.final_norm(self.blocks(self.embed_norm(tokens)))
        return self.head(tokens[:, 0] if self.cls is not None else tokens.mean(1))


def transformer(problem: Problem, norm: Norm, options: TransformerOptions) -> nn.Module:
    """Build a transformer encoder."""
    return Transformer(problem, norm, options)
