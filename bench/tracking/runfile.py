"""Reads the file a W&B run is kept in (``run-<id>.wandb``), which wandb itself writes but no longer reads in Python.

A LevelDB log: after a header of 7 bytes (``:W&B``, 0xBEE1, version) blocks of 32 KiB (the first one includes
the header) hold chunks of CRC-32 (4 bytes), length (2), kind (1) and payload; a record is one ``full`` chunk or a
``first``, any ``middle`` and a ``last`` one. A record is a ``Record`` message of wandb's protocol buffers.
Source: github.com/wandb/wandb, core/pkg/leveldb/record.go.
"""

from __future__ import annotations

import struct
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

_HEADER = b":W&B" + struct.pack("<HB", 0xBEE1, 0)
_BLOCK = 32 * 1024
_CHUNK = struct.Struct("<IHB")
_FULL, _FIRST, _MIDDLE, _LAST = 1, 2, 3, 4


def read_run_file(path: Path) -> Iterator[Any]:
    """Every ``wandb.proto.wandb_internal_pb2.Record`` of a run file, in order.

    Raises:
        ValueError: not a run file, damaged, or cut off in the middle of a record.
    """
    from wandb.proto.wandb_internal_pb2 import Record  # type: ignore[attr-defined]

    for payload in read_log(path.read_bytes()):
        yield Record.FromString(payload)


def read_log(data: bytes) -> Iterator[bytes]:
    """The payload of every record of a log.

    Raises:
        ValueError: not such a log, damaged, or cut off in the middle of a record.
    """
    if data[: len(_HEADER)] != _HEADER:
        raise ValueError("not a W&B run file")
    record: list[bytes] | None = None
    for kind, payload in _chunks(data):
        if (record is None) != (kind in (_FULL, _FIRST)):
            raise ValueError("a W&B run file whose chunks do not follow one another")
        record = [payload] if record is None else [*record, payload]
        if kind in (_FULL, _LAST):
            yield b"".join(record)
            record = None
    if record is not None:
        raise ValueError("a W&B run file that ends inside a record")


def _chunks(data: bytes) -> Iterator[tuple[int, bytes]]:
    place = len(_HEADER)
    while place < len(data):
        left = _BLOCK - place % _BLOCK
        if left < _CHUNK.size:
            place += left
            continue
        head = data[place : place + _CHUNK.size]
        if len(head) < _CHUNK.size:
            raise ValueError("a W&B run file that ends inside a chunk")
        checksum, length, kind = _CHUNK.unpack(head)
        payload = data[place + _CHUNK.size : place + _CHUNK.size + length]
        if len(payload) < length or length > left - _CHUNK.size:
            raise ValueError("a W&B run file that ends inside a chunk")
        if zlib.crc32(payload, zlib.crc32(bytes([kind]))) != checksum:
            raise ValueError("a W&B run file with a wrong checksum")
        yield kind, payload
        place += _CHUNK.size + length


def is_complete(path: Path) -> bool:
    """Whether a run file was written to its end: undamaged, and closed by the record of the run's exit.

    wandb reports no error when a disk fills while it writes this file.
    """
    try:
        return any(record.WhichOneof("record_type") == "exit" for record in read_run_file(path))
    except (OSError, ValueError):
        return False
    except Exception as error:
        if type(error).__name__ == "DecodeError":  # protobuf's, which is no ValueError
            return False
        raise
