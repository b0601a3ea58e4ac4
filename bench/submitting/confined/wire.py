"""Messages between the verifier and a confined process: a length, so much JSON, then arrays as they lie in memory.

Nothing is unpickled. What comes from the other side may be anything: lengths are checked before memory is taken.
"""

from __future__ import annotations

import json
import math
import os
import select
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

MOST_HEADER = 1_000_000
MOST_BYTES = 2_000_000_000
_TYPES = ("<f8", "<f4", "<i8")
_CHUNK = 1 << 20
_LENGTH = 8  # bytes of the length of a header


class WireError(Exception):
    """The other side closed the pipe, is late, or wrote what is no message."""


@dataclass(frozen=True)
class Message:
    """A header and arrays."""

    header: Mapping[str, Any]
    arrays: tuple[np.ndarray, ...] = ()

    @property
    def kind(self) -> str:
        """What it is."""
        return str(self.header.get("kind"))


def send(fd: int, kind: str, arrays: Sequence[np.ndarray] = (), **fields: Any) -> None:
    """Write a message.

    Args:
        fd: of a pipe.
        kind: of the message.
        arrays: float64, float32 or int64.
        fields: what JSON holds.
    """
    parts = [np.ascontiguousarray(array) for array in arrays]
    header = {"kind": kind, **fields, "arrays": [[part.dtype.str, list(part.shape)] for part in parts]}
    text = json.dumps(header).encode()
    _write(fd, len(text).to_bytes(_LENGTH, "big") + text)
    for part in parts:
        _write(fd, part.reshape(-1).view(np.uint8).data if part.size else b"")


def receive(fd: int, seconds: float | None = None, most: int = MOST_BYTES) -> Message:
    """Read a message.

    Args:
        fd: of a pipe.
        seconds: until all of it must be there; None waits for ever.
        most: bytes of arrays that are taken.

    Raises:
        WireError: closed, late, too long, or no message.
    """
    until = None if seconds is None else time.monotonic() + seconds
    length = int.from_bytes(_read(fd, _LENGTH, until), "big")
    if length > MOST_HEADER:
        raise WireError("a header too long")
    text = _read(fd, length, until)
    try:
        header = json.loads(text)
        plan = [(str(kind), tuple(int(n) for n in shape)) for kind, shape in header["arrays"]]
    except (ValueError, TypeError, KeyError, RecursionError):
        raise WireError("no message") from None
    if any(kind not in _TYPES or any(n < 0 for n in shape) for kind, shape in plan):
        raise WireError("an array of another kind")
    if sum(math.prod(shape) * np.dtype(kind).itemsize for kind, shape in plan) > most:
        raise WireError("arrays too large")
    arrays = []
    for kind, shape in plan:
        data = _read(fd, math.prod(shape) * np.dtype(kind).itemsize, until)
        arrays.append(np.frombuffer(data, dtype=kind).reshape(shape).copy())
    return Message(header, tuple(arrays))


def _write(fd: int, data: bytes | memoryview) -> None:
    left = memoryview(data)
    while left:
        try:
            left = left[os.write(fd, left[:_CHUNK]) :]
        except OSError as error:
            raise WireError(f"the pipe is closed: {error.strerror}") from None


def _read(fd: int, count: int, until: float | None) -> bytes:
    parts = bytearray()
    while len(parts) < count:
        left = None if until is None else until - time.monotonic()
        if left is not None and (left <= 0 or not select.select([fd], [], [], left)[0]):
            raise WireError("late")
        piece = os.read(fd, min(_CHUNK, count - len(parts)))
        if not piece:
            raise WireError("closed")
        parts += piece
    return bytes(parts)
