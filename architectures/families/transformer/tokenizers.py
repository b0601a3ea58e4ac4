"""How an input becomes tokens: one per feature, per image patch or per step."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor, nn

from architectures.blocks.layers import Affine, Conv2d, Linear, Tokens
from architectures.blocks.options import Drawing
from architectures.families.transformer.options import Positions
from architectures.families.transformer.positions import sinusoidal
from bench.core.errors import Unsupported
from bench.core.problem import InputKind, Problem


class FeatureTokens(Affine):
    """Token j is ``x_j w_j + b_j`` (Gorishniy et al., arXiv 2106.11959): (N, features) to (N, features, width).

    Drawn with the width as fan-in, as published.
    """

    def __init__(self, features: int, width: int, drawing: Drawing) -> None:
        super().__init__()
        self.count = features
        self.weight = nn.Parameter(torch.zeros(features, width))
        self.bias = nn.Parameter(torch.zeros(features, width))
        self.prepare(width, drawing)

    def forward(self, x: Tensor) -> Tensor:
        """(N, features) to (N, features, width)."""
        weight, bias = self.scaled()
        return x.unsqueeze(-1) * weight + bias


class _Positioned(nn.Module):
    """Tokens from one linear map, plus positions where they are learned."""

    def __init__(self, count: int, embed: nn.Module, width: int, learned: bool = True) -> None:
        super().__init__()
        self.count, self.embed = count, embed
        self.positions = Tokens(count, width) if learned else None


class PatchTokens(_Positioned):
    """Square patches through one linear map (Dosovitskiy et al., arXiv 2010.11929)."""

    def __init__(self, shape: tuple[int, ...], patch: int, width: int, drawing: Drawing) -> None:
        channels, height, breadth = shape
        if height % patch or breadth % patch:
            common = ", ".join(str(p) for p in range(1, min(height, breadth) + 1) if height % p == breadth % p == 0)
            raise Unsupported(f"patch={patch} does not divide images of {height} by {breadth}; {common} do")
        embed = Conv2d(channels, width, patch, patch, drawing, padded=False)
        super().__init__((height // patch) * (breadth // patch), embed, width)

    def forward(self, x: Tensor) -> Tensor:
        """(N, channels, height, breadth) to (N, patches, width)."""
        assert self.positions is not None
        output: Tensor = self.embed(x).flatten(2).transpose(1, 2) + self.positions()
        return output


class StepTokens(_Positioned):
    """Each step through one linear map, plus learned or sinusoidal positions.

    (N, steps, channels) to (N, steps, width).

    ``rope`` and ``alibi`` enter the attention (:mod:`architectures.families.transformer.positions`), not the tokens.
    """

    def __init__(self, shape: tuple[int, ...], width: int, drawing: Drawing, positions: Positions) -> None:
        super().__init__(shape[0], Linear(shape[1], width, drawing), width, positions == "learned")
        self.sinusoidal = positions == "sinusoidal"

    def forward(self, x: Tensor) -> Tensor:
        """(N, steps, channels) to (N, steps, width)."""
        tokens: Tensor = self.embed(x)
        if self.positions is not None:
            learned: Tensor = self.positions()
            return tokens + learned
        return tokens + sinusoidal(x.shape[1], tokens.shape[-1], x) if self.sinusoidal else tokens


Tokenizer = FeatureTokens | PatchTokens | StepTokens


def _features(problem: Problem, width: int, patch: int, drawing: Drawing, positions: Positions) -> Tokenizer:
    return FeatureTokens(problem.shape[0], width, drawing)


def _patches(problem: Problem, width: int, patch: int, drawing: Drawing, positions: Positions) -> Tokenizer:
    return PatchTokens(problem.shape, patch, width, drawing)


def _steps(problem: Problem, width: int, patch: int, drawing: Drawing, positions: Positions) -> Tokenizer:
    return StepTokens(problem.shape, width, drawing, positions)


_BY_KIND: dict[InputKind, Callable[[Problem, int, int, Drawing, Positions], Tokenizer]] = {
    "features": _features,
    "image": _patches,
    "sequence": _steps,
}


def tokenizer(problem: Problem, width: int, patch: int, drawing: Drawing, positions: Positions) -> Tokenizer:
    """The tokenizer for that kind of input; its ``count`` is the number of tokens at the length of training."""
    return _BY_KIND[problem.kind](problem, width, patch, drawing, positions)
