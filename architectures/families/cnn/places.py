"""Where the convolutional networks can be normalized, in the words of norm schemes."""

from __future__ import annotations

from architectures.norms.placements import Placements, SiteRule, residual

_ALL = ("stem", "stage#", "head")

CNN = Placements(
    words=(("first", SiteRule(("stem",))), ("last", SiteRule(("head",))), ("all", SiteRule(_ALL))),
    numbered="stage#",
    sites=_ALL,
)

RES_CNN = residual("stem", "head", "stage#", more=(("branch", SiteRule(("stage#.mid", "stage#.out"))),))
