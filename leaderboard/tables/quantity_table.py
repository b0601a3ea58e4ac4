"""The table of quantities in the docs: ``python -m leaderboard.tables.quantity_table`` prints it."""

from __future__ import annotations

from leaderboard.records.quantities import QUANTITIES
from leaderboard.records.quantity import Quantity

BEGIN, END = "<!-- quantities: begin -->", "<!-- quantities: end -->"


def quantity_table() -> str:
    """Each quantity with its unit, which values are better, its scale, how a cell sums it up, and what it is."""
    head = "| column | unit | better | scale | over seeds | what it is |\n|---|---|---|---|---|---|\n"
    return head + "".join(_line(quantity) for quantity in QUANTITIES)


def _line(quantity: Quantity) -> str:
    mean = "geometric mean" if quantity.scale == "log" else "mean"
    over = {"mean": mean, "range": "least and greatest", "sum": "sum", None: "–"}[quantity.total]
    cells = (
        f"`{quantity.name}`",
        quantity.unit or "–",
        quantity.direction or "–",
        quantity.scale,
        over,
        quantity.meaning.replace("|", "\\|"),
    )
    return f"| {' | '.join(cells)} |\n"


if __name__ == "__main__":
    print(quantity_table(), end="")
