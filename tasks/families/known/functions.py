"""Known functions: the truth is a formula, so far sets are labelled on shells and errors can be measured anywhere.

Importing this does without numpy, for suites that only count instances.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from bench.core.grammar import spell
from bench.core.registry import resolve_target
from bench.core.seeding import generator

if TYPE_CHECKING:
    import numpy as np

    from tasks.data.samples import Samples

ROWS = {"train": 100, "validation": 200, "test": 200}  # in one dimension
ROWS_OF_SEVERAL_DIMENSIONS = {"train": 4000, "validation": 500, "test": 500}
NOISE = 0.02  # deviation of the noise on observed targets, in deviations of the truth
POINTS = 10_000  # at which the deviation of the truth is taken; the same for every draw

Domain = Literal["interval", "cube", "unit-cube", "ball"]


@dataclass(frozen=True)
class InstanceOptions:
    """Which instance of a family of functions: 0 is the one that is ranked, others are other functions.

    An instance is not a draw: every draw (one a seed) of an instance has the same function, and other points and noise.

    Args:
        instance: 0 or any positive number.
    """

    instance: int = 0

    def __post_init__(self) -> None:
        if self.instance < 0:
            raise ValueError(f"instance must be 0 or positive, not {self.instance}")


@dataclass(frozen=True)
class MovedFormula:
    """formula(w·(x - c)).

    Args:
        formula: name of a function in :mod:`tasks.families.known.formulas`.
        frequency: w.
        shift: c, a number for each coordinate (or one for all).
    """

    formula: str
    frequency: float = 1.0
    shift: tuple[float, ...] = (0.0,)

    def __call__(self, inputs: np.ndarray) -> np.ndarray:
        """Truth (n,) of raw inputs (n, d)."""
        targets: np.ndarray = resolve_target(f"tasks.families.known.formulas:{self.formula}")(
            self.frequency * (inputs - self.shift)
        )
        return targets


@dataclass(frozen=True)
class KnownFunction:
    """Builds a task from a formula: y = formula(x) + noise at random points x of a domain.

    Training and validation targets carry Gaussian noise of 0.02 deviations of the truth; test targets are the truth
    itself, as those of the far sets. A draw has other points and other noise of the same deviation. An instance other
    than 0 draws how much noise there is from [0.01, 0.05], and another function: formula(w·(x - c)) with w from
    [0.7, 1.4] and c from [-1, 1]^d (unit cube: w from [0.7, 1] and c from [-0.2, 0]^d).

    Args:
        name: of the task.
        formula: name of a function in :mod:`tasks.families.known.formulas`.
        dimension: coordinates of x.
        domain: where training points lie: ``interval`` and ``cube`` [-5, 5]^d and [-1, 1]^d, uniform; ``unit-cube``
            [0, 1]^d, uniform; ``ball``: direction uniform, length uniform in [0, sqrt(d)].
    """

    name: str
    formula: str
    dimension: int
    domain: Domain = "interval"

    def __call__(self, options: InstanceOptions, draw: int = 0) -> Samples:
        """Noisy samples to train on and the truth of this instance, on the points of a draw."""
        from tasks.data.samples import Rows, Samples

        spelling = spell(self.name, options)
        truth, level = self._instance(options, spelling)
        noise = level * float(truth(self._inputs(generator(spelling, "deviation"), POINTS)).std())

        def rows(part: str, noisy: bool = True) -> Rows:
            count = (ROWS if self.dimension == 1 else ROWS_OF_SEVERAL_DIMENSIONS)[part]
            inputs = self._inputs(generator(spelling, "inputs", part, draw), count)
            error = generator(spelling, "noise", part, draw).standard_normal(count) if noisy else 0.0
            return Rows(inputs, truth(inputs) + noise * error)

        return Samples(
            rows("train"),
            truth=truth,
            feature_names=tuple(f"x{i + 1}" for i in range(self.dimension)),
            validation=rows("validation"),
            test=rows("test", noisy=False),
        )

    def _inputs(self, draw: np.random.Generator, count: int) -> np.ndarray:
        shape = (count, self.dimension)
        if self.domain == "ball":
            import numpy as np

            direction = draw.standard_normal(shape)
            direction /= np.linalg.norm(direction, axis=1, keepdims=True)
            return direction * draw.uniform(0, np.sqrt(self.dimension), (shape[0], 1))
        low, high = {"interval": (-5.0, 5.0), "cube": (-1.0, 1.0), "unit-cube": (0.0, 1.0)}[self.domain]
        return draw.uniform(low, high, shape)

    def _instance(self, options: InstanceOptions, spelling: str) -> tuple[MovedFormula, float]:
        """The truth of an instance, and how noisy its observations are."""
        if not options.instance:
            return MovedFormula(self.formula), NOISE
        draw = generator(spelling, "function")
        noise = draw.uniform(0.01, 0.05)
        unit = self.domain == "unit-cube"
        frequency = draw.uniform(0.7, 1.0 if unit else 1.4)
        reach = (-0.2, 0.0) if unit else (-1.0, 1.0)
        return MovedFormula(self.formula, frequency, tuple(draw.uniform(*reach, self.dimension))), noise
