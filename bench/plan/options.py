"""The settings of a sweep, each stated once: name, flag, help, default and check.

``bench.run()`` has a keyword and ``farfield run`` a flag for every field of :class:`CellOptions`,
:class:`SweepOptions` and :class:`bench.tracking.options.WandbOptions`; commands that read a store have a flag for every
field of :class:`FilterOptions`. Checks raise :class:`InputError` placed at the flag.
"""

from __future__ import annotations

import dataclasses
import math
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, get_args

from bench.core.errors import InputError
from bench.core.problem import MAX_PARAMETERS

ProgramName = Literal["chain", "vmap", "loop"]
"""A training program, see :mod:`bench.training.program`."""

PROGRAMS: tuple[ProgramName, ...] = get_args(ProgramName)
MOST_WORKERS = 1024
MOST_GIGABYTES = 1e6


def setting(default: Any, flag: str, help: str, *, otherwise: str = "") -> Any:  # noqa: A002
    """A field of an options class.

    Args:
        default: its value where nothing is given.
        flag: as the command line spells it.
        help: one line for people.
        otherwise: what happens without it, where the default is ``None`` and that needs words.
    """
    return dataclasses.field(default=default, metadata={"flag": flag, "help": help, "otherwise": otherwise})


@dataclass(frozen=True, kw_only=True)
class CellOptions:
    """What is run. Tasks, architectures and norms form a product; beside a suite they choose from its cells."""

    suite: str | None = setting(None, "--suite", "A suite's name (farfield list suites) or a YAML file.")
    tasks: tuple[str, ...] = setting((), "--task", "A task, e.g. protein.")
    architectures: tuple[str, ...] = setting((), "--arch", "An architecture, e.g. 'mlp(width=256)'.")
    norms: tuple[str, ...] = setting((), "--norm", "A norm scheme, e.g. layer@first.", otherwise="none")
    seeds: str | None = setting(None, "--seeds", "3 means 0, 1, 2; 0,4,7 names them.", otherwise="the suite's, or 5")
    protocol: str | None = setting(
        None,
        "--protocol",
        "Training protocol: 2, quick, paper, or a variant of 2 that farfield list protocols names.",
        otherwise="the suite's, or 2",
    )
    plugins: tuple[Path, ...] = setting((), "--plugin", "Python file that registers tasks or architectures.")


@dataclass(frozen=True, kw_only=True)
class OutOptions:
    """Where results are."""

    out: Path = setting(Path("farfield-results"), "--out", "Folder of the results.")


@dataclass(frozen=True, kw_only=True)
class SweepOptions(OutOptions):
    """How it is run. None of it changes what a record says, time apart.

    Raises:
        InputError: a number out of range, or no such program. Whether the device is here is found when it is used.
    """

    workers: int | None = setting(None, "--workers", "Worker processes.", otherwise="one a core; on a GPU at most 8")
    device: str = setting("cpu", "--device", "cpu, cuda, cuda:1, or auto.")
    timeout: float | None = setting(None, "--timeout", "Seconds a cell may take.")
    memory_limit: float | None = setting(
        None, "--memory-limit", "Gigabytes of address space a worker may take; torch alone maps about 3."
    )
    retry: bool = setting(False, "--retry", "Run failed and timed-out records again.")
    keep_weights: bool = setting(False, "--keep-weights", "Keep the selected weights as safetensors.")
    max_parameters: int = setting(MAX_PARAMETERS, "--max-parameters", "Networks with more parameters are not run.")
    program: ProgramName | None = setting(
        None, "--program", "How members train: chain, vmap or loop.", otherwise="by the size of a step"
    )

    def __post_init__(self) -> None:
        if self.workers is not None and not 1 <= self.workers <= MOST_WORKERS:
            raise InputError(f"{self.workers} workers", where="--workers", hint=f"between 1 and {MOST_WORKERS}")
        if self.timeout is not None and not 0 < self.timeout < math.inf:
            raise InputError(f"a timeout of {self.timeout:g} seconds", where="--timeout", hint="give a positive number")
        if self.memory_limit is not None and not 0 < self.memory_limit <= MOST_GIGABYTES:
            hint = f"give a positive number up to {MOST_GIGABYTES:g}"
            raise InputError(f"{self.memory_limit:g} gigabytes", where="--memory-limit", hint=hint)
        if self.max_parameters < 1:
            raise InputError(f"{self.max_parameters} parameters", where="--max-parameters", hint="at least 1")
        if self.program is not None and self.program not in PROGRAMS:
            raise InputError(f"unknown program {self.program!r}", where="--program", hint="chain, vmap or loop")

    @property
    def memory_bytes(self) -> int | None:
        """The memory limit in bytes."""
        return None if self.memory_limit is None else int(self.memory_limit * 2**30)


@dataclass(frozen=True, kw_only=True)
class FilterOptions(OutOptions):
    """Which stored records a command speaks of; what is not given asks for all."""

    protocol: str | None = setting(
        None, "--protocol", "Only this protocol: 2, quick or paper; 1, quick-1 or paper-1 are older; or a variant."
    )
    tasks: tuple[str, ...] = setting((), "--task", "Only these tasks (patterns such as 'sine*').")
    architectures: tuple[str, ...] = setting((), "--arch", "Only these architectures (patterns).")
    norms: tuple[str, ...] = setting((), "--norm", "Only these norm schemes (patterns).")
    real: bool | None = setting(
        None, "--real/--computed", "Only tasks measured in the world, or only those computed from a formula."
    )


@dataclass(frozen=True, kw_only=True)
class SuiteFilterOptions(FilterOptions):
    """The same, within a suite."""

    suite: str | None = setting(None, "--suite", "Only the cells of this suite (a name or a YAML file).")


@dataclass(frozen=True, kw_only=True)
class StatusFilterOptions(FilterOptions):
    """The same, by how records ended."""

    statuses: tuple[str, ...] = setting((), "--status", "ok, diverged, unsupported, failed or timeout.")
