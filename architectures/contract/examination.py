"""What any architecture must satisfy, as checks that anybody can run on their own.

    for case in cases(resolve("my-net")):
        print(case.name, case.where)      # before it runs, so that a hang can be blamed on it
        result = case.run()

or ``examine(architecture)`` for a report of all of them. The checks are in
:mod:`architectures.contract.network_checks` and :mod:`architectures.contract.estimator_checks`, one function each: it
returns what it saw, or raises :class:`Broken`.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import dataclass

from architectures.building import build, resolve_sites, sites
from architectures.card import Architecture
from architectures.contract.check import Broken, Check, Skipped, Subject
from architectures.contract.estimator_checks import ESTIMATOR_CHECKS
from architectures.contract.examples import EXAMPLES, examples_for
from architectures.contract.network_checks import NETWORK_CHECKS
from architectures.contract.precision import without_fast_paths
from architectures.norms.scheme import NormScheme, parse_scheme
from bench.core.errors import FarFieldError, Unsupported
from bench.core.problem import Problem


@dataclass(frozen=True)
class Result:
    """One check on one problem under one scheme.

    Args:
        check: its name.
        where: the problem and scheme.
        tried: what it does, in a line.
        passed: None when it was skipped.
        found: what it saw.
        hint: how to correct it, when it failed.
        seconds: how long it took.
    """

    check: str
    where: str
    tried: str
    passed: bool | None
    found: str
    hint: str
    seconds: float


@dataclass(frozen=True)
class Case:
    """A check about to be run."""

    check: Check
    subject: Subject

    @property
    def name(self) -> str:
        """The check's name in words."""
        return self.check.__name__.replace("_", " ")

    @property
    def where(self) -> str:
        """The problem and scheme."""
        problem = self.subject.problem
        shape = "x".join(str(size) for size in problem.shape)
        each = ", answered at each step" if problem.each_step else ""
        return f"{problem.kind} {shape}{each}, norm {self.subject.scheme}, {self.subject.device}"

    def run(self) -> Result:
        """Run the check; whatever it raises becomes a failed result."""
        started = time.perf_counter()
        passed: bool | None
        try:
            with without_fast_paths():
                passed, found, hint = True, self.check(self.subject), ""
        except Skipped as skipped:
            passed, found, hint = None, str(skipped), ""
        except Broken as broken:
            passed, found, hint = False, broken.found, broken.hint
        except FarFieldError as error:
            passed, found, hint = False, str(error), "see the message"
        except Exception as error:
            text = " ".join(str(error).split())[:300]
            passed, found, hint = False, f"{type(error).__name__}: {text}", "run it by hand; the traceback says where"
        tried = (self.check.__doc__ or "").partition("\n")[0]
        return Result(self.name, self.where, tried, passed, found, hint, time.perf_counter() - started)


@dataclass(frozen=True)
class Report:
    """Every result for one architecture."""

    architecture: str
    results: tuple[Result, ...]

    @property
    def failures(self) -> tuple[Result, ...]:
        """The results that failed."""
        return tuple(result for result in self.results if result.passed is False)

    @property
    def passed(self) -> bool:
        """Whether something was checked and nothing failed."""
        return not self.failures and any(result.passed for result in self.results)


def cases(architecture: Architecture, device: str = "cpu") -> Iterator[Case]:
    """Every check for ``architecture``: for each kind of input it claims, on two shapes, with and without norms."""
    yield Case(every_kind_it_claims, Subject(architecture, NormScheme(), Problem("features", (1,)), device))
    for subject in _subjects(architecture, device):
        for check in checks_of(architecture):
            yield Case(check, subject)


def checks_of(architecture: Architecture) -> tuple[Check, ...]:
    """The checks for its role."""
    if architecture.card.role == "estimator":
        return ESTIMATOR_CHECKS
    return NETWORK_CHECKS


def examine(architecture: Architecture, device: str = "cpu") -> Report:
    """Run every check."""
    return Report(architecture.name, tuple(case.run() for case in cases(architecture, device)))


def every_kind_it_claims(subject: Subject) -> str:
    """Builds for each kind of input that the card claims, without norms, on at least one of two shapes."""
    for kind in subject.architecture.card.inputs:
        refusals = []
        for problem in EXAMPLES[kind]:
            try:
                build(subject.architecture, NormScheme(), problem, 0)
            except Unsupported as refusal:
                refusals.append(str(refusal))
        if len(refusals) == len(EXAMPLES[kind]):
            raise Broken(f"claims {kind} inputs and refuses them: {refusals[0]}", "claim only the kinds it can read")
    return f"builds for {', '.join(subject.architecture.card.inputs)}"


def _subjects(architecture: Architecture, device: str) -> Iterator[Subject]:
    """Problems of the kinds it claims, without norms and with a norm everywhere, where that is supported.

    What is refused as unsupported is left out; :func:`every_kind_it_claims` sees to it that not all is. An error is
    left in, for the checks to report.
    """
    for kind in architecture.card.inputs:
        for problem in examples_for(kind, architecture.each_step, architecture.causal):
            try:
                found = sites(architecture, problem)
            except Unsupported:
                continue
            except Exception:
                found = ()
            yield Subject(architecture, NormScheme(), problem, device)
            normed = parse_scheme("layer@all")
            try:
                if found and resolve_sites(architecture, normed, problem):
                    yield Subject(architecture, normed, problem, device)
            except Unsupported:
                continue
