"""What a record takes for granted of a network, tried on code from outside before it is trained.

``farfield check`` runs the whole contract; a sweep runs what would otherwise make a number mean something else: an
answer of another shape would be broadcast against the targets, one that depends on its neighbours or on chance would
make growth a property of the batch.
"""

from __future__ import annotations

from architectures import Architecture, NormScheme
from architectures.contract.check import Broken, Check, Subject
from architectures.contract.network_checks import (
    answers_one_number_a_row,
    evaluation_is_repeatable,
    rows_do_not_mix_in_evaluation,
)
from bench.core.errors import FarFieldError
from bench.core.origin import VERSIONED
from bench.core.problem import Problem

ESSENTIAL: tuple[Check, ...] = (answers_one_number_a_row, evaluation_is_repeatable, rows_do_not_mix_in_evaluation)


def hold_to_contract(architecture: Architecture, scheme: NormScheme, problem: Problem) -> None:
    """Try the essential checks on an architecture from outside; built-in ones are held to them by tests.

    Raises:
        FarFieldError: one is broken.
        Unsupported: the architecture cannot be built so.
    """
    if architecture.card.origin in VERSIONED or architecture.card.role != "network":
        return
    subject = Subject(architecture, scheme, problem)
    for check in ESSENTIAL:
        try:
            check(subject)
        except Broken as broken:
            what = f"{architecture.name} breaks the contract: {broken.found}: {broken.hint}"
            raise FarFieldError(what, code="contract") from None
