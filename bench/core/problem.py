"""What an architecture may know of a task: kind, shape and radius of the input, and what is asked of it."""

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
    """The outside of a regression problem with one target, or with one at each step of a sequence.

    Args:
        kind: ``features`` (a table's row), ``image`` or ``sequence``.
        shape: shape of one input: ``(features,)``, ``(channels, height, width)`` or ``(steps, channels)``.
        target_range: least and greatest standardized training target ``z`` (for ``clamp``).
        radius: R, the 99th percentile of the size of standardized training inputs (for pairs such as ``clip@input``).
        lengths: of a sequence, the other numbers of steps that are asked for; ``shape`` has that of training.
        each_step: a sequence is answered at each of its steps, (N, steps), instead of once, (N, 1).
        causal: the answer at a step may depend on that step and those before it alone.
    """

    kind: InputKind
    shape: tuple[int, ...]
    target_range: tuple[float, float] = (-1.0, 1.0)
    radius: float = 1.0
    lengths: tuple[int, ...] = ()
    each_step: bool = False
    causal: bool = False

    def __post_init__(self) -> None:
        if self.kind not in INPUT_KINDS:
            raise ValueError(f"kind must be one of {', '.join(INPUT_KINDS)}, not {self.kind!r}")
        if len(self.shape) != _DIMENSIONS[self.kind] or min(self.shape) < 1:
            raise ValueError(f"{self.kind} need {_DIMENSIONS[self.kind]} positive sizes, not {self.shape}")
        if not self.target_range[0] <= self.target_range[1]:
            raise ValueError(f"target_range must be (least, greatest), not {self.target_range}")
        if not 0 < self.radius < math.inf:
            raise ValueError(f"radius must be positive, not {self.radius}")
        if self.kind != "sequence" and (self.lengths or self.each_step or self.causal):
            raise ValueError("only sequences have other lengths, or an answer at each step")
        if self.each_step and self.shape[0] < 2:
            raise ValueError("an answer at each step needs two steps at least")
        if self.causal and not self.each_step:
            raise ValueError("only answers at each step can be causal")

    @property
    def answers(self) -> int:
        """Numbers in one answer, at the length of training."""
        return self.shape[0] if self.each_step else 1

    @property
    def size(self) -> int:
        """Numbers in one input."""
        total = 1
        for length in self.shape:
            total *= length
        return total
