"""What any norm kind must satisfy: its checks inside an MLP, CNNs and transformers.

for case in norm_cases("my-norm"):
    result = case.run()
"""

from __future__ import annotations

from collections.abc import Iterator

from architectures.building import build_skeleton
from architectures.contract.check import Broken, Check, Subject
from architectures.contract.examination import Case
from architectures.contract.network_checks import (
    answers_one_number_a_row,
    evaluation_is_repeatable,
    gradient_reaches_every_parameter,
    leaves_its_inputs_alone,
    leaves_the_process_alone,
    rows_do_not_mix_in_evaluation,
    schemes_share_their_weights,
    stacked_training_equals_lone_training,
    weights_survive_a_file,
    works_in_float32_and_float64,
)
from architectures.contract.norm_checks import NORM_CHECKS
from architectures.norms.registry import get_norm
from architectures.norms.scheme import NormScheme, parse_scheme
from architectures.registry import resolve
from bench.core.errors import Unsupported
from bench.core.problem import Problem

NETWORKS: tuple[tuple[str, Problem], ...] = (
    ("mlp(depth=2, width=24)", Problem("features", (6,))),
    ("cnn(width=24)", Problem("image", (1, 8, 8))),
    ("cnn(width=24)", Problem("sequence", (8, 2))),
    ("transformer(width=24, depth=1)", Problem("sequence", (8, 2))),
    ("transformer(width=24, depth=1)", Problem("image", (1, 8, 8))),
)
"""Small networks of the three families in which a kind is tried."""

IN_NETWORKS: tuple[Check, ...] = (
    answers_one_number_a_row,
    works_in_float32_and_float64,
    gradient_reaches_every_parameter,
    schemes_share_their_weights,
    evaluation_is_repeatable,
    rows_do_not_mix_in_evaluation,
    leaves_its_inputs_alone,
    leaves_the_process_alone,
    weights_survive_a_file,
    stacked_training_equals_lone_training,
)


def norm_cases(name: str) -> Iterator[Case]:
    """Every check for the norm kind ``name`` with its default options, in every network that supports it."""
    subjects = tuple(norm_subjects(name))
    yield Case(_somewhere(name, subjects), Subject(resolve(NETWORKS[0][0]), NormScheme(), NETWORKS[0][1]))
    for subject in subjects:
        for check in (*NORM_CHECKS, *IN_NETWORKS):
            yield Case(check, subject)


def norm_subjects(name: str) -> Iterator[Subject]:
    """The networks with the kind at every place of its sort; those that do not support it are left out.

    An error is left in, for the checks to report.
    """
    pair = get_norm(name).sort == "pair"
    places = ("input", "input+output") if pair else ("all", "first")
    for spelling, problem in NETWORKS:
        tried = [Subject(resolve(spelling), parse_scheme(f"{name}@{place}"), problem) for place in places]
        fitting = [subject for subject in tried if _fits(subject)]
        yield from fitting if pair else fitting[:1]  # where a layer is degenerate at some site, the first may do


def _fits(subject: Subject) -> bool:
    try:
        build_skeleton(subject.architecture, subject.scheme, subject.problem)
    except Unsupported:
        return False
    except Exception:  # the checks will say what is wrong
        return True
    return True


def _somewhere(name: str, subjects: tuple[Subject, ...]) -> Check:
    def it_can_be_placed(subject: Subject) -> str:
        """Builds in at least one of an MLP, CNNs and transformers."""
        if not subjects:
            raise Broken(f"{name} is unsupported in every network", "raise Unsupported only where it is degenerate")
        return ", ".join(dict.fromkeys(one.architecture.name for one in subjects))

    return it_can_be_placed
