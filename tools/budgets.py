"""Writes the table of training budgets, ``tasks/budgets.json``, and the table of tasks in ``docs/tasks.md``.

    python -m tools.budgets [FILE.jsonl ...]

Each line of a file is one task's measurement (here broken)::

    {"task": "sine-1d", "base_steps": 1500, "steps": 3000,
     "doubling": {"none": 0.97, "layer@all": 1.0, "batch@all": 0.98}}

``steps`` is the smallest number for which doubling moves the geometric mean of id_error over the three schemes by under
5%, or four times ``base_steps``; ``doubling`` says by what factor the next doubling changes each scheme's id_error.
Other fields of a line are ignored. Measured entries that no line names stay. Tasks that nobody measured take
``base_steps`` times the median factor of the measured tasks with the same kind of input; a task that is new to the
table enters with the steps that its card states.
"""

from __future__ import annotations

import json
import statistics
import sys
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import tasks
from bench.core.errors import InputError
from bench.core.problem import InputKind
from tasks.budgets import FILE, budgets, entry_of
from tasks.card import Budget

ROOT = Path(__file__).resolve().parents[1]
SCHEMES = ("none", "layer@all", "batch@all")
DOCS = ROOT / "docs" / "tasks.md"
BEGIN, END = "<!-- tasks: begin -->\n", "<!-- tasks: end -->"


def known_budgets() -> dict[str, Budget]:
    """The budget of each listed task, in natural order; what a new card states becomes its base."""
    found = {}
    for name in tasks.list_tasks():
        card = tasks.get_card(name)
        budget = card.budget
        found[name] = replace(budget, base_steps=budget.steps, how="by kind") if budget.how == "stated" else budget
    return found


def read_measurements(lines: Iterable[str], known: Mapping[str, Budget]) -> dict[str, Budget]:
    """The measured budgets, by task.

    Raises:
        InputError: a line is no measurement, or of no task that is known, or against another base.
    """
    found = {}
    for number, line in enumerate(lines, start=1):
        if not line.strip():
            continue
        try:
            name, budget = _measurement(json.loads(line), known)
        except (ValueError, TypeError, KeyError) as error:
            raise InputError(f"no measurement: {error!r}", where=f"line {number}") from None
        found[name] = budget
    return found


def _measurement(entry: Mapping[str, Any], known: Mapping[str, Budget]) -> tuple[str, Budget]:
    name, base, ratios = entry["task"], entry["base_steps"], entry["doubling"]
    if name not in known:
        raise ValueError(f"there is no task {name!r}")
    if base != known[name].base_steps:
        raise ValueError(f"base_steps of {name} are {known[name].base_steps}, not {base}")
    if set(ratios) != set(SCHEMES):
        raise ValueError(f"doubling of {name} names {', '.join(ratios)}, not {', '.join(SCHEMES)}")
    doubling = tuple((scheme, round(float(ratios[scheme]), 3)) for scheme in SCHEMES)
    return name, replace(known[name], steps=entry["steps"], how="measured", doubling=doubling)


def with_medians(known: Mapping[str, Budget], kinds: Mapping[str, InputKind]) -> dict[str, Budget]:
    """The budgets; what nobody measured takes the median factor of the measured tasks of its kind, 1 without any."""
    factors: dict[InputKind, list[float]] = {}
    for name, budget in known.items():
        if budget.measured:
            factors.setdefault(kinds[name], []).append(budget.factor)
    medians = {kind: statistics.median(several) for kind, several in factors.items()}
    return {
        name: budget
        if budget.measured
        else replace(budget, steps=round((budget.base_steps or budget.steps) * medians.get(kinds[name], 1.0)))
        for name, budget in known.items()
    }


def budget_lines(known: Mapping[str, Budget]) -> str:
    """The table as JSON, a line a task."""
    lines = (f"  {json.dumps(name)}: {json.dumps(entry_of(budget))}" for name, budget in known.items())
    return "{\n" + ",\n".join(lines) + "\n}\n"


def task_table(known: Mapping[str, Budget]) -> str:
    """Every task with its kinds and its budget, as Markdown."""
    heads = ("task", "input", "truth", "far by", "beyond R", "S", "rows a step", *SCHEMES)
    rows = ["| " + " | ".join(heads) + " |", "|" + "---|" * len(heads)]
    for name, budget in known.items():
        card = tasks.get_card(name)
        beyond = "" if card.beyond is None else f"{card.beyond:.0%}"
        ratios = dict(budget.doubling)
        effects = (f"×{ratios[scheme]:.2f}" if scheme in ratios else "–" for scheme in SCHEMES)
        size = (f"{budget.steps:,}", f"{budget.batch_size:,}")
        rows.append(
            "| " + " | ".join((f"`{name}`", card.kind, card.truth, card.far_kind or "", beyond, *size, *effects)) + " |"
        )
    return "\n".join(rows) + "\n"


def reasons() -> str:
    """What the cards say of their kind of truth, where it is not plain, as Markdown."""
    notes = ((name, tasks.get_card(name)) for name in tasks.list_tasks())
    return "".join(f"- `{name}`, {card.truth}: {card.note}.\n" for name, card in notes if card.note)


def with_table(document: str, known: Mapping[str, Budget]) -> str:
    """The document with its table as it is now."""
    before, _, rest = document.partition(BEGIN)
    _, _, after = rest.partition(END)
    return f"{before}{BEGIN}{task_table(known)}\n{reasons()}{END}{after}"


def main(paths: Sequence[str]) -> None:
    """Read the files, write the tables."""
    known = known_budgets()
    for path in paths:
        known |= read_measurements(Path(path).read_text(encoding="utf-8").splitlines(), known)
    made = with_medians(known, {name: tasks.get_card(name).kind for name in known})
    (ROOT / "tasks" / FILE).write_text(budget_lines(made), encoding="utf-8")
    DOCS.write_text(with_table(DOCS.read_text(encoding="utf-8"), made), encoding="utf-8")
    gone = sorted(set(budgets()) - set(made))
    measured = sum(budget.measured for budget in made.values())
    print(f"{len(made)} tasks, {measured} of them measured" + (f"; gone: {', '.join(gone)}" if gone else ""))


if __name__ == "__main__":
    try:
        main(sys.argv[1:])
    except (InputError, OSError) as error:
        sys.exit(str(error))
