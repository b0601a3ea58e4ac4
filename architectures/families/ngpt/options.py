"""Options of nGPT, checked without torch."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Literal

from architectures.blocks.options import check_divides, check_positive


@dataclass(frozen=True)
class NgptOptions:
    """Options of nGPT.

    Args:
        depth: blocks of attention and MLP.
        width: channels of a token.
        heads: attention heads; they divide the width.
        ratio: hidden units of a block's gated MLP per channel.
        patch: side of an image patch in pixels; it divides height and width (images only).
        readout: ``mean`` over the tokens, or from a class token, ``cls``.
        alpha: the eigen learning rates at first: how far a block moves a token towards its answer.
        clamp: limit answers, not the training, to the range of the training targets.
    """

    depth: int = 2
    width: int = 64
    heads: int = 4
    ratio: int = 2
    patch: int = 4
    readout: Literal["mean", "cls"] = "mean"
    alpha: float = 0.05
    clamp: bool = False

    def __post_init__(self) -> None:
        check_positive(self, "depth", "width", "heads", "ratio", "patch")
        check_divides("heads", self.heads, "width", self.width)
        if not (math.isfinite(self.alpha) and 0 < self.alpha <= 1):
            raise ValueError(f"alpha must be in (0, 1], not {self.alpha}")
