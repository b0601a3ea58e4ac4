"""Cards of the classical regressors; :mod:`architectures.estimators.classical` has the code."""

from __future__ import annotations

from architectures.card import ArchitectureCard
from architectures.norms.placements import NOWHERE
from bench.core.problem import INPUT_KINDS


def _baseline(name: str, summary: str, build: str, options: str, citation: str) -> ArchitectureCard:
    return ArchitectureCard(
        name=name,
        version="1",
        summary=summary,
        family="estimator",
        inputs=INPUT_KINDS,
        build=f"architectures.estimators.classical:{build}",
        options=f"architectures.estimators.classical_options:{options}",
        role="estimator",
        deterministic=True,
        citation=citation,
        placements=NOWHERE,
        exponent=0,
    )


BASELINES = (
    _baseline(
        "knn",
        "k nearest neighbours; k is chosen on the validation rows unless given",
        "knn",
        "NeighboursOptions",
        "Fix and Hodges, International Statistical Review 57, 1989 (report of 1951)",
    ),
    _baseline(
        "boosted-trees",
        "gradient-boosted trees (scikit-learn); their number is chosen on the validation rows",
        "boosted_trees",
        "TreesOptions",
        "Friedman, Annals of Statistics 29, 2001",
    ),
    _baseline(
        "gaussian-process",
        "Gaussian process, RBF kernel and noise by marginal likelihood; over a random 2,000 rows where there are more",
        "gaussian_process",
        "GaussianProcessOptions",
        "Rasmussen and Williams, Gaussian Processes for Machine Learning, 2006",
    ),
    _baseline(
        "xgboost",
        "XGBoost with its defaults and 100 rounds; needs the extra farfield[xgboost]",
        "xgboost_trees",
        "XgboostOptions",
        "Chen and Guestrin, arXiv 1603.02754",
    ),
)
