"""Documents of which a part is written by a tool: what lies between two comments that carry its name."""

from __future__ import annotations

from pathlib import Path

from bench.core.errors import InputError


def with_part(document: str, name: str, text: str) -> str:
    """``document`` with ``text`` between the comments ``name: begin`` and ``name: end``.

    Raises:
        InputError: it has no such part.
    """
    begin, end = f"<!-- {name}: begin -->\n", f"<!-- {name}: end -->"
    before, found, rest = document.partition(begin)
    _, closed, after = rest.partition(end)
    if not (found and closed):
        raise InputError(f"there is no part {name!r}", hint=f"write {begin.strip()} and {end}")
    return f"{before}{begin}{text.rstrip()}\n{end}{after}"


def write_part(path: Path, name: str, text: str) -> None:
    """Put ``text`` into the file's part."""
    path.write_text(with_part(path.read_text(encoding="utf-8"), name, text), encoding="utf-8")
