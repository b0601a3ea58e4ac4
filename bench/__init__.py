"""FarField: what does a neural network answer far away from everything it was trained on?

>>> import bench
>>> results = bench.run(tasks=["sine-1d"], architectures=["mlp"], norms=["none", "layer@first"])  # doctest: +SKIP
>>> results.frame()[["norm", "far_error", "max_growth"]]  # doctest: +SKIP
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from bench.api import run
    from bench.sweep.runner import Results

__all__ = ["Results", "run"]


def __getattr__(name: str) -> Any:
    """Load the sweep only when it is asked for."""
    if name == "run":
        from bench.api import run

        return run
    if name == "Results":
        from bench.sweep.runner import Results

        return Results
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
