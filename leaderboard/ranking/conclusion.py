"""What a comparison says in the end: for each kind of truth, who is better than the reference, and what to do.

Everything here speaks of *these tasks*, over seeds; what may be said of *tasks like these* stands apart in
:attr:`ConclusionRow.general`, and only from six tasks on.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from leaderboard.records.interval import Interval
from leaderboard.records.record import Truth

Judgement = Literal["reference", "better", "worse", "equivalent", "undecided"]


@dataclass(frozen=True)
class ConclusionRow:
    """One scheme (or architecture) on the tasks of one kind of truth.

    Attributes:
        truth: the kind of truth of the tasks.
        fixed: what it shares with the reference: the architecture when norms are compared, else the norm.
        name: what is compared: the norm, or the architecture.
        source_hash, norm_hash: of its code and that of its norm's kinds.
        tasks: their names, in natural order.
        seeds: least and greatest number of finished records over the tasks.
        id_error, far_error: absolute, near and far, with intervals over seeds; ``None`` where nothing was measured.
        verdict: how it grows; ``grade``: what the verdict rests on (empty where there is none).
        ratio: far error over the reference's, paired by task and seed, with the 95% interval over seeds, on these
            tasks; ``None`` of the reference itself and without pairs.
        p_holm: of no difference in far error, corrected for all rows of the conclusion.
        judgement: better, worse, equivalent (the interval lies inside 1/1.05…1.05), undecided; or the reference.
        detectable: the smallest ratio above 1 (or its inverse) that these seeds would have shown four times in five.
        seeds_needed: how many seeds a task would decide, from few to many as the variance is only estimated; the
            second is ``None`` beyond ``MOST_SEEDS``, both are where they are beyond it. ``None`` of what is decided.
        id_ratio: the ratio of the id errors, likewise.
        general: the far error's ratio for tasks like these: t-interval over task means; ``None`` for no claim.
        troubles: records that are not ok, as (status, number).
    """

    truth: Truth
    fixed: str
    name: str
    source_hash: str
    norm_hash: str
    tasks: tuple[str, ...]
    seeds: tuple[int, int]
    id_error: Interval | None
    far_error: Interval | None
    verdict: str
    grade: str
    ratio: Interval | None
    p_holm: float | None
    judgement: Judgement
    detectable: float | None
    seeds_needed: tuple[int | None, int | None] | None
    id_ratio: Interval | None
    general: Interval | None
    troubles: tuple[tuple[str, int], ...]


@dataclass(frozen=True)
class Advice:
    """One sentence on the tasks of one kind of truth."""

    truth: Truth
    tasks: tuple[str, ...]
    sentence: str


@dataclass(frozen=True)
class Conclusion:
    """The end of a comparison.

    Attributes:
        protocol, by, reference: as in the comparison.
        rows: by kind of truth, then by what is shared, then from the least far error to the greatest.
        advice: one for each kind of truth there is, in the order of ``rows``.
    """

    protocol: str
    by: Literal["norm", "architecture"]
    reference: str
    rows: tuple[ConclusionRow, ...]
    advice: tuple[Advice, ...]
