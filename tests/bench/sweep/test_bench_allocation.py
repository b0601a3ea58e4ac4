"""Freed memory stays with a worker, and its pages are large."""

from __future__ import annotations

import os
import platform
import subprocess
import sys
from pathlib import Path

import pytest

from bench.sweep.workers.malloc import in_large_pages

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


ASKED = """
import re
import torch
from bench.sweep.workers.malloc import keep_freed_memory
keep_freed_memory()
piece = torch.ones(2**21)  # eight megabytes
flags = re.findall(r"VmFlags:(.*)", open("/proc/self/smaps").read())
print(any("hg" in line.split() for line in flags))
"""
FLAGS = Path("/proc/self/smaps")
LIBRARY, VERSION = platform.libc_ver()
TELLS = LIBRARY == "glibc" and tuple(map(int, VERSION.split(".")[:2])) >= (2, 35)
ON_REQUEST = Path("/sys/kernel/mm/transparent_hugepage/enabled")


@pytest.mark.skipif(not TELLS or not ON_REQUEST.exists(), reason="large pages are not to be had here")
def test_what_starts_inside_asks_for_large_pages() -> None:
    """Whether the system has any left is its own affair."""
    if "VmFlags" not in FLAGS.read_text():
        pytest.skip("this system does not say what was asked for")
    with in_large_pages():
        done = subprocess.run([sys.executable, "-c", ASKED], capture_output=True, text=True, check=True)
    assert done.stdout == "True\n"


@pytest.mark.parametrize(
    ("before", "inside"),
    [
        (None, "glibc.malloc.hugetlb=1"),
        ("glibc.malloc.perturb=3", "glibc.malloc.perturb=3:glibc.malloc.hugetlb=1"),
        ("glibc.malloc.hugetlb=0", "glibc.malloc.hugetlb=0"),
    ],
)
def test_settings_of_the_users_stand_and_come_back(
    before: str | None, inside: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("GLIBC_TUNABLES", raising=False)
    if before is not None:
        monkeypatch.setenv("GLIBC_TUNABLES", before)
    with in_large_pages():
        assert os.environ["GLIBC_TUNABLES"] == inside
    assert os.environ.get("GLIBC_TUNABLES") == before
