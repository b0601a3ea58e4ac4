"""Records of older schemas, brought to today's: what they did not say is derived from what they said.

Works on the JSON document, for the classes know only today's schema.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping
from typing import Any

from bench.core.errors import ReasonCode
from bench.core.grammar import parse_call, split_outside

Document = dict[str, Any]

# The words by which records of schema 1 said why they are not ok. Each stands for one code; the first that fits counts.
_WORDS: tuple[tuple[str, str, ReasonCode], ...] = (
    ("diverged", "", "diverged"),
    ("timeout", "", "time_limit"),
    ("unsupported", " norm at ", "degenerate_norm"),
    ("unsupported", "leaves nothing to their mean", "degenerate_norm"),
    ("unsupported", "has no place", "no_such_site"),
    ("unsupported", "two kinds of norm", "site_conflict"),
    ("unsupported", " inputs, not ", "input_kind"),
    ("unsupported", "nothing to normalize", "takes_no_norm"),
    ("unsupported", "no norm layer of its own", "no_own_norm"),
    ("unsupported", "cannot be taken out", "cannot_normalize"),
    ("unsupported", "", "unsupported"),
    ("failed", "raise --max-parameters", "too_large"),
    ("failed", "breaks the contract", "contract"),
    ("failed", "the data of ", "data_changed"),
    ("failed", "the source of ", "source_changed"),
    ("failed", "was killed by", "killed"),
    ("failed", "ended itself", "exited"),
    ("failed", "could not start", "worker_start"),
    ("failed", "out of memory", "out_of_memory"),
    ("failed", "allocate memory", "out_of_memory"),
    ("failed", "MemoryError", "out_of_memory"),
    ("failed", "", "unknown"),
)


def upgrade(document: Mapping[str, Any]) -> Document:
    """The document of a record of any older schema as one of today's; one of today's comes back as it is."""
    made = dict(document)
    while (step := _STEPS.get(made.get("schema_version", 0))) is not None:
        made = step(made)
    return made


def _from_1(document: Document) -> Document:
    """Schema 2: the code of the norm's kinds in the key, ``reason_code``, ``program``; ``origin`` is not known."""
    key = dict(document["key"])
    key["norm_hash"] = built_in_norm_hash(key["norm"])
    environment = dict(document.get("environment") or {})
    program = environment.pop("training", None)
    code = reason_code(document["status"], document.get("reason"))
    added = {"key": key, "environment": environment, "program": program, "reason_code": code, "schema_version": 2}
    return {**document, **added}


def _from_2(document: Document) -> Document:
    """Schema 3: exponents beyond the ladder and growth along axes. Nobody measured them before, so they stay null.

    The record keeps its ``exponent``, the slope over the ladder from r = 100 on: its protocol says that it is this one.
    No verdict is read from it.
    """
    return {**document, "schema_version": 3}


_STEPS: dict[int, Callable[[Document], Document]] = {1: _from_1, 2: _from_2}


def reason_code(status: str, reason: str | None) -> ReasonCode | None:
    """The code that the words of a record of schema 1 stand for; None for ``ok``."""
    if status == "ok":
        return None
    return next((code for kind, words, code in _WORDS if kind == status and words in (reason or "")), "unknown")


def built_in_norm_hash(norm: str) -> str:
    """The hash of a scheme's kinds as long as all of them are built in and of version 1, as those of schema 1 were.

    The first 16 hexadecimal digits of SHA-256 over ``farfield:norm:<kind>:1`` of each kind in the order of the
    canonical spelling, joined by zero bytes; empty for ``none``.
    """
    kinds: dict[str, None] = {}
    for part in split_outside(norm, "+"):
        head, *place = split_outside(part, "@")
        if place:
            kinds[parse_call(head, "norm kind").name] = None
    named = "\0".join(f"farfield:norm:{kind}:1" for kind in kinds)
    return hashlib.sha256(named.encode()).hexdigest()[:16] if kinds else ""
