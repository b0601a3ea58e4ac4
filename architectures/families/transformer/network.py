"""Transformers: encoder, causal decoder, FT-Transformer, all one class."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Literal, cast

import torch
from torch import Tensor, nn

from architectures.blocks.activations import activation
from architectures.blocks.layers import Linear, Tokens, limit
from architectures.blocks.options import ActivationName, Drawing
from architectures.blocks.residual import FeedForward, GatedFeedForward, Residual
from architectures.families.transformer.options import (
    DecoderOptions,
    FtTransformerOptions,
    Positions,
    TransformerOptions,
)
from architectures.families.transformer.positions import distance_bias, rotated
from architectures.families.transformer.tokenizers import tokenizer
from architectures.norms.layers import averages_to_nothing
from architectures.norms.site import Norm
from bench.core.errors import Unsupported
from bench.core.problem import Problem


@dataclass(frozen=True)
class TransformerPlan:
    """What tells one transformer from another.

    Args:
        depth, width, heads, hidden: blocks, channels of a token, attention heads, hidden units of a block's MLP.
        activation: of the MLPs.
        drawing: how parameters are drawn.
        clamp: whether answers are limited to the range of the training targets.
        readout: the mean over tokens, a class token, or the last token.
        patch: side of an image patch.
        causal: tokens attend to themselves and those before them only.
        positions: how the steps of a sequence are told where they stand.
        feed_forward: the MLP of a block.
        head_activation: an activation between ``final`` and the head.
    """

    depth: int
    width: int
    heads: int
    hidden: int
    activation: ActivationName
    drawing: Drawing
    clamp: bool
    readout: Literal["mean", "cls", "last"]
    patch: int = 1
    causal: bool = False
    positions: Positions = "learned"
    feed_forward: type[FeedForward] | type[GatedFeedForward] = FeedForward
    head_activation: bool = False


class Attention(nn.Module):
    """Multi-head self-attention, ``softmax(q kᵀ / √d) v`` per head (Vaswani et al., arXiv 1706.03762).

    Written out in matrix products: torch's fused attention has no batching rule that keeps it fast when the
    parameters of many members are stacked. Site ``qk`` normalizes queries and keys of each head, by a layer each,
    before positions turn them.
    """

    def __init__(self, name: str, norm: Norm, plan: TransformerPlan) -> None:
        super().__init__()
        self.heads, self.causal, self.positions = plan.heads, plan.causal, plan.positions
        self.qkv = Linear(plan.width, 3 * plan.width, plan.drawing)
        self.q_norm = norm(f"{name}.qk", plan.width // plan.heads)
        self.k_norm = norm(f"{name}.qk", plan.width // plan.heads)
        self.project = Linear(plan.width, plan.width, plan.drawing)

    def forward(self, x: Tensor) -> Tensor:
        """(N, tokens, width) to the same shape."""
        # one copy puts queries, keys and values of all heads side by side, as the products want them
        together = self.qkv(x).unflatten(-1, (3, self.heads, -1)).permute(2, 0, 3, 1, 4).contiguous()
        q, k, v = together.unbind(0)
        q, k = self.q_norm(q), self.k_norm(k)
        if self.positions == "rope":
            q, k = rotated(q), rotated(k)
        # keys down, queries across: a softmax over few entries in a row each is several times slower than over columns
        scores = k @ (q / math.sqrt(q.shape[-1])).transpose(-2, -1)
        if self.positions == "alibi":
            scores = scores + distance_bias(self.heads, scores.shape[-1], scores)
        if self.causal:
            later = torch.ones(scores.shape[-2:], dtype=torch.bool, device=x.device).tril(-1)
            scores = scores.masked_fill(later, -math.inf)
        mixed = torch.softmax(scores, dim=-2).transpose(-2, -1) @ v
        output: Tensor = self.project(mixed.transpose(1, 2).flatten(2))
        return output


def _block(name: str, norm: Norm, plan: TransformerPlan) -> nn.Module:
    dims = (plan.width, plan.width)
    feed_forward = plan.feed_forward(plan.width, plan.hidden, plan.activation, plan.drawing)
    return nn.Sequential(
        Residual(Attention(f"{name}.attn", norm, plan), dims, f"{name}.attn", norm),
        Residual(feed_forward, dims, f"{name}.mlp", norm),
    )


class Transformer(nn.Module):
    """Tokens, blocks, a readout, a linear head: (N, *shape) to (N, 1), or (N, steps, channels) to (N, steps).

    Sites: ``embed`` on the tokens before the blocks; ``blockI.attn.in|out|res|qk`` and ``blockI.mlp.in|out|res``;
    ``final`` on the tokens before the readout.
    """

    def __init__(self, problem: Problem, norm: Norm, plan: TransformerPlan) -> None:
        super().__init__()
        self.readout, self.each_step = plan.readout, problem.each_step
        self.tokenizer = tokenizer(problem, plan.width, plan.patch, plan.drawing, plan.positions)
        if self.tokenizer.count == 1 and plan.readout != "cls":
            raise Unsupported("a single token has no attention to learn; a class token (readout=cls) gives it one")
        self.cls = Tokens(1, plan.width) if plan.readout == "cls" else None
        self.embed_norm = norm("embed", plan.width)
        self.blocks = nn.Sequential(*(_block(f"block{i + 1}", norm, plan) for i in range(plan.depth)))
        self.final_norm = norm("final", plan.width)
        if plan.readout == "mean" and not self.each_step and self._centres_tokens():
            raise Unsupported(
                "a norm that centres each channel over the tokens leaves nothing to their mean", code="degenerate_norm"
            )
        self.head_activation = activation(plan.activation) if plan.head_activation else nn.Identity()
        self.head = Linear(plan.width, 1, plan.drawing)
        self.limit = limit(plan.clamp, problem.target_range)

    def forward(self, x: Tensor) -> Tensor:
        """(N, *shape) to (N, 1); where each step is answered, (N, steps, channels) to (N, steps)."""
        tokens = self.tokenizer(x)
        if self.cls is not None:
            tokens = torch.cat([self.cls().expand(tokens.shape[0], -1, -1), tokens], dim=1)
        tokens = self.final_norm(self.blocks(self.embed_norm(tokens)))
        output: Tensor = self.limit(self.head(self.head_activation(self.read(tokens))))
        return output.squeeze(-1) if self.each_step else output

    def _centres_tokens(self) -> bool:
        last_block = cast(nn.Sequential, self.blocks[-1])
        last_residual = cast(Residual, last_block[-1])
        last = last_residual.norm_res if isinstance(self.final_norm, nn.Identity) else self.final_norm
        return averages_to_nothing(last)

    def read(self, tokens: Tensor) -> Tensor:
        """(N, tokens, width) to (N, width), or to (N, steps, width) without the class token."""
        if self.each_step:
            return tokens if self.cls is None else tokens[:, 1:]
        if self.readout == "mean":
            return tokens.mean(1)
        return tokens[:, 0] if self.readout == "cls" else tokens[:, -1]


def transformer(problem: Problem, norm: Norm, options: TransformerOptions) -> nn.Module:
    """Build a transformer encoder over features, patches or steps."""
    return Transformer(
        problem,
        norm,
        TransformerPlan(
            depth=options.depth,
            width=options.width,
            heads=options.heads,
            hidden=options.ratio * options.width,
            activation=options.activation,
            drawing=options.drawing,
            clamp=options.clamp,
            readout=options.readout,
            patch=options.patch,
            positions=options.positions if problem.kind == "sequence" else "learned",
        ),
    )


def decoder(problem: Problem, norm: Norm, options: DecoderOptions) -> nn.Module:
    """Build a causal decoder that answers from its last step."""
    return Transformer(
        problem,
        norm,
        TransformerPlan(
            depth=options.depth,
            width=options.width,
            heads=options.heads,
            hidden=options.ratio * options.width,
            activation=options.activation,
            drawing=options.drawing,
            clamp=options.clamp,
            readout="last",
            causal=True,
            positions=options.positions,
        ),
    )


def ft_transformer(problem: Problem, norm: Norm, options: FtTransformerOptions) -> nn.Module:
    """Build an FT-Transformer (Gorishniy et al., arXiv 2106.11959): class token, gated MLPs, an activated head.

    As published it is normalized at ``pre+final`` but for ``block1.attn.in``; here the scheme decides.
    """
    return Transformer(
        problem,
        norm,
        TransformerPlan(
            depth=options.depth,
            width=options.width,
            heads=options.heads,
            hidden=round(options.ratio * options.width),
            activation=options.activation,
            drawing=options.drawing,
            clamp=options.clamp,
            readout="cls",
            feed_forward=GatedFeedForward,
            head_activation=True,
        ),
    )
