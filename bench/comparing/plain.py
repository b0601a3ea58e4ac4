"""A multilayer perceptron with its norms, written as torch code that needs nothing of FarField."""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch
from torch import nn

import architectures
from architectures.building import build_network
from architectures.families.mlp.options import MlpOptions
from architectures.norms.pairs import Pair
from bench.core.errors import Unsupported
from bench.core.problem import Problem

if TYPE_CHECKING:
    from collections.abc import Iterator

CLIP = '''
class Clip(nn.Module):
    """The input drawn back to the radius of the training rows where it lies beyond."""

    def forward(self, x):
        return x / (x.norm(dim=1, keepdim=True) / R).clamp_min(1.0)
'''
_ROWS = 16


def plain_network(architecture: str, norm: str, problem: Problem) -> str | None:
    """A function ``network()`` as text; ``None`` where torch's own layers in a row do not make this network.

    What is written is run and compared with the network itself, inside the training domain and beyond.
    """
    chosen = architectures.resolve(architecture)
    options = chosen.options
    if not isinstance(options, MlpOptions) or (options.init, options.parameterization) != ("torch", "standard"):
        return None
    try:
        whole = build_network(chosen, architectures.parse_scheme(norm), problem, 0)
    except Unsupported:
        return None
    clipped = norm == "clip@input"
    layers = [_written(layer) for layer in _leaves(whole) if not isinstance(layer, Pair)]
    if None in layers:
        return None
    lines = ["Clip()"] * clipped + [text for text in layers if text]
    text = CLIP.lstrip() + "\n\n" if clipped else ""
    text += "def network():\n    return nn.Sequential(\n" + "".join(f"        {line},\n" for line in lines) + "    )\n"
    return text if _same(text, whole, problem) else None


def _leaves(module: nn.Module) -> Iterator[nn.Module]:
    """The layers in the order in which a chain of them is run."""
    children = list(module.children())
    if not children:
        yield module
    for child in children:
        yield from _leaves(child)


def _written(layer: nn.Module) -> str | None:
    """The call that makes ``layer``; empty for what does nothing, ``None`` for what is not known."""
    if isinstance(layer, nn.Identity):
        return ""
    if isinstance(layer, nn.Linear):
        return f"nn.Linear({layer.in_features}, {layer.out_features})"
    if isinstance(layer, nn.LayerNorm | nn.RMSNorm) and layer.eps == 1e-5 and layer.elementwise_affine:
        eps = ", eps=1e-5" if isinstance(layer, nn.RMSNorm) else ""
        return f"nn.{type(layer).__name__}({layer.normalized_shape[0]}{eps})"
    if type(layer) is nn.BatchNorm1d and layer.eps == 1e-5 and layer.affine:
        return f"nn.BatchNorm1d({layer.num_features})"
    if type(layer) in (nn.ReLU, nn.GELU, nn.SiLU, nn.Tanh, nn.LeakyReLU):
        return f"nn.{type(layer).__name__}()"
    return None


def _same(text: str, module: nn.Module, problem: Problem) -> bool:
    """Whether the written network, with the parameters of ``module``, answers as ``module`` does."""
    scope: dict[str, object] = {"nn": nn, "R": problem.radius}
    exec(text, scope)  # our own text: names and numbers of layers
    written = scope["network"]()  # type: ignore[operator]
    values = list(module.state_dict().values())
    names = list(written.state_dict())
    if len(values) != len(names):
        return False
    written.load_state_dict(dict(zip(names, values, strict=True)))
    draw = torch.Generator().manual_seed(0)
    rows = torch.randn(_ROWS, problem.size, generator=draw) * torch.logspace(-1, 3, _ROWS)[:, None]
    with torch.no_grad():
        return bool(torch.allclose(written.eval()(rows), module.eval()(rows), rtol=1e-4, atol=1e-5))
