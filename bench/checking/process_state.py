"""What a well-behaved file leaves alone: the global state of its process."""

from __future__ import annotations

import os
import random
import resource
import signal
import sys
import threading
from collections.abc import Collection
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch

GENERATORS = ("torch's generator", "numpy's generator", "Python's generator")


@dataclass(frozen=True)
class ProcessState:
    """The state of the process, by name.

    The environment and the warning filters are left out: libraries change them when they are imported.
    """

    state: dict[str, object]

    @classmethod
    def now(cls) -> ProcessState:
        """As it is."""
        handlers = [signal.getsignal(number) for number in sorted(signal.valid_signals())]
        return cls(
            {
                "torch's generator": torch.random.get_rng_state().numpy().tobytes(),
                "numpy's generator": str(np.random.get_state()),  # noqa: NPY002
                "Python's generator": random.getstate(),
                "the default dtype": torch.get_default_dtype(),
                "the default device": str(torch.get_default_device()),
                "the number of torch threads": torch.get_num_threads(),
                "the gradient mode": torch.is_grad_enabled(),
                "the deterministic mode": torch.are_deterministic_algorithms_enabled(),
                "how numpy treats overflow": tuple(sorted(np.geterr().items())),
                "the working folder": str(Path.cwd()),
                "the signal handlers": handlers,
                "stdout, stderr or the hooks of sys": (
                    id(sys.stdout),
                    id(sys.stderr),
                    id(sys.excepthook),
                    id(sys.displayhook),
                ),
                "the recursion limit": sys.getrecursionlimit(),
                "running threads": sorted(t.name for t in threading.enumerate()),
                "child processes": sorted(_children()),
            }
        )

    def differs_from(self, before: ProcessState, but: Collection[str] = ()) -> list[str]:
        """Names of what is not as it was, ``but`` some; threads and processes that have ended are no difference."""
        changed = []
        for name, value in self.state.items():
            if name in but:
                continue
            earlier = before.state[name]
            if isinstance(value, list) and name in ("running threads", "child processes"):
                left = [str(item) for item in value if item not in earlier]  # type: ignore[operator]
                if left:
                    changed.append(f"{name} ({', '.join(left[:3])})")
            elif value != earlier:
                changed.append(name)
        return changed


def limit_memory(more: int) -> None:
    """Let this process take ``more`` bytes of address space beyond what it has, where the system can say how much."""
    try:
        pages = int(Path("/proc/self/statm").read_text().split()[0])
    except OSError:
        return
    most = pages * os.sysconf("SC_PAGE_SIZE") + more
    hard = resource.getrlimit(resource.RLIMIT_AS)[1]
    resource.setrlimit(resource.RLIMIT_AS, (most if hard == resource.RLIM_INFINITY else min(most, hard), hard))


def _children() -> list[int]:
    """Processes that this one has started and that still run."""
    try:
        lists = [path.read_text() for path in Path("/proc/self/task").glob("*/children")]
    except OSError:
        return []
    return [int(number) for text in lists for number in text.split()]
