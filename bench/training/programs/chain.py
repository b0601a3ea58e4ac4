"""Stacked networks that are plain chains of layers, trained without an autograd graph.

In a small MLP most of a training step is spent between the matrix products: building graphs, allocating, walking
parameters. A chain of linear maps, norms that have a link (their cards give it, see :mod:`architectures.norms.links`)
and activations needs none of that: each link computes its output and, from the gradient at its output, the gradients at
its input and its parameters, for all members at once. A pair that only changes the input may stand before them.
Everything else is trained by :mod:`bench.training.programs.vmap`; tests hold both equal in float64.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn

from architectures.blocks.activations import Erf, Sine
from architectures.blocks.after_step import after_step
from architectures.blocks.layers import Linear
from architectures.families.mlp.network import Flat
from architectures.norms.layers import card_of, marked
from architectures.norms.links import Link
from architectures.norms.pairs import Paired
from architectures.norms.site import Frame
from bench.plan.optimizer import ADAM, Optimizer
from bench.training.programs.sgd import member_optimizer

_SEQUENTIAL = (nn.Sequential.forward, Flat.forward)


class LinearLink(Link):
    """``x Wᵀ + b``, weights (M, out, in) and (M, out).

    Products with one column, and gradients of few columns, are written as what is fast: a sixth of the time and less.
    """

    def bind(self, weights: Sequence[Tensor], gradients: Sequence[Tensor], buffers: Sequence[Tensor]) -> None:
        """The weights are turned for the product, too."""
        super().bind(weights, gradients, buffers)
        self.turned = weights[0].mT
        self.product = torch.addcmul if weights[0].shape[2] == 1 else torch.baddbmm

    def forward(self, x: Tensor, keep: bool) -> Tensor:
        """One batched product."""
        self.x = x if keep else None
        return self.product(self.over_rows[1], x, self.turned)

    def backward(self, g: Tensor, first: bool) -> Tensor:
        """``gᵀ x``, the column sums of g, and ``g W``."""
        weight_gradient, bias_gradient = self.gradients
        assert self.x is not None
        if 1 < self.x.shape[2] * _FEW <= g.shape[2]:
            weight_gradient.copy_(torch.bmm(self.x.mT, g).mT)
        else:
            torch.bmm(g.mT, self.x, out=weight_gradient)
        torch.sum(g, 1, out=bias_gradient)
        if first:
            return g
        return g * self.weights[0] if g.shape[2] == 1 else torch.bmm(g, self.weights[0])


_FEW = 4


@dataclass(frozen=True)
class Rule:
    """How to go back through an activation.

    Args:
        backward: (layer, gradient at the output, kept tensor) -> gradient at the input.
        keeps_output: the kept tensor is the output, else the input.
    """

    backward: Callable[[Any, Tensor, Tensor], Tensor]
    keeps_output: bool


RULES: dict[type[nn.Module], Rule] = {
    nn.ReLU: Rule(lambda layer, g, y: torch.ops.aten.threshold_backward.grad_input(g, y, 0, grad_input=g), True),
    nn.Tanh: Rule(lambda layer, g, y: torch.ops.aten.tanh_backward(g, y), True),
    nn.SiLU: Rule(lambda layer, g, x: torch.ops.aten.silu_backward(g, x), False),
    nn.GELU: Rule(lambda layer, g, x: torch.ops.aten.gelu_backward(g, x, approximate=layer.approximate), False),
    nn.LeakyReLU: Rule(
        lambda layer, g, x: torch.ops.aten.leaky_relu_backward(g, x, layer.negative_slope, False), False
    ),
    Erf: Rule(lambda layer, g, x: (x * x).neg_().exp_().mul_(2 / math.sqrt(math.pi)).mul_(g), False),
    Sine: Rule(lambda layer, g, x: x.cos().mul_(g), False),
}


class ActivationLink(Link):
    """An elementwise function, by torch's own kernels forwards and backwards."""

    def __init__(self, layer: nn.Module) -> None:
        super().__init__(())
        self.layer, self.rule = layer, RULES[type(layer)]

    def forward(self, x: Tensor, keep: bool) -> Tensor:
        """The layer's own; ReLU overwrites its input, which nobody else needs."""
        y = x.relu_() if isinstance(self.layer, nn.ReLU) else self.layer(x)
        if keep:
            self.kept = y if self.rule.keeps_output else x
        return y

    def backward(self, g: Tensor, first: bool) -> Tensor:
        """By the rule of the activation."""
        return self.rule.backward(self.layer, g, self.kept)


class InwardLink(Link):
    """A pair around the network that has no way back and nothing to learn: what it does to the input."""

    def __init__(self, pair: Any, shape: tuple[int, ...]) -> None:
        super().__init__(())
        self.pair, self.shape = pair, shape

    def forward(self, x: Tensor, keep: bool) -> Tensor:
        """Row by row, each in the shape of an input."""
        inside: Tensor = self.pair.inward(x.reshape(-1, *self.shape))[0]
        return inside.reshape(x.shape)

    def backward(self, g: Tensor, first: bool) -> Tensor:
        """Nothing before it learns."""
        return g


def links_of(module: nn.Module) -> list[Link] | None:
    """The links of a chain, or None when ``module`` is none, or holds a layer that is not known here."""
    around = _inward(module)
    links: list[Link] = [] if around is None else [around]
    for name, layer in _leaves(module, "") if around is None else _leaves(module.get_submodule("network"), "network."):
        if type(layer) is nn.Identity:
            continue
        link = _link(layer, name)
        if link is None:
            return None
        link.owns_input = bool(links) and not isinstance(links[-1], ActivationLink)
        links.append(link)
    known = {name for link in links for name in (*link.names, *link.held)}
    whole = known == {name for name, _ in (*module.named_parameters(), *module.named_buffers())}
    trained = all(p.requires_grad for p in module.parameters())
    first = next((link for link in links if not isinstance(link, InwardLink)), None)
    if not (whole and trained and isinstance(first, LinearLink)) or after_step(module):
        return None
    return links


def _inward(module: nn.Module) -> InwardLink | None:
    if not isinstance(module, Paired) or type(module) is not Paired or module.back:
        return None
    mark = marked(module.pair)
    return None if mark is None or not isinstance(mark.site, Frame) else InwardLink(module.pair, mark.site.shape)


def _leaves(module: nn.Module, path: str = "") -> Iterator[tuple[str, nn.Module]]:
    if isinstance(module, nn.Sequential) and type(module).forward in _SEQUENTIAL:
        for name, child in module.named_children():
            yield from _leaves(child, f"{path}{name}.")
    else:
        yield path, module


def _link(layer: nn.Module, path: str) -> Link | None:
    names = [f"{path}{name}" for name, _ in layer.named_parameters()]
    kind = type(layer)
    if kind in RULES:
        return ActivationLink(layer)
    # of exactly these types: a parametrized map is of a type of its own, and its weight is no parameter
    plain = kind is nn.Linear or (
        isinstance(layer, Linear) and kind is Linear and layer.drawing.parameterization == "standard"
    )
    if plain and len(names) == 2:
        return LinearLink(names)
    card = card_of(layer)
    link = card.link(layer, names) if card is not None and card.link is not None else None
    if link is not None:
        link.held = tuple(f"{path}{name}" for name in link.held)
    return link


class ChainStack:
    """M chains that take one step together: the :class:`bench.training.programs.program.Program` ``chain``.

    All parameters lie in one tensor of shape (M, numbers of a member), so that the optimizer is one fused operation.

    Args:
        modules: the initialized members, all chains of one structure.
        rates: the learning rate of each.
        optimizer: what takes the steps.
    """

    def __init__(self, modules: Sequence[nn.Module], rates: Sequence[float], optimizer: Optimizer = ADAM) -> None:
        links = links_of(modules[0])
        if links is None:
            raise ValueError("not a chain of known layers")
        self._links = links
        self._first = next(place for place, link in enumerate(links) if link.names)
        states = [dict(module.named_parameters()) for module in modules]
        self._shapes = {name: p.shape for name, p in states[0].items()}
        flat = torch.stack([torch.cat([p.detach().reshape(-1) for p in state.values()]) for state in states])
        held = [dict(module.named_buffers()) for module in modules]
        self._load(flat, {name: torch.stack([one[name] for one in held]) for name in held[0]})
        self._optimizer = member_optimizer(optimizer, [self._flat], rates)

    def __len__(self) -> int:
        return len(self._flat)

    def step(self, inputs: Tensor, targets: Tensor) -> Tensor:
        """One step of every member on the mean squared error; returns the losses before the step, shape (M,).

        No tensor here requires gradients, so there is nothing for autograd to record.
        """
        off = self._run(inputs, targets.dim() == 1, keep=True) - targets
        losses = off.square().mean(1)
        g = off.mul_(2 / off.shape[1]).unsqueeze(-1)
        for place in reversed(range(self._first, len(self._links))):
            g = self._links[place].backward(g, first=place == self._first)
        self._optimizer.step([self._gradient])
        return losses

    @torch.no_grad()
    def predict(self, inputs: Tensor, own: bool = False) -> Tensor:
        """Outputs of every member: (rows, *shape), or (M, rows, *shape) of their own, -> (M, rows)."""
        return self._run(inputs, shared=not own, keep=False)

    def state(self, place: int) -> dict[str, Tensor]:
        """A copy of one member's parameters and buffers, as ``load_state_dict`` takes it."""
        return {name: t[place].clone() for name, t in (*self._parameters.items(), *self._buffers.items())}

    def retain(self, places: Sequence[int]) -> None:
        """Drop every member that is not at one of ``places`` (ascending); the others go on unchanged."""
        index = torch.tensor(list(places), device=self._flat.device)
        self._load(self._flat[index], {name: held[index] for name, held in self._buffers.items()})
        self._optimizer = self._optimizer.retained([self._flat], places)

    def _load(self, flat: Tensor, buffers: dict[str, Tensor]) -> None:
        """Take ``flat``, shape (M, numbers of a member), as the parameters, and hand views to the links.

        ``buffers`` have a leading axis of length M, too.
        """
        self._flat, self._gradient, self._buffers = flat, torch.zeros_like(flat), buffers
        self._parameters, gradients = self._views(self._flat), self._views(self._gradient)
        for link in self._links:
            weights, slopes = ([of[name] for name in link.names] for of in (self._parameters, gradients))
            link.bind(weights, slopes, [buffers[name] for name in link.held])

    def _views(self, flat: Tensor) -> dict[str, Tensor]:
        pieces = flat.split([shape.numel() for shape in self._shapes.values()], dim=1)  # type: ignore[no-untyped-call]
        shapes = self._shapes.items()
        return {name: p.view(-1, *shape) for (name, shape), p in zip(shapes, pieces, strict=True)}

    def _run(self, inputs: Tensor, shared: bool, keep: bool) -> Tensor:
        members, width = len(self), self._links[self._first].weights[0].shape[-1]
        x = inputs.reshape(1 if shared else members, -1, width).expand(members, -1, -1)
        for link in self._links:
            x = link.forward(x, keep)
        return x.squeeze(-1)
