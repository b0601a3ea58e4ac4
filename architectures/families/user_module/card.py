"""The card of ``module(my_models.py:build)``, a family of one: nothing is there to list before somebody writes it."""

from __future__ import annotations

from architectures.card import ArchitectureCard
from architectures.families.user_module.options import ModuleOptions
from architectures.norms.placements import ANY
from architectures.registry import register_family
from bench.core.problem import INPUT_KINDS
from bench.core.registry import Family

CARD = ArchitectureCard(
    name="module",
    version="1",
    summary="a network that exists already, as module(my_models.py:build); its own norm layers are the sites",
    family="module",
    inputs=INPUT_KINDS,
    build="architectures.families.user_module.network:build_module",
    options=ModuleOptions,
    role="network",
    deterministic=False,
    citation="its author's",
    placements=ANY,
    origin="module",
    source_hash="module",  # the same for all; the options add the hash of the file
)

register_family(
    CARD.name,
    Family(
        "a network of yours: module(my_models.py:build)",
        names=lambda: [CARD.name],
        card=lambda _: CARD,
        origin=CARD.origin,
    ),
)
