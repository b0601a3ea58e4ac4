"""Freed memory stays with a worker."""

from __future__ import annotations

import platform
import subprocess
import sys

import pytest

FAULTS = """
import resource
import torch
from bench.sweep.workers.malloc import keep_freed_memory
torch.set_num_threads(1)
keep_freed_memory()
def touch():
    pieces = [torch.ones(2**20) for _ in range(4)]  # four megabytes each
    before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
    return before
touch()
first = touch()
for _ in range(50):
    last = touch()
print(last - first)
"""


@pytest.mark.skipif(platform.libc_ver()[0] != "glibc", reason="only glibc is told")
def test_memory_that_was_freed_is_used_again_without_a_page_fault() -> None:
    done = subprocess.run([sys.executable, "-c", FAULTS], capture_output=True, text=True, check=True)
    pages = 4 * 4 * 2**20 / 4096  # of one round; taken anew each time, fifty rounds have fifty times as many
    assert int(done.stdout) < 5 * pages  # the system may take some back on its own, and pieces may settle elsewhere
