"""Activations and what is known of them: how they grow, how steep they are, where they turn."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from architectures.blocks.options import ActivationName


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
    """An activation f.

    Args:
        make: makes a module of it.
        type: the class of that module.
        exponent: e such that ``|f(x)|`` grows like ``|x|^e`` in its faster direction.
        lipschitz: an upper bound of ``|f'|``.
        turns: where f' changes sign; empty for a monotone f, None where f oscillates between -1 and 1.
    """

    make: Callable[[], nn.Module]
    type: type[nn.Module]
    exponent: int
    lipschitz: float
    turns: tuple[float, ...] | None = ()


# The largest slopes of GELU and SiLU and the places of their minima are the roots of f'' and f', rounded away from
# the safe side by less than 1e-6; the tests find them again.
ACTIVATIONS: dict[ActivationName, Activation] = {
    "relu": Activation(nn.ReLU, nn.ReLU, 1, 1.0),
    "leaky_relu": Activation(nn.LeakyReLU, nn.LeakyReLU, 1, 1.0),
    "gelu": Activation(nn.GELU, nn.GELU, 1, 1.128905, (-0.7517916,)),
    "silu": Activation(nn.SiLU, nn.SiLU, 1, 1.099840, (-1.2784645,)),
    "tanh": Activation(nn.Tanh, nn.Tanh, 0, 1.0),
    "erf": Activation(Erf, Erf, 0, 2 / math.sqrt(math.pi)),
    "sine": Activation(Sine, Sine, 0, 1.0, None),
}


def activation(name: ActivationName) -> nn.Module:
    """A new module of that activation."""
    return ACTIVATIONS[name].make()
