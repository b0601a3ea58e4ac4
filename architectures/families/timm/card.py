"""Cards of timm's models, one a name, made when the name is asked for. timm is imported then, and no sooner."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from architectures.card import ArchitectureCard
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
    import timm

    return [f"{PREFIX}{name}" for name in timm.list_models()]


@lru_cache(maxsize=256)
def card(name: str) -> ArchitectureCard | None:
    """The card of ``timm/model`` or ``timm/model.tag``; None where timm has no such model or weights."""
    import timm

    model = name.removeprefix(PREFIX)
    plain, _, tag = model.partition(".")
    if not timm.is_model(plain) or (tag and model not in timm.list_pretrained(f"{plain}.*")):
        return None
    # Without a tag, timm chooses the weights; another choice in another version of timm is another architecture.
    chosen = getattr(timm.get_pretrained_cfg(model, allow_unregistered=True), "tag", None) or "none"
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


register_family(PREFIX, Family("any image model of timm; list them with 'timm/*resnet*'", names, card, "timm"))
