"""A stranger's estimator: registered like the built-in ones, with options, with norm schemes of its own."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pytest
from numpy.typing import NDArray

from architectures import REGISTRY, NormScheme, list_architectures, parse_scheme, register_estimator, resolve
from architectures.building import build_estimator
from architectures.contract.examination import examine
from architectures.estimators.estimator import Array
from architectures.norms.placements import Placements, SiteRule
from bench.core.errors import InputError, Unsupported
from bench.core.problem import Problem

FEATURES = Problem("features", (3,))
EVERYWHERE = Placements(words=(("all", SiteRule(("hidden#",))),), numbered=None, sites=("hidden#",))


class Nearest:
    """The target of the nearest training row."""

    def __init__(self, problem: Problem, power: float = 2.0) -> None:
        self.power = power

    def fit(self, inputs: Array, targets: Array, validation_inputs: Array, validation_targets: Array) -> None:
        self.inputs, self.targets = inputs.reshape(len(inputs), -1), targets

    def predict(self, inputs: Array) -> NDArray[np.float64]:
        apart = abs(inputs.reshape(len(inputs), 1, -1) - self.inputs) ** self.power
        return self.targets[apart.sum(-1).argmin(1)].astype(np.float64)


@pytest.fixture(autouse=True)
def _forget() -> Iterator[None]:
    before = set(list_architectures())
    yield
    for name in set(list_architectures()) - before:
        REGISTRY.remove(name)


def test_a_class_becomes_an_estimator_that_keeps_the_contract() -> None:
    assert register_estimator("test-nearest", exponent=0)(Nearest) is Nearest
    architecture = resolve("test-nearest(power=1)")
    card = architecture.card
    assert (card.role, card.family, card.origin, card.exponent) == ("estimator", "estimator", "plug-in", 0)
    assert card.summary == "The target of the nearest training row."
    assert architecture.name == "test-nearest(power=1.0)"
    assert build_estimator(architecture, NormScheme(), FEATURES).power == 1.0  # type: ignore[attr-defined]
    assert examine(resolve("test-nearest")).failures == ()


def test_without_placements_it_takes_no_norm() -> None:
    register_estimator("test-nearest")(Nearest)
    with pytest.raises(InputError, match="nothing to normalize"):
        resolve("test-nearest").check_scheme(parse_scheme("layer@all"))
    with pytest.raises(Unsupported, match="norm none only"):
        build_estimator(resolve("test-nearest"), parse_scheme("layer@all"), FEATURES)


def test_with_placements_its_builder_gets_the_scheme() -> None:
    class Kernel(Nearest):
        """Nearest rows, as far as the scheme knows."""

        def __init__(self, problem: Problem, scheme: NormScheme, power: float = 2.0) -> None:
            super().__init__(problem, power)
            self.scheme = scheme

    register_estimator("test-kernel", placements=EVERYWHERE)(Kernel)
    architecture, scheme = resolve("test-kernel(power=3)"), parse_scheme("layer@all")
    architecture.check_scheme(scheme)
    with pytest.raises(InputError, match="no such place: 'first'"):
        architecture.check_scheme(parse_scheme("layer@first"))
    built = build_estimator(architecture, scheme, FEATURES)
    assert (built.scheme, built.power) == (scheme, 3.0)  # type: ignore[attr-defined]
    report = examine(resolve("test-kernel"))
    assert report.failures == ()
    assert {result.found for result in report.results if result.check == "refuses norms"} == {
        "its card names placements"
    }


def test_a_taken_name_is_refused() -> None:
    for taken in ("ridge", "mlp", "module"):
        with pytest.raises(InputError, match=f"'{taken}' is already registered"):
            register_estimator(taken)(Nearest)
    with pytest.raises(InputError, match="'timm/mine' is no name"):
        register_estimator("timm/mine")(Nearest)
    register_estimator("test-nearest")(Nearest)
    with pytest.raises(InputError, match="'test-nearest' is already registered: choose another name"):
        register_estimator("test-nearest")(Nearest)


def test_a_signature_that_does_not_fit_is_refused() -> None:
    class Bare(Nearest):
        def __init__(self) -> None: ...

    with pytest.raises(InputError, match=r"Bare takes 0 arguments and is called with problem: def build\(problem, w"):
        register_estimator("test-bare")(Bare)
    with pytest.raises(InputError, match="is called with problem, scheme"):
        register_estimator("test-bare", placements=EVERYWHERE)(lambda problem: Nearest(problem))
    with pytest.raises(InputError, match=r"option 'depth' of .* has no default"):
        register_estimator("test-bare")(lambda problem, depth: Nearest(problem))
    assert "test-bare" not in list_architectures()
