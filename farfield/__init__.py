"""FarField: what does a neural network answer far away from everything it was trained on?

>>> import farfield as ff
>>> results = ff.run(tasks=["sine-1d"], architectures=["mlp"], norms=["none", "layer@first"])  # doctest: +SKIP
>>> results.frame()[["norm", "far_error", "max_growth"]]  # doctest: +SKIP
>>> ff.standings(results)  # doctest: +SKIP

Everything here is implemented elsewhere and loaded when it is asked for.
"""

from __future__ import annotations

import os
import sys

TYPE_CHECKING = False  # typing itself takes as long to import as all of this
if TYPE_CHECKING:
    from architectures import kernels as kernels
    from architectures import list_architectures as list_architectures
    from architectures import list_norms as list_norms
    from architectures import register_architecture as register_architecture
    from architectures import register_estimator as register_estimator
    from architectures import register_norm as register_norm
    from bench.api import dry_run as dry_run
    from bench.api import run as run
    from bench.comparing.run import DataComparison as DataComparison
    from bench.comparing.run import compare_data as compare_data
    from bench.core.errors import InputError as InputError
    from bench.core.errors import Unsupported as Unsupported
    from bench.core.problem import Problem as Problem
    from bench.dry_run import DryRun as DryRun
    from bench.plan.protocol import list_protocols as list_protocols
    from bench.plan.suite import Suite as Suite
    from bench.plan.suite import list_suites as list_suites
    from bench.plan.suite import load_suite as load_suite
    from bench.reading import Loaded as Loaded
    from bench.reading import check as check
    from bench.reading import compare as compare
    from bench.reading import load as load
    from bench.reading import plot as plot
    from bench.reading import standings as standings
    from bench.sweep.runner import Results as Results
    from leaderboard.records.record import Record as Record
    from tasks import Budget as Budget
    from tasks import FarSet as FarSet
    from tasks import Rows as Rows
    from tasks import Samples as Samples
    from tasks import Task as Task
    from tasks import list_tasks as list_tasks
    from tasks import own_data as own_data
    from tasks import register_task as register_task

__version__ = "0.1.0"

# Where each name is. A new one is a line here and one above, for editors and type checkers.
_PLACES = {
    "Budget": "tasks",
    "DataComparison": "bench.comparing.run",
    "DryRun": "bench.dry_run",
    "FarSet": "tasks",
    "InputError": "bench.core.errors",
    "Loaded": "bench.reading",
    "Problem": "bench.core.problem",
    "Record": "leaderboard.records.record",
    "Results": "bench.sweep.runner",
    "Rows": "tasks",
    "Samples": "tasks",
    "Suite": "bench.plan.suite",
    "Task": "tasks",
    "Unsupported": "bench.core.errors",
    "check": "bench.reading",
    "compare": "bench.reading",
    "compare_data": "bench.comparing.run",
    "dry_run": "bench.api",
    "kernels": "architectures",
    "list_architectures": "architectures",
    "list_norms": "architectures",
    "list_protocols": "bench.plan.protocol",
    "list_suites": "bench.plan.suite",
    "list_tasks": "tasks",
    "load": "bench.reading",
    "load_suite": "bench.plan.suite",
    "own_data": "tasks",
    "plot": "bench.reading",
    "register_architecture": "architectures",
    "register_estimator": "architectures",
    "register_norm": "architectures",
    "register_task": "tasks",
    "run": "bench.api",
    "standings": "bench.reading",
}
__all__ = ["__version__", *_PLACES]


def _guard() -> None:
    """See to it that the packages beside this one are ours, whatever lies in the user's folder."""
    home = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
    if "bench" in sys.modules:
        file = getattr(sys.modules["bench"], "__file__", None) or "a folder without __init__.py"
        if os.path.realpath(file) != os.path.realpath(os.path.join(home, "bench", "__init__.py")):
            raise ImportError(f"{file} stands where FarField's package 'bench' should be: rename it")
    sys.path.insert(0, home)
    try:
        from bench.core.shadowing import check_shadowing
    finally:
        sys.path.remove(home)
    check_shadowing()


_guard()


def __getattr__(name: str) -> object:
    """Import what is asked for."""
    if name not in _PLACES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    import importlib

    from bench.core.shadowing import check_shadowing

    check_shadowing()
    found: object = getattr(importlib.import_module(_PLACES[name]), name)
    return found


def __dir__() -> list[str]:
    return sorted(__all__)
