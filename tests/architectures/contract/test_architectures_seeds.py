"""What a seed decides and what a network remembers: ways of getting it wrong, and the words for each."""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from architectures import REGISTRY, register_architecture, resolve
from architectures.contract.check import Broken, Subject
from architectures.norms.scheme import NormScheme
from bench.cell.admission import hold_to_contract
from bench.core.errors import FarFieldError
from bench.core.problem import Problem

Build = Callable[[Any], nn.Module]
PROBLEM = Problem("features", (3,))


class Around(nn.Module):
    """A small network and something that it does besides."""

    def __init__(self, do: Callable[[Any, Tensor], Tensor], **attributes: Any) -> None:
        super().__init__()
        self.inner, self.do = nn.Sequential(nn.Linear(3, 8), nn.Tanh(), nn.Linear(8, 1)), do
        for name, value in attributes.items():
            setattr(self, name, value)

    def forward(self, x: Tensor) -> Tensor:
        return self.do(self, x)


def times(name: str) -> Callable[[Any, Tensor], Tensor]:
    return lambda net, x: net.inner(x * torch.as_tensor(getattr(net, name)).to(x))


def plain() -> nn.Sequential:
    return nn.Sequential(nn.Linear(3, 8), nn.Tanh(), nn.Linear(8, 1))


def _zeros(problem: Any) -> nn.Module:
    network = plain()
    for parameter in network.parameters():
        nn.init.constant_(parameter, 0.1)
    return network


@lru_cache(maxsize=1)
def _cached() -> nn.Module:
    return plain()


_SHARED = nn.Linear(3, 8)


def _own_seed(problem: Any) -> nn.Module:
    torch.manual_seed(0)
    return plain()


def _seed_in_between(problem: Any) -> nn.Module:
    first = nn.Linear(3, 8)
    torch.manual_seed(0)
    return nn.Sequential(first, nn.Tanh(), nn.Linear(8, 8), nn.Tanh(), nn.Linear(8, 1))


def _own_generator(problem: Any) -> nn.Module:
    network, generator = plain(), torch.Generator().manual_seed(5)
    for parameter in network.parameters():
        nn.init.normal_(parameter, generator=generator)
    return network


def _closure(problem: Any) -> nn.Module:
    factor = torch.rand(3)
    return Around(lambda net, x: net.inner(x * factor.to(x)))


def _hidden_layers(problem: Any) -> nn.Module:
    return Around(lambda net, x: net.inner(net.layers[0](x)), layers=[nn.Linear(3, 3)])


def _lost_buffer(problem: Any) -> nn.Module:
    network = Around(lambda net, x: _moving(net, x))
    network.register_buffer("seen", torch.zeros(3), persistent=False)
    return network


def _moving(net: Any, x: Tensor) -> Tensor:
    if net.training:
        net.seen = (0.9 * net.seen + 0.1 * x.detach().mean(0)).detach()
    return net.inner(x - net.seen.to(x))


def _counting(limit: int) -> Callable[[Any, Tensor], Tensor]:
    def forward(net: Any, x: Tensor) -> Tensor:
        net.calls += int(net.training)
        return net.inner(x) * (2.0 if net.calls > limit else 1.0)

    return forward


EQUAL = "builds at two seeds are equal"
FLAWS: dict[str, tuple[Build, str]] = {
    "a seed of its own": (_own_seed, EQUAL),
    "a generator of its own": (_own_generator, EQUAL),
    "one value for all": (_zeros, EQUAL),
    "a cached network": (lambda problem: _cached(), "that it made before: make every layer inside the builder"),
    "a layer from outside": (
        lambda problem: nn.Sequential(_SHARED, nn.Tanh(), nn.Linear(8, 1)),
        "two builds share the parameter 0.weight",
    ),
    "a seed in between": (_seed_in_between, "the builder sets torch's seed, so 2.weight is the same at every seed"),
    "frequencies": (lambda problem: Around(times("f"), f=torch.randn(3)), r"^.*contract: f, neither.*buffer\('f'"),
    "an array": (lambda problem: Around(times("f"), f=np.random.randn(3)), "f, neither parameter nor buffer"),  # noqa: NPY002
    "a number": (lambda problem: Around(times("f"), f=float(torch.rand(()))), "f, neither parameter nor buffer"),
    "a list": (lambda problem: Around(times("f"), f=torch.rand(3).tolist()), "f, neither parameter nor buffer"),
    "a permutation": (
        lambda problem: Around(lambda net, x: net.inner(x * net.order.to(x)), order=torch.randperm(3) + 1),
        "differs between seeds|equal",
    ),
    "a closure": (_closure, "something that is neither parameter nor buffer differs between seeds"),
    "layers in a list": (_hidden_layers, "layers, neither parameter nor buffer.*nn.ModuleList"),
    "a moving mean": (
        lambda problem: Around(_moving, seen=torch.zeros(3)),
        "seen, neither parameter nor buffer, changes in training.*register_buffer",
    ),
    "a buffer that is not kept": (_lost_buffer, "the buffer seen, which is not kept.*leave out persistent=False"),
    "a counter": (lambda problem: Around(_counting(2), calls=0), "calls, neither|depend on calls"),
    "a counter that acts late": (lambda problem: Around(_counting(5000), calls=0), "depend on calls, which counts"),
}


def hold(build: Build) -> None:
    @register_architecture("test-flawed", inputs=["features"])
    def flawed(problem, norm):  # type: ignore[no-untyped-def]
        return build(problem)

    try:
        hold_to_contract(resolve("test-flawed"), NormScheme(), PROBLEM)
    finally:
        REGISTRY.remove("test-flawed")


@pytest.mark.parametrize("name", FLAWS)
def test_each_flaw_is_found_before_training_and_says_what_to_write(name: str) -> None:
    build, words = FLAWS[name]
    with pytest.raises(FarFieldError, match=words) as caught:
        hold(build)
    assert caught.value.code == "contract"
    assert "\n" not in str(caught.value)


def _caches(net: Any, x: Tensor) -> Tensor:
    net.last = net.inner(x)
    net.calls += 1
    return net.last


SOUND: dict[str, Build] = {
    "registered": lambda problem: _with_buffer(),
    "the same at every seed": lambda problem: Around(times("f"), f=torch.linspace(0, 1, 3)),
    "what it remembers for people to look at": lambda problem: Around(_caches, last=None, calls=0),
    "dropout": lambda problem: nn.Sequential(nn.Dropout(0.2), plain()),
    "loaded weights and a new head": lambda problem: nn.Sequential(_same(nn.Linear(3, 8)), nn.Tanh(), nn.Linear(8, 1)),
    "a first state": lambda problem: _Recurrent(),
}


def _with_buffer() -> nn.Module:
    network = Around(times("f"))
    network.register_buffer("f", torch.randn(3))
    return network


def _same(layer: nn.Linear) -> nn.Linear:
    with torch.no_grad():
        layer.weight.copy_(torch.linspace(-1, 1, 24).reshape(8, 3))
        layer.bias.zero_()
    return layer


class _Recurrent(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.cell, self.head = nn.LSTM(1, 8, batch_first=True), nn.Linear(8, 1)

    def forward(self, x: Tensor) -> Tensor:
        state = (torch.zeros(1, len(x), 8), torch.zeros(1, len(x), 8))
        return self.head(self.cell(x[:, :, None], state)[0][:, -1])


@pytest.mark.parametrize("name", SOUND)
def test_what_is_sound_is_let_in(name: str) -> None:
    hold(SOUND[name])


OTHERS: dict[str, tuple[Build, str]] = {
    "casts": (lambda problem: Around(lambda net, x: net.inner(x.float())), "fails in float64.*register_buffer"),
    "answers in float32": (lambda problem: Around(lambda net, x: net.inner(x).float()), "answers in torch.float32"),
    "a constant matrix": (
        lambda problem: Around(lambda net, x: net.inner(x @ net.m), m=torch.eye(3)),
        "fails in float64.*register_buffer",
    ),
    "a product in place": (lambda problem: Around(lambda net, x: net.inner(x.mul_(2))), "no in-place operation on x"),
    "an item in place": (lambda problem: Around(_sets_item), "no in-place operation on x"),
    "in place in training": (
        lambda problem: Around(lambda net, x: net.inner(x.add_(1) if net.training else x)),
        "no in-place operation on x",
    ),
    "dropout always": (
        lambda problem: Around(lambda net, x: net.inner(nn.functional.dropout(x, 0.3))),
        "draw nothing in forward",
    ),
    "noise of numpy": (
        lambda problem: Around(lambda net, x: net.inner(x + float(np.random.rand()))),  # noqa: NPY002
        "draw nothing in forward",
    ),
    "another answer to many rows": (
        lambda problem: Around(lambda net, x: net.inner(x) * (1 if len(x) < 200 else 2)),
        "with the other rows",
    ),
}


def _sets_item(net: Any, x: Tensor) -> Tensor:
    x[:, 0] = 0
    return net.inner(x)


@pytest.mark.parametrize("name", OTHERS)
def test_what_would_mean_something_else_is_found_before_training(name: str) -> None:
    build, words = OTHERS[name]
    with pytest.raises(FarFieldError, match=words):
        hold(build)


def test_checks_say_so_by_themselves() -> None:
    from architectures.contract.seed_checks import the_seed_decides_the_weights

    register_architecture("test-flawed", build=lambda problem, norm: _own_seed(problem))
    try:
        with pytest.raises(Broken):
            the_seed_decides_the_weights(Subject(resolve("test-flawed"), NormScheme(), PROBLEM))
    finally:
        REGISTRY.remove("test-flawed")
