"""What ``farfield show`` prints of a task or an architecture, as tables."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from bench.core.errors import FarFieldError, InputError
from bench.core.problem import Problem
from leaderboard.tables.grid import Column, Grid, show_number

if TYPE_CHECKING:
    from architectures import Architecture
    from architectures.description import Description, LayerRow, SiteRow
    from tasks import Budget, HowFar, TaskDescription

# what an architecture is shown on when no task is named, by the kinds of input that it reads
EXAMPLES = {
    "features": Problem("features", (8,)),
    "image": Problem("image", (1, 16, 16)),
    "sequence": Problem("sequence", (10, 1)),
}


@dataclass(frozen=True)
class Fact:
    """A line of a card."""

    name: str
    text: str


def facts_grid(title: str, facts: Sequence[Fact], notes: Sequence[str] = ()) -> Grid[Fact]:
    """A two-column table."""
    columns = [Column[Fact]("fact", "", lambda f: f.name), Column[Fact]("text", "", lambda f: f.text)]
    return Grid(title, columns, facts, notes)


def task_grids(description: TaskDescription) -> list[Grid[Any]]:
    """A task's card and sizes, and how far its sets are."""
    card = description.card
    low, high = description.target_range
    far_low, far_high = description.far_target_range
    unit = "" if card.units == "1" else f" {card.units}"
    paper = card.paper
    facts = [
        Fact("version", card.version),
        Fact("summary", card.summary),
        Fact("input", f"{card.kind} of shape {'×'.join(map(str, description.shape))}"),
        Fact("features", ", ".join(description.feature_names)),
        Fact("target", f"{card.target}{f', in {card.units}' if unit else ''}"),
        Fact("training targets", f"{show_number(low)} to {show_number(high)}{unit}"),
        Fact("far targets", f"{show_number(far_low)} to {show_number(far_high)}{unit}"),
        Fact("truth far away", f"{card.truth}{f': {card.note}' if card.note else ''}"),
        Fact("far rule", card.far_rule),
        Fact("far kind", f"by {description.far_kind}: {description.beyond:.0%} of far rows lie beyond R"),
        Fact("rows", ", ".join(f"{name} {rows:,}" for name, rows in description.sizes.items())),
        Fact("radius R", show_number(description.radius)),
        Fact("budget", _budget(card.budget)),
        Fact(
            "", f"protocol paper: {paper.epochs:,} epochs, batch {paper.batch_size or 'full'}, {paper.learning_rate:g}"
        ),
        Fact("source", card.source),
        Fact("licence", card.licence),
        Fact("citation", card.citation),
        Fact("data hash", description.data_hash[:16]),
    ]
    shown = [fact for fact in facts if fact.text]
    return [facts_grid(f"task {description.name}", shown, description.notes), far_grid(description.sets)]


def _budget(budget: Budget) -> str:
    size = f"{budget.steps:,} steps of up to {budget.batch_size:,} rows"
    return f"protocol 2: {size}; {budget.in_words()}"


def far_grid(sets: Sequence[HowFar]) -> Grid[HowFar]:
    """How far each set is, by four measures."""
    columns = [
        Column[Any]("set", "set", lambda s: s.name),
        Column[Any]("rows", "rows", lambda s: s.rows),
        Column[Any]("distance_05", "distance 5%", lambda s: s.distance[0]),
        Column[Any]("distance_50", "50%", lambda s: s.distance[1]),
        Column[Any]("distance_95", "95%", lambda s: s.distance[2]),
        Column[Any]("beyond", "beyond R", lambda s: s.beyond, show=lambda s: f"{s.beyond:.0%}"),
        Column[Any]("mahalanobis", "Mahalanobis", lambda s: s.mahalanobis, spare=-1),
        Column[Any]("nearest", "nearest neighbour", lambda s: s.nearest, spare=-2),
        Column[Any]("auc", "classifier AUC", lambda s: s.auc, spare=-3),
    ]
    note = (
        "medians in units of the training rows' 99th percentile of the same measure (1: the training data's edge); "
        "AUC of a classifier that tells the set from training rows: 0.5 cannot tell, 1 always does"
    )
    return Grid("how far", columns, sets, [note])


def problem_for(architecture: Architecture, task: str | None) -> Problem:
    """The problem of ``task``, or an example of the first kind of input that ``architecture`` reads."""
    if task is None:
        return EXAMPLES[architecture.card.inputs[0]]
    import tasks

    return tasks.resolve(task).load().problem


@contextmanager
def built(architecture: Architecture, problem: Problem, task: str | None) -> Iterator[None]:
    """Where a network is built and tried on ``problem``: what its own code raises is said on one line.

    Raises:
        InputError: it does not read such inputs, or its code fails.
    """
    try:
        yield
    except FarFieldError:
        raise
    except (Exception, SystemExit) as error:
        shape = "×".join(map(str, problem.shape))
        what = f"{architecture.name} fails on {problem.kind} of shape {shape}: {type(error).__name__}: {error}"
        hint = "name a task that it reads: --task" if task is None else "name a task whose inputs it reads"
        raise InputError(what, where=None if task is None else f"--task {task}", hint=hint) from error


def architecture_grids(description: Description) -> list[Grid[Any]]:
    """An architecture's layers, sites, sizes, and whether it is predicted to be bounded."""
    prediction = description.prediction
    bounded = {True: "bounded", False: "unbounded", None: "unknown"}[prediction.bounded]
    exponent = "unknown" if prediction.exponent is None else str(prediction.exponent)
    facts = [
        Fact("input", f"{description.problem.kind} of shape {'×'.join(map(str, description.problem.shape))}"),
        Fact("norm", description.norm),
        Fact("predicted", f"{bounded} (exponent {exponent}): {prediction.reason}"),
    ]
    if description.parameters is not None:
        parts = ", ".join(f"{name} {count:,}" for name, count in description.parts)
        facts.append(Fact("parameters", f"{description.parameters:,} ({parts})"))
        facts.append(Fact("cost", _cost(description)))
    grids: list[Grid[Any]] = [facts_grid(f"architecture {description.architecture}", facts)]
    if description.layers:
        grids += [_layers_grid(description.layers), _sites_grid(description.sites)]
    return grids


def _cost(description: Description) -> str:
    forward, step = description.flops_forward or 0, description.flops_step or 0
    return f"{forward:,} operations forwards a sample, {step:,} a training step on {description.batch_size} rows"


def _layers_grid(layers: Sequence[LayerRow]) -> Grid[LayerRow]:
    columns = [
        Column[Any]("norm", "", lambda row: row.norm or "", show=lambda row: f"► {row.norm}" if row.norm else ""),
        Column[Any]("layer", "layer", lambda row: row.name),
        Column[Any]("type", "type", lambda row: row.type, spare=-2),
        Column[Any]("output", "output", lambda row: "×".join(map(str, row.output)), spare=-1),
        Column[Any]("parameters", "parameters", lambda row: row.parameters),
        Column[Any]("site", "site", lambda row: row.site or "", spare=-3),
    ]
    return Grid("layers, in forward order", columns, layers)


def _sites_grid(sites: Sequence[SiteRow]) -> Grid[SiteRow]:
    columns = [
        Column[Any]("site", "site", lambda row: row.name),
        Column[Any]("dim", "channels", lambda row: row.dim),
        Column[Any]("positions", "positions", lambda row: row.positions),
        Column[Any]("words", "placements", lambda row: ", ".join(row.words)),
        Column[Any]("norm", "norm here", lambda row: row.norm or "–"),
    ]
    return Grid("sites that a scheme can name", columns, sites)


@dataclass(frozen=True)
class Placement:
    """A word of the scheme grammar and the sites it means."""

    word: str
    sites: tuple[str, ...]


def placements_grid(architecture: Architecture, task: str | None) -> Grid[Placement]:
    """Which sites each placement word means."""
    from architectures.description import placements_of

    problem = problem_for(architecture, task)
    with built(architecture, problem, task):
        rows = [Placement(word, sites) for word, sites in placements_of(architecture, problem)]
    columns = [
        Column[Placement]("placement", "placement", lambda row: row.word),
        Column[Placement]("sites", "sites", lambda row: ", ".join(row.sites) or "none here"),
    ]
    notes = [] if architecture.card.takes_norms else ["an estimator takes no norm: run it with none"]
    return Grid(f"placements of {architecture.name} on {problem.kind} of shape {problem.shape}", columns, rows, notes)
