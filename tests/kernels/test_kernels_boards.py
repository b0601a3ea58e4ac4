"""``ntk`` and ``nngp`` on boards, and the pictures of the theorem."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

import bench
from architectures import describe, parse_scheme, resolve
from architectures.building import build_estimator
from architectures.contract.examination import cases
from architectures.description import placements_of, predict
from architectures.kernels import kernel
from bench.cli import main
from bench.commands._kernel_pictures import convergence_picture, kernel_picture
from bench.core.errors import InputError
from bench.core.problem import Problem

FEATURES = Problem("features", (4,))
NOISY = "nngp(activation=erf)", "layer@first"


def test_a_sweep_measures_them_like_everybody_each_scheme_for_itself(tmp_path: Path) -> None:
    results = bench.run(
        tasks=["sine-1d"],
        architectures=["ntk(depth=2)", "nngp(activation=erf)", "ridge"],
        norms=["none", "layer@first"],
        seeds=1,
        protocol="quick",
        out=tmp_path,
        wandb="disabled",
    )
    found = {(r.key.architecture, r.key.norm): r for r in results.records}
    assert len(found) == 5  # ridge once
    assert {r.status for r in found.values()} == {"ok"}
    bare, normed = found["ntk(depth=2)", "none"], found["ntk(depth=2)", "layer@first"]
    assert bare.exponent == pytest.approx(1, abs=0.05)
    assert bare.certificate is None
    assert normed.exponent == pytest.approx(0, abs=0.01)
    assert normed.certificate is not None
    assert max(g for g in normed.growth if g is not None) <= normed.certificate
    assert found["nngp(activation=erf)", "none"].exponent == pytest.approx(0, abs=0.01)
    assert all(r.id_error is not None for r in found.values())
    # of one input, a normed first layer tells directions alone: without jitter, erf goes through the noise
    followed = [r.id_error for cell, r in found.items() if cell[0].startswith("n") and cell != NOISY]
    assert max(error for error in followed if error is not None) < 0.1


@pytest.mark.parametrize("name", ["ntk", "nngp(depth=1, activation=gelu)"])
def test_they_keep_the_contract(name: str) -> None:
    results = [case.run() for case in cases(resolve(name))]
    assert [r for r in results if r.passed is False] == []
    assert any(r.passed for r in results)


@pytest.mark.parametrize(
    ("spelling", "norm", "exponent"),
    [
        ("ntk", "none", 1),
        ("ntk", "layer@last", 0),
        ("ntk(activation=erf)", "none", 0),
        ("nngp(activation=gelu)", "none", 1),
        ("nngp(activation=gelu)", "rms@input", 0),
        ("ntk(activation=identity)", "none", 1),
    ],
)
def test_what_is_predicted_of_them_depends_on_scheme_and_options(spelling: str, norm: str, exponent: int) -> None:
    assert predict(resolve(spelling), parse_scheme(norm), FEATURES).exponent == exponent
    assert describe(resolve(spelling), parse_scheme(norm), FEATURES).prediction.exponent == exponent


def test_their_places_are_those_of_an_mlp() -> None:
    places = dict(placements_of(resolve("ntk(depth=2)"), FEATURES))
    assert places == {"first": ("hidden1",), "last": ("hidden2",), "all": ("hidden1", "hidden2")}
    resolve("ntk").check_scheme(parse_scheme("layer@input+hidden2.post"))
    with pytest.raises(InputError, match="no such place: 'embed'"):
        resolve("ntk").check_scheme(parse_scheme("layer@embed"))
    assert hasattr(build_estimator(resolve("ntk"), parse_scheme("none"), FEATURES), "predict_with_deviation")


def test_the_map_shows_the_kernel_and_each_scheme_has_its_colours() -> None:
    spec = kernel_picture(["none", "layer@first"], points=5, reach=2.0).to_dict()
    assert spec["resolve"]["scale"]["color"] == "independent"
    for norm, rows in zip(("none", "layer@first"), spec["datasets"].values(), strict=True):
        expected = kernel(norm=norm).ntk(np.linspace(-2, 2, 5)[:, None])
        np.testing.assert_allclose([row["k"] for row in rows], expected.ravel(), rtol=1e-2)
    for wrong in ({"points": 1}, {"reach": 0.0}):
        with pytest.raises(InputError, match="no map"):
            kernel_picture(["none"], **wrong)  # type: ignore[arg-type]


def test_the_curve_of_finite_networks_names_its_slope() -> None:
    chart = json.dumps(convergence_picture(["none"], [32, 64, 128], depth=1, seeds=4).to_dict(), ensure_ascii=False)
    assert "none (slope −0." in chart.replace(r"\\u2212", "−")  # labels stand in an expression
    assert "1/√width" in chart
    for wrong in ([64], [64, 64], [0, 64]):
        with pytest.raises(InputError, match="needs two widths"):
            convergence_picture(["none"], wrong)


def test_the_command_draws_without_records(tmp_path: Path) -> None:
    target = tmp_path / "kernel.svg"
    assert main(["plot", "kernel", "--norm", "none", "--points", "9", "--save", str(target)]) == 0
    assert "Tangent kernel" in target.read_text()
    assert main(["plot", "kernel", "--activation", "tanh", "--save", str(target)]) == 2
