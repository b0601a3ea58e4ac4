"""What somebody gets who installs the wheel: every file, and a command that works in an empty folder."""

from __future__ import annotations

import os
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PACKAGES = ("farfield", "bench", "tasks", "architectures", "leaderboard")
pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("wheel")
    subprocess.run(
        [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(folder)],
        cwd=ROOT,
        check=True,
        capture_output=True,
    )
    (built,) = folder.glob("farfield-*.whl")
    return built


def test_the_wheel_holds_every_file_of_the_packages(wheel: Path) -> None:
    held = {name for name in zipfile.ZipFile(wheel).namelist() if name.partition("/")[0] in PACKAGES}
    there = {
        path.relative_to(ROOT).as_posix()
        for package in PACKAGES
        for path in (ROOT / package).rglob("*")
        if path.is_file() and "__pycache__" not in path.parts
    }
    assert held == there
    assert {f"{package}/py.typed" for package in PACKAGES} <= held
    kinds = {Path(name).suffix for name in held}
    assert {".yaml", ".template", ".html", ".js", ".typed"} <= kinds


def test_it_runs_from_the_wheel_alone(wheel: Path, tmp_path: Path) -> None:
    library, folder = tmp_path / "library", tmp_path / "empty"
    folder.mkdir()
    subprocess.run(
        [sys.executable, "-m", "pip", "install", "--quiet", "--no-deps", "--no-index", "--target", library, wheel],
        check=True,
        capture_output=True,
    )
    environment = {**os.environ, "PYTHONPATH": str(library), "WANDB_MODE": "offline"}

    def call(*arguments: str) -> str:
        done = subprocess.run(arguments, cwd=folder, env=environment, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stderr
        return done.stdout

    place = "importlib.import_module(p).__path__[0].rpartition('/')[0]"
    where = f"import importlib\nprint({{{place} for p in {PACKAGES}}})"
    assert call(sys.executable, "-c", where).strip() == str({str(library)})
    command = str(library / "bin" / "farfield")
    small = ("--arch", "mlp", "--norm", "layer@first", "--task", "sine-1d", "--seeds", "1")
    assert "layer@first" in call(command, "run", "--suite", "quick", *small)
    assert "sine-1d" in call(command, "leaderboard", "--scope", "tasks")
    call(command, "leaderboard", "page", "--save", "page.html")
    assert "<title>" in (folder / "page.html").read_text()
    call(command, "plot", "growth", "--save", "growth.svg")
    call(command, "new", "task", "my-task")
    assert "my-task" in call(command, "run", "--plugin", "my_task.py", "--task", "my-task", "--arch", "ridge")
    assert "quick" in call(command, "list", "suites")
