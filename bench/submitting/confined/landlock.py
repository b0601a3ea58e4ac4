"""Landlock: a process takes from itself the right to reach files, and TCP, for good. Linux 5.13 or newer.

The system calls have the same numbers on every machine (444 to 446); the C library has no names for them. It covers
reading and writing of files, TCP from version 4 on and signals from version 6 on; never UDP.
"""

from __future__ import annotations

import ctypes
import os
import platform
from collections.abc import Iterable

_CREATE, _ADD, _RESTRICT = 444, 445, 446
_VERSION = 1
_BENEATH = 1
_NO_NEW_PRIVILEGES = 38
_EXECUTE, _WRITE, _READ_FILE, _READ_FOLDER = 1, 2, 4, 8
_READ = _EXECUTE | _READ_FILE | _READ_FOLDER
_FILES = {1: 13, 2: 14, 3: 15, 4: 15}  # rights that a version knows; 16 from version 5 on
_MOST_RIGHTS = 16
_TRUNCATE, _IOCTL = 1 << 14, 1 << 15


class _Rules(ctypes.Structure):
    _fields_ = (("files", ctypes.c_uint64), ("network", ctypes.c_uint64), ("scope", ctypes.c_uint64))


class _Path(ctypes.Structure):
    _pack_ = 1
    _fields_ = (("allowed", ctypes.c_uint64), ("parent", ctypes.c_int32))


def version() -> int:
    """The version that the system has; 0 where there is none."""
    if platform.system() != "Linux":
        return 0
    found = ctypes.CDLL(None, use_errno=True).syscall(_CREATE, None, ctypes.c_size_t(0), ctypes.c_uint32(_VERSION))
    return max(0, int(found))


def restrict(readable: Iterable[str], writable: Iterable[str]) -> int:
    """Leave this thread, and what it starts from now on, only these files; TCP and signals to others are cut.

    Args:
        readable: folders and files that may be read and executed.
        writable: folders and files in which everything may be done.

    Returns:
        The version that holds, 0 where nothing does.
    """
    found = version()
    if not found:
        return 0
    libc = ctypes.CDLL(None, use_errno=True)
    every = (1 << _FILES.get(found, _MOST_RIGHTS)) - 1
    rules = _Rules(every, 3 if found >= 4 else 0, 3 if found >= 6 else 0)
    size = 8 if found < 4 else 16 if found < 6 else 24
    ruleset = libc.syscall(_CREATE, ctypes.byref(rules), ctypes.c_size_t(size), ctypes.c_uint32(0))
    if ruleset < 0:
        return 0
    try:
        for path in readable:
            _allow(libc, ruleset, path, _READ)
        for path in writable:
            _allow(libc, ruleset, path, every)
        if libc.prctl(_NO_NEW_PRIVILEGES, 1, 0, 0, 0):
            return 0
        return 0 if libc.syscall(_RESTRICT, ruleset, ctypes.c_uint32(0)) else found
    finally:
        os.close(ruleset)


def _allow(libc: ctypes.CDLL, ruleset: int, path: str, rights: int) -> None:
    """What is not there is passed over; of a file the rights that folders alone have are left out."""
    try:
        opened = os.open(path, os.O_PATH | os.O_CLOEXEC)
    except OSError:
        return
    try:
        if not os.path.isdir(path):
            rights &= _EXECUTE | _WRITE | _READ_FILE | _TRUNCATE | _IOCTL
        rule = _Path(rights, opened)
        libc.syscall(_ADD, ruleset, ctypes.c_int(_BENEATH), ctypes.byref(rule), ctypes.c_uint32(0))
    finally:
        os.close(opened)
