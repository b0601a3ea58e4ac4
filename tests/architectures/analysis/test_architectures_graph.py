"""The reader of the graph: what it tells of a network, and when it refuses to."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest
import torch
from torch import Tensor, nn

from architectures.analysis.graph import Graph, GraphVisitor, Operation, Stored, Unread
from architectures.analysis.graph_reading import read_faithfully, read_graph
from architectures.analysis.recording import record_graph

BATCHES = [torch.randn(rows, 4, dtype=torch.float64, generator=torch.Generator().manual_seed(0)) for rows in (3, 1, 64)]


class Whole(nn.Module):
    """A parameter, a buffer, a constant, and something that does not carry the input."""

    def __init__(self) -> None:
        super().__init__()
        self.first, self.norm, self.last = nn.Linear(4, 8), nn.BatchNorm1d(8), nn.Linear(8, 1)
        self.shift = torch.linspace(0, 1, 8)

    def forward(self, x: Tensor) -> Tensor:
        h = self.norm(self.first(x)) + self.shift
        return self.last(torch.relu(h) + torch.ones_like(h) * self.shift.exp())


class Does(nn.Module):
    def __init__(self, do: Any) -> None:
        super().__init__()
        self.layer, self.do, self.calls, self.last = nn.Linear(4, 1), do, 0, None

    def forward(self, x: Tensor) -> Tensor:
        return self.do(self, x)


def test_operations_say_what_they_use_where_they_stand_and_whether_they_carry_the_input() -> None:
    graph = read_faithfully(Whole().double(), BATCHES)
    assert isinstance(graph, Graph)
    kinds = {one.path: one.kind for one in graph.stored.values()}
    assert kinds["first.weight"] == "parameter"
    assert kinds["norm.running_mean"] == "buffer"
    assert kinds["shift"] == "constant"
    by_base = {operation.base: operation for operation in graph.operations}
    assert by_base["batch_norm"].place == ("norm", "torch.nn.modules.batchnorm.BatchNorm1d")
    assert by_base["relu"].shape == (None, 8)
    carrying = {name: operation.carries for name, operation in by_base.items()}
    assert carrying["batch_norm"]
    assert not carrying["ones_like"]
    assert not carrying["exp"]
    assert [graph.stored[ref.name].path for ref in by_base["exp"].inputs] == ["shift"]


class Depth(GraphVisitor[int]):
    """How many operations lie between the input and a value."""

    def input(self, graph: Graph) -> int:
        return 0

    def stored(self, stored: Stored) -> int:
        return 0

    def operation(self, operation: Operation, arguments: tuple[Any, ...], keywords: Mapping[str, Any]) -> int:
        values = [value for one in arguments for value in (one if isinstance(one, tuple) else (one,))]
        refs = [value for value, here in zip(values, operation.arguments, strict=False) if not isinstance(here, int)]
        return 1 + max((value for value in refs if isinstance(value, int)), default=0)


def test_a_visitor_walks_with_what_it_knows() -> None:
    graph = read_graph(nn.Sequential(nn.Linear(4, 8), nn.ReLU(), nn.Linear(8, 1)), torch.randn(3, 4))
    assert isinstance(graph, Graph)
    assert Depth()(graph) == 3


def _counts(net: Any, x: Tensor) -> Tensor:
    net.calls += 1
    return net.layer(x) * (1 if net.calls < 4 else 2)


def _counts_long(net: Any, x: Tensor) -> Tensor:
    net.calls += 1
    return net.layer(x) * (1 if net.calls < 10**6 else 2)


LIES = {
    "counts its calls": _counts,
    "counts its calls for long": _counts_long,
    "branches on the number of rows": lambda net, x: net.layer(x) * (2 if len(x) > 50 else 1),
    "branches on the parity of the rows": lambda net, x: net.layer(x) * (1 + len(x) % 2),
    "branches on values": lambda net, x: net.layer(x) if bool(x.sum() > 0) else -net.layer(x),
    "draws": lambda net, x: net.layer(x) + torch.randn(1, dtype=x.dtype),
    "leaves torch": lambda net, x: torch.as_tensor(x.detach().numpy() * 2).sum(1, keepdim=True),
}


@pytest.mark.parametrize("name", LIES)
def test_a_trace_that_lies_is_not_believed(name: str) -> None:
    net = Does(LIES[name]).double()
    assert isinstance(read_faithfully(net, BATCHES), Unread)


@pytest.mark.parametrize("training", [False, True])
def test_reading_leaves_the_network_as_it_was(training: bool) -> None:
    def remembers(net: Any, x: Tensor) -> Tensor:
        net.calls += 1
        net.last = net.layer(x)
        return net.last

    net = Does(remembers).train(training)
    state = torch.random.get_rng_state()
    for read in (read_graph, record_graph):
        read(net, torch.randn(3, 4, generator=torch.Generator().manual_seed(0)), training=not training)
        net.train(training)
    assert (net.calls, net.last) == (0, None)
    assert torch.equal(state, torch.random.get_rng_state())


def test_what_writes_in_place_is_read_as_what_does_not() -> None:
    def writes(net: Any, x: Tensor) -> Tensor:
        h = net.layer(x).relu_()
        h[:, 0] = x[:, 0]
        return h

    graph = read_faithfully(Does(writes).double(), BATCHES)
    assert isinstance(graph, Graph)
    assert not [operation for operation in graph.operations if operation.base.endswith("_")]
