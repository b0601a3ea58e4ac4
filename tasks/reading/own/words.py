"""A column of texts: numbers, times, truth values or words, as its entries are."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa  # type: ignore[import-untyped]
import pyarrow.compute as pc  # type: ignore[import-untyped]

from bench.core.errors import InputError
from tasks.reading.columns import TRUTHS, ColumnKind, KeyColumn, number_key
from tasks.reading.own.context import Context, Wanted, checked, too_large
from tasks.reading.own.numbers import AmbiguousNumbers, Numbers, read_numbers
from tasks.reading.own.reading import GUESS, MISSING_NUMBERS, MISSING_TEXTS
from tasks.reading.times import read_times

MOSTLY = 0.5  # with more than this share of numbers a column is one of numbers, and the rest are faults
_UNSEEN = " \t\n\r\u00a0\ufeff\u200b\u202f"


def column_of_texts(name: str, array: Any, wanted: Wanted, context: Context) -> KeyColumn:
    """The column that an Arrow array of texts is.

    Raises:
        InputError: most entries are numbers or times and some are not, or they may be read in two ways.
    """
    trimmed = pc.utf8_trim(array.fill_null(""), _UNSEEN)
    if (column := _plain_numbers(name, trimmed, wanted, context)) is not None:
        return column
    coded = trimmed.dictionary_encode()
    codes = coded.indices.to_numpy(zero_copy_only=False)
    words = tuple(coded.dictionary.to_pylist())
    table = _Words(name, words, codes, np.bincount(codes, minlength=len(words)), wanted, context)
    if name in context.texts:
        return table.as_words()
    known = table.known(MISSING_NUMBERS)
    if not known.any():
        return table.as_floats(np.full(len(words), np.nan), "number", known)
    if (truths := table.as_truths()) is not None:
        return truths
    stated = "%" in context.reading.dates
    if stated and (times := table.as_times(known, stated=True)) is not None:
        return times
    numbers = table.numbers(known)
    if (column := table.as_numbers(numbers, known)) is not None:
        return column
    if (column := table.as_times(known)) is not None:
        return column
    if not wanted.mixed:
        days = table.days(known)
        table.refuse_mixture("number", numbers.mask, numbers.like, known)
        table.refuse_mixture("time", np.isfinite(days), np.isfinite(days), known)
    if (numbers.mask & known).any():
        context.said.about("words, although some are numbers", name)
    return table.as_words()


def _plain_numbers(name: str, texts: Any, wanted: Wanted, context: Context) -> KeyColumn | None:
    """Numbers as computers write them, which Arrow reads a hundred times faster than Python.

    ``None`` where anything needs a closer look: grouped digits, units, a decimal sign in doubt, words.
    """
    reading = context.reading
    if wanted.keys or name in context.texts or "%" in reading.dates or reading.thousands != GUESS:
        return None
    markers = MISSING_NUMBERS if reading.markers is None else reading.markers
    gone = pc.is_in(pc.utf8_lower(texts), value_set=pa.array(sorted({"", *markers}), pa.string()))
    bodies = texts.filter(pc.invert(gone))
    with_points = _with_points(bodies, context) if len(bodies) else None
    if with_points is None:
        return None
    try:
        known = pc.cast(with_points, pa.float64()).to_numpy(zero_copy_only=False)
    except pa.ArrowException:
        return None
    if np.isnan(known).any() or too_large(known):
        return None
    values = np.full(len(texts), np.nan)
    values[~gone.to_numpy(zero_copy_only=False)] = known
    for entry in texts.filter(gone).value_counts().to_pylist():
        if entry["values"]:
            context.said.missing(entry["values"], name, entry["counts"])
    if with_points is not bodies and _any(bodies, ","):
        context.said.about("decimal comma", name)
    if pc.any(pc.match_substring_regex(bodies, r"^[+-]?0\d+$")).as_py():
        context.said.about("zeros before whole numbers dropped", name)
    return checked(name, KeyColumn(values, "number"), context)


def _with_points(bodies: Any, context: Context) -> Any | None:
    """Entries with decimal points; ``None`` where the decimal sign of the column is in doubt."""
    decimal = context.evidence.decimal if context.reading.decimal == GUESS else context.reading.decimal
    if decimal == ",":
        return None if _any(bodies, ".") else pc.replace_substring(bodies, ",", ".")
    if decimal is None and context.evidence.separator in (";", "\t") and _any(bodies, "."):
        return None
    return bodies


def _any(texts: Any, sign: str) -> bool:
    return bool(pc.any(pc.match_substring(texts, sign)).as_py())


@dataclass(frozen=True)
class _Read:
    """What the different entries are as numbers.

    Args:
        plain: (k,) as Python writes them, ``None`` where one is no number.
        mask: (k,) where they are numbers.
        like: (k,) where they begin as numbers do, with a unit or sign of their own perhaps.
        how: what was guessed.
    """

    plain: tuple[str | None, ...]
    mask: np.ndarray
    like: np.ndarray
    how: tuple[str, ...]


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
        return np.array([w in kept or (bool(w) and w.lower() not in missing) for w in self.words], dtype=bool)

    def as_truths(self) -> KeyColumn | None:
        """True and false, yes and no."""
        known = self.known(MISSING_NUMBERS)
        lower = {word.lower() for word, is_known in zip(self.words, known, strict=True) if is_known}
        if not (lower <= {"true", "false"} or lower in ({"yes", "no"}, {"y", "n"}, {"t", "f"})):
            return None
        if not lower <= {"true", "false"}:
            self.context.said.about("yes = 1, no = 0", self.name)
        values = np.array([TRUTHS.get(word.lower(), np.nan) for word in self.words])
        return self.as_floats(np.where(known, values, np.nan), "truth", known, self.words)

    def numbers(self, known: np.ndarray) -> _Read:
        """The entries as numbers.

        Raises:
            InputError: they may be read in two ways.
        """
        places = np.flatnonzero(known)
        size = len(self.words)
        try:
            read = self._plain([self.words[place] for place in places])
        except AmbiguousNumbers as doubt:
            if self.wanted.mixed:
                return _Read((None,) * size, np.zeros(size, dtype=bool), np.zeros(size, dtype=bool), ())
            raise InputError(f"the column {self.name!r}: {doubt}", where=self.context.where) from None
        plain: list[str | None] = [None] * size
        like = np.zeros(size, dtype=bool)
        like[places] = read.like
        for place, number in zip(places, read.plain, strict=True):
            plain[place] = number
        return _Read(tuple(plain), np.array([number is not None for number in plain]), like, read.how)

    def as_numbers(self, read: _Read, known: np.ndarray) -> KeyColumn | None:
        """A column of numbers, where all entries are."""
        if (known & ~read.mask).any():
            return None
        for what in read.how:
            self.context.said.about(what, self.name)
        values = np.array([np.nan if number is None else float(number) for number in read.plain])
        column = self.as_floats(values, "number", known, self._number_keys(read.plain))
        if too_large(values):
            whole = [None if n is None or not n.lstrip("-").isdigit() else int(n) for n in read.plain]
            if not any(w is None and n is not None for w, n in zip(whole, read.plain, strict=True)):
                column = dataclasses.replace(column, exact=np.array(whole, dtype=object)[self.codes])
        return checked(self.name, column, self.context)

    def _plain(self, texts: list[str]) -> Numbers:
        """Texts as Python writes numbers; most files have nothing else, which Arrow finds out fast."""
        context = self.context
        certain = context.reading.decimal == "." or context.evidence.separator not in (";", "\t")
        certain = certain or context.evidence.decimal == "."
        if certain and context.reading.decimal != "," and context.evidence.decimal != ",":
            try:
                numbers = pc.cast(pa.array(texts, pa.string()), pa.float64())
            except pa.ArrowException:
                numbers = None
            if numbers is not None and not pc.any(pc.is_nan(numbers)).as_py():
                return Numbers(tuple(text.removeprefix("+") for text in texts), (True,) * len(texts))
        return read_numbers(texts, context.reading, context.evidence)

    def _number_keys(self, plain: tuple[str | None, ...]) -> tuple[str, ...] | None:
        """The exact value of each entry; codes such as 01 are told apart from 1 by their spelling."""
        digits = [n for n in plain if n is not None]
        coded = any(len(n) > 1 and n[0] == "0" and n.isdigit() for n in digits)
        if coded and not self.wanted.keys:
            self.context.said.about("zeros before whole numbers dropped", self.name)
        if not self.wanted.keys:
            return None
        if coded:
            return tuple(w if n is not None else "" for w, n in zip(self.words, plain, strict=True))
        return tuple("" if n is None else number_key(n) or "" for n in plain)

    def days(self, known: np.ndarray) -> np.ndarray:
        """The entries as days (k,), NaN where one is no time."""
        places = np.flatnonzero(known)
        days = np.full(len(self.words), np.nan)
        days[places] = read_times([self.words[place] for place in places], self.context.reading.dates).days
        return days

    def as_times(self, known: np.ndarray, stated: bool = False) -> KeyColumn | None:
        """Times in days, where all entries are; numbers such as 20230113 too where the format is ``stated``.

        Raises:
            InputError: they may be read in two ways.
        """
        form = self.context.reading.dates
        texts = [self.words[place] for place in np.flatnonzero(known)]
        if stated and form == "%Y%m%d" and min(len(text) for text in texts) < 8:
            return None  # Python would read 2023 as the second of March 2020
        read = read_times(texts, form)
        if np.isnan(read.days).any():
            return None
        if read.problem is not None:
            if self.wanted.mixed:
                return None
            raise InputError(f"the column {self.name!r}: {read.problem}", where=self.context.where)
        self.context.said.about(read.how, self.name)
        days = np.full(len(self.words), np.nan)
        days[known] = read.days
        return self.as_floats(days, "time", known, self.words)

    def as_words(self) -> KeyColumn:
        """Words as they are."""
        known = self.known(MISSING_TEXTS)
        self._say_missing(known)
        words = np.array([w if k else "" for w, k in zip(self.words, known, strict=True)], dtype=np.str_)
        return KeyColumn(np.asarray(words[self.codes]), "text")

    def as_floats(
        self, values: np.ndarray, kind: ColumnKind, known: np.ndarray, keys: tuple[str, ...] | None = None
    ) -> KeyColumn:
        """A column of numbers from those of its different entries."""
        self._say_missing(known)
        spread = None
        if keys is not None and self.wanted.keys:
            given = [key if is_known else "" for key, is_known in zip(keys, known, strict=True)]
            spread = np.array(given, dtype=np.str_)[self.codes]
        return KeyColumn(values[self.codes], kind, spread)

    def _say_missing(self, known: np.ndarray) -> None:
        for word, count, is_known in zip(self.words, self.counts, known, strict=True):
            if word and not is_known:
                self.context.said.missing(word, self.name, int(count))

    def refuse_mixture(self, noun: str, fits: np.ndarray, like: np.ndarray, known: np.ndarray) -> None:
        """Nothing, where few entries are of a kind.

        Raises:
            InputError: most are, some are not: no reading of those few is right.
        """
        if self.counts[like & known].sum() <= MOSTLY * self.counts[known].sum():
            return
        strangers = known & ~fits
        row = int(np.argmax(strangers[self.codes]))
        place = int(self.codes[row])
        word, line = self.words[place], self.context.place(row)
        if like[place]:
            hint = f"write all with the same unit and signs, or texts={self.name!r} where the column holds words"
        else:
            hint = f"missing={word!r} where it means missing, texts={self.name!r} where the column holds words"
            if line.startswith("line"):
                hint += f", skip_lines={line.split()[-1].replace(',', '')} where that line is no row"
        count = int(self.counts[strangers].sum())
        many = f" ({count:,} such entries)" if count > 1 else ""
        what = f"{word!r} in {line} is no {noun} as others of the column {self.name!r} are{many}"
        raise InputError(what, where=self.context.where, hint=hint)
