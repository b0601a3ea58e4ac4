"""Text tables: the line of names, and rows that must line up with it."""

from __future__ import annotations

import csv
import io
import itertools
import re
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import pyarrow as pa  # type: ignore[import-untyped]
import pyarrow.compute as pc  # type: ignore[import-untyped]
from pyarrow import csv as arrow_csv

from bench.core.errors import InputError
from tasks.reading.own import dialect
from tasks.reading.own.reading import GUESS, NONE, Reading, listed
from tasks.reading.own.source import Said, Source

MOST_COLUMNS = 1000
BLOCK = 1 << 26
LONGEST_FIELD = 1 << 27
ROW_NAMES = "Unnamed: 0"  # what pandas calls a first column without a name
_TOTALS = frozenset(
    [
        "total",
        "totals",
        "sum",
        "mean",
        "average",
        "avg",
        "grand",
        "total",
        "subtotal",
        "summe",
        "gesamt",
        "totaal",
        "somme",
    ]
) | {"grand total"}


@dataclass(frozen=True)
class _Head:
    """The names, the line where they stand (0: nowhere), and the line where the rows begin."""

    names: tuple[str, ...]
    line: int
    rows_from: int


def read_text(content: bytes, reading: Reading, said: Said, where: str) -> Source:
    """The table in the bytes of a text file.

    Raises:
        InputError: binary, or names and fields that do not line up, with the line.
    """
    csv.field_size_limit(LONGEST_FIELD)
    content = dialect.decoded(content, reading, said, where)
    content, sep = _without_sep_line(content, said)
    content, commented = dialect.without_comments(content, reading, said)
    content = _without_single_quotes(content, said)
    sample = content[: dialect.SAMPLE].decode(errors="replace")
    separator = reading.delimiter or sep or dialect.guess_separator(_body(sample, reading, commented))
    if reading.delimiter is not None and reading.delimiter not in sample.replace("\t", reading.delimiter[:1]):
        raise InputError(f"the separator {reading.separator!r} splits no line", where=where, hint="give another")
    if separator is not None and reading.delimiter is None:
        said.part(f"{dialect.NAMES.get(separator, separator)} separated")
    separator = separator or ","
    head = _head(sample, separator, reading, commented, where)
    if commented is not None and head.line == commented:
        said.part(f"names in line {commented}")
    if head.rows_from > 1:
        content = _emptied_until(content, head.rows_from - 1)
    names, width = _aligned(head, content, separator, reading, where)
    columns = _parsed(content, separator, width, len(names), where)
    lines = _Lines(content, separator)
    names, columns = _without_empty_tail(names, columns, head, lines, said, where)
    _check_footer(columns, reading, lines, where)
    nameless = frozenset(f"Unnamed: {place}" for place, name in enumerate(names) if not name)
    shown = tuple(name or f"Unnamed: {place}" for place, name in enumerate(names))
    if head.line:
        _check_head(shown, columns, head, reading, where)
    return Source(shown, tuple(columns), lines.place, separator, nameless)


def tidy(name: str) -> str:
    """A name without what cannot be seen: blanks at its ends, line ends, doubled blanks, byte order marks."""
    plain = unicodedata.normalize("NFC", name).replace("\ufeff", "").replace("\u200b", "")
    return " ".join(plain.split())


def _without_sep_line(content: bytes, said: Said) -> tuple[bytes, str | None]:
    """Excel's first line ``sep=;`` is emptied, and what it says returned."""
    match = re.match(rb'\s*"?sep=(.)"?[ ,;\t]*(?=\n|\Z)', content, flags=re.IGNORECASE)
    if match is None:
        return content, None
    sign = match.group(1).decode()
    said.part(f"sep={'tab' if sign == chr(9) else sign} left out")
    return b"\n" * match.group(0).count(b"\n") + content[match.end() :], sign


def _without_single_quotes(content: bytes, said: Said) -> bytes:
    """Where single quotes stand around every name, they become double ones everywhere."""
    line = next((line for line in content[: dialect.SAMPLE].split(b"\n") if line.strip()), b"")
    if b'"' in content or not re.fullmatch(rb"\s*'[^']*'(\s*[,;|\t ]\s*'[^']*')+\s*", line):
        return content
    said.part("texts in single quotes")
    return content.replace(b"'", b'"')


def _body(sample: str, reading: Reading, commented: int | None) -> str:
    """The lines by which a separator is guessed: from the names on."""
    lines = sample.split("\n")
    if commented is not None:
        lines[commented - 1] = lines[commented - 1].lstrip("#% ")
    begin = int(reading.header) if reading.header not in (GUESS, NONE) else 1
    return "\n".join(lines[begin - 1 :])


def _head(sample: str, separator: str, reading: Reading, commented: int | None, where: str) -> _Head:
    if not sample.strip():
        raise InputError("the table has no column names", where=where, hint="give a table with a line of names")
    lines = sample.split("\n")
    stated = int(reading.header) if reading.header not in (GUESS, NONE) else commented
    begin = next((n for n, line in enumerate(lines, 1) if line.strip()), 1) if stated is None else stated
    if begin > len(lines) or not lines[begin - 1].strip():
        raise InputError(f"line {begin} holds no names", where=where, hint="header=… is the number of their line")
    text = "\n".join(lines[begin - 1 :])
    if reading.header == NONE:
        width = len(next(dialect.records(text, separator), []))
        return _Head(tuple(f"c{place + 1}" for place in range(width)), 0, begin)
    if separator == " ":
        names, used = next(dialect.records(lines[begin - 1], separator)), 1
    else:
        reader = csv.reader(io.StringIO(text), delimiter=separator, skipinitialspace=True)
        names, used = next(reader), reader.line_num
        if any("\n" in name and separator in name for name in names):
            what = f'a quote (") in line {begin}, that of the names, is not closed'
            raise InputError(what, where=where, hint="close it, or double quotes that belong to a name")
    if begin == commented:
        first = names[0].strip()
        bare = first.lstrip("#%").strip()
        names = [bare or first, *names[1:]] if bare or len(first) == 1 else names
        if separator == " " and first in ("#", "%"):
            names = names[1:]
    return _Head(tuple(tidy(name) for name in names), begin, begin + used)


def _emptied_until(content: bytes, line: int) -> bytes:
    """``content`` with its first lines emptied; those that remain keep their numbers."""
    start = 0
    for _ in range(line):
        end = content.find(b"\n", start)
        if end < 0:
            return b"\n" * line
        start = end + 1
    return b"\n" * line + content[start:]


def _aligned(head: _Head, content: bytes, separator: str, reading: Reading, where: str) -> tuple[list[str], int]:
    """The names, and how many fields the rows have. R's row names, which have no name, must be stated (``index``)."""
    names = list(head.names)
    if len(names) > MOST_COLUMNS:
        raise InputError(f"{len(names):,} columns", where=where, hint=f"keep at most {MOST_COLUMNS:,}")
    sample = content[: dialect.SAMPLE].decode(errors="replace")
    if len(content) > dialect.SAMPLE:
        sample = sample[: sample.rfind("\n")]
    first = next(dialect.records(sample, separator), None)
    if first is None:
        if not any(names):
            raise InputError("the table has no column names", where=where, hint="give a table with a line of names")
        raise InputError("the table has no rows", where=where, hint="give a table with rows")
    width = len(first)
    if width > len(names) and not any(field.strip() for field in first[len(names) :]):
        return names + [""] * (width - len(names)), width
    if width == len(names) + 1 and listed(reading.index)[:1] == (ROW_NAMES,):
        return ["", *names], width
    while len(names) > width and not names[-1]:
        names.pop()  # separators at the end of the line of names alone
    return names, len(names)


def _parsed(content: bytes, separator: str, width: int, names: int, where: str) -> list[Any]:
    """The columns as texts. Every row has ``width`` fields, or the first that has not is named."""
    original = content
    if separator == " ":
        content = _tabbed(content)
    else:
        sign = re.escape(separator.encode())
        content = re.sub(rb"(?m)(" + sign + rb'|^)[ ]+(?=")', rb"\1", content) if b' "' in content else content
    refused: list[tuple[int, int, str]] = []

    def refuse(row: Any) -> str:
        refused.append((row.number or 0, row.actual_columns, row.text))
        return "error"

    columns = [str(place) for place in range(width)]
    texts = arrow_csv.ConvertOptions(column_types=dict.fromkeys(columns, pa.string()), strings_can_be_null=False)
    try:
        table = arrow_csv.read_csv(
            pa.BufferReader(content),
            read_options=arrow_csv.ReadOptions(column_names=columns, use_threads=False, block_size=BLOCK),
            parse_options=arrow_csv.ParseOptions(
                delimiter="\t" if separator == " " else separator,
                newlines_in_values=b'"' in content,
                invalid_row_handler=refuse,
            ),
            convert_options=texts,
        )
    except (pa.ArrowException, ValueError) as error:
        if refused:
            raise _misaligned(original, separator, names, width, refused[0], where) from None
        raise InputError(f"the table cannot be read: {error}", where=where, hint="correct that line") from None
    arrays = [table.column(name).combine_chunks() for name in columns]
    _check_quotes(arrays, original, separator, where)
    return arrays


def _tabbed(content: bytes) -> bytes:
    """Runs of blanks as one tab."""
    if b'"' in content:
        rows = ("\t".join(f'"{w}"' if " " in w else w for w in row) for row in _kept_lines(content.decode()))
        return "\n".join(rows).encode()
    content = re.sub(rb"(?m)^[ \t]+|[ \t]+$", b"", content)
    return re.sub(rb"[ \t]+", b"\t", content)


def _kept_lines(text: str) -> Iterator[list[str]]:
    for line in text.split("\n"):
        yield next(dialect.records(line, " "), [])


def _misaligned(
    content: bytes, separator: str, names: int, width: int, refused: tuple[int, int, str], where: str
) -> InputError:
    number, fields, _ = refused
    line = next((n for n, row in _Lines(content, separator) if len(row) != width), number)
    what = f"{names:,} name{'s' * (names != 1)}, {fields:,} field{'s' * (fields != 1)} in line {line:,}"
    if fields == names + 1 and refused[0] == 1:
        hint = "correct that line; where the first field of each row is R's row name, give index='Unnamed: 0'"
    else:
        hint = f"correct that line, or leave it out with skip_lines={line}, or say header=… or separator=…"
    return InputError(what, where=where, hint=hint)


def _check_quotes(arrays: list[Any], content: bytes, separator: str, where: str) -> None:
    """A quote that is never closed makes one field of many lines: such a field holds separators at its line ends."""
    least = max(1, len(arrays) - 1)
    for array in arrays:
        if b'"' not in content:
            return
        for text in array.filter(pc.match_substring(array, "\n")).to_pylist():
            if any(part.count(separator) >= least for part in text.split("\n")[1:]):
                start = text.split("\n")[0][:40]
                line = content.find(start.encode())
                number = content[:line].count(b"\n") + 1
                what = f'a quote (") in line {number:,} is not closed where its field ends'
                raise InputError(what, where=where, hint="close it, or double quotes that belong to a text")


def _without_empty_tail(
    names: list[str], columns: list[Any], head: _Head, lines: _Lines, said: Said, where: str
) -> tuple[list[str], list[Any]]:
    """Without nameless columns that hold nothing, and without rows that hold nothing."""
    empty = [pc.all(pc.equal(pc.utf8_trim_whitespace(column), "")).as_py() for column in columns]
    begin = len(head.names) + (len(names) > len(head.names) and not names[0] and bool(head.names[0]))  # row names
    for place in range(begin, len(names)):
        if not empty[place]:
            row = next(i for i, text in enumerate(columns[place].to_pylist()) if text.strip())
            what = f"{len(head.names)} names, {len(names)} fields in {lines.place(row)}"
            raise InputError(what, where=where, hint="name every column, or correct that line")
    kept = [place for place, name in enumerate(names) if name or not empty[place]]
    if len(kept) < len(names):
        said.part(f"{len(names) - len(kept)} empty column{'s' * (len(names) - len(kept) > 1)} without a name left out")
    return [names[place] for place in kept], [columns[place] for place in kept]


def _check_footer(columns: list[Any], reading: Reading, lines: _Lines, where: str) -> None:
    """Refuse a last row of totals: it is no row like the others."""
    if reading.skip_lines == NONE or not columns or len(columns[0]) < 3:
        return
    for column in columns:
        last = column[-1].as_py().strip()
        if last.lower().rstrip(":") in _TOTALS and pc.sum(pc.equal(column, column[-1])).as_py() == 1:
            line = lines.place(len(column) - 1)
            number = line.split()[-1].replace(",", "")
            hint = f"leave it out with skip_lines={number}, or keep it with skip_lines=none"
            raise InputError(f"{line} ({last!r}) looks like a row of totals", where=where, hint=hint)


def _check_head(names: tuple[str, ...], columns: list[Any], head: _Head, reading: Reading, where: str) -> None:
    """Refuse a first row that is taken for names."""
    if reading.header != GUESS:
        return
    numbers = [name for name in names if dialect.looks_numeric(name)]
    suspects = [] if _counted(numbers) else list(numbers)
    suspects += [
        name
        for name, column in zip(names, columns, strict=True)
        if len(name) > 1 and pc.any(pc.equal(pc.utf8_trim_whitespace(column), name)).as_py()
    ]
    repeated = len(suspects) == len(names) and not numbers  # the line of names again, further down
    if suspects and not repeated:
        what = f"line {head.line} looks like a row, not like names ({suspects[0]!r})"
        hint = f"header=none calls the columns c1, c2, …; header={head.line} takes that line for names all the same"
        raise InputError(what, where=where, hint=hint)


def _counted(numbers: list[str]) -> bool:
    """Whether numbers are names all the same: years, or counted in equal steps."""
    if not all(number.isdigit() for number in numbers):
        return False
    steps = {int(b) - int(a) for a, b in itertools.pairwise(numbers)}
    if all(1000 <= int(number) < 3000 for number in numbers):
        return min(steps, default=1) > 0
    return steps == {1} or (len(numbers) > 2 and len(steps) == 1 and min(steps) > 0) or numbers == ["0"]


class _Lines:
    """Finds the lines of records; looked through only when one must be named."""

    def __init__(self, content: bytes, separator: str) -> None:
        self._content, self._separator = content, separator

    def __iter__(self) -> Iterator[tuple[int, list[str]]]:
        """The number of the first line of each record, with its fields."""
        text = self._content.decode()
        if self._separator == " ":
            for number, line in enumerate(text.split("\n"), 1):
                if line.strip():
                    yield number, next(dialect.records(line, " "))
            return
        reader = csv.reader(io.StringIO(text), delimiter=self._separator, skipinitialspace=True)
        before = 0
        for row in reader:
            if row:
                yield before + 1, row
            before = reader.line_num

    def place(self, row: int) -> str:
        """Where (``line 5``) the row of that index begins."""
        number = next((number for place, (number, _) in enumerate(self) if place == row), row + 2)
        return f"line {number:,}"
