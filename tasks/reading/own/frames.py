"""The files of users' tables: found, measured before they are read, and unpacked."""

from __future__ import annotations

import bz2
import functools
import gzip
import hashlib
import lzma
import os
import zipfile
import zlib
from pathlib import Path
from typing import IO, Any, cast

from bench.core.errors import InputError
from tasks.reading.cache import cache_directory

MEMORY_SHARE = 0.25  # of this machine's memory that a table may take
FRAME = "frame:"  # begins the path of a data frame kept in the cache
TEXT_SUFFIXES = (".csv", ".tsv", ".tab", ".txt", ".dat", ".data", ".asc")
PACKED_SUFFIXES = (".gz", ".bz2", ".xz", ".zip")
PARQUET_SUFFIXES = (".parquet", ".pq")


def locate(path: str) -> Path:
    """The file behind ``path``, which may be ``frame:<hash>`` for a kept data frame.

    Raises:
        InputError: there is no such file, or it is neither a text table nor Parquet.
    """
    file = Path(path).expanduser()
    if path.startswith(FRAME):
        file = cache_directory() / "frames" / f"{Path(path.removeprefix(FRAME)).name}.parquet"
    if not file.is_file():
        raise InputError(f"there is no file {path}", hint="give the path of a CSV or Parquet file")
    if not (is_parquet(file) or _text_name(file).endswith(TEXT_SUFFIXES)):
        known = " ".join((*TEXT_SUFFIXES, *PARQUET_SUFFIXES))
        hint = f"convert it to CSV or Parquet ({known}; text also as {' '.join(PACKED_SUFFIXES)})"
        raise InputError(f"{file.name} is neither .csv nor .parquet", where=path, hint=hint)
    return file


def is_parquet(file: Path) -> bool:
    """Whether the name says Parquet."""
    return file.suffix.lower() in PARQUET_SUFFIXES


def _text_name(file: Path) -> str:
    """The name of the text inside: that of the file, without the ending of a packer."""
    name = file.name.lower()
    if name.endswith(".zip"):
        return name.removesuffix(".zip").removesuffix(".csv") + ".csv"  # its one file may have any name
    return next((name.removesuffix(s) for s in PACKED_SUFFIXES if name.endswith(s)), name)


def fingerprint(path: str) -> str:
    """SHA-256 of the file behind ``path``, as 64 hexadecimal digits.

    Raises:
        InputError: there is no such file, it cannot be read, or it is too large to be read as a table.
    """
    file = locate(path)
    status = file.stat()
    check_memory(status.st_size, path)  # before minutes go into reading it
    return _hash(str(file.resolve()), status.st_size, status.st_mtime_ns)


@functools.lru_cache(maxsize=64)
def _hash(file: str, size: int, changed: int) -> str:
    try:
        with open(file, "rb") as stream:
            return hashlib.file_digest(stream, "sha256").hexdigest()
    except OSError as error:
        raise InputError(f"the file cannot be read ({error.strerror})", where=file) from None


def content_of(file: Path, path: str) -> bytes:
    """The bytes of a text table, unpacked.

    Raises:
        InputError: empty, too large, damaged, or an archive of several files.
    """
    limit = MEMORY_SHARE * memory()
    check_memory(file.stat().st_size, path)
    try:
        with _opened(file, path) as stream:
            content = stream.read(int(min(limit, 2**62)) + 1)
    except (OSError, EOFError, zlib.error, lzma.LZMAError, zipfile.BadZipFile, RuntimeError) as error:
        raise InputError(f"the file cannot be read: {error}", where=path, hint="unpack it, or pack it anew") from None
    check_memory(len(content), path)
    if not content:
        raise InputError("the file is empty", where=path, hint="give a table with a line of column names")
    if content.startswith(b"PAR1"):
        raise InputError(f"{file.name} is a Parquet file", where=path, hint="call it .parquet")
    if content.startswith(b"PK\x03\x04"):
        what = f"{file.name} is binary: a zip archive or an Excel workbook"
        raise InputError(what, where=path, hint="export it as CSV; a zipped CSV is called .zip")
    return content


def _opened(file: Path, path: str) -> IO[bytes]:
    suffix = file.suffix.lower()
    if suffix == ".zip":
        archive = zipfile.ZipFile(file)
        members = [m for m in archive.infolist() if not m.is_dir() and not m.filename.startswith("__MACOSX")]
        if len(members) != 1:
            raise InputError(f"{len(members)} files in {file.name}", where=path, hint="unpack the one that is meant")
        return archive.open(members[0])
    openers: dict[str, Any] = {".gz": gzip.open, ".bz2": bz2.open, ".xz": lzma.open}
    return cast(IO[bytes], openers.get(suffix, open)(file, "rb"))


def check_memory(needed: int, where: str) -> None:
    """Refuse a table that would take more than a quarter of this machine's memory."""
    available = MEMORY_SHARE * memory()
    if needed > available:
        what = f"a table of {needed / 2**30:.2g} GiB is too large for {available / 2**30:.2g} GiB of memory"
        raise InputError(what, where=where, hint="take a sample of its rows")


def memory() -> float:
    """Bytes of memory of this machine; unlimited where it does not say."""
    names: dict[str, Any] = getattr(os, "sysconf_names", {})
    if not {"SC_PAGE_SIZE", "SC_PHYS_PAGES"} <= set(names):
        return float("inf")
    return float(os.sysconf("SC_PAGE_SIZE")) * float(os.sysconf("SC_PHYS_PAGES"))
