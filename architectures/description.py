"""What there is to see of an architecture with a scheme before it is trained."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.utils.flop_counter import FlopCounterMode

from architectures.analysis.prediction import FEW_SIZES, SIZES, Prediction, predict_module, trial_batches
from architectures.building import build_estimator, build_network, build_skeleton, check_size, kinds_at, sites
from architectures.card import Architecture
from architectures.norms.layers import marked, site_of
from architectures.norms.pairs import Paired
from architectures.norms.scheme import NormScheme
from bench.core.origin import VERSIONED
from bench.core.problem import Problem


@dataclass(frozen=True)
class LayerRow:
    """A layer as the forward pass meets it.

    Args:
        name: path in the module.
        type: class.
        output: shape of what it gives for one sample, without the batch.
        parameters: count.
        site: the site it stands at, when a scheme placed it.
        norm: its kind as schemes spell it, when a scheme placed it.
    """

    name: str
    type: str
    output: tuple[int, ...]
    parameters: int
    site: str | None
    norm: str | None


@dataclass(frozen=True)
class SiteRow:
    """A site: its channels and positions, the placement words that mean it, and the norm the scheme puts there.

    The ends of a pair around the network come first and last, as ``network input`` and ``network output``.
    """

    name: str
    dim: int
    positions: int
    words: tuple[str, ...]
    norm: str | None


@dataclass(frozen=True)
class Description:
    """Everything ``farfield show architecture`` prints.

    Args:
        architecture, norm: canonical spellings.
        problem: what it was built for.
        layers: in forward order; empty for estimators.
        sites: in forward order.
        parts: parameters of each direct child of the module, norm layers apart under ``norms``.
        parameters: their sum; None for estimators.
        batch_size: of a step.
        flops_forward: floating-point operations of matrix products and convolutions for one sample, forwards.
        flops_step: the same for a step of training (forwards and backwards) on a batch.
        prediction: of the growth, and why.
    """

    architecture: str
    norm: str
    problem: Problem
    layers: tuple[LayerRow, ...]
    sites: tuple[SiteRow, ...]
    parts: tuple[tuple[str, int], ...]
    parameters: int | None
    batch_size: int
    flops_forward: int | None
    flops_step: int | None
    prediction: Prediction


def describe(architecture: Architecture, scheme: NormScheme, problem: Problem, batch_size: int = 128) -> Description:
    """Look at ``architecture`` under ``scheme`` on ``problem``; nothing is allocated or trained.

    Raises:
        Unsupported: it cannot be built so.
        InputError: its builder breaks the contract.
    """
    if architecture.card.role == "estimator":
        prediction = predict(architecture, scheme, problem)
        return Description(
            architecture.name, str(scheme), problem, (), (), (), None, batch_size, None, None, prediction
        )
    check_size(architecture, problem)
    module = build_skeleton(architecture, scheme, problem)
    parts = _parts(module)
    return Description(
        architecture=architecture.name,
        norm=str(scheme),
        problem=problem,
        layers=_layers(module, problem),
        sites=_with_ends(module, problem, _sites(architecture, scheme, problem)),
        parts=parts,
        parameters=sum(count for _, count in parts),
        batch_size=batch_size,
        flops_forward=count_flops(module, problem, 1, backward=False),
        flops_step=count_flops(module, problem, batch_size, backward=True),
        prediction=predict(architecture, scheme, problem),
    )


def predict(architecture: Architecture, scheme: NormScheme, problem: Problem) -> Prediction:
    """The exponent that the structure of the built architecture implies.

    Raises:
        Unsupported: the architecture cannot be built so.
    """
    if architecture.card.role == "estimator":
        estimator = build_estimator(architecture, scheme, problem)
        exponent = getattr(estimator, "exponent", architecture.card.exponent)  # where it depends on options and scheme
        return Prediction(exponent, f"an estimator: {architecture.card.summary}")
    network = build_network(architecture, scheme, problem, 0)
    vouched_for = architecture.card.origin in VERSIONED and not scheme.outside
    return predict_module(network, trial_batches(problem.shape, FEW_SIZES if vouched_for else SIZES))


def count_flops(module: nn.Module, problem: Problem, batch_size: int, backward: bool) -> int:
    """Floating-point operations of one pass over a batch, as ``torch.utils.flop_counter`` counts them.

    It counts matrix products and convolutions, two operations a multiply-add; elementwise work and norms are free.
    """
    device = next((p.device for p in module.parameters()), torch.device("cpu"))
    inputs = torch.zeros(batch_size, *problem.shape, device=device)
    training = module.training
    with FlopCounterMode(display=False) as counter, torch.set_grad_enabled(backward):
        outputs = module.train(backward)(inputs)
        if backward and outputs.requires_grad:
            outputs.sum().backward()
    module.train(training)
    module.zero_grad(set_to_none=True)
    count: int = counter.get_total_flops()
    return count


def placements_of(architecture: Architecture, problem: Problem) -> tuple[tuple[str, tuple[str, ...]], ...]:
    """Each placement word of the family with the sites that it means in the network for ``problem``.

    Raises:
        Unsupported: the family cannot read the input.
    """
    if architecture.card.role == "estimator" and architecture.card.takes_norms:
        names = list(getattr(build_estimator(architecture, NormScheme(), problem), "sites", ()))
    else:
        names = [site.name for site in sites(architecture, problem)]
    return tuple((word, rule.pick(names)) for word, rule in architecture.card.placements.words)


def _sites(architecture: Architecture, scheme: NormScheme, problem: Problem) -> tuple[SiteRow, ...]:
    placed = kinds_at(architecture, scheme, problem)
    meant = placements_of(architecture, problem)
    rows = []
    for site in sites(architecture, problem):
        words = tuple(word for word, names in meant if site.name in names)
        norm = ", ".join(str(kind) for kind in placed.get(site.name, ())) or None
        rows.append(SiteRow(site.name, site.dim, site.positions, words, norm))
    return tuple(rows)


def _with_ends(module: nn.Module, problem: Problem, rows: tuple[SiteRow, ...]) -> tuple[SiteRow, ...]:
    mark = marked(module.pair) if isinstance(module, Paired) else None
    if mark is None or not isinstance(module, Paired):
        return rows
    entry, leaving = (SiteRow(f"network {end}", size, 1, (), str(mark.kind)) for end, size in _ends(problem))
    return (entry, *rows, leaving) if module.back else (entry, *rows)


def _ends(problem: Problem) -> tuple[tuple[str, int], ...]:
    return ("input", problem.size), ("output", 1)


def _layers(module: nn.Module, problem: Problem) -> tuple[LayerRow, ...]:
    rows: list[LayerRow] = []
    handles = []
    for name, layer in module.named_modules():
        if _is_shown(layer):
            handles.append(layer.register_forward_hook(_recording(rows, name)))
    device = next((p.device for p in module.parameters()), torch.device("cpu"))
    try:
        with torch.no_grad():
            module(torch.zeros(2, *problem.shape, device=device))
    finally:
        for handle in handles:
            handle.remove()
    return tuple(rows)


def _is_shown(layer: nn.Module) -> bool:
    return not any(True for _ in layer.children()) and not isinstance(layer, nn.Identity)


def _recording(rows: list[LayerRow], name: str) -> Callable[[nn.Module, tuple[Tensor, ...], Tensor], None]:
    def hook(layer: nn.Module, inputs: tuple[Tensor, ...], output: Tensor) -> None:
        mark = marked(layer)
        shape = tuple(output.shape[1:]) if inputs else tuple(output.shape)
        count = sum(p.numel() for p in layer.parameters())
        site = site_of(layer)
        norm = str(mark.kind) if mark else None
        rows.append(LayerRow(name, type(layer).__name__, shape, count, site.name if site else None, norm))

    return hook


def _parts(module: nn.Module) -> tuple[tuple[str, int], ...]:
    """Parameters by direct child, those of placed norm layers apart; parameters held by two children count once."""
    norms = {id(p) for layer in module.modules() if marked(layer) for p in layer.parameters()}
    counts: dict[str, int] = {}
    for name, parameter in module.named_parameters():
        inside = name.removeprefix("network.") if isinstance(module, Paired) else name
        part = "norms" if id(parameter) in norms else inside.partition(".")[0]
        counts[part] = counts.get(part, 0) + parameter.numel()
    return tuple(counts.items())
