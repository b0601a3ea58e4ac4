"""Plug-ins: real files, real packages, real processes."""

from __future__ import annotations

import os
import subprocess
import sys
import textwrap
import threading
from collections.abc import Callable, Sequence
from pathlib import Path

import pytest

import bench
from architectures import REGISTRY, resolve
from bench.core import plugins
from bench.core.errors import InputError
from bench.core.plugins import load_plugin, read_plugin
from bench.plan.jobs import Job
from bench.sweep.runner import Watcher

pytestmark = pytest.mark.usefixtures("forget_plugins")
Farfield = Callable[..., subprocess.CompletedProcess[str]]

NET = """
from torch import nn
from architectures import register_architecture

@register_architecture("{name}", inputs=["features"])
def build(problem, norm, width: int = 8):
    return nn.Sequential(nn.Linear(problem.size, width), norm("hidden", width), nn.{act}(), nn.Linear(width, 1))
"""


ESTIMATOR = """
import numpy as np
from architectures import register_estimator

@register_estimator("my-median", exponent=0)
class Median:
    def __init__(self, problem, share: float = 0.5):
        self.share = share

    def fit(self, inputs, targets, validation_inputs, validation_targets):
        self.answer = float(np.quantile(targets, self.share))

    def predict(self, inputs):
        return np.full(len(inputs), self.answer)
"""


def write(path: Path, text: str) -> Path:
    path.write_text(textwrap.dedent(text))
    return path


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
    REGISTRY.remove("my-net")
    load_plugin(write(one, NET.format(name="my-net", act="Tanh")))
    assert resolve("my-net").source_hash != before


def test_a_taken_name_is_refused(tmp_path: Path, farfield: Farfield) -> None:
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


def test_a_changed_file_runs_anew_beside_the_old_records(tmp_path: Path, forget_modules: Callable[[], None]) -> None:
    path, fresh = tmp_path / "mine.py", []
    for act in ("ReLU", "Tanh", "ReLU"):
        write(path, NET.format(name="my-net", act=act))
        REGISTRY.remove("my-net")
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


def test_an_estimator_from_a_file_runs_in_a_sweep(tmp_path: Path) -> None:
    path = write(tmp_path / "mine.py", ESTIMATOR)
    results = bench.run(
        tasks=["sine-1d"],
        architectures=["my-median", "my-median(share=0.9)", "mean"],
        norms=["none", "layer@first"],
        seeds=2,
        protocol="quick",
        out=tmp_path / "out",
        workers=1,
        plugins=[path],
    )
    assert results.counts == {"ok": 6}  # without norms: one record a seed each
    assert {(record.key.architecture, record.origin) for record in results.records} == {
        ("my-median", "plug-in"),
        ("my-median(share=0.9)", "plug-in"),
        ("mean", "built in"),
    }
    assert all(record.growth_at(1e3) < 1 for record in results.records)


def test_an_installed_package_offers_its_architecture(tmp_path: Path, farfield: Farfield) -> None:
    package, metadata = tmp_path / "zoo.py", tmp_path / "zoo-1.0.dist-info"
    write(package, NET.format(name="zoo-net", act="ReLU") + ESTIMATOR)
    metadata.mkdir()
    (metadata / "METADATA").write_text("Metadata-Version: 2.1\nName: zoo\nVersion: 1.0\n")
    offers = "[farfield.architectures]\nzoo-net = zoo\n[farfield.estimators]\nmy-median = zoo\n"
    (metadata / "entry_points.txt").write_text(offers)
    here = {"PYTHONPATH": str(tmp_path)}
    code = (
        "import sys, architectures; names = architectures.list_architectures();"
        "print({'zoo-net', 'my-median'} <= set(names), 'zoo' in sys.modules);"
        "print(architectures.get_card('zoo-net').origin, architectures.resolve('my-median(share=0.1)').card.origin)"
    )
    listed = subprocess.run([sys.executable, "-c", code], env={**os.environ, **here}, capture_output=True, text=True)
    assert listed.stdout == "True False\ninstalled installed\n", listed.stderr  # listed without being loaded
    arguments = ("run", "--task", "sine-1d", "--arch", "zoo-net(width=4)", "--norm", "layer@first", "--seeds", "1")
    done = farfield(*arguments, "--protocol", "quick", "--out", "out", cwd=tmp_path, **here)
    assert done.returncode == 0, done.stderr
    assert "zoo-net(width=4)" in done.stdout


def test_an_import_outside_the_main_thread_is_not_timed(tmp_path: Path) -> None:
    path = write(tmp_path / "mine.py", "x = 1")
    loaded = []
    thread = threading.Thread(target=lambda: loaded.append(load_plugin(path).x))
    thread.start()
    thread.join()
    assert loaded == [1]
