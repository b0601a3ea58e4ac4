"""Where a kernel is normalized: a norm scheme read for a network of ``depth`` hidden layers."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from architectures.families.mlp.places import MLP
from architectures.kernels.angles import Array
from architectures.norms.card import NormKind
from architectures.norms.kinds.layer import Layer
from architectures.norms.kinds.rms import Rms
from architectures.norms.scheme import NormScheme
from bench.core.errors import InputError, Unsupported

_EPS = Layer().eps  # what a kind has where a scheme gives none


@dataclass(frozen=True)
class KernelNorm:
    """A norm without gain and shift.

    Args:
        centred: whether it takes the mean over units away (layer norm; rms norm does not).
        eps: added to the variance.
    """

    centred: bool
    eps: float

    def rows(self, rows: Array) -> Array:
        """The norm of finite rows (n, d), over the d features.

        Raises:
            Unsupported: over so few features it is a constant, or all but one.
        """
        least, name = (3, "layer") if self.centred else (2, "rms")
        if rows.shape[1] < least:
            what = f"{name} norm at 'input' would be over {rows.shape[1]} features; at least {least}"
            raise Unsupported(what, code="degenerate_norm")
        if self.centred:
            rows = rows - rows.mean(axis=1, keepdims=True)
            rows = rows - rows.mean(axis=1, keepdims=True)  # the first mean was rounded at the size of the rows
        result: Array = rows / np.sqrt(np.mean(rows**2, axis=1, keepdims=True) + self.eps)
        return result


@dataclass(frozen=True)
class HiddenNorms:
    """The norms of a hidden layer, before and after its activation; None where there is none."""

    before: KernelNorm | None = None
    after: KernelNorm | None = None


@dataclass(frozen=True)
class KernelNorms:
    """The norms of a network, at its input and in each hidden layer."""

    entry: KernelNorm | None
    hidden: tuple[HiddenNorms, ...]

    @property
    def none(self) -> bool:
        """Whether nothing is normalized."""
        return self.entry is None and all(h == HiddenNorms() for h in self.hidden)


def site_names(depth: int) -> tuple[str, ...]:
    """The sites of a network of ``depth`` hidden layers, in forward order."""
    return ("input", *(f"hidden{k}{end}" for k in range(1, depth + 1) for end in ("", ".post")))


def place_norms(scheme: NormScheme, depth: int, eps: float) -> KernelNorms:
    """The norms that ``scheme`` puts into a network of ``depth`` hidden layers.

    Sites and words are those of the family ``mlp``. A kind's own eps, where the scheme gives one, stands before
    ``eps``. Gain and shift have no part in the limit, so ``affine`` changes nothing.

    Raises:
        InputError: a place that the family does not have.
        Unsupported: a kind without a limit here, a place that this depth does not have, two kinds at one site.
    """
    sites = site_names(depth)
    placed: dict[str, KernelNorm] = {}
    for part in scheme.parts:
        norm = _kernel_norm(part.kind, eps)
        for site in _pick(part.placement, sites, scheme):
            if placed.setdefault(site, norm) != norm:
                raise Unsupported(f"{scheme} puts two kinds of norm at {site!r}", code="site_conflict")
    hidden = tuple(HiddenNorms(placed.get(f"hidden{k}"), placed.get(f"hidden{k}.post")) for k in range(1, depth + 1))
    return KernelNorms(placed.get("input"), hidden)


def _pick(placement: str, sites: Sequence[str], scheme: NormScheme) -> tuple[str, ...]:
    try:
        MLP.check(placement)
    except InputError as error:
        raise error.at(f"norm {scheme} of a kernel") from None
    return MLP.pick(placement, sites)


def _kernel_norm(kind: NormKind, eps: float) -> KernelNorm:
    if not isinstance(kind, (Layer, Rms)):
        what = f"no kernel of infinite width is known for {kind.name} norm; layer and rms have one"
        raise Unsupported(what, code="cannot_normalize")
    return KernelNorm(isinstance(kind, Layer), eps if kind.eps == _EPS else kind.eps)
