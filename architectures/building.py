"""From an architecture and a norm scheme to a network.

A network is built twice. The first build (:mod:`architectures.trial`) shows which sites it asks for, the shapes that
meet them and the linear map before each. The scheme's placements are then matched against those sites, and the second
build gets the layers; linear maps are parametrized once the weights are drawn, and a pair is put around the whole.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import cast

import torch
from torch import nn

from architectures.blocks.after_step import mend
from architectures.blocks.layers import initialize
from architectures.blocks.lazy import materialize
from architectures.card import Architecture
from architectures.estimators.estimator import Estimator
from architectures.norms.card import OWN, NormKind, Sort
from architectures.norms.layers import layer_for, parametrize
from architectures.norms.pairs import around
from architectures.norms.scheme import NormScheme
from architectures.norms.site import Frame, Layout, Site
from architectures.trial import LinearMap, call_builder, isolated, plan_of
from bench.core.errors import InputError, Unsupported
from bench.core.problem import MAX_PARAMETERS, Problem
from bench.core.signature import call_build


def build(
    architecture: Architecture,
    scheme: NormScheme,
    problem: Problem,
    seed: int,
    max_parameters: int = MAX_PARAMETERS,
) -> nn.Module | Estimator:
    """Build what ``architecture`` is: :func:`build_network` or :func:`build_estimator`."""
    if architecture.card.role == "estimator":
        return build_estimator(architecture, scheme, problem)
    return build_network(architecture, scheme, problem, seed, max_parameters)


def build_estimator(architecture: Architecture, scheme: NormScheme, problem: Problem) -> Estimator:
    """Build an estimator.

    Raises:
        Unsupported: it cannot read that input, or takes no norm and ``scheme`` is not ``none``.
    """
    architecture.check_problem(problem)
    card = architecture.card
    if not card.takes_norms and not scheme.is_none:
        raise Unsupported(f"{card.name} has nothing to normalize; it takes norm none only", code="takes_no_norm")
    given = (problem, scheme) if card.takes_norms else (problem,)
    return cast(Estimator, call_build(card.build, *given, options=architecture.options))


def build_network(
    architecture: Architecture,
    scheme: NormScheme,
    problem: Problem,
    seed: int,
    max_parameters: int = MAX_PARAMETERS,
) -> nn.Module:
    """Build a float32 network on the CPU, mapping (N, *problem.shape) to (N, 1), or to (N, steps).

    A built-in parameter depends on ``seed`` and its own name only, so two schemes at one seed share the weights of
    their shared parameters. A plugged-in builder draws from torch's global generator, seeded from ``seed``; the norm
    layers draw nothing, so the same holds. The state of every global generator is left as it was.

    Raises:
        Unsupported: the family cannot read the input, has no such site, a norm would be degenerate there, or two
            kinds meet at one site.
        InputError: the network has more than ``max_parameters``, or the builder breaks the contract.
    """
    check_size(architecture, problem, max_parameters)
    fitting = _fit(architecture, scheme, problem)
    with isolated(seed):
        module = _called(architecture, problem, fitting)
        initialize(module, seed)
        mend(module)
        module = fitting.finished(module)
    return module.float()


def build_skeleton(architecture: Architecture, scheme: NormScheme, problem: Problem) -> nn.Module:
    """The network of :func:`build_network` in evaluation mode on the meta device: shapes and structure, no numbers.

    Plugged-in code that cannot be built or run there is built on the CPU instead.
    """
    device = plan_of(architecture, problem).device
    if device == "meta" and not scheme.outside:
        return _skeleton(architecture, scheme, problem, device)
    try:
        skeleton = _skeleton(architecture, scheme, problem, device)
        with torch.no_grad():
            skeleton(torch.zeros(2, *problem.shape, device=device))
        return skeleton
    except (Unsupported, InputError):
        raise
    except Exception:
        return _skeleton(architecture, scheme, problem, "cpu")


def _skeleton(architecture: Architecture, scheme: NormScheme, problem: Problem, device: str) -> nn.Module:
    fitting = _fit(architecture, scheme, problem)
    with isolated(0), torch.device(device):
        return fitting.finished(_called(architecture, problem, fitting)).eval()


def _called(architecture: Architecture, problem: Problem, fitting: _Fitting) -> nn.Module:
    module = call_builder(architecture, problem, fitting.norm)
    materialize(module, problem, always=fitting.late)
    return module


@dataclass(frozen=True)
class _Fitting:
    """A scheme as it is put into one network.

    Args:
        norm: for the builder.
        maps: the linear maps to parametrize, by path, with the kind and the first site that asks for it.
        pair: the pair around the network and the ends that it takes, or None.
        frame: what the pair may know.
        late: a pass must be run before the network is whole.
    """

    norm: _SchemeNorm
    maps: Mapping[str, tuple[NormKind, Site]]
    pair: tuple[NormKind, frozenset[str]] | None
    frame: Frame
    late: bool

    def finished(self, module: nn.Module) -> nn.Module:
        """``module`` with its linear maps parametrized, inside its pair."""
        for path, (kind, site) in self.maps.items():
            parametrize(kind, module.get_submodule(path), site)
        return module if self.pair is None else around(module, self.pair[0], self.frame, self.pair[1])


def _fit(architecture: Architecture, scheme: NormScheme, problem: Problem) -> _Fitting:
    plan = plan_of(architecture, problem)
    known = {site.name: site for site in plan.sites}
    layers = _assign(architecture, scheme, plan.sites, "layer")
    _check_kept(architecture, layers, dict(plan.fixed))
    maps: dict[str, tuple[NormKind, Site]] = {}
    for name, kind in _assign(architecture, scheme, plan.sites, "parametrization").items():
        path = _map_before(kind, name, dict(plan.before))
        if maps.setdefault(path, (kind, known[name]))[0] != kind:
            raise Unsupported(f"{scheme} parametrizes the linear map {path!r} twice", code="site_conflict")
    ends = [(part.kind, part.placement) for part in scheme.parts if part.around]
    pair = (ends[0][0], frozenset(place for _, place in ends)) if ends else None
    frame = Frame(problem.kind, problem.shape, problem.radius, back=pair is not None and "output" in pair[1])
    return _Fitting(_SchemeNorm(layers, known), maps, pair, frame, plan.late)


def _check_kept(architecture: Architecture, layers: Mapping[str, NormKind], fixed: Mapping[str, str]) -> None:
    """Refuse a scheme that does not keep what can only stay as it is."""
    for name, reason in fixed.items():
        if name not in layers or layers[name].name != OWN:
            keep = "own@all keeps it" if architecture.card.origin in ("module", "timm") else f"own@{name} keeps it"
            raise Unsupported(f"{architecture.card.name}: {reason}; {keep}", code="cannot_normalize")


def _map_before(kind: NormKind, site: str, before: Mapping[str, LinearMap]) -> str:
    found = before.get(site)
    if found is None:
        raise Unsupported(f"{kind} at {site!r}: there is no linear map before it", code="degenerate_norm")
    if not found.path:
        what = f"{kind} at {site!r}: the map before it, a {found.type}, is no linear map or convolution"
        raise Unsupported(what, code="cannot_normalize")
    return found.path


def check_size(architecture: Architecture, problem: Problem, max_parameters: int = MAX_PARAMETERS) -> int:
    """Count the parameters outside norm layers without allocating them.

    Raises:
        InputError: there are more than ``max_parameters``. The limit is the machine's, not the science's, so this makes
            no final record.
    """
    count = plan_of(architecture, problem).parameters
    if count > max_parameters:
        raise InputError(
            f"{architecture.name} has {count:,} parameters, more than the {max_parameters:,} allowed",
            hint="raise --max-parameters (and give --retry)",
            code="too_large",
        )
    return count


def sites(architecture: Architecture, problem: Problem) -> tuple[Site, ...]:
    """Every site of the network, in forward order.

    Raises:
        Unsupported: the family cannot read the input.
    """
    return () if architecture.card.role == "estimator" else plan_of(architecture, problem).sites


def unused_sites(architecture: Architecture, problem: Problem) -> tuple[str, ...]:
    """Names of the sites that the network asks for and its forward pass never meets."""
    return () if architecture.card.role == "estimator" else plan_of(architecture, problem).unused


def resolve_sites(architecture: Architecture, scheme: NormScheme, problem: Problem) -> tuple[str, ...]:
    """Names of the family's sites that ``scheme`` normalizes, in forward order; the ends of a pair are none of them.

    Raises:
        Unsupported: a placement means no site of this network, or two kinds meet at one.
    """
    return tuple(kinds_at(architecture, scheme, problem))


def kinds_at(architecture: Architecture, scheme: NormScheme, problem: Problem) -> dict[str, tuple[NormKind, ...]]:
    """The kinds at each of the family's sites that ``scheme`` normalizes, in forward order: a layer, then what
    parametrizes the linear map before it.

    Raises:
        Unsupported: a placement means no site of this network, or two kinds meet at one.
    """
    found = sites(architecture, problem)
    sorts: tuple[Sort, ...] = ("layer", "parametrization")
    assigned = [_assign(architecture, scheme, found, sort) for sort in sorts]
    kinds = {site.name: tuple(by_site[site.name] for by_site in assigned if site.name in by_site) for site in found}
    return {name: here for name, here in kinds.items() if here}


def _assign(architecture: Architecture, scheme: NormScheme, found: tuple[Site, ...], sort: Sort) -> dict[str, NormKind]:
    """The kind of that sort at each site that has one."""
    names = [site.name for site in found]
    assigned: dict[str, NormKind] = {}
    for part in scheme.parts:
        if part.kind.card.sort != sort:
            continue
        for name in architecture.card.placements.pick(part.placement, names):
            if assigned.setdefault(name, part.kind) != part.kind:
                raise Unsupported(f"{scheme} puts two kinds of norm at {name!r}", code="site_conflict")
    return assigned


class _SchemeNorm:
    """The ``norm`` of the second build."""

    def __init__(self, assigned: Mapping[str, NormKind], known: Mapping[str, Site]) -> None:
        self.assigned, self.known = assigned, known

    def __call__(
        self, site: str, dim: int, layout: Layout = "last", own: nn.Module | None = None, fixed: str = ""
    ) -> nn.Module:
        if site not in self.known:
            raise InputError(f"site {site!r} appears in one build and not in another", hint="build the same every time")
        layer = layer_for(self.assigned[site], self.known[site], own) if site in self.assigned else nn.Identity()
        if not hasattr(layer, "eps"):
            layer.eps = 0.0  # type: ignore[assignment] # torch's encoder compares those of its norms while it is made
        return layer
