"""How a worker's memory is given back to the system."""

from __future__ import annotations

import contextlib
import ctypes

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
