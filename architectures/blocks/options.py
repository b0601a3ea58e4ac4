"""Options of the built-in families: frozen dataclasses, checked without torch."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from architectures.norms.site import divisors

MOST_LAYERS = 10_000  # as modules, more take minutes to build, only to be counted
MOST_UNITS = 10_000_000  # beyond, sizes overflow before parameters can be counted

ActivationName = Literal["relu", "leaky_relu", "gelu", "silu", "tanh", "erf", "sine"]
Init = Literal["torch", "paper"]
Parameterization = Literal["standard", "ntk"]
Readout = Literal["mean", "cls"]


@dataclass(frozen=True)
class Drawing:
    """How a layer's parameters are drawn and enter its map.

    Args:
        init: ``torch`` (uniform, as ``torch.nn.Linear``) or ``paper`` (Kaiming normal, biases of deviation 0.1, as in
            arXiv 2505.14512).
        parameterization: ``standard``, or ``ntk`` (Jacot et al., arXiv 1806.07572): parameters have unit variance and
            their deviation multiplies them in the forward pass. The network at initialization is distributed as
            under ``standard``; what changes is how far a step of the optimizer moves it.
    """

    init: Init = "torch"
    parameterization: Parameterization = "standard"


class NetworkOptions:
    """What the options of every family share.

    ``activation``, ``init`` and ``parameterization`` (see :class:`Drawing`), and ``clamp``: limit the answers, not the
    training, to the range of the training targets.
    """

    activation: ActivationName
    init: Init
    parameterization: Parameterization
    clamp: bool

    @property
    def drawing(self) -> Drawing:
        """How the parameters are drawn."""
        return Drawing(self.init, self.parameterization)


@dataclass(frozen=True)
class MlpOptions(NetworkOptions):
    """Options of the multilayer perceptron.

    Args:
        depth: number of hidden layers.
        width: units of each hidden layer.
        activation: after each hidden layer.
        init, parameterization, clamp: see :class:`NetworkOptions`.
    """

    depth: int = 2
    width: int = 128
    activation: ActivationName = "relu"
    init: Init = "torch"
    parameterization: Parameterization = "standard"
    clamp: bool = False

    def __post_init__(self) -> None:
        _positive(self, "depth", "width")


@dataclass(frozen=True)
class ResMlpOptions(NetworkOptions):
    """Options of the residual multilayer perceptron.

    Args:
        depth: number of residual blocks.
        width: units of the residual stream.
        ratio: hidden units of a block per unit of the stream.
        activation: inside the blocks.
        init, parameterization, clamp: see :class:`NetworkOptions`.
    """

    depth: int = 2
    width: int = 128
    ratio: int = 1
    activation: ActivationName = "relu"
    init: Init = "torch"
    parameterization: Parameterization = "standard"
    clamp: bool = False

    def __post_init__(self) -> None:
        _positive(self, "depth", "width", "ratio")


@dataclass(frozen=True)
class CnnOptions(NetworkOptions):
    """Options of the convolutional networks: a stem, then stages that halve the resolution.

    Args:
        stages: stages of stride 2 after the stem.
        width: channels of every convolution.
        kernel: side of the kernels, odd.
        activation: after each convolution.
        init, parameterization, clamp: see :class:`NetworkOptions`.
    """

    stages: int = 3
    width: int = 32
    kernel: int = 3
    activation: ActivationName = "relu"
    init: Init = "torch"
    parameterization: Parameterization = "standard"
    clamp: bool = False

    def __post_init__(self) -> None:
        _positive(self, "stages", "width", "kernel")
        if self.kernel % 2 == 0:
            raise ValueError(f"kernel must be odd, not {self.kernel}")


@dataclass(frozen=True)
class TransformerOptions(NetworkOptions):
    """Options of the transformer encoder.

    Args:
        depth: blocks of attention and MLP.
        width: channels of a token.
        heads: attention heads; they divide the width.
        ratio: hidden units of a block's MLP per channel.
        patch: side of an image patch in pixels; it divides height and width (images only).
        readout: ``mean`` over the tokens, or from a class token, ``cls``.
        activation: of the blocks' MLPs.
        init, parameterization, clamp: see :class:`NetworkOptions`.
    """

    depth: int = 2
    width: int = 64
    heads: int = 4
    ratio: int = 2
    patch: int = 4
    readout: Readout = "mean"
    activation: ActivationName = "gelu"
    init: Init = "torch"
    parameterization: Parameterization = "standard"
    clamp: bool = False

    def __post_init__(self) -> None:
        _positive(self, "depth", "width", "heads", "ratio", "patch")
        _divide("heads", self.heads, "width", self.width)


@dataclass(frozen=True)
class DecoderOptions(NetworkOptions):
    """Options of the causal decoder, which answers from its last token.

    Args:
        depth: blocks of attention and MLP.
        width: channels of a token.
        heads: attention heads; they divide the width.
        ratio: hidden units of a block's MLP per channel.
        activation: of the blocks' MLPs.
        init, parameterization, clamp: see :class:`NetworkOptions`.
    """

    depth: int = 2
    width: int = 64
    heads: int = 4
    ratio: int = 2
    activation: ActivationName = "gelu"
    init: Init = "torch"
    parameterization: Parameterization = "standard"
    clamp: bool = False

    def __post_init__(self) -> None:
        _positive(self, "depth", "width", "heads", "ratio")
        _divide("heads", self.heads, "width", self.width)


@dataclass(frozen=True)
class FtTransformerOptions(NetworkOptions):
    """Options of FT-Transformer, which answers from a class token and gates its MLPs.

    Args:
        depth: blocks of attention and MLP.
        width: channels of a token.
        heads: attention heads; they divide the width.
        ratio: hidden units of a block's gated MLP per channel, rounded.
        activation: of the gates and before the head; ``relu`` makes the gates ReGLU, as published.
        init, parameterization, clamp: see :class:`NetworkOptions`.
    """

    depth: int = 2
    width: int = 64
    heads: int = 4
    ratio: float = 4 / 3
    activation: ActivationName = "relu"
    init: Init = "torch"
    parameterization: Parameterization = "standard"
    clamp: bool = False

    def __post_init__(self) -> None:
        _positive(self, "depth", "width", "heads")
        _divide("heads", self.heads, "width", self.width)
        if round(self.width * self.ratio) < 1:
            raise ValueError(f"ratio={self.ratio} leaves no hidden unit at width={self.width}")


def _positive(options: object, *names: str) -> None:
    for name in names:
        value = getattr(options, name)
        if value < 1:
            raise ValueError(f"{name} must be at least 1, not {value}")
        most = MOST_LAYERS if name in ("depth", "stages") else MOST_UNITS
        if value > most:
            raise ValueError(f"{name} must be at most {most:,}, not {value:,}")


def _divide(part: str, count: int, whole: str, size: int) -> None:
    if size % count:
        raise ValueError(f"{part}={count} does not divide {whole}={size}; {divisors(size)} do")
