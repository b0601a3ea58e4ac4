"""Cards of known functions: each is a formula of :mod:`tasks.families.known.formulas` on a domain."""

from __future__ import annotations

from tasks.card import PaperBudget, Truth
from tasks.families.known.functions import Domain, InstanceOptions, KnownFunction
from tasks.registry import register_task

PAPER = "Ziomek, Whittle and Osborne, Just One Layer Norm Guarantees Stable Extrapolation, arXiv 2505.14512"
FRIEDMAN = "Friedman, Multivariate Adaptive Regression Splines, Annals of Statistics 19, 1991"


def _card(build: KnownFunction, words: str, truth: Truth, summary: str, paper: PaperBudget, citation: str) -> None:
    register_task(
        build.name,
        summary=summary,
        kind="features",
        target=words,
        truth=truth,
        version="2",
        far_rule="noise-free truth, as on the test rows, on the shells (1, 2], (2, 5] and (5, 10] R",
        far_kind="distance",
        beyond=1.0,
        source="computed by FarField",
        licence="Apache-2.0",
        citation=citation,
        paper=paper,
        build=build,
        options=InstanceOptions,
    )


def _one(name: str, formula: str, words: str, truth: Truth) -> None:
    _card(
        KnownFunction(name, formula, 1),
        words,
        truth,
        f"The function {words} from 100 noisy points on [-5, 5].",
        PaperBudget(epochs=3000),
        PAPER,
    )


def _several(
    stem: str, formula: str, words: str, truth: Truth, domain: Domain, dimensions: tuple[int, ...] = (2, 8, 64)
) -> None:
    for dimension in dimensions:
        _card(
            KnownFunction(f"{stem}-{dimension}d", formula, dimension, domain),
            words,
            truth,
            f"{words[0].upper()}{words[1:]}, in {dimension} dimensions, from 4,000 noisy points.",
            PaperBudget(epochs=2500),
            FRIEDMAN if stem == "friedman1" else "FarField",
        )


_one("sine-1d", "sine", "sin x", "bounded")
_one("linear-1d", "linear", "x", "growing")
_one("quadratic-1d", "quadratic", "x²", "growing")
_one("decay-1d", "decay", "exp(-|x|)", "bounded")
_one("bump-1d", "bump", "exp(1 - 1/(1 - (x/4)²)) inside (-4, 4) and 0 outside", "bounded")
_one("saturating-1d", "saturating", "tanh x", "bounded")
_one("growing-wave-1d", "growing_wave", "x·sin x", "growing")
_one("step-1d", "step", "the step from 0 to 1 at the origin", "bounded")
_several("sum", "total", "the sum of the coordinates", "growing", "cube")
_several("norm", "norm", "the Euclidean norm", "growing", "ball")
_several("product", "product", "the product of the first two coordinates", "growing", "cube")
_several("friedman1", "friedman1", "Friedman's first function", "growing", "unit-cube", (8, 64))
_several("teacher-relu", "teacher_relu", "a random ReLU network", "growing", "cube")
_several("teacher-tanh", "teacher_tanh", "a random tanh network", "bounded", "cube")
