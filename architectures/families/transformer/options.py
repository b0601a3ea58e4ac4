"""Options of the transformers, checked without torch."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from architectures.blocks.options import (
    ActivationName,
    Init,
    NetworkOptions,
    Parameterization,
    check_divides,
    check_positive,
)

Readout = Literal["mean", "cls"]
Positions = Literal["learned", "none", "sinusoidal", "rope", "alibi"]


class StepPositions:
    """What follows for sequences from how tokens are told where they stand."""

    positions: Positions
    width: int
    heads: int

    @property
    def any_length(self) -> bool:
        """Learned positions are as many as there were steps in training; all others know any number."""
        return self.positions != "learned"

    @property
    def fixed_length(self) -> str:
        """Why there is one length alone, and what has any."""
        return "" if self.any_length else "positions=none, sinusoidal, rope or alibi takes any length"

    def check_positions(self) -> None:
        """Check that rope finds pairs of channels.

        Raises:
            ValueError: a head has an odd number of them.
        """
        if self.positions == "rope" and self.width // self.heads % 2:
            raise ValueError(f"positions=rope turns pairs of channels, and a head has {self.width // self.heads}")


@dataclass(frozen=True)
class TransformerOptions(StepPositions, NetworkOptions):
    """Options of the transformer encoder.

    Args:
        depth: blocks of attention and MLP.
        width: channels of a token.
        heads: attention heads; they divide the width.
        ratio: hidden units of a block's MLP per channel.
        patch: side of an image patch in pixels; it divides height and width (images only).
        readout: ``mean`` over the tokens, or from a class token, ``cls``; where a task asks for an answer at each step,
            every token gives its own.
        positions: of the steps (sequences only); see :mod:`architectures.families.transformer.positions`.
        activation: of the blocks' MLPs.
        init, parameterization, clamp: see :class:`NetworkOptions`.
    """

    depth: int = 2
    width: int = 64
    heads: int = 4
    ratio: int = 2
    patch: int = 4
    readout: Readout = "mean"
    positions: Positions = "learned"
    activation: ActivationName = "gelu"
    init: Init = "torch"
    parameterization: Parameterization = "standard"
    clamp: bool = False

    def __post_init__(self) -> None:
        check_positive(self, "depth", "width", "heads", "ratio", "patch")
        check_divides("heads", self.heads, "width", self.width)
        self.check_positions()


@dataclass(frozen=True)
class DecoderOptions(StepPositions, NetworkOptions):
    """Options of the causal decoder, which answers from its last token, or at each where a task asks for that.

    Args:
        depth: blocks of attention and MLP.
        width: channels of a token.
        heads: attention heads; they divide the width.
        ratio: hidden units of a block's MLP per channel.
        positions: of the steps; see :mod:`architectures.families.transformer.positions`.
        activation: of the blocks' MLPs.
        init, parameterization, clamp: see :class:`NetworkOptions`.
    """

    depth: int = 2
    width: int = 64
    heads: int = 4
    ratio: int = 2
    positions: Positions = "learned"
    activation: ActivationName = "gelu"
    init: Init = "torch"
    parameterization: Parameterization = "standard"
    clamp: bool = False

    def __post_init__(self) -> None:
        check_positive(self, "depth", "width", "heads", "ratio")
        check_divides("heads", self.heads, "width", self.width)
        self.check_positions()


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
        check_positive(self, "depth", "width", "heads")
        check_divides("heads", self.heads, "width", self.width)
        if round(self.width * self.ratio) < 1:
            raise ValueError(f"ratio={self.ratio} leaves no hidden unit at width={self.width}")
