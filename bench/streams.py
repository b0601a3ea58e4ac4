"""Standard input, output and error as a user may hand them to us: closed, full, or unable to encode what is written."""

from __future__ import annotations

import codecs
import contextlib
import io
import os
import sys
from collections.abc import Sequence
from typing import TextIO

from bench.core.errors import InputError

REPLACING = "farfield-replacing"
_PLAIN = str.maketrans(
    {"─": "-", "–": "-", "−": "-", "…": "...", "×": "x", "·": ".", "►": ">", "↓": "v", "↑": "^", "≤": "<=", "≥": ">="}
)


class _Output(io.TextIOWrapper):
    """A stream that remembers what kept it from being written."""

    fault: OSError | None = None

    def write(self, text: str, /) -> int:
        try:
            return super().write(text)
        except OSError as error:
            self.fault = error
            raise

    def flush(self) -> None:
        try:
            super().flush()
        except OSError as error:
            self.fault = error
            raise


def prepare() -> None:
    """Make the streams usable: what cannot be encoded is replaced, a closed input or error becomes the null device.

    Raises:
        InputError: standard output is closed. Results would be lost, and the next file that is opened would get them.
    """
    if sys.stdout is None:
        raise InputError("standard output is closed", hint="send it somewhere, e.g. > results.txt or > /dev/null")
    if sys.stdin is None or sys.stderr is None:
        _fill_descriptors()
        sys.stdin = sys.stdin or open(0, encoding="utf-8")  # noqa: SIM115
        sys.stderr = sys.stderr or open(2, "w", encoding="utf-8", errors="backslashreplace")  # noqa: SIM115
    codecs.register_error(REPLACING, _replace)
    sys.stdout = _replacing(sys.stdout, sys.__stdout__, by_line=sys.stdout.isatty())
    sys.stderr = _replacing(sys.stderr, sys.__stderr__, by_line=True)


def _replacing(stream: TextIO, original: TextIO | None, by_line: bool) -> TextIO:
    if stream is original and isinstance(stream, io.TextIOWrapper):
        stream.flush()
        return _Output(stream.buffer, stream.encoding, REPLACING, line_buffering=by_line)
    if isinstance(stream, io.TextIOWrapper):  # somebody else's, such as a test's
        stream.reconfigure(errors=REPLACING)
    return stream


def _replace(error: UnicodeError) -> tuple[str, int]:
    """Signs of our tables by their like in ASCII, anything else by a question mark."""
    if not isinstance(error, UnicodeEncodeError):
        raise error
    text = error.object[error.start : error.end].translate(_PLAIN)
    return "".join(character if character.isascii() else "?" for character in text), error.end


def _fill_descriptors() -> None:
    """Open the null device until descriptors 0 to 2 are taken: the system hands out the lowest that is free."""
    number = os.open(os.devnull, os.O_RDWR)
    while number <= 2:
        number = os.open(os.devnull, os.O_RDWR)
    os.close(number)


def check_arguments(arguments: Sequence[str]) -> None:
    """Refuse what no command can use, whatever the option.

    Raises:
        InputError: an argument is empty, or no text in the encoding of file names.
    """
    for place, argument in enumerate(arguments):
        named = arguments[place - 1] if place and arguments[place - 1].startswith("-") else None
        if any("\ud800" <= character <= "\udfff" for character in argument):
            shown = ascii(os.fsencode(argument))[2:-1]
            raise InputError(f"'{shown}' is not UTF-8", where=named, hint="rename the file, or correct the argument")
        option, sign, value = argument.partition("=")
        if not argument or (sign and not value and option.startswith("--")):
            where = option or named or f"argument {place + 1}"
            raise InputError("an empty value", where=where, hint="give one, or leave the option out")


def failed(error: OSError) -> bool:
    """Whether ``error`` says that standard output or error cannot be written; if so, both are given up."""
    if not any(isinstance(stream, _Output) and stream.fault is error for stream in (sys.stdout, sys.stderr)):
        return False
    for stream in (sys.stdout, sys.stderr):
        give_up(stream)
    return True


def give_up(stream: TextIO) -> None:
    """Lead a stream that failed to the null device: Python would write once more at the end, and leave with a code.

    A stream that can be written is left alone.
    """
    if not isinstance(stream, _Output) or stream.fault is None:
        return
    null = os.open(os.devnull, os.O_WRONLY)
    os.dup2(null, stream.fileno())
    os.close(null)
    with contextlib.suppress(OSError, ValueError):
        stream.flush()
