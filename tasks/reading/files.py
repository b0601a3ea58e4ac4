"""Files of real data: found, downloaded where permitted, checked, and decoded through ``datasets``."""

from __future__ import annotations

import hashlib
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from bench.core.errors import InputError
from tasks.reading.cache import cache_directory, cached_arrays, locked

_TRUE = {"1", "on", "yes", "true"}


@dataclass(frozen=True)
class TextFile:
    r"""A published text file of numbers.

    Args:
        path: folder and name under ``FARFIELD_DATA`` ("protein/CASP.csv").
        lines: number of its lines.
        sha256: of its text with line ends ``\n`` and without trailing spaces and blank lines, in which the copies
            in circulation differ.
        url: an archive that holds it.
        separator: between columns, a regular expression.
        columns: their names; ``None`` when the first line has them.
    """

    path: str
    lines: int
    sha256: str
    url: str
    separator: str = ","
    columns: tuple[str, ...] | None = None

    @property
    def name(self) -> str:
        """The file's own name."""
        return self.path.rsplit("/", 1)[-1]


def read_table(file: TextFile) -> dict[str, np.ndarray]:
    """The columns of ``file`` as float64 arrays (rows,), checked and memory-mapped from the cache.

    Raises:
        InputError: the file is missing and cannot be downloaded, is not the file expected, or cannot be read.
    """
    path = find(file)
    table = cached_arrays("table", [file.path, file.sha256], lambda: _decode(file, path))
    return dict(zip([str(column) for column in table["columns"]], table["values"], strict=True))


def find(file: TextFile) -> Path:
    """Where ``file`` lies: under ``FARFIELD_DATA``, in the cache, or freshly downloaded. Its content is checked."""
    given = data_directory()
    if given is not None and (given / file.path).exists():
        check(file, given / file.path)
        return given / file.path
    kept = cache_directory() / "files" / file.sha256[:16] / file.name
    if not kept.exists():
        with locked(kept):
            if not kept.exists():
                _download(file, kept)
    check(file, kept)
    return kept


def data_directory() -> Path | None:
    """``FARFIELD_DATA``, where it is set.

    Raises:
        InputError: it names no directory.
    """
    given = os.environ.get("FARFIELD_DATA")
    if not given:
        return None
    path = Path(given).expanduser()
    if not path.is_dir():
        raise InputError(f"FARFIELD_DATA names no directory: {given}", hint="correct or unset it")
    return path


def offline() -> bool:
    """Whether the user forbids asking the network (``HF_HUB_OFFLINE=1`` or ``HF_DATASETS_OFFLINE=1``)."""
    return any(os.environ.get(name, "").lower() in _TRUE for name in ("HF_HUB_OFFLINE", "HF_DATASETS_OFFLINE"))


def check(file: TextFile, path: Path) -> None:
    """Compare the text of the file at ``path`` with what was published.

    Raises:
        InputError: unreadable, truncated, or another file.
    """
    cure = "remove it, so that it is downloaded anew, or put the published file there"
    try:
        content = path.read_bytes()
    except OSError as error:
        raise InputError(f"{file.name} cannot be read ({error.strerror})", where=str(path), hint=cure) from None
    lines = [line.rstrip() for line in content.splitlines()]
    while lines and not lines[-1]:
        lines.pop()
    found = hashlib.sha256(b"\n".join([*lines, b""])).hexdigest()
    if found == file.sha256:
        return
    if len(lines) < file.lines:
        what = f"{file.name} is truncated: {len(lines):,} of {file.lines:,} lines"
    else:
        what = f"{file.name} is not the published file: SHA-256 {found[:12]}… instead of {file.sha256[:12]}…"
    raise InputError(what, where=str(path), hint=cure)


def missing(what: str, place: str, url: str) -> InputError:
    """The one line that says how to get data that are not there."""
    state = "downloads are switched off by HF_HUB_OFFLINE" if offline() else f"the download from {url} failed"
    return InputError(
        f"{what} is not here and {state}",
        hint=f"download it from {url} elsewhere and set FARFIELD_DATA to a folder that holds {place}",
    )


def _download(file: TextFile, kept: Path) -> None:
    """Download the archive through ``datasets``, take the file out, and move it into place whole."""
    if offline():
        raise missing(file.name, file.path, file.url)
    from datasets import DownloadConfig, DownloadManager

    with quiet_datasets():
        config = DownloadConfig(cache_dir=cache_directory() / "downloads", max_retries=2)
        try:
            unpacked = Path(DownloadManager(download_config=config).download_and_extract(file.url))
            found = next(iter(sorted(unpacked.rglob(file.name))), None) if unpacked.is_dir() else unpacked
        except (OSError, ValueError, ImportError):  # no network, no such page, no archive; no HTTP client for fsspec
            found = None
    if found is None:
        raise missing(file.name, file.path, file.url) from None
    check(file, found)
    draft = kept.with_suffix(".part")
    shutil.copyfile(found, draft)
    os.replace(draft, kept)


@contextmanager
def quiet_datasets() -> Iterator[None]:
    """Without the progress bars of ``datasets``, which would mix with ours."""
    from datasets import are_progress_bars_disabled, disable_progress_bars, enable_progress_bars

    silent = are_progress_bars_disabled()
    disable_progress_bars()
    try:
        yield
    finally:
        if not silent:
            enable_progress_bars()


def _decode(file: TextFile, path: Path) -> dict[str, np.ndarray]:
    """Parse the file with the CSV builder of ``datasets`` into a (columns, rows) array."""
    from datasets import load_dataset

    options: dict[str, Any] = {"sep": file.separator, "engine": "c" if len(file.separator) == 1 else "python"}
    if file.columns is not None:
        options |= {"header": None, "names": list(file.columns)}
    with quiet_datasets():
        folder = str(cache_directory() / "datasets")
        table = load_dataset("csv", data_files=str(path), split="train", cache_dir=folder, **options)
    columns = table.with_format("arrow")[:]  # the numpy format would round to float32
    values = np.array([columns[name].to_numpy().astype(np.float64) for name in table.column_names])
    return {"columns": np.array(table.column_names), "values": values}
