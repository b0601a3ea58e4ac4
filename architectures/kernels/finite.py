"""Finite networks beside the limit: their kernels at initialization, which approach it as 1/√width.

This file alone, of the kernels, needs torch. The networks are those of the family ``mlp`` with
``parameterization=ntk, init=paper``: weights N(0, 1) times √(2/fan_in), biases N(0, 1) times 0.1.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import ArrayLike

from architectures.kernels.angles import Array, flat_rows
from architectures.kernels.infinite import Kernel, kernel
from architectures.norms.scheme import NormScheme, SchemePart, parse_scheme
from bench.core.errors import InputError
from bench.core.problem import Problem
from bench.core.seeding import seed_from

if TYPE_CHECKING:
    from torch import nn

WIDTHS = (64, 128, 256, 512, 1024, 2048, 4096)
_ACTIVATIONS = ("relu", "leaky_relu", "erf", "gelu")


@dataclass(frozen=True)
class Convergence:
    """How far finite networks are from their limit.

    Attributes:
        kernel: the limit.
        widths: of the networks, ascending.
        ntk: root mean square, over pairs and seeds, of ``(empirical - limit) / √(k(x,x) k(x',x'))`` at each width.
        nngp: the same of the covariance of the last hidden layer, as the read-out sees it.
        seeds: how many networks of each width.
    """

    kernel: Kernel
    widths: tuple[int, ...]
    ntk: tuple[float, ...]
    nngp: tuple[float, ...]
    seeds: int

    def slope(self, values: Sequence[float]) -> float:
        """Exponent e where ``values`` (``ntk`` or ``nngp``) go as ``width^e``: about -1/2."""
        return float(np.polyfit(np.log(self.widths), np.log(values), 1)[0])


def finite_kernels(
    x: ArrayLike,
    width: int,
    depth: int = 3,
    activation: str = "relu",
    norm: str | NormScheme = "layer@first",
    seed: int = 0,
) -> tuple[Array, Array]:
    """Empirical NNGP and NTK of one network of ``width`` at initialization, (n, n) each.

    The NTK is ``Σ over parameters of ∂f(x)/∂p · ∂f(x')/∂p``, by ``torch.func``, a row at a time, in float64 up to
    width 1024 and float32 above; the NNGP ``w² h(x)·h(x')/width + b²`` for the last hidden layer h.

    Args:
        x: inputs (n, d).
        width: of the hidden layers.
        depth, activation, norm: as of :func:`~architectures.kernels.infinite.kernel`; of norms without their gain.
        seed: of the initialization.

    Raises:
        InputError: an activation that finite networks here do not have.
        Unsupported: the scheme does not fit the network.
    """
    import torch

    rows = flat_rows(x)
    network = _network(rows.shape[1], width, depth, activation, norm, seed)
    network = network.to(torch.float64 if width <= 1024 else torch.float32)
    tangent = _tangent(network, rows)
    with torch.no_grad():
        inputs = torch.as_tensor(rows, dtype=next(network.parameters()).dtype)
        hidden = network.hidden(network.input_norm(inputs)).double().numpy()  # type: ignore[operator]
    return 2 * hidden @ hidden.T / width + 0.1**2, tangent


def convergence(
    x: ArrayLike,
    widths: Sequence[int] = WIDTHS,
    depth: int = 3,
    activation: str = "relu",
    norm: str | NormScheme = "layer@first",
    seeds: int = 10,
    progress: Callable[[float], None] | None = None,
) -> Convergence:
    """Distance of networks of growing width from the limit, over ``seeds`` networks each; see :class:`Convergence`."""
    limit = kernel(depth, activation, norm)
    nngp, ntk = limit.matrices(x)
    distances: list[tuple[float, float]] = []
    widths = tuple(sorted(widths))
    for place, width in enumerate(widths):
        drawn = [finite_kernels(x, width, depth, activation, norm, seed) for seed in range(seeds)]
        distances.append((_distance([d[0] for d in drawn], nngp), _distance([d[1] for d in drawn], ntk)))
        if progress is not None:
            progress((place + 1) / len(widths))
    return Convergence(
        limit, widths, ntk=tuple(d[1] for d in distances), nngp=tuple(d[0] for d in distances), seeds=seeds
    )


def _distance(drawn: Sequence[Array], limit: Array) -> float:
    size = np.sqrt(np.outer(np.diag(limit), np.diag(limit)))
    return math.sqrt(float(np.mean([((one - limit) / size) ** 2 for one in drawn])))


def _network(features: int, width: int, depth: int, activation: str, norm: str | NormScheme, seed: int) -> nn.Module:
    from architectures.building import build_network
    from architectures.registry import resolve

    if activation not in _ACTIVATIONS:
        raise InputError(
            f"no finite network has the activation {activation!r}", hint=f"one of {', '.join(_ACTIVATIONS)}"
        )
    options = f"depth={depth}, width={width}, activation={activation}, init=paper, parameterization=ntk"
    scheme = _without_gain(parse_scheme(norm) if isinstance(norm, str) else norm)
    problem = Problem("features", (features,))
    return build_network(resolve(f"mlp({options})"), scheme, problem, seed_from("finite kernel", seed))


def _without_gain(scheme: NormScheme) -> NormScheme:
    from dataclasses import replace

    changed: list[SchemePart] = [
        replace(part, kind=replace(part.kind, affine=False)) if hasattr(part.kind, "affine") else part  # type: ignore[call-arg]
        for part in scheme.parts
    ]
    return NormScheme(tuple(changed))


def _tangent(network: nn.Module, rows: Array) -> Array:
    import torch
    from torch.func import functional_call, grad

    parameters = {name: p.detach() for name, p in network.named_parameters()}
    dtype = next(iter(parameters.values())).dtype

    def answer(values: dict[str, Any], row: Any) -> Any:
        return functional_call(network, values, (row[None],))[0, 0]

    slopes = [grad(answer)(parameters, torch.as_tensor(row, dtype=dtype)) for row in rows]
    result = np.zeros((len(rows), len(rows)))
    for i, one in enumerate(slopes):
        for j in range(i + 1):
            products = [float((one[name] * slopes[j][name]).sum(dtype=torch.float64)) for name in parameters]
            result[i, j] = result[j, i] = sum(products)
    return result
