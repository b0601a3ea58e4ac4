"""Regression with a kernel: what an infinitely wide network answers after training for ever.

With training rows X, targets y, jitter j and ``A = Θ(X,X) + j I``, gradient flow on the squared error from t = 0 to ∞
gives answers that are normal over initializations (Jacot et al., arXiv 1806.07572; Lee et al., arXiv 1902.06720):

    NTK   mean Θ(x,X) A⁻¹ y,  variance K(x,x) - 2 a K(X,x) + a K(X,X) aᵀ  with a = Θ(x,X) A⁻¹
    NNGP  mean K(x,X) B⁻¹ y,  variance K(x,x) - K(x,X) B⁻¹ K(X,x)         with B = K(X,X) + j I

NTK is training of every layer, NNGP of the read-out alone (the Bayesian posterior). The variance is that of the
network's answer, without noise.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from architectures.kernels.angles import Array, flat_rows
from architectures.kernels.factor import Factor, factorize
from architectures.kernels.infinite import Kernel, KernelName, Progress
from bench.core.errors import InputError, Unsupported

MAX_ROWS = 10_000
_QUERIES = 512  # answered at once


@dataclass(frozen=True)
class Regression:
    """A kernel that has seen its training rows.

    Attributes:
        kernel: of the network.
        name: ``ntk`` or ``nngp``.
        rows: training rows, (n, d).
        weights: ``A⁻¹ y``, (n,).
        factor: of A, the kernel matrix with its jitter.
        energy: ``yᵀ A⁻¹ y``.
        largest: ``max |y|``.
        jitter: what was added to the diagonal.
        covariance: ``K(X,X)``, (n, n); None where variances need none or are not wanted.
    """

    kernel: Kernel
    name: KernelName
    rows: Array
    weights: Array
    factor: Factor
    energy: float
    largest: float
    jitter: float
    covariance: Array | None

    def mean(self, x: ArrayLike) -> Array:
        """Expected answer at x (m, d), (m,), in the unit of y."""
        return self._pieces(x, self._mean)

    def variance(self, x: ArrayLike) -> Array:
        """Variance of the answer over initializations at x (m, d), (m,), in the squared unit of y.

        Raises:
            InputError: the regression was made without variances.
        """
        if self.name == "ntk" and self.covariance is None:
            raise InputError("this regression keeps no variances", hint="regress(..., variance=True)")
        return self._pieces(x, self._variance)

    def _pieces(self, x: ArrayLike, answer: Callable[[Array], Array]) -> Array:
        rows = flat_rows(x)
        pieces = [answer(rows[start : start + _QUERIES]) for start in range(0, len(rows), _QUERIES)]
        return np.concatenate(pieces) if pieces else np.zeros(0)

    def _mean(self, x: Array) -> Array:
        # einsum: a row's sum does not depend on the rows beside it, as that of a product of matrices does
        result: Array = np.einsum("mn,n->m", self.kernel.matrix(self.name, x, self.rows), self.weights)
        return result

    def _variance(self, x: Array) -> Array:
        prior, gained = self.kernel.nngp_diag(x), self._gained(x)
        variance: Array = np.maximum(prior - gained, 0)
        return variance

    def _gained(self, x: Array) -> Array:
        """By how much the training rows lower the variance at x."""
        if self.covariance is None:
            half = self.factor.half(self.kernel.nngp(x, self.rows).T)
            return np.asarray(np.einsum("nm,nm->m", half, half))
        nngp, ntk = self.kernel.matrices(x, self.rows)
        shares = self.factor.solve(ntk.T)
        return np.asarray(np.einsum("nm,nm->m", shares, 2 * nngp.T - self.covariance @ shares))


def regress(
    kernel: Kernel,
    inputs: ArrayLike,
    targets: ArrayLike,
    name: KernelName = "ntk",
    *,
    jitter: float = 1e-8,
    variance: bool = True,
    progress: Progress | None = None,
) -> Regression:
    """Regress ``targets`` on ``inputs`` with a kernel, exactly.

    Args:
        kernel: of the network.
        inputs: training rows (n, d) or (n, *shape), at most 10,000.
        targets: (n,).
        name: ``ntk`` or ``nngp``.
        jitter: added to the diagonal, in units of its mean.
        variance: whether variances will be asked for; of the NTK they keep a second (n, n) matrix.
        progress: hears the share that is done.

    Raises:
        InputError: rows and targets do not fit, are not finite or none at all, or the jitter is not positive.
        Unsupported: more than 10,000 rows.
        FarFieldError: the kernel matrix is not positive definite to rounding.
    """
    rows, answers = checked(inputs, targets)
    if not (math.isfinite(jitter) and jitter > 0):
        raise InputError(f"jitter must be positive, not {jitter}", hint="for example 1e-8")
    both = name == "ntk" and variance
    names: tuple[KernelName, ...] = ("nngp", "ntk") if both else (name,)
    matrices = kernel.matrices(rows, None, names, _share(progress, 0, 0.5))
    covariance = matrices[0] if both else None
    return condition(kernel, name, rows, answers, matrices[-1], covariance, jitter, _share(progress, 0.5, 1))


def condition(
    kernel: Kernel,
    name: KernelName,
    rows: Array,
    answers: Array,
    matrix: Array,
    covariance: Array | None,
    jitter: float,
    progress: Progress | None = None,
) -> Regression:
    """The regression, given the kernel matrix of the rows, which is overwritten; see :func:`regress`."""
    added = jitter * float(np.mean(np.diag(matrix)))
    matrix[np.diag_indices(len(matrix))] += added
    factor = factorize(matrix, progress)
    half = factor.half(answers[:, None])
    weights = factor.solve(answers[:, None])[:, 0]
    largest = float(np.abs(answers).max())
    return Regression(kernel, name, rows, weights, factor, float(np.sum(half**2)), largest, added, covariance)


def checked(inputs: ArrayLike, targets: ArrayLike) -> tuple[Array, Array]:
    """Rows (n, d) and targets (n,), or the errors of :func:`regress`."""
    rows, answers = flat_rows(inputs, "inputs"), np.asarray(targets, np.float64)
    if answers.shape != (len(rows),):
        raise InputError(f"targets of shape {answers.shape} for {len(rows)} rows", hint="one target a row")
    if not len(rows):
        raise InputError("no rows to regress on", hint="give at least one")
    if not np.isfinite(answers).all():
        raise InputError("targets have numbers that are not finite", hint="drop or fill those rows")
    if len(rows) > MAX_ROWS:
        raise Unsupported(
            f"exact kernel regression takes at most {MAX_ROWS:,} training rows, not {len(rows):,}: "
            "its matrix takes rows² memory and its factor rows³ operations"
        )
    return rows, answers


def _share(progress: Progress | None, start: float, stop: float) -> Progress | None:
    """A progress whose 0 and 1 are ``start`` and ``stop`` of another's."""
    if progress is None:
        return None
    heard = progress
    return lambda share: heard(start + (stop - start) * share)
