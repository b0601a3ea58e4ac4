"""The sentences that a comparison on one's own table ends with."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING

from bench.comparing.choice import PLAIN, Choice
from leaderboard.page.own_table import is_bounded
from leaderboard.ranking.comparison import compare
from leaderboard.ranking.conclusion import Conclusion, ConclusionRow, conclude
from leaderboard.records.interval import Interval
from leaderboard.records.record import Record
from leaderboard.tables.grid import show_number

if TYPE_CHECKING:
    from tasks import StandardizedTask

CLIP = PLAIN
FEW_ROWS = 50  # far rows below which their error is uncertain by a fifth and more
NONE = "none"


def sentences(
    records: Sequence[Record],
    schemes: Conclusion,
    baselines: Conclusion | None,
    choice: Choice | None,
    task: StandardizedTask,
) -> tuple[str, ...]:
    """What to take, what the far rows say of that, whether clipping does as well, what the baselines do."""
    found = _taken(choice) if choice else ["No network finished with all its seeds: there is nothing to recommend."]
    if choice:
        found.append(_tested(choice))
        found += [one.sentence for one in schemes.advice]
        found += _clipping(records, choice.architecture)
    if baselines is not None and choice:
        found += _beside(baselines)
    return (*found, *_few(task))


def _taken(choice: Choice) -> list[str]:
    """The network to take, then why."""
    network, own = f"{choice.architecture} with {choice.norm}", show_number(choice.error)
    if not choice.bounded:
        return [
            "No scheme is bounded on the rays: take none of these for inputs far away without a limit of your own.",
            f"{network} has the least validation error ({own}); the far rows had no part in this.",
        ]
    grade = f" ({choice.norm}: {choice.row.grade})" if choice.row.grade else ""
    why = f"it has the least validation error ({own})"
    if choice.norm != choice.least_norm:
        other = f"{choice.least_norm} has {show_number(choice.least_error)}"
        why = f"none is told to have a validation error smaller by more than 5% (its own is {own}, {other})"
    return [
        f"Take {network}.",
        f"Of the schemes whose outputs stay bounded on the rays{grade} {why}{_cost(choice.row)}. The far rows "
        "had no part in this choice.",
    ]


def _cost(row: ConclusionRow) -> str:
    """What it costs near the data, where that is told."""
    ratio = row.id_ratio
    if ratio is None or ratio.low is None or ratio.low <= 1.0005:
        return ""
    return f"; near the data its error is {_shown(ratio)} times that of none"


def _tested(choice: Choice) -> str:
    """What the far rows say of the choice."""
    row = choice.row
    if row.judgement == "reference" or row.ratio is None:
        return "It is also what the other schemes are compared with."
    ratio = f"its far error is {_shown(row.ratio)} times that of none"
    if row.judgement == "better":
        return f"The far rows agree: {ratio}."
    if row.judgement == "equivalent":
        return f"The far rows do not speak against it: {ratio}, which is as good as equal."
    if row.judgement == "worse":
        return (
            f"The far rows speak against it: {ratio}. The target seems to go on beyond the training rows; none follows "
            "it there, and nothing bounds what none answers further out."
        )
    return f"The far rows do not decide: {ratio}{_needed(row)}."


def _needed(row: ConclusionRow) -> str:
    few, many = row.seeds_needed or (None, None)
    if few is None:
        return ""
    return f" ({few:,} {f'to {many:,}' if many else 'or more'} seeds would decide)"


def _clipping(records: Sequence[Record], architecture: str) -> list[str]:
    """Whether drawing the input back does as well as the normalization layers."""
    mine = [record for record in records if record.key.architecture == architecture]
    done = {record.key.norm for record in mine if record.status == "ok"}
    layers = sorted(done - {CLIP, NONE})
    if CLIP not in done or not layers:
        return []
    (found,) = [conclude(one) for one in compare([r for r in mine if r.key.norm != NONE], "norm", CLIP)]
    rows = [row for row in found.rows if row.judgement != "reference" and row.ratio is not None]
    told = "; ".join(f"{row.name} {_shown(row.ratio)} times" for row in rows if row.ratio)
    if not rows:
        return []
    better = [row.name for row in rows if row.judgement == "better"]
    behind = f"far errors relative to that of {CLIP}: {told}"
    if better:
        return [f"{CLIP} does not do as well as {' and '.join(better)} ({behind})."]
    if any(row.judgement == "undecided" for row in rows):
        return [f"Whether {CLIP} does as well as the normalization layers is not decided ({behind})."]
    how = "better than" if all(row.judgement == "worse" for row in rows) else "as well as"
    return [f"{CLIP} does {how} the normalization layers ({behind}): it only draws inputs back to the training radius."]


def _beside(baselines: Conclusion) -> list[str]:
    """The best baseline against the network under ``none``."""
    rows = [row for row in baselines.rows if row.judgement != "reference" and row.ratio is not None]
    named = {word: [row for row in rows if row.judgement == word] for word in ("better", "equivalent", "undecided")}
    parts = []
    for word, phrase in (("better", "better than"), ("equivalent", "as good as"), ("undecided", "not told from")):
        listed = ", ".join(f"{row.name} ({_shown(row.ratio)} times{_growth(row)})" for row in named[word] if row.ratio)
        if listed:
            parts.append(f"{phrase} it: {listed}")
    if not parts:
        return [f"No baseline comes near {baselines.reference} under none on the far rows."]
    return [f"Baselines against {baselines.reference} under none on the far rows: {'; '.join(parts)}."]


def _growth(row: ConclusionRow) -> str:
    return "" if is_bounded(row) else f", {row.verdict} growth"


def _few(task: StandardizedTask) -> list[str]:
    """What is said of far rows that are few or near.

    Of n independent normal errors the RMSE has a relative deviation of 1/√(2n).
    """
    found = []
    for far in task.far:
        beyond = float((task.distance(far.rows.inputs) > 1).mean())
        if beyond < 0.5:
            found.append(
                f"Only {beyond:.0%} of the far rows ({far.label}) lie beyond R, the edge of the training rows: how the "
                "schemes do further out is not measured by any label."
            )
        if len(far) < FEW_ROWS:
            share = 100 * 1.96 / math.sqrt(2 * len(far))
            found.append(
                f"ONLY {len(far)} FAR ROWS ({far.label}): their number alone makes an error on them uncertain by about "
                f"{share:.0f}%, which the intervals over seeds do not contain."
            )
    return found


def _shown(interval: Interval | None) -> str:
    assert interval is not None
    if interval.low is None or interval.high is None:
        return show_number(interval.mean)
    return f"{show_number(interval.mean)} [{show_number(interval.low)}, {show_number(interval.high)}]"
