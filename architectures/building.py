"""From an architecture and a norm scheme to a network.

A network is built twice. The first build, on the meta device, allocates nothing: its ``norm`` records which sites
the network asks for, and a trial forward pass records the shapes that meet them. The scheme's placements are then
matched against those sites, and the second build gets the layers.
"""

from __future__ import annotations

import random
import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import cast

import numpy as np
import torch
from torch import Tensor, nn

from architectures.blocks.layers import initialize
from architectures.card import Architecture
from architectures.estimators.estimator import Estimator
from architectures.norms.kinds import NormKind
from architectures.norms.layers import layer_for
from architectures.norms.scheme import NormScheme
from architectures.norms.site import Layout, Norm, Site
from bench.core.errors import InputError, Unsupported
from bench.core.limits import MAX_PARAMETERS
from bench.core.problem import Problem
from bench.core.seeding import seed_from
from bench.core.signature import call_build

_SITE = re.compile(r"[A-Za-z_][A-Za-z0-9_]*([.\-][A-Za-z0-9_]+)*\Z")


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
    _check_kind(architecture, problem)
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
    """Build a float32 network on the CPU, mapping (N, *problem.shape) to (N, 1).

    A built-in parameter depends on ``seed`` and its own name only, so two schemes at one seed share the weights of
    their shared parameters. A plugged-in builder draws from torch's global generator, seeded from ``seed``; the norm
    layers draw nothing, so the same holds. The state of every global generator is left as it was.

    Raises:
        Unsupported: the family cannot read the input, has no such site, a norm would be degenerate there, or two
            kinds meet at one site.
        InputError: the network has more than ``max_parameters``, or the builder breaks the contract.
    """
    check_size(architecture, problem, max_parameters)
    with _isolated(seed):
        module = _assemble(architecture, scheme, problem)
    initialize(module, seed)
    return module.float()


def build_skeleton(architecture: Architecture, scheme: NormScheme, problem: Problem) -> nn.Module:
    """The network of :func:`build_network` in evaluation mode on the meta device: shapes and structure, no numbers.

    Plugged-in code that cannot be built or run there is built on the CPU instead.
    """
    with _isolated(0), torch.device(_plan(architecture, problem).device):
        return _assemble(architecture, scheme, problem).eval()


def _assemble(architecture: Architecture, scheme: NormScheme, problem: Problem) -> nn.Module:
    found = _plan(architecture, problem).sites
    norm = _SchemeNorm(_assign(architecture, scheme, found), {site.name: site for site in found})
    return _call(architecture, problem, norm)


def check_size(architecture: Architecture, problem: Problem, max_parameters: int = MAX_PARAMETERS) -> int:
    """Count the parameters outside norm layers without allocating them.

    Raises:
        InputError: there are more than ``max_parameters``. The limit is the machine's, not the science's, so this makes
            no final record.
    """
    count = _plan(architecture, problem).parameters
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
    return () if architecture.card.role == "estimator" else _plan(architecture, problem).sites


def unused_sites(architecture: Architecture, problem: Problem) -> tuple[str, ...]:
    """Names of the sites that the network asks for and its forward pass never meets."""
    return () if architecture.card.role == "estimator" else _plan(architecture, problem).unused


def resolve_sites(architecture: Architecture, scheme: NormScheme, problem: Problem) -> tuple[str, ...]:
    """Names of the sites that ``scheme`` normalizes, in forward order.

    Raises:
        Unsupported: a placement means no site of this network, or two kinds meet at one.
    """
    found = sites(architecture, problem)
    assigned = _assign(architecture, scheme, found)
    return tuple(site.name for site in found if site.name in assigned)


@dataclass(frozen=True)
class _Plan:
    sites: tuple[Site, ...]
    unused: tuple[str, ...]
    parameters: int
    device: str


@lru_cache(maxsize=1024)
def _plan(architecture: Architecture, problem: Problem) -> _Plan:
    _check_kind(architecture, problem)
    try:
        return _trial(architecture, problem, "meta")
    except (Unsupported, InputError):
        raise
    except Exception:
        # Plugged-in code may need real numbers where the meta device has none (a spectral norm, an .item()).
        return _trial(architecture, problem, "cpu")


def _trial(architecture: Architecture, problem: Problem, device: str) -> _Plan:
    recorder = _Recorder(architecture.card.name)
    with _isolated(0), torch.device(device), torch.no_grad():
        module = _call(architecture, problem, recorder).eval()
        module(torch.zeros(2, *problem.shape))
    unused = tuple(name for name in recorder.sites if name not in recorder.visits)
    count = sum(p.numel() for p in module.parameters())
    return _Plan(recorder.in_forward_order(), unused, count, device)


def _call(architecture: Architecture, problem: Problem, norm: Norm) -> nn.Module:
    module = call_build(architecture.card.build, problem, norm, options=architecture.options)
    if not isinstance(module, nn.Module):
        kind = type(module).__name__
        raise InputError(f"{architecture.card.name} built a {kind}", hint="return a torch.nn.Module")
    return module


def _check_kind(architecture: Architecture, problem: Problem) -> None:
    card = architecture.card
    if problem.kind not in card.inputs:
        raise Unsupported(f"{card.name} reads {' or '.join(card.inputs)} inputs, not {problem.kind}", code="input_kind")


def _assign(architecture: Architecture, scheme: NormScheme, found: tuple[Site, ...]) -> dict[str, NormKind]:
    names = [site.name for site in found]
    assigned: dict[str, NormKind] = {}
    for part in scheme.parts:
        for name in architecture.card.placements.pick(part.placement, names):
            if assigned.setdefault(name, part.kind) != part.kind:
                raise Unsupported(f"{scheme} puts two kinds of norm at {name!r}", code="site_conflict")
    return assigned


class _Probe(nn.Identity):
    """An identity that tells what passes through it."""

    def __init__(self, site: str, recorder: _Recorder) -> None:
        super().__init__()
        self.site, self.recorder = site, recorder

    def forward(self, x: Tensor) -> Tensor:
        self.recorder.met(self.site, tuple(x.shape))
        return x


class _Recorder:
    """The ``norm`` of the first build: identities that record their sites."""

    def __init__(self, architecture: str) -> None:
        self.architecture = architecture
        self.sites: dict[str, Site] = {}
        self.visits: list[str] = []

    def __call__(self, site: str, dim: int, layout: Layout = "last", own: nn.Module | None = None) -> nn.Module:
        if not _SITE.match(site):
            raise InputError(f"{site!r} is no name for a site", where=self.architecture, hint="letters, digits, . - _")
        if layout not in ("last", "first"):
            raise InputError(f"layout {layout!r} of site {site!r}", where=self.architecture, hint="last or first")
        known = self.sites.setdefault(site, Site(site, dim, layout))
        if (known.dim, known.layout) != (dim, layout):
            raise InputError(
                f"site {site!r} is asked for twice, unlike", where=self.architecture, hint="give each its own name"
            )
        return _Probe(site, self)

    def met(self, name: str, shape: tuple[int, ...]) -> None:
        site = self.sites[name]
        space = shape[1:-1] if site.layout == "last" else shape[2:]
        channels = shape[-1] if site.layout == "last" else shape[1]
        if channels != site.dim:
            raise InputError(
                f"site {name!r} was announced with {site.dim} channels {site.layout} but meets the shape {shape}",
                where=self.architecture,
                hint="norm(site, dim, layout) takes the number of channels and where they stand",
            )
        self.sites[name] = replace(site, space=space)
        self.visits.append(name)

    def in_forward_order(self) -> tuple[Site, ...]:
        """The sites as the forward pass met them; those it never met come last."""
        return tuple(self.sites[name] for name in dict.fromkeys([*self.visits, *self.sites]))


class _SchemeNorm:
    """The ``norm`` of the second build."""

    def __init__(self, assigned: Mapping[str, NormKind], known: Mapping[str, Site]) -> None:
        self.assigned, self.known = assigned, known

    def __call__(self, site: str, dim: int, layout: Layout = "last", own: nn.Module | None = None) -> nn.Module:
        if site not in self.known:
            raise InputError(f"site {site!r} appears in one build and not in another", hint="build the same every time")
        if site not in self.assigned:
            return nn.Identity()
        return layer_for(self.assigned[site], self.known[site], own)


@contextmanager
def _isolated(seed: int) -> Iterator[None]:
    """Global generators seeded from ``seed``, default dtype float32; all put back afterwards."""
    python, legacy, dtype = random.getstate(), np.random.get_state(), torch.get_default_dtype()  # noqa: NPY002
    with torch.random.fork_rng(devices=[]):
        random.seed(seed)
        np.random.seed(seed_from(seed, "numpy") % 2**32)  # noqa: NPY002
        torch.default_generator.manual_seed(seed_from(seed, "torch"))
        torch.set_default_dtype(torch.float32)
        try:
            yield
        finally:
            torch.set_default_dtype(dtype)
            random.setstate(python)
            np.random.set_state(legacy)  # noqa: NPY002
