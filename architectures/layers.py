"""Layers of the built-in families: each draws its parameters by name, so that no layer's draw depends on another's."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from architectures.options import ActivationName, Init
from bench.core.seeding import seed_from

Draw = Callable[[str], torch.Generator]
"""Gives the generator of one of a layer's parameters by its name."""


class Drawn(nn.Module):
    """A layer that draws its own parameters."""

    def draw(self, generator: Draw) -> None:
        """Fill every parameter of this layer from ``generator(parameter name)``, in place."""
        raise NotImplementedError


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


def draw_linear(weight: Tensor, bias: Tensor | None, fan_in: int, init: Init, generator: Draw) -> None:
    """Draw a linear map of ``fan_in`` inputs.

    ``torch``: both uniform on ±1/√fan_in, the default of ``torch.nn.Linear`` and ``Conv`` (Kaiming uniform with
    a = √5). ``paper``: weights N(0, 2/fan_in) (He et al., arXiv 1502.01852), biases N(0, 0.1²), as in arXiv 2505.14512.
    """
    bound = 1 / math.sqrt(fan_in)
    if init == "torch":
        weight.uniform_(-bound, bound, generator=generator("weight"))
    else:
        weight.normal_(0, math.sqrt(2 / fan_in), generator=generator("weight"))
    if bias is None:
        return
    if init == "torch":
        bias.uniform_(-bound, bound, generator=generator("bias"))
    else:
        bias.normal_(0, 0.1, generator=generator("bias"))


class Linear(nn.Linear, Drawn):
    """``x Wᵀ + b``: (..., in_features) to (..., out_features)."""

    def __init__(self, in_features: int, out_features: int, init: Init) -> None:
        self.init = init
        super().__init__(in_features, out_features)

    def draw(self, generator: Draw) -> None:
        """Draw weight and bias; fan-in is ``in_features``."""
        draw_linear(self.weight, self.bias, self.in_features, self.init, generator)


class Conv1d(nn.Conv1d, Drawn):
    """Convolution over (N, channels, steps), padded to ceil(steps / stride)."""

    def __init__(self, channels: int, width: int, kernel: int, stride: int, init: Init) -> None:
        self.init = init
        super().__init__(channels, width, kernel, stride, padding=kernel // 2)

    def draw(self, generator: Draw) -> None:
        """Draw weight and bias; fan-in is channels times kernel."""
        draw_linear(self.weight, self.bias, self.weight[0].numel(), self.init, generator)


class Conv2d(nn.Conv2d, Drawn):
    """Convolution over (N, channels, height, width), padded to ceil(side / stride)."""

    def __init__(self, channels: int, width: int, kernel: int, stride: int, init: Init, padding: int | None = None):
        self.init = init
        super().__init__(channels, width, kernel, stride, padding=kernel // 2 if padding is None else padding)

    def draw(self, generator: Draw) -> None:
        """Draw weight and bias; fan-in is channels times kernel squared."""
        draw_linear(self.weight, self.bias, self.weight[0].numel(), self.init, generator)


class Tokens(Drawn):
    """Learned tokens or positions, (count, width), drawn from N(0, deviation²)."""

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


class Erf(nn.Module):
    """The error function, elementwise."""

    def forward(self, x: Tensor) -> Tensor:
        """Any shape to the same."""
        return torch.erf(x)


class Sine(nn.Module):
    """The sine, elementwise (Sitzmann et al., arXiv 2006.09661, without its frequency factor)."""

    def forward(self, x: Tensor) -> Tensor:
        """Any shape to the same."""
        return torch.sin(x)


@dataclass(frozen=True)
class Activation:
    """An activation and how it grows: ``exponent`` e means ``|f(x)| ~ |x|^e`` in its faster direction."""

    make: Callable[[], nn.Module]
    exponent: int


ACTIVATIONS: dict[ActivationName, Activation] = {
    "relu": Activation(nn.ReLU, 1),
    "leaky_relu": Activation(nn.LeakyReLU, 1),
    "gelu": Activation(nn.GELU, 1),
    "silu": Activation(nn.SiLU, 1),
    "tanh": Activation(nn.Tanh, 0),
    "erf": Activation(Erf, 0),
    "sine": Activation(Sine, 0),
}


def activation(name: ActivationName) -> nn.Module:
    """A new module of that activation."""
    return ACTIVATIONS[name].make()
