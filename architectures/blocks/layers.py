"""Layers of the built-in families: each draws its parameters by name, so that no layer's draw depends on another's."""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor, nn

from architectures.blocks.options import Drawing
from bench.core.seeding import seed_from

Draw = Callable[[str], torch.Generator]
"""Gives the generator of one of a layer's parameters by its name."""


class Drawn(nn.Module, ABC):
    """A layer that draws its own parameters."""

    @abstractmethod
    def draw(self, generator: Draw) -> None:
        """Fill every parameter of this layer from ``generator(parameter name)``, in place."""


def initialize(module: nn.Module, seed: int) -> None:
    """Draw the parameters of every :class:`Drawn` layer in ``module``; each depends on ``seed`` and its name alone."""
    for path, layer in module.named_modules():
        if isinstance(layer, Drawn):
            _draw_layer(layer, path, seed)


def _draw_layer(layer: Drawn, path: str, seed: int) -> None:
    def generator(name: str) -> torch.Generator:
        return torch.Generator().manual_seed(seed_from(seed, f"{path}.{name}" if path else name))

    with torch.no_grad():
        layer.draw(generator)


class Affine(Drawn):
    """A layer with a weight and a bias that see ``fan_in`` inputs each.

    Deviations of weight and bias: ``torch`` 1/√(3 fan_in) both, uniform (the default of ``torch.nn.Linear`` and
    ``Conv``: Kaiming uniform with a = √5); ``paper`` √(2/fan_in) (He et al., arXiv 1502.01852) and 0.1, normal, as in
    arXiv 2505.14512. Under ``ntk`` the parameters are drawn with deviation 1 and multiplied by these in the forward
    pass.
    """

    weight: Any  # a parameter; torch's own layers declare it as they please
    bias: Any
    drawing: Drawing
    weight_factor: float
    bias_factor: float
    fan_in: int

    def prepare(self, fan_in: int, drawing: Drawing) -> None:
        """Set how this layer is drawn and scaled."""
        self.fan_in, self.drawing = fan_in, drawing
        ntk = drawing.parameterization == "ntk"
        self.weight_factor, self.bias_factor = self._deviations() if ntk else (1.0, 1.0)

    def draw(self, generator: Draw) -> None:
        """Draw weight and bias."""
        for name, deviation, factor in zip(
            ("weight", "bias"), self._deviations(), (self.weight_factor, self.bias_factor), strict=True
        ):
            parameter, spread = getattr(self, name), deviation / factor
            if self.drawing.init == "torch":
                bound = math.sqrt(3) * spread
                parameter.uniform_(-bound, bound, generator=generator(name))
            else:
                parameter.normal_(0, spread, generator=generator(name))

    def scaled(self) -> tuple[Tensor, Tensor]:
        """Weight and bias as they enter the map."""
        if self.drawing.parameterization == "standard":
            return self.weight, self.bias
        return self.weight * self.weight_factor, self.bias * self.bias_factor

    def _deviations(self) -> tuple[float, float]:
        uniform = 1 / math.sqrt(3 * self.fan_in)
        return (uniform, uniform) if self.drawing.init == "torch" else (math.sqrt(2 / self.fan_in), 0.1)


class Linear(nn.Linear, Affine):
    """``x Wᵀ + b``: (..., in_features) to (..., out_features)."""

    def __init__(self, in_features: int, out_features: int, drawing: Drawing) -> None:
        super().__init__(in_features, out_features)
        self.prepare(in_features, drawing)

    def forward(self, x: Tensor) -> Tensor:
        """(..., in_features) to (..., out_features)."""
        return nn.functional.linear(x, *self.scaled())


class Conv1d(nn.Conv1d, Affine):
    """Convolution over (N, channels, steps), padded so that stride 1 keeps the steps."""

    def __init__(self, channels: int, width: int, kernel: int, stride: int, drawing: Drawing) -> None:
        super().__init__(channels, width, kernel, stride, padding=kernel // 2)
        self.prepare(channels * kernel, drawing)

    def forward(self, x: Tensor) -> Tensor:
        """(N, channels, steps) to (N, width, ceil(steps / stride))."""
        y: Tensor = self._conv_forward(x, *self.scaled())
        return y


class Conv2d(nn.Conv2d, Affine):
    """Convolution over (N, channels, height, breadth), padded so that stride 1 keeps the sides, or not padded."""

    def __init__(
        self, channels: int, width: int, kernel: int, stride: int, drawing: Drawing, padded: bool = True
    ) -> None:
        super().__init__(channels, width, kernel, stride, padding=kernel // 2 if padded else 0)
        self.prepare(channels * kernel**2, drawing)

    def forward(self, x: Tensor) -> Tensor:
        """(N, channels, height, breadth) to (N, width, ceil(height / stride), ceil(breadth / stride))."""
        y: Tensor = self._conv_forward(x, *self.scaled())
        return y


class Tokens(Drawn):
    """Learned tokens or positions, (count, width), drawn from N(0, deviation²) in any parameterization."""

    def __init__(self, count: int, width: int, deviation: float = 0.02) -> None:
        super().__init__()
        self.deviation = deviation
        self.weight = nn.Parameter(torch.zeros(count, width))

    def draw(self, generator: Draw) -> None:
        """Draw the tokens."""
        self.weight.normal_(0, self.deviation, generator=generator("weight"))

    def forward(self) -> Tensor:
        """The tokens, (count, width)."""
        return self.weight


class Clamp(nn.Module):
    """Limits answers to [low, high] in evaluation.

    In training it does nothing: a limit there would take the gradient from just those rows that need it.
    """

    def __init__(self, low: float, high: float) -> None:
        super().__init__()
        self.low, self.high = low, high

    def forward(self, x: Tensor) -> Tensor:
        """Any shape to the same."""
        return x if self.training else x.clamp(self.low, self.high)


def limit(clamp: bool, target_range: tuple[float, float]) -> nn.Module:
    """A :class:`Clamp` to the range of the training targets, or an identity."""
    return Clamp(*target_range) if clamp else nn.Identity()
