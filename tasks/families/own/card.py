"""A table of the user's own: what is known of it before there is one. A family of one, so that no list shows it."""

from __future__ import annotations

from bench.core.registry import Family
from tasks.card import Budget, PaperBudget, TaskCard
from tasks.registry import register_family

CARD = TaskCard(
    name="own-data",
    version="the file's hash",
    summary="A table of the user's own.",
    kind="features",
    target="a column of the table",
    units="1",
    truth="unknown",
    far_rule="as given",
    source="the user's file",
    licence="the user's own",
    citation="the user's own",
    real=True,
    budget=Budget(steps=1500, batch_size=256),
    paper=PaperBudget(epochs=2500),
    build="tasks.families.own.table:build",
    options="tasks.families.own.options:OwnData",
    origin="built in",
)

register_family(CARD.name, Family("a table of yours: --data FILE", names=lambda: [CARD.name], card=lambda _: CARD))
