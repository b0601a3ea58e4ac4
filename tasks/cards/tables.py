"""Cards of real tables."""

from __future__ import annotations

from tasks.card import Budget, PaperBudget, TaskCard

CARDS = (
    TaskCard(
        name="protein",
        version="1",
        summary="How far a protein model lies from the native structure, from nine physicochemical properties.",
        kind="features",
        target="RMSD, the root mean square deviation of the residue",
        units="Å",
        truth="unknown",
        far_rule="total surface area (F1) above 20,000 Å²",
        source="UCI Machine Learning Repository, data set 265 (CASP 5-9)",
        licence="CC BY 4.0",
        citation="Rana, Physicochemical Properties of Protein Tertiary Structure, UCI, 2013, doi:10.24432/C5QW3H",
        real=True,
        budget=Budget(steps=2000, batch_size=256),
        paper=PaperBudget(epochs=2500),
        build="tasks.tables:protein",
    ),
    TaskCard(
        name="diabetes",
        version="1",
        summary="Progression of diabetes one year after ten baseline measurements of 442 patients.",
        kind="features",
        target="disease progression after one year",
        units="1",
        truth="unknown",
        far_rule="the fifth with the highest body mass index",
        source="scikit-learn (load_diabetes, unscaled)",
        licence="BSD-3-Clause, as shipped by scikit-learn",
        citation="Efron, Hastie, Johnstone and Tibshirani, Least Angle Regression, Annals of Statistics 32, 2004",
        real=True,
        budget=Budget(steps=500),
        paper=PaperBudget(epochs=2500),
        build="tasks.tables:diabetes",
    ),
)
