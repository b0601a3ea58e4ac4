"""Cards of the transformers: encoder, causal decoder, FT-Transformer."""

from __future__ import annotations

from architectures.families.transformer.options import DecoderOptions, FtTransformerOptions, TransformerOptions
from architectures.families.transformer.places import TRANSFORMER
from architectures.registry import register_architecture

register_architecture(
    "transformer",
    build="architectures.families.transformer.network:transformer",
    options=TransformerOptions,
    placements=TRANSFORMER,
    family="transformer",
    summary="transformer encoder over features, image patches or steps",
    each_step=True,
    citation="Vaswani et al., arXiv 1706.03762",
)

register_architecture(
    "decoder",
    build="architectures.families.transformer.network:decoder",
    options=DecoderOptions,
    inputs=("sequence",),
    placements=TRANSFORMER,
    family="transformer",
    summary="causal transformer decoder over steps; answers from the last one, or at each",
    each_step=True,
    causal=True,
    citation="Radford et al., Language Models are Unsupervised Multitask Learners, 2019",
)

register_architecture(
    "ft-transformer",
    build="architectures.families.transformer.network:ft_transformer",
    options=FtTransformerOptions,
    inputs=("features",),
    placements=TRANSFORMER,
    family="transformer",
    summary="FT-Transformer: a token per feature, a class token, gated MLPs",
    citation="Gorishniy et al., arXiv 2106.11959",
)
