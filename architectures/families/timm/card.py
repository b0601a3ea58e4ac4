"""Cards of timm's models, one a name, made when the name is asked for.

Their names are read from a list; timm is imported to build one, or to know a name that is not in the list.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from architectures.card import ArchitectureCard
from architectures.families.timm import catalogue
from architectures.families.timm.loading import load_timm
from architectures.families.timm.options import TimmOptions
from architectures.norms.placements import ANY
from architectures.registry import register_family
from bench.core.problem import Problem
from bench.core.registry import Family

PREFIX = "timm/"


@dataclass(frozen=True)
class TimmBuilder:
    """Builds one of timm's models.

    Args:
        model: as timm spells it, with or without the tag of its weights (``resnet18.a1_in1k``).
    """

    model: str

    def __call__(self, problem: Problem, norm: Any, options: TimmOptions) -> Any:
        """See :func:`architectures.families.timm.network.build_timm`."""
        from architectures.families.timm.network import build_timm

        return build_timm(self.model, problem, norm, options)


def names() -> Iterable[str]:
    """Every model, without the tags of its weights."""
    return [f"{PREFIX}{name}" for name in catalogue.shipped() or catalogue.asked()]


@lru_cache(maxsize=4096)
def card(name: str) -> ArchitectureCard | None:
    """The card of ``timm/model`` or ``timm/model.tag``; None where timm has no such model or weights."""
    model = name.removeprefix(PREFIX)
    # Without a tag, timm chooses the weights; another choice in another version of timm is another architecture.
    chosen = _weights(model)
    if chosen is None:
        return None
    return ArchitectureCard(
        name=name,
        version=f"1, weights {chosen}",
        summary=f"timm's {model}, fitted to the task's images; its own norm layers are the sites",
        family="timm",
        inputs=("image",),
        build=TimmBuilder(model),
        options=TimmOptions,
        role="network",
        deterministic=False,
        citation="Wightman, PyTorch Image Models, doi 10.5281/zenodo.4414861",
        placements=ANY,
        origin="timm",
    )


def _weights(model: str) -> str | None:
    """The tag of the weights that ``model`` means; None where timm does not know it, by the list or by itself."""
    plain, _, tag = model.partition(".")
    known = (catalogue.shipped() or {}).get(plain)
    if known is not None and (not tag or tag in known.tags):
        return tag or known.chosen
    timm = load_timm()  # it knows older names too

    if not timm.is_model(plain) or (tag and model not in timm.list_pretrained(f"{plain}.*")):
        return None
    return catalogue.chosen_by_timm(model)


register_family(PREFIX, Family("any image model of timm; list them with 'timm/*resnet*'", names, card, "timm"))
