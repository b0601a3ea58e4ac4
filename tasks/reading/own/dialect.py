"""The dialect of a text table: its encoding, its line ends, its comments and its separator."""

from __future__ import annotations

import codecs
import csv
import re
from collections import Counter
from collections.abc import Iterator

from bench.core.errors import InputError
from tasks.reading.own.reading import GUESS, NONE, Reading
from tasks.reading.own.source import Said

SAMPLE = 1 << 18  # bytes looked at to guess a dialect
SAMPLE_LINES = 200
CANDIDATES = (",", ";", "\t", "|", " ")
NAMES = {",": "comma", ";": ";", "\t": "tab", "|": "|", " ": "blank"}
FALLBACK = "cp1252"
_MARKS = (
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF32_LE, "utf-32-le"),
    (codecs.BOM_UTF32_BE, "utf-32-be"),
    (codecs.BOM_UTF16_LE, "utf-16-le"),
    (codecs.BOM_UTF16_BE, "utf-16-be"),
)
_CONTROL = re.compile(rb"[\x00-\x08\x0e-\x1f]")
_WORD = re.compile(r'"(?:[^"]|"")*"|[^ \t]+')
_NUMBER = re.compile(r"[-+−(]?[^\w\s]?\s?(\d[\d.,'’ \u00a0\u202f]*|[.,]\d+)([eEdD][-+]?\d+)?\s?[%)€]?")
_TIME = re.compile(r"[\d]{1,4}[-/.:]\d{1,2}([-/.:]\d{1,4})?([ T]\d{1,2}:[\d:.,]+.*)?")


def decoded(content: bytes, reading: Reading, said: Said, where: str) -> bytes:
    r"""The text of ``content`` as UTF-8 bytes without a byte order mark, lines ending in ``\n``.

    Raises:
        InputError: binary, or no text of the encoding that is stated.
    """
    mark, encoding = next(((m, e) for m, e in _MARKS if content.startswith(m)), (b"", "utf-8"))
    if reading.encoding != GUESS:
        stated = codecs.lookup(reading.encoding).name.replace("utf-8-sig", "utf-8")
        mark = mark if mark and encoding.startswith(stated) else b""
        encoding = encoding if mark else stated
        if encoding.startswith(("utf-16", "utf-32")) and not mark and b"\0" not in content[:SAMPLE]:
            hint = "leave encoding out, or give the right one"
            raise InputError(f"the text is not {encoding.upper()}", where=where, hint=hint)
    elif not mark and b"\0" in content[:SAMPLE]:
        encoding = _unmarked_utf16(content[:SAMPLE])
    content = content[len(mark) :]
    if encoding != "utf-8" or not _is_utf8(content):
        content, encoding = _recoded(content, encoding, reading, where)
    if _CONTROL.search(content[:SAMPLE]):
        raise InputError("the file is binary, no text table", where=where, hint="export it as CSV or Parquet")
    if reading.encoding == GUESS and encoding == FALLBACK:
        said.part("not UTF-8, taken for Windows-1252 (encoding=… for another)")
    elif reading.encoding == GUESS and encoding != "utf-8":
        said.part(encoding.upper())
    if b"\r" in content:
        content = content.replace(b"\r\n", b"\n").replace(b"\r", b"\n")
    return content


def _is_utf8(content: bytes) -> bool:
    try:
        content.decode("utf-8")
    except UnicodeDecodeError:
        return False
    return True


def _unmarked_utf16(sample: bytes) -> str:
    """UTF-16 without a byte order mark has a zero in nearly every second byte."""
    even, odd = sample[::2].count(0), sample[1::2].count(0)
    half = len(sample) / 2
    if odd > 0.7 * half and even < 0.1 * half:
        return "utf-16-le"
    return "utf-16-be" if even > 0.7 * half and odd < 0.1 * half else "utf-8"


def _recoded(content: bytes, encoding: str, reading: Reading, where: str) -> tuple[bytes, str]:
    guessed = reading.encoding == GUESS and encoding == "utf-8"
    if guessed and _CONTROL.search(content[:SAMPLE]):
        what = "the file is binary, no text table"
        raise InputError(what, where=where, hint="export it as CSV or Parquet")
    encoding = FALLBACK if guessed else encoding
    try:
        return content.decode(encoding).encode(), encoding
    except (UnicodeError, ValueError) as error:
        start = error.start if isinstance(error, UnicodeDecodeError) else 0
        line = content[:start].count(b"\n") + 1
        what = "the text is neither UTF-8 nor Windows-1252" if guessed else f"the text is not {encoding.upper()}"
        hint = "give encoding=… (latin-1, cp1251, shift_jis, …) or save the file as UTF-8"
        raise InputError(f"{what}: line {line:,} cannot be decoded", where=where, hint=hint) from None


def without_comments(content: bytes, reading: Reading, said: Said) -> tuple[bytes, int | None]:
    """``content`` with lines of comment and ``sep=`` emptied, so that all others keep their numbers.

    Returns:
        The text, and the number of a comment line that holds the names, if one does (``# x y z``).
    """
    for number in reading.skipped:
        content = _emptied(content, number)
    top = content[:SAMPLE].split(b"\n")
    first = next((n for n, line in enumerate(top) if line.strip()), 0)
    prefix, begin = reading.comment.encode(), b""
    if reading.comment == GUESS:
        begin = top[first].lstrip()[:1] if top else b""
        prefix = begin if begin in (b"#", b"%") else b""
    if reading.comment == NONE or not prefix:
        return content, None
    leading = []
    for number, line in enumerate(top[first:], first + 1):
        if line.strip() and not line.lstrip().startswith(prefix):
            break
        if line.strip():
            leading.append(number)
    names = _commented_names(top, leading, prefix, reading) if reading.header == GUESS else None
    if names is not None and len(leading) == 1 and reading.comment == GUESS:
        return content, names  # one line of names that begins with # and no other comment
    if reading.comment == GUESS:
        said.part(f"lines beginning with {prefix.decode()} left out as comments")
    kept = top[names - 1] if names is not None else b""
    content = re.sub(rb"(?m)^[ \t]*" + re.escape(prefix) + rb".*$", b"", content)
    if names is None:
        return content, None
    lines = content.split(b"\n", names)
    lines[names - 1] = kept
    return b"\n".join(lines), names


def _emptied(content: bytes, number: int) -> bytes:
    """``content`` without the text of one line."""
    start = 0
    for _ in range(number - 1):
        start = content.find(b"\n", start) + 1
        if start == 0:
            return content
    end = content.find(b"\n", start)
    return content[:start] + (content[end:] if end >= 0 else b"")


def _commented_names(top: list[bytes], leading: list[int], prefix: bytes, reading: Reading) -> int | None:
    """The last comment line, where it splits like the first row and that row holds numbers."""
    following = [line for line in top[leading[-1] :] if line.strip()] if leading else []
    if not following:
        return None
    rows = following[0].decode(errors="replace")
    sample = "\n".join(line.decode(errors="replace") for line in following[:SAMPLE_LINES])
    separator = reading.delimiter or guess_separator(sample) or ","
    fields = next(records(rows, separator), [])
    if not any(looks_numeric(field) for field in fields):
        return None
    text = top[leading[-1] - 1].decode(errors="replace").strip()
    for candidate in (text, text[len(prefix) :]):
        names = next(records(candidate.strip(" ") if separator == " " else candidate, separator), [])
        if len(names) == len(fields) and len(fields) > 1 and not any(looks_numeric(name) for name in names):
            return leading[-1]
    return None


def records(text: str, separator: str) -> Iterator[list[str]]:
    """The records of a text; runs of blanks separate when ``separator`` is a blank."""
    if separator == " ":
        for line in text.split("\n"):
            if line.strip():
                yield [word.strip('"') for word in _WORD.findall(line)]
        return
    yield from (row for row in csv.reader(text.splitlines(True), delimiter=separator, skipinitialspace=True) if row)


def looks_numeric(field: str) -> bool:
    """Whether a person would call it a number."""
    return _NUMBER.fullmatch(field.strip()) is not None


def guess_separator(sample: str) -> str | None:
    """The separator by which lines split most evenly into clean fields; ``None`` where none splits them."""
    scores = {candidate: _score(sample, candidate) for candidate in CANDIDATES}
    best = max(scores, key=lambda candidate: scores[candidate])
    return best if scores[best] > 0 else None


def _score(sample: str, separator: str) -> float:
    lines = "\n".join(sample.split("\n")[:SAMPLE_LINES])
    try:
        rows = list(records(lines, separator))
    except csv.Error:
        return 0.0
    head, body = rows[:1], rows[1:] or rows[:1]
    if not head:
        return 0.0
    width, count = Counter(len(row) for row in body).most_common(1)[0]
    if max(width, len(head[0])) < 2:
        return 0.0
    aligned = {0: 1.0, 1: 0.9}.get(abs(width - len(head[0])), 0.4)
    cells = [cell.strip() for row in [*head, *body] for cell in row]
    clean = sum(_cleanness(cell, separator) for cell in cells) / max(1, len(cells))
    return (count / len(body)) ** 2 * aligned * (0.1 + clean) * (0.8 if separator == " " else 1.0)


def _cleanness(cell: str, separator: str) -> float:
    if not cell or (_NUMBER.fullmatch(cell) and not (separator != "," and cell.count(",") > 1 and "." not in cell)):
        return 1.0
    if _TIME.fullmatch(cell):
        return 1.0
    return 0.0 if any(sign in cell for sign in CANDIDATES[:4] if sign != separator) else 0.85
