"""Options of the convolutional networks, checked without torch."""

from __future__ import annotations

from dataclasses import dataclass

from architectures.blocks.options import ActivationName, Init, NetworkOptions, Parameterization, check_positive


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
        check_positive(self, "stages", "width", "kernel")
        if self.kernel % 2 == 0:
            raise ValueError(f"kernel must be odd, not {self.kernel}")
