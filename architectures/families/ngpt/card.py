"""Card of nGPT."""

from __future__ import annotations

from architectures.families.ngpt.options import NgptOptions
from architectures.families.ngpt.places import NGPT
from architectures.registry import register_architecture

register_architecture(
    "ngpt",
    build="architectures.families.ngpt.network:ngpt",
    options=NgptOptions,
    placements=NGPT,
    family="ngpt",
    summary="nGPT, a transformer on the unit sphere: as published under own@all, its matrices alone under none",
    citation="Loshchilov, Hsieh, Sun and Ginsburg, arXiv 2410.01131",
)
