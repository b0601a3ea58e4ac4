"""Multilayer perceptrons, plain and residual."""

from __future__ import annotations

from torch import Tensor, nn

from architectures.blocks.activations import activation
from architectures.blocks.layers import Linear, limit
from architectures.blocks.residual import FeedForward, Residual
from architectures.families.mlp.options import MlpOptions, ResMlpOptions
from architectures.norms.site import Norm
from bench.core.problem import Problem


class Hidden(nn.Sequential):
    """``post(f(norm(W x + b)))``: the norm stands after the linear map and before the activation."""

    def __init__(self, fan_in: int, name: str, norm: Norm, options: MlpOptions) -> None:
        super().__init__()
        self.linear = Linear(fan_in, options.width, options.drawing)
        self.norm = norm(name, options.width)
        self.activation = activation(options.activation)
        self.post = norm(f"{name}.post", options.width)


class Flat(nn.Sequential):
    """Layers after one another, on the flattened input."""

    def forward(self, x: Tensor) -> Tensor:
        """(N, *shape) to (N, 1)."""
        x = x.flatten(1)
        for layer in self:
            x = layer(x)
        return x


class Mlp(Flat):
    """Linear maps with norms and activations between them: (N, *shape) to (N, 1).

    Sites: ``input``; ``hidden1`` ... ``hiddenL`` between linear map and activation; ``hidden1.post`` ... after it.
    """

    def __init__(self, problem: Problem, norm: Norm, options: MlpOptions) -> None:
        super().__init__()
        fans = [problem.size] + [options.width] * (options.depth - 1)
        self.input_norm = norm("input", problem.size)
        self.hidden = nn.Sequential(*(Hidden(fan, f"hidden{i + 1}", norm, options) for i, fan in enumerate(fans)))
        self.head = Linear(options.width, 1, options.drawing)
        self.limit = limit(options.clamp, problem.target_range)


class ResMlp(Flat):
    """A linear map, residual blocks, a linear head: (N, *shape) to (N, 1).

    Sites: ``embed`` on the stream before the blocks; ``block1.in|out|res`` ...; ``final`` before the head. As the
    ResNet of Gorishniy et al. (arXiv 2106.11959), with the norms left to the scheme.
    """

    def __init__(self, problem: Problem, norm: Norm, options: ResMlpOptions) -> None:
        super().__init__()
        self.embed = Linear(problem.size, options.width, options.drawing)
        self.embed_norm = norm("embed", options.width)
        self.blocks = nn.Sequential(*(self._block(f"block{i + 1}", norm, options) for i in range(options.depth)))
        self.final_norm = norm("final", options.width)
        self.head = Linear(options.width, 1, options.drawing)
        self.limit = limit(options.clamp, problem.target_range)

    @staticmethod
    def _block(name: str, norm: Norm, options: ResMlpOptions) -> Residual:
        hidden = options.ratio * options.width
        branch = FeedForward(options.width, hidden, options.activation, options.drawing)
        return Residual(branch, (options.width, options.width), name, norm)


def mlp(problem: Problem, norm: Norm, options: MlpOptions) -> nn.Module:
    """Build a plain multilayer perceptron."""
    return Mlp(problem, norm, options)


def resmlp(problem: Problem, norm: Norm, options: ResMlpOptions) -> nn.Module:
    """Build a residual multilayer perceptron."""
    return ResMlp(problem, norm, options)
