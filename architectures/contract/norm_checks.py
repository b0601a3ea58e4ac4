"""The contract's checks of what a norm scheme placed in a network: layers, parametrized maps, a pair around it."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn.utils import parametrize

from architectures.analysis.certificate import certificate
from architectures.contract.check import Broken, Check, Skipped, Subject
from architectures.contract.samples import built, inputs_for
from architectures.description import predict
from architectures.norms.layers import marked, site_of, turned
from architectures.norms.pairs import Paired
from architectures.norms.site import Site

FAR = 1e8
"""How far out answers must be finite, in standard deviations."""

FAR_OUT = (1e6, 1e8)
EXPONENT_OFF = 0.05


def what_is_placed_keeps_shape_and_dtype(subject: Subject) -> str:
    """Every placed layer gives the shape and dtype that it gets, in float32 and in float64, as does a pair's way in."""
    seen: set[str] = set()
    for dtype in (torch.float32, torch.float64):
        network = built(subject).to(dtype)
        handles = [layer.register_forward_hook(_keeping(name, seen)) for name, layer in _layers(network)]
        rows = inputs_for(subject, dtype=dtype)
        if isinstance(network, Paired):
            _compare("the pair's way in", rows, network.pair.inward(rows)[0])  # type: ignore[operator]
            seen.add("the pair")
        for name, linear in _parametrized(network):
            if linear.weight.dtype != dtype:
                raise Broken(f"the weight of {name} is {linear.weight.dtype} where {dtype} goes in", _LIKE)
            seen.add(name)
        network(rows)
        for handle in handles:
            handle.remove()
    return ", ".join(sorted(seen)) or "nothing is placed here"


_LIKE = "make constants like the inputs: x.new_zeros"


def _keeping(name: str, seen: set[str]) -> Callable[[nn.Module, tuple[Any, ...], Any], None]:
    def hook(layer: nn.Module, inputs: tuple[Any, ...], output: Any) -> None:
        _compare(name, inputs[0], output)
        seen.add(name)

    return hook


def _compare(name: str, given: Tensor, answer: object) -> None:
    if not isinstance(answer, Tensor):
        raise Broken(f"{name} returns a {type(answer).__name__}", "return one tensor of the shape of x")
    if answer.shape != given.shape:
        raise Broken(f"{name} makes {tuple(answer.shape)} of {tuple(given.shape)}", "return the shape of x")
    if answer.dtype != given.dtype:
        raise Broken(f"{name} answers in {answer.dtype} where {given.dtype} goes in", _LIKE)


def nothing_placed_is_shared(subject: Subject) -> str:
    """No tensor belongs to two placed layers, nor to two networks."""
    held: dict[int, str] = {}
    networks = [built(subject, seed) for seed in (0, 1)]  # both kept, so that no memory is used twice
    for place, network in enumerate(networks):
        mine: dict[int, str] = {}
        for name, module in _placed(network):
            for tensor in (*module.parameters(), *module.buffers()):
                key = tensor.data_ptr()
                if tensor.numel() and mine.setdefault(key, name) != name:
                    raise Broken(f"{mine[key]} and {name} hold the same tensor", "make new tensors in each call")
        if place and set(mine) & set(held):
            raise Broken("two networks hold the same tensor", "make new tensors in each call, none at import")
        held |= mine
    return f"{len(held)} tensors"


def answers_are_finite_at_zero_and_far_away(subject: Subject) -> str:
    """Answers finite numbers to zeros, single large entries and 1e8 deviations away, in float64, as do its layers."""
    network = built(subject).double()
    near = inputs_for(subject, 32, dtype=torch.float64)
    lone = torch.zeros_like(near)
    lone.flatten(1)[:, 0] = FAR
    for name, rows in (("zeros", torch.zeros_like(near)), ("1e8 times the inputs", FAR * near), ("lone entries", lone)):
        _finite(network(rows), f"answers to {name}")
    for name, layer in _layers(network):
        x = _at(site_of(layer))
        for what, rows in (("zeros", torch.zeros_like(x)), ("large numbers", FAR * x)):
            _finite(layer(rows), f"numbers that {name} gives for {what}")
    return "all finite"


def _finite(answer: Tensor, what: str) -> None:
    bad = int((~torch.isfinite(answer)).sum())
    if bad:
        raise Broken(f"{bad} of {answer.numel()} {what} are not finite", "guard divisions, roots and powers")


def _at(site: Site | None) -> Tensor:
    """Standard normal numbers as they meet a site."""
    assert site is not None
    shape = (4, *site.space, site.dim) if site.layout == "last" else (4, site.dim, *site.space)
    return torch.randn(shape, dtype=torch.float64, generator=torch.Generator().manual_seed(0))


def gain_and_shift_are_what_they_are_called(subject: Subject) -> str:
    """A parameter ``weight`` (dim,) multiplies the output per channel, and ``bias`` (dim,) is added to it.

    A network's own layer hands over its gain and shift by these names.
    """
    network = built(subject).double()
    checked = 0
    for name, layer in _layers(network):
        site, inner = site_of(layer), turned(layer)
        weight, bias = getattr(inner, "weight", None), getattr(inner, "bias", None)
        if site is None or not isinstance(weight, nn.Parameter) or tuple(weight.shape) != (site.dim,):
            continue
        x = _at(site)
        with torch.no_grad():
            if isinstance(bias, nn.Parameter) and bias.shape == weight.shape:
                before = layer(x)
                bias.add_(1.0)
                if not torch.allclose(layer(x), before + 1.0):
                    raise Broken(f"the bias of {name} is not added to the output", _NAMES)
                bias.zero_()
            before = layer(x)
            weight.mul_(2.0)
            if not torch.allclose(layer(x), 2 * before):
                raise Broken(f"the weight of {name} does not multiply the output", _NAMES)
        checked += 1
    if not checked:
        raise Skipped("no layer has a gain and a shift per channel by the names weight and bias")
    return f"{checked} layers"


_NAMES = "call a gain per channel weight and a shift per channel bias, and nothing else by these names"


def what_is_declared_holds(subject: Subject) -> str:
    """Answers never exceed the certificate that the declared bounds give, up to 1e8 deviations away."""
    network = built(subject).double()
    generator = torch.Generator().manual_seed(0)
    with torch.no_grad():  # gains and shifts that are not those of the start
        for parameter in network.parameters():
            parameter.add_(0.3 * torch.randn(parameter.shape, dtype=torch.float64, generator=generator))
    bound = certificate(network, [inputs_for(subject, rows, dtype=torch.float64) for rows in (6, 1)])
    if bound is None:
        raise Skipped("nothing is declared that bounds this network")
    scales = torch.logspace(-3, math.log10(FAR), 64, dtype=torch.float64)
    rows = inputs_for(subject, len(scales), dtype=torch.float64) * scales.view(-1, *[1] * len(subject.problem.shape))
    with torch.no_grad():
        most = float(network(rows).abs().max())
    if most > bound:
        raise Broken(f"an answer is {most:.4g}, and the declared bound proves {bound:.4g}", "correct the bound")
    return f"largest answer {most:.3g}, certificate {bound:.3g}"


def growth_is_as_declared(subject: Subject) -> str:
    """The exponent between 1e6 and 1e8 deviations, before training, is the one that the declared growth implies."""
    predicted = predict(subject.architecture, subject.scheme, subject.problem)
    if predicted.exponent is None:
        raise Skipped(f"unknown: {predicted.reason}")
    network = built(subject).double()
    rows = inputs_for(subject, 64, dtype=torch.float64)
    with torch.no_grad():
        near, far = (network(r * rows).abs().max().clamp_min(1e-6) for r in FAR_OUT)
    measured = float((far / near).log()) / math.log(FAR_OUT[1] / FAR_OUT[0])
    if not abs(measured - predicted.exponent) <= EXPONENT_OFF:
        hint = "correct growth=..., or leave it out: it is then measured and called unknown"
        raise Broken(f"predicted {predicted.exponent}, measured {measured:.2f}", hint)
    return f"predicted {predicted.exponent}, measured {measured:.2f}"


def _layers(network: nn.Module) -> Iterator[tuple[str, nn.Module]]:
    """The layers that the scheme placed at sites, each once, without what is inside them."""
    for module in network.modules():
        site = site_of(module)
        inside = any(module is turned(other) and module is not other for other in network.modules() if marked(other))
        if site is not None and not inside:
            yield f"the layer at {site.name}", module


def _parametrized(network: nn.Module) -> Iterator[tuple[str, nn.Module]]:
    for name, module in network.named_modules():
        if parametrize.is_parametrized(module, "weight"):
            yield name, module


def _placed(network: nn.Module) -> Iterator[tuple[str, nn.Module]]:
    for number, (name, layer) in enumerate(_layers(network)):
        yield f"{name} ({number})", layer
    for name, linear in _parametrized(network):
        yield name, linear
    if isinstance(network, Paired):
        yield "the pair", network.pair


NORM_CHECKS: tuple[Check, ...] = (
    what_is_placed_keeps_shape_and_dtype,
    nothing_placed_is_shared,
    answers_are_finite_at_zero_and_far_away,
    gain_and_shift_are_what_they_are_called,
    what_is_declared_holds,
    growth_is_as_declared,
)
