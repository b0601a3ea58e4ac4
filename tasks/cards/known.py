"""Cards of known functions."""

from __future__ import annotations

from tasks.card import Budget, PaperBudget, TaskCard, Truth


def _one_dimension(name: str, formula: str, truth: Truth) -> TaskCard:
    return TaskCard(
        name=name,
        version="1",
        summary=f"The function {formula} from 100 noisy points on [-5, 5].",
        kind="features",
        target=formula,
        units="1",
        truth=truth,
        far_rule="noise-free truth on the shells (1, 2], (2, 5] and (5, 10] R",
        source="computed by FarField",
        licence="Apache-2.0",
        citation="Ziomek, Whittle and Osborne, Just One Layer Norm Guarantees Stable Extrapolation, arXiv 2505.14512",
        real=False,
        budget=Budget(steps=1500),
        paper=PaperBudget(epochs=3000),
        build=f"tasks.known:{name.replace('-', '_')}",
        options="tasks.known:Instance",
    )


CARDS = (
    _one_dimension("sine-1d", "sin x", "bounded"),
    _one_dimension("linear-1d", "x", "growing"),
    _one_dimension("quadratic-1d", "x²", "growing"),
)
