"""Where a network normalizes, however it is written, and what only looks like it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from architectures.analysis.graph import Graph
from architectures.analysis.graph_reading import read_graph
from architectures.analysis.normalizations import normalizations
from architectures.analysis.recording import record_graph

Do = Callable[[Tensor, Any], Tensor]


class Net(nn.Module):
    """Does something to eight hidden channels."""

    def __init__(self, do: Do) -> None:
        super().__init__()
        self.first, self.last, self.do = nn.Linear(4, 8), nn.Linear(8, 1), do
        self.register_buffer("middle", torch.zeros(8))
        self.register_buffer("spread", torch.ones(8))

    def forward(self, x: Tensor) -> Tensor:
        return self.last(torch.relu(self.do(self.first(x), self)))


def batch_by_hand(h: Tensor, net: Any) -> Tensor:
    """Normalizes in training alone; in evaluation it divides by what it has stored."""
    return (h - h.mean(0)) / (h.var(0) + 1e-5).sqrt() if net.training else (h - net.middle) / net.spread


def linear_attention(h: Tensor, net: Any) -> Tensor:
    q, k, v = F.elu(h[:, :, None]) + 1, F.elu(2 * h[:, :, None]) + 1, 3 * h[:, :, None]
    weight = (q * k.sum(1, keepdim=True)).sum(-1, keepdim=True)
    return (q @ (k.transpose(1, 2) @ v) / (weight + 1e-6)).squeeze(2)


NORMALIZES: dict[str, Do] = {
    "layer_norm": lambda h, net: F.layer_norm(h, (8,)),
    "rms_norm": lambda h, net: F.rms_norm(h, (8,)),
    "batch_norm": lambda h, net: F.batch_norm(h, net.middle, net.spread),
    "group_norm": lambda h, net: F.group_norm(h, 2),
    "instance_norm": lambda h, net: F.instance_norm(h[:, None]).squeeze(1),
    "local_response_norm": lambda h, net: F.local_response_norm(h[:, :, None], 3).squeeze(2),
    "normalize": lambda h, net: F.normalize(h, dim=-1),
    "cosine_similarity": lambda h, net: F.cosine_similarity(h[:, None], torch.eye(8)[None], dim=-1),
    "renorm": lambda h, net: torch.renorm(h, 2, 0, 1.0),
    "by its norm": lambda h, net: h / h.norm(dim=-1, keepdim=True),
    "by its norm, turned": lambda h, net: (h.T / h.norm(dim=1)).T,
    "by its detached norm": lambda h, net: h / h.detach().norm(dim=1, keepdim=True),
    "times an inverse": lambda h, net: h * (1 / h.norm(dim=1, keepdim=True)),
    "in place": lambda h, net: h.div_(h.norm(dim=1, keepdim=True)),
    "squash": lambda h, net: h / (1 + h.norm(dim=1, keepdim=True)),
    "mean and deviation": lambda h, net: (h - h.mean(1, keepdim=True)) / h.std(1, keepdim=True),
    "mean and variance": lambda h, net: (
        (h - h.mean(1, True)) * torch.rsqrt(h.var(1, keepdim=True, unbiased=False) + 1e-5) * net.spread + net.middle
    ),
    "root mean square": lambda h, net: h * (h * h).mean(1, keepdim=True).add(1e-5) ** -0.5,
    "by logarithms": lambda h, net: h * torch.exp(-0.5 * torch.log(h.square().mean(1, keepdim=True) + 1e-5)),
    "by a product with itself": lambda h, net: h / torch.einsum("bd,bd->b", h, h).sqrt()[:, None],
    "sum of absolute values": lambda h, net: h / h.abs().sum(1, keepdim=True),
    "largest": lambda h, net: h / h.abs().amax(1, keepdim=True).clamp(min=1e-3),
    "least and largest": lambda h, net: (h - h.amin(1, True)) / (h.amax(1, True) - h.amin(1, True) + 1e-5),
    "a diagonal matrix": lambda h, net: torch.diag(1 / h.norm(dim=1)) @ h,
    "over the batch, in training": batch_by_hand,
}
DOES_NOT: dict[str, Do] = {
    "stored statistics": lambda h, net: (h - net.middle) / net.spread,
    "softmax": lambda h, net: h.softmax(1) * h,
    "softmax by hand": lambda h, net: (h - h.amax(1, True)).exp() / (h - h.amax(1, True)).exp().sum(1, keepdim=True),
    "gates": lambda h, net: h * torch.sigmoid(h.mean(1, keepdim=True)),
    "gates of experts": lambda h, net: h * (lambda g: g / g.sum(1, keepdim=True))(h.softmax(1).topk(2, 1)[0])[:, :1],
    "attention": lambda h, net: F.scaled_dot_product_attention(*[h[:, None, :, None]] * 3).flatten(1),
    "linear attention": linear_attention,
    "softsign": lambda h, net: h / (1 + h.abs()),
    "an inverse root, elementwise": lambda h, net: h / (1 + h * h).sqrt(),
    "centring": lambda h, net: h - h.mean(1, keepdim=True),
    "by its width": lambda h, net: h / h.shape[1],
    "weights of length one": lambda h, net: F.linear(h, torch.eye(8) * net.spread / net.spread.norm()),
    "gaussians": lambda h, net: torch.exp(-((h[:, :, None] - torch.linspace(-1, 1, 3)) ** 2)).mean(2),
}


def exported(net: nn.Module, rows: Tensor, training: bool) -> Graph:
    graph = read_graph(net, rows, training)
    assert isinstance(graph, Graph), graph
    return graph


@pytest.mark.parametrize("read", [exported, record_graph])
@pytest.mark.parametrize("name", NORMALIZES)
def test_a_normalization_is_found_however_it_is_written(name: str, read: Callable[..., Graph]) -> None:
    net, rows = Net(NORMALIZES[name]), torch.randn(3, 4)
    found = [one for training in (False, True) for one in normalizations(read(net, rows, training))]
    assert found
    assert {one.path for one in found} == {""}


@pytest.mark.parametrize("read", [exported, record_graph])
@pytest.mark.parametrize("name", DOES_NOT)
def test_what_only_looks_like_a_normalization_is_none(name: str, read: Callable[..., Graph]) -> None:
    net, rows = Net(DOES_NOT[name]), torch.randn(3, 4)
    assert [one for training in (False, True) for one in normalizations(read(net, rows, training))] == []


def test_where_it_is_is_told_and_what_is_placed_is_left_out() -> None:
    net = nn.Sequential(nn.Linear(4, 8), nn.LayerNorm(8), nn.utils.parametrizations.weight_norm(nn.Linear(8, 1)))
    graph = exported(net, torch.randn(3, 4), False)
    (found,) = normalizations(graph)
    assert (found.path, found.type, found.what, found.size) == ("1", "LayerNorm", "layer_norm", 8)
    assert normalizations(graph, placed=["1"]) == ()
