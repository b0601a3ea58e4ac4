"""The contract's checks of estimators, on a few dozen rows of random numbers."""

from __future__ import annotations

from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from architectures.building import build_estimator
from architectures.contract.check import Broken, Check, Skipped, Subject
from architectures.estimators.estimator import Estimator
from architectures.norms.scheme import parse_scheme
from bench.core.errors import Unsupported

Rows = NDArray[np.float64]


def rows_for(subject: Subject, rows: int = 40, seed: int = 0) -> tuple[Rows, Rows]:
    """Standard normal inputs (rows, *shape) and targets (rows,) that are a noisy function of them.

    Where each step is answered, (rows, steps).
    """
    generator = np.random.default_rng(seed)
    inputs = generator.normal(size=(rows, *subject.problem.shape))
    if subject.problem.each_step:
        return inputs, np.tanh(inputs[..., 0]) + 0.1 * generator.normal(size=inputs.shape[:2])
    flat = inputs.reshape(rows, -1)
    return inputs, np.tanh(flat[:, -1]) + 0.1 * generator.normal(size=rows)


@lru_cache(maxsize=1)
def fitted(subject: Subject) -> Estimator:
    """The estimator, fitted; the checks of one subject share it unless they ask for another."""
    estimator = build_estimator(subject.architecture, subject.scheme, subject.problem)
    estimator.fit(*rows_for(subject), *rows_for(subject, 10, seed=1))
    return estimator


def predicts_one_number_a_row(subject: Subject) -> str:
    """Predicts (N,) finite float64 numbers, for one row and for several, from float32 and float64.

    Where each step is answered, (N, steps).
    """
    estimator = fitted(subject)
    each = subject.problem.shape[:1] if subject.problem.each_step else ()
    for rows, inputs in ((1, rows_for(subject, 1, seed=2)[0]), (7, rows_for(subject, 7, seed=2)[0].astype(np.float32))):
        answer = estimator.predict(inputs)
        if not isinstance(answer, np.ndarray) or answer.shape != (rows, *each):
            wanted = "(N, steps)" if each else "(N,)"
            raise Broken(f"predicts {np.shape(answer)} for {rows} rows", f"return an array of shape {wanted}")
        if answer.dtype != np.float64:
            raise Broken(f"predicts {answer.dtype}", "return float64")
        if not np.isfinite(answer).all():
            raise Broken("predicts numbers that are not finite", "guard divisions, logarithms, powers")
    return "(N, steps) float64" if each else "(N,) float64"


def predicts_for_any_length(subject: Subject) -> str:
    """Where the card says any length, predicts finite numbers for sequences 2 and 4 times as long as training."""
    if not subject.architecture.any_length or subject.problem.kind != "sequence":
        raise Skipped("it does not say that it takes sequences of any length")
    steps, estimator = subject.problem.shape[0], fitted(subject)
    for length in (2 * steps, 4 * steps):
        inputs = np.random.default_rng(length).normal(size=(7, length, *subject.problem.shape[1:]))
        answer = estimator.predict(inputs)
        wanted = (7, length) if subject.problem.each_step else (7,)
        if np.shape(answer) != wanted or not np.isfinite(answer).all():
            raise Broken(f"predicts {np.shape(answer)} for 7 rows of {length} steps, not {wanted}", "see any_length")
    return f"{2 * steps} and {4 * steps} steps"


def fitting_is_repeatable(subject: Subject) -> str:
    """Where the card says deterministic, two fits predict the same."""
    if not subject.architecture.card.deterministic:
        raise Skipped("its card does not say deterministic")
    inputs = rows_for(subject, 20, seed=2)[0]
    if not np.array_equal(fitted(subject).predict(inputs), fitted.__wrapped__(subject).predict(inputs)):
        raise Broken("two fits differ", "fix its random state, or say deterministic=False")
    return "equal"


def rows_do_not_mix(subject: Subject) -> str:
    """The prediction for a row does not depend on the rows asked for beside it."""
    estimator, inputs = fitted(subject), rows_for(subject, 20, seed=2)[0]
    alone = np.concatenate([estimator.predict(row[None]) for row in inputs])
    if not np.allclose(estimator.predict(inputs), alone, rtol=1e-9, atol=1e-9):
        raise Broken("predictions change with the other rows", "take no statistic over the rows of predict")
    return "independent"


def leaves_its_data_alone(subject: Subject) -> str:
    """Neither fit nor predict writes into its arrays."""
    data = (*rows_for(subject), *rows_for(subject, 10, seed=1))
    copies = [array.copy() for array in data]
    estimator = build_estimator(subject.architecture, subject.scheme, subject.problem)
    estimator.fit(*data)
    estimator.predict(data[0])
    if not all(np.array_equal(array, copy) for array, copy in zip(data, copies, strict=True)):
        raise Broken("fit or predict changes its arrays", "copy before writing")
    return "unchanged"


def refuses_norms(subject: Subject) -> str:
    """A norm scheme other than none is unsupported, unless the card names placements."""
    if subject.architecture.card.takes_norms:
        raise Skipped("its card names placements")
    try:
        build_estimator(subject.architecture, parse_scheme("layer@first"), subject.problem)
    except Unsupported as refusal:
        return str(refusal)
    raise Broken("takes a norm scheme", "say placements=NOWHERE")


ESTIMATOR_CHECKS: tuple[Check, ...] = (
    predicts_one_number_a_row,
    fitting_is_repeatable,
    rows_do_not_mix,
    leaves_its_data_alone,
    refuses_norms,
    predicts_for_any_length,
)
