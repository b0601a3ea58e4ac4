"""What a check finds, and how it travels from the checked process to the one that reports."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

_MOST_TEXT = 1000


@dataclass(frozen=True)
class Finding:
    """One check in one setting.

    Args:
        check: its name.
        tried: what it does, in a sentence.
        where: the setting: problem and scheme, or empty.
        passed: None where it had nothing to say.
        found: what was seen.
        hint: how to correct it, when it failed.
        seconds: how long it took.
    """

    check: str
    tried: str
    where: str
    passed: bool | None
    found: str
    hint: str = ""
    seconds: float = 0.0


@dataclass(frozen=True)
class Portrait:
    """What a network is under one scheme: predicted, and measured by a short training.

    Args:
        name: canonical spelling of the architecture.
        problem: shape of the input it was built for.
        norm: the scheme.
        sites: names of its sites.
        parameters: count; None for estimators.
        flops: operations of a training step; None for estimators.
        batch: rows of that step.
        predicted: exponent that the structure implies; None where it is not known.
        reason: why.
        task: what it was trained on.
        measured: exponent after training; None where it could not be measured.
        growth: G(100) after training.
        id_error: relative error on the test set.
        seconds: of training and probing.
    """

    name: str
    problem: str
    norm: str
    sites: tuple[str, ...] = ()
    parameters: int | None = None
    flops: int | None = None
    batch: int = 0
    predicted: int | None = None
    reason: str = ""
    task: str = ""
    measured: float | None = None
    growth: float | None = None
    id_error: float | None = None
    seconds: float = 0.0


@dataclass(frozen=True)
class CheckReport:
    """Everything that was found of one file."""

    path: str
    registered: tuple[str, ...]
    findings: tuple[Finding, ...]
    portraits: tuple[Portrait, ...]
    seconds: float

    @property
    def failed(self) -> tuple[str, ...]:
        """Names of the checks that failed in some setting, in order."""
        return tuple(dict.fromkeys(finding.check for finding in self.findings if finding.passed is False))

    @property
    def passed(self) -> bool:
        """Whether something was checked and nothing failed."""
        return not self.failed and any(finding.passed for finding in self.findings)


def to_line(kind: str, **values: Any) -> bytes:
    """A message as one line of JSON."""
    return json.dumps({"kind": kind, **values}, default=str).encode() + b"\n"


def from_line(line: bytes) -> tuple[str, Mapping[str, Any]] | None:
    """The message in ``line``; None where it is none: what the checked file writes there is not trusted."""
    try:
        values = json.loads(line)
        return str(values.pop("kind")), values
    except (ValueError, AttributeError, KeyError, TypeError, RecursionError):
        return None


def finding_from(values: Mapping[str, Any]) -> Finding:
    """A finding from a message, every field forced to its type and length."""
    passed = values.get("passed")
    return Finding(
        check=text_of(values.get("check")),
        tried=text_of(values.get("tried")),
        where=text_of(values.get("where")),
        passed=passed if isinstance(passed, bool) else None,
        found=text_of(values.get("found")),
        hint=text_of(values.get("hint")),
        seconds=_number(values.get("seconds")) or 0.0,
    )


def portrait_from(values: Mapping[str, Any]) -> Portrait:
    """A portrait from a message, every field forced to its type and length."""
    sites = values.get("sites")
    return Portrait(
        name=text_of(values.get("name")),
        problem=text_of(values.get("problem")),
        norm=text_of(values.get("norm")),
        sites=tuple(text_of(site) for site in sites[:10_000]) if isinstance(sites, list) else (),
        parameters=_whole(values.get("parameters")),
        flops=_whole(values.get("flops")),
        batch=_whole(values.get("batch")) or 0,
        predicted=_whole(values.get("predicted")),
        reason=text_of(values.get("reason")),
        task=text_of(values.get("task")),
        measured=_number(values.get("measured")),
        growth=_number(values.get("growth")),
        id_error=_number(values.get("id_error")),
        seconds=_number(values.get("seconds")) or 0.0,
    )


def fields_of(thing: Finding | Portrait) -> dict[str, Any]:
    """The fields as a message carries them."""
    return dataclasses.asdict(thing)


def text_of(value: object) -> str:
    """``value`` as one line of limited length; empty when it is no text."""
    return " ".join(value.split())[:_MOST_TEXT] if isinstance(value, str) else ""


def _number(value: object) -> float | None:
    return float(value) if isinstance(value, (int, float)) and not isinstance(value, bool) else None


def _whole(value: object) -> int | None:
    return value if isinstance(value, int) and not isinstance(value, bool) else None
