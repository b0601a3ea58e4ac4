"""Every command and every snippet of the README works as written, in order, in an empty folder."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
README = (ROOT / "README.md").read_text()


def blocks(language: str) -> list[str]:
    return re.findall(rf"^```{language}\n(.*?)^```", README, re.MULTILINE | re.DOTALL)


def commands() -> list[str]:
    """Lines of the shell blocks, without comments; what `make` does is tested by making it."""
    lines = [line.partition("  #")[0].strip() for block in blocks("sh") for line in block.splitlines()]
    return [line for line in lines if line and not line.startswith(("make ", "export ", "pip ", "#"))]


def test_the_commands_run_as_written(tmp_path: Path) -> None:
    real = bool(os.environ.get("FARFIELD_DATA"))
    for block in blocks("python"):
        if match := re.match(r"# (\w+\.py)\n", block):
            (tmp_path / match.group(1)).write_text(block)
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    ran = 0
    for command in commands():
        if "protein" in command and not real:
            continue
        done = subprocess.run(
            command,
            shell=True,
            cwd=tmp_path,
            capture_output=True,
            text=True,
            check=False,
            timeout=900,
            env={**os.environ, "PATH": path},
        )
        assert done.returncode == 0, f"{command}\n{done.stdout[-2000:]}\n{done.stderr[-2000:]}"
        assert "Traceback" not in done.stderr
        ran += 1
    assert ran >= 10
    assert (tmp_path / "growth.png").read_bytes().startswith(b"\x89PNG")


def test_the_python_snippets_run(tmp_path: Path) -> None:
    for block in blocks("python"):
        if not block.startswith("# "):
            done = subprocess.run(
                [sys.executable, "-c", block],
                cwd=tmp_path,
                capture_output=True,
                text=True,
                check=False,
                timeout=600,
            )
            assert done.returncode == 0, done.stderr
            assert "far_error" in done.stdout


def test_files_that_the_readme_names_exist() -> None:
    for target in re.findall(r"\]\(([^)#]+)\)", README):
        if not target.startswith("http"):
            assert (ROOT / target).exists(), target


def test_make_runs_what_the_readme_says() -> None:
    makefile = (ROOT / "Makefile").read_text()
    for line in blocks("sh")[0].splitlines():
        target = line.split()[1]
        assert re.search(rf"^{target}:", makefile, re.MULTILINE), target
    assert "farfield run --suite quick" in makefile
    assert "pytest" in makefile


@pytest.mark.parametrize("word", ["/work/", "/root/", "pypi.org/simple"])
def test_no_machine_paths_or_package_hosts(word: str) -> None:
    tracked = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, text=True, check=False).stdout
    if not tracked:
        pytest.skip("not a git checkout")
    for name in tracked.split("\0"):
        path = ROOT / name
        if name and path.suffix in {".py", ".md", ".toml", ".yaml", ".txt", ".cff", ""} and path.is_file():
            text = path.read_text(errors="replace")
            assert word not in text or name == "tests/test_readme.py", name
