"""The first build of a network: which sites it asks for, what meets them, which linear map stands before each.

It is built on the meta device, where nothing is allocated; its ``norm`` gives identities that record their sites, and a
forward pass of two rows of zeros records the shapes that meet them.
"""

from __future__ import annotations

import random
import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn.modules.conv import _ConvNd

from architectures.blocks.layers import Affine
from architectures.blocks.lazy import materialize
from architectures.card import Architecture
from architectures.foreign import ForeignNorm, foreign_norms
from architectures.norms.own import without_fast_paths
from architectures.norms.site import Layout, Norm, Site
from bench.core.errors import InputError, Unsupported
from bench.core.origin import VERSIONED
from bench.core.problem import Problem
from bench.core.seeding import seed_from
from bench.core.signature import call_build

_SITE = re.compile(r"[A-Za-z_][A-Za-z0-9_]*([.\-][A-Za-z0-9_]+)*\Z")
_LINEAR = (nn.Linear, _ConvNd, Affine)


@dataclass(frozen=True)
class LinearMap:
    """The linear map that ran last before a site.

    Args:
        path: in the network; empty where what ran last cannot be parametrized.
        type: of its module, in words.
    """

    path: str
    type: str


@dataclass(frozen=True)
class NetworkPlan:
    """What the first build has shown.

    Args:
        sites: in forward order.
        unused: names of sites that were asked for and never met.
        before: the linear map before each site that has one.
        parameters: outside norm layers.
        device: where it could be built.
        fixed: names of sites where nothing can take the place of what the network brings, with the reason.
        late: its forward makes layers, so a pass must be run before it is whole.
    """

    sites: tuple[Site, ...]
    unused: tuple[str, ...]
    before: tuple[tuple[str, LinearMap], ...]
    parameters: int
    device: str
    fixed: tuple[tuple[str, str], ...] = ()
    late: bool = False


@lru_cache(maxsize=1024)
def plan_of(architecture: Architecture, problem: Problem) -> NetworkPlan:
    """The plan of the network that ``architecture`` builds for ``problem``.

    Raises:
        Unsupported: the family cannot read the input.
        InputError: the builder breaks the contract.
    """
    architecture.check_problem(problem)
    try:
        return _trial(architecture, problem, "meta")
    except (Unsupported, InputError):
        raise
    except Exception:
        # Plugged-in code may need real numbers where the meta device has none (a spectral norm, an .item()).
        return _trial(architecture, problem, "cpu")


def call_builder(architecture: Architecture, problem: Problem, norm: Norm) -> nn.Module:
    """What the builder makes, with the sizes of lazy layers settled.

    Raises:
        InputError: it is no module.
    """
    module = call_build(architecture.card.build, problem, norm, options=architecture.options)
    if not isinstance(module, nn.Module):
        kind = type(module).__name__
        raise InputError(f"{architecture.card.name} built a {kind}", hint="return a torch.nn.Module")
    if not torch.empty(0).is_meta and any(p.is_meta for p in module.parameters()):
        what = f"{architecture.card.name} gives a network, or a part of one, that it made before"
        raise InputError(what, hint="make every layer inside the builder, at every call", code="contract")
    materialize(module, problem)
    return without_fast_paths(module)


def _trial(architecture: Architecture, problem: Problem, device: str) -> NetworkPlan:
    recorder = _Recorder(architecture.card.name)
    with isolated(0), torch.device(device), torch.no_grad():
        module = call_builder(architecture, problem, recorder).eval()
        recorder.watch(module)
        before = {name for name, _ in module.named_parameters()}
        with recorder.listening():
            module(torch.zeros(2, *problem.shape))
        if architecture.card.origin not in VERSIONED:
            kept = [path for path, layer in module.named_modules() if id(layer) in recorder.kept]
            recorder.add(foreign_norms(module, problem, kept, recorder.sites))
    unused = tuple(name for name in recorder.sites if name not in recorder.visits and name not in recorder.fixed)
    named = dict(module.named_parameters())
    return NetworkPlan(
        recorder.in_forward_order(),
        unused,
        tuple(recorder.before.items()),
        sum(p.numel() for p in named.values()),
        device,
        tuple(recorder.fixed.items()),
        late=named.keys() != before,
    )


class _Probe(nn.Identity):
    """An identity that tells what passes through it, and what is read of the layer whose place it takes."""

    def __init__(self, site: str, recorder: _Recorder, own: nn.Module | None) -> None:
        super().__init__()
        self.site, self.recorder = site, recorder
        self.own = (own,)  # no child: its parameters are not counted
        self.eps = 1e-5 if own is None else getattr(own, "eps", 1e-5)  # torch's encoder looks at it while it is made

    def forward(self, x: Tensor) -> Tensor:
        self.recorder.met(self.site, tuple(x.shape))
        return x

    def __getattribute__(self, name: str) -> Any:
        if name == "eps":
            self.recorder.read(self.site, name)
        return super().__getattribute__(name)

    def __getattr__(self, name: str) -> Any:
        (own,) = self.__dict__["own"]
        if own is None or name.startswith("_") or not hasattr(own, name):
            return super().__getattr__(name)
        self.recorder.read(self.site, name)
        return getattr(own, name)

    def __deepcopy__(self, memo: dict[int, Any]) -> _Probe:
        return _Probe(self.site, self.recorder, self.own[0])


class _Recorder:
    """The ``norm`` of the first build: identities that record their sites."""

    def __init__(self, architecture: str) -> None:
        self.architecture = architecture
        self.sites: dict[str, Site] = {}
        self.visits: list[str] = []
        self.before: dict[str, LinearMap] = {}
        self.fixed: dict[str, str] = {}
        self.kept: set[int] = set()
        self._last: LinearMap | None = None
        self._listens = False

    def __call__(
        self, site: str, dim: int, layout: Layout = "last", own: nn.Module | None = None, fixed: str = ""
    ) -> nn.Module:
        if not _SITE.match(site):
            raise InputError(f"{site!r} is no name for a site", where=self.architecture, hint="letters, digits, . - _")
        if layout not in ("last", "first"):
            raise InputError(f"layout {layout!r} of site {site!r}", where=self.architecture, hint="last or first")
        known = self.sites.setdefault(site, Site(site, dim, layout))
        if (known.dim, known.layout) != (dim, layout):
            raise InputError(
                f"site {site!r} is asked for twice, unlike", where=self.architecture, hint="give each its own name"
            )
        if fixed and own is not None:
            self.fixed[site] = fixed
            self.kept.add(id(own))
            return own
        return _Probe(site, self, own)

    @contextmanager
    def listening(self) -> Iterator[None]:
        """Only what happens inside is recorded."""
        self._listens = True
        try:
            yield
        finally:
            self._listens = False

    def read(self, site: str, attribute: str) -> None:
        """A forward pass that reads an attribute of the layer does more with it than call it."""
        if self._listens:
            reason = f"its forward reads the attribute {attribute!r} of the norm layer at {site!r}"
            self.fixed.setdefault(site, reason)

    def add(self, found: Mapping[str, ForeignNorm]) -> None:
        """Take in where the network normalizes by itself."""
        for name, one in found.items():
            self.sites[name] = Site(name, one.size)
            self.fixed[name] = one.reason

    def watch(self, module: nn.Module) -> None:
        """Note each linear map of ``module`` when it has run."""
        for path, layer in module.named_modules():
            seen = _linear_map(path, layer)
            if seen is not None:
                layer.register_forward_hook(self._noting(seen))

    def _noting(self, seen: LinearMap) -> Any:
        def hook(layer: nn.Module, inputs: tuple[Any, ...], output: Any) -> None:
            if inputs or seen.path:  # learned tokens and positions are called with nothing: they map nothing
                self._last = seen

        return hook

    def met(self, name: str, shape: tuple[int, ...]) -> None:
        if not self._listens:
            return
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
        if self._last is not None:
            self.before.setdefault(name, self._last)

    def in_forward_order(self) -> tuple[Site, ...]:
        """The sites as the forward pass met them; those it never met come last."""
        return tuple(self.sites[name] for name in dict.fromkeys([*self.visits, *self.sites]))


def _linear_map(path: str, layer: nn.Module) -> LinearMap | None:
    """What a scheme may parametrize of ``layer``; without a path where it maps linearly and cannot be."""
    name = type(layer).__name__
    if isinstance(layer, nn.MultiheadAttention):  # it uses its last linear map without calling it
        return LinearMap(f"{path}.out_proj" if path else "out_proj", name)
    if isinstance(layer, _LINEAR):
        return LinearMap(path, name) if path else None
    own = list(layer.parameters(recurse=False))
    matrices = any(p.dim() > 1 for p in own) and not isinstance(layer, nn.Embedding)
    return LinearMap("", name) if matrices and not list(layer.children()) else None


@contextmanager
def isolated(seed: int) -> Iterator[None]:
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
