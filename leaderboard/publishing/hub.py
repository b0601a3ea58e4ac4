"""A folder that ``datasets.load_dataset`` reads: records and labelled sets as Parquet, with a dataset card.

Nothing is sent anywhere.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from bench.core.errors import InputError
from leaderboard.ranking.standings import verdicts_by_cell
from leaderboard.records.quantities import OF_RECORDS
from leaderboard.records.store.store import RecordFilter, Store
from leaderboard.records.summary import Summaries
from leaderboard.tables.record_columns import COLUMNS, KEY_COLUMNS, SET_COLUMNS, record_rows, set_values

if TYPE_CHECKING:
    import pyarrow  # type: ignore[import-untyped]

LICENCE = "apache-2.0"
_AT_ONCE = 1000  # records
_VERDICT = ("verdict", "grade")
_KINDS = {"real": "float64", "whole": "int64", "flag": "bool"}
_ARROW = {"float64": "float64", "int64": "int64", "bool": "bool_", "string": "string"}
_SET_KINDS = {"name": "string", "role": "string", "rows": "int64", "nonfinite": "int64"}
_SET_HEAD = (*KEY_COLUMNS, "status")
_MEANINGS = {
    "id": "SHA-256 of the record's key",
    "protocol": "how everybody is trained",
    "seed": "of the record; seed k has draw k of its task",
    "status": "ok, diverged, unsupported, failed or timeout",
    "truth": "whether the true target stays bounded far away",
    "verdict": "how the outputs of the cell grow, over all of its seeds",
    "grade": "what bounded rests on",
}


def record_features() -> dict[str, str]:
    """The columns of the configuration ``records`` with their types."""
    numbers = {quantity.name: _KINDS[quantity.kind] for quantity in OF_RECORDS}
    types = {"seed": "int64", "deterministic": "bool", **numbers}
    return {name: types.get(name, "string") for name in (*COLUMNS, *_VERDICT)}


def set_features() -> dict[str, str]:
    """The columns of the configuration ``sets`` with their types."""
    head = {name: "int64" if name == "seed" else "string" for name in _SET_HEAD}
    return head | {_set_column(name): _SET_KINDS.get(name, "float64") for name in SET_COLUMNS}


def write_hub_folder(store: Store, folder: Path, which: RecordFilter | None = None) -> int:
    """Write ``README.md``, ``data/records.parquet`` and ``data/sets.parquet``; returns how many records there are.

    A row of ``records`` is a record: its key, status, every number and the verdict on its cell; null stands for what
    was not measured, infinity for outputs that were not finite. A row of ``sets`` is a labelled set of a record.

    Args:
        store: open.
        folder: made where it is not there; files of these names are replaced.
        which: the records; all of them by default.

    Raises:
        InputError: no record matches, or the folder cannot be written.
    """
    summaries = store.summaries(which)
    if not len(summaries):
        raise InputError("no stored record matches", where=str(store.path), hint="farfield run first, or ask for less")
    try:
        (folder / "data").mkdir(parents=True, exist_ok=True)
        sizes = {
            "records": _write(folder / "data" / "records.parquet", record_features(), _record_rows(summaries)),
            "sets": _write(folder / "data" / "sets.parquet", set_features(), _set_rows(store, which)),
        }
        (folder / "README.md").write_text(_card(summaries, sizes), encoding="utf-8")
    except OSError as error:
        raise InputError(f"cannot write: {error.strerror}", where=str(folder), hint="choose another folder") from None
    return len(summaries)


def _record_rows(summaries: Summaries) -> Iterator[Sequence[Any]]:
    verdicts = verdicts_by_cell(summaries)
    for row in record_rows(summaries):
        yield (*row.values().values(), verdicts[row.cell].word, verdicts[row.cell].grade)


def _set_rows(store: Store, which: RecordFilter | None) -> Iterator[Sequence[Any]]:
    for record in store.records(which):
        key = record.key
        head = (key.digest(), *(getattr(key, name) for name in KEY_COLUMNS[1:]), record.status)
        yield from ((*head, *set_values(one)) for one in record.sets)


def _set_column(name: str) -> str:
    """``name`` alone would say nothing beside a task's."""
    return "set" if name == "name" else name


def _write(file: Path, features: dict[str, str], rows: Iterator[Sequence[Any]]) -> int:
    """Write rows some at a time, so that any number fits into memory; returns how many there were."""
    import pyarrow
    import pyarrow.parquet  # type: ignore[import-untyped]

    types = {
        "string": pyarrow.string(),
        "int64": pyarrow.int64(),
        "float64": pyarrow.float64(),
        "bool": pyarrow.bool_(),
    }
    schema = pyarrow.schema([(name, types[kind]) for name, kind in features.items()])
    count = 0
    with pyarrow.parquet.ParquetWriter(file, schema) as writer:
        part: list[Sequence[Any]] = []
        for row in rows:
            part.append(row)
            count += 1
            if len(part) == _AT_ONCE:
                writer.write_table(_table(part, schema))
                part = []
        writer.write_table(_table(part, schema))
    return count


def _table(rows: Sequence[Sequence[Any]], schema: pyarrow.Schema) -> pyarrow.Table:
    import pyarrow

    columns = list(zip(*rows, strict=True)) or [()] * len(schema)
    arrays = [pyarrow.array(column, field.type) for column, field in zip(columns, schema, strict=True)]
    return pyarrow.Table.from_arrays(arrays, schema=schema)


def _card(summaries: Summaries, sizes: dict[str, int]) -> str:
    """The dataset card: YAML that the Hub and ``datasets`` read, then words."""
    configs = {"records": record_features(), "sets": set_features()}
    lines = ["---", "pretty_name: FarField results", f"license: {LICENCE}", "language: en"]
    lines += ["tags:", *(f"- {tag}" for tag in ("extrapolation", "out-of-distribution", "normalization", "benchmark"))]
    lines += ["configs:"]
    for name in configs:
        lines += [f"- config_name: {name}", f"  default: {str(name == 'records').lower()}", "  data_files:"]
        lines += ["  - split: train", f"    path: data/{name}.parquet"]
    lines += ["dataset_info:"]
    for name, features in configs.items():
        lines += [f"- config_name: {name}", "  features:"]
        lines += [line for column, kind in features.items() for line in (f"  - name: {column}", f"    dtype: {kind}")]
        lines += ["  splits:", "  - name: train", f"    num_examples: {sizes[name]}"]
    lines += ["---", "", *_words(summaries, sizes), ""]
    return "\n".join(lines)


def _words(summaries: Summaries, sizes: dict[str, int]) -> list[str]:
    keys = [summaries.cells[cell] for cell in sorted(set(summaries.cell.tolist()))]
    protocols = ", ".join(f"`{name}`" for name in sorted({key.protocol for key in keys}))
    environments = sorted({value for e in summaries.environments for name, value in e if name == "farfield"})
    meanings = {name: _MEANINGS[name] for name in (*COLUMNS, *_VERDICT) if name in _MEANINGS}
    meanings |= {quantity.name: quantity.meaning for quantity in OF_RECORDS}
    return [
        "# FarField results",
        "",
        "What networks answer far away from the data they were trained on, and how normalization layers change it, "
        f"measured by FarField {', '.join(environments)}.",
        "",
        f"{len(summaries):,} records of {len(keys):,} cells on {len({key.task for key in keys})} tasks; protocol "
        f"{protocols}. Only records of one protocol may be compared.",
        "",
        f"- `records` ({sizes['records']:,} rows): a row a record. Null: not measured; infinity: an output was not "
        "finite.",
        f"- `sets` ({sizes['sets']:,} rows): a row for each labelled set of a record.",
        "",
        "```python",
        "import datasets",
        "",
        'records = datasets.load_dataset("path/of/this/folder", "records", split="train")',
        "```",
        "",
        "| column | meaning |",
        "|---|---|",
        *(f"| `{name}` | {' '.join(text.split()).replace('|', chr(92) + '|')} |" for name, text in meanings.items()),
    ]
