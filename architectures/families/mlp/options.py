"""Options of the multilayer perceptrons, checked without torch."""

from __future__ import annotations

from dataclasses import dataclass

from architectures.blocks.options import ActivationName, Init, NetworkOptions, Parameterization, check_positive


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
        check_positive(self, "depth", "width")


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
        check_positive(self, "depth", "width", "ratio")
