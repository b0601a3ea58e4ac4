"""Norm kinds from files outside, through real sweeps: one of each sort, and a kind whose code changes."""

from __future__ import annotations

import os
import textwrap
from collections.abc import Callable, Iterator
from pathlib import Path
from subprocess import CompletedProcess

import pytest

import farfield as ff
from architectures import NORM_REGISTRY, parse_scheme, resolve
from bench.cell.admission import hold_to_contract
from bench.core.errors import FarFieldError
from bench.core.plugins import load_plugin
from bench.core.problem import Problem

pytestmark = pytest.mark.usefixtures("forget_plugins")

LAYER = """
import farfield as ff
import torch
from torch import nn


class SoftClip(nn.Module):
    def __init__(self, scale):
        super().__init__()
        self.scale = scale

    def forward(self, x):
        return self.scale * torch.tanh(x / self.scale)


@ff.register_norm("softclip")
def softclip(site, scale: float = 3.0):
    return SoftClip(scale)
"""

PARAMETRIZATION = """
import farfield as ff
from torch import nn
from torch.nn.utils.parametrize import register_parametrization


class UnitRows(nn.Module):
    def forward(self, weight):
        return weight / weight.flatten(1).norm(dim=1).view(-1, *[1] * (weight.dim() - 1))


@ff.register_norm("unit-rows", sort="parametrization")
def unit_rows(linear):
    register_parametrization(linear, "weight", UnitRows())
"""

PAIR = """
import farfield as ff
import torch
from torch import nn


class Radial(nn.Module):
    def __init__(self, frame):
        super().__init__()
        self.reach = frame.reach

    def inward(self, x):
        size = x.flatten(1).norm(dim=1).view(-1, *[1] * (x.dim() - 1))
        s = (size / self.reach).clamp_min(1.0)
        return x / s, s.flatten(1)

    def outward(self, y, s):
        return s * y


@ff.register_norm("radial-1", sort="pair", growth="bounds", growth_back="raises")
def radial(frame):
    return Radial(frame)
"""


@pytest.fixture(autouse=True)
def _forget() -> Iterator[None]:
    before = set(NORM_REGISTRY.names())
    yield
    for name in set(NORM_REGISTRY.names()) - before:
        NORM_REGISTRY.remove(name)


@pytest.fixture
def write(tmp_path: Path) -> Callable[[str, str], str]:
    def written(name: str, text: str) -> str:
        path = tmp_path / name
        path.write_text(textwrap.dedent(text))
        return str(path)

    return written


@pytest.mark.slow
def test_a_kind_of_each_sort_runs_in_an_mlp_a_cnn_and_a_transformer(
    tmp_path: Path, write: Callable[[str, str], str]
) -> None:
    plugins = [write("layer.py", LAYER), write("map.py", PARAMETRIZATION), write("pair.py", PAIR)]
    norms = ["softclip(scale=2)@first", "unit-rows@first", "radial-1@input+output", "clip@input"]
    results = ff.run(
        tasks=["sum-sequence"],
        architectures=["mlp(width=16)", "cnn(width=16)", "transformer(width=16, depth=1)"],
        norms=norms,
        seeds=2,
        protocol="quick",
        out=tmp_path / "out",
        plugins=plugins,
    )
    frame = results.frame()
    assert len(frame) == 3 * len(norms) * 2
    assert set(frame["status"]) == {"ok"}, frame["reason"].dropna().unique()
    exponent = frame.groupby("norm")["exponent"].mean()
    assert exponent["radial-1@input+output"] == pytest.approx(1, abs=0.01)
    assert exponent["clip@input"] == pytest.approx(0, abs=0.01)
    assert exponent["unit-rows@first"] == pytest.approx(1, abs=0.1)
    records = {(r.key.architecture, r.key.norm): r for r in results.records}
    for (_, norm), record in records.items():
        assert (record.certificate is not None) == (norm == "clip@input")
        assert len(record.key.norm_hash) == 16


@pytest.mark.slow
def test_a_kind_whose_code_changes_is_trained_anew(
    tmp_path: Path, write: Callable[[str, str], str], forget_modules: Callable[[], None]
) -> None:
    """The same name, the same options, another layer: the store answers for neither in the other's place."""

    def run(text: str) -> tuple[list[float | None], int]:
        NORM_REGISTRY.remove("softclip")
        forget_modules()
        results = ff.run(
            tasks=["sine-1d"],
            architectures=["mlp(width=16)"],
            norms=["softclip@first"],
            seeds=2,
            protocol="quick",
            out=tmp_path / "out",
            plugins=[write("mine.py", text)],
        )
        return [record.id_error for record in results.records], len(ff.load(tmp_path / "out").records)

    changed = LAYER.replace("torch.tanh(x / self.scale)", "torch.sigmoid(x / self.scale)")
    tanh, stored = run(LAYER)
    assert (len(tanh), stored) == (2, 2)
    sigmoid, stored = run(changed)
    assert (len(sigmoid), stored) == (2, 4)
    assert not set(tanh) & set(sigmoid)
    again, stored = run(LAYER)
    assert (again, stored) == (tanh, 4)


@pytest.mark.parametrize(
    ("forward", "words"),
    [
        ("x - x.mean(0)", "answers change by"),
        ("x + 0.1 * torch.randn_like(x)", "two evaluations differ"),
        ("x[..., :1]", r"the layer at hidden1 makes \(6, 1\) of \(6, 16\)"),
        ("x.double()", "answers in torch.float64 where torch.float32 goes in"),
    ],
)
def test_a_kind_that_breaks_the_contract_is_named(write: Callable[[str, str], str], forward: str, words: str) -> None:
    load_plugin(write("mine.py", LAYER.replace("self.scale * torch.tanh(x / self.scale)", forward)))
    scheme = parse_scheme("softclip@first")
    with pytest.raises(FarFieldError, match=words) as caught:
        hold_to_contract(resolve("mlp(width=16)"), scheme, Problem("features", (3,)))
    assert caught.value.code == "contract"
    assert str(caught.value).startswith("norm softclip@first breaks the contract")


def test_a_kind_that_breaks_the_contract_is_not_trained(tmp_path: Path, write: Callable[[str, str], str]) -> None:
    results = ff.run(
        tasks=["sine-1d"],
        architectures=["mlp(width=16)"],
        norms=["softclip@first"],
        seeds=1,
        protocol="quick",
        out=tmp_path / "out",
        plugins=[write("mine.py", LAYER.replace("self.scale * torch.tanh(x / self.scale)", "x - x.mean(0)"))],
    )
    (record,) = results.records
    assert (record.status, record.reason_code, record.learning_rate) == ("failed", "contract", None)


def test_an_installed_package_offers_its_kind(tmp_path: Path, farfield: Callable[..., CompletedProcess[str]]) -> None:
    (tmp_path / "clips.py").write_text(LAYER)
    metadata = tmp_path / "clips-1.0.dist-info"
    metadata.mkdir()
    (metadata / "METADATA").write_text("Metadata-Version: 2.1\nName: clips\nVersion: 1.0\n")
    (metadata / "entry_points.txt").write_text("[farfield.norms]\nsoftclip = clips\n")
    paths = os.pathsep.join(filter(None, (str(tmp_path), os.environ.get("PYTHONPATH"))))
    shown = farfield("show", "norm", "softclip", "--format", "csv", cwd=tmp_path, PYTHONPATH=paths)
    assert shown.returncode == 0, shown.stderr
    assert "origin,installed" in shown.stdout
    assert "scale,3.0" in shown.stdout
    listed = farfield("list", "norms", "soft*", "--format", "csv", cwd=tmp_path, PYTHONPATH=paths)
    assert listed.stdout.splitlines()[-1].startswith("softclip,layer,installed")
