"""Whether two networks are one program with different numbers in its tensors.

They are if their modules are of the same classes under the same names, and everything that the modules hold beside
tensors is equal: sizes, options, limits. What ``torch.export`` records of one is then what it records of the other, as
it sees shapes and no numbers of parameters and buffers.
"""

from __future__ import annotations

import dataclasses
import enum
import functools
import inspect
from collections.abc import Hashable, Mapping
from typing import Any

import torch
from torch import Tensor, nn

Likeness = Hashable
"""Equal for networks that are alike."""

_TENSORS = frozenset({"_parameters", "_buffers", "_modules", "training"})
_EXACT = (int, str, bytes, bool, type(None), type, torch.dtype, torch.device, enum.Enum)


class _Incomparable(Exception):
    """Of this value it cannot be said what equals it."""


def likeness(network: nn.Module) -> Likeness | None:
    """What networks that are alike have in common; None where a module holds something that cannot be compared.

    Tensors that are neither parameters nor buffers, functions with a closure, and objects of classes that are no
    dataclasses cannot be.
    """
    try:
        return (*_modules(network), *_shapes(network))
    except _Incomparable:
        return None


def numbers(network: nn.Module) -> dict[str, Tensor]:
    """Every parameter and buffer by each of its names."""
    named = [*network.named_parameters(remove_duplicate=False), *network.named_buffers(remove_duplicate=False)]
    return {name: tensor.detach() for name, tensor in named}


def _modules(network: nn.Module) -> list[Hashable]:
    first: dict[int, str] = {}
    found: list[Hashable] = []
    for path, module in network.named_modules(remove_duplicate=False):
        held = {name: value for name, value in vars(module).items() if name not in _TENSORS}
        missing = [name for kept in (module._parameters, module._buffers) for name in kept if kept[name] is None]
        found.append((path, first.setdefault(id(module), path), type(module), tuple(missing), _plain(held)))
    return found


def _shapes(network: nn.Module) -> list[Hashable]:
    first: dict[int, str] = {}
    named = [*network.named_parameters(remove_duplicate=False), *network.named_buffers(remove_duplicate=False)]
    return [
        (
            name,
            first.setdefault(id(t), name),
            isinstance(t, nn.Parameter),
            tuple(t.shape),
            t.stride(),
            t.dtype,
            t.device,
        )
        for name, t in named
    ]


def _plain(value: Any) -> Hashable:
    """``value`` as something that is equal and of the same hash for equal values, and for them alone."""
    kind = type(value)
    if isinstance(value, _EXACT):
        return kind, value
    if isinstance(value, float):
        return kind, value.hex()  # 0.0 is not -0.0
    if isinstance(value, (tuple, list)):
        return (kind, *(_plain(one) for one in value))
    if isinstance(value, (set, frozenset)):
        return kind, frozenset(_plain(one) for one in value)
    if isinstance(value, Mapping):
        return (kind, *((_plain(key), _plain(one)) for key, one in value.items()))
    if isinstance(value, functools.partial):
        return kind, _plain(value.func), _plain(value.args), _plain(value.keywords)
    if dataclasses.is_dataclass(value):
        return (kind, *((f.name, _plain(getattr(value, f.name))) for f in dataclasses.fields(value)))
    if inspect.isbuiltin(value) or (inspect.isfunction(value) and value.__closure__ is None and not vars(value)):
        return kind, value
    raise _Incomparable
