"""Cards of the convolutional networks, plain and residual."""

from __future__ import annotations

from architectures.families.cnn.options import CnnOptions
from architectures.families.cnn.places import CNN, RES_CNN
from architectures.registry import register_architecture

register_architecture(
    "cnn",
    build="architectures.families.cnn.network:cnn",
    options=CnnOptions,
    inputs=("image", "sequence"),
    placements=CNN,
    family="cnn",
    any_length=True,
    summary="convolutional network: 2-d over images, 1-d over sequences; mean over positions",
    citation="LeCun et al., Proceedings of the IEEE 86, 1998",
)

register_architecture(
    "rescnn",
    build="architectures.families.cnn.network:rescnn",
    options=CnnOptions,
    inputs=("image", "sequence"),
    placements=RES_CNN,
    family="rescnn",
    any_length=True,
    summary="residual convolutional network: 2-d over images, 1-d over sequences; mean over positions",
    citation="He et al., arXiv 1512.03385",
)
