"""``farfield plot kernel`` and ``farfield plot convergence``: pictures of the theorem, which need no records."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any

import typer

DEFAULT_NORMS = ("none", "layer@first")


class KernelChoice(StrEnum):
    """Which kernel."""

    ntk = "ntk"
    nngp = "nngp"


WhichKernel = Annotated[KernelChoice, typer.Option("--kernel", help="Tangent kernel, or covariance at initialization.")]
Depth = Annotated[int, typer.Option("--depth", min=1, help="Hidden layers.")]
ActivationOption = Annotated[str, typer.Option("--activation", help="relu, leaky_relu, erf, gelu or identity.")]
Schemes = Annotated[
    list[str] | None, typer.Option("--norm", help="A norm scheme; repeatable. [default: none and layer@first]")
]
Out = Annotated[Path, typer.Option("--out", help="Folder of the picture.", show_default=True)]
Save = Annotated[
    Path | None, typer.Option("--save", help="The picture's file; its ending decides. [default: OUT/<plot>.png]")
]
_OUT = Path("farfield-results")


def add_kernel_plots(app: typer.Typer) -> None:
    """Add both commands."""
    app.command("kernel")(kernel)
    app.command("convergence")(convergence)


def kernel(
    norm: Schemes = None,
    which: WhichKernel = KernelChoice.ntk,
    depth: Depth = 3,
    activation: ActivationOption = "relu",
    reach: Annotated[float, typer.Option("--reach", help="The map goes from -reach to reach.")] = 25.0,
    points: Annotated[int, typer.Option("--points", help="Along each side of the map.")] = 51,
    out: Out = _OUT,
    save: Save = None,
) -> None:
    """Kernels of infinitely wide networks over one input: heat maps, one a norm scheme. Needs no records.

    farfield plot kernel --norm none --norm layer@first --activation gelu
    """
    from bench.commands._kernel_pictures import kernel_picture

    chart = kernel_picture(norm or DEFAULT_NORMS, which.value, depth, activation, reach, points)
    _finish(chart, save or out / "kernel.png")


def convergence(
    norm: Schemes = None,
    which: WhichKernel = KernelChoice.ntk,
    depth: Depth = 3,
    activation: ActivationOption = "relu",
    width: Annotated[
        list[int] | None, typer.Option("--width", help="Of the networks; repeatable. [default: 64, 128 ... 4096]")
    ] = None,
    seeds: Annotated[int, typer.Option("--seeds", help="Networks of each width.")] = 10,
    out: Out = _OUT,
    save: Save = None,
) -> None:
    """How far the kernels of finite networks are from their infinite limit. Needs no records, and some minutes.

    farfield plot convergence --width 64 --width 256 --width 1024
    """
    from bench.commands._kernel_pictures import convergence_picture

    chart = convergence_picture(norm or DEFAULT_NORMS, width, which.value, depth, activation, seeds)
    _finish(chart, save or out / "convergence.png")


def _finish(chart: Any, target: Path) -> None:
    from leaderboard.charts import save

    print(save(chart, target))
