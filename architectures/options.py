"""Options of the built-in families: frozen dataclasses, checked without torch."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

ActivationName = Literal["relu", "leaky_relu", "gelu", "silu", "tanh", "erf", "sine"]
Init = Literal["torch", "paper"]
Readout = Literal["mean", "cls"]


def _positive(options: object, *names: str) -> None:
    for name in names:
        if getattr(options, name) < 1:
            raise ValueError(f"{name} must be at least 1, not {getattr(options, name)}")


@dataclass(frozen=True)
class MlpOptions:
    """Options of the multilayer perceptron.

    Args:
        depth: number of hidden layers.
        width: units of each hidden layer.
        activation: applied after each hidden layer.
        init: ``torch`` (uniform, as ``torch.nn.Linear``) or ``paper`` (Kaiming normal, biases of deviation 0.1).
    """

    depth: int = 2
    width: int = 128
    activation: ActivationName = "relu"
    init: Init = "torch"

    def __post_init__(self) -> None:
        _positive(self, "depth", "width")


@dataclass(frozen=True)
class CnnOptions:
    """Options of the convolutional network: a stem, then stages that halve the resolution.

    Args:
        stages: convolutions of stride 2 after the stem.
        width: channels of every convolution.
        kernel: side of the kernels, odd.
        activation: applied after each convolution.
        init: see :class:`MlpOptions`.
    """

    stages: int = 3
    width: int = 32
    kernel: int = 3
    activation: ActivationName = "relu"
    init: Init = "torch"

    def __post_init__(self) -> None:
        _positive(self, "stages", "width", "kernel")
        if self.kernel % 2 == 0:
            raise ValueError(f"kernel must be odd, not {self.kernel}")


@dataclass(frozen=True)
class TransformerOptions:
    """Options of the transformer encoder.

    Args:
        depth: blocks of attention and MLP.
        width: channels of a token.
        heads: attention heads; they divide the width.
        ratio: hidden units of a block's MLP per channel.
        patch: side of an image patch, in pixels; it divides height and width (images only).
        readout: ``mean`` over the tokens or a class token, ``cls``.
        activation: of the blocks' MLPs.
        init: see :class:`MlpOptions`.
    """

    depth: int = 2
    width: int = 64
    heads: int = 4
    ratio: int = 2
    patch: int = 4
    readout: Readout = "mean"
    activation: ActivationName = "gelu"
    init: Init = "torch"

    def __post_init__(self) -> None:
        _positive(self, "depth", "width", "heads", "ratio", "patch")
        divide("heads", self.heads, "width", self.width)


def divide(part: str, count: int, whole: str, size: int) -> None:
    """Check that ``count`` divides ``size``; the message names the counts that do.

    Raises:
        ValueError: it does not.
    """
    if size % count:
        raise ValueError(f"{part}={count} does not divide {whole}={size}; {divisors(size)} do")


def divisors(size: int) -> str:
    """The divisors of ``size`` in words."""
    return ", ".join(str(d) for d in range(1, min(size, 4096) + 1) if size % d == 0)
