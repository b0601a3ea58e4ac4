"""Functions of one entry that networks apply: where they are bounded, how steep they are, where they turn."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn import functional

from architectures.analysis.bounds.calls import Call, Stop
from architectures.blocks.activations import ACTIVATIONS

_BELOW = 1e-9
"""Slack under a minimum, whose place is rounded."""


@dataclass(frozen=True)
class Function:
    """A continuous function f of one number.

    Args:
        of: f, on tensors; at infinity its limits.
        lipschitz: an upper bound of ``|f'|``; infinite where f jumps.
        turns: where f' changes sign, each a minimum or a maximum.
        range: bounds of f where it oscillates; None where the turns and the ends tell.
        odd: ``|f(x)| ≤ lipschitz |x|``.
        slack: subtracted from what it is at its turns.
    """

    of: Callable[[Tensor], Tensor]
    lipschitz: float
    turns: tuple[float, ...] = ()
    range: tuple[float, float] | None = None
    odd: bool = False
    slack: float = _BELOW

    def image(self, low: Tensor, high: Tensor) -> tuple[Tensor, Tensor]:
        """Bounds of f between ``low`` and ``high``."""
        if self.range is not None:
            return torch.full_like(low, self.range[0]), torch.full_like(high, self.range[1])
        ends = self.of(low), self.of(high)
        least, most = torch.minimum(*ends), torch.maximum(*ends)
        for turn in self.turns:
            inside = (low <= turn) & (turn <= high)
            there = self.of(torch.full_like(low, turn))
            least = torch.where(inside, torch.minimum(least, there - self.slack), least)
            most = torch.where(inside, torch.maximum(most, there + self.slack), most)
        return least, most


def _limits(function: Callable[[Tensor], Tensor], left: float, right: float) -> Callable[[Tensor], Tensor]:
    """``function`` with its limits at infinity, where arithmetic finds none."""

    def extended(x: Tensor) -> Tensor:
        y = function(x)
        y = torch.where(x == -math.inf, left, y)
        return torch.where(x == math.inf, right, y)

    return extended


def _leaky(call: Call) -> Function:
    slope = call.number(1, "negative_slope", 0.01)
    turns = (0.0,) if slope < 0 else ()
    return Function(lambda x: torch.where(x < 0, slope * x, x), max(1.0, abs(slope)), turns, odd=True)


def _prelu(call: Call) -> Function:
    slope = call.constant(1, "weight")
    if slope is None or slope.numel() != 1:
        raise Stop
    steep = float(slope)
    turns = (0.0,) if steep < 0 else ()
    return Function(lambda x: torch.where(x < 0, steep * x if steep else 0.0, x), max(1.0, abs(steep)), turns, odd=True)


def _gelu(call: Call) -> Function:
    if call.given(1, "approximate", "none") == "none":
        gelu = ACTIVATIONS["gelu"]
        return Function(_limits(functional.gelu, 0.0, math.inf), gelu.lipschitz, gelu.turns or ())
    # the approximation turns at -0.7524614 and is nowhere steeper than 1.12901
    curve = _limits(lambda x: functional.gelu(x, approximate="tanh"), 0.0, math.inf)
    return Function(curve, 1.1291, (-0.7524614,), slack=1e-6)


def _hardtanh(call: Call) -> Function:
    low, high = call.number(1, "min_val", -1.0), call.number(2, "max_val", 1.0)
    if low > high:
        raise Stop
    return Function(lambda x: x.clamp(low, high), 1.0)


def _elu(call: Call) -> Function:
    alpha, scale, inner = (
        call.number(1, "alpha", 1.0),
        call.number(2, "scale", 1.0),
        call.number(3, "input_scale", 1.0),
    )
    if min(alpha, scale, inner) <= 0:
        raise Stop
    return Function(
        lambda x: torch.where(x > 0, scale * x, scale * alpha * torch.expm1(inner * x)), scale * max(1.0, alpha * inner)
    )


def _celu(alpha: float) -> Function:
    if alpha <= 0:
        raise Stop
    return Function(lambda x: torch.where(x > 0, x, alpha * torch.expm1(x / alpha)), 1.0, odd=True)


def _softplus(call: Call) -> Function:
    beta, threshold = call.number(1, "beta", 1.0), call.number(2, "threshold", 20.0)
    if beta <= 0 or threshold < 1:
        raise Stop
    # above the threshold it is the identity: a jump down of log(1 + e^-t)/beta, which widens the image
    jump = math.log1p(math.exp(-threshold)) / beta
    return _Widened(lambda x: functional.softplus(x, beta, threshold), math.inf, jump=jump)


@dataclass(frozen=True)
class _Widened(Function):
    jump: float = 0.0

    def image(self, low: Tensor, high: Tensor) -> tuple[Tensor, Tensor]:
        least, most = super().image(low, high)
        return least - self.jump, most + self.jump


def _plain(function: Function) -> Callable[[Call], Function]:
    def alone(call: Call) -> Function:
        if len(call.arguments) > 1 or call.keywords:
            raise Stop
        return function

    return alone


_SILU = ACTIVATIONS["silu"]
_SELU = 1.0507009873554805, 1.6732632423543772


FUNCTIONS: dict[str, Callable[[Call], Function]] = {
    "relu": _plain(Function(torch.relu, 1.0, odd=True)),
    "relu6": _plain(Function(lambda x: x.clamp(0, 6), 1.0, odd=True)),
    "leaky_relu": _leaky,
    "prelu": _prelu,
    "gelu": _gelu,
    "silu": _plain(Function(_limits(functional.silu, 0.0, math.inf), _SILU.lipschitz, _SILU.turns or ())),
    "tanh": _plain(Function(torch.tanh, 1.0, odd=True)),
    "erf": _plain(Function(torch.erf, 2 / math.sqrt(math.pi), odd=True)),
    "sigmoid": _plain(Function(torch.sigmoid, 0.25)),
    "hardsigmoid": _plain(Function(lambda x: (x / 6 + 0.5).clamp(0, 1), 1 / 6)),
    "sin": _plain(Function(torch.sin, 1.0, range=(-1.0, 1.0), odd=True)),
    "cos": _plain(Function(torch.cos, 1.0, range=(-1.0, 1.0))),
    "atan": _plain(Function(torch.atan, 1.0, odd=True)),
    "mish": _plain(Function(_limits(functional.mish, 0.0, math.inf), 1.1, (-1.1924576,))),
    "hardswish": _plain(Function(_limits(functional.hardswish, 0.0, math.inf), 1.5, (-1.5,))),
    "celu": lambda call: _celu(call.number(1, "alpha", 1.0)),
    "abs": _plain(Function(torch.abs, 1.0, (0.0,), odd=True)),
    "neg": _plain(Function(torch.neg, 1.0, odd=True)),
    "hardtanh": _hardtanh,
    "elu": _elu,
    "selu": _plain(
        Function(lambda x: _SELU[0] * torch.where(x > 0, x, _SELU[1] * torch.expm1(x)), _SELU[0] * _SELU[1], odd=True)
    ),
    "softplus": _softplus,
    "log_sigmoid": _plain(Function(_limits(functional.logsigmoid, -math.inf, 0.0), 1.0)),
    **{name: _plain(Function(getattr(torch, name), math.inf)) for name in ("floor", "ceil", "round", "trunc", "sign")},
}
"""By the operation's name."""
