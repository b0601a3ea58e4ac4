"""One colour a scheme: the same in every chart of a store, and told apart by people who see colours otherwise."""

import itertools
import json
import re

import numpy as np
import pytest

from bench.commands._kernel_charts import ConvergenceCurve, convergence_chart
from bench.tracking.content.picture import cell_chart
from leaderboard.charts import (
    FarSetData,
    Points,
    bounds_chart,
    error_chart,
    far_chart,
    function_chart,
    growth_chart,
    pareto_chart,
)
from leaderboard.charts.drawing.schemes import look_of, patterns_of, solid_first
from leaderboard.charts.drawing.style import OKABE_ITO

NORMS = ("none", "batch@all", "layer@all", "layer@first", "layer@pre+final", "rms@all", "theirs@all", "group@hidden2")


def scales_of(chart, channel):
    """Every scale over schemes in a chart, as dictionaries from scheme to what is drawn."""
    found = []

    def walk(node):
        if isinstance(node, dict):
            encoding = node.get(channel)
            if isinstance(encoding, dict) and encoding.get("field") == "norm" and encoding.get("scale"):
                scale = encoding["scale"]
                values = [tuple(v) if isinstance(v, list) else v for v in scale["range"]]
                found.append(dict(zip(scale["domain"], values, strict=True)))
            for child in node.values():
                walk(child)
        elif isinstance(node, list):
            for child in node:
                walk(child)

    walk(chart.to_dict())
    return found


def every_chart(records):
    """Every chart that draws schemes, over the records of a store; those of one network over its part of them."""
    one = [r for r in records if (r.key.task, r.key.architecture) == ("sine-1d", "mlp")]
    line = tuple(np.linspace(-10, 10, 41).tolist())
    shifts = {norm: i for i, norm in enumerate(NORMS)}

    def details(key):
        values = tuple(shifts[key.norm] + v for v in line)
        return {"function.x": line, "function.y": values, "far.far-2.prediction": values}

    far = FarSetData("far-2", np.array(line), np.array(line), "distance")
    charts = {
        "growth": growth_chart(records),
        "error": error_chart(records),
        "pareto": pareto_chart(records),
        "pareto overall": pareto_chart(records, overall=True),
        "bounds": bounds_chart(records),
        "function": function_chart(one, details, train=Points([-1.0, 1.0], [0.0, 0.0])),
        "far": far_chart(one, details, far),
    }
    curves = [ConvergenceCurve(norm, (64, 128, 256), (0.3, 0.2, 0.1), -0.5) for norm in NORMS]
    return charts | {"kernel": convergence_chart(curves, "t")}


def test_a_scheme_has_one_colour_in_every_chart_of_a_store(records):
    """Charts of other schemes, panels with some of them: nothing changes what a scheme looks like."""
    mine = records(norms=NORMS, seeds=range(2))
    mine += records(tasks=("sine-1d",), architectures=("transformer",), norms=("none", "rms@all"), seeds=range(2))
    seen = set()
    for name, chart in every_chart(mine).items():
        colors = scales_of(chart, "color")
        assert colors, name
        assert all(scale == colors[0] for scale in colors), f"{name}: Vega joins the scales of panels"
        for scale in (*colors, *scales_of(chart, "fill")):
            assert scale == {norm: look_of(norm).color for norm in scale}, name
            seen |= set(scale)
        for scale in scales_of(chart, "strokeDash"):
            assert scale == {norm: look_of(norm).dash for norm in scale}, name
    assert seen == set(NORMS)
    for record in (r for r in mine if r.key.seed == 0):
        assert look_of(record.key.norm).color in json.dumps(cell_chart([record]).to_dict())


def test_looks_are_by_name_alone():
    assert look_of("none").color == "#000000"
    kinds = {look_of(f"layer@{place}").kind for place in ("all", "first", "hidden3")}
    assert kinds == {"layer"}
    # pinned: a picture drawn last year and one of today agree
    assert look_of("layer@all").color == "#0072B2"
    assert (look_of("theirs@all").color, look_of("theirs@all").dash) == ("#B0337A", (1, 0))


def test_options_tell_schemes_apart():
    for option in ("affine=false", "eps=1e-3", "groups=2"):
        plain, other = look_of("group@all"), look_of(f"group({option})@all")
        assert (plain.color, plain.dash) != (other.color, other.dash)


@pytest.mark.parametrize(
    "norms",
    [
        [f"layer@hidden{i}" for i in range(1, 12)],
        [f"group(groups={n})@all" for n in (1, 2, 4, 8, 16, 32)],
        ["layer@all", "layer@first", "layer@last", "layer@pre", "layer@post", "layer@pre+final", "layer@sandwich"],
    ],
)
def test_schemes_of_one_kind_differ_by_shade_or_dash(norms):
    drawn = [(look_of(name).color, dash) for name, (dash, _) in zip(norms, patterns_of(norms), strict=True)]
    assert len(set(drawn)) == len(norms)
    marked = [(look_of(name).color, marker) for name, (_, marker) in zip(norms, patterns_of(norms), strict=True)]
    assert len(set(marked)) == len(norms)


def test_curves_on_each_other_are_told_apart(records, record, key):
    """Dashed over solid, and the legend says it."""
    mine = records(tasks=("sine-1d",), norms=("none", "layer@all"))
    twins = [
        record(key(norm="layer@first", seed=r.key.seed), growth=r.growth, departure=r.departure)
        for r in mine
        if r.key.norm == "layer@all"
    ]
    chart = growth_chart([*mine, *twins])
    text = json.dumps(chart.to_dict(), ensure_ascii=False)
    assert "layer@first = layer@all" in text
    assert "layer@all = " not in text
    assert solid_first(["layer@first", "layer@all"]) == ["layer@all", "layer@first"]
    assert " = layer@all" not in json.dumps(growth_chart(records()).to_dict())


def test_titles_of_panels_are_whole(records):
    """However long an architecture's spelling is, in charts with common axes and with axes of their own."""
    spelled = "mlp(width=128,depth=5,activation=gelu,residual=true,skip_every=2)"
    mine = records(architectures=(spelled, "mlp"), seeds=range(2))
    for chart in (growth_chart(mine), error_chart(mine), bounds_chart(mine)):
        text = json.dumps(chart.to_dict())
        assert "…" not in json.dumps(chart.to_dict(), ensure_ascii=False)
        pieces = [p for p in re.split(r"(?<=[,(=])", spelled) if p]
        assert all(piece in text.replace('\\"', '"').replace('", "', "") for piece in pieces)


# Machado, Oliveira and Fernandes (2009), severity 1, on linear RGB
SIGHT = {
    "normal": np.eye(3),
    "protanopia": np.array(
        [[0.152286, 1.052583, -0.204868], [0.114503, 0.786281, 0.099216], [-0.003882, -0.048116, 1.051998]]
    ),
    "deuteranopia": np.array(
        [[0.367322, 0.860646, -0.227968], [0.280085, 0.672501, 0.047413], [-0.01182, 0.04294, 0.968881]]
    ),
}


def lab(color, matrix):
    """CIE L*a*b* of a colour as somebody sees it."""
    srgb = np.array([int(color[i : i + 2], 16) for i in (1, 3, 5)]) / 255
    linear = np.where(srgb <= 0.04045, srgb / 12.92, ((srgb + 0.055) / 1.055) ** 2.4)
    seen = np.clip(matrix @ linear, 0, 1)
    xyz = np.array([[0.4124, 0.3576, 0.1805], [0.2126, 0.7152, 0.0722], [0.0193, 0.1192, 0.9505]]) @ seen
    f = np.cbrt(np.maximum(xyz / [0.9505, 1.0, 1.089], 1e-9))
    return np.array([116 * f[1] - 16, 500 * (f[0] - f[1]), 200 * (f[1] - f[2])])


def apart(first, second, sight):
    return np.linalg.norm(lab(first, SIGHT[sight]) - lab(second, SIGHT[sight]))


@pytest.mark.parametrize("sight", SIGHT)
def test_colours_can_be_told_apart(sight):
    """Kinds at one placement differ by hue, placements of one kind by shade."""
    kinds = ("layer", "rms", "batch", "group", "instance", "scale", "dyt")
    for place in ("all", "first", "last"):
        colors = ["#000000", *(look_of(f"{kind}@{place}").color for kind in kinds)]
        for first, second in itertools.combinations(colors, 2):
            assert apart(first, second, sight) > 12, (first, second)
    for kind in kinds:
        shades = [look_of(f"{kind}@{place}").color for place in ("all", "first", "last")]
        for first, second in itertools.combinations(shades, 2):
            assert apart(first, second, sight) > 8, (first, second)
    for first, second in itertools.combinations(OKABE_ITO, 2):
        assert apart(first, second, sight) > 15, (first, second)
