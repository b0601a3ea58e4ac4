"""Convolutional networks over images or sequences, plain and residual."""

from __future__ import annotations

from collections.abc import Callable

from torch import Tensor, nn

from architectures.blocks.activations import activation
from architectures.blocks.layers import Conv1d, Conv2d, Linear, limit
from architectures.blocks.residual import Residual
from architectures.families.cnn.options import CnnOptions
from architectures.norms.site import Norm
from bench.core.problem import Problem

Convolve = Callable[..., Conv1d | Conv2d]


class ConvBlock(nn.Sequential):
    """``f(norm(conv(x)))`` over (N, channels, *space)."""

    def __init__(self, conv: nn.Module, name: str, norm: Norm, options: CnnOptions) -> None:
        super().__init__()
        self.conv = conv
        self.norm = norm(name, options.width, "first")
        self.activation = activation(options.activation)


Stage = Callable[[Convolve, str, Norm, CnnOptions], nn.Module]


def plain_stage(convolve: Convolve, name: str, norm: Norm, options: CnnOptions) -> nn.Module:
    """One convolution of stride 2, its norm, its activation. Site: ``name``."""
    conv = convolve(options.width, options.width, options.kernel, 2, options.drawing)
    return ConvBlock(conv, name, norm, options)


class ResidualStage(nn.Sequential):
    """``f(res(skip(x) + out(conv(f(mid(conv(in(x))))))))``, the first convolution and the skip of stride 2.

    With norms at ``mid`` and ``out`` it is the basic block of He et al. (arXiv 1512.03385) but for the norm on the
    skip; with norms at ``in`` the stream stays open, as in arXiv 1603.05027.
    Sites: ``name.in``, ``name.mid``, ``name.out``, ``name.res``.
    """

    def __init__(self, convolve: Convolve, name: str, norm: Norm, options: CnnOptions) -> None:
        super().__init__()
        width, kernel, drawing = options.width, options.kernel, options.drawing
        branch = nn.Sequential()
        branch.conv1 = convolve(width, width, kernel, 2, drawing)
        branch.norm = norm(f"{name}.mid", width, "first")
        branch.activation = activation(options.activation)
        branch.conv2 = convolve(width, width, kernel, 1, drawing)
        skip = convolve(width, width, 1, 2, drawing)
        self.residual = Residual(branch, (width, width), name, norm, "first", skip)
        self.activation = activation(options.activation)


class Cnn(nn.Module):
    """A stem, stages of stride 2, the mean over positions, a linear head: (N, *shape) to (N, 1).

    Images are (N, channels, height, width); sequences (N, steps, channels) are turned to channels first.
    Sites: ``stem`` between convolution and activation; those of the stages; ``head`` after pooling.
    """

    def __init__(self, problem: Problem, norm: Norm, options: CnnOptions, stage: Stage) -> None:
        super().__init__()
        self.steps_first = problem.kind == "sequence"
        channels = problem.shape[1] if self.steps_first else problem.shape[0]
        convolve: Convolve = Conv1d if self.steps_first else Conv2d
        stem = convolve(channels, options.width, options.kernel, 1, options.drawing)
        self.stem = ConvBlock(stem, "stem", norm, options)
        names = [f"stage{i + 1}" for i in range(options.stages)]
        self.stages = nn.Sequential(*(stage(convolve, name, norm, options) for name in names))
        self.head_norm = norm("head", options.width)
        self.head = Linear(options.width, 1, options.drawing)
        self.limit = limit(options.clamp, problem.target_range)

    def forward(self, x: Tensor) -> Tensor:
        """(N, *shape) to (N, 1)."""
        x = x.transpose(1, 2) if self.steps_first else x
        pooled = self.stages(self.stem(x)).flatten(2).mean(2)
        output: Tensor = self.limit(self.head(self.head_norm(pooled)))
        return output


def cnn(problem: Problem, norm: Norm, options: CnnOptions) -> nn.Module:
    """Build a plain convolutional network."""
    return Cnn(problem, norm, options, plain_stage)


def rescnn(problem: Problem, norm: Norm, options: CnnOptions) -> nn.Module:
    """Build a residual convolutional network."""
    return Cnn(problem, norm, options, ResidualStage)
