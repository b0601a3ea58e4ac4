"""Networks that strangers might write, each of which a reading by the names of its classes would misjudge."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional
from torch.nn.utils import parametrizations, parametrize

WIDTH = 8


@dataclass(frozen=True)
class Stranger:
    """A network of 5 features.

    Args:
        make: makes it.
        bounded: whether it is.
        proved: whether a certificate is expected (never of one that is not bounded).
    """

    make: Callable[[], nn.Module]
    bounded: bool
    proved: bool


def around(*layers: nn.Module) -> nn.Sequential:
    return nn.Sequential(nn.Linear(5, WIDTH), *layers, nn.Linear(WIDTH, 1))


class Does(nn.Module):
    """A function as a module."""

    def __init__(self, function: Callable[[Tensor], Tensor]) -> None:
        super().__init__()
        self.function = function

    def forward(self, x: Tensor) -> Tensor:
        return self.function(x)


class Skipping(nn.Sequential):
    def forward(self, x: Tensor) -> Tensor:
        return x + super().forward(x)


class ResidualNorm(nn.LayerNorm):
    def forward(self, x: Tensor) -> Tensor:
        return x + super().forward(x)


class CallOverridden(nn.LayerNorm):
    def __call__(self, x: Tensor) -> Tensor:
        return x + super().__call__(x)


class Tanhless(nn.Tanh):
    def forward(self, x: Tensor) -> Tensor:
        return x


def hooked() -> nn.Module:
    norm = nn.LayerNorm(WIDTH)
    norm.register_forward_hook(lambda module, given, answer: answer + given[0])
    return around(norm)


def prehooked() -> nn.Module:
    network = around(nn.LayerNorm(WIDTH))
    network[2].register_forward_pre_hook(lambda module, given: (given[0] * (1 + network[0].weight.sum() ** 2),))
    kept: list[Tensor] = []
    network[1].register_forward_pre_hook(lambda module, given: kept.append(given[0]))
    network[2].register_forward_pre_hook(lambda module, given: (given[0] + kept.pop(),))
    return network


def patched() -> nn.Module:
    norm = nn.LayerNorm(WIDTH)
    norm.forward = lambda x: x  # type: ignore[method-assign, assignment]
    return around(norm)


def patched_function() -> nn.Module:
    tanh = nn.Tanh()
    plain = tanh.forward
    tanh.forward = lambda x: x + plain(x)  # type: ignore[method-assign]
    return around(tanh)


def big_gains() -> nn.Module:
    network = around(nn.LayerNorm(WIDTH))
    with torch.no_grad():
        network[1].weight.fill_(1e5)  # type: ignore[union-attr, operator]
    return network


class BranchOnRows(nn.Module):
    def __init__(self, least: int = 8) -> None:
        super().__init__()
        self.inner, self.open, self.least = around(nn.Tanh()), nn.Linear(5, 1), least

    def forward(self, x: Tensor) -> Tensor:
        return self.open(x) if x.shape[0] > self.least else self.inner(x)


class BranchOnLength(BranchOnRows):
    def forward(self, x: Tensor) -> Tensor:
        return self.open(x) if len(x) < 3 else self.inner(x)


class Counting(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.inner, self.open, self.calls = around(nn.Tanh()), nn.Linear(5, 1), 0

    def forward(self, x: Tensor) -> Tensor:
        self.calls += 1
        return self.open(x) if self.calls > 3 else self.inner(x)


class CountingInAList(Counting):
    def __init__(self) -> None:
        super().__init__()
        self.seen: list[int] = []

    def forward(self, x: Tensor) -> Tensor:
        self.seen.append(1)
        return self.open(x) if len(self.seen) > 4 else self.inner(x)


class CountingInABuffer(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.inner, self.open = around(nn.Tanh()), nn.Linear(5, 1)
        self.register_buffer("calls", torch.zeros(()))

    def forward(self, x: Tensor) -> Tensor:
        self.calls += 1
        return torch.where(self.calls > 4, self.open(x), self.inner(x))


class WhereOnSize(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.inner, self.open = around(nn.Tanh()), nn.Linear(5, 1)

    def forward(self, x: Tensor) -> Tensor:
        return torch.where(x.norm(dim=-1, keepdim=True) > 1e3, self.open(x), self.inner(x))


class BranchOnValues(WhereOnSize):
    def forward(self, x: Tensor) -> Tensor:
        return self.open(x) if float(x.abs().max()) > 1e3 else self.inner(x)


class Identity(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, x: Tensor) -> Tensor:
        return x * 1.0

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> Any:
        return gradients[0]


class InPlace(nn.Module):
    def forward(self, x: Tensor) -> Tensor:
        y = torch.tanh(x)
        y += x
        return y


class WritesView(nn.Module):
    def forward(self, x: Tensor) -> Tensor:
        y = torch.tanh(x)
        y[:, 0] = x[:, 0]
        return y


class Functional(nn.Module):
    def __init__(self, residual: bool) -> None:
        super().__init__()
        self.residual = residual

    def forward(self, x: Tensor) -> Tensor:
        y = functional.layer_norm(x, (WIDTH,))
        return x + y if self.residual else y


class ByHand(nn.Module):
    """A layer norm written out."""

    def forward(self, x: Tensor) -> Tensor:
        centred = x - x.mean(-1, keepdim=True)
        return centred / torch.sqrt(centred.pow(2).mean(-1, keepdim=True) + 1e-5)


class Calling(nn.Module):
    """Runs its layer with other parameters."""

    def __init__(self) -> None:
        super().__init__()
        self.norm = nn.LayerNorm(WIDTH)

    def forward(self, x: Tensor) -> Tensor:
        given = {"weight": x.mean() * self.norm.weight, "bias": self.norm.bias}
        return torch.func.functional_call(self.norm, given, (x,))


class Plus(nn.Module):
    def forward(self, weight: Tensor) -> Tensor:
        return 1e4 * weight


def parametrized() -> nn.Module:
    network = around(nn.Tanh())
    parametrize.register_parametrization(network[2], "weight", Plus())
    return network


def spectral() -> nn.Module:
    return nn.Sequential(
        parametrizations.spectral_norm(nn.Linear(5, WIDTH)),
        nn.Tanh(),
        parametrizations.weight_norm(nn.Linear(WIDTH, 1)),
    )


def tied() -> nn.Module:
    first, last = nn.Linear(WIDTH, WIDTH), nn.Linear(WIDTH, WIDTH)
    last.weight = first.weight
    return around(first, nn.Tanh(), last)


class Swapped(nn.Module):
    """Keeps its layer where no registration sees it."""

    def __init__(self) -> None:
        super().__init__()
        self.hidden = [nn.Linear(WIDTH, WIDTH).double()]

    def forward(self, x: Tensor) -> Tensor:
        return torch.tanh(x) + self.hidden[0](x.double()).to(x.dtype)


class Subclassed(Tensor):
    """A tensor that answers otherwise than its operations say."""

    @classmethod
    def __torch_function__(cls, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        result = super().__torch_function__(func, types, args, kwargs or {})
        return args[0].as_subclass(Tensor) if func is torch.tanh else result


class Detecting(WhereOnSize):
    """Shows another face to whoever records it."""

    def forward(self, x: Tensor) -> Tensor:
        return self.inner(x) if torch.compiler.is_exporting() else self.open(x)


class Gradients(WhereOnSize):
    def forward(self, x: Tensor) -> Tensor:
        return self.inner(x) if torch.is_grad_enabled() else self.open(x)


class Weights(nn.Module):
    """Averages whose weights are shares, and the same with weights that are none."""

    def __init__(self, shares: bool) -> None:
        super().__init__()
        self.shares = shares

    def forward(self, x: Tensor) -> Tensor:
        scores = x.unsqueeze(-1) * x.unsqueeze(-2)
        weights = torch.softmax(scores, -1 if self.shares else -2)
        return (weights @ torch.tanh(x).unsqueeze(-1)).squeeze(-1)


def does(function: Callable[[Tensor], Tensor], bounded: bool, proved: bool) -> Stranger:
    return Stranger(lambda: around(Does(function)), bounded, proved)


STRANGERS: dict[str, Stranger] = {
    "Sequential with a skip": Stranger(lambda: around(Skipping(nn.LayerNorm(WIDTH), nn.ReLU())), False, False),
    "LayerNorm plus its input": Stranger(lambda: around(ResidualNorm(WIDTH)), False, False),
    "LayerNorm with its own __call__": Stranger(lambda: around(CallOverridden(WIDTH)), False, False),
    "Tanh that is none": Stranger(lambda: around(Tanhless()), False, False),
    "hook that adds the input": Stranger(hooked, False, False),
    "pre-hooks that carry the input past": Stranger(prehooked, False, False),
    "forward replaced on the instance": Stranger(patched, False, False),
    "forward of Tanh wrapped": Stranger(patched_function, False, False),
    "LeakyReLU with slope 5 after a norm": Stranger(lambda: around(nn.LayerNorm(WIDTH), nn.LeakyReLU(5.0)), True, True),
    "LeakyReLU with slope -3 after a norm": Stranger(
        lambda: around(nn.LayerNorm(WIDTH), nn.LeakyReLU(-3.0)), True, True
    ),
    "LeakyReLU with slope 5 alone": Stranger(lambda: around(nn.LeakyReLU(5.0)), False, False),
    "Hardtanh with huge bounds": Stranger(lambda: around(nn.Hardtanh(-1e30, 1e30)), True, True),
    "PReLU of a trained slope": Stranger(lambda: around(nn.LayerNorm(WIDTH), nn.PReLU(1, -7.0)), True, True),
    "ELU with alpha 50": Stranger(lambda: around(nn.LayerNorm(WIDTH), nn.ELU(50.0)), True, True),
    "Softplus with a low threshold": Stranger(lambda: around(nn.LayerNorm(WIDTH), nn.Softplus(1.0, 2.0)), True, True),
    "Threshold with a value of 1e6": Stranger(lambda: around(nn.LayerNorm(WIDTH), nn.Threshold(0.0, 1e6)), True, False),
    "layer norm over the rows": does(lambda x: functional.layer_norm(x.T, (len(x),)).T, False, False),
    "layer norm over an axis of 1, plus input": does(
        lambda x: functional.layer_norm(x.unsqueeze(-1), (1,)).squeeze(-1) + x, False, False
    ),
    "big gains": Stranger(big_gains, True, True),
    "branch on the number of rows": Stranger(BranchOnRows, False, False),
    "branch on 15 rows": Stranger(lambda: BranchOnRows(15), False, False),
    "branch on len(x)": Stranger(BranchOnLength, False, False),
    "counts its calls": Stranger(Counting, False, False),
    "counts its calls in a list": Stranger(CountingInAList, False, False),
    "counts its calls in a buffer": Stranger(CountingInABuffer, False, False),
    "torch.where on the norm of the input": Stranger(WhereOnSize, False, False),
    "branch on values": Stranger(BranchOnValues, False, False),
    "autograd function that carries the input": does(lambda x: torch.tanh(x) + Identity.apply(x), False, False),
    "autograd function before a tanh": does(lambda x: torch.tanh(Identity.apply(x)), True, True),
    "dropout in evaluation": does(lambda x: functional.dropout(torch.tanh(x), 0.5, training=True), True, False),
    "in place": Stranger(lambda: around(InPlace()), False, False),
    "writes into a view": Stranger(lambda: around(WritesView()), False, False),
    "complex numbers": Stranger(
        lambda: around(
            Does(lambda x: torch.view_as_real(torch.complex(torch.tanh(x), x)).flatten(1)[:, 1 : 2 * WIDTH : 2])
        ),
        False,
        False,
    ),
    "functional layer norm": Stranger(lambda: around(Functional(False)), True, True),
    "functional layer norm plus its input": Stranger(lambda: around(Functional(True)), False, False),
    "layer norm by hand": Stranger(lambda: around(ByHand()), True, True),
    "layer norm by hand with var": Stranger(
        lambda: around(
            Does(lambda x: (x - x.mean(-1, keepdim=True)) / torch.sqrt(x.var(-1, keepdim=True, unbiased=False) + 1e-05))
        ),
        True,
        True,
    ),
    "rms norm by hand": does(lambda x: x * torch.rsqrt(x.pow(2).mean(-1, keepdim=True) + 1e-05), True, True),
    "divided by another norm": does(lambda x: x / (x[:, :1].norm(dim=-1, keepdim=True) + 1.0), False, False),
    "divided by the root of its norm": does(lambda x: x / torch.sqrt(x.norm(dim=-1, keepdim=True) + 1.0), False, False),
    "divided by the norm over rows": does(lambda x: x / x.norm(dim=0, keepdim=True).clamp_min(1e-05), True, False),
    "functional_call with the input as gain": Stranger(lambda: around(Calling()), False, False),
    "the input as gain": does(lambda x: functional.layer_norm(x, (WIDTH,), weight=x[0]), False, False),
    "parametrized weights": Stranger(parametrized, True, True),
    "spectral and weight norm": Stranger(spectral, True, True),
    "tied weights": Stranger(tied, True, True),
    "a layer in a plain list": Stranger(lambda: around(Swapped()), False, False),
    "a tensor subclass": does(lambda x: torch.tanh(x.as_subclass(Subclassed)).as_subclass(Tensor), False, False),
    "looks whether it is exported": Stranger(Detecting, False, False),
    "looks whether gradients are on": Stranger(Gradients, False, False),
    "infinite constants": does(
        lambda x: torch.tanh(x) * torch.full((WIDTH,), float("inf"), dtype=x.dtype), False, False
    ),
    "softmax times the input": Stranger(
        lambda: around(
            Does(lambda x: torch.softmax(x.masked_fill(torch.zeros(WIDTH, dtype=torch.bool), float("-inf")), -1) * x)
        ),
        False,
        False,
    ),
    "softmax along the averaged axis": Stranger(lambda: around(Weights(True)), True, True),
    "softmax along the other axis": Stranger(lambda: around(Weights(False)), True, True),
    "casts": Stranger(
        lambda: around(
            Does(lambda x: torch.tanh(x) + (x.to(torch.int64) % 7).to(x.dtype) + x.to(torch.float32).to(x.dtype))
        ),
        False,
        False,
    ),
    "times the number of rows": does(lambda x: torch.tanh(x) * x.shape[0], False, False),
}


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Every stranger, for the tests that ask for one."""
    if "stranger" in metafunc.fixturenames:
        metafunc.parametrize("stranger", STRANGERS.values(), ids=list(STRANGERS))
