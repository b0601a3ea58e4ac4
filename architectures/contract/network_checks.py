"""The contract's checks of networks. Each builds what it needs, small and on random numbers."""

from __future__ import annotations

import contextlib
import random
import warnings
from collections.abc import Iterator
from dataclasses import replace

import numpy as np
import torch
from torch import Tensor
from torch.func import functional_call, grad_and_value, stack_module_state, vmap

from architectures.building import sites, unused_sites
from architectures.contract.check import Broken, Check, Skipped, Subject
from architectures.contract.length_checks import LENGTH_CHECKS
from architectures.contract.precision import in_float64
from architectures.contract.samples import ROWS, built, different, inputs_for
from architectures.contract.seed_checks import SEED_CHECKS
from architectures.norms.scheme import NormScheme

REPEATS = 4
"""How often evaluation is tried on the same rows."""


def answers_one_number_a_row(subject: Subject) -> str:
    """Maps (N, *shape) to (N, 1), for one row and for several, in training and in evaluation.

    Where the problem asks for an answer at each step, to (N, steps).
    """
    network, answers = built(subject), subject.problem.answers
    for rows, training in ((1, False), (ROWS, False), (ROWS, True)):
        answer = network.train(training)(inputs_for(subject, rows))
        if not isinstance(answer, Tensor):
            raise Broken(f"returns a {type(answer).__name__}", f"return one tensor of shape (N, {answers})")
        if tuple(answer.shape) != (rows, answers):
            raise Broken(f"maps {rows} rows to {tuple(answer.shape)}", f"return the shape (N, {answers})")
    return f"{tuple(inputs_for(subject).shape)} to {(ROWS, answers)}"


def works_in_float32_and_float64(subject: Subject) -> str:
    """Answers in the dtype of its inputs after ``.float()`` and ``.double()``, and about the same in both."""
    network = built(subject)
    narrow = network(inputs_for(subject))
    hint = (
        'make constants like the inputs (x.new_zeros(...)) or buffers (self.register_buffer("name", tensor)), cast none'
    )
    with in_float64():
        try:
            wide = network.double()(inputs_for(subject, dtype=torch.float64))
        except Exception as error:
            text = (str(error).strip().splitlines() or [""])[0][:200]
            raise Broken(f"fails in float64: {type(error).__name__}: {text}", hint) from error
    for answer, dtype in ((narrow, torch.float32), (wide, torch.float64)):
        if answer.dtype != dtype:
            raise Broken(f"answers in {answer.dtype} where {dtype} goes in", hint)
    gap = different(narrow.double(), wide, 1e-2)  # a GPU may round the inputs of convolutions to 10 bits
    if gap is not None:
        raise Broken(f"float32 and float64 differ by {gap:.1e}", "avoid differences of large numbers")
    return "both"


@in_float64()
def answers_are_finite(subject: Subject) -> str:
    """Answers finite numbers for zeros, for standard normal inputs and in float64 a thousand deviations away."""
    network = built(subject).double()
    near = inputs_for(subject, 32, dtype=torch.float64)
    for name, rows in (("zeros", torch.zeros_like(near)), ("normal inputs", near), ("far inputs", 1000 * near)):
        bad = int((~torch.isfinite(network(rows))).sum())
        if bad:
            raise Broken(
                f"{bad} of {len(rows)} answers to {name} are not finite", "guard divisions, logarithms, powers"
            )
    return "all finite"


@in_float64()
def gradient_reaches_every_parameter(subject: Subject) -> str:
    """The gradient of a squared error is finite and not zero in every parameter tensor."""
    network = built(subject).train().double()
    rows = inputs_for(subject, 64, dtype=torch.float64)
    targets = inputs_for(subject, 64, seed=1, dtype=torch.float64).flatten(1).sum(1, keepdim=True)
    (network(rows) - targets).pow(2).mean().backward()
    named = [(name, p) for name, p in network.named_parameters() if p.requires_grad]
    if not named:
        raise Skipped("it has no parameters to train")
    dead = [name for name, p in named if p.grad is None or not bool(p.grad.abs().max() > 0)]
    if dead:
        raise Broken(f"no gradient reaches {', '.join(dead[:5])}", "use every parameter, and no .detach() or .data")
    wild = [name for name, p in named if p.grad is not None and not bool(torch.isfinite(p.grad).all())]
    if wild:
        raise Broken(f"the gradient is not finite in {', '.join(wild[:5])}", "guard roots and divisions at zero")
    return f"{len(named)} tensors"


def schemes_share_their_weights(subject: Subject) -> str:
    """At one seed, what two schemes have in common starts from the same numbers."""
    if subject.scheme.is_none:
        raise Skipped("compared where there is a norm")
    plain = built(replace(subject, scheme=NormScheme())).state_dict()
    normed = built(subject).state_dict()
    common = [name for name in plain if name in normed and plain[name].shape == normed[name].shape]
    moved = [name for name in common if not torch.equal(plain[name], normed[name])]
    if moved:
        raise Broken(f"{moved[0]} starts elsewhere without norms", "build the same layers under every scheme")
    return f"{len(common)} tensors shared"


def evaluation_is_repeatable(subject: Subject) -> str:
    """In evaluation the same inputs get the same answers every time, and nothing in the module changes."""
    network, rows = built(subject), inputs_for(subject)
    before = {name: value.clone() for name, value in network.state_dict().items()}
    with torch.random.fork_rng(devices=[]):
        first, *others = [network(rows) for _ in range(REPEATS)]
    if not all(torch.allclose(first, other, rtol=0, atol=0, equal_nan=True) for other in others):
        raise Broken("two evaluations differ", "draw nothing in forward when not self.training")
    moved = [name for name, value in network.state_dict().items() if not torch.equal(value, before[name])]
    if moved:
        raise Broken(f"evaluation changes {moved[0]}", "change buffers only when self.training")
    return "equal"


@in_float64()
def rows_do_not_mix_in_evaluation(subject: Subject) -> str:
    """In evaluation the answer to a row does not depend on the rows beside it, nor on how many they are."""
    network, rows = built(subject).double(), inputs_for(subject, dtype=torch.float64)
    together = network(rows)
    alone = torch.cat([network(row[None]) for row in rows])
    beside = network(torch.cat([rows[:1], 100 * rows[1:]]))[:1]
    among = [network(rows.repeat(times, *[1] * (rows.dim() - 1)))[: len(rows)] for times in (2, 11, 43)]
    gaps = [different(together, alone, 1e-9), different(beside, together[:1], 1e-9)]
    gaps += [different(many, together, 1e-9) for many in among]
    gap = max((gap for gap in gaps if gap is not None), default=None)
    if gap is not None:
        raise Broken(
            f"answers change by {gap:.1e} with the other rows", "take no statistic over the batch in evaluation"
        )
    return "independent"


def leaves_its_inputs_alone(subject: Subject) -> str:
    """The forward pass does not write into its inputs, in training or in evaluation."""
    network, rows = built(subject), inputs_for(subject)
    before = rows.clone()
    for training in (False, True):
        network.train(training)
        with torch.no_grad():
            network(rows)
        if not torch.equal(rows, before):
            raise Broken("forward changes its inputs", "use no in-place operation on x (x = x * 2, not x *= 2)")
    return "unchanged"


def leaves_the_process_alone(subject: Subject) -> str:
    """Building and running change no global state: generators, default dtype, threads, gradient mode."""
    before = _global_state()
    network = built(subject)
    network(inputs_for(subject))
    changed = [name for name, value in _global_state().items() if value != before[name]]
    if changed:
        raise Broken(f"changes {', '.join(changed)}", "set nothing global; draw from torch's generator in the builder")
    return "unchanged"


def _global_state() -> dict[str, object]:
    return {
        "torch's generator": torch.random.get_rng_state().numpy().tobytes(),
        "numpy's generator": str(np.random.get_state()),  # noqa: NPY002
        "Python's generator": random.getstate(),
        "the default dtype": torch.get_default_dtype(),
        "the default device": str(torch.get_default_device()),
        "the number of threads": torch.get_num_threads(),
        "the gradient mode": torch.is_grad_enabled(),
        "the deterministic mode": torch.are_deterministic_algorithms_enabled(),
        "the warning filters": len(warnings.filters),
    }


def weights_survive_a_file(subject: Subject) -> str:
    """The state dict goes through safetensors into another build, which then answers the same."""
    import safetensors.torch

    network, other = built(subject, 0), built(subject, 1)
    try:
        stored = safetensors.torch.save({name: v.contiguous() for name, v in network.state_dict().items()})
    except (ValueError, RuntimeError) as error:
        text = " ".join(str(error).split())[:200]
        raise Broken(f"cannot be stored: {text}", "let no two parameters share memory") from error
    other.load_state_dict(safetensors.torch.load(stored))
    if not torch.equal(network(inputs_for(subject)), other(inputs_for(subject))):
        raise Broken(
            "a network with loaded weights answers otherwise", "register what is learned or counted as a buffer"
        )
    return f"{len(stored):,} bytes"


@in_float64()
def stacked_training_equals_lone_training(subject: Subject) -> str:
    """Three members stacked under torch.vmap have the losses, gradients and buffers of the members alone (float64)."""
    members = [built(subject, seed).double().train() for seed in range(3)]
    base = members[0]
    rows = torch.stack([inputs_for(subject, 8, seed, torch.float64) for seed in range(3)])
    targets = rows.flatten(2).sum(2, keepdim=True)
    with _no_performance_warnings():
        parameters, buffers = stack_module_state(members)

    def loss(parameters: dict[str, Tensor], buffers: dict[str, Tensor], x: Tensor, z: Tensor) -> Tensor:
        output: Tensor = (functional_call(base, (parameters, buffers), (x,)) - z).pow(2).mean()
        return output

    hint = "use operations that torch.vmap can batch: no .item(), no branching on values, no dropout"
    try:
        with _no_performance_warnings():
            gradients, losses = vmap(grad_and_value(loss), randomness="error")(parameters, buffers, rows, targets)
    except Exception as error:
        text = f"{type(error).__name__}: {(str(error).splitlines() or [''])[0][:200]}"
        raise Skipped(f"cannot be stacked, so members train one after the other ({text})") from error
    for i, member in enumerate(members):
        lone = (member(rows[i]) - targets[i]).pow(2).mean()
        lone.backward()
        pairs = [("the loss", losses[i], lone)]
        pairs += [(name, gradients[name][i], p.grad) for name, p in member.named_parameters() if p.grad is not None]
        pairs += [(name, buffers[name][i].double(), buffer.double()) for name, buffer in member.named_buffers()]
        largest = max(float(value.detach().abs().max()) for name, value, _ in pairs)
        for name, value, expected in pairs:
            if not torch.allclose(value, expected, rtol=1e-6, atol=1e-9 * (1 + largest)):
                raise Broken(f"stacked and lone training differ in {name}", hint)
    return f"{len(members)} members"


@contextlib.contextmanager
def _no_performance_warnings() -> Iterator[None]:
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", message=".*performance drop.*")
        yield


def every_site_is_used(subject: Subject) -> str:
    """Each norm asked for is applied in the forward pass."""
    if not subject.scheme.is_none:
        raise Skipped("asked once, without norms")
    unused = unused_sites(subject.architecture, subject.problem)
    if unused:
        raise Broken(
            f"asks for a norm at {unused[0]!r} and never applies it", "call in forward what norm(...) returned"
        )
    return f"{len(sites(subject.architecture, subject.problem))} sites"


@in_float64()
def answers_alike_on_the_gpu(subject: Subject) -> str:
    """In float64 the answers on the CPU and on the GPU agree."""
    if not torch.cuda.is_available():
        raise Skipped("there is no GPU here")
    on_cpu = replace(subject, device="cpu")
    network, rows = built(on_cpu).double(), inputs_for(on_cpu, dtype=torch.float64)
    here = network(rows)
    gap = different(network.cuda()(rows.cuda()).cpu(), here, 1e-9)
    if gap is not None:
        raise Broken(f"CPU and GPU differ by {gap:.1e}", "create tensors on the device of the inputs")
    return torch.cuda.get_device_name()


NETWORK_CHECKS: tuple[Check, ...] = (
    answers_one_number_a_row,
    leaves_its_inputs_alone,
    works_in_float32_and_float64,
    answers_are_finite,
    gradient_reaches_every_parameter,
    *SEED_CHECKS,
    schemes_share_their_weights,
    evaluation_is_repeatable,
    rows_do_not_mix_in_evaluation,
    leaves_the_process_alone,
    weights_survive_a_file,
    stacked_training_equals_lone_training,
    every_site_is_used,
    *LENGTH_CHECKS,
    answers_alike_on_the_gpu,
)
