"""Where a line of text is broken: at spaces, and a word that is too long after one of its signs."""

from __future__ import annotations

import re
import textwrap

PIECE = re.compile(r"[^-/_+@(,=.\s]*[-/_+@(,=.]|[^-/_+@(,=.\s]+")  # what a word that is too long is broken into


def length(text: str) -> int:
    """Characters that ``text`` takes in a terminal: some are twice as wide as others."""
    if text.isascii():
        return len(text)
    from rich.cells import cell_len

    return cell_len(text)


def break_lines(text: str, width: int) -> list[str]:
    """The lines of ``text``, broken so that each has at most ``width`` characters.

    Only a piece of a word without any sign to break after (``PIECE``) stays longer.
    """
    lines: list[str] = []
    for line in text.split("\n"):
        if length(line) <= width:
            lines.append(line)
            continue
        parts = " ".join(piece for word in line.split(" ") for piece in _pieces(word, width))
        lines += textwrap.wrap(parts, max(width, 1), break_long_words=False, break_on_hyphens=False)
    return lines


def _pieces(word: str, width: int) -> list[str]:
    """The word, or pieces of it of which no two neighbours fit into one line."""
    if length(word) <= width:
        return [word]
    pieces = [""]
    for piece in PIECE.findall(word):
        if pieces[-1] and length(pieces[-1] + piece) > width:
            pieces.append("")
        pieces[-1] += piece
    return pieces
