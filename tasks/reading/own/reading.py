"""How a table is to be read: what the user states, and what is left to be guessed."""

from __future__ import annotations

import codecs
import re
from dataclasses import dataclass

GUESS = "guess"
NONE = "none"
SEPARATOR_WORDS = {"comma": ",", "semicolon": ";", "tab": "\t", "\\t": "\t", "bar": "|", "pipe": "|", "blank": " "}
DATE_ORDERS = ("day-first", "month-first")
MISSING_NUMBERS = frozenset(
    [
        "?",
        "-",
        "--",
        "---",
        "–",
        "—",
        ".",
        "..",
        "*",
        "na",
        "n/a",
        "n.a.",
        "n.a",
        "#n/a",
        "#na",
        "nan",
        "-nan",
        "null",
        "(null)",
        "none",
        "nil",
        "<na>",
        "<null>",
        "missing",
        "unknown",
        "undefined",
        "undef",
        "nd",
        "n.d.",
        "n.d",
        "n/d",
        "unavailable",
        "empty",
        "blank",
        "#value!",
        "#div/0!",
        "#ref!",
        "#num!",
        "#name?",
        "#null!",
        "\\n",
        "#n/a_n/a",
        "1.#ind",
        "-1.#ind",
        "1.#qnan",
        "-1.#qnan",
        "nat",
    ]
) | {"not available", "not applicable", "no data"}
"""Lower-case entries that mean "no value" among numbers and times."""
MISSING_TEXTS = frozenset(
    [
        "?",
        "na",
        "n/a",
        "#n/a",
        "#na",
        "nan",
        "null",
        "(null)",
        "<na>",
        "<null>",
        "#value!",
        "#div/0!",
        "#ref!",
        "\\n",
        "nat",
        "none",
    ]
)
"""Lower-case entries that mean "no value" among words."""


@dataclass(frozen=True)
class Reading:
    """What a user states about a table; ``guess`` leaves it to the reader, which says what it guessed.

    Args:
        separator: between the fields of a line: one character, ``tab``, or ``space`` for runs of blanks.
        decimal: the decimal sign, ``.`` or ``,``.
        thousands: the sign between groups of digits, ``space``, or ``none``.
        header: number of the line that holds the names, or ``none``: the columns are then called c1, c2, ….
        encoding: of the text, a name that Python knows.
        missing: entries that mean "no value", separated by commas; ``none``: empty fields only.
        index: columns that only number or name the rows, separated by commas; ``none``: there is none.
        dates: ``day-first``, ``month-first``, a format as ``%d.%m.%Y``, or ``none``: dates stay texts.
        texts: columns that stay texts although they look like numbers or times, separated by commas; or ``none``.
        skip_lines: numbers of lines to leave out, separated by commas; ``none`` keeps lines of totals too.
        comment: what begins lines of comment, or ``none``.
    """

    separator: str = GUESS
    decimal: str = GUESS
    thousands: str = GUESS
    header: str = GUESS
    encoding: str = GUESS
    missing: str = GUESS
    index: str = GUESS
    dates: str = GUESS
    texts: str = NONE
    skip_lines: str = GUESS
    comment: str = GUESS

    def __post_init__(self) -> None:
        self._check_signs()
        if self.header not in (GUESS, NONE) and not (self.header.isdigit() and int(self.header) > 0):
            raise ValueError(f"header must be the number of a line, from 1 on, or none, not {self.header!r}")
        if self.encoding != GUESS:
            try:
                codecs.lookup(self.encoding)
                "".encode(self.encoding)
            except (LookupError, ValueError):
                raise ValueError(f"unknown encoding {self.encoding!r}: utf-8, utf-16, cp1252, latin-1, …") from None
        if self.dates not in (GUESS, NONE, *DATE_ORDERS) and "%" not in self.dates:
            raise ValueError(f"dates must be day-first, month-first, none or a format as %d.%m.%Y, not {self.dates!r}")
        if self.skip_lines not in (GUESS, NONE) and not re.fullmatch(r"\s*\d+(\s*,\s*\d+)*\s*", self.skip_lines):
            raise ValueError(f"skip_lines must be numbers of lines, as 2 or 2,1502, not {self.skip_lines!r}")

    def _check_signs(self) -> None:
        one = len(self.separator) == 1 and not self.separator.isalnum() and self.separator not in "\"'\n\r."
        if not one and self.separator not in (GUESS, "tab", "space"):
            raise ValueError(f"separator must be one character, tab or space, not {self.separator!r}")
        if self.decimal not in (GUESS, ".", ","):
            raise ValueError(f"decimal must be . or , and not {self.decimal!r}")
        if self.thousands not in (GUESS, NONE, "space", ",", ".", "'", "_"):
            raise ValueError(f"thousands must be one of , . ' _ space none, not {self.thousands!r}")
        if self.decimal != GUESS and self.decimal in (self.thousands, self.separator) and self.decimal != ",":
            raise ValueError(f"decimal and another sign cannot both be {self.decimal!r}")
        if self.decimal == self.thousands == ",":
            raise ValueError("decimal and thousands cannot both be ','")

    @property
    def delimiter(self) -> str | None:
        """The separator as one character (a blank for runs of blanks); ``None`` when it is to be guessed."""
        return {GUESS: None, "tab": "\t", "space": " "}.get(self.separator, self.separator)

    @property
    def markers(self) -> frozenset[str] | None:
        """Lower-case entries that mean "no value", the empty one aside; ``None`` when they are to be guessed."""
        return None if self.missing == GUESS else frozenset(word.lower() for word in listed(self.missing))

    @property
    def skipped(self) -> tuple[int, ...]:
        """Numbers of the lines that are left out."""
        return tuple(int(word) for word in listed(self.skip_lines))


def canonical(field: str, value: str) -> str:
    """One spelling for each way to state ``value``: ``tab`` for a tab, ``space`` for a blank."""
    if field == "separator":
        value = SEPARATOR_WORDS.get(value, value)
        return {"\t": "tab", " ": "space"}.get(value, value)
    return "space" if field == "thousands" and value == " " else value.strip()


def listed(text: str | None) -> tuple[str, ...]:
    """The parts of a list separated by commas; ``guess`` and ``none`` have none."""
    if not text or text in (GUESS, NONE):
        return ()
    return tuple(part.strip() for part in text.split(",") if part.strip())
