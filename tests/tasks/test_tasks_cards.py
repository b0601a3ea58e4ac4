import dataclasses
import subprocess
import sys

import pytest

import tasks
from bench.core.errors import InputError, UnknownName
from bench.core.registry import resolve_target
from tasks.card import Budget, PaperBudget, TaskCard

HEAVY = ("torch", "timm", "datasets", "wandb", "pandas", "sklearn", "scipy", "statsmodels", "PIL")


@pytest.mark.parametrize("name", tasks.list_tasks())
def test_card_says_everything(name: str) -> None:
    card = tasks.get_card(name)
    for field in dataclasses.fields(TaskCard):
        value = getattr(card, field.name)
        assert field.name in ("options", "note") or value not in (None, ""), field.name
    assert callable(resolve_target(card.build))
    assert card.options is None or dataclasses.is_dataclass(resolve_target(card.options))
    if card.kind != "features":
        assert (card.budget.base_steps or 0) <= 300, "image and sequence tasks begin with at most 300 steps"


@pytest.mark.parametrize(
    "change",
    [
        {"name": "Bad Name"},
        {"summary": " "},
        {"kind": "sound"},
        {"truth": "odd"},
        {"far_kind": "odd"},
        {"beyond": 2.0},
        {"licence": ""},
        {"units": ""},
    ],
    ids=str,
)
def test_card_refuses(change: dict[str, str]) -> None:
    card = tasks.get_card("protein")
    with pytest.raises(ValueError, match=r".+"):
        dataclasses.replace(card, **change)  # type: ignore[arg-type]


def test_card_has_a_closed_schema() -> None:
    card = tasks.get_card("protein")
    with pytest.raises(TypeError):
        TaskCard(**{f.name: getattr(card, f.name) for f in dataclasses.fields(card)}, colour="red")  # type: ignore[call-arg]
    with pytest.raises(TypeError):
        TaskCard(name="incomplete")  # type: ignore[call-arg]


def test_every_card_says_where_it_comes_from() -> None:
    assert {tasks.get_card(name).origin for name in [*tasks.list_tasks(), "own-data"]} == {"built in"}
    with pytest.raises(ValueError, match="'elsewhere' is no origin"):
        dataclasses.replace(tasks.get_card("protein"), origin="elsewhere")


def test_budgets_are_positive() -> None:
    with pytest.raises(ValueError, match="at least one"):
        Budget(steps=0)
    with pytest.raises(ValueError, match="4 times"):
        Budget(steps=401, base_steps=100, how="by kind")
    with pytest.raises(ValueError, match="where it was measured"):
        Budget(steps=100, base_steps=100, how="measured")
    with pytest.raises(ValueError, match="stated budget"):
        Budget(steps=100, base_steps=100)
    with pytest.raises(ValueError, match="positive"):
        Budget(steps=100, base_steps=100, how="measured", doubling=(("none", 0.0),))
    with pytest.raises(ValueError, match="positive"):
        PaperBudget(epochs=1, learning_rate=0.0)


def test_unknown_names_get_hints() -> None:
    with pytest.raises(UnknownName, match="sine-1d"):
        tasks.resolve("sin-1d")
    with pytest.raises(InputError, match="instance"):
        tasks.resolve("sine-1d(instanse=1)")
    with pytest.raises(InputError, match="0 or positive"):
        tasks.resolve("sine-1d(instance=-1)")
    with pytest.raises(InputError, match="takes no options"):
        tasks.resolve("protein(rows=5)")


def test_spelling_is_canonical() -> None:
    assert tasks.resolve("sine-1d( instance = 0 )").name == "sine-1d"
    assert tasks.resolve("sine-1d(7)") == tasks.resolve("sine-1d(instance=7)")


def test_listing_is_light() -> None:
    script = (
        "import sys, tasks; tasks.list_tasks(); tasks.get_card('protein'); tasks.resolve('sine-1d');"
        f"print([m for m in {HEAVY!r} if m in sys.modules])"
    )
    run = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert run.stdout.strip() == "[]"
