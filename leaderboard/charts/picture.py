"""What a task looks like: training and far inputs in two dimensions."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from bench.core.errors import InputError
from leaderboard.charts.drawing.style import OKABE_ITO, fitted, titled
from leaderboard.charts.panels import SMALL, Row, chart_of, concatenate

MOST_POINTS = 1500  # of each set
_SHAPES = ("circle", "triangle-up", "square", "diamond", "triangle-down", "cross")


@dataclass(frozen=True)
class PictureSet:
    """One set of rows.

    Attributes:
        name: how it is called in the legend; the first set of a chart is the training set.
        inputs: standardized, shape (n, ...): all but the first axis are flattened.
        targets: shape (n,), in any unit.
    """

    name: str
    inputs: ArrayLike
    targets: ArrayLike


def task_chart(task: str, sets: Sequence[PictureSet], *, target_name: str = "target", note: str = "") -> Any:
    """Inputs of all sets on the first two principal components of the training inputs, by set and by target.

    A task with one input is drawn against its target instead.

    Args:
        task: its name.
        sets: the training set first.
        target_name: with its unit.
        note: a further line of the subtitle (the far rule).

    Raises:
        InputError: no rows.
    """
    if not sets or not all(len(np.asarray(s.targets)) for s in sets):
        raise InputError(f"task {task!r} has a set without rows", hint="choose another task")
    flat = [_flat(s) for s in sets]
    if flat[0].shape[1] == 1:
        places, titles = (
            [np.column_stack([x, np.asarray(s.targets, float)]) for x, s in zip(flat, sets, strict=True)],
            ("standardized input", target_name),
        )
    else:
        places, titles = _projected(flat)
    rows: list[Row] = []
    for one, xy in zip(sets, places, strict=True):
        targets = np.asarray(one.targets, dtype=np.float64)
        chosen = np.linspace(0, len(xy) - 1, min(len(xy), MOST_POINTS)).astype(int)
        rows += [
            {"set": one.name, "x": float(xy[i, 0]), "y": float(xy[i, 1]), "target": float(targets[i])} for i in chosen
        ]
    counts = " · ".join(f"{s.name}: {len(np.asarray(s.targets)):,} rows" for s in sets)
    layers = {
        "by set": [_points(rows, [s.name for s in sets], titles, None)],
        f"by {target_name}": [_points(rows, [s.name for s in sets], titles, target_name)],
    }
    shown = f"at most {MOST_POINTS:,} of each are drawn" if any(len(x) > MOST_POINTS for x in flat) else ""
    return titled(
        concatenate(layers, 2).resolve_scale(color="independent", shape="independent"),
        f"Training and far inputs: {task}",
        [line for line in (counts, shown, note) if line],
    )


def _flat(one: PictureSet) -> NDArray[np.float64]:
    inputs = np.asarray(one.inputs, dtype=np.float64)
    return inputs.reshape(len(inputs), -1)


def _projected(flat: Sequence[NDArray[np.float64]]) -> tuple[list[NDArray[np.float64]], tuple[str, str]]:
    """Principal components of the training inputs (the first array), and how much of their variance each holds."""
    train = flat[0][np.linspace(0, len(flat[0]) - 1, min(len(flat[0]), 5000)).astype(int)]
    centre = train.mean(axis=0)
    _, values, axes = np.linalg.svd(train - centre, full_matrices=False)
    shares = values**2 / np.sum(values**2)
    axes = axes[:2] * np.sign(axes[:2][np.arange(2), np.abs(axes[:2]).argmax(axis=1)])[:, None]  # signs are arbitrary
    titles = (f"1st principal component ({shares[0]:.0%})", f"2nd principal component ({shares[1]:.0%})")
    return [(x - centre) @ axes.T for x in flat], titles


def _points(rows: list[Row], names: Sequence[str], titles: tuple[str, str], target_name: str | None) -> Any:
    import altair as alt

    shapes = alt.Scale(domain=list(names), range=[_SHAPES[i % len(_SHAPES)] for i in range(len(names))])
    legend = alt.Legend(title="set", orient="bottom", symbolOpacity=1, columns=3) if target_name is None else None
    shape = alt.Shape("set:N", scale=shapes, legend=legend)
    if target_name is None:
        colors = alt.Scale(
            domain=list(names),
            range=[OKABE_ITO[(i + 4) % len(OKABE_ITO)] if i else "#999999" for i in range(len(names))],
        )
        color = alt.Color("set:N", scale=colors, legend=legend)
    else:
        color = alt.Color(
            "target:Q",
            scale=alt.Scale(scheme="viridis"),
            legend=alt.Legend(
                title=fitted(target_name, SMALL[0], 11),
                titleLimit=0,
                orient="bottom",
                gradientLength=200,
                gradientOpacity=1,
            ),
        )
    return (
        chart_of(rows)
        .mark_point(size=12, filled=True, opacity=0.55)
        .encode(
            alt.X("x:Q", axis=alt.Axis(title=fitted(titles[0], SMALL[0]), tickCount=6), scale=alt.Scale(zero=False)),
            alt.Y("y:Q", axis=alt.Axis(title=fitted(titles[1], SMALL[1]), tickCount=6), scale=alt.Scale(zero=False)),
            color,
            shape,
            tooltip=["set:N", "target:Q"],
        )
    )
