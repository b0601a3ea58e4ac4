"""Networks of a user's own modules."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
from torch import nn

import bench
from architectures import parse_scheme, resolve
from architectures.building import build_network, sites
from bench.core.errors import InputError, UnknownName, Unsupported
from bench.core.problem import Problem

pytestmark = pytest.mark.usefixtures("forget_plugins")

MODELS = """
from torch import nn

def build(problem):
    first = [nn.Flatten(), nn.Linear(problem.size, 8), nn.LayerNorm(8), nn.ReLU()]
    return nn.Sequential(*first, nn.Linear(8, 8), nn.BatchNorm1d(8), nn.Linear(8, 1))

def offered(problem, norm, width: int = 8):
    return nn.Sequential(nn.Linear(problem.size, width), norm("here", width), nn.LayerNorm(width), nn.Linear(width, 1))

class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.layer = nn.Linear(1, 1)
    def forward(self, x):
        return self.layer(x)

def needy(problem, width):
    return nn.Linear(1, 1)

def notamodule(problem):
    return 3

number = 5
"""


def write(path: Path, text: str) -> Path:
    path.write_text(text)
    return path


def module(tmp_path: Path, name: str, norm: str = "none") -> object:
    path = write(tmp_path / "models.py", MODELS)
    return build_network(resolve(f"module({path}:{name})"), parse_scheme(norm), Problem("features", (3,)), 0)


def test_a_module_without_decorator_has_its_norm_layers_as_sites(tmp_path: Path) -> None:
    path = write(tmp_path / "models.py", MODELS)
    found = sites(resolve(f"module({path}:build)"), Problem("features", (3,)))
    assert [(site.name, site.dim) for site in found] == [("layers.2", 8), ("layers.5", 8)]
    kept, bare, other = (module(tmp_path, "build", norm) for norm in ("own@all", "none", "rms@last"))
    kinds = [
        [type(layer) for layer in net if not isinstance(layer, (nn.Linear, nn.ReLU, nn.Flatten))]
        for net in (kept, bare, other)
    ]  # type: ignore[attr-defined]
    assert kinds == [[nn.LayerNorm, nn.BatchNorm1d], [nn.Identity] * 2, [nn.Identity, nn.RMSNorm]]
    torch.testing.assert_close(kept[1].weight, bare[1].weight)  # type: ignore[index]


def test_a_module_that_takes_norm_says_itself_where_it_goes(tmp_path: Path) -> None:
    path = write(tmp_path / "models.py", MODELS)
    found = sites(resolve(f"module({path}:offered)"), Problem("features", (3,)))
    assert [site.name for site in found] == ["here", "layers.2"]  # its own layer norm can only be kept
    with pytest.raises(Unsupported, match=r"LayerNorm at '2' does layer_norm; own@all keeps it"):
        module(tmp_path, "offered")
    assert isinstance(module(tmp_path, "offered", "rms@here+own@layers.2")[1], nn.RMSNorm)  # type: ignore[index]


@pytest.mark.parametrize(
    ("name", "complaint"),
    [
        ("missing", "'missing' is nothing in .*it has .*build"),
        ("number", "'number' is a int"),
        ("needy", "needy needs the argument 'width'"),
        ("notamodule", "built a int"),
    ],
)
def test_a_module_that_cannot_be_called_is_named(tmp_path: Path, name: str, complaint: str) -> None:
    with pytest.raises(InputError, match=complaint):
        module(tmp_path, name)


def test_where_a_module_comes_from_must_be_there(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="does not name a function in a file"):
        resolve("module(models.py)")
    with pytest.raises(InputError, match="needs the option 'target'"):
        resolve("module")
    with pytest.raises(InputError, match="cannot be read: No such file"):
        _ = resolve(f"module({tmp_path}/missing.py:build)").source_hash
    with pytest.raises(InputError, match=r"no Python module 'no_such_package\.models'"):
        _ = resolve("module(no_such_package.models:build)").source_hash
    with pytest.raises(UnknownName):
        resolve("modules(x.py:build)")


def test_a_module_runs_in_a_sweep_and_its_file_is_part_of_the_key(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write(tmp_path / "models.py", MODELS)
    monkeypatch.chdir(tmp_path)
    results = bench.run(
        tasks=["sine-1d"],
        architectures=["module(models.py:build)"],
        norms=["none", "own@first"],
        seeds=1,
        protocol="quick",
        out="out",
        workers=1,
    )
    assert results.counts == {"ok": 2}
    (first,) = {record.key.source_hash for record in results.records}
    write(tmp_path / "models.py", MODELS + "\n# changed\n")
    assert resolve("module(models.py:build)").source_hash != first
