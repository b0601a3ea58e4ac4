"""The contract's checks of what a seed decides, and of what a network remembers.

Members of a cell are seeds. They may train stacked, one program for all: then everything in which they differ must be
a parameter or a buffer, for those are stacked and nothing else is. Weights are kept by ``state_dict`` and measured in
another build of the network, so what training changes must be there, too.
"""

from __future__ import annotations

import random
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from itertools import chain
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn
from torch.func import functional_call

from architectures.contract.check import Broken, Check, Subject
from architectures.contract.samples import built, different, inputs_for
from architectures.norms.site import Layout
from architectures.trial import call_builder, isolated

STEPS = 3
"""Steps of training after which a network is compared with another build that is given its weights."""

MANY_CALLS = 10**6
_TOLERANCE = 1e-5
_ATTRIBUTES = (int, float, complex, str, bytes, Tensor, np.ndarray, np.generic)


def the_seed_decides_the_weights(subject: Subject) -> str:
    """Two builds at one seed are equal; at another seed they differ, and share nothing that is learned."""
    first, again, other = (built(subject, seed) for seed in (0, 0, 1))
    before, after, elsewhere = (_tensors(network) for network in (first, again, other))
    mine = {id(p) for p in first.parameters()}
    shared = [name for name, p in other.named_parameters() if id(p) in mine]
    if shared:
        raise Broken(f"two builds share the parameter {shared[0]}", "make every layer inside the builder")
    moved = [name for name, value in before.items() if not _equal(value, after.get(name))]
    if moved:
        raise Broken(f"two builds at one seed differ in {moved[0]}", "draw from torch's global generator only")
    if before and all(_equal(value, elsewhere.get(name)) for name, value in before.items()):
        raise Broken("builds at two seeds are equal", "do not set seeds in the builder, nor give all weights one value")
    reset = _reset_generators(subject)
    still = [name for name, p in first.named_parameters() if _drawn(p) and _equal(p.detach(), elsewhere[name])]
    if reset and still:
        raise Broken(f"the builder sets {reset[0]}, so {still[0]} is the same at every seed", "set no seeds")
    return "equal at one seed, different at another"


def what_differs_between_seeds_is_registered(subject: Subject) -> str:
    """Given the parameters and buffers of another seed, a network answers as that seed's network does."""
    first, other = (built(subject, seed) for seed in (0, 1))
    rows = inputs_for(subject)
    for training in (False, True):
        first.train(training)
        other.train(training)
        state = {name: value.detach().clone() for name, value in _tensors(other).items()}
        try:
            with torch.no_grad(), _same_draws():
                given = functional_call(first, state, (rows,))
            with torch.no_grad(), _same_draws():
                own = other(rows)
        except RuntimeError as error:
            raise Broken(
                f"builds at two seeds differ: {_line(error)}", "build the same layers at every seed"
            ) from error
        if different(given, own, _TOLERANCE) is not None:
            raise Broken(*_unregistered(first, other, "differs between seeds"))
    return "parameters and buffers hold all of it"


def what_training_changes_is_registered(subject: Subject) -> str:
    """After some steps of training, another build that is given the ``state_dict`` answers as the trained network."""
    trained = built(subject, 0).train()
    rows, far = inputs_for(subject), inputs_for(subject, seed=1)
    learned = [p for p in trained.parameters() if p.requires_grad]
    with _same_draws():
        for _ in range(STEPS):
            loss = (trained(rows) - rows.flatten(1).sum(1, keepdim=True)).square().mean()
            if learned and loss.requires_grad:
                gradients = torch.autograd.grad(loss, learned, allow_unused=True)
                with torch.no_grad():
                    for parameter, gradient in zip(learned, gradients, strict=True):
                        if gradient is not None:
                            parameter.sub_(1e-3 * gradient / gradient.norm().clamp_min(1e-6))
    kept = trained.eval().state_dict()
    odd = [name for name, value in kept.items() if not isinstance(value, Tensor)]
    if odd:
        raise Broken(f"{odd[0]} of its state is no tensor", "keep state in parameters and buffers")
    fresh = built(subject, 0)
    fresh.load_state_dict(kept, strict=False)
    with torch.no_grad():
        if different(fresh(far), trained(far), _TOLERANCE) is not None:
            raise Broken(*_unregistered(trained, fresh, "changes in training"))
        _hold_still(trained, fresh, far)
    return f"{len(kept)} tensors hold all of it"


def _reset_generators(subject: Subject) -> list[str]:
    """Generators that stand the same after builds at two seeds: the builder has set them."""
    after = []
    for seed in (0, 1):
        with isolated(seed):
            call_builder(subject.architecture, subject.problem, _whatever)
            legacy = np.random.get_state()  # noqa: NPY002
            after.append((torch.random.get_rng_state().numpy().tobytes(), str(legacy), random.getstate()))
    names = ("torch's seed", "numpy's seed", "Python's seed")
    return [name for name, one, other in zip(names, *after, strict=True) if one == other]


def _whatever(site: str, dim: int, layout: Layout = "last", own: nn.Module | None = None, fixed: str = "") -> nn.Module:
    return own or nn.Identity()


def _drawn(parameter: nn.Parameter) -> bool:
    """Whether its numbers were drawn: many, and no two alike."""
    values = parameter.detach().flatten()[:1000]
    return parameter.requires_grad and len(values) >= 8 and len(set(values.tolist())) == len(values)


def _hold_still(trained: nn.Module, fresh: nn.Module, rows: Tensor) -> None:
    """Numbers that run along with the calls must not matter, also after a million calls."""
    answer = trained(rows)
    for path, module in trained.named_modules():
        before = vars(fresh.get_submodule(path))
        for name, value in list(vars(module).items()):
            old = before.get(name)
            if not (_counts(value) and _counts(old) and value != old):
                continue
            setattr(module, name, value + type(value)(MANY_CALLS))
            moved = different(trained(rows), answer, _TOLERANCE) is not None
            setattr(module, name, value)
            if moved:
                raise Broken(
                    f"its answers depend on {_joined(path, name)}, which counts its calls",
                    f"register it as a buffer, and change it only when self.training: {_registered(name)}",
                )


def _counts(value: object) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool)


def _unregistered(one: nn.Module, other: nn.Module, when: str) -> tuple[str, str]:
    """What is found, and what to write, where two networks differ in what is neither parameter nor buffer."""
    names = list(_other_state(one, other))
    if not names:
        what = f"something that is neither parameter nor buffer {when}"
        return what, f"register what {when} as a buffer: self.register_buffer(name, tensor)"
    path, name, value = names[0]
    what = f"{_joined(path, name)}, neither parameter nor buffer, {when}"
    if name in dict(one.get_submodule(path).named_buffers(recurse=False)):
        return f"the buffer {_joined(path, name)}, which is not kept, {when}", "leave out persistent=False"
    if isinstance(value, nn.Module):
        return what, "keep layers in nn.ModuleList, nn.ModuleDict or as attributes"
    return what, f"register what {when} as a buffer: {_registered(name)}"


def _registered(name: str) -> str:
    return f"self.register_buffer({name!r}, torch.as_tensor(...))"


def _other_state(one: nn.Module, other: nn.Module) -> Iterator[tuple[str, str, Any]]:
    """Attributes in which two networks of one structure differ, parameters and kept buffers apart."""
    others = dict(other.named_modules())
    for path, module in one.named_modules():
        theirs = vars(others[path]) if path in others else {}
        for name, value in vars(module).items():
            if not name.startswith("_") and name in theirs and not _alike(value, theirs[name]):
                yield path, name, _odd_one(value)
        lost = module._non_persistent_buffers_set
        twin = others.get(path)
        for name, buffer in module.named_buffers(recurse=False):
            if name in lost and twin is not None and not _equal(buffer, twin._buffers.get(name)):
                yield path, name, buffer


def _odd_one(value: Any) -> Any:
    """The first layer in a list or dictionary of layers; else the value."""
    inside = list(value.values()) if isinstance(value, Mapping) else value
    layers = [one for one in inside if isinstance(one, nn.Module)] if isinstance(inside, (list, tuple)) else []
    return layers[0] if layers else value


def _alike(one: Any, other: Any) -> bool:
    if isinstance(one, (Tensor, np.ndarray)):
        return type(one) is type(other) and _equal(torch.as_tensor(one), torch.as_tensor(other))
    if isinstance(one, nn.Module) and isinstance(other, nn.Module):
        return all(_equal(v, w) for v, w in zip(_tensors(one).values(), _tensors(other).values(), strict=False))
    if isinstance(one, (list, tuple)) and isinstance(other, (list, tuple)):
        return len(one) == len(other) and all(_alike(a, b) for a, b in zip(one, other, strict=True))
    if isinstance(one, Mapping) and isinstance(other, Mapping):
        return one.keys() == other.keys() and all(_alike(one[key], other[key]) for key in one)
    return not isinstance(one, _ATTRIBUTES) or bool(one == other)


def _tensors(network: nn.Module) -> dict[str, Tensor]:
    return dict(chain(network.named_parameters(), network.named_buffers()))


def _equal(one: Tensor, other: Tensor | None) -> bool:
    if other is None or one.shape != other.shape or one.dtype != other.dtype:
        return False
    return torch.equal(one.nan_to_num(), other.nan_to_num())


@contextmanager
def _same_draws() -> Iterator[None]:
    """The same numbers are drawn inside every time."""
    python, legacy = random.getstate(), np.random.get_state()  # noqa: NPY002
    with torch.random.fork_rng(devices=[]):
        torch.default_generator.manual_seed(0)
        random.seed(0)
        np.random.seed(0)  # noqa: NPY002
        try:
            yield
        finally:
            random.setstate(python)
            np.random.set_state(legacy)  # noqa: NPY002


def _joined(path: str, name: str) -> str:
    return f"{path}.{name}" if path else name


def _line(error: Exception) -> str:
    return (str(error).strip().splitlines() or [type(error).__name__])[0][:200]


SEED_CHECKS: tuple[Check, ...] = (
    the_seed_decides_the_weights,
    what_differs_between_seeds_is_registered,
    what_training_changes_is_registered,
)
