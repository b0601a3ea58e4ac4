"""What an architecture may know of a task: kind, shape and radius of the input, and the range of the targets."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Literal, get_args

InputKind = Literal["features", "image", "sequence"]
INPUT_KINDS: tuple[InputKind, ...] = get_args(InputKind)
MAX_PARAMETERS = 200_000_000
"""Of a network, unless somebody asks for more. The limit is the machine's, not the science's."""
_DIMENSIONS: dict[InputKind, int] = {"features": 1, "image": 3, "sequence": 2}


@dataclass(frozen=True)
class Problem:
    """The outside of a regression problem with one target.

    Args:
        kind: ``features`` (a table's row), ``image`` or ``sequence``.
        shape: shape of one input: ``(features,)``, ``(channels, height, width)`` or ``(steps, channels)``.
        target_range: least and greatest standardized training target ``z`` (for ``clamp``).
        radius: R, the 99th percentile of the size of standardized training inputs (for pairs such as ``clip@input``).
    """

    kind: InputKind
    shape: tuple[int, ...]
    target_range: tuple[float, float] = (-1.0, 1.0)
    radius: float = 1.0

    def __post_init__(self) -> None:
        if self.kind not in INPUT_KINDS:
            raise ValueError(f"kind must be one of {', '.join(INPUT_KINDS)}, not {self.kind!r}")
        if len(self.shape) != _DIMENSIONS[self.kind] or min(self.shape) < 1:
            raise ValueError(f"{self.kind} need {_DIMENSIONS[self.kind]} positive sizes, not {self.shape}")
        if not self.target_range[0] <= self.target_range[1]:
            raise ValueError(f"target_range must be (least, greatest), not {self.target_range}")
        if not 0 < self.radius < math.inf:
            raise ValueError(f"radius must be positive, not {self.radius}")

    @property
    def size(self) -> int:
        """Numbers in one input."""
        total = 1
        for length in self.shape:
            total *= length
        return total
