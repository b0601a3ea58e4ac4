"""The built-in architectures."""

from __future__ import annotations

from architectures.baselines_cards import BASELINES
from architectures.card import ArchitectureCard
from architectures.placements import CNN, MLP, NOWHERE, TRANSFORMER
from bench.core.problem import INPUT_KINDS, InputKind


def _network(name: str, **fields: object) -> ArchitectureCard:
    return ArchitectureCard(name=name, version="1", role="network", deterministic=False, **fields)  # type: ignore[arg-type]


def _estimator(
    name: str, summary: str, build: str, citation: str, inputs: tuple[InputKind, ...] = INPUT_KINDS
) -> ArchitectureCard:
    return ArchitectureCard(
        name=name,
        version="1",
        summary=summary,
        family="estimator",
        inputs=inputs,
        build=f"architectures.estimators:{build}",
        options=None,
        role="estimator",
        deterministic=True,
        citation=citation,
        placements=NOWHERE,
    )


CARDS = (
    _network(
        "mlp",
        summary="multilayer perceptron; images and sequences are flattened",
        family="mlp",
        inputs=INPUT_KINDS,
        build="architectures.mlp:mlp",
        options="architectures.options:MlpOptions",
        citation="Rumelhart, Hinton and Williams, Nature 323, 1986",
        placements=MLP,
    ),
    _network(
        "cnn",
        summary="convolutional network: 2-d over images, 1-d over sequences; mean over positions",
        family="cnn",
        inputs=("image", "sequence"),
        build="architectures.cnn:cnn",
        options="architectures.options:CnnOptions",
        citation="LeCun et al., Proceedings of the IEEE 86, 1998",
        placements=CNN,
    ),
    _network(
        "transformer",
        summary="transformer encoder over features, image patches or steps",
        family="transformer",
        inputs=INPUT_KINDS,
        build="architectures.transformer:transformer",
        options="architectures.options:TransformerOptions",
        citation="Vaswani et al., arXiv 1706.03762",
        placements=TRANSFORMER,
    ),
    _estimator(
        "mean",
        "the mean of the training targets, whatever the input",
        "mean",
        "the zero of every relative error",
    ),
    _estimator(
        "ridge",
        "ridge regression on the flattened input; its strength is chosen on the validation rows",
        "ridge",
        "Hoerl and Kennard, Technometrics 12, 1970",
    ),
    _estimator(
        "last-value",
        "the last step's values, mapped linearly onto the target by least squares",
        "last_value",
        "Hyndman and Athanasopoulos, Forecasting: Principles and Practice, section 5.2",
        ("sequence",),
    ),
    _estimator(
        "linear-extrapolation",
        "the line through each channel's steps one step on, mapped linearly onto the target by least squares",
        "linear_extrapolation",
        "Hyndman and Athanasopoulos, Forecasting: Principles and Practice, section 7.4",
        ("sequence",),
    ),
    *BASELINES,
)
