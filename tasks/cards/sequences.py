"""Cards of sequence tasks."""

from __future__ import annotations

from tasks.card import Budget, PaperBudget, TaskCard

CARDS = (
    TaskCard(
        name="trend-sequence",
        version="1",
        summary="The next value of a straight line f(i) = a + b·i with a, b ~ N(0, 1), from ten consecutive ones.",
        kind="sequence",
        target="the next value",
        units="1",
        truth="growing",
        far_rule="other lines, later: windows inside i = 31 to 60 and 61 to 100, trained on i = 1 to 30",
        source="computed by FarField",
        licence="Apache-2.0",
        citation="FarField",
        real=False,
        budget=Budget(steps=300, batch_size=128),
        paper=PaperBudget(epochs=50, batch_size=128),
        build="tasks.sequences:trend",
    ),
)
