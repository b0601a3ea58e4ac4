"""A head on the features of a backbone, which may be frozen: only the head is then trained."""

from __future__ import annotations

import hashlib

from torch import Tensor, nn

from architectures.blocks.layers import Linear
from architectures.blocks.options import Drawing
from architectures.families.mlp.network import Mlp
from architectures.families.mlp.options import MlpOptions
from architectures.norms.site import Layout, Norm
from bench.core.problem import Problem


class OnFeatures(nn.Module):
    """``head(backbone(x))``: (N, *shape) to (N, 1); the backbone gives (N, features)."""

    def __init__(self, backbone: nn.Module, head: nn.Module) -> None:
        super().__init__()
        self.backbone, self.head = backbone, head

    def forward(self, x: Tensor) -> Tensor:
        """(N, *shape) to (N, 1)."""
        answer: Tensor = self.head(self.backbone(x))
        return answer


class OnFrozenFeatures(OnFeatures):
    """The same over a backbone that never changes: no gradients, always in evaluation mode.

    Training may run ``head`` on :meth:`frozen_features` computed once; that is the same function of the same weights.

    Args:
        identity: names what computes the features: the backbone as it is spelled, and the software.
    """

    def __init__(self, backbone: nn.Module, head: nn.Module, identity: str) -> None:
        super().__init__(backbone.requires_grad_(False).eval(), head)
        self.identity = identity

    def train(self, mode: bool = True) -> OnFrozenFeatures:
        """Training mode for the head alone."""
        super().train(mode)
        self.backbone.eval()
        return self

    def digest(self) -> str:
        """SHA-256 over the identity and every number of the backbone: changes whenever the features would."""
        digest = hashlib.sha256(self.identity.encode())
        for name, tensor in self.backbone.state_dict().items():
            digest.update(f"{name} {tensor.dtype} {tuple(tensor.shape)}".encode())
            digest.update(tensor.detach().cpu().contiguous().numpy().data)
        return digest.hexdigest()

    def frozen_features(self, inputs: Tensor) -> Tensor:
        """(N, *shape) to (N, features)."""
        features: Tensor = self.backbone(inputs)
        return features


def make_head(features: int, problem: Problem, norm: Norm, options: MlpOptions | None) -> nn.Module:
    """A linear map, or an MLP whose hidden layers are the sites ``hidden1`` ... ``hiddenL``: (N, features) to (N, 1).

    Its other sites, ``input`` and ``hidden1.post``, are not offered: a number or ``first`` means a hidden layer.
    """
    if options is None:
        return Linear(features, 1, Drawing())

    def hidden_only(
        site: str, dim: int, layout: Layout = "last", own: nn.Module | None = None, fixed: str = ""
    ) -> nn.Module:
        offered = site.startswith("hidden") and "." not in site
        return norm(site, dim, layout, own, fixed) if offered else nn.Identity()

    return Mlp(Problem("features", (features,), problem.target_range), hidden_only, options)
