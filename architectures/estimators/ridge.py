"""Ridge regression on the flattened input."""

from __future__ import annotations

from architectures.estimators.estimator import Array, Rows, flat
from architectures.registry import register_estimator
from bench.core.problem import Problem


@register_estimator(
    "ridge",
    summary="ridge regression on the flattened input; its strength is chosen on the validation rows",
    citation="Hoerl and Kennard, Technometrics 12, 1970",
    exponent=1,
)
class Ridge:
    """``argmin ‖z - X w - b‖² + α ‖w‖²``, with α from 1e-4 to 1e6 by the least validation error."""

    strengths = tuple(10.0**power for power in range(-4, 7))

    def __init__(self, problem: Problem) -> None:
        self.strength = self.strengths[0]

    def fit(self, inputs: Array, targets: Array, validation_inputs: Array, validation_targets: Array) -> None:
        """Fit one regression a strength and keep the best on the validation rows."""
        import numpy as np
        from sklearn.linear_model import Ridge as Regression

        rows, held_out = flat(inputs), flat(validation_inputs)
        fits = [Regression(alpha=strength).fit(rows, targets) for strength in self.strengths]
        errors = [np.mean((fit.predict(held_out) - validation_targets) ** 2) for fit in fits]
        best = int(np.argmin(errors))
        self.strength, self.regression = self.strengths[best], fits[best]

    def predict(self, inputs: Array) -> Rows:
        """The regression's answer, (N,)."""
        answer: Rows = self.regression.predict(flat(inputs))
        return answer
