"""The figures of ``python -m tools.speed`` as pictures, by Altair."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from tools.speed.parts.programs import ProgramTiming
from tools.speed.parts.quick import SuiteTiming
from tools.speed.parts.scaling import Growth
from tools.speed.parts.training import Timing

_WHO = {"plain": "#8a8a8a", "FarField": "#1b6ca8", "JAX, compiling": "#c97b12", "floor": "#c9c9c9"}


def training_chart(timings: Sequence[Timing], quick: SuiteTiming | None = None) -> Any:
    """Seconds of every job by every program, as bars on a log scale; labels say how many times faster than plain."""
    import altair as alt

    values: list[dict[str, Any]] = []
    for t in timings:
        seconds = {"plain": t.plain, "FarField": t.ours, "JAX, compiling": t.jax, "floor": t.floor}
        values += [
            {"job": t.name, "who": who, "seconds": s, "times": f"{s:.2g} s · {t.plain / s:.2g}×"}
            for who, s in seconds.items()
            if s is not None
        ]
    if quick is not None:
        both = {"plain": quick.plain, "FarField": quick.ours}
        values += [
            {"job": "suite quick", "who": who, "seconds": s, "times": f"{s:.3g} s · {quick.plain / s:.2g}×"}
            for who, s in both.items()
        ]
    jobs = list(dict.fromkeys(v["job"] for v in values))
    colour = alt.Color("who:N", scale=alt.Scale(domain=list(_WHO), range=list(_WHO.values())), title=None)
    least = min(v["seconds"] for v in values) / 2
    base = alt.Chart(alt.InlineData(values=[v | {"least": least} for v in values])).encode(
        y=alt.Y("job:N", sort=jobs, title=None), yOffset=alt.YOffset("who:N", sort=list(_WHO))
    )
    scale = alt.Scale(type="log", domainMin=least, domainMax=max(v["seconds"] for v in values) * 4)
    bars = base.mark_bar().encode(
        x=alt.X("seconds:Q", scale=scale, title="seconds (median), log scale"), x2="least:Q", color=colour
    )
    words = base.mark_text(align="left", dx=3, fontSize=9).encode(x=alt.X("seconds:Q", scale=scale), text="times:N")
    chart = alt.layer(bars, words).properties(
        width=460, height=alt.Step(12), title="Training: seconds, and times plain"
    )
    return chart.configure_view(stroke=None)


def growth_chart(growths: Sequence[Growth]) -> Any:
    """Seconds against size on log scales, a panel a size; dashed: the expected power through the last point."""
    import altair as alt

    panels = [_growth_panel(growth) for growth in growths]
    rows = [alt.hconcat(*panels[i : i + 4]) for i in range(0, len(panels), 4)]
    return alt.vconcat(*rows, title="How cost grows (dashed: as expected, through the largest size)")


def _growth_panel(growth: Growth) -> Any:
    import altair as alt

    last_size, last = growth.sizes[-1], growth.seconds[-1]
    values = [
        {"size": size, "seconds": seconds, "expected": last * (size / last_size) ** growth.power}
        for size, seconds in zip(growth.sizes, growth.seconds, strict=True)
    ]
    base = alt.Chart(alt.InlineData(values=values)).encode(
        x=alt.X("size:Q", scale=alt.Scale(type="log"), title=growth.name, axis=alt.Axis(values=list(growth.sizes)))
    )
    y = alt.Scale(type="log")
    line = base.mark_line(point=True, color=_WHO["FarField"]).encode(y=alt.Y("seconds:Q", scale=y, title="seconds"))
    dashed = base.mark_line(strokeDash=[4, 3], color="#8a8a8a", clip=True).encode(y="expected:Q")
    title = alt.Title(growth.what, fontSize=10, fontWeight="normal")
    return alt.layer(line, dashed).properties(width=190, height=150, title=title)


def programs_chart(timings: Sequence[ProgramTiming], device: str = "cpu") -> Any:
    """Gain of the stacked programs over the loop against the span, a panel a program; lines mark the bounds."""
    import altair as alt

    from bench.training.program import BOUNDS

    values = [
        {"span": t.span, "gain": t.gain, "members": str(t.members), "network": f"{t.network} {t.norm}, {t.kind}"}
        for t in timings
    ]
    bounds = BOUNDS[device]
    panels = []
    for program, bound in (("chain", bounds.chain), ("vmap", bounds.vmap)):
        chosen = [v for v, t in zip(values, timings, strict=True) if t.program == program]
        if not chosen:
            continue
        base = alt.Chart(alt.InlineData(values=chosen))
        points = base.mark_point(filled=True, opacity=0.8).encode(
            x=alt.X("span:Q", scale=alt.Scale(type="log", base=2), title="span: rows × largest output of a layer"),
            y=alt.Y("gain:Q", scale=alt.Scale(type="log"), title="times as fast as the loop"),
            color=alt.Color("members:O", sort=[str(m) for m in sorted({t.members for t in timings})], title="members"),
            tooltip=["network:N", "members:N", "gain:Q"],
        )
        rules = [
            alt.Chart(alt.InlineData(values=[{"span": bound}])).mark_rule(strokeDash=[4, 3]).encode(x="span:Q"),
            alt.Chart(alt.InlineData(values=[{"gain": 1}])).mark_rule(color="#8a8a8a").encode(y="gain:Q"),
        ]
        panels.append(alt.layer(points, *rules).properties(width=320, height=240, title=program))
    return alt.hconcat(*panels, title="Stacked programs against the loop (dashed: the bound of the rule)")
