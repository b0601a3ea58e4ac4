"""How an input becomes tokens: one per feature, per image patch or per step."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor, nn

from architectures.layers import Conv2d, Draw, Drawn, Linear, Tokens, draw_linear
from architectures.options import Init, TransformerOptions
from bench.core.errors import Unsupported
from bench.core.problem import InputKind, Problem


class FeatureTokens(Drawn):
    """Token j is ``x_j w_j + b_j`` (Gorishniy et al., arXiv 2106.11959): (N, features) to (N, features, width)."""

    def __init__(self, features: int, width: int, init: Init) -> None:
        super().__init__()
        self.count, self.init = features, init
        self.weight = nn.Parameter(torch.zeros(features, width))
        self.bias = nn.Parameter(torch.zeros(features, width))

    def draw(self, generator: Draw) -> None:
        """Draw weights and biases; each token sees one input, but width outputs share it, so fan-in is the width."""
        draw_linear(self.weight, self.bias, self.weight.shape[1], self.init, generator)

    def forward(self, x: Tensor) -> Tensor:
        """(N, features) to (N, features, width)."""
        return x.unsqueeze(-1) * self.weight + self.bias


class PatchTokens(nn.Module):
    """Square patches through one linear map, plus learned positions (Dosovitskiy et al., arXiv 2010.11929)."""

    def __init__(self, shape: tuple[int, ...], patch: int, width: int, init: Init) -> None:
        super().__init__()
        channels, height, breadth = shape
        if height % patch or breadth % patch:
            common = ", ".join(str(p) for p in range(1, min(height, breadth) + 1) if height % p == breadth % p == 0)
            raise Unsupported(f"patch={patch} does not divide images of {height} by {breadth}; {common} do")
        self.count = (height // patch) * (breadth // patch)
        self.conv = Conv2d(channels, width, patch, patch, init, padding=0)
        self.positions = Tokens(self.count, width)

    def forward(self, x: Tensor) -> Tensor:
        """(N, channels, height, width) to (N, patches, token width)."""
        return self.conv(x).flatten(2).transpose(1, 2) + self.positions()


class StepTokens(nn.Module):
    """Each step through one linear map, plus learned positions: (N, steps, channels) to (N, steps, width)."""

    def __init__(self, shape: tuple[int, ...], width: int, init: Init) -> None:
        super().__init__()
        self.count = shape[0]
        self.linear = Linear(shape[1], width, init)
        self.positions = Tokens(shape[0], width)

    def forward(self, x: Tensor) -> Tensor:
        """(N, steps, channels) to (N, steps, width)."""
        return self.linear(x) + self.positions()


def _features(problem: Problem, options: TransformerOptions) -> FeatureTokens:
    return FeatureTokens(problem.shape[0], options.width, options.init)


def _patches(problem: Problem, options: TransformerOptions) -> PatchTokens:
    return PatchTokens(problem.shape, options.patch, options.width, options.init)


def _steps(problem: Problem, options: TransformerOptions) -> StepTokens:
    return StepTokens(problem.shape, options.width, options.init)


Tokenizer = FeatureTokens | PatchTokens | StepTokens
_BY_KIND: dict[InputKind, Callable[[Problem, TransformerOptions], Tokenizer]] = {
    "features": _features,
    "image": _patches,
    "sequence": _steps,
}


def tokenizer(problem: Problem, options: TransformerOptions) -> Tokenizer:
    """The tokenizer for that kind of input; its ``count`` is the number of tokens."""
    return _BY_KIND[problem.kind](problem, options)
