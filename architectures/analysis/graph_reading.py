"""Reads the graph of a network from what ``torch.export`` records of it.

A trace can lie: of a network that counts its calls, or one that branches on the size of the batch, one course is
recorded and another is run. :func:`read_faithfully` gives a graph only if the recorded program answers as the network
does on every batch that it is given, again and again. What cannot be read is :class:`Unread`, with the reason.

Operations are not decomposed: a layer norm is one ``aten.layer_norm.default``. Where the network writes in place, the
graph is that of the equal program that does not.
"""

from __future__ import annotations

import warnings
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import Any, Literal

import torch
from torch import Tensor, nn
from torch.func import functional_call

from architectures.analysis.graph import Argument, Graph, Operation, Ref, Stored, Unread, refs_in
from architectures.analysis.likeness import Likeness, likeness, numbers

REPEATS = 2
TOLERANCE = 1e-9
"""Largest difference between the recorded program and the network, relative to its largest answer, in float64."""

_MAKES_ALIKE = ("_like.", ".new_zeros.", ".new_ones.", ".new_full.", ".new_empty.", ".sym_size")


def read_graph(network: nn.Module, example: Tensor, training: bool = False) -> Graph | Unread:
    """The graph of ``network`` on batches like ``example`` (at least two rows); never raises.

    Args:
        network: left as it is, in whichever mode it was.
        example: rows; their number is left open where the network allows it.
        training: read what it does in training.
    """
    return _read(network, example, training, None)


def warm_up() -> None:
    """Load what ``torch.export`` loads on first use, a second or two, so that it is not counted against a network."""
    read_graph(nn.Linear(1, 1), torch.zeros(2, 1))


def read_faithfully(network: nn.Module, batches: Sequence[Tensor]) -> Graph | Unread:
    """What :meth:`Reader.read` gives of a network alone."""
    return Reader().read(network, batches)


class Reader:
    """Reads networks one after the other, those of a cell's seeds say.

    Recording is most of the work. A network that is like the last one (:mod:`architectures.analysis.likeness`) gets
    that one's program with its own numbers in it, which has to answer as the network does like any other; where it does
    not, the network is recorded by itself.
    """

    def __init__(self) -> None:
        self._last: tuple[Likeness, _Recorded] | None = None

    def read(self, network: nn.Module, batches: Sequence[Tensor]) -> Graph | Unread:
        """The graph of ``network`` in evaluation, if its program answers as the network does on each of ``batches``.

        Each batch is run several times, in the order given; give the sizes that will be used. Run it in float64, where
        nothing but rounding may differ. Where the network makes a plain number of the number of rows, its graph is that
        of batches of one size, which is none of its other sizes, and its program is run on pieces of that size.
        """
        try:
            rows = _unlike_any(network, batches[0])
            example = batches[0][torch.arange(rows, device=batches[0].device) % len(batches[0])]
            alike = likeness(network)
            alike = None if alike is None else (alike, tuple(example.shape), example.dtype)
            if alike is not None and self._last is not None and self._last[0] == alike:
                graph = _held(self._last[1].of(network), network, batches)
                if isinstance(graph, Graph):
                    return graph
            recorded = _record(network, example, False, rows)
        except Exception as error:  # whatever torch.export, or the network in its hands, may raise
            return _unread(error)
        self._last = None if alike is None or not recorded.shares else (alike, recorded)
        return _held(recorded.graph, network, batches)


def _held(graph: Graph, network: nn.Module, batches: Sequence[Tensor]) -> Graph | Unread:
    """``graph`` if its program answers as the network does on every one of ``batches``, again and again."""
    try:
        with quietly(), as_it_was(network), torch.no_grad():
            network.eval()
            before = _numbers_of(network)
            for _ in range(REPEATS):
                for batch in batches:
                    gap = _gap(graph.run(batch), network(batch.clone()))
                    if gap > TOLERANCE:
                        return Unread(f"its graph answers otherwise on {len(batch)} rows (by {gap:.1e})")
            changed = [name for name, value in _numbers_of(network).items() if before.get(name) != value]
    except Exception as error:
        return Unread(f"its graph cannot be run: {_unread(error).reason}")
    return Unread(f"it changes {changed[0]} whenever it runs") if changed else graph


def _read(network: nn.Module, example: Tensor, training: bool, rows: int | None) -> Graph | Unread:
    try:
        return _record(network, example, training, rows).graph
    except Exception as error:  # whatever torch.export, or the network in its hands, may raise
        return _unread(error)


@dataclass(frozen=True)
class _Recorded:
    """What was recorded of a network: its graph, and the program that answers, for batches of ``rows`` if not any."""

    graph: Graph
    program: Any
    module: nn.Module
    rows: int | None

    @property
    def shares(self) -> bool:
        """Whether it serves networks that are alike: the program holds no numbers but parameters and buffers."""
        return all(one.kind != "constant" for one in self.graph.stored.values())

    def of(self, network: nn.Module) -> Graph:
        """The graph of a network that is like the recorded one."""
        mine = numbers(network)
        stored = {name: replace(one, value=mine[one.path]) for name, one in self.graph.stored.items()}
        given = {one.path: one.value for one in stored.values()}

        def run(batch: Tensor) -> Any:
            return functional_call(self.module, given, (batch,))

        return replace(
            self.graph,
            stored=stored,
            run=run if self.rows is None else _in_pieces(run, self.rows),
            constants=lambda: _constants(self.program, stored),
        )


def _record(network: nn.Module, example: Tensor, training: bool, rows: int | None) -> _Recorded:
    with quietly(), as_it_was(network):
        program, free = _export(network.train(training), example)
        rows = None if free else rows
        module = program.module(check_guards=False)
        return _Recorded(_graph_of(program, module, rows), program, module, rows)


def _unread(error: Exception) -> Unread:
    return Unread(" ".join(f"{type(error).__name__}: {error}".split())[:300])


def _unlike_any(network: nn.Module, example: Tensor) -> int:
    """A number of rows that is the size of nothing else."""
    sizes = {size for tensor in (*network.parameters(), *network.buffers()) for size in tensor.shape}
    sizes |= set(example.shape[1:])
    return next(prime for prime in _PRIMES if all(size % prime for size in sizes if size))


_PRIMES = (61, 67, 71, 73, 79, 83, 89, 97, 101, 103, 107, 109, 113, 127, 131, 137, 139)


@contextmanager
def as_it_was(network: nn.Module) -> Iterator[None]:
    """Put back the attributes of every module afterwards: which tensors they are, not the tensors' numbers."""
    before = [(module, {name: _shallow(value) for name, value in vars(module).items()}) for module in network.modules()]
    try:
        yield
    finally:
        for module, attributes in before:
            vars(module).clear()
            vars(module).update(attributes)


def _shallow(value: Any) -> Any:
    return value.copy() if isinstance(value, (dict, list, set)) else value


def _numbers_of(network: nn.Module) -> dict[str, float]:
    """The plain numbers among the attributes of its modules, by path."""
    return {
        f"{path}.{name}".lstrip("."): value
        for path, module in network.named_modules()
        for name, value in vars(module).items()
        if isinstance(value, (int, float)) and name != "training"
    }


def _gap(one: Any, other: Any) -> float:
    """The largest difference relative to the largest answer; two equal infinities or NaN are no difference."""
    if not (isinstance(one, Tensor) and isinstance(other, Tensor)) or one.shape != other.shape:
        return float("inf")
    same = (one == other) | (one.isnan() & other.isnan())
    scale = other.nan_to_num(posinf=0.0, neginf=0.0).abs().max().clamp_min(1e-30)
    off = torch.where(same, 0.0, (one - other).abs() / scale)
    return float(off.max()) if bool(off.isfinite().all()) else float("inf")


@contextmanager
def quietly() -> Iterator[None]:
    """No warnings, the generators put back, and gradients on: torch's fast paths are taken where they are off."""
    with warnings.catch_warnings(), torch.random.fork_rng(devices=[]), torch.enable_grad():
        warnings.simplefilter("ignore")
        yield


def _export(network: nn.Module, example: Tensor) -> tuple[Any, bool]:
    """The exported program, and whether it is of any number of rows: else it is of as many as ``example`` has."""
    try:
        rows = {0: torch.export.Dim("rows", min=1)}
        program = torch.export.export(network, (example,), dynamic_shapes=(rows,), strict=False)
    except Exception:  # the network settles the number of rows; whether that matters, running it will tell
        program = torch.export.export(network, (example,), strict=False)
    (given,) = program.graph_signature.user_inputs
    # a number of rows that was settled on the way may still be a symbol, of a value that is known
    free = any(n.name == given and not str(n.meta["val"].shape[0]).isdigit() for n in program.graph.nodes)
    if any(_writes(node) for node in program.graph.nodes):
        return program.run_decompositions({}), free
    return program, free


def _in_pieces(run: Any, rows: int) -> Any:
    """A program of batches of ``rows`` on batches of any size: in pieces, the last one filled up."""

    def run_in_pieces(batch: Tensor) -> Tensor:
        pieces = []
        for start in range(0, len(batch), rows):
            piece = batch[start : start + rows]
            filled = piece[torch.arange(rows, device=batch.device) % len(piece)]
            pieces.append(run(filled)[: len(piece)])
        return torch.cat(pieces)

    return run_in_pieces


def _writes(node: Any) -> bool:
    schema = getattr(node.target, "_schema", None)
    return node.op == "call_function" and schema is not None and schema.is_mutable


def _graph_of(program: Any, module: nn.Module, rows: int | None) -> Graph:
    signature = program.graph_signature
    (given,) = signature.user_inputs
    stored = {one.name: one for one in _stored(program)}
    carrying = {given}
    operations = []
    output: Argument = None
    for node in program.graph.nodes:
        if node.op == "output":
            places = [spec.kind.name == "USER_OUTPUT" for spec in signature.output_specs]
            output = tuple(_argument(a) for a, mine in zip(node.args[0], places, strict=True) if mine)
        elif node.op == "call_function":
            operation = _operation(node, carrying, rows)
            operations.append(operation)
            if operation.carries:
                carrying.add(operation.name)
    only = output[0] if isinstance(output, tuple) and len(output) == 1 else output
    run = module if rows is None else _in_pieces(module, rows)
    (shape,) = [_shape(node.meta.get("val"), rows) for node in program.graph.nodes if node.name == given]
    return Graph(given, shape or (), stored, tuple(operations), only, run, lambda: _constants(program, stored))


def _constants(program: Any, stored: Mapping[str, Stored]) -> dict[str, Any]:
    """The results of operations on stored tensors and numbers alone."""
    made: dict[Any, Any] = {}
    with torch.no_grad():
        for node in program.graph.nodes:
            if node.op == "placeholder" and node.name in stored:
                made[node] = stored[node.name].value
            elif node.op == "call_function" and _is_fixed(node) and all(one in made for one in node.all_input_nodes):
                given = torch.fx.map_arg((node.args, node.kwargs), made.__getitem__)
                made[node] = node.target(*given[0], **given[1])
    return {node.name: value for node, value in made.items()}


def _is_fixed(node: Any) -> bool:
    """Whether the operation gives the same for the same arguments."""
    tags = getattr(node.target, "tags", ())
    return torch.Tag.nondeterministic_seeded not in tags and "empty" not in str(node.target) and not _writes(node)


def _stored(program: Any) -> list[Stored]:
    kinds: dict[str, Literal["parameter", "buffer", "constant"]] = {
        "PARAMETER": "parameter",
        "BUFFER": "buffer",
        "CONSTANT_TENSOR": "constant",
    }
    found = []
    for spec in program.graph_signature.input_specs:
        kind = kinds.get(spec.kind.name)
        if kind is not None:
            values = program.constants if spec.target not in program.state_dict else program.state_dict
            found.append(Stored(spec.arg.name, spec.target, kind, values[spec.target].detach()))
    return found


def _operation(node: Any, carrying: set[str], rows: int | None) -> Operation:
    target = str(node.target) if hasattr(node.target, "_schema") else getattr(node.target, "__name__", "unknown")
    arguments = tuple(_argument(argument) for argument in node.args)
    keywords = tuple((name, _argument(argument)) for name, argument in node.kwargs.items())
    refs = refs_in((arguments, tuple(value for _, value in keywords)))
    makes_alike = any(part in target for part in _MAKES_ALIKE)
    return Operation(
        name=node.name,
        target=target,
        arguments=arguments,
        keywords=keywords,
        shape=_shape(node.meta.get("val"), rows),
        modules=_modules(node.meta.get("nn_module_stack") or {}),
        carries=not makes_alike and any(ref.name in carrying for ref in refs),
    )


def _argument(argument: Any) -> Argument:
    if isinstance(argument, torch.fx.Node):
        return Ref(argument.name)
    if isinstance(argument, (list, tuple)):
        return tuple(_argument(one) for one in argument)
    if isinstance(argument, slice):
        return tuple(_argument(one) for one in (argument.start, argument.stop, argument.step))
    return argument if isinstance(argument, (int, float, bool, str)) or argument is None else str(argument)


def _shape(value: Any, rows: int | None) -> tuple[int | None, ...] | None:
    if not isinstance(value, Tensor):
        return None
    return tuple(size if isinstance(size, int) and size != rows else None for size in value.shape)


def _modules(stack: Mapping[str, Any]) -> tuple[tuple[str, str], ...]:
    entries = [entry for entry in stack.values() if isinstance(entry, tuple) and len(entry) == 2]
    return tuple(
        (str(path).removeprefix("_export_root.").removeprefix("_export_root"), str(of)) for path, of in entries
    )
