import dataclasses
import itertools
import json
import math
import re
import struct

import numpy as np
import pytest
from scipy import stats

from bench.core.errors import InputError
from leaderboard.charts import (
    FarSetData,
    PictureSet,
    Points,
    error_chart,
    far_chart,
    function_chart,
    growth_chart,
    lone_network,
    pareto_chart,
    save,
    task_chart,
)
from leaderboard.charts.drawing.labels import Box, PlotFrame, place_names
from leaderboard.charts.drawing.style import decades, log_ticks

TASKS = ("sine-1d", "linear-1d")


def data_of(chart):
    """Every row of data in a chart, once for each panel it is drawn in."""
    spec = chart.to_dict()
    found = {}

    def walk(node, panel):
        if isinstance(node, dict):
            title = node.get("title")
            panel = title["text"] if isinstance(title, dict) and isinstance(title.get("text"), str) else panel
            if isinstance(node.get("data"), dict):
                found[panel, node["data"]["name"]] = None
            for child in node.values():
                walk(child, panel)
        elif isinstance(node, list):
            for child in node:
                walk(child, panel)

    walk({name: child for name, child in spec.items() if name != "datasets"}, None)
    return [{"panel": panel} | row for panel, name in found for row in spec["datasets"][name]]


def text_of(chart):
    title = chart.to_dict()["title"]
    return " ".join([*title["text"], *title["subtitle"]])


def broken(record, rung=8):
    """The record, its outputs infinite from ``rung`` on."""
    cut = [(*values[:rung], *[None] * (13 - rung)) for values in (record.growth, record.departure)]
    counts = (*record.nonfinite[:rung], *[1] * (13 - rung))
    return dataclasses.replace(record, growth=cut[0], departure=cut[1], nonfinite=counts, exponent=None)


def test_growth_curves_are_geometric_means_with_t_intervals(records):
    mine = records()
    rows = [r for r in data_of(growth_chart(mine)) if r.get("layer") == "network"]
    assert {r["panel"] for r in rows} == {"sine-1d · mlp", "linear-1d · mlp"}
    assert len(rows) == 2 * 2 * 13
    for row in rows[::7]:
        task = row["panel"].split(" ")[0]
        values = [r.growth_at(row["r"]) for r in mine if (r.key.task, r.key.norm) == (task, row["norm"])]
        logs = np.log(values)
        low, high = stats.t.interval(0.95, 4, loc=logs.mean(), scale=stats.sem(logs))
        assert (row["mean"], row["low"], row["high"]) == pytest.approx(
            (stats.gmean(values), math.exp(low), math.exp(high))
        )


def test_growth_that_is_not_finite_is_marked_and_the_rest_is_drawn(key, record):
    mine = [record(key(seed=0)), broken(record(key(seed=1))), record(key(norm="rms@all"))]
    chart = growth_chart(mine)
    rows = [r for r in data_of(chart) if r.get("layer") == "network" and r["norm"] == "none"]
    assert [r["infinite"] for r in rows] == [False] * 8 + [True] * 5
    assert all((r["mean"] is None) == r["infinite"] for r in rows)
    assert "not finite" in text_of(chart)
    assert "not finite" not in text_of(growth_chart([record()]))


def test_every_picture_says_task_protocol_seeds_and_what_is_missing(records, key, unfinished):
    mine = [*records(seeds=range(3)), unfinished("diverged", key(norm="dyt@all"))]
    for chart in (growth_chart(mine), error_chart(mine), pareto_chart(mine)):
        text = text_of(chart)
        assert "sine-1d" in text
        assert "linear-1d" in text
        assert "protocol 1" in text
        assert "3 seeds" in text
        assert "dyt@all on sine-1d (diverged)" in text
        json.dumps(chart.to_dict(), allow_nan=False)


def test_protocols_are_never_drawn_together_and_old_data_is_left_out(records, record, key):
    other = [dataclasses.replace(r, key=dataclasses.replace(r.key, protocol="paper")) for r in records()]
    for draw in (growth_chart, error_chart, pareto_chart):
        with pytest.raises(InputError, match=r"1, paper.*--protocol"):
            draw(records() + other)
        with pytest.raises(InputError, match="no finished record"):
            draw([])
    new = record(key(data_hash="new"), created="2027-01-01T00:00:00+00:00")
    chart = growth_chart([*records(tasks=("sine-1d",), norms=("rms@all",)), new])
    assert {r["norm"] for r in data_of(chart) if r.get("layer") == "network"} == {"none"}
    assert "older data" in text_of(chart)


def test_estimators_are_grey_in_the_panels_of_their_task(records, key, record):
    ridge = record(key(architecture="ridge"), learning_rate=None, deterministic=True)
    rows = data_of(growth_chart([*records(), ridge]))
    assert {(r["panel"], r["name"]) for r in rows if r.get("layer") == "grey"} == {("sine-1d · mlp", "ridge")}
    alone = data_of(growth_chart([ridge]))
    assert {r["panel"] for r in alone if r.get("layer") == "network"} == {"sine-1d · ridge"}
    flat = dataclasses.replace(ridge, growth=(0.0,) * 13, departure=(0.0,) * 13, exponent=0.0)
    assert "below the picture: ridge on sine-1d" in text_of(growth_chart([*records(), flat]))


def test_error_chart_shows_each_set_at_its_distance(records):
    mine = records(tasks=("sine-1d",))
    rows = [r for r in data_of(error_chart(mine)) if r.get("layer") == "network" and r["norm"] == "none"]
    assert [r["set"].split("|")[0] for r in rows] == ["test", "far-2", "far-5", "far-10"]
    assert rows[1]["set"] == "far-2|r = 2|(1.6–2.4)"
    for row in rows:
        errors = [r.set_named(row["set"].split("|")[0]).relative_error for r in mine if r.key.norm == "none"]
        assert row["mean"] == pytest.approx(stats.gmean(errors))


def test_pareto_front_is_nobody_beaten_in_both(records):
    chart = pareto_chart(records(norms=("none", "layer@first", "rms@all", "batch@all", "x@y"), seeds=range(2)))
    rows = data_of(chart)
    for task in TASKS:
        points = [(r["growth"], r["error"]) for r in rows if r.get("layer") == "network" and r["panel"] == task]
        front = {(r["growth"], r["error"]) for r in rows if r.get("layer") == "front" and r["panel"] == task}
        beaten = {p for p in points for q in points if q[0] <= p[0] and q[1] <= p[1] and q != p}
        assert front == set(points) - beaten
        assert len(points) == 5


def test_pareto_draws_estimators_hollow_or_filled_as_networks(records, record, key):
    """What is unbounded is hollow, whoever it is: the caption says so of every point."""
    flat = record(key(architecture="mean"), learning_rate=None, growth=(0.0,) * 13, exponent=0.0, axis_exponent=0.0)
    spec = pareto_chart([*records(tasks=("sine-1d",)), flat]).to_dict()
    points = [layer for layer in spec["layer"] if layer["mark"]["type"] == "point"]
    assert len(points) == 2
    fills = [layer["encoding"]["fillOpacity"] for layer in points]
    assert fills[0] == fills[1]
    assert dict(zip(fills[0]["scale"]["domain"], fills[0]["scale"]["range"], strict=True))["unbounded"] == 0
    rows = {r["architecture"]: r["bound"] for r in data_of(pareto_chart([flat, *records()])) if "bound" in r}
    assert rows["mean"] == "bounded"


@pytest.mark.parametrize("seed", range(20))
def test_names_are_written_where_no_point_is(seed):
    random = np.random.default_rng(seed)
    frame = PlotFrame((250, 170), (1e-2, 1e5), (1e-3, 1e2))
    values = [frame.value((x, y)) for x, y in random.uniform((60, 40), (190, 130), (25, 2))]
    names = [("ridge", values[:2]), ("linear-extrapolation, knn", [values[2]]), ("mean", [frame.value((3, 165))])]
    marks = [Box.around(frame.pixel(*value), 9, 9) for value in values]
    lines = [box for a, b in itertools.pairwise(values[:6]) for box in frame.line(a, b)]
    boxes = []
    for (name, _), place in zip(names, place_names(frame, names, marks, lines), strict=True):
        boxes.append(Box.around(frame.pixel(*place), 5.0 * len(name), 10))
        assert boxes[-1].left >= 0
        assert boxes[-1].top >= 0
        assert boxes[-1].right <= 250
        assert boxes[-1].bottom <= 170
    assert not any(box.shared(mark) for box in boxes for mark in marks)
    assert not any(a.shared(b) for a, b in itertools.combinations(boxes, 2))


def test_error_chart_writes_names_of_estimators_beside_the_points(records, record, key):
    """An estimator that ends where the networks end: its name stands above everything, and on no point."""
    ridge = [record(key(architecture="ridge", seed=s), learning_rate=None) for s in range(5)]
    chart = error_chart([*records(tasks=("sine-1d",), norms=("none", "layer@all", "rms@all")), *ridge])
    layers = chart.to_dict()["layer"]
    assert layers[-1]["mark"]["type"] == "text"
    assert layers[-1]["encoding"]["text"]["field"] == "name"
    axis = {name: layers[-1]["encoding"][name]["scale"]["domain"] for name in ("x", "y")}
    frame = PlotFrame((460, 320), *axis.values(), log_x=False)
    rows = data_of(chart)
    label = next(r for r in rows if r.get("layer") == "label")
    box = Box.around(frame.pixel(label["place"], label["mean"]), 5.0 * len(label["name"]), 10)
    points = [r for r in rows if r.get("layer") == "network"]
    assert len(points) == 3 * 4
    assert not any(box.shared(Box.around(frame.pixel(r["place"], r["mean"]), 6, 6)) for r in points)


def test_pareto_totals_are_of_complete_methods_only(records):
    mine = [*records(), *records(tasks=("sine-1d",), norms=("rms@all",))]
    rows = [r for r in data_of(pareto_chart(mine, overall=True)) if r.get("layer") == "network"]
    assert {r["norm"] for r in rows} == {"none", "layer@first"}
    assert "mlp rms@all" in text_of(pareto_chart(mine, overall=True))


def line_details(slope, count=201, bad=0):
    x = np.linspace(-10, 10, count)
    y = [None if i < bad else float(slope * v) for i, v in enumerate(x)]
    return {"function.x": tuple(x.tolist()), "function.y": tuple(y)}


def test_function_chart_draws_seeds_their_mean_training_data_and_truth(records):
    mine = records(tasks=("sine-1d",), seeds=range(3))
    train = Points(np.linspace(-1, 1, 20), np.zeros(20))
    truth = Points(np.linspace(-10, 10, 50), np.ones(50))
    chart = function_chart(mine, lambda k: line_details(k.seed), train=train, truth=truth)
    rows = [r for r in data_of(chart) if r["panel"] == "as far as was asked"]
    mean = [r for r in rows if r.get("layer") == "mean" and r["norm"] == "none"]
    assert [r["y"] for r in mean] == pytest.approx([r["x"] for r in mean])  # slopes 0, 1, 2
    assert {r["seed"] for r in rows if r.get("layer") == "seed"} == {0, 1, 2}
    assert sum(r.get("layer") == "train" for r in rows) == 20
    assert sum(r.get("layer") == "truth" for r in rows) == 50
    near = [r for r in data_of(chart) if r["panel"] == "around the training data" and "x" in r]
    assert max(abs(r["x"]) for r in near) <= 1.6


def test_function_chart_counts_what_is_not_finite_and_refuses_what_has_no_line(records):
    mine = records(tasks=("sine-1d",), norms=("none",), seeds=range(2))
    train = Points([-1.0, 1.0], [0.0, 0.0])
    assert "6 predictions were not finite" in text_of(
        function_chart(mine, lambda k: line_details(1, bad=3), train=train)
    )
    with pytest.raises(InputError, match="one input"):
        function_chart(mine, lambda k: {}, train=train)
    with pytest.raises(InputError, match=r"one task.*--task"):
        function_chart(records(), lambda k: line_details(1), train=train)


def test_far_chart_histograms_and_trends(records):
    random = np.random.default_rng(0)
    mine = records(tasks=("protein",), norms=("none", "layer@first"), seeds=range(2))
    feature = random.uniform(0, 10, 400)
    truth = 3 * feature + random.normal(size=400)

    def details(key):
        values = feature - 1 if key.norm == "none" else np.zeros(400)
        return {"far.big.prediction": tuple((values + key.seed).tolist())}

    far = FarSetData("big", truth, feature, "area", scale=3.0, mean=1.5, target_range=(0.0, 5.0))
    rows = data_of(far_chart(mine, details, far))
    for name in ("truth", "none", "layer@first"):
        shares = [r["share"] for r in rows if r.get("norm") == name and "share" in r]
        assert 0.98 <= sum(shares) <= 1 + 1e-9
    trend = [r for r in rows if r.get("layer") == "norm" and r.get("norm") == "none" and "y" in r]
    # mean over seeds is feature - 0.5, on the scale of targets 3 (feature - 0.5) + 1.5 = 3 feature: a straight line
    assert [r["y"] for r in trend] == pytest.approx([3 * r["x"] for r in trend], abs=1e-6)
    grey = [r for r in rows if r.get("layer") == "truth" and "y" in r]
    assert [r["y"] for r in grey] == pytest.approx([3 * r["x"] for r in grey], abs=0.7)


def test_far_chart_refuses_other_data(records):
    mine = records(tasks=("protein",), norms=("none",))
    far = FarSetData("big", np.zeros(5), np.zeros(5), "area")
    with pytest.raises(InputError, match="5 rows"):
        far_chart(mine, lambda k: {"far.big.prediction": (1.0, 2.0)}, far)
    with pytest.raises(InputError, match="'big'"):
        far_chart(mine, lambda k: {}, far)


def test_task_pictures_project_on_the_training_inputs_principal_components():
    random = np.random.default_rng(1)
    train = random.normal(size=(200, 6)) * [5, 2, 1, 1, 1, 1]
    far = train[:50] + np.array([20, 0, 0, 0, 0, 0])
    chart = task_chart("t", [PictureSet("train", train, train[:, 0]), PictureSet("far", far, far[:, 0])])
    rows = [r for r in data_of(chart) if r["panel"] == "by set"]
    from sklearn.decomposition import PCA

    reference = PCA(2).fit(train).transform(far)
    mine = np.array([[r["x"], r["y"]] for r in rows if r["set"] == "far"])
    assert np.abs(mine) == pytest.approx(np.abs(reference), abs=1e-8)
    assert "far: 50 rows" in text_of(chart)


def test_task_pictures_of_images_and_of_one_input():
    random = np.random.default_rng(2)
    task_chart("images", [PictureSet("train", random.normal(size=(30, 1, 8, 8)), np.arange(30.0))]).to_dict()
    chart = task_chart("line", [PictureSet("train", np.arange(5.0)[:, None], np.arange(5.0) ** 2)])
    assert [r["y"] for r in data_of(chart) if r["panel"] == "by set"] == [0, 1, 4, 9, 16]
    with pytest.raises(InputError, match="without rows"):
        task_chart("empty", [PictureSet("train", np.empty((0, 2)), [])])


@pytest.mark.parametrize(
    "name",
    [
        "residuary resistance per unit weight of displacement",
        "a_column_that_somebody_named_" * 6 + "in_kg",
        "x" * 300,
        "y",
    ],
)
def test_long_names_of_targets_fit_their_panels(name):
    """Titles have lines that fit, and a name that is shortened says so; Vega cuts none of them."""
    inputs = np.random.default_rng(0).normal(size=(40, 1))
    spec = task_chart("t", [PictureSet("train", inputs, inputs[:, 0])], target_name=name).to_dict()
    panel = spec["concat"][1]
    encoding = panel["layer"][0]["encoding"]
    legend = encoding["color"]["legend"]
    assert legend["titleLimit"] == 0
    whole = panel["title"]["text"]
    lines = [whole] if isinstance(whole, str) else whole
    assert max(map(len, lines)) <= 40
    assert "".join("".join(lines).split()).removeprefix("by") == "".join(name.split())  # a panel's title is never cut
    for title, most in ((legend["title"], 50), (encoding["y"]["axis"]["title"], 32)):
        lines = [title] if isinstance(title, str) else title
        assert 1 <= len(lines) <= 3
        assert max(map(len, lines)) <= most + 2
        shown = "".join("".join(lines).split())
        assert shown == "".join(name.split()) or shown.endswith("…")


def test_the_only_network_is_chosen_among_estimators(records, record, key):
    estimators = [record(key(architecture=name), learning_rate=None) for name in ("mean", "ridge")]
    mine = records(tasks=("sine-1d",))
    assert lone_network([*estimators, *mine]) == mine
    both = [*estimators, *mine, *records(tasks=("sine-1d",), architectures=("cnn",))]
    assert lone_network(both) == both
    assert lone_network(estimators) == estimators


def png_size(content):
    assert content[:8] == b"\x89PNG\r\n\x1a\n"
    return struct.unpack(">II", content[16:24])


def test_pictures_are_files_that_need_nothing_else(tmp_path, records):
    chart = growth_chart(records(seeds=range(2)))
    width, height = png_size(save(chart, tmp_path / "new" / "a.png").read_bytes())
    assert width > 800
    assert height > 400
    assert save(chart, tmp_path / "a.svg").read_text().startswith("<svg")
    html = save(chart, tmp_path / "a.html").read_text()
    assert not re.search(r'<(script|link|img)[^>]+(src|href)="?(https?:)?//', html)
    assert "norm scheme" in html
    assert save(chart, tmp_path / "a.pdf").read_bytes().startswith(b"%PDF")
    assert json.loads(save(chart, tmp_path / "a.json").read_text())["title"]


def test_unknown_endings_and_unwritable_files_are_one_clear_line(tmp_path, records):
    chart = growth_chart(records(seeds=range(2)))
    with pytest.raises(InputError, match=r"\.jpg"):
        save(chart, tmp_path / "a.jpg")
    (tmp_path / "file").write_text("")
    with pytest.raises(InputError, match="cannot be written"):
        save(chart, tmp_path / "file" / "a.svg")


@pytest.mark.parametrize(("low", "high"), [(1e-3, 1e5), (0.9, 1.02), (0.5, 1.3), (1.0, 30.0), (2e-4, 9e-4), (0.5, 8.0)])
def test_ticks_are_few_round_and_inside(low, high):
    ticks = log_ticks(low, high)
    assert 2 <= len(ticks) <= 9
    assert all(low <= t <= high for t in ticks)
    assert all(len(f"{t:.6g}".strip("0").replace(".", "").strip("0")) <= 3 for t in ticks)


def test_decades_hold_every_value():
    domain, ticks = decades([0.3, 2e4, math.inf, 0.0])
    assert domain == [0.1, 1e5]
    assert len(ticks) <= 8
