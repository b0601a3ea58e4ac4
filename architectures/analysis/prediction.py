"""The growth that a network's structure implies, before anything is measured.

Every layer is asked what it makes of a value that grows like ``r^e`` along a ray ``r d`` for large r:

- linear maps, however their weights are parametrized, convolutions and averages keep e;
- a norm does what its card declares (batch keeps e, the other built-in layers make it 0, whatever came in, and so do
  bounded activations); nothing is predicted of one that declares nothing;
- relu and its kin keep e, for some directions at least;
- a sum takes the larger e of the two, a product adds them; attention answers with averages of its values, whatever
  its scores are, so it takes the largest e of all tokens' values.

The prediction is generic: it holds for almost all weights, not for those that cancel exactly.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import singledispatch

from torch import Tensor, nn

from architectures.blocks.activations import BY_TYPE
from architectures.blocks.interpretation import Interpreter, UnknownModule
from architectures.blocks.layers import Affine, Clamp
from architectures.norms.card import OWN, Effect, NormKindCard
from architectures.norms.layers import card_of, marked, site_of, turned


@dataclass(frozen=True)
class Prediction:
    """What the structure implies.

    Args:
        exponent: of the growth along rays; None where a module is not known.
        reason: why, in words.
    """

    exponent: int | None
    reason: str

    @property
    def bounded(self) -> bool | None:
        """Whether the network is predicted to be bounded."""
        return None if self.exponent is None else self.exponent == 0


def predict_module(module: nn.Module) -> Prediction:
    """The exponent that the structure of ``module`` implies."""
    try:
        (growth,) = GrowthInterpreter()(module, (Growth(1),))
    except UnknownModule as unknown:
        return Prediction(None, f"it is not known what a {unknown} does to growth")
    return Prediction(growth.exponent, _in_words(growth))


@dataclass(frozen=True)
class Growth:
    """A value that grows like ``r^exponent``.

    ``reasons`` names what bounded it where the exponent is 0, and what carried it where it is not.
    """

    exponent: int
    reasons: tuple[str, ...] = ()


def _in_words(growth: Growth) -> str:
    named = ", ".join(growth.reasons[:4])
    if len(growth.reasons) > 4:
        named += f" and {len(growth.reasons) - 4} more"
    if growth.exponent == 0:
        return f"every path from the input passes something bounded: {named or 'none reaches the output'}"
    carried = named or "linear maps and activations that grow"
    return f"a path from the input to the output passes nothing bounded: {carried}"


class GrowthInterpreter(Interpreter[Growth]):
    """Follows exponents."""

    def leaf(self, module: nn.Module, value: Growth) -> Growth:
        """The growth after one layer."""
        card = card_of(module)
        return grow(module, value) if card is None else _after(card, card.growth, module, value)

    def constant(self, rows: Tensor) -> Growth:
        """Constants do not grow."""
        return Growth(0)

    def hull(self, values: tuple[Growth, ...]) -> Growth:
        """An average grows like the fastest."""
        most = max(value.exponent for value in values)
        return Growth(most, _union(*(value.reasons for value in values if value.exponent == most)))

    def mixture(self, value: Growth, heads: int) -> Growth:
        """Averages grow like what they average."""
        return value

    def channels(self, value: Growth, start: int, stop: int) -> Growth:
        """Any channel may be the fastest."""
        return value

    def sum(self, skip: Growth, branch: Growth, name: str) -> Growth:
        """A sum grows like the faster of the two."""
        if skip.exponent > branch.exponent:
            return Growth(skip.exponent, _union(skip.reasons, (f"the residual around {name}",) if name else ()))
        if branch.exponent > skip.exponent:
            return Growth(branch.exponent, _union(branch.reasons, (f"the branch {name}",)))
        return self.hull((skip, branch))

    def product(self, left: Growth, right: Growth) -> Growth:
        """Exponents add."""
        reasons = self.hull((left, right)).reasons
        if left.exponent > 0 and right.exponent > 0:
            reasons = _union(reasons, ("products of growing factors",))
        return Growth(left.exponent + right.exponent, reasons)

    def outward(self, pair: nn.Module, value: Growth) -> Growth:
        """As the card of the pair declares of its way back."""
        card = card_of(pair)
        return value if card is None else _after(card, card.growth_back, pair, value)


def _union(*names: tuple[str, ...]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(name for group in names for name in group))


def _bounded(value: Growth, what: str) -> Growth:
    return Growth(0, (what,)) if value.exponent > 0 else value


def _after(card: NormKindCard, effect: Effect | None, module: nn.Module, value: Growth) -> Growth:
    """The growth after a norm that does ``effect``."""
    if effect is None:
        raise UnknownModule(module, _placed(module))
    if effect == "bounds":
        return _bounded(value, _placed(module))
    exponent = value.exponent + (effect == "raises")
    if exponent == 0:
        return value
    said = f"{card.name} norm, {card.why}" if card.why else _placed(module)
    return Growth(exponent, _union(value.reasons, (said,)))


def _placed(module: nn.Module) -> str:
    """What stands where, in words."""
    placed, site = marked(module), site_of(module)
    if placed is None:
        return type(turned(module)).__name__
    what = type(module).__name__ if placed.kind.name == OWN else f"{placed.kind.name} norm"
    return f"{what} at {site.name}" if site is not None else f"{placed.kind.name} around the network"


@singledispatch
def grow(module: nn.Module, value: Growth) -> Growth:
    """The growth after a layer of that type.

    Raises:
        UnknownModule: nothing is known of the type.
    """
    if type(module) not in BY_TYPE:
        raise UnknownModule(module)
    name, activation = BY_TYPE[type(module)]
    return _bounded(value, f"{name} is bounded") if activation.exponent == 0 else value


def _keeps(module: nn.Module, value: Growth) -> Growth:
    return value


def _stops(module: nn.Module, value: Growth) -> Growth:
    return _bounded(value, type(module).__name__)


def _limits(module: nn.Module, value: Growth) -> Growth:
    return _bounded(value, "the answer is limited to the range of the training targets")


_KNOWN: dict[Callable[[nn.Module, Growth], Growth], tuple[type[nn.Module], ...]] = {
    _keeps: (
        *(nn.Identity, nn.Linear, nn.Conv1d, nn.Conv2d, nn.Conv3d, Affine, nn.Flatten, nn.Unflatten, nn.Dropout),
        *(nn.MaxPool1d, nn.MaxPool2d, nn.AvgPool1d, nn.AvgPool2d, nn.AdaptiveAvgPool1d, nn.AdaptiveAvgPool2d),
        *(nn.ELU, nn.CELU, nn.SELU, nn.PReLU, nn.Softplus, nn.Mish, nn.Hardswish),
    ),
    _stops: (nn.Sigmoid, nn.Softsign, nn.Hardtanh, nn.Hardsigmoid, nn.Softmax),
    _limits: (Clamp,),
}
for _rule, _types in _KNOWN.items():
    for _type in _types:
        grow.register(_type, _rule)
