"""Small problems of every kind, for looking at an architecture without a task."""

from __future__ import annotations

from bench.core.problem import InputKind, Problem

EXAMPLES: dict[InputKind, tuple[Problem, ...]] = {
    "features": (Problem("features", (8,)), Problem("features", (1,))),
    "image": (Problem("image", (1, 16, 16)), Problem("image", (3, 8, 8))),
    "sequence": (Problem("sequence", (10, 1)), Problem("sequence", (6, 2))),
}


def example(kind: InputKind) -> Problem:
    """The first example of that kind."""
    return EXAMPLES[kind][0]
