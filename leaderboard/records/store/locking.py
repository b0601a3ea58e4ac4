"""One coordinator writes a store; a second one is told who does."""

from __future__ import annotations

import json
import os
import socket
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from pathlib import Path

from filelock import FileLock, Timeout

from bench.core.errors import InputError


@contextmanager
def store_lock(path: str | Path) -> Iterator[None]:
    """Hold the lock of the store at ``path``: the operating system frees it when this process ends, however it ends.

    Who holds it stands in ``<path>.holder``, for the message only: the lock itself decides.

    Raises:
        InputError: somebody else holds it, or the folder cannot be written.
    """
    store = Path(path)
    lock = FileLock(f"{store}.lock")
    try:
        lock.acquire(timeout=0)
    except Timeout:
        raise InputError(
            f"{_holder(store)} is writing to this store",
            where=str(store),
            hint="wait for it, stop it, or use another --out",
        ) from None
    except (OSError, NotImplementedError) as error:
        reason = getattr(error, "strerror", None) or str(error)
        raise InputError(
            f"the store cannot be locked: {reason}", where=str(store), hint="choose another --out"
        ) from None
    holder = _holder_file(store)
    try:
        with suppress(OSError):  # a full disk must not stop a run over a courtesy
            holder.write_text(json.dumps(_myself()), encoding="utf-8")
        yield
    finally:
        with suppress(OSError):
            holder.unlink(missing_ok=True)
        lock.release()


def _holder_file(store: Path) -> Path:
    return store.with_name(store.name + ".holder")


def _myself() -> dict[str, str | int]:
    now = datetime.now(UTC).isoformat(timespec="seconds")
    return {"pid": os.getpid(), "host": socket.gethostname(), "since": now}


def _holder(store: Path) -> str:
    """Names the holder as well as its file does; the file may be missing or half written."""
    try:
        data = json.loads(_holder_file(store).read_text(encoding="utf-8")[:1000])
        return f"process {int(data['pid'])} on {str(data['host'])[:100]} (since {str(data['since'])[:40]})"
    except (OSError, ValueError, KeyError, TypeError):
        return "another process"
