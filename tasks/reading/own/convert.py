"""From an Arrow array of any type to a column of numbers, times, truth values or words."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa  # type: ignore[import-untyped]
import pyarrow.compute as pc  # type: ignore[import-untyped]

from bench.core.errors import InputError
from tasks.reading.columns import TRUTHS, Column, number_key
from tasks.reading.own.numbers import AmbiguousNumbers, Evidence, Numbers, read_numbers
from tasks.reading.own.reading import MISSING_NUMBERS, MISSING_TEXTS, Reading
from tasks.reading.own.said import Said
from tasks.reading.times import read_times

LARGEST = 1e150  # squares beyond overflow in float64
LARGEST_WHOLE = 2.0**53  # whole numbers beyond are rounded in float64
MOSTLY = 0.5  # with more than this share of numbers a column is one of numbers, and the rest are faults
_PER_DAY = {"s": 86400.0, "ms": 86400e3, "us": 86400e6, "ns": 86400e9}


@dataclass(frozen=True)
class Context:
    """What a column is read by.

    Args:
        reading: as stated.
        evidence: what the file says of its decimal sign.
        said: gathers what was guessed.
        place: of a row by its index: "line 5".
        where: the file.
        texts: columns that stay texts.
    """

    reading: Reading
    evidence: Evidence
    said: Said
    place: Callable[[int], str]
    where: str
    texts: frozenset[str] = frozenset()


@dataclass(frozen=True)
class Wanted:
    """What a column is needed for.

    Args:
        keys: to tell its groups apart, so that its exact values are kept.
        words: entries that are values there although they usually mean "missing" (groups that are asked for).
        mixed: whether numbers may stand among words: they may in a column of groups.
    """

    keys: bool = False
    words: frozenset[str] = frozenset()
    mixed: bool = False


def as_column(name: str, array: Any, wanted: Wanted, context: Context) -> Column:
    """The column ``name``.

    Raises:
        InputError: it holds what is no value (lists, infinity), numbers that may be read in two ways, or a few words
            among numbers.
    """
    kind = array.type
    if isinstance(kind, pa.BaseExtensionType):
        return _of_extension(name, array, wanted, context)
    if pa.types.is_dictionary(kind):
        return _of_dictionary(name, array, wanted, context)
    if pa.types.is_null(kind):
        return Column(np.full(len(array), np.nan), "number")
    if pa.types.is_boolean(kind):
        return Column(_floats(array), "truth")
    if pa.types.is_temporal(kind) and not pa.types.is_interval(kind):
        return Column(_days(array), "time")
    if pa.types.is_integer(kind) or pa.types.is_decimal(kind) or pa.types.is_floating(kind):
        return _of_numbers(name, array, wanted, context)
    if pa.types.is_binary(kind) or pa.types.is_large_binary(kind) or pa.types.is_fixed_size_binary(kind):
        array = _decoded(name, array, context)
    elif not (pa.types.is_string(kind) or pa.types.is_large_string(kind) or str(kind) == "string_view"):
        hint = f"leave it out (drop={name}), or spread it over columns"
        raise InputError(f"the column {name!r} holds {kind}, no numbers", where=context.where, hint=hint)
    return _of_texts(name, array.cast(pa.string()), wanted, context)


def _of_extension(name: str, array: Any, wanted: Wanted, context: Context) -> Column:
    if array.type.extension_name == "pandas.period":
        stamps = pa.Array.from_pandas(array.to_pandas().dt.to_timestamp())
        context.said.about("periods by their begin", name)
        return as_column(name, stamps, wanted, context)
    return as_column(name, array.storage, wanted, context)


def _of_dictionary(name: str, array: Any, wanted: Wanted, context: Context) -> Column:
    """Categories: words with or without an order; categories that are numbers are numbers."""
    ordered, levels = array.type.ordered, array.dictionary
    column = as_column(name, array.dictionary_decode(), wanted, context)
    if column.kind in ("number", "truth", "time"):
        context.said.about("categories read as what they hold, numbers or times", name)
        return column
    if not ordered:
        return column
    return Column(column.values, "order", levels=tuple(str(level) for level in levels.to_pylist()))


def _decoded(name: str, array: Any, context: Context) -> Any:
    try:
        return array.cast(pa.binary()).cast(pa.string())
    except pa.ArrowException:
        hint = f"leave it out (drop={name})"
        raise InputError(f"the column {name!r} holds bytes, no numbers", where=context.where, hint=hint) from None


def _floats(array: Any) -> np.ndarray:
    return np.asarray(array.cast(pa.float64()).fill_null(np.nan).to_numpy(zero_copy_only=False), dtype=np.float64)


def _days(array: Any) -> np.ndarray:
    """Instants and dates in days since 1970 (UTC), times of day and durations in days."""
    kind = array.type
    per_day = 1.0 if pa.types.is_date32(kind) else 86400e3 if pa.types.is_date64(kind) else _PER_DAY[kind.unit]
    width = pa.int32() if kind.bit_width == 32 else pa.int64()
    gaps = array.is_null().to_numpy(zero_copy_only=False)
    whole = array.cast(width).cast(pa.int64()).fill_null(0).to_numpy(zero_copy_only=False)
    return np.where(gaps, np.nan, whole / per_day)


def _of_numbers(name: str, array: Any, wanted: Wanted, context: Context) -> Column:
    kind = array.type
    if pa.types.is_floating(kind) and kind.bit_width < 64:
        # 0.1 in float32 is the 0.1 that a person sees, not 0.10000000149: the shortest decimal that means the same
        narrow = array.cast(pa.float32()).fill_null(np.nan).to_numpy(zero_copy_only=False)
        if kind.bit_width == 16:
            narrow = narrow.astype(np.float16)
        different, place = np.unique(narrow, return_inverse=True)
        values = np.array([float(str(value)) for value in different], dtype=np.float64)[place]
    elif pa.types.is_floating(kind):
        values = _floats(array)
    else:
        values = _rounded(array)
    keys = exact = None
    if not pa.types.is_floating(kind):
        if wanted.keys:
            keys = _spread(array, lambda value: number_key(str(value)) or "")
        if pa.types.is_integer(kind) and _too_large(values):
            exact = np.array(array.to_pylist(), dtype=object)
    return _checked(name, Column(values, "number", keys, exact), context)


def _rounded(array: Any) -> np.ndarray:
    """Whole numbers and decimals in the nearest float64, also beyond 2^53."""
    if pa.types.is_decimal(array.type):
        return np.array([np.nan if value is None else float(value) for value in array.to_pylist()], dtype=np.float64)
    gaps = array.is_null().to_numpy(zero_copy_only=False)
    whole = array.fill_null(0).to_numpy(zero_copy_only=False).astype(np.float64)
    return np.where(gaps, np.nan, whole)


def _too_large(values: np.ndarray) -> bool:
    known = values[~np.isnan(values)]
    return bool(len(known)) and float(np.abs(known).max()) >= LARGEST_WHOLE


def _spread(array: Any, word: Callable[[Any], str]) -> np.ndarray:
    """A text for each value (n,), computed once for each different one; "" where there is none."""
    coded = array.dictionary_encode() if not pa.types.is_dictionary(array.type) else array
    words = np.array([word(value) for value in coded.dictionary.to_pylist()] + [""], dtype=np.str_)
    return np.asarray(words[coded.indices.fill_null(len(words) - 1).to_numpy(zero_copy_only=False)])


def _of_texts(name: str, array: Any, wanted: Wanted, context: Context) -> Column:
    """Texts that may be numbers, times, truth values or words, as most of them are."""
    trimmed = pc.utf8_trim(array.fill_null(""), " \t\n\r\u00a0\ufeff\u200b\u202f")
    coded = trimmed.dictionary_encode()
    words = coded.dictionary.to_pylist()
    codes = coded.indices.to_numpy(zero_copy_only=False)
    counts = np.bincount(codes, minlength=len(words))
    table = _Words(name, tuple(words), codes, counts, wanted, context)
    if name in context.texts:
        return table.as_words()
    known = table.known(MISSING_NUMBERS)
    if not known.any():
        return table.as_floats(np.full(len(words), np.nan), "number", known)
    return table.as_truths() or table.as_numbers(known) or table.as_times(known) or table.as_words()


@dataclass(frozen=True)
class _Words:
    """The different entries of a column.

    Args:
        words: (k,) the different entries.
        codes: (n,) which of them a row holds.
        counts: (k,) rows that hold it.
    """

    name: str
    words: tuple[str, ...]
    codes: np.ndarray
    counts: np.ndarray
    wanted: Wanted
    context: Context

    def known(self, usual: frozenset[str]) -> np.ndarray:
        """Mask (k,) of entries that are values."""
        stated = self.context.reading.markers
        missing = usual if stated is None else stated
        kept = self.wanted.words
        return np.array([w in kept or bool(w) and w.lower() not in missing for w in self.words], dtype=bool)

    def as_truths(self) -> Column | None:
        """True and false, yes and no."""
        known = self.known(MISSING_NUMBERS)
        lower = {word.lower() for word, is_known in zip(self.words, known, strict=True) if is_known}
        if not (lower <= {"true", "false"} or lower in ({"yes", "no"}, {"y", "n"}, {"t", "f"})):
            return None
        if not lower <= {"true", "false"}:
            self.context.said.about("yes = 1, no = 0", self.name)
        values = np.array([TRUTHS.get(word.lower(), np.nan) for word in self.words])
        return self.as_floats(np.where(known, values, np.nan), "truth", known, self.words)

    def as_numbers(self, known: np.ndarray) -> Column | None:
        """Numbers, where most entries are.

        Raises:
            InputError: a few entries are none, or they may be read in two ways.
        """
        context, places = self.context, np.flatnonzero(known)
        try:
            read = self._plain([self.words[place] for place in places])
        except AmbiguousNumbers as doubt:
            if self.wanted.mixed:
                return None
            raise InputError(f"the column {self.name!r}: {doubt}", where=context.where) from None
        plain: list[str | None] = [None] * len(self.words)
        for place, number in zip(places, read.plain, strict=True):
            plain[place] = number
        fits = np.array([number is not None for number in plain])
        if not self._are("number", fits, known):
            return None
        for what in read.how:
            context.said.about(what, self.name)
        values = np.array([np.nan if number is None else float(number) for number in plain])
        keys = self._number_keys(plain)
        column = self.as_floats(values, "number", known, keys)
        if _too_large(values):
            whole = [None if n is None or not n.lstrip("-").isdigit() else int(n) for n in plain]
            if not any(w is None and n is not None for w, n in zip(whole, plain, strict=True)):
                exact = np.array([*whole, None], dtype=object)[self.codes]
                column = Column(column.values, "number", column.keys, exact)
        return _checked(self.name, column, context)

    def _plain(self, texts: list[str]) -> Numbers:
        """Texts as Python writes numbers; most files have nothing else, which Arrow finds out fast."""
        context = self.context
        certain = context.reading.decimal == "." or context.evidence.separator not in (";", "\t")
        certain = certain or context.evidence.decimal == "."
        if certain and context.reading.decimal != "," and context.evidence.decimal != ",":
            try:
                pc.cast(pa.array(texts, pa.string()), pa.float64())
            except pa.ArrowException:
                pass
            else:
                return Numbers(tuple(text.removeprefix("+") for text in texts))
        return read_numbers(texts, context.reading, context.evidence)

    def _number_keys(self, plain: list[str | None]) -> tuple[str, ...] | None:
        """The exact value of each entry; codes such as 01 are told apart from 1 by their spelling."""
        digits = [n for n in plain if n is not None]
        coded = any(len(n) > 1 and n[0] == "0" and n.isdigit() for n in digits)
        if coded:
            self.context.said.about("zeros before whole numbers dropped", self.name)
        if not self.wanted.keys:
            return None
        if coded:
            return tuple(w if n is not None else "" for w, n in zip(self.words, plain, strict=True))
        return tuple("" if n is None else number_key(n) or "" for n in plain)

    def as_times(self, known: np.ndarray) -> Column | None:
        """Times in days, where most entries are.

        Raises:
            InputError: a few entries are none, or they may be read in two ways.
        """
        places = np.flatnonzero(known)
        read = read_times([self.words[place] for place in places], self.context.reading.dates)
        days = np.full(len(self.words), np.nan)
        days[places] = read.days
        if read.problem is not None and not self.wanted.mixed and np.isfinite(read.days).any():
            raise InputError(f"the column {self.name!r}: {read.problem}", where=self.context.where)
        if not self._are("time", np.isfinite(days), known):
            return None
        self.context.said.about(read.how, self.name)
        return self.as_floats(days, "time", known, self.words)

    def as_words(self) -> Column:
        """Words as they are."""
        known = self.known(MISSING_TEXTS)
        self._say_missing(known)
        words = np.array([w if k else "" for w, k in zip(self.words, known, strict=True)], dtype=np.str_)
        return Column(np.asarray(words[self.codes]), "text")

    def as_floats(
        self, values: np.ndarray, kind: Any, known: np.ndarray, keys: tuple[str, ...] | None = None
    ) -> Column:
        """A column of numbers from those of its different entries."""
        self._say_missing(known)
        spread = None
        if keys is not None and self.wanted.keys:
            given = [key if is_known else "" for key, is_known in zip(keys, known, strict=True)]
            spread = np.array(given, dtype=np.str_)[self.codes]
        return Column(values[self.codes], kind, spread)

    def _say_missing(self, known: np.ndarray) -> None:
        for word, count, is_known in zip(self.words, self.counts, known, strict=True):
            if word and not is_known:
                self.context.said.missing(word, self.name, int(count))

    def _are(self, noun: str, fits: np.ndarray, known: np.ndarray) -> bool:
        """Whether the entries are of a kind.

        Raises:
            InputError: most are, some are not: no reading of those few is right.
        """
        strangers = known & ~fits
        if not strangers.any():
            return True
        share = self.counts[fits & known].sum() / self.counts[known].sum()
        if share <= MOSTLY or self.wanted.mixed:
            if share > 0.1:
                self.context.said.about(f"words, although some are {noun}s", self.name)
            return False
        row = int(np.argmax(strangers[self.codes]))
        word = self.words[self.codes[row]]
        others = Counter({self.words[i]: int(self.counts[i]) for i in np.flatnonzero(strangers)})
        line = self.context.place(row)
        hint = f"missing={word!r} where it means missing, texts={self.name!r} where the column holds words"
        if line.startswith("line"):
            hint += f", skip_lines={line.split()[-1].replace(',', '')} where that line is no row"
        many = f" ({sum(others.values()):,} such entries)" if sum(others.values()) > 1 else ""
        what = f"{word!r} in {line} is no {noun} as the others of the column {self.name!r} are{many}"
        raise InputError(what, where=self.context.where, hint=hint)


def _checked(name: str, column: Column, context: Context) -> Column:
    """Refuse infinity and numbers whose squares overflow; take -999 and the like for missing."""
    values = column.values
    with np.errstate(invalid="ignore"):
        beyond = np.abs(values) > LARGEST
    if beyond.any():
        row = int(np.argmax(beyond))
        what = "is infinite" if np.isinf(values[row]) else f"holds {values[row]:g}, whose square overflows,"
        hint = "correct or remove it" if np.isinf(values[row]) else "rescale the column"
        raise InputError(f"the column {name!r} {what} in {context.place(row)}", where=context.where, hint=hint)
    if column.exact is not None:
        context.said.about("whole numbers beyond 2^53 rounded as inputs", name)
    gone = np.zeros(len(values), dtype=bool)
    for marker, certain in _markers(values, context.reading):
        here = values == marker
        if certain:
            context.said.missing(f"{marker:.10g}", name, int(here.sum()))
            gone |= here
        else:
            context.said.about(f"{marker:.10g} read as a number: missing={marker:.10g} where it is none", name)
    if not gone.any():
        return column
    keys = None if column.keys is None else np.where(gone, "", column.keys)
    return Column(np.where(gone, np.nan, values), column.kind, keys, column.exact)


def _markers(values: np.ndarray, reading: Reading) -> Iterator[tuple[float, bool]]:
    """Numbers that stand for "missing", and whether that is certain enough: those stated, or -99, -999, … alone.

    A marker such as 9999 above all others is only reported: it may be the far value that matters.
    """
    different = np.unique(values[~np.isnan(values)])
    if reading.markers is not None:
        stated = {float(key) for word in reading.markers if (key := number_key(word)) is not None}
        yield from ((marker, True) for marker in sorted(stated) if marker in different)
        return
    while len(different) > 2 and _nines(different[0]):
        marker, different = float(different[0]), different[1:]
        alone = different[0] >= 0 or _nines(different[0])
        if alone or different[0] - marker > different[-1] - different[0]:
            yield marker, marker <= -99
    if len(different) > 2 and different[-1] >= 999 and _nines(different[-1]):
        if different[-1] - different[-2] > max(1.0, different[-2] - different[0]):
            yield float(different[-1]), False


def _nines(value: float) -> bool:
    """Whether it is written with nines alone, as -9, -999.9 or 9999."""
    return abs(value) < 1e10 and set(f"{abs(value):.10g}".replace(".", "")) == {"9"}
