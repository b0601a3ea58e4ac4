"""Arrays decoded once, kept on disk, and memory-mapped by every process that needs them."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import tempfile
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

import numpy as np

from bench.core.errors import InputError

DECODER = 2  # raised whenever anything is decoded differently, so that no old arrays are found


def cache_directory() -> Path:
    """Where FarField keeps downloads and decoded arrays: ``FARFIELD_CACHE`` or the user's cache directory."""
    from platformdirs import user_cache_path

    given = os.environ.get("FARFIELD_CACHE")
    return Path(given).expanduser() if given else user_cache_path("farfield")


@contextmanager
def locked(path: Path) -> Iterator[None]:
    """Hold ``path``.lock, across processes; creates the parent directory.

    Raises:
        InputError: the directory cannot be written.
    """
    from filelock import FileLock

    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        lock = FileLock(f"{path}.lock")
        lock.acquire()
    except OSError as error:
        raise InputError(
            f"the cache cannot be written ({error.strerror or error})",
            where=str(path.parent),
            hint="point FARFIELD_CACHE at a folder that can be",
        ) from None
    try:
        yield
    finally:
        lock.release()


def cached_arrays(name: str, identity: object, make: Callable[[], Mapping[str, np.ndarray]]) -> dict[str, np.ndarray]:
    """Named arrays, made once and memory-mapped (read-only) from then on.

    Args:
        name: says what they are, in the name of the folder.
        identity: anything JSON can write that changes whenever the arrays would.
        make: computes the arrays; called under a lock when the cache does not hold them whole.
    """
    key = hashlib.sha256(json.dumps([DECODER, name, identity], sort_keys=True).encode()).hexdigest()[:32]
    folder = cache_directory() / "decoded" / f"{name}-{key}"
    arrays = _read(folder)
    if arrays is not None:
        return arrays
    with locked(folder):
        arrays = _read(folder)  # another process may have made them meanwhile
        if arrays is None:
            _write(folder, make())
            arrays = _read(folder)
    if arrays is None:
        raise InputError("decoded arrays cannot be read back", where=str(folder), hint="check the disk, then try again")
    return arrays


def _read(folder: Path) -> dict[str, np.ndarray] | None:
    """The arrays in ``folder``; ``None`` when it is missing or damaged."""
    try:
        names = json.loads((folder / "arrays.json").read_text())
        return {name: np.load(folder / f"{name}.npy", mmap_mode="r", allow_pickle=False) for name in names}
    except (OSError, ValueError, TypeError):
        return None


def _write(folder: Path, arrays: Mapping[str, np.ndarray]) -> None:
    draft = Path(tempfile.mkdtemp(prefix=".draft-", dir=folder.parent))
    try:
        for name, array in arrays.items():
            np.save(draft / f"{name}.npy", array, allow_pickle=False)
        (draft / "arrays.json").write_text(json.dumps(list(arrays)))
        if folder.exists():  # damaged
            shutil.rmtree(folder)
        os.replace(draft, folder)
    finally:
        shutil.rmtree(draft, ignore_errors=True)
