"""How a worker gets its memory from the system and gives it back."""

from __future__ import annotations

import contextlib
import ctypes
import os
from collections.abc import Iterator

_TRIM_THRESHOLD, _MMAP_THRESHOLD = -1, -3  # parameters of glibc's mallopt
_KEPT = 2**30
_LARGEST = 2**25  # the most that glibc accepts


def keep_freed_memory() -> None:
    """Let the C library keep up to a gigabyte of freed memory for the next training step.

    By default it hands large pieces back each time they are freed, and the system clears every page again when the next
    step asks for them: up to a tenth of a step's time. Where the C library is not glibc, nothing happens.
    """
    with contextlib.suppress(OSError, AttributeError):
        mallopt = ctypes.CDLL(None).mallopt
        mallopt(_MMAP_THRESHOLD, _LARGEST)
        mallopt(_TRIM_THRESHOLD, _KEPT)


_TUNABLES, _LARGE_PAGES = "GLIBC_TUNABLES", "glibc.malloc.hugetlb"


@contextlib.contextmanager
def in_large_pages() -> Iterator[None]:
    """Processes that are started inside ask for memory in pages of two megabytes, where Linux gives them on request.

    A training step walks through tens of megabytes, and looking up small pages takes up to a tenth of its time. A
    setting of the user's stands; where the C library is not glibc, nothing happens.
    """
    before = os.environ.get(_TUNABLES)
    if _LARGE_PAGES not in (before or ""):
        os.environ[_TUNABLES] = ":".join(filter(None, (before, f"{_LARGE_PAGES}=1")))
    try:
        yield
    finally:
        os.environ.pop(_TUNABLES, None)
        if before is not None:
            os.environ[_TUNABLES] = before
