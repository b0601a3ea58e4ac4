"""The code that a page offers: it builds the recommended network in plain torch, trains it, and probes it."""

from __future__ import annotations

import dataclasses
import shlex
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from bench.comparing.choice import Choice
from bench.comparing.plain import plain_network
from bench.comparing.template import FARFIELD, PROBE, setup, training
from bench.plan.protocol import Protocol
from tasks.families.own.options import OwnData

if TYPE_CHECKING:
    from tasks import StandardizedTask, Task


def paste(task: Task, loaded: StandardizedTask, choice: Choice, protocol: Protocol, plugins: Sequence[str] = ()) -> str:
    """Python that reads the table, builds ``choice`` in plain torch, trains it as ``protocol`` does, and probes it.

    Where the network is not made of torch's own layers in a row, it is built by FarField instead.
    """
    schedule = protocol.schedule(loaded.card, len(loaded.train))
    network = plain_network(choice.architecture, choice.norm, loaded.problem)
    if network is None:
        loading = "".join(f"load_plugin({file!r})\n" for file in plugins)
        loading = f"from bench.core.plugins import load_plugin\n\n{loading}" if loading else ""
        network = FARFIELD.format(architecture=choice.architecture, norm=choice.norm, loading=loading)
    given = ", ".join(f"{name}={value!r}" for name, value in _given(task).items() if name != "path")
    table = f"ff.own_data({_options(task).path!r}, {given})"
    values = {
        "STEPS": repr(schedule.steps),
        "RATES": repr(schedule.learning_rates),
        "RUNGS": repr(tuple((rung.step, rung.kept) for rung in schedule.rungs)),  # (step, rates that go on from there)
        "CHECKS": repr(len(schedule.checks) if schedule.selects or schedule.rungs else 1),
        "BEST": f"{schedule.selects}  # whether the weights of the best check are kept, or the last ones",
        "BATCH": repr(schedule.batch_size),
    }
    return "\n\n\n".join((setup(table, values), network.strip(), training(schedule.optimizer), PROBE.strip())) + "\n"


def reproduce(
    task: Task,
    architectures: Sequence[str],
    norms: Sequence[str],
    protocol: str,
    seeds: int | str | Sequence[int] | None,
    out: str | Path,
    plugins: Sequence[str] = (),
) -> str:
    """The command that makes the same page again."""
    words = ["farfield", "compare"]
    for name, value in _given(task).items():
        words += ["--data" if name == "path" else "--" + name.replace("_", "-"), str(value)]
    for flag, names in (("--arch", architectures), ("--norm", norms), ("--plugin", plugins)):
        for name in names:
            words += [flag, name]
    words += ["--protocol", protocol]
    if seeds is not None:
        words += ["--seeds", str(seeds) if isinstance(seeds, int | str) else ",".join(map(str, seeds)) + ","]
    return shlex.join([*words, "--out", str(out)])


def _options(task: Task) -> OwnData:
    assert isinstance(task.options, OwnData)
    return task.options


def _given(task: Task) -> dict[str, Any]:
    """Options of the table that differ from their default."""
    options = _options(task)
    each = {f.name: (getattr(options, f.name), f.default) for f in dataclasses.fields(options)}
    return {name: value for name, (value, default) in each.items() if value != default}
