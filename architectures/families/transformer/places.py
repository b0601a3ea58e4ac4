"""Where the transformers can be normalized, in the words of norm schemes."""

from __future__ import annotations

from architectures.norms.placements import SiteRule, residual

_QK = ("qk", SiteRule(("block#.attn.qk",)))

TRANSFORMER = residual("embed", "final", "block#.attn", "block#.mlp", more=(_QK,))
