"""A user's table: its source, the names a user may write, its index columns, and its columns on request."""

from __future__ import annotations

import re
import unicodedata
from collections import Counter

import numpy as np
import pyarrow as pa  # type: ignore[import-untyped]

from bench.core.errors import InputError, suggest
from tasks.reading.columns import KeyColumn
from tasks.reading.own import frames
from tasks.reading.own.context import Context, Wanted
from tasks.reading.own.convert import as_column
from tasks.reading.own.numbers import COMMA, POINT, Evidence, signs_of
from tasks.reading.own.parquet import check_names, read_parquet
from tasks.reading.own.reading import GUESS, MISSING_NUMBERS, NONE, Reading, listed
from tasks.reading.own.source import Said
from tasks.reading.own.text import read_text, tidy

SAMPLE_ROWS = 1000
_ROW_NUMBERS = re.compile(
    r"unnamed: \d+(_level_\d+)?|row\.?names?|row|index|x|x1|v1|level_\d+|__index_level_\d+__|\.\.\.1|rn|#"
)
_DECORATED = re.compile(r"unnamed: \d+(_level_\d+)?|row\.?names?|index|__index_level_\d+__|\.\.\.1|rn")
_PLAIN = Wanted()


class Sheet:
    """A table that is read by a stated reading; :meth:`said` tells what was guessed."""

    def __init__(self, path: str, reading: Reading) -> None:
        file = frames.locate(path)
        self._said = Said()
        self._reading = reading
        if frames.is_parquet(file):
            if file.stat().st_size == 0:
                raise InputError("the file is empty", where=path, hint="give a table with rows")
            self._source = read_parquet(file, path)
        else:
            self._source = read_text(frames.content_of(file, path), reading, self._said, path)
        check_names(self._source.names, path)
        texts = frozenset(self.listed(reading.texts))
        for name in self.names:
            base, _, number = name.rpartition(".")
            if number.isdigit() and base in self.names:
                self._said.about("named as pandas and R name a second column of one name", name)
        self._context = Context(reading, self._evidence(), self._said, self._source.place, path, texts)

    @property
    def names(self) -> tuple[str, ...]:
        """All columns, in the order of the file."""
        return self._source.names

    def said(self) -> tuple[str, ...]:
        """The line that says what was guessed."""
        return self._said.line()

    def resolved(self, name: str) -> str:
        """The column that a user means.

        Raises:
            InputError: there is none of that name.
        """
        return resolved(name, self.names)

    def listed(self, text: str | None) -> tuple[str, ...]:
        """The columns that a list names, whose names may themselves hold commas.

        Raises:
            InputError: there is none of a name.
        """
        return tuple(self.resolved(name) for name in _names(text, self.names))

    def column(self, name: str, wanted: Wanted = _PLAIN) -> KeyColumn:
        """The column ``name``.

        Raises:
            InputError: it cannot be read as one kind of values.
        """
        return as_column(name, self._source[name], wanted, self._context)

    def index_columns(self, needed: frozenset[str]) -> tuple[str, ...]:
        """Columns that only number or name the rows, which are no inputs.

        Args:
            needed: columns that the user names, which are never among them.

        Raises:
            InputError: a column has no name and is no index.
        """
        if self._reading.index != GUESS:
            return self.listed(self._reading.index) if self._reading.index != NONE else ()
        found = [name for place, name in enumerate(self.names) if name not in needed and self._is_index(name, place)]
        for name in found:
            shown = "the column without a name" if name in self._source.nameless else name
            self._said.about("left out as numbers or names of rows", shown)
        for place, name in enumerate(self.names):
            if name in self._source.nameless and name not in needed and name not in found:
                hint = f"name it in the file, leave it out (drop={name!r}), or keep it under that name (index=none)"
                raise InputError(f"column {place + 1} has no name", where=self._context.where, hint=hint)
        return tuple(found)

    def _is_index(self, name: str, place: int) -> bool:
        plain = name.lower()
        nameless = name in self._source.nameless
        if name in self._source.index:
            return not pa.types.is_temporal(self._source[name].type)
        usual = name in self._source.levels or (_ROW_NUMBERS.fullmatch(plain) and not (plain == "x" and name != "X"))
        if not usual or (nameless and place > 0):
            return False
        texts = self._source[name]
        different = len(texts.unique()) == len(texts) > 1 and texts.null_count == 0
        if not different:
            return False
        try:
            values = np.array([float(value) for value in texts.to_pylist()])
        except (TypeError, ValueError):
            return nameless or _DECORATED.fullmatch(plain) is not None
        whole = bool((values == np.round(values)).all())
        counted = whole and bool((np.sort(values) == np.arange(len(values)) + values.min()).all())
        return (counted and values.min() in (0, 1)) or (whole and _DECORATED.fullmatch(plain) is not None)

    def _evidence(self) -> Evidence:
        """What the columns whose decimal sign is beyond doubt say of that of the others."""
        signs: Counter[str] = Counter()
        for array in self._source.columns:
            if pa.types.is_string(array.type) or pa.types.is_large_string(array.type):
                head = {text.strip() for text in array[:SAMPLE_ROWS].to_pylist() if text is not None}
                signs.update(set(signs_of([text for text in head if text.lower() not in MISSING_NUMBERS and text])))
        decimal = "." if signs[POINT] else "," if signs[COMMA] else None
        decimal = None if signs[POINT] and signs[COMMA] else decimal
        return Evidence(decimal, self._source.separator)


def resolved(name: str, names: tuple[str, ...] | list[str]) -> str:
    """The one of ``names`` that is meant by ``name``, blanks and ways to write a letter aside.

    Raises:
        InputError: there is none.
    """
    if name in names:
        return name
    for same in (tidy, lambda text: unicodedata.normalize("NFKC", tidy(text))):
        found = [known for known in names if same(known) == same(name)]
        if len(found) == 1:
            return found[0]
    raise InputError(f"there is no column {name!r}", hint=suggest(name, names))


def _names(text: str | None, known: tuple[str, ...]) -> list[str]:
    """The names in a list separated by commas; a name that holds commas is found as a whole."""
    pieces, found = list(listed(text)), []
    while pieces:
        for count in range(len(pieces), 0, -1):
            candidate = tidy(", ".join(pieces[:count]))
            match = next((name for name in known if re.sub(r"\s*,\s*", ", ", name) == candidate), None)
            if match is not None or count == 1:
                found.append(match or pieces[0])
                del pieces[:count]
                break
    return found
