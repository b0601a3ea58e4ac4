"""Where the multilayer perceptrons can be normalized, in the words of norm schemes."""

from __future__ import annotations

from architectures.norms.placements import Placements, SiteRule, residual

_HIDDEN = ("hidden#",)

MLP = Placements(
    words=(("first", SiteRule(_HIDDEN, "first")), ("last", SiteRule(_HIDDEN, "last")), ("all", SiteRule(_HIDDEN))),
    numbered="hidden#",
    sites=("input", "hidden#", "hidden#.post"),
)

RES_MLP = residual("embed", "final", "block#")
