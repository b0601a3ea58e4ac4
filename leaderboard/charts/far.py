"""What networks predict on a far set: how it is distributed, and how it follows a feature."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from bench.core.errors import InputError
from bench.core.grammar import title_of
from leaderboard.charts.cells import DrawnCells, drawn_of, only
from leaderboard.charts.drawing.schemes import solid_first
from leaderboard.charts.drawing.style import fitted, ordered, titled
from leaderboard.charts.panels import SMALL, Row, Series, chart_of, coinciding, concatenate
from leaderboard.records.record import Details, Record, RecordKey
from leaderboard.records.store.stored_records import Summarized

MOST_BINS = 40
_APART = 0.006  # of the panel's height: trends that are nearer lie on each other
FRACTION = 0.4  # of the rows in each local regression
_TRUTH = "#777777"
_MOST_POINTS = 500  # of the scatter behind the trends

Array = NDArray[np.float64]


@dataclass(frozen=True)
class FarSetData:
    """The rows that the predictions are of, in the order of the far set.

    Attributes:
        name: of the set, as in the records.
        targets: true targets, shape (n,), in the units of the chart.
        feature: what trends are drawn against, shape (n,).
        feature_name: with its unit.
        signed: the feature has two sides, left and right of the training rows; each has a trend of its own.
        target_name: with its unit.
        scale, mean: a prediction p of ``details_of`` is drawn as ``scale`` · p + ``mean``.
        target_range: least and greatest training target, in the units of the chart, to be marked.
        seeds: None where every seed has these rows, and predictions of a row are averaged over seeds; else the seeds
            whose rows, as many of each, stand here one after the other.
    """

    name: str
    targets: ArrayLike
    feature: ArrayLike
    feature_name: str
    target_name: str = "standardized target"
    scale: float = 1.0
    mean: float = 0.0
    target_range: tuple[float, float] | None = None
    signed: bool = False
    seeds: tuple[int, ...] | None = None


def far_chart(
    records: Iterable[Record] | Summarized, details_of: Callable[[RecordKey], Details], far: FarSetData
) -> Any:
    """Left the histogram of predictions on a far set, right their LOWESS trend against a feature; the truth is grey.

    Where the feature is signed, there is a trend for either side: one over both would average them out. Predictions of
    a row are averaged over the seeds that have it. LOWESS is Cleveland's (1979) locally weighted regression, over 40%
    of the rows and without robustness iterations.

    Args:
        records: of one protocol, task and architecture.
        details_of: the details stored beside a record (``store.details``).
        far: targets and feature of the set.

    Raises:
        InputError: several tasks or architectures, no stored predictions, or another number of rows.
    """
    selection = drawn_of(records)
    task = title_of(only(selection.tasks, "task", "--task"))
    title = f"{task} · {only(selection.architectures, 'architecture', '--arch')}"
    predictions = _predictions(selection, details_of, far)
    targets, feature = (np.asarray(v, dtype=np.float64) for v in (far.targets, far.feature))
    lengths = {len(targets), len(feature), *map(len, predictions.values())}
    if len(lengths) > 1:
        raise InputError(
            f"far set {far.name!r} has {len(targets)} rows, and the stored predictions are of others",
            hint="draw with the data that the records were made with",
        )
    names = ordered(predictions)
    reach = _reach(targets, predictions.values())
    trends = {name: _trend(feature, predictions[name], far.signed) for name in names}
    drawn = {name: [row["y"] for row in trend] for name, trend in trends.items() if trend}
    series = Series.of(names, single=True, alike=coinciding({"": drawn}, _APART * (reach[1] - reach[0])))
    layers = {
        "how predictions are distributed": _histogram(targets, predictions, names, series, far, reach),
        f"trend against {far.feature_name.partition(' (')[0]}": _trends(targets, feature, trends, series, far, reach),
    }
    how = "predictions averaged over seeds" if far.seeds is None else "every seed has rows of its own"
    lines = selection.subtitle(f"far set {far.name}, {len(targets):,} rows", how)
    lines.append(_key(predictions, reach, far) + (" · a trend for either side" if far.signed else ""))
    return titled(concatenate(layers, 2), f"Predictions far away: {title}", lines)


def _predictions(
    selection: DrawnCells, details_of: Callable[[RecordKey], Details], far: FarSetData
) -> dict[str, Array]:
    """For each scheme the mean over seeds, or the rows of each, in the units of the chart; NaN where not finite."""
    name = f"far.{far.name}.prediction"
    found: dict[str, Array] = {}
    for cell in selection.cells:
        every = ((key.seed, details_of(key).get(name)) for key in cell.keys)
        kept = {seed: np.array(values, dtype=np.float64) for seed, values in every if values}
        if not kept:
            continue
        if far.seeds is None:
            values = np.mean(list(kept.values()), axis=0)
        else:
            missing = np.full(len(np.asarray(far.targets)) // len(far.seeds), np.nan)
            values = np.concatenate([kept.get(seed, missing) for seed in far.seeds])
        found[cell.key.norm] = values * far.scale + far.mean
    if not found:
        raise InputError(f"no predictions on a far set {far.name!r} are stored", hint="choose another far set")
    return found


def _reach(targets: Array, predictions: Iterable[Array]) -> tuple[float, float]:
    """What is seen: all targets, and of each scheme all but the outermost hundredth of predictions."""
    ends = [targets.min(), targets.max()]
    for values in predictions:
        finite = values[np.isfinite(values)]
        ends += list(np.quantile(finite, [0.005, 0.995])) if finite.size else []
    return float(min(ends)), float(max(max(ends), min(ends) + 1e-9))


def _key(predictions: Mapping[str, Array], reach: tuple[float, float], far: FarSetData) -> str:
    parts = ["grey: the truth"] + (["dotted: range of training targets"] if far.target_range else [])
    outside = sum(int(np.sum((v < reach[0]) | (v > reach[1]))) for v in predictions.values())
    lost = sum(int(np.sum(~np.isfinite(v))) for v in predictions.values())
    parts += [f"{outside} prediction{'s' * (outside != 1)} outside of the picture"] if outside else []
    parts += [f"{lost} not finite" + ("" if far.seeds is None else " or of a seed that was not run")] if lost else []
    return " · ".join(parts)


def _histogram(
    targets: Array,
    predictions: Mapping[str, Array],
    names: list[str],
    series: Series,
    far: FarSetData,
    reach: tuple[float, float],
) -> list[Any]:
    """Shares of rows in bins that all schemes have in common."""
    import altair as alt

    bins = int(np.clip(1.2 * np.sqrt(len(targets)), 8, MOST_BINS))
    edges = np.linspace(*reach, bins + 1)
    rows: list[Row] = []
    for name, values in [("truth", targets), *((n, predictions[n]) for n in solid_first(names))]:
        shares = np.histogram(values[np.isfinite(values)], edges)[0] / len(values)
        layer = "truth" if name == "truth" and values is targets else "norm"
        rows += [
            {"layer": layer, "norm": name, "from": float(a), "share": float(s)}
            for a, s in zip(edges, [*shares, 0.0], strict=True)
        ]
    base = chart_of(rows)
    x = alt.X(
        "from:Q",
        scale=alt.Scale(domain=list(reach), nice=False),
        axis=alt.Axis(title=fitted(far.target_name, SMALL[0]), tickCount=6, grid=False),
    )
    y = alt.Y("share:Q", axis=alt.Axis(title="share of rows", format="~%", tickCount=5))
    truth = base.transform_filter("datum.layer == 'truth'").mark_area(
        interpolate="step-after", color=_TRUTH, opacity=0.3
    )
    lines = base.transform_filter("datum.layer == 'norm'").mark_line(
        interpolate="step-after", strokeWidth=1.8, clip=True
    )
    return [
        truth.encode(x, y),
        *_range_marks(far, "x"),
        lines.encode(
            x, y, series.color, series.dash, opacity=series.opacity(), tooltip=["norm:N", "from:Q", "share:Q"]
        ).add_params(series.shown),
    ]


def _trends(
    targets: Array,
    feature: Array,
    trends: Mapping[str, Sequence[Row]],
    series: Series,
    far: FarSetData,
    reach: tuple[float, float],
) -> list[Any]:
    """Local regressions over a sample of the true points."""
    import altair as alt

    rows: list[Row] = [{"layer": "truth"} | row for row in _trend(feature, targets, far.signed)]
    rows += [{"layer": "norm", "norm": name} | row for name in solid_first(trends) for row in trends[name]]
    chosen = np.linspace(0, len(targets) - 1, min(len(targets), _MOST_POINTS)).astype(int)
    rows += [{"layer": "point", "x": float(feature[i]), "y": float(targets[i])} for i in chosen]
    base = chart_of(rows)
    point, truth, norm = (base.transform_filter(f"datum.layer == '{name}'") for name in ("point", "truth", "norm"))
    x = alt.X(
        "x:Q",
        scale=alt.Scale(nice=False, zero=False),
        axis=alt.Axis(title=fitted(far.feature_name, SMALL[0]), tickCount=5, format="~s"),
    )
    y = alt.Y(
        "y:Q",
        scale=alt.Scale(domain=list(reach), nice=False),
        axis=alt.Axis(title=fitted(far.target_name, SMALL[1]), tickCount=6),
    )
    return [
        point.mark_point(size=6, filled=True, color=_TRUTH, opacity=0.25, clip=True).encode(x, y),
        *_range_marks(far, "y"),
        truth.mark_line(color=_TRUTH, strokeWidth=3.5, clip=True).encode(x, y, detail="side:N"),
        norm.mark_line(strokeWidth=2.2, clip=True)
        .encode(
            x, y, series.color, series.dash, detail="side:N", opacity=series.opacity(), tooltip=["norm:N", "x:Q", "y:Q"]
        )
        .add_params(series.shown),
    ]


def _trend(feature: Array, values: Array, signed: bool) -> list[Row]:
    """The trend over all rows, or one for either side."""
    if not signed:
        return [row | {"side": "both"} for row in _smoothed(feature, values)]
    sides = {"left": feature < 0, "right": feature >= 0}
    return [row | {"side": side} for side, mask in sides.items() for row in _smoothed(feature[mask], values[mask])]


def _smoothed(feature: Array, values: Array) -> list[Row]:
    """LOWESS at 80 places of the feature."""
    from statsmodels.nonparametric.smoothers_lowess import lowess

    keep = np.isfinite(values)
    x, y = feature[keep], values[keep]
    if len(x) < 5 or np.ptp(x) == 0:
        return []
    first, last = np.quantile(x, [0.005, 0.995])
    places = np.linspace(first, last, 80)
    smooth = lowess(y, x, frac=FRACTION, it=0, xvals=places)
    return [{"x": float(a), "y": float(b)} for a, b in zip(places, smooth, strict=True) if np.isfinite(b)]


def _range_marks(far: FarSetData, channel: str) -> list[Any]:
    import altair as alt

    if far.target_range is None:
        return []
    place = alt.X("at:Q") if channel == "x" else alt.Y("at:Q")
    rules = chart_of([{"at": end} for end in far.target_range])
    return [rules.mark_rule(strokeDash=[2, 3], color="#999999", clip=True).encode(place)]
