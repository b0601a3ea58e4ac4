"""What a record takes for granted of a network, tried on code from outside (a norm kind's too) before it is trained.

``farfield check`` runs the whole contract; a sweep runs what would otherwise make a number mean something else. An
answer of another shape would be broadcast against the targets; one that depends on its neighbours or on chance would
make growth a property of the batch; equal weights at every seed would make an interval of width 0; state that is
neither parameter nor buffer would be trained with and measured without. What fails in float64 would fail only in the
evaluation, after the whole training. For a small network this takes about a tenth of a second.
"""

from __future__ import annotations

from architectures import Architecture, NormScheme
from architectures.contract.check import Broken, Check, Skipped, Subject
from architectures.contract.length_checks import LENGTH_CHECKS
from architectures.contract.network_checks import (
    answers_one_number_a_row,
    evaluation_is_repeatable,
    leaves_its_inputs_alone,
    rows_do_not_mix_in_evaluation,
    works_in_float32_and_float64,
)
from architectures.contract.norm_checks import nothing_placed_is_shared, what_is_placed_keeps_shape_and_dtype
from architectures.contract.seed_checks import SEED_CHECKS
from bench.core.errors import FarFieldError
from bench.core.origin import VERSIONED
from bench.core.problem import Problem

PLACED: tuple[Check, ...] = (what_is_placed_keeps_shape_and_dtype, nothing_placed_is_shared)
ESSENTIAL: tuple[Check, ...] = (
    answers_one_number_a_row,
    leaves_its_inputs_alone,
    evaluation_is_repeatable,
    *SEED_CHECKS,
    works_in_float32_and_float64,
    rows_do_not_mix_in_evaluation,
    *LENGTH_CHECKS,
)
"""In an order in which the first that fails names the cause."""


def hold_to_contract(architecture: Architecture, scheme: NormScheme, problem: Problem) -> None:
    """Try the essential checks on an architecture or a norm from outside; built-in ones are held to them by tests.

    Raises:
        FarFieldError: one is broken.
        Unsupported: the architecture cannot be built so.
    """
    stranger = architecture.card.origin not in VERSIONED
    if architecture.card.role != "network" or not (stranger or scheme.outside):
        return
    subject = Subject(architecture, scheme, problem)
    for check in (*PLACED, *ESSENTIAL) if scheme.outside else ESSENTIAL:
        try:
            check(subject)
        except Broken as broken:
            blamed = architecture.name if stranger else f"norm {scheme}"
            what = f"{blamed} breaks the contract: {broken.found}: {broken.hint}"
            raise FarFieldError(what, code="contract") from None
        except Skipped:
            continue
