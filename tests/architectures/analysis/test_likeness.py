"""Networks that share a recorded program: which are alike, and that each is still held against its own answers."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import ClassVar

import pytest
import torch
from torch import Tensor, nn

import architectures
from architectures.analysis import graph_reading
from architectures.analysis.certificate import certify
from architectures.analysis.graph import Graph
from architectures.analysis.graph_reading import Reader, read_faithfully
from architectures.analysis.likeness import likeness
from architectures.analysis.prediction import trial_batches
from architectures.building import build_network
from bench.core.problem import Problem

FLAT = Problem("features", (5,), radius=2.0, target_range=(-1.0, 1.0))
SHAPES = {"features": FLAT, "image": Problem("image", (1, 12, 12)), "sequence": Problem("sequence", (6, 2))}


@pytest.fixture
def exports(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """A number for each recording."""
    counted: list[int] = []
    record = graph_reading._record
    monkeypatch.setattr(graph_reading, "_record", lambda *given: counted.append(1) or record(*given))
    return counted


def network(spelling: str, norm: str, problem: Problem, seed: int) -> nn.Module:
    """With numbers of its own everywhere, statistics included."""
    module = build_network(architectures.resolve(spelling), architectures.parse_scheme(norm), problem, seed)
    draw = torch.Generator().manual_seed(seed)
    for tensor in (*module.parameters(), *(b for b in module.buffers() if b.is_floating_point())):
        tensor.data += 0.1 * torch.rand(tensor.shape, generator=draw)
    return module.double().eval()


@pytest.mark.parametrize(
    ("spelling", "norm", "kind"),
    [
        ("mlp", "none", "features"),
        ("mlp(activation=tanh)", "batch@all", "features"),
        ("mlp", "layer@all", "features"),
        ("resmlp", "rms@all", "features"),
        ("mlp", "scale(affine=false)@all", "features"),
        ("cnn", "batch@all", "image"),
        ("transformer", "layer@pre+final", "sequence"),
    ],
)
def test_seeds_share_a_recording_and_get_the_bounds_that_they_get_alone(
    spelling: str, norm: str, kind: str, exports: list[int]
) -> None:
    problem = SHAPES[kind]
    batches, reader = trial_batches(problem.shape), Reader()
    networks = [network(spelling, norm, problem, seed) for seed in range(3)]
    shared = [certify(one, batches, reader) for one in networks]
    assert len(exports) == 1
    alone = [certify(one, batches) for one in networks]
    assert [one.bound for one in shared] == [one.bound for one in alone]
    assert [one.why for one in shared] == [one.why for one in alone]
    assert norm == "none" or len({one.bound for one in shared}) == 3 or shared[0].bound is None


@pytest.mark.parametrize("spelling", ["mlp(clamp=true)", "mlp"])
def test_what_the_draw_decides_is_recorded_anew(spelling: str, exports: list[int]) -> None:
    """The limit of a clamp and the radius of a clip are no tensors: another draw, another program."""
    norm = "none" if "clamp" in spelling else "clip@input"
    reader, batches = Reader(), trial_batches(FLAT.shape)
    other = Problem("features", (5,), radius=3.0, target_range=(-7.0, 1.0))
    bounds = [certify(network(spelling, norm, problem, 0), batches, reader).bound for problem in (FLAT, other)]
    assert len(exports) == 2
    assert bounds == [certify(network(spelling, norm, problem, 0), batches).bound for problem in (FLAT, other)]
    assert bounds[0] != bounds[1]


def test_a_graph_has_the_numbers_of_its_own_network() -> None:
    reader, batches = Reader(), trial_batches(FLAT.shape)
    for seed in range(2):
        one = network("mlp", "batch@all", FLAT, seed)
        graph = reader.read(one, batches)
        assert isinstance(graph, Graph)
        expected = read_faithfully(one, batches)
        assert isinstance(expected, Graph)
        state = one.state_dict()
        for stored in graph.stored.values():
            assert torch.equal(stored.value, state[stored.path])
        assert graph.operations == expected.operations
        found, made = graph.constants(), expected.constants()
        assert found.keys() == made.keys()
        assert torch.equal(graph.run(batches[0]), expected.run(batches[0]))


class Kept(nn.Module):
    """A linear map, and something that it holds."""

    def __init__(self, held: object = None) -> None:
        super().__init__()
        self.linear, self.held = nn.Linear(5, 1), held

    def forward(self, x: Tensor) -> Tensor:
        return self.linear(x)


def doubles(x: Tensor) -> Tensor:
    return 2 * x


def times(factor: float) -> Callable[[Tensor], Tensor]:
    return lambda x: factor * x


ALIKE = [None, 1, 2.5, "a", (1, [2, {"b": 3}]), doubles, partial(doubles, 1), FLAT, torch.float32, {1, 2}]
UNLIKE = [(1, 2), (1, 1.0), (1, True), (0.0, -0.0), ((1,), [1]), ({"a": 1}, {"a": 2}), (doubles, partial(doubles))]


@pytest.mark.parametrize("held", ALIKE)
def test_equal_values_are_alike(held: object) -> None:
    assert likeness(Kept(held)) == likeness(Kept(held)) is not None


@pytest.mark.parametrize(("one", "other"), UNLIKE)
def test_other_values_are_not(one: object, other: object) -> None:
    assert likeness(Kept(one)) != likeness(Kept(other))


@pytest.mark.parametrize("held", [torch.ones(2), times(2.0), object(), [times(1.0)]])
def test_what_cannot_be_compared_is_recorded_by_itself(held: object, exports: list[int]) -> None:
    assert likeness(Kept(held)) is None
    reader = Reader()
    for _ in range(2):
        assert isinstance(reader.read(Kept(held).double(), trial_batches((5,))), Graph)
    assert len(exports) == 2


def test_structures_that_differ_in_a_shape_a_class_or_a_tie_are_not_alike() -> None:
    def two(tied: bool = False, width: int = 4, bias: bool = True, relu: type[nn.Module] = nn.ReLU) -> nn.Module:
        module = nn.Sequential(nn.Linear(4, width, bias=bias), relu(), nn.Linear(width, 4, bias=bias))
        if tied:
            module[2].weight = module[0].weight
        return module

    plain = likeness(two())
    for other in (two(tied=True), two(width=5), two(bias=False), two(relu=nn.Tanh), two().double()):
        assert likeness(other) != plain
    hooked = two()
    hooked[0].register_forward_hook(lambda module, given, answer: 2 * answer)
    assert likeness(hooked) is None or likeness(hooked) != plain


class Turns(nn.Module):
    """Answers otherwise once it has been called: nothing that it holds says so."""

    calls: ClassVar[list[int]] = []

    def __init__(self) -> None:
        super().__init__()
        self.linear = nn.Linear(5, 1)

    def forward(self, x: Tensor) -> Tensor:
        return self.linear(x) * (1 + len(self.calls))


def test_a_shared_program_that_answers_otherwise_is_not_believed(exports: list[int]) -> None:
    reader = Reader()
    assert isinstance(reader.read(Turns().double(), trial_batches((5,))), Graph)
    Turns.calls.append(1)
    try:
        one = Turns().double()
        graph = reader.read(one, trial_batches((5,)))
        assert isinstance(graph, Graph)
        assert len(exports) == 2
        assert torch.equal(graph.run(torch.ones(1, 5).double()), one(torch.ones(1, 5).double()))
    finally:
        Turns.calls.clear()
