"""The runner: plans sweeps, trains, probes far away, stores records. ``import farfield`` is the way in.

>>> import bench
>>> results = bench.run(tasks=["sine-1d"], architectures=["mlp"], norms=["none", "layer@first"])  # doctest: +SKIP
"""

from __future__ import annotations

from bench.core.shadowing import install

TYPE_CHECKING = False
if TYPE_CHECKING:
    from bench.api import run
    from bench.sweep.runner import Results

__all__ = ["Results", "run"]

install()  # before anything else is imported, so that no file of the user's stands in for what comes now


def __getattr__(name: str) -> object:
    """Load the sweep only when it is asked for."""
    if name == "run":
        from bench.api import run

        return run
    if name == "Results":
        from bench.sweep.runner import Results

        return Results
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
