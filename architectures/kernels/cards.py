"""Cards and options of the kernel estimators. Importing this loads no numerical library, so that lists are quick."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from architectures.families.mlp.places import MLP
from architectures.registry import register_estimator


@dataclass(frozen=True)
class KernelOptions:
    """Options of ``ntk`` and ``nngp``.

    Args:
        depth: hidden layers of the network of infinite width.
        activation: after each of them; leaky_relu has slope 0.01.
        weight_std: deviation of weights, times √fan_in.
        bias_std: deviation of biases.
        jitter: added to the diagonal of the kernel matrix, in units of its mean; None chooses the value from 1e-8 to 1
            with the least validation error, which is no longer training for ever.
    """

    depth: int = 3
    activation: Literal["relu", "leaky_relu", "erf", "gelu", "identity"] = "relu"
    weight_std: float = 2**0.5
    bias_std: float = 0.1
    jitter: float | None = 1e-8

    def __post_init__(self) -> None:
        if self.depth < 1:
            raise ValueError(f"depth must be at least 1, not {self.depth}")
        if self.weight_std <= 0:
            raise ValueError(f"weight_std must be positive, not {self.weight_std}")
        if self.bias_std < 0:
            raise ValueError(f"bias_std must be at least 0, not {self.bias_std}")
        if self.jitter is not None and self.jitter <= 0:
            raise ValueError(f"jitter must be positive or none, not {self.jitter}")


register_estimator(
    "ntk",
    build="architectures.kernels.estimators:ntk",
    options=KernelOptions,
    placements=MLP,
    family="kernel",
    summary="multilayer perceptron of infinite width, every layer trained for ever: tangent-kernel regression, exact",
    citation="Jacot, Gabriel and Hongler, arXiv 1806.07572",
)

register_estimator(
    "nngp",
    build="architectures.kernels.estimators:nngp",
    options=KernelOptions,
    placements=MLP,
    family="kernel",
    summary="multilayer perceptron of infinite width, its read-out trained for ever: a Gaussian process, exact",
    citation="Lee et al., arXiv 1711.00165",
)
