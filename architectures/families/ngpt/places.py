"""Where nGPT normalizes its vectors, in the words of norm schemes."""

from __future__ import annotations

from architectures.norms.placements import Placements, SiteRule

_OUT = ("block#.attn.out", "block#.mlp.out")
_RES = ("block#.attn.res", "block#.mlp.res")
_SITES = ("embed", "block#.attn.qk", *_OUT, *_RES)

NGPT = Placements(
    words=(
        ("first", SiteRule(("embed",))),
        ("last", SiteRule(_RES, "last")),
        ("post", SiteRule(_RES)),
        ("qk", SiteRule(("block#.attn.qk",))),
        ("all", SiteRule(_SITES)),
    ),
    numbered=None,
    sites=_SITES,
)
