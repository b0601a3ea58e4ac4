"""How fast each value of a network grows along rays, read from its graph.

What is known of a value is the e of each entry that grows like ``r^e`` along a ray ``r d`` for large r, the same in
every row, with the reasons for each e that occurs. Entries are told apart because some of them may not carry the input
(a class token); the moves of entries are those of :mod:`architectures.analysis.bounds.layouts`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any

import torch
from torch import Tensor, nn

from architectures.analysis.bounds.calls import Call, Stop
from architectures.analysis.bounds.declared import Declared
from architectures.analysis.bounds.functions import FUNCTIONS
from architectures.analysis.bounds.layouts import LAYOUTS
from architectures.analysis.bounds.values import Joined, Known, Shape, exactly, known, merged, ranked
from architectures.analysis.bounds.visitor import SIZE, BoundsVisitor, Unknown, in_words, values_in
from architectures.analysis.graph import Graph, GraphVisitor, Operation, Stored
from architectures.blocks.layers import Clamp
from architectures.norms.card import OWN
from architectures.norms.layers import marked, turned
from architectures.norms.options import FARTHEST_LIMIT
from architectures.norms.site import Frame

Reasons = Mapping[int, tuple[str, ...]]


@dataclass(frozen=True)
class Rate:
    """The exponents of a value's entries (both ends of their box), and why each occurs."""

    entries: Known | Joined
    reasons: Reasons

    @property
    def most(self) -> int:
        """The largest exponent."""
        return int(merged(self.entries).high.max())


def constant(shape: Shape, exponent: float, reasons: Reasons) -> Rate:
    """A value whose entries all have one exponent."""
    there = torch.full((1,) * len(shape), float(exponent), dtype=torch.float64)
    return Rate(known(shape, there, there), reasons)


class GrowthVisitor(GraphVisitor[Any]):
    """Follows exponents.

    Args:
        graph: of the network.
        network: the same.
        bounds: what is known of each value's size: what is bounded does not grow.
    """

    def __init__(self, graph: Graph, network: nn.Module, bounds: BoundsVisitor) -> None:
        self._network, self.bounds = network, bounds.found
        self._declared = Declared(graph, network)
        self._entered: dict[str, Rate] = {}

    def input(self, graph: Graph) -> Any:
        """The input itself grows like r."""
        return constant(graph.shape, 1, {})

    def stored(self, stored: Stored) -> Any:
        """Constants do not grow."""
        return constant(tuple(stored.value.shape), 0, {})

    def operation(self, operation: Operation, arguments: tuple[Any, ...], keywords: Mapping[str, Any]) -> Any:
        """The growth of a result."""
        given = values_in((arguments, tuple(keywords.values())))
        unknown = next((one for one in given if isinstance(one, Unknown)), None)
        if unknown is not None:
            return unknown
        place = self._declared.place(operation)
        if place is not None:
            return self._as_declared(place, operation, [one for one in given if isinstance(one, Rate)])
        if ("." not in operation.target and operation.target != "getitem") or operation.base == "sym_size":
            return SIZE
        rates = [one for one in given if isinstance(one, Rate)]
        try:
            grown = self._grown(operation, arguments, keywords, rates)
        except (Stop, TypeError, ValueError, IndexError, RuntimeError, AttributeError):
            return Unknown(in_words(operation))
        # what does not grow is bounded: an operation that no bound could follow proves nothing
        lost = self.bounds.get(operation.name) == Unknown(in_words(operation))
        flat = isinstance(grown, Rate) and grown.most == 0
        return Unknown(in_words(operation)) if lost and flat else grown

    def _grown(
        self, operation: Operation, arguments: tuple[Any, ...], keywords: Mapping[str, Any], rates: list[Rate]
    ) -> Any:
        found = self.bounds.get(operation.name)
        most = max((rate.most for rate in rates), default=0)
        if isinstance(found, Tensor):
            return constant(tuple(found.shape), 0, {})
        if operation.base in LAYOUTS and operation.base not in _GROWTH:
            return _moved(operation, arguments, keywords, _union(*(rate.reasons for rate in rates)))
        if most > 0 and isinstance(found, (Known, Joined)) and merged(found).bounded:
            return constant(operation.shape or (), 0, {0: (self._words(operation, found),)})
        rule = _GROWTH.get(operation.base)
        if rule is not None:
            shape = operation.shape or ()
            return rule(Growing(self, operation, Call(operation, arguments, keywords, shape), rates, found))
        if most == 0 and found is not None and not isinstance(found, Unknown):
            return constant(operation.shape or (), 0, _union(*(rate.reasons for rate in rates)))
        raise Stop

    def _as_declared(self, place: str, operation: Operation, rates: list[Rate]) -> Any:
        """As the card of the layer says, of what came into it first."""
        if not rates and place not in self._entered:
            return constant(operation.shape or (), 0, {})
        partner = place.replace("<outward", "<inward")
        if place != partner:  # what is kept on the way in does not count, what the network answers does
            rates = [rate for rate in rates if rate.reasons.get(-1) != (partner,)] or rates
        entered = self._entered.setdefault(place, max(rates, key=lambda rate: rate.most))
        effect, card = self._declared.effect(place)
        words = self._declared.words(place)
        if effect is None:
            return Unknown(words)
        reasons = {e: names for e, names in entered.reasons.items() if e >= 0}
        if effect == "bounds":
            after, reasons = 0, {0: (words,)} if entered.most > 0 else reasons
        else:
            after = entered.most + (effect == "raises")
            said = f"{card.name} norm, {card.why}" if card.why else words
            reasons = {after: _names(reasons.get(entered.most, ()), (said,))} if after else reasons
        return constant(operation.shape or (), after, {**reasons, -1: (place,)})

    def _words(self, operation: Operation, found: Known | Joined) -> str:
        """What bounds a value, in words."""
        for path, _ in operation.modules:
            module = _at(self._network, path)
            mark = marked(module) if module is not None else None
            pair = (
                marked(module.get_submodule("pair"))
                if module is not None and isinstance(getattr(module, "pair", None), nn.Module)
                else None
            )
            mark = mark or (pair if path == operation.place[0] else None)
            if mark is not None and module is not None:
                if isinstance(mark.site, Frame):
                    return f"{mark.kind.name} around the network"
                what = type(turned(module)).__name__ if mark.kind.name == OWN else f"{mark.kind.name} norm"
                return f"{what} at {mark.site.name}"
            if isinstance(module, Clamp):
                return "the answer is limited to the range of the training targets"
        if operation.base in ("clamp", "hardtanh", "clip"):
            value = merged(found)
            if max(float(value.low.abs().max()), float(value.high.abs().max())) > FARTHEST_LIMIT:
                raise Stop
        if operation.base in FUNCTIONS:
            return f"{'sine' if operation.base == 'sin' else operation.base} is bounded"
        return in_words(operation)

    def branch(self, operation: Operation) -> str:
        """The name of the residual connection that an addition makes; empty where it is none of ours."""
        module = _at(self._network, operation.place[0])
        name = getattr(module, "name", None)
        return name if isinstance(name, str) else operation.place[0]

    def norm_in_words(self, operation: Operation) -> str:
        """A norm that keeps growth."""
        for path, _ in operation.modules:
            module = _at(self._network, path)
            mark = marked(module) if module is not None else None
            if mark is not None:
                card = mark.kind.card
                return f"{card.name} norm, {card.why}" if card.why else f"{card.name} norm"
        return "batch norm, an affine map in evaluation"


@dataclass(frozen=True)
class Growing:
    """An operation with the rates of its arguments."""

    visitor: GrowthVisitor
    operation: Operation
    call: Call
    rates: list[Rate]
    found: Any

    @property
    def shape(self) -> Shape:
        """Of the result."""
        return self.call.shape

    @property
    def reasons(self) -> Reasons:
        """All of the arguments'."""
        return _union(*(rate.reasons for rate in self.rates))

    def entries(self, place: int) -> Known:
        """Exponents of an argument; a number does not grow."""
        value = self.call.given(place, "")
        return merged(value.entries) if isinstance(value, Rate) else exactly(torch.zeros(()), 0)


def _at(network: nn.Module, path: str) -> nn.Module | None:
    try:
        return network.get_submodule(path)
    except AttributeError:
        return None


def _each(exponents: Tensor) -> list[int]:
    return sorted({int(e) for e in exponents.flatten().tolist()})


def _names(*groups: tuple[str, ...]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(name for group in groups for name in group))


def _union(*all_reasons: Reasons) -> Reasons:
    exponents = sorted({e for reasons in all_reasons for e in reasons if e >= 0})
    return {e: _names(*(reasons.get(e, ()) for reasons in all_reasons)) for e in exponents}


def _bare(value: Any) -> Any:
    if isinstance(value, tuple):
        return tuple(_bare(one) for one in value)
    return value.entries if isinstance(value, Rate) else value


def _moved(operation: Operation, arguments: tuple[Any, ...], keywords: Mapping[str, Any], reasons: Reasons) -> Any:
    """Entries in other places."""
    bare = {name: _bare(value) for name, value in keywords.items()}
    if operation.base == "getitem":
        return arguments[0][arguments[1]]
    moved = LAYOUTS[operation.base](Call(operation, _bare(arguments), bare, operation.shape or ()))
    return tuple(Rate(one, reasons) for one in moved) if isinstance(moved, tuple) else Rate(moved, reasons)


def _kept(one: Growing) -> Rate:
    """The same exponents."""
    return Rate(_shaped(one.entries(0), one.shape), one.reasons)


def _shaped(entries: Known, shape: Shape) -> Known:
    entries = ranked(entries, len(shape))
    return replace(entries, shape=shape)


def _batch_norm(one: Growing) -> Rate:
    rate = _kept(one)
    said = one.visitor.norm_in_words(one.operation)
    return Rate(
        rate.entries,
        {e: _names(names, (said,)) for e, names in ({rate.most: ()} | dict(rate.reasons)).items() if e > 0},
    )


def _added(one: Growing) -> Rate:
    """The larger of the two, entry by entry."""
    left, right = (ranked(one.entries(place), len(one.shape)) for place in (0, 1))
    reasons = dict(one.reasons)
    most = torch.maximum(left.high, right.high)
    if _both_carry(one):
        name = one.visitor.branch(one.operation)
        for words, above, below in (("residual around", left, right), ("branch", right, left)):
            for e in _each(torch.where(above.high > below.high, most, -1.0)):
                if e > 0 and name:
                    reasons[e] = _names(reasons.get(e, ()), (f"the {words} {name}",))
    return Rate(known(one.shape, most, most), reasons)


def _both_carry(one: Growing) -> bool:
    found = [one.visitor.bounds.get(ref.name) for ref in one.operation.inputs]
    return len(found) == 2 and not any(isinstance(value, Tensor) or value is None for value in found)


def _multiplied(one: Growing) -> Rate:
    """Exponents add."""
    left, right = (ranked(one.entries(place), len(one.shape)) for place in (0, 1))
    total = left.high + right.high
    reasons = {e: _names(*one.reasons.values()) for e in _each(total)}
    if bool(((left.high > 0) & (right.high > 0)).any()):
        most = int(total.max())
        reasons[most] = _names(reasons[most], ("products of growing factors",))
    else:
        reasons = dict(one.reasons)
    return Rate(known(one.shape, total, total), reasons)


def _divided(one: Growing) -> Rate:
    """By what does not grow and is no nearer to zero than a constant."""
    if int(one.entries(1).high.max()) > 0 or isinstance(one.found, Unknown):
        raise Stop
    return _kept(one)


def _power(one: Growing) -> Rate:
    power = 0.5 if one.operation.base == "sqrt" else one.call.number(1, "exponent", 2)
    entries = merged(one.entries(0))
    total = entries.high * power
    if power < 0 or not bool((total == total.round()).all()):
        raise Stop
    reasons = {int(e * power): names for e, names in one.reasons.items()}
    if power > 1 and int(entries.high.max()) > 0:
        most = int(total.max())
        reasons[most] = _names(reasons.get(most, ()), ("products of growing factors",))
    return Rate(known(one.shape, total, total), reasons)


def _linear(one: Growing) -> Rate:
    """The largest of the vector."""
    if isinstance(one.call.given(1, "weight"), Rate) and one.call.given(1, "weight").most > 0:
        raise Stop
    most = one.entries(0).high.amax(-1, keepdim=True)
    return Rate(known(one.shape, most, most), one.reasons)


def _matmul(one: Growing) -> Rate:
    """Averages take the largest of what they average; other products add."""
    left, right = one.entries(0), one.entries(1)
    before = one.visitor.bounds.get(one.operation.inputs[0].name)
    if isinstance(before, Known) and before.averages == len(before.shape) - 1:
        return _mixed(one, 1)
    if len(right.shape) < 2 or len(left.shape) < 2:
        raise Stop
    most = left.high.amax(-1, keepdim=True) + right.high.amax((-2, -1), keepdim=True)
    grow = bool((left.high > 0).any()) and bool((right.high > 0).any())
    reasons = one.reasons
    if grow:
        names = _names(*one.reasons.values(), ("products of growing factors",))
        reasons = dict.fromkeys(_each(most), names)
    return Rate(known(one.shape, most, most), reasons)


def _mixed(one: Growing, place: int) -> Rate:
    most = one.entries(place).high.amax(-2, keepdim=True)
    return Rate(known(one.shape, most, most), one.call.arguments[place].reasons)


def _attention(one: Growing) -> Rate:
    if isinstance(one.found, Unknown):
        raise Stop
    return _mixed(one, 2)


def _over_axes(one: Growing) -> Rate:
    """The largest along axes."""
    entries = one.entries(0)
    axes = replace(one.call, arguments=_bare(one.call.arguments)).axes(1, "dim")
    most = entries.high.amax(axes, keepdim=bool(one.call.given(2, "keepdim", False)))
    return Rate(known(one.shape, most, most), one.reasons)


def _everywhere(one: Growing) -> Rate:
    """The largest of all entries of a row."""
    if any(rate.most > 0 for rate in one.rates[1:]):
        raise Stop
    most = one.entries(0).high.max()
    return Rate(known(one.shape, most, most), one.reasons)


def _either(one: Growing) -> Rate:
    """The larger of two that are chosen between."""
    start = 1 if one.operation.base == "where" else 0
    left, right = (ranked(one.entries(place), len(one.shape)) for place in (start, start + 1))
    most = torch.maximum(left.high, right.high)
    return Rate(known(one.shape, most, most), one.reasons)


_KEEPING = ("contiguous", "clone", "detach", "alias", "lift_fresh_copy", "to", "_to_copy", "double", "type_as")
_GROWTH: dict[str, Callable[[Growing], Rate]] = {
    **dict.fromkeys((*_KEEPING, "dropout", "feature_dropout", "alpha_dropout", *FUNCTIONS), _kept),
    **dict.fromkeys(("clamp", "clamp_min", "clamp_max", "clip", "masked_fill"), _kept),
    "batch_norm": _batch_norm,
    **dict.fromkeys(("add", "sub", "subtract"), _added),
    **dict.fromkeys(("mul", "multiply"), _multiplied),
    **dict.fromkeys(("div", "divide", "true_divide"), _divided),
    **dict.fromkeys(("pow", "square", "sqrt"), _power),
    "linear": _linear,
    **dict.fromkeys(("matmul", "mm", "bmm"), _matmul),
    "addmm": lambda one: _everywhere(
        replace(one, rates=one.rates[1:], call=replace(one.call, arguments=one.call.arguments[1:]))
    ),
    "scaled_dot_product_attention": _attention,
    **dict.fromkeys(("mean", "sum", "amax", "amin"), _over_axes),
    **dict.fromkeys(
        (
            *("conv1d", "conv2d", "conv3d", "avg_pool1d", "avg_pool2d", "adaptive_avg_pool1d", "adaptive_avg_pool2d"),
            *("_adaptive_avg_pool2d", "max_pool1d", "max_pool2d", "upsample_bilinear2d", "upsample_nearest2d"),
            *("pad", "constant_pad_nd", "linalg_vector_norm"),
        ),
        _everywhere,
    ),
    **dict.fromkeys(("where", "maximum", "minimum"), _either),
}
"""By the operation's name without its overload."""
