"""Where the transformers can be normalized, in the words of norm schemes."""

from __future__ import annotations

from architectures.norms.placements import SiteRule, residual

_QK = ("qk", SiteRule(("block#.attn.qk",)))
_INSIDE = ("block#.attn.in", "block#.mlp.in", "block#.attn.out", "block#.mlp.out")
_PERI = ("peri", SiteRule(("embed", *_INSIDE, "final")))  # Kim et al., arXiv 2502.02732

TRANSFORMER = residual("embed", "final", "block#.attn", "block#.mlp", more=(_PERI, _QK))
