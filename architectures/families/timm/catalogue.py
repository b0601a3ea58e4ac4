"""Names of timm's models and of their weights, from a list that is shipped, so that they are known without timm.

The list holds for one version of timm; with another one installed nobody reads it, and timm is asked instead.
``python -m tools.timm_catalogue`` writes it anew, and a test compares it with what is installed.
"""

from __future__ import annotations

import importlib.metadata
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from importlib.resources import files

from architectures.families.timm.loading import load_timm

FILE = "models.txt"
NO_WEIGHTS = "none"


@dataclass(frozen=True)
class Model:
    """One of timm's models.

    Args:
        name: without a tag.
        chosen: the tag of the weights that timm takes where none is named; ``none`` where it has no such tag.
        tags: of all weights that can be named.
    """

    name: str
    chosen: str
    tags: frozenset[str]


@lru_cache(maxsize=1)
def shipped() -> Mapping[str, Model] | None:
    """The models of the installed timm by name; None where the list is of another version, or timm is missing."""
    first, *lines = files(__package__).joinpath(FILE).read_text(encoding="utf-8").splitlines()
    try:
        installed = importlib.metadata.version("timm")
    except importlib.metadata.PackageNotFoundError:
        return None
    if first != heading(installed):
        return None
    models = (line.split() for line in lines)
    return {name: Model(name, chosen, frozenset(tags)) for name, chosen, *tags in models}


def heading(version: str) -> str:
    """First line of the list for a version of timm."""
    return f"timm {version}: name, chosen weights, all weights"


def asked() -> dict[str, Model]:
    """The same from timm itself, which is imported: two seconds."""
    timm = load_timm()

    tags: dict[str, set[str]] = {}
    for spelled in timm.list_pretrained():
        name, _, tag = spelled.partition(".")
        tags.setdefault(name, set()).add(tag)
    return {name: Model(name, chosen_by_timm(name), frozenset(tags.get(name, ()))) for name in timm.list_models()}


def chosen_by_timm(model: str) -> str:
    """The tag of the weights that timm takes for ``model``, spelled with or without one."""
    timm = load_timm()

    return getattr(timm.get_pretrained_cfg(model, allow_unregistered=True), "tag", None) or NO_WEIGHTS
