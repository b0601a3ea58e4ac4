"""What an estimator is: something with its own ``fit``, on standardized inputs and targets."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol, TypeAlias

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

Array: TypeAlias = "NDArray[np.floating]"
Rows: TypeAlias = "NDArray[np.float64]"


class Estimator(Protocol):
    """What a card of role ``estimator`` builds.

    It may also give ``predict_with_deviation(inputs) -> (mean, deviation)``, both (N,) float64: the mean is what
    ``predict`` gives, the deviation that of its predictive distribution of the noise-free target, in units of the
    standardized targets. An estimator that cannot say how sure it is leaves the method out.
    """

    def fit(self, inputs: Array, targets: Array, validation_inputs: Array, validation_targets: Array) -> None:
        """Learn from standardized inputs (N, *shape) and targets (N,); validation rows only choose.

        Where the problem asks for an answer at each step (``problem.each_step``), targets are (N, steps) and so are the
        answers; only an estimator whose card says ``each_step`` is given such a problem. One that says ``any_length``
        is also asked about sequences of other lengths.
        """
        ...

    def predict(self, inputs: Array) -> Rows:
        """Answer for standardized inputs (N, *shape): (N,) on the scale of the standardized targets."""
        ...


def flat(inputs: Array) -> Rows:
    """(N, *shape) to rows (N, numbers), float64."""
    return inputs.reshape(len(inputs), -1).astype("float64", copy=False)


def check_at_least_one(options: object, *names: str) -> None:
    """Check that the fields ``names`` of ``options`` are at least 1, or None.

    Raises:
        ValueError: one is not.
    """
    for name in names:
        value = getattr(options, name)
        if value is not None and value < 1:
            raise ValueError(f"{name} must be at least 1, not {value}")
