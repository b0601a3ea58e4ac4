"""Records as a job yields them, with or without measurements."""

from __future__ import annotations

import datetime
from dataclasses import dataclass
from typing import Any

from bench.cell.environment import describe_environment
from bench.core.errors import OUT_OF_MEMORY, FarFieldError, ReasonCode
from bench.plan.jobs import Job
from leaderboard.records.record import Details, Record, RecordKey, Status


@dataclass(frozen=True)
class Outcome:
    """A record and what is kept beside it."""

    record: Record
    details: Details


def make_record(job: Job, key: RecordKey, device: str = "cpu", *, status: Status, **fields: Any) -> Record:
    """A record of ``key`` made here and now.

    Args:
        job, key: of what.
        device: that trained and probed.
        status: of the record.
        fields: the others that a record has.
    """
    return Record(
        key=key,
        status=status,
        truth=job.truth,
        origin=job.origin,
        environment=describe_environment(device),
        created=datetime.datetime.now(datetime.UTC).isoformat(timespec="seconds"),
        **fields,
    )


def blank_outcomes(
    job: Job, status: Status, reason: str, code: ReasonCode, seconds: float | None = None
) -> list[Outcome]:
    """One record a seed that says only why there is nothing more to say.

    Args:
        job: whose records.
        status, reason, code: of each.
        seconds: what the whole job took, shared out evenly.
    """
    text = " ".join(reason.split())[:1000] or status
    share = None if seconds is None else seconds / len(job.keys)
    why = {"reason": text, "reason_code": code}
    return [Outcome(make_record(job, key, status=status, seconds=share, **why), {}) for key in job.keys]


def why(error: BaseException) -> tuple[str, ReasonCode]:
    """What an exception says, in words and for programs."""
    if isinstance(error, FarFieldError):
        return str(error), error.code
    lost = isinstance(error, MemoryError) or any(words in str(error) for words in OUT_OF_MEMORY)
    return f"{type(error).__name__}: {error}", "out_of_memory" if lost else "error"
