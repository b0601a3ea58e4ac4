"""What ``farfield show norm`` prints: a kind's card."""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING

from bench.commands._tables import Fact, facts_grid
from bench.core.grammar import spell_value
from leaderboard.tables.grid import Grid

if TYPE_CHECKING:
    from architectures import NormKindCard

_PLACES = {
    "layer": "at a site: NAME@first, NAME@all, NAME@hidden2",
    "parametrization": "on the weight of the linear map before a site: NAME@first, NAME@all",
    "pair": "around the whole network, whatever its family: NAME@input",
}
_GROWTH = {
    "bounds": "bounded, whatever comes in",
    "keeps": "as its input",
    "raises": "one power faster than its input",
    None: "unknown: nothing is declared, so it is measured and not predicted",
}


def norm_grids(card: NormKindCard) -> list[Grid[Fact]]:
    """A kind's card, and its options."""
    parametrization = card.sort == "parametrization"
    facts = [
        Fact("summary", card.summary),
        Fact("sort", card.sort),
        Fact("stands", _PLACES[card.sort].replace("NAME", card.name)),
        Fact("version", card.version),
        Fact("origin", card.origin),
        Fact("source hash", card.source_hash[:16]),
        Fact("growth", "as its input: the map stays linear" if parametrization else _growth(card)),
        Fact("growth back", _GROWTH[card.growth_back] if card.growth_back else ""),
        Fact("certificate", _certificate(card)),
        Fact("chain", "has a fast link" if card.link else ""),
        Fact("citation", card.citation),
    ]
    grids = [facts_grid(f"norm {card.name}", [fact for fact in facts if fact.text])]
    options = [field for field in dataclasses.fields(card.options) if field.init]
    if options:
        title = f"options and their defaults, as {card.name}({options[0].name}=...)"
        grids.append(facts_grid(title, [Fact(field.name, spell_value(field.default)) for field in options]))
    return grids


def _certificate(card: NormKindCard) -> str:
    if card.sort == "parametrization":
        return "follows its weights"
    if card.origin == "built in":
        return "follows its operations"
    return "declared" if card.bound else "none"


def _growth(card: NormKindCard) -> str:
    if card.name == "own":
        return "as that of the layer's type"
    return f"{_GROWTH[card.growth]}{f' ({card.why})' if card.why else ''}"
