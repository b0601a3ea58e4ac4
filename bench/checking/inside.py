"""The inside of the process in which a file is checked: its orders come on stdin, its reports go to a descriptor.

Each step is announced before it runs, so that whoever watches can say which one hung or killed the process.
"""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Callable, Collection, Iterable
from functools import partial

import architectures
import tasks
from bench.checking.findings import Finding
from bench.checking.process_state import GENERATORS, ProcessState, limit_memory
from bench.checking.reporter import Reporter
from bench.core.plugins import Plugin, load_plugin

IMPORTS = ("the file imports", "Runs the file once, as --plugin does.")
REGISTERS = (
    "it registers one thing",
    "Looks which architectures, norms or tasks are there that were not there before.",
)
RUNS = ("the checks can be run", "Resolves the name and looks at what it stands for.")
LEAVES = (
    "it leaves the process as it was",
    "Compares generators, default dtype, threads, folders and handlers before and after.",
)


def _raise(error: BaseException) -> Finding:
    raise error


def main(descriptor: str) -> None:
    """Check the file that stdin describes and end the process, whatever threads are left.

    Args:
        descriptor: number of the open file that reports are written to.
    """
    order = json.load(sys.stdin)
    sys.stdin = open(os.devnull)  # noqa: SIM115 - it stays open as long as the process lives
    reporter = Reporter(int(descriptor))
    plugin = Plugin.unpacked(order["plugin"])
    from architectures.analysis.graph_reading import warm_up
    from bench.checking import norms, subjects  # import torch, which must not count against the file

    warm_up()
    limit_memory(order["memory"])
    before = ProcessState.now()
    checks = {**subjects.SUBJECTS, "norm": norms.check_norm}
    names = _load(plugin, reporter, before)
    for kind, name in names:
        try:
            checks[kind](name, reporter)
        except BaseException as error:  # of what runs between the steps
            reporter.run(*RUNS, "", partial(_raise, error))
    if names:
        # Libraries that the checks themselves have needed may have drawn numbers; the contract watches the generators.
        reporter.run(*LEAVES, "after all checks", lambda: _unchanged(before, "after all checks", GENERATORS))
    reporter.say("end")
    os._exit(0)


def _load(plugin: Plugin, reporter: Reporter, before: ProcessState) -> list[tuple[str, str]]:
    known = {kind: set(names()) for kind, names in _REGISTRIES.items()}

    def imports() -> Finding:
        load_plugin(plugin)
        return Finding(*IMPORTS, "", True, "it does")

    if not reporter.run(*IMPORTS, "", imports).passed:
        return []
    found = [(kind, name) for kind, names in _REGISTRIES.items() for name in names() if name not in known[kind]]
    reporter.say("registered", names=[name for _, name in found])
    if not reporter.run(*REGISTERS, "", lambda: _one(found)).passed:
        return []
    reporter.run(*LEAVES, "after the import", lambda: _unchanged(before, "after the import"))
    return found


_REGISTRIES: dict[str, Callable[[], Iterable[str]]] = {
    "architecture": lambda: architectures.REGISTRY.names(),
    "norm": lambda: architectures.NORM_REGISTRY.names(),
    "task": lambda: tasks.REGISTRY.names(),
}


def _one(found: list[tuple[str, str]]) -> Finding:
    if len(found) == 1:
        return Finding(*REGISTERS, "", True, " ".join(found[0]))
    if not found:
        hint = 'write @register_architecture("my-net") above the function, or run it as module(file.py:function)'
        return Finding(*REGISTERS, "", False, "it registers nothing", hint)
    names = ", ".join(name for _, name in found)
    return Finding(*REGISTERS, "", False, f"it registers {len(found)} names: {names}", "give each a file of its own")


def _unchanged(before: ProcessState, where: str, but: Collection[str] = ()) -> Finding:
    changed = ProcessState.now().differs_from(before, but)
    if changed:
        hint = "set nothing global, end what you start; take random numbers from torch's generator in the builder only"
        return Finding(*LEAVES, where, False, f"changed: {', '.join(changed)}", hint)
    return Finding(*LEAVES, where, True, "unchanged")
