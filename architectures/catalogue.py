"""The built-in architectures."""

from __future__ import annotations

from architectures.card import ArchitectureCard
from architectures.estimators.classical_cards import BASELINES
from architectures.norms.placements import CNN, MLP, NOWHERE, RES_CNN, RES_MLP, TRANSFORMER
from bench.core.problem import INPUT_KINDS, InputKind


def _network(name: str, **fields: object) -> ArchitectureCard:
    return ArchitectureCard(name=name, version="1", role="network", deterministic=False, **fields)  # type: ignore[arg-type]


def _estimator(
    name: str, summary: str, build: str, citation: str, exponent: int, inputs: tuple[InputKind, ...] = INPUT_KINDS
) -> ArchitectureCard:
    return ArchitectureCard(
        name=name,
        version="1",
        summary=summary,
        family="estimator",
        inputs=inputs,
        build=f"architectures.estimators.simple:{build}",
        options=None,
        role="estimator",
        deterministic=True,
        citation=citation,
        placements=NOWHERE,
        exponent=exponent,
    )


CARDS = (
    _network(
        "mlp",
        summary="multilayer perceptron; images and sequences are flattened",
        family="mlp",
        inputs=INPUT_KINDS,
        build="architectures.families.mlp.network:mlp",
        options="architectures.blocks.options:MlpOptions",
        citation="Rumelhart, Hinton and Williams, Nature 323, 1986",
        placements=MLP,
    ),
    _network(
        "resmlp",
        summary="residual multilayer perceptron; images and sequences are flattened",
        family="resmlp",
        inputs=INPUT_KINDS,
        build="architectures.families.mlp.network:resmlp",
        options="architectures.blocks.options:ResMlpOptions",
        citation="Gorishniy et al., arXiv 2106.11959",
        placements=RES_MLP,
    ),
    _network(
        "cnn",
        summary="convolutional network: 2-d over images, 1-d over sequences; mean over positions",
        family="cnn",
        inputs=("image", "sequence"),
        build="architectures.families.cnn.network:cnn",
        options="architectures.blocks.options:CnnOptions",
        citation="LeCun et al., Proceedings of the IEEE 86, 1998",
        placements=CNN,
    ),
    _network(
        "rescnn",
        summary="residual convolutional network: 2-d over images, 1-d over sequences; mean over positions",
        family="rescnn",
        inputs=("image", "sequence"),
        build="architectures.families.cnn.network:rescnn",
        options="architectures.blocks.options:CnnOptions",
        citation="He et al., arXiv 1512.03385",
        placements=RES_CNN,
    ),
    _network(
        "transformer",
        summary="transformer encoder over features, image patches or steps",
        family="transformer",
        inputs=INPUT_KINDS,
        build="architectures.families.transformer.network:transformer",
        options="architectures.blocks.options:TransformerOptions",
        citation="Vaswani et al., arXiv 1706.03762",
        placements=TRANSFORMER,
    ),
    _network(
        "decoder",
        summary="causal transformer decoder over steps; answers from the last one",
        family="transformer",
        inputs=("sequence",),
        build="architectures.families.transformer.network:decoder",
        options="architectures.blocks.options:DecoderOptions",
        citation="Radford et al., Language Models are Unsupervised Multitask Learners, 2019",
        placements=TRANSFORMER,
    ),
    _network(
        "ft-transformer",
        summary="FT-Transformer: a token per feature, a class token, gated MLPs",
        family="transformer",
        inputs=("features",),
        build="architectures.families.transformer.network:ft_transformer",
        options="architectures.blocks.options:FtTransformerOptions",
        citation="Gorishniy et al., arXiv 2106.11959",
        placements=TRANSFORMER,
    ),
    _estimator(
        "mean",
        "the mean of the training targets, whatever the input",
        "mean",
        "the zero of every relative error",
        exponent=0,
    ),
    _estimator(
        "ridge",
        "ridge regression on the flattened input; its strength is chosen on the validation rows",
        "ridge",
        "Hoerl and Kennard, Technometrics 12, 1970",
        exponent=1,
    ),
    _estimator(
        "last-value",
        "the last step's values, mapped linearly onto the target by least squares",
        "last_value",
        "Hyndman and Athanasopoulos, Forecasting: Principles and Practice, section 5.2",
        exponent=1,
        inputs=("sequence",),
    ),
    _estimator(
        "linear-extrapolation",
        "the line through each channel's steps one step on, mapped linearly onto the target by least squares",
        "linear_extrapolation",
        "Hyndman and Athanasopoulos, Forecasting: Principles and Practice, section 7.4",
        exponent=1,
        inputs=("sequence",),
    ),
    *BASELINES,
)
