"""The convolutional network, over images or sequences."""

from __future__ import annotations

from torch import Tensor, nn

from architectures.layers import Conv1d, Conv2d, Linear, activation
from architectures.norms import Norm
from architectures.options import CnnOptions
from bench.core.problem import Problem


class ConvBlock(nn.Module):
    """``activation(norm(conv(x)))`` over (N, channels, *space)."""

    def __init__(
        self, problem: Problem, channels: int, stride: int, name: str, norm: Norm, options: CnnOptions
    ) -> None:
        super().__init__()
        conv = Conv2d if problem.kind == "image" else Conv1d
        self.conv = conv(channels, options.width, options.kernel, stride, options.init)
        self.norm = norm(name, options.width, "first")
        self.activation = activation(options.activation)

    def forward(self, x: Tensor) -> Tensor:
        """(N, channels, *space) to (N, width, *ceil(space / stride))."""
        return self.activation(self.norm(self.conv(x)))


class Cnn(nn.Module):
    """A stem, stages of stride 2, the mean over positions, a linear head: (N, *shape) to (N, 1).

    Images are (N, channels, height, width); sequences (N, steps, channels) are turned to channels first.
    Sites: ``stem``, ``stage1`` ... between convolution and activation; ``head`` after pooling.
    """

    def __init__(self, problem: Problem, norm: Norm, options: CnnOptions) -> None:
        super().__init__()
        self.steps_first = problem.kind == "sequence"
        channels = problem.shape[1] if self.steps_first else problem.shape[0]
        self.stem = ConvBlock(problem, channels, 1, "stem", norm, options)
        self.stages = nn.Sequential(
            *(ConvBlock(problem, options.width, 2, f"stage{i + 1}", norm, options) for i in range(options.stages))
        )
        self.head_norm = norm("head", options.width)
        self.head = Linear(options.width, 1, options.init)

    def forward(self, x: Tensor) -> Tensor:
        """(N, *shape) to (N, 1)."""
        x = x.transpose(1, 2) if self.steps_first else x
        pooled = self.stages(self.stem(x)).flatten(2).mean(2)
        return self.head(self.head_norm(pooled))


def cnn(problem: Problem, norm: Norm, options: CnnOptions) -> nn.Module:
    """Build a plain convolutional network."""
    return Cnn(problem, norm, options)
