"""Cards of the multilayer perceptrons, plain and residual."""

from __future__ import annotations

from architectures.families.mlp.options import MlpOptions, ResMlpOptions
from architectures.families.mlp.places import MLP, RES_MLP
from architectures.registry import register_architecture

register_architecture(
    "mlp",
    build="architectures.families.mlp.network:mlp",
    options=MlpOptions,
    placements=MLP,
    family="mlp",
    summary="multilayer perceptron; images and sequences are flattened",
    citation="Rumelhart, Hinton and Williams, Nature 323, 1986",
)

register_architecture(
    "resmlp",
    build="architectures.families.mlp.network:resmlp",
    options=ResMlpOptions,
    placements=RES_MLP,
    family="resmlp",
    summary="residual multilayer perceptron; images and sequences are flattened",
    citation="Gorishniy et al., arXiv 2106.11959",
)
