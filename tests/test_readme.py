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


def blocks(language: str = r"\w+") -> list[tuple[str, str]]:
    """(language, content) of the code blocks, in order."""
    return re.findall(rf"^```({language})\n(.*?)^```", README, re.MULTILINE | re.DOTALL)


def commands(block: str) -> list[str]:
    """Lines of a shell block, without comments; what `make` does is tested by making it."""
    lines = [line.partition("  #")[0].strip() for line in block.splitlines()]
    return [line for line in lines if line and not line.startswith(("make ", "export ", "pip ", "#"))]


@pytest.mark.slow
@pytest.mark.usefixtures("with_published")
def test_commands_and_snippets_run_as_written(tmp_path: Path) -> None:
    """One after the other, as somebody would type them who reads from the top; a block that names a file is saved."""
    real = bool(os.environ.get("FARFIELD_DATA"))
    ran = {"sh": 0, "python": 0}
    for language, block in blocks():
        if language == "python" and (match := re.match(r"# (\w+\.py)\n", block)):
            (tmp_path / match.group(1)).write_text(block)
            continue
        for line in commands(block) if language == "sh" else [block]:
            if "protein" in line and not real:
                continue
            done = subprocess.run(
                line if language == "sh" else [sys.executable, "-c", line],
                shell=language == "sh",
                cwd=tmp_path,
                capture_output=True,
                text=True,
                check=False,
                timeout=900,
                env={**os.environ, "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"},
            )
            assert done.returncode == 0, f"{line}\n{done.stdout[-2000:]}\n{done.stderr[-2000:]}"
            assert "Traceback" not in done.stderr
            assert language == "sh" or "far_error" in done.stdout or "far error" in done.stdout, done.stdout
            ran[language] += 1
    assert ran["sh"] >= 15
    assert ran["python"] >= 3
    assert (tmp_path / "growth.png").read_bytes().startswith(b"\x89PNG")
    assert (tmp_path / "growth-sine.html").read_text().lstrip().startswith("<!")


def test_python_imports_the_public_door_only() -> None:
    for _, block in blocks("python"):
        assert "import farfield as ff" in block
        assert not re.search(r"(import|from) (bench|tasks|architectures|leaderboard)\b", block), block


def test_files_that_the_readme_names_exist() -> None:
    for target in re.findall(r"\]\(([^)#]+)\)", README):
        if not target.startswith("http"):
            assert (ROOT / target).exists(), target


def test_make_runs_what_the_readme_says() -> None:
    makefile = (ROOT / "Makefile").read_text()
    for line in blocks("sh")[0][1].splitlines():
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
