"""The table of budgets, ``tasks/budgets.json``, the cards that read it, and the tool that writes it."""

import json
from pathlib import Path

import pytest

import tasks
from bench.core.errors import InputError
from bench.plan.suite import load_suite
from tasks.budgets import FILE, budget_of, budgets, entry_of
from tasks.card import Budget
from tools.budgets import BEGIN, END, budget_lines, known_budgets, read_measurements, reasons, task_table, with_medians

ROOT = Path(__file__).parents[2]
MEASURED_SUITES = ("quick", "standard", "paper")


def test_every_built_in_task_has_its_budget_in_the_table() -> None:
    assert list(budgets()) == tasks.list_tasks(), "run python -m tools.budgets"
    for name, budget in budgets().items():
        assert tasks.get_card(name).budget == budget, name


def test_the_table_and_the_docs_are_what_the_tool_writes() -> None:
    """So what is not measured follows from what is, and the docs from the table."""
    made = with_medians(known_budgets(), {name: tasks.get_card(name).kind for name in tasks.list_tasks()})
    assert (ROOT / "tasks" / FILE).read_text(encoding="utf-8") == budget_lines(made), "run python -m tools.budgets"
    text = (ROOT / "docs" / "tasks.md").read_text(encoding="utf-8")
    assert text.partition(BEGIN)[2].partition(END)[0] == f"{task_table(made)}\n{reasons()}"


def test_every_task_of_the_suites_is_measured() -> None:
    missing = {
        cell.task
        for suite in MEASURED_SUITES
        for cell in load_suite(suite).cells()
        if not tasks.resolve(cell.task).card.budget.measured
    }
    assert missing == set()


def test_a_stranger_s_budget_is_its_own() -> None:
    assert Budget(steps=700).in_words() == "stated by its author, not measured"
    assert Budget(steps=700).factor == 1


KNOWN = {
    "sine-1d": Budget(1500, base_steps=1500, how="by kind"),
    "step-1d": Budget(1500, base_steps=1500, how="by kind"),
    "linear-1d": Budget(1000, base_steps=1000, how="by kind"),
    "co2": Budget(300, base_steps=300, how="by kind"),
}
KINDS = {name: tasks.get_card(name).kind for name in KNOWN}
RATIOS = {"none": 0.97, "layer@all": 1.0, "batch@all": 0.98}


def line(task: str, base: int, steps: int, **more: object) -> str:
    return json.dumps({"task": task, "base_steps": base, "steps": steps, "doubling": RATIOS, "seconds": 3} | more)


def test_measured_budgets_stand_and_the_others_take_the_median_factor_of_their_kind() -> None:
    found = read_measurements([line("sine-1d", 1500, 3000), "", line("step-1d", 1500, 6000)], KNOWN)
    made = with_medians({**KNOWN, **found}, KINDS)
    assert {name: budget.steps for name, budget in made.items()} == {
        "sine-1d": 3000,
        "step-1d": 6000,
        "linear-1d": 3000,  # the median of 2 and 4, times 1,000
        "co2": 300,  # no sequence was measured
    }
    assert made["sine-1d"].in_words() == (
        "doubling them changes id_error by ×0.97 (none), ×1.00 (layer@all), ×0.98 (batch@all)"
    )
    assert "median factor of its kind, ×3" in made["linear-1d"].in_words()
    assert with_medians(made, KINDS) == made, "written twice, the table stays"


def test_an_entry_is_read_as_it_was_written() -> None:
    made = read_measurements([line("sine-1d", 1500, 3000)], KNOWN) | {"co2": KNOWN["co2"]}
    written = json.loads(budget_lines(made))
    assert {name: budget_of(entry) for name, entry in written.items()} == made
    with pytest.raises(ValueError, match="batch_size"):
        budget_of({"steps": 3, **{name: value for name, value in entry_of(KNOWN["co2"]).items() if name == "steps"}})


@pytest.mark.parametrize(
    ("text", "what"),
    [
        ("no JSON", "line 2"),
        (line("sin", 1500, 3000), "no task 'sin'"),
        (line("sine-1d", 500, 1000), "base_steps of sine-1d are 1500, not 500"),
        (line("sine-1d", 1500, 6001), "more than 4 times"),
        (line("sine-1d", 1500, 3000, doubling={"none": 1.0}), "doubling of sine-1d names none"),
        (line("sine-1d", 1500, 3000, doubling=RATIOS | {"none": -1.0}), "positive"),
    ],
)
def test_what_is_no_measurement_is_refused(text: str, what: str) -> None:
    with pytest.raises(InputError, match=what):
        read_measurements([line("step-1d", 1500, 1500), text], KNOWN)
