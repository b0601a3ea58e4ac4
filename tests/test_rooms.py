"""The plan of the house: who may import whom, how much a room holds, and what importing costs."""

from __future__ import annotations

import ast
import json
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator, Mapping
from functools import cache
from graphlib import CycleError, TopologicalSorter
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
ROOMS = ("tasks", "architectures", "leaderboard")
PACKAGES = tuple(name for name in ("farfield", "bench", *ROOMS, "tools") if (ROOT / name).is_dir())
HEAVY = {"torch", "timm", "datasets", "wandb"}
MOST_FILES = 12
MOST_LINES = 400
OF_LIKE_ITEMS = {"bench/commands", "architectures/norms/kinds"}  # a file an item, however many there are

Arrows = Mapping[str, frozenset[str]]


def sources(*folders: str) -> Iterator[Path]:
    """Every Python file below ``folders``."""
    for folder in folders:
        yield from sorted((ROOT / folder).rglob("*.py"))


def imported(path: Path) -> set[str]:
    """Dotted names that a file imports, wherever in the file: in functions and for type checkers, too."""
    found: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            found |= {node.module, *(f"{node.module}.{alias.name}" for alias in node.names)}
    return found


def module_of(path: Path) -> str:
    parts = path.relative_to(ROOT).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


@cache
def arrows() -> Arrows:
    """Each module with the modules that it imports. A name taken from a package that is no module is the package's."""
    modules = {module_of(path): path for path in sources(*PACKAGES)}
    made = {}
    for name, path in modules.items():
        made[name] = frozenset(n for n in taken(path, modules) if n != name)
    return made


def taken(path: Path, modules: Mapping[str, Path]) -> Iterator[str]:
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names if alias.name in modules)
        elif isinstance(node, ast.ImportFrom) and node.module in modules:
            for alias in node.names:
                inner = f"{node.module}.{alias.name}"
                yield inner if inner in modules else str(node.module)


def circle(graph: Mapping[str, frozenset[str] | set[str]]) -> list[str]:
    """The nodes of one circle, or none."""
    try:
        TopologicalSorter(graph).prepare()
    except CycleError as error:
        return list(error.args[1])
    return []


def test_no_file_imports_itself_by_a_detour() -> None:
    assert circle(arrows()) == []


@pytest.mark.parametrize("package", sorted({p.parent.relative_to(ROOT).as_posix() for p in sources(*PACKAGES)}))
def test_arrows_inside_a_room_run_one_way(package: str) -> None:
    """Between the folders and files that lie in a folder, each folder taken whole."""
    prefix = package.replace("/", ".") + "."
    between: dict[str, set[str]] = {}
    for name, others in arrows().items():
        for other in others:
            if name.startswith(prefix) and other.startswith(prefix):
                here, there = (n.removeprefix(prefix).partition(".")[0] for n in (name, other))
                if here != there:
                    between.setdefault(here, set()).add(there)
    assert circle(between) == []


@pytest.mark.parametrize("room", ROOMS)
def test_rooms_know_the_ground_and_none_of_each_other(room: str) -> None:
    forbidden = {other for other in (*PACKAGES,) if other != room}
    for path in sources(room):
        for name in imported(path):
            top = name.partition(".")[0]
            allowed = top not in forbidden or f"{name}.".startswith("bench.core.") or name == "bench"
            assert allowed, f"{path.relative_to(ROOT)} imports {name}"
            assert name != "bench" or "bench.core" in imported(path), path


def test_the_ground_needs_the_standard_library_and_numpy_only() -> None:
    for path in sources("bench/core"):
        for name in imported(path):
            top = name.partition(".")[0]
            assert top in sys.stdlib_module_names or top == "numpy" or name.startswith("bench.core"), (
                f"{path.name}: {name}"
            )


def test_the_leaderboard_never_names_torch() -> None:
    for path in sources("leaderboard"):
        assert not {n for n in imported(path) if n.partition(".")[0] in HEAVY}, path.name


def loaded_by(code: str) -> set[str]:
    """Top-level modules in a fresh interpreter after ``code``."""
    report = f"import sys, json\n{code}\njson.dump(sorted({{m.partition('.')[0] for m in sys.modules}}), sys.stderr)"
    done = subprocess.run([sys.executable, "-c", report], capture_output=True, text=True, check=True, cwd=ROOT)
    return set(json.loads(done.stderr.splitlines()[-1]))


@pytest.mark.parametrize("package", [*(p for p in PACKAGES if p != "tools"), "bench.cli"])
def test_imports_are_light(package: str) -> None:
    assert not HEAVY & loaded_by(f"import {package}")


@pytest.mark.parametrize(
    "arguments", [["--help"], ["run", "--help"], *(["list", k] for k in ("tasks", "architectures", "norms", "suites"))]
)
def test_help_and_lists_load_nothing_heavy(arguments: list[str]) -> None:
    assert not HEAVY & loaded_by(f"from bench.cli import main\nassert main({arguments!r}) == 0")


def test_no_file_is_long_and_nothing_is_left_open() -> None:
    for path in sources(*PACKAGES, "tests"):
        text = path.read_text()
        assert text.count("\n") <= MOST_LINES, f"{path.relative_to(ROOT)} has {text.count(chr(10))} lines"
        for word in ("TO" + "DO", "FIX" + "ME", "raise NotImplemented" + "Error"):
            assert word not in text, f"{path.relative_to(ROOT)}: {word}"


def test_no_folder_is_full() -> None:
    counted = Counter(path.parent.relative_to(ROOT).as_posix() for path in sources(*PACKAGES, "tests"))
    full = {folder: n for folder, n in counted.items() if n > MOST_FILES and folder not in OF_LIKE_ITEMS}
    assert full == {}


def test_tests_are_found_by_their_path() -> None:
    """pytest imports test files by path: a package among them would give two files one name."""
    assert not list((ROOT / "tests").rglob("__init__.py"))
