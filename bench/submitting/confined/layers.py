"""What stands between a stranger's code and the machine, outermost first; what is there is found by trying.

===========  =========================================================================================================
bubblewrap   its own view of files (Python, its packages and FarField, read only), no network, no other processes
unshare      no network and, where the system lets it, no other processes; files as landlock leaves them
landlock     files of Python, its packages and FarField to read, one temporary folder to write; no TCP, but UDP
limits       always: a process of its own with a cleared environment and limits on time, memory, files
===========  =========================================================================================================
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import sysconfig
from collections.abc import Sequence
from functools import cache
from pathlib import Path
from typing import Literal, get_args

from bench.core.shadowing import HOME, PACKAGES
from bench.submitting.confined import landlock

Layer = Literal["bubblewrap", "unshare", "landlock", "limits"]
LAYERS: tuple[Layer, ...] = get_args(Layer)
_SYSTEM = ("/usr", "/lib", "/lib64", "/lib32", "/bin", "/etc/ld.so.cache", "/etc/ld.so.conf", "/etc/ld.so.conf.d")
_MACHINE = ("/proc/cpuinfo", "/proc/meminfo", "/proc/stat", "/proc/self", "/sys/devices/system", "/sys/fs/cgroup")
_UNSHARE = (
    ("--user", "--map-root-user", "--net", "--ipc", "--pid", "--fork", "--kill-child", "--mount-proc"),
    ("--user", "--map-root-user", "--net", "--ipc"),
)
_SECONDS = 20.0


@cache
def available() -> tuple[Layer, ...]:
    """The layers that work on this machine, in order; ``limits`` always does."""
    found: list[Layer] = []
    if shutil.which("bwrap") and _works([*_bubblewrap(), "/usr/bin/env", "true"]):
        found.append("bubblewrap")
    if _unshare():
        found.append("unshare")
    if landlock.version():
        found.append("landlock")
    return (*found, "limits")


def command(layer: Layer, inner: Sequence[str]) -> list[str]:
    """The command line that runs ``inner`` inside of ``layer``; landlock is taken on by the process itself."""
    if layer == "bubblewrap":
        return [*_bubblewrap(), *inner]
    return [*_unshare(), *inner] if layer == "unshare" else list(inner)


def takes_landlock(layer: Layer) -> bool:
    """Whether the process takes landlock on itself, as far as the system has it."""
    return layer in ("unshare", "landlock")


def environment(folder: str) -> dict[str, str]:
    """All that is in the environment of a confined process.

    Args:
        folder: the temporary one.
    """
    return {
        "PATH": "/usr/bin:/bin",
        "HOME": folder,
        "TMPDIR": folder,
        "LANG": "C.UTF-8",
        "OMP_NUM_THREADS": "1",
        "PYTHONDONTWRITEBYTECODE": "1",
        "PYTHONHASHSEED": "0",
    }


def readable() -> list[str]:
    """Folders and files that Python, its packages and FarField lie in, and what they ask of the machine."""
    return [*_SYSTEM, *_MACHINE, *_ours(), "/dev/urandom", "/dev/random", "/etc/localtime", "/usr/share/zoneinfo"]


def _ours() -> list[str]:
    """Of FarField's folder the packages alone: beside them lie data, results, anybody's files."""
    prefixes = {sys.prefix, sys.base_prefix, os.path.dirname(os.path.realpath(sys.executable))}
    prefixes |= {sysconfig.get_path(name) for name in ("purelib", "platlib", "stdlib", "platstdlib")}
    return sorted(prefixes) + [os.path.join(HOME, name) for name in PACKAGES]


def _bubblewrap() -> list[str]:
    line = ["bwrap", "--unshare-all", "--die-with-parent", "--new-session", "--cap-drop", "ALL"]
    line += ["--tmpfs", "/tmp", "--proc", "/proc", "--dev", "/dev"]
    for path in (*_SYSTEM, *_ours()):
        line += ["--ro-bind-try", path, path]
    return [*line, "--chdir", "/tmp", "--"]


@cache
def _unshare() -> tuple[str, ...]:
    """The command with the most that works here; empty where nothing does."""
    if not shutil.which("unshare"):
        return ()
    ways = (("unshare", *flags, "--") for flags in _UNSHARE)
    return next((way for way in ways if _works([*way, "true"])), ())


def _works(line: Sequence[str]) -> bool:
    try:
        done = subprocess.run(line, stdin=subprocess.DEVNULL, capture_output=True, timeout=_SECONDS, cwd=Path("/"))
    except (OSError, subprocess.TimeoutExpired):
        return False
    return done.returncode == 0
