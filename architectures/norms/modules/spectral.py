"""Torch's spectral norm in a form that ``torch.vmap`` can batch."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn.functional import normalize
from torch.nn.utils import parametrizations, parametrize


class _Stackable(parametrizations._SpectralNorm):
    """The same numbers: torch writes each vector by ``out=``, which cannot be batched, and this copies it."""

    _u: Tensor
    _v: Tensor

    @torch.no_grad()
    def _power_method(self, weight_mat: Tensor, n_power_iterations: int) -> None:
        for _ in range(n_power_iterations):
            self._u.copy_(normalize(torch.mv(weight_mat, self._v), dim=0, eps=self.eps))
            self._v.copy_(normalize(torch.mv(weight_mat.mT, self._u), dim=0, eps=self.eps))


def spectral_norm(linear: nn.Module, iterations: int, eps: float) -> None:
    """Divide the weight of ``linear`` by its largest singular value, in place.

    Args:
        linear: a linear map or a convolution, with a ``weight`` of two dimensions or more.
        iterations: of the power method in every forward pass of training.
        eps: keeps the norms of its vectors off zero.
    """
    transposed = isinstance(linear, (nn.ConvTranspose1d, nn.ConvTranspose2d, nn.ConvTranspose3d))
    weight = linear.weight
    assert isinstance(weight, Tensor)
    parametrize.register_parametrization(linear, "weight", _Stackable(weight, iterations, int(transposed), eps))
