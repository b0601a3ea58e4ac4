"""What is checked of a norm kind, once the file that registers it has been imported."""

from __future__ import annotations

import copy
import warnings
from collections.abc import Callable, Iterator, Sequence
from functools import partial

import torch
from torch import Tensor, nn

import architectures
from architectures import NormScheme, parse_scheme
from architectures.building import build_network
from architectures.contract.check import Subject
from architectures.contract.norm_cases import norm_cases, norm_subjects
from bench.checking.findings import Finding, Portrait
from bench.checking.reporter import Reporter
from bench.checking.subjects import TRAINS, contract_finding, train_for_portrait, trial_problem
from bench.core.problem import InputKind
from bench.training.programs.chain import ChainStack, links_of
from bench.training.programs.loop import Single
from bench.training.programs.vmap import Stack

PROGRAMS = (
    "every training program gives the same",
    "Trains two members for a few steps by loop, vmap and, where it can, chain, in float64.",
)
LOOKS: tuple[tuple[str, InputKind], ...] = (("mlp", "features"), ("cnn", "sequence"), ("transformer", "sequence"))
"""What is trained for a first look at a kind."""

STEPS, ROWS, RATE = 4, 16, 1e-2
MOST_APART = 1e-7
"""Largest difference between programs, relative to the largest answer; rounding alone makes about 1e-14."""


def check_norm(name: str, reporter: Reporter) -> None:
    """Run the contract in small networks, train by every program, train a little."""
    torch.set_num_threads(1)
    for number, case in enumerate(norm_cases(name)):
        tried = (case.check.__doc__ or "").partition("\n")[0]
        finding = reporter.run(case.name, tried, case.where, partial(contract_finding, case))
        if number == 0 and not finding.passed:
            return  # a kind that stands nowhere fails every other check for the same reason
    for subject in norm_subjects(name):
        where = f"{subject.architecture.name}, norm {subject.scheme}"
        reporter.run(*PROGRAMS, where, partial(_programs_agree, subject, where))
    for spelling, kind, scheme in _looks(name):
        problem, architecture = trial_problem(kind), architectures.resolve(spelling)
        where = f"{spelling}, norm {scheme}"
        portraits: list[Portrait] = []
        reporter.run(*TRAINS, where, partial(train_for_portrait, architecture, scheme, problem, portraits))
        for portrait in portraits:
            reporter.portray(portrait)


def _looks(name: str) -> Iterator[tuple[str, InputKind, NormScheme]]:
    place = "input" if architectures.get_norm(name).sort == "pair" else "first"
    scheme = parse_scheme(f"{name}@{place}")
    return ((spelling, kind, scheme) for spelling, kind in LOOKS)


def _programs_agree(subject: Subject, where: str) -> Finding:
    members = [build_network(subject.architecture, subject.scheme, subject.problem, seed).double() for seed in (0, 1)]
    draw = torch.Generator().manual_seed(0)
    inputs = torch.randn(ROWS, *subject.problem.shape, dtype=torch.float64, generator=draw)
    alone = torch.cat([_trained(Single, [member], inputs) for member in copy.deepcopy(members)])
    tried = ["loop"]
    starts: list[tuple[str, Callable[[Sequence[nn.Module], Sequence[float]], ChainStack | Stack]]] = [("vmap", Stack)]
    if links_of(members[0]) is not None:
        starts.append(("chain", ChainStack))
    for program, start in starts:
        try:
            together = _trained(start, copy.deepcopy(members), inputs)
        except RuntimeError as error:
            reason = (str(error).splitlines() or [""])[0][:120]
            tried.append(f"not {program} ({reason}), so its members train one after the other")
            continue
        apart = float((together - alone).abs().max() / alone.abs().max().clamp_min(1e-300))
        if not apart <= MOST_APART:
            hint = "use operations that torch.vmap can batch; keep what changes in buffers"
            return Finding(*PROGRAMS, where, False, f"{program} and loop differ by {apart:.1e}", hint)
        tried.append(f"{program} (differs by {apart:.0e})")
    return Finding(*PROGRAMS, where, True, ", ".join(tried))


def _trained(
    start: Callable[[Sequence[nn.Module], Sequence[float]], ChainStack | Stack | Single],
    members: Sequence[nn.Module],
    inputs: Tensor,
) -> Tensor:
    """Answers (members, rows) after a few steps towards the sum of the inputs."""
    targets = inputs.flatten(1).sum(1)
    with warnings.catch_warnings(action="ignore"):
        stack = start(members, [RATE] * len(members))
        for _ in range(STEPS):
            stack.step(inputs, targets)
        return stack.predict(inputs)
