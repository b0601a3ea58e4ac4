"""Small problems of every kind, for looking at an architecture without a task."""

from __future__ import annotations

from dataclasses import replace

from bench.core.problem import InputKind, Problem

EXAMPLES: dict[InputKind, tuple[Problem, ...]] = {
    "features": (Problem("features", (8,)), Problem("features", (1,))),
    "image": (Problem("image", (1, 16, 16)), Problem("image", (3, 8, 8))),
    "sequence": (Problem("sequence", (10, 1)), Problem("sequence", (6, 2))),
}
EACH_STEP = Problem("sequence", (7, 2), each_step=True)
"""For what answers at each step, beside the examples."""


def examples_for(kind: InputKind, each_step: bool, causal: bool) -> tuple[Problem, ...]:
    """The examples of that kind; of sequences also one that is answered at each step, where the architecture does."""
    if kind != "sequence" or not each_step:
        return EXAMPLES[kind]
    return (*EXAMPLES[kind], replace(EACH_STEP, causal=causal))


def example(kind: InputKind) -> Problem:
    """The first example of that kind."""
    return EXAMPLES[kind][0]
