"""What the options of the built-in families share, and the checks of their sizes; without torch."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from architectures.norms.site import divisors

MOST_LAYERS = 10_000  # as modules, more take minutes to build, only to be counted
MOST_UNITS = 10_000_000  # beyond, sizes overflow before parameters can be counted

ActivationName = Literal["relu", "leaky_relu", "gelu", "silu", "tanh", "erf", "sine"]
Init = Literal["torch", "paper"]
Parameterization = Literal["standard", "ntk"]


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


def check_positive(options: object, *names: str) -> None:
    """Check that the fields ``names`` are at least 1, and not so large that nothing could be built.

    Raises:
        ValueError: one is not.
    """
    for name in names:
        value = getattr(options, name)
        if value < 1:
            raise ValueError(f"{name} must be at least 1, not {value}")
        most = MOST_LAYERS if name in ("depth", "stages") else MOST_UNITS
        if value > most:
            raise ValueError(f"{name} must be at most {most:,}, not {value:,}")


def check_divides(part: str, count: int, whole: str, size: int) -> None:
    """Check that ``count`` (the option ``part``) divides ``size`` (the option ``whole``).

    Raises:
        ValueError: it does not; the divisors are named.
    """
    if size % count:
        raise ValueError(f"{part}={count} does not divide {whole}={size}; {divisors(size)} do")
