"""Comparisons as tables: ratios on these tasks, ratios for tasks like these, and the conclusion."""

from __future__ import annotations

from typing import Any

from bench.core.grammar import title_of
from leaderboard.ranking.comparison import Comparison, Difference
from leaderboard.ranking.conclusion import Conclusion, ConclusionRow, conclude
from leaderboard.ranking.statements.power import MOST_SEEDS
from leaderboard.ranking.statistics import LEAST_TASKS
from leaderboard.records.interval import Interval
from leaderboard.records.protocols import named
from leaderboard.records.quantities import COMPARED, FAR_ERROR, ID_ERROR
from leaderboard.records.quantity import Quantity
from leaderboard.tables.grid import GAP, Column, Grid, clean, show_number, show_value
from leaderboard.tables.rendering_standings import PER_TASK_TITLE, Scope, heading, no_claim, show_range, without


def comparison_grids(comparison: Comparison, scope: Scope = "both") -> list[Grid[Difference]]:
    """The tables of one comparison: ratios candidate / reference, below 1 where the candidate's number is smaller.

    There is one where all is on one task.
    """
    facts = {"protocol": comparison.protocol, "by": comparison.by, "reference": comparison.reference}
    columns = _difference_columns("architecture" if comparison.by == "norm" else "norm", comparison.by)
    lost = any(e.lost or e.won for row in comparison.per_task for e in row.effects)
    explained = ("lost, won: pairs in which only this one's, or only the reference's, number is infinite",) * lost
    ratios = f"ratios to {comparison.reference}, paired by task and seed, with 95% intervals over seeds"
    start = f"Against {comparison.by} {comparison.reference}, {named(comparison.protocol)}"
    over_tasks = (
        f"on these tasks: {ratios}",
        "for tasks like these: the ratio with its 95% interval over task means; * p < 0.05 by the t-test over tasks, "
        "after Holm's correction over this table",
    )
    parts = (
        ("overall", f"{start}, over all tasks", comparison.overall, {"task"}, over_tasks),
        ("tasks", f"{start}, {PER_TASK_TITLE}", comparison.per_task, {"tasks", f"{FAR_ERROR.name}_general"}, (ratios,)),
    )
    alone = len({row.edition for row in comparison.per_task}) == 1
    return [
        Grid(title, without(columns, unseen), rows, (*notes, *explained), facts, section=lambda row: row.edition)
        for name, title, rows, unseen, notes in parts
        if scope in (name, "both") and not (alone and scope == "both" and name == "overall")
    ]


def comparison_report(comparison: Comparison, scope: Scope = "both") -> list[Grid[Any]]:
    """The tables of one comparison and its conclusion; on one task the conclusion says it all, and stands alone."""
    alone = len({row.edition for row in comparison.per_task}) == 1
    before: list[Grid[Any]] = [] if alone and scope == "both" else [*comparison_grids(comparison, scope)]
    return [*before, conclusion_grid(conclude(comparison))]


def conclusion_grid(conclusion: Conclusion) -> Grid[ConclusionRow]:
    """The table of a conclusion, its advice below it."""
    facts = {
        "protocol": conclusion.protocol,
        "by": conclusion.by,
        "reference": conclusion.reference,
        "advice": [{"truth": one.truth, "sentence": one.sentence} for one in conclusion.advice],
    }
    tasks = {task for one in conclusion.advice for task in one.tasks}
    where = f", {title_of(next(iter(tasks)))}" if len(tasks) == 1 else ""
    claims = any(row.general for row in conclusion.rows)
    columns = without(_conclusion_columns(conclusion), set() if claims else {"general"})
    most = max((len(row.tasks) for row in conclusion.rows), default=0)
    general = (
        "for tasks like these: the same over task means, with its 95% interval"
        if claims
        else f"for tasks like these: {no_claim(most)}"
        + f" (at least {LEAST_TASKS} of a kind of truth are needed)" * (most < LEAST_TASKS)
    )
    notes = (
        *(one.sentence for one in conclusion.advice),
        f"on these tasks: ratio is far error over that of {conclusion.reference}, paired by task and seed, with its "
        "95% interval over seeds; better and worse by t-test (Holm between lines), equivalent: inside 1/1.05…1.05",
        general,
        "could show: the smallest ratio (or its inverse) that these seeds would have shown four times in five; seeds "
        "to decide: a task, if this ratio is the true one",
    )
    title = f"Conclusion against {conclusion.by} {conclusion.reference}, {named(conclusion.protocol)}{where}"
    return Grid(title, columns, conclusion.rows, notes, facts, section=lambda row: (row.truth, row.fixed))


def _conclusion_columns(conclusion: Conclusion) -> list[Column[ConclusionRow]]:
    fixed = "architecture" if conclusion.by == "norm" else "norm"
    return [
        Column("truth", "truth", lambda row: row.truth),
        Column("tasks", "tasks", lambda row: len(row.tasks), spare=4),
        Column(fixed, fixed, lambda row: row.fixed),
        Column(conclusion.by, conclusion.by, lambda row: row.name),
        Column(ID_ERROR.name, heading(ID_ERROR), lambda row: row.id_error, "lower", spare=2),
        Column(FAR_ERROR.name, heading(FAR_ERROR), lambda row: row.far_error, "lower", spare=-1),
        Column("verdict", "verdict", lambda row: row.verdict, show=_show_verdict, spare=-2),
        Column("grade", "grade", lambda row: row.grade or None, extra=True),
        Column("ratio", f"far error{GAP}ratio ↓", lambda row: row.ratio, "lower"),
        Column("judgement", "so", lambda row: row.judgement),
        Column("detectable", f"could{GAP}show", lambda row: row.detectable, spare=1),
        Column("seeds_needed", f"seeds to{GAP}decide", lambda row: _seeds(row)[0], show=_show_seeds, spare=-3),
        Column("seeds_needed_most", "seeds to decide at most", lambda row: _seeds(row)[1], extra=True),
        Column("general", f"tasks like these:{GAP}ratio ↓", lambda row: row.general, "lower", _show_claim, spare=3),
        Column("id_ratio", "id error ratio", lambda row: row.id_ratio, "lower", extra=True),
        Column("p_holm", "p (Holm)", lambda row: row.p_holm, extra=True),
        Column("seeds", "seeds", lambda row: row.seeds[0], show=lambda row: show_range(row.seeds), spare=5),
        Column("seeds_most", "seeds at most", lambda row: row.seeds[1], extra=True),
        Column("troubles", "remarks", lambda row: tuple(f"{n} {status}" for status, n in row.troubles), spare=-4),
        Column("source_hash", "source", lambda row: row.source_hash, extra=True),
        Column("norm_hash", "source of the norm", lambda row: row.norm_hash, extra=True),
    ]


def _show_verdict(row: ConclusionRow) -> str:
    return row.verdict if row.grade in row.verdict else f"{row.verdict}, {row.grade}"


def _seeds(row: ConclusionRow) -> tuple[int | None, int | None]:
    return row.seeds_needed or (None, None)


def _show_seeds(row: ConclusionRow) -> str:
    few, many = _seeds(row)
    if row.seeds_needed is None:
        return ""
    if few is None:
        return f"> {MOST_SEEDS:,}"
    return f"{few:,}–{many:,}" if many is not None else f"{few:,} to > {MOST_SEEDS:,}"


def _show_claim(row: ConclusionRow) -> str | None:
    if row.general is not None:
        return None
    return "" if row.judgement == "reference" else no_claim(len(row.tasks)).replace(": ", f":{GAP}")


def _difference_columns(fixed: str, by: str) -> list[Column[Difference]]:
    return [
        Column("task", "task", lambda row: row.task, show=lambda row: clean(title_of(row.task))),
        Column("tasks", "tasks", lambda row: row.tasks, spare=3),
        Column(fixed, fixed, lambda row: row.fixed),
        Column(by, by, lambda row: row.candidate),
        *(column for quantity in COMPARED for column in _effect_columns(quantity)),
        Column("outcomes", "remarks", show_outcomes, spare=-2),
        Column("source_hash", "source", lambda row: row.source_hash, extra=True),
        Column("norm_hash", "source of the norm", lambda row: row.norm_hash, extra=True),
    ]


def _effect_columns(quantity: Quantity) -> list[Column[Difference]]:
    metric = quantity.name

    def ratio(row: Difference) -> Interval | None:
        return row.effect(metric).ratio

    def shown(row: Difference) -> str:
        effect = row.effect(metric)
        extra = "".join(f", {n} {word}" for word, n in (("lost", effect.lost), ("won", effect.won)) if n)
        return f"{show_value(effect.ratio, GAP)}{extra}"

    first = quantity is COMPARED[0]
    return [
        Column(
            f"{metric}_ratio",
            heading(quantity, "ratio"),
            ratio,
            quantity.direction,
            shown,
            spare=quantity.compared or 0,
        ),
        Column(f"{metric}_p", "p", lambda row: row.effect(metric).p_value, extra=True, show=_p(metric, "p_value")),
        Column(
            f"{metric}_p_holm", "p (Holm)", lambda row: row.effect(metric).p_holm, extra=True, show=_p(metric, "p_holm")
        ),
        Column(f"{metric}_pairs", "pairs", lambda row: row.effect(metric).pairs, extra=not first, spare=2),
        Column(f"{metric}_lost", "lost", lambda row: row.effect(metric).lost, extra=True),
        Column(f"{metric}_won", "won", lambda row: row.effect(metric).won, extra=True),
        *_claim_columns(quantity, first),
    ]


def _claim_columns(quantity: Quantity, first: bool) -> list[Column[Difference]]:
    """What is claimed for tasks like these; starred where the test over tasks says that there is a difference."""
    metric = quantity.name

    def shown(row: Difference) -> str:
        effect = row.effect(metric)
        if effect.general is None:
            return no_claim(effect.tasks).replace(": ", f":{GAP}")
        mark = " *" if effect.p_general is not None and effect.p_general < 0.05 else ""
        mean, gap, ends = show_value(effect.general, GAP).partition(GAP)
        return f"{mean}{mark}{gap}{ends}"

    title = f"tasks like these:{GAP}{quantity.title} ↓"
    return [
        Column(f"{metric}_general", title, lambda row: row.effect(metric).general, "lower", shown, not first, spare=1),
        Column(f"{metric}_p_general", "p over tasks (Holm)", lambda row: row.effect(metric).p_general, extra=True),
    ]


def _p(metric: str, which: str) -> Any:
    def shown(row: Difference) -> str:
        value = getattr(row.effect(metric), which)
        return "–" if value is None else "<0.001" if value < 0.001 else show_number(value)

    return shown


def show_outcomes(row: Difference) -> str:
    """Pairs in which either record is not ok, as "reference/candidate: number"."""
    return ", ".join(f"{n} {a}/{b}" for (a, b), n in row.outcomes if (a, b) != ("ok", "ok"))
