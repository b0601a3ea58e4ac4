"""Cholesky in blocks and in place, so that 10,000 rows fit into memory and their progress can be shown."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from architectures.kernels.angles import Array
from architectures.kernels.infinite import Progress
from bench.core.errors import FarFieldError

_BLOCK = 512
_SMALL = 200  # rows up to which the smallest eigenvalue is read off the whole matrix


@dataclass(frozen=True)
class Factor:
    """``A = L Lᵀ``; of ``lower`` (n, n) only the lower triangle is L."""

    lower: Array

    def half(self, right: Array) -> Array:
        """``L⁻¹ B`` for B (n, m)."""
        return self._solved(right, transposed=False)

    def solve(self, right: Array) -> Array:
        """``A⁻¹ B`` for B (n, m)."""
        return self._solved(self._solved(right, transposed=False), transposed=True)

    def least_eigenvalue(self, known: float) -> float:
        """λ_min of A, from below: 1 over the largest eigenvalue of ``A⁻¹``, by Lanczos from a fixed start.

        A residual's length is added to that eigenvalue, about 1e-5 of it. Where Lanczos does not settle, many
        eigenvalues are as small as the jitter, and ``known``, what λ_min is at least, is the answer.
        """
        count = len(self.lower)
        if count <= _SMALL:
            return float(np.linalg.svd(np.tril(self.lower), compute_uv=False)[-1] ** 2)
        from scipy.sparse.linalg import ArpackNoConvergence, LinearOperator, eigsh

        def inverse(vector: Array) -> Array:
            return self.solve(vector.reshape(-1, 1))[:, 0]

        operator = LinearOperator((count, count), matvec=inverse, dtype=np.float64)
        start = np.random.default_rng(0).standard_normal(count)
        try:
            values, vectors = eigsh(operator, k=1, which="LA", v0=start, tol=1e-5, maxiter=50)
        except ArpackNoConvergence:
            return known
        left = np.linalg.norm(inverse(vectors[:, 0]) - values[0] * vectors[:, 0])
        return float(1 / (values[0] + left))

    def _solved(self, right: Array, transposed: bool) -> Array:
        from scipy.linalg.blas import dtrsm

        # the transpose of a C-ordered matrix is what BLAS reads without a copy: its upper triangle is Lᵀ
        return np.asarray(dtrsm(1.0, self.lower.T, right, lower=0, trans_a=0 if transposed else 1))


def factorize(matrix: Array, progress: Progress | None = None) -> Factor:
    """Cholesky of a symmetric positive definite matrix (n, n), which is overwritten.

    Raises:
        FarFieldError: it is not positive definite to rounding.
    """
    from scipy.linalg import LinAlgError, cholesky, solve_triangular

    count = len(matrix)
    for start in range(0, count, _BLOCK):
        stop = min(start + _BLOCK, count)
        done, corner, below = slice(0, start), slice(start, stop), slice(stop, count)
        left = matrix[corner, done]
        matrix[corner, corner] -= left @ left.T
        try:
            matrix[corner, corner] = cholesky(matrix[corner, corner], lower=True, check_finite=False)
        except LinAlgError:
            raise FarFieldError(
                "the kernel matrix is not positive definite to rounding; give a larger jitter"
            ) from None
        if stop < count:
            panel = matrix[below, corner] - matrix[below, done] @ left.T
            matrix[below, corner] = solve_triangular(matrix[corner, corner], panel.T, lower=True, check_finite=False).T
        if progress is not None:
            progress(1 - (1 - stop / count) ** 2)
    return Factor(matrix)
