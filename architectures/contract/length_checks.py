"""The contract's checks of networks that say more of sequences: any length, an answer at each step, no look ahead."""

from __future__ import annotations

import torch
from torch import Tensor

from architectures.contract.check import Broken, Check, Skipped, Subject
from architectures.contract.precision import in_float64
from architectures.contract.samples import ROWS, built, different

MULTIPLES = (1, 2, 4)
"""Of the length of training, at which a network of any length is tried."""


@in_float64()
def takes_sequences_of_any_length(subject: Subject) -> str:
    """Where the card says any length, answers sequences 1, 2 and 4 times as long as training with finite numbers."""
    if not subject.architecture.any_length or subject.problem.kind != "sequence":
        raise Skipped("it does not say that it takes sequences of any length")
    network, lengths = built(subject).double(), [times * subject.problem.shape[0] for times in MULTIPLES]
    for steps in lengths:
        rows = _rows(subject, steps)
        hint = "take the number of steps from the input (x.shape[1]), or do not say any_length"
        try:
            answer = network(rows)
        except Exception as error:
            text = (str(error).strip().splitlines() or [""])[0][:200]
            raise Broken(f"fails on {steps} steps: {type(error).__name__}: {text}", hint) from error
        wanted = (ROWS, steps if subject.problem.each_step else 1)
        if tuple(answer.shape) != wanted:
            raise Broken(f"maps {ROWS} rows of {steps} steps to {tuple(answer.shape)}, not {wanted}", hint)
        if not bool(torch.isfinite(answer).all()):
            raise Broken(f"answers to {steps} steps are not finite", "guard divisions, logarithms, powers")
    return f"{', '.join(map(str, lengths))} steps"


@in_float64()
def looks_back_alone(subject: Subject) -> str:
    """Where the card says causal, an answer at a step does not change with the steps that come after it."""
    if not subject.architecture.causal or not subject.problem.each_step:
        raise Skipped("asked where the card says causal and each step is answered")
    network, steps = built(subject).double(), subject.problem.shape[0]
    rows = _rows(subject, steps)
    first = network(rows)
    for seen in range(1, steps):
        changed = rows.clone()
        changed[:, seen:] = 3.0 - changed[:, seen:]
        gap = different(network(changed)[:, :seen], first[:, :seen], 1e-9)
        if gap is not None:
            hint = "mask the steps that come after, or do not say causal"
            raise Broken(f"an answer among the first {seen} changes with step {seen + 1} (by {gap:.1e})", hint)
    if different(network(3.0 - rows), first, 1e-9) is None:
        raise Broken("no answer changes with the input", "read the input")
    return f"{steps} steps"


def _rows(subject: Subject, steps: int) -> Tensor:
    generator = torch.Generator().manual_seed(steps)
    shape = (ROWS, steps, *subject.problem.shape[1:])
    return torch.randn(shape, generator=generator, dtype=torch.float64).to(subject.device)


LENGTH_CHECKS: tuple[Check, ...] = (takes_sequences_of_any_length, looks_back_alone)
