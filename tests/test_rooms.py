"""Who may import whom, and what importing costs."""

from __future__ import annotations

import ast
import json
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
ROOMS = ("tasks", "architectures", "leaderboard")
HEAVY = {"torch", "timm", "datasets", "wandb"}


def imported(path: Path) -> set[str]:
    """Dotted names that a file imports, wherever in the file."""
    found: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            found |= {node.module, *(f"{node.module}.{alias.name}" for alias in node.names)}
    return found


@pytest.mark.parametrize("room", ROOMS)
def test_rooms_know_the_ground_and_none_of_each_other(room: str) -> None:
    forbidden = {other for other in (*ROOMS, "bench") if other != room}
    for path in sorted((ROOT / room).rglob("*.py")):
        for name in imported(path):
            top = name.partition(".")[0]
            allowed = top not in forbidden or name == "bench.core" or name.startswith("bench.core.") or name == "bench"
            assert allowed, f"{path.relative_to(ROOT)} imports {name}"
        assert "bench" not in {n for n in imported(path) if n == "bench"} or room == "bench"


def test_the_ground_needs_the_standard_library_and_numpy_only() -> None:
    for path in (ROOT / "bench" / "core").glob("*.py"):
        for name in imported(path):
            top = name.partition(".")[0]
            assert top in sys.stdlib_module_names or top == "numpy" or name.startswith("bench.core"), (
                f"{path.name}: {name}"
            )


def test_the_leaderboard_never_names_torch() -> None:
    for path in (ROOT / "leaderboard").rglob("*.py"):
        assert not {n for n in imported(path) if n.partition(".")[0] in HEAVY}, path.name


def loaded_by(code: str) -> set[str]:
    """Top-level modules in a fresh interpreter after ``code``."""
    report = f"import sys, json\n{code}\njson.dump(sorted({{m.partition('.')[0] for m in sys.modules}}), sys.stderr)"
    done = subprocess.run([sys.executable, "-c", report], capture_output=True, text=True, check=True, cwd=ROOT)
    return set(json.loads(done.stderr.splitlines()[-1]))


@pytest.mark.parametrize("package", ["bench", *ROOMS, "bench.cli"])
def test_imports_are_light(package: str) -> None:
    assert not HEAVY & loaded_by(f"import {package}")


@pytest.mark.parametrize(
    "arguments", [["--help"], ["run", "--help"], *(["list", k] for k in ("tasks", "architectures", "norms", "suites"))]
)
def test_help_and_lists_load_nothing_heavy(arguments: list[str]) -> None:
    assert not HEAVY & loaded_by(f"from bench.cli import main\nassert main({arguments!r}) == 0")


def test_no_file_is_long_and_nothing_is_left_open() -> None:
    for folder in ("bench", *ROOMS):
        for path in (ROOT / folder).rglob("*.py"):
            text = path.read_text()
            assert text.count("\n") <= 400, f"{path.relative_to(ROOT)} has {text.count(chr(10))} lines"
            for word in ("TO" + "DO", "FIX" + "ME", "raise NotImplemented" + "Error"):
                assert word not in text, f"{path.relative_to(ROOT)}: {word}"
