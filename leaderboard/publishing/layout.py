"""JSON laid out so that a person can read a diff of it: short things on a line, numbers of one kind on a line."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

_WIDTH = 110


def lay_out(document: Mapping[str, Any]) -> str:
    """``document`` as JSON with a line end at its end.

    What fits stands on one line. Of a longer object the plain values come first, as many on a line as fit, then each
    list or object on lines of its own; a list of numbers is one line, of a longer list each item begins a line. The
    same document is always the same text.
    """
    return _laid(document, "") + "\n"


def _laid(value: Any, indent: str) -> str:
    short = json.dumps(value, ensure_ascii=False, allow_nan=False)
    if len(short) + len(indent) <= _WIDTH or not isinstance(value, Mapping | list) or _is_numeric(value):
        return short
    inner = indent + " "
    if isinstance(value, list):
        return "[\n" + ",\n".join(inner + _laid(item, inner) for item in value) + "]"
    plain = [f"{json.dumps(name, ensure_ascii=False)}: {_laid(item, inner)}" for name, item in _split(value, False)]
    lines = _filled(plain, _WIDTH - len(inner))
    lines += [f"{json.dumps(name, ensure_ascii=False)}: {_laid(item, inner)}" for name, item in _split(value, True)]
    return "{" + f",\n{inner}".join(lines) + "}"


def _split(value: Mapping[str, Any], containers: bool) -> list[tuple[str, Any]]:
    return [(name, item) for name, item in value.items() if isinstance(item, Mapping | list) == containers]


def _is_numeric(value: Any) -> bool:
    return isinstance(value, Sequence) and all(isinstance(item, int | float | None) for item in value)


def _filled(parts: Sequence[str], width: int) -> list[str]:
    """Parts joined to lines of at most ``width`` characters; a longer part is a line of its own."""
    lines: list[str] = []
    for part in parts:
        if lines and len(lines[-1]) + len(part) + 2 <= width:
            lines[-1] += f", {part}"
        else:
            lines.append(part)
    return lines
