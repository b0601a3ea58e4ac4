"""RevIN: each instance normalized by its own mean and deviation, and the answer put back on its scale."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

from architectures.norms.options import WithEps
from architectures.norms.registry import register_norm
from architectures.norms.site import Frame
from bench.core.errors import Unsupported

if TYPE_CHECKING:
    from torch import nn


@dataclass(frozen=True)
class Revin(WithEps):
    """Reversible instance normalization (Kim et al., ICLR 2022): ``sd (g(gain (x - mean) / sd + shift) - shift) / gain
    + mean``.

    Mean and deviation of each instance: of a sequence over its steps for each channel, of a table over its features,
    as if they were the steps of one channel. ``channel``, counted from 1, is the one on whose scale the answer is put
    back. ``affine`` adds a learned gain and shift per channel.

    FarField standardizes inputs and targets apart, and the paper puts the answer back on the scale of its input.
    ``units`` adds a learned scale and offset of the answer, at first 1 and 0, which turn the one scale into the other.
    """

    channel: int = 1
    units: bool = True

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.channel < 1:
            raise ValueError(f"channel must be at least 1, not {self.channel}")


@register_norm(
    "revin",
    sort="pair",
    options=Revin,
    summary="reversible instance norm: mean and deviation of each instance taken out, and put back on the answer",
    citation="Kim, Kim, Tae, Park, Choi and Choo, Reversible Instance Normalization, ICLR 2022",
    growth="bounds",
    growth_back="raises",
)
def revin(frame: Frame, options: Revin) -> nn.Module:
    """The way in bounds; the way out multiplies by the deviation and adds the mean."""
    from architectures.norms.modules.revin import RevIn

    if frame.kind not in ("sequence", "features"):
        raise Unsupported(f"revin reads sequences and tables, not {frame.kind}", code="input_kind")
    channels = frame.shape[-1] if frame.kind == "sequence" else 1
    entries = math.prod(frame.shape) // channels
    if entries < 3:
        what = ("step" if frame.kind == "sequence" else "feature") + ("s" if entries > 1 else "")
        raise Unsupported(
            f"revin would be over {entries} {what} (over 1 it is a constant and over 2 it is +-1); at least 3",
            code="degenerate_norm",
        )
    if options.channel > channels:
        raise Unsupported(f"revin(channel={options.channel}) of {channels} channels", code="no_such_site")
    units = options.units and frame.back
    return RevIn(channels, options.channel - 1, frame.kind == "sequence", options.eps, options.affine, units)
