"""How much memory a table may take."""

from __future__ import annotations

import os
from typing import Any

from bench.core.errors import InputError

MEMORY_SHARE = 0.25  # of this machine's memory that a table may take


def check_memory(needed: int, where: str) -> None:
    """Refuse a table that would take more than a quarter of this machine's memory."""
    available = memory_limit()
    if needed > available:
        what = f"a table of {needed / 2**30:.2g} GiB is too large for {available / 2**30:.2g} GiB of memory"
        raise InputError(what, where=where, hint="take a sample of its rows")


def memory_limit() -> float:
    """Bytes that a table may take: a share of this machine's memory."""
    return MEMORY_SHARE * memory()


def memory() -> float:
    """Bytes of memory of this machine; unlimited where it does not say."""
    names: dict[str, Any] = getattr(os, "sysconf_names", {})
    if not {"SC_PAGE_SIZE", "SC_PHYS_PAGES"} <= set(names):
        return float("inf")
    return float(os.sysconf("SC_PAGE_SIZE")) * float(os.sysconf("SC_PHYS_PAGES"))
