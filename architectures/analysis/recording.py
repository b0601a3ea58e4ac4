"""The operations of one run of a network, where ``torch.export`` cannot record it: it branches on numbers, say.

What is recorded holds for the rows that were run and no others. It tells whether a network normalizes; it proves
nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from torch import Tensor, nn
from torch.utils._python_dispatch import TorchDispatchMode

from architectures.analysis.graph import Argument, Graph, Operation, Ref, Stored, refs_in
from architectures.analysis.graph_reading import as_it_was, quietly


def record_graph(network: nn.Module, example: Tensor, training: bool = False) -> Graph:
    """The operations that ``network`` runs for ``example``, below autograd; raises whatever the network raises.

    Args:
        network: left with the attributes that it had; its buffers may move in training.
        example: rows.
        training: in training mode.
    """
    with quietly(), as_it_was(network):
        network.train(training)
        recorder = _Recorder(network, example)
        hooks = recorder.follow(network)
        try:
            with recorder:
                answer = network(example)
        finally:
            for hook in hooks:
                hook.remove()
        return Graph(
            "input",
            tuple(example.shape),
            recorder.stored,
            tuple(recorder.operations),
            recorder.argument(answer),
            network,
        )


class _Recorder(TorchDispatchMode):  # type: ignore[no-untyped-call]
    """Names every tensor that it meets."""

    def __init__(self, network: nn.Module, example: Tensor) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self.operations: list[Operation] = []
        self.stored: dict[str, Stored] = {}
        self._names: dict[int, str] = {}
        self._held: list[Tensor] = []  # so that no number of a dead tensor is given to another
        self._carrying = {"input"}
        self._inside: list[tuple[str, str]] = []
        self._name(example, "input")
        for path, parameter in network.named_parameters():
            self._store(parameter, path, "parameter")
        for path, buffer in network.named_buffers():
            self._store(buffer, path, "buffer")

    def follow(self, network: nn.Module) -> list[Any]:
        """Hooks that tell which module runs."""
        hooks: list[Any] = []
        for path, module in network.named_modules():
            of = f"{type(module).__module__}.{type(module).__qualname__}"
            hooks.append(module.register_forward_pre_hook(self._entering((path, of))))
            hooks.append(module.register_forward_hook(self._leaving, always_call=True))
        return hooks

    def argument(self, value: Any) -> Argument:
        """``value`` as a graph has it."""
        if isinstance(value, Tensor):
            if id(value) not in self._names:
                self._store(value, f"constant{len(self.stored)}", "constant")
            return Ref(self._names[id(value)])
        if isinstance(value, (list, tuple)):
            return tuple(self.argument(one) for one in value)
        return value if isinstance(value, (int, float, bool, str)) or value is None else str(value)

    def __torch_dispatch__(
        self, func: Any, types: Any, args: tuple[Any, ...] = (), kwargs: Mapping[str, Any] | None = None
    ) -> Any:
        """Run ``func`` and write it down."""
        given = dict(kwargs or {})
        arguments = tuple(self.argument(one) for one in args)
        keywords = tuple((name, self.argument(value)) for name, value in given.items())
        result = func(*args, **given)
        names = [ref.name for ref in refs_in((arguments, tuple(value for _, value in keywords)))]
        carries = any(name in self._carrying for name in names) and "_like" not in str(func)
        for place, one in enumerate(result if isinstance(result, (list, tuple)) else [result]):
            if isinstance(one, Tensor):
                name = f"value{len(self.operations)}_{place}"
                self._name(one, name)
                if carries:
                    self._carrying.add(name)
                shape = tuple(one.shape)
                self.operations.append(
                    Operation(name, str(func), arguments, keywords, shape, tuple(self._inside), carries)
                )
        return result

    def _name(self, tensor: Tensor, name: str) -> None:
        self._held.append(tensor)
        self._names[id(tensor)] = name

    def _store(self, tensor: Tensor, path: str, kind: Any) -> None:
        name = f"{kind}:{path}"
        self.stored[name] = Stored(name, path, kind, tensor.detach())
        self._name(tensor, name)

    def _entering(self, place: tuple[str, str]) -> Callable[..., None]:
        return lambda module, given: self._inside.append(place)

    def _leaving(self, module: nn.Module, given: Any, answer: Any) -> None:
        self._inside.pop()
