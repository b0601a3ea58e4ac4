"""How a protocol is named where people read it, by its id alone: records outlive the version that made them."""

from __future__ import annotations

import re

_VARIANT = re.compile(r"\d+-.+")


def for_sensitivity(protocol: str) -> bool:
    """Whether it is a variant of a numbered protocol: ``2-sgd`` of ``2``. Such a one is never ranked with it."""
    return _VARIANT.fullmatch(protocol) is not None


def named(protocol: str) -> str:
    """``protocol 2``; ``protocol 2-sgd (for sensitivity)``."""
    return f"protocol {protocol}{' (for sensitivity)' * for_sensitivity(protocol)}"
