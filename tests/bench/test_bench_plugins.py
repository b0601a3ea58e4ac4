"""Code from outside: real files, real processes."""

from __future__ import annotations

import json
import os
import random
import subprocess
import sys
import textwrap
import threading
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import nn

import bench
from architectures import parse_scheme, registry, resolve
from architectures.building import build_network, sites
from bench.checking.surroundings import Surroundings
from bench.core import plugins
from bench.core.errors import InputError, UnknownName
from bench.core.plugins import load_plugin, read_plugin
from bench.core.problem import Problem
from bench.isolation import undisturbed
from bench.plan import Job
from bench.runner import Watcher
from leaderboard.store import Store

NET = """
from torch import nn
from architectures import register_architecture

@register_architecture("{name}", inputs=["features"])
def build(problem, norm, width: int = 8):
    return nn.Sequential(nn.Linear(problem.size, width), norm("hidden", width), nn.{act}(), nn.Linear(width, 1))
"""

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


@pytest.fixture(autouse=True)
def forget() -> Iterator[None]:
    """Plug-ins of one test are not there in the next."""
    before = set(registry.names())
    forget_modules()
    yield
    for name in set(registry.names()) - before:
        registry.remove(name)
    forget_modules()


def forget_modules() -> None:
    for name in [name for name in sys.modules if name.startswith("farfield_plugin_")]:
        del sys.modules[name]


def write(path: Path, text: str) -> Path:
    path.write_text(textwrap.dedent(text))
    return path


def farfield(*arguments: str, cwd: Path, **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "bench.cli", *arguments],
        capture_output=True,
        text=True,
        cwd=cwd,
        env={**os.environ, **environment},
        check=False,
    )


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("def (:", r"does not parse: .* \[line 1\]"),
        ("import sys\nsys.exit(4)", r"does not import: it ends the process \(SystemExit: 4\)"),
        ("import no_such_package_here", "does not import: ModuleNotFoundError"),
        ("raise ValueError('two\\nlines')", "does not import: ValueError: two lines"),
        ("x = '\0'", "is no Python source|does not parse"),
        ("try:\n    while True: pass\nexcept Exception: pass", "does not import: it is not done after 0.2 s"),
    ],
)
def test_a_file_that_cannot_be_loaded_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, text: str, complaint: str
) -> None:
    monkeypatch.setattr(plugins, "IMPORT_SECONDS", 0.2)
    path = write(tmp_path / "mine.py", text)
    with pytest.raises(InputError, match=complaint) as caught:
        load_plugin(path)
    assert str(path) in str(caught.value)
    assert "\n" not in str(caught.value)
    assert not [name for name in sys.modules if name.startswith("farfield_plugin_")]


def test_what_is_no_source_file_is_not_read(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="cannot be read: No such file"):
        read_plugin(tmp_path / "missing.py")
    with pytest.raises(InputError, match="no regular file"):
        read_plugin(tmp_path)
    with pytest.raises(InputError, match="no regular file"):
        read_plugin("/dev/zero")
    (tmp_path / "big.py").write_bytes(b"#" * 1_000_001)
    with pytest.raises(InputError, match="larger than a megabyte"):
        read_plugin(tmp_path / "big.py")


def test_what_a_plugin_prints_stays_out_of_the_results(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    load_plugin(write(tmp_path / "loud.py", "print('here I am')"))
    captured = capsys.readouterr()
    assert (captured.out, captured.err) == ("", "here I am\n")


def test_the_same_bytes_are_the_same_module_and_others_are_another_architecture(tmp_path: Path) -> None:
    one = write(tmp_path / "one.py", NET.format(name="my-net", act="ReLU"))
    same = write(tmp_path / "same.py", NET.format(name="my-net", act="ReLU"))
    assert load_plugin(one) is load_plugin(same)
    before = resolve("my-net").source_hash
    registry.remove("my-net")
    load_plugin(write(one, NET.format(name="my-net", act="Tanh")))
    assert resolve("my-net").source_hash != before


def test_a_taken_name_is_refused(tmp_path: Path) -> None:
    path = write(tmp_path / "mine.py", NET.format(name="mlp", act="ReLU"))
    with pytest.raises(InputError, match="architecture 'mlp' is already registered"):
        load_plugin(path)
    done = farfield("run", "--plugin", str(path), "--task", "sine-1d", "--arch", "mlp", cwd=tmp_path)
    assert done.returncode == 2
    assert done.stderr.count("\n") == 1


class Overwriting(Watcher):
    """Changes the plug-in once the sweep is planned and before its workers start."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def begin(self, jobs: Sequence[Job], finished: int) -> None:
        self.path.write_text("raise RuntimeError('changed meanwhile')")

    def done(self, job: Job, outcomes: object) -> None:
        pass


def test_workers_load_the_source_that_was_planned_with(tmp_path: Path) -> None:
    path = write(tmp_path / "mine.py", NET.format(name="my-net", act="ReLU"))
    results = bench.run(
        tasks=["sine-1d"],
        architectures=["my-net(width=4)"],
        norms=["none", "layer@first"],
        seeds=1,
        protocol="quick",
        out=tmp_path / "out",
        workers=1,
        plugins=[path],
        watchers=[Overwriting(path)],
    )
    assert results.counts == {"ok": 2}
    assert {record.key.source_hash for record in results.records} == {resolve("my-net").source_hash}


def test_a_changed_file_runs_anew_beside_the_old_records(tmp_path: Path) -> None:
    path, fresh = tmp_path / "mine.py", []
    for act in ("ReLU", "Tanh", "ReLU"):
        write(path, NET.format(name="my-net", act=act))
        registry.remove("my-net")
        forget_modules()
        results = bench.run(
            tasks=["sine-1d"],
            architectures=["my-net"],
            seeds=1,
            protocol="quick",
            out=tmp_path / "out",
            workers=1,
            plugins=[path],
        )
        fresh.append(results.fresh)
    assert fresh == [1, 1, 0]


def test_an_installed_package_offers_its_architecture(tmp_path: Path) -> None:
    package, metadata = tmp_path / "zoo.py", tmp_path / "zoo-1.0.dist-info"
    write(package, NET.format(name="zoo-net", act="ReLU"))
    metadata.mkdir()
    (metadata / "METADATA").write_text("Metadata-Version: 2.1\nName: zoo\nVersion: 1.0\n")
    (metadata / "entry_points.txt").write_text("[farfield.architectures]\nzoo-net = zoo\n")
    here = {"PYTHONPATH": str(tmp_path)}
    code = (
        "import sys, architectures; names = architectures.list_architectures();"
        "sys.exit('zoo-net' not in names or 'zoo' in sys.modules)"
    )
    listed = subprocess.run([sys.executable, "-c", code], env={**os.environ, **here}, check=False)
    assert listed.returncode == 0  # listed without being loaded
    arguments = ("run", "--task", "sine-1d", "--arch", "zoo-net(width=4)", "--norm", "layer@first", "--seeds", "1")
    done = farfield(*arguments, "--protocol", "quick", "--out", "out", cwd=tmp_path, **here)
    assert done.returncode == 0, done.stderr
    assert "zoo-net(width=4)" in done.stdout


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
    assert [site.name for site in found] == ["here"]


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


def test_an_import_outside_the_main_thread_is_not_timed(tmp_path: Path) -> None:
    path = write(tmp_path / "mine.py", "x = 1")
    loaded = []
    thread = threading.Thread(target=lambda: loaded.append(load_plugin(path).x))
    thread.start()
    thread.join()
    assert loaded == [1]


RUDE = """
import os, random, threading, time
import numpy as np
import torch
from torch import nn
from architectures import register_architecture

torch.set_grad_enabled(False)

@register_architecture("rude-net", inputs=["features"])
def rude(problem, norm):
    threading.Thread(target=time.sleep, args=(1e6,)).start()
    torch.set_default_dtype(torch.float64)
    torch.set_grad_enabled(False)
    torch.set_num_threads(2)
    torch.manual_seed(0)
    np.random.seed(0)
    random.seed(0)
    np.seterr(all="raise")
    os.chdir("/")
    print("hello from inside " * 10)
    return nn.Linear(problem.size, 1)
"""


def test_what_one_job_does_to_its_process_does_not_reach_the_next(tmp_path: Path) -> None:
    write(tmp_path / "rude.py", RUDE)
    plugin = ("--plugin", "rude.py", "--arch", "rude-net")
    common = (
        "run",
        "--task",
        "sine-1d",
        "--arch",
        "mlp(width=8)",
        "--seeds",
        "1",
        "--protocol",
        "quick",
        "--workers",
        "1",
    )
    # records of the network that runs after the rude one, and of the same network alone
    results = []
    for out, more in (("beside", plugin), ("alone", ())):
        done = farfield(*common, *more, "--out", out, "--format", "json", cwd=tmp_path)
        json.loads(done.stdout)  # nothing but results
        assert ("hello from inside" in done.stderr) == bool(more)
        with Store(tmp_path / out / "records.sqlite", "read") as store:
            results.append([r for r in store.records() if r.key.architecture.startswith("mlp")])
    (beside,), (alone,) = results
    assert beside.status == "ok"
    assert beside.id_error == alone.id_error
    assert beside.growth == alone.growth


def test_global_state_is_put_back() -> None:
    before = Surroundings.now()
    with undisturbed():
        for line in RUDE.splitlines():
            if line.startswith("    ") and "Thread" not in line and "return" not in line:
                exec(line.strip(), {"torch": torch, "np": np, "random": random, "os": os, "print": lambda text: None})
        torch.set_default_device("meta")
    assert Surroundings.now().differs_from(before) == []


BROKEN = """
import torch
from torch import nn
from architectures import register_architecture

class Broken(nn.Module):
    def __init__(self, fault):
        super().__init__()
        self.fault, self.layer = fault, nn.Linear(1, 1)
    def forward(self, x):
        y = self.layer(x)
        return {
            "shape": lambda: y.squeeze(-1),
            "mixes": lambda: y - y.mean(0),
            "random": lambda: y + torch.randn_like(y),
            "none": lambda: y,
        }[self.fault]()

@register_architecture("broken-net", inputs=["features"])
def broken(problem, norm, fault: str = "none"):
    return Broken(fault)
"""


def test_what_breaks_the_contract_is_a_failed_record_and_the_sweep_goes_on(tmp_path: Path) -> None:
    results = bench.run(
        tasks=["sine-1d"],
        architectures=[f"broken-net(fault={fault})" for fault in ("shape", "mixes", "random", "none")],
        seeds=1,
        protocol="quick",
        out=tmp_path / "out",
        workers=1,
        plugins=[write(tmp_path / "broken.py", BROKEN)],
    )
    reasons = [record.reason or record.status for record in results.records]
    assert "breaks the contract: maps 1 rows to (1,): return the shape (N, 1)" in reasons[0]
    assert "breaks the contract: answers change by" in reasons[1]
    assert "breaks the contract: two evaluations differ" in reasons[2]
    assert reasons[3] == "ok"
