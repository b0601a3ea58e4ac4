"""The user's files may be named like ours, like Python's or like a dependency, beside the script and in the folder."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

from bench.core import shadowing

ROOT = Path(__file__).parents[2]
OURS = ("tasks/__init__.py", "bench/__init__.py", "architectures.py", "leaderboard/__init__.py")
OTHERS = ("random.py", "statistics.py", "signal.py", "queue.py", "torch.py", "numpy.py", "pandas.py", "typer.py")
RUN = """
    results = ff.run(tasks=["sine-1d"], architectures=["mean"], seeds=1, protocol="quick", workers=1, wandb="disabled")
    print(dict(results.counts))
"""
OPEN = f"import farfield as ff\nif True:{RUN}"
GUARDED = f'import farfield as ff\nif __name__ == "__main__":{RUN}'
OK = "{'ok': 1}"
COMMAND = ("run", "--task", "sine-1d", "--arch", "mean", "--protocol", "quick", "--seeds", "1", "--wandb", "disabled")


def crowd(folder: Path, *names: str) -> Path:
    """Files in ``folder`` that say so when somebody imports them."""
    for name in names:
        (folder / name).parent.mkdir(exist_ok=True)
        (folder / name).write_text(f"raise RuntimeError('the user has a file {name}')\n")
    return folder


@pytest.fixture
def crowded(tmp_path: Path) -> Path:
    return crowd(tmp_path, *OURS, *OTHERS)


def python(*arguments: str, cwd: Path, code: str | None = None, **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, *arguments],
        input=code,
        cwd=cwd,
        capture_output=True,
        text=True,
        check=False,
        timeout=300,
        env={**os.environ, **environment},
    )


@pytest.mark.parametrize("code", [OPEN, GUARDED], ids=["open", "guarded"])
def test_beside_a_script(crowded: Path, code: str) -> None:
    crowd(crowded, "types.py", "typing.py", "warnings.py")
    (crowded / "main.py").write_text(code)
    done = python("main.py", cwd=crowded)
    assert done.returncode == 0, done.stderr
    assert OK in done.stdout


@pytest.mark.slow
def test_beside_a_script_in_another_folder(tmp_path: Path) -> None:
    (tmp_path / "code").mkdir()
    crowd(tmp_path, *OURS, *OTHERS)
    (crowd(tmp_path / "code", *OURS, *OTHERS) / "main.py").write_text(OPEN)
    done = python("code/main.py", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert OK in done.stdout


def test_in_the_folder_of_code_without_a_file(crowded: Path) -> None:
    for arguments, code in (("-c", OPEN), None), (("-",), OPEN):
        done = python(*arguments, cwd=crowded, code=code)
        assert done.returncode == 0, done.stderr
        assert OK in done.stdout


@pytest.mark.slow
def test_a_script_may_have_the_name_of_a_package_of_ours(tmp_path: Path) -> None:
    (tmp_path / "tasks.py").write_text(OPEN)
    done = python("tasks.py", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert OK in done.stdout


def test_in_the_folder_of_the_command(crowded: Path) -> None:
    done = python("-m", "farfield", *COMMAND, cwd=crowded)
    assert done.returncode == 0, done.stderr
    assert "1 ok" in done.stderr
    for name in OURS:
        if name.startswith("bench"):  # of all the names, Python looks for this one before we can say anything
            (crowded / name).unlink()
            (crowded / name).parent.rmdir()
    done = python("-m", "bench.cli", *COMMAND, "--out", "another", cwd=crowded)
    assert done.returncode == 0, done.stderr
    assert "1 ok" in done.stderr


@pytest.mark.slow
def test_a_module_of_the_users_that_is_run_with_m(crowded: Path) -> None:
    (crowded / "experiment").mkdir()
    (crowded / "experiment" / "__init__.py").touch()
    (crowded / "experiment" / "main.py").write_text(OPEN)
    done = python("-m", "experiment.main", cwd=crowded)
    assert done.returncode == 0, done.stderr
    assert OK in done.stdout


@pytest.mark.slow
def test_a_working_folder_on_the_path(crowded: Path) -> None:
    path = os.environ.get("PYTHONPATH", "")
    done = python("-P", "-c", OPEN, cwd=crowded, PYTHONPATH=os.pathsep.join([str(crowded), str(ROOT), path]))
    assert done.returncode == 0, done.stderr
    assert OK in done.stdout


@pytest.mark.slow
def test_a_network_that_is_trained_and_tracked(crowded: Path) -> None:
    (crowded / "main.py").write_text(
        "import farfield as ff\n"
        "results = ff.run(tasks=['sine-1d'], architectures=['mlp(depth=1, width=4)'], norms=['none', 'layer@first'],\n"
        "    seeds=1, protocol='quick', workers=2, wandb='offline')\n"
        "print(dict(results.counts))\n"
        "print(ff.standings(results))\n"
    )
    done = python("-W", "error::bench.tracking.options.TrackingWarning", "main.py", cwd=crowded, WANDB_MODE="offline")
    assert done.returncode == 0, done.stderr
    assert "{'ok': 2}" in done.stdout
    (said,) = (line for line in done.stderr.splitlines() if "W&B" in line)
    assert "3 runs wait in" in said
    assert len(list(crowded.rglob("run-*.wandb"))) == 3  # one a record, one of the sweep


@pytest.mark.slow
def test_a_file_is_checked(crowded: Path) -> None:
    (crowded / "my_net.py").write_text(
        "import farfield as ff\nfrom torch import nn\n\n"
        "@ff.register_architecture('my-net', inputs=['features'])\n"
        "def my_net(problem, norm, width: int = 8):\n"
        "    '''One hidden layer.'''\n"
        "    return nn.Sequential(\n"
        "        nn.Linear(problem.size, width), norm('hidden1', width), nn.ReLU(), nn.Linear(width, 1)\n    )\n"
    )
    (crowded / "main.py").write_text("import farfield as ff\nchecked = ff.check('my_net.py')\nprint(checked)\n")
    for arguments in ("main.py",), ("-c", "import farfield as ff; print(ff.check('my_net.py'))"):
        done = python(*arguments, cwd=crowded)
        assert done.returncode == 0, done.stderr
        assert "my_net.py (my-net) passes" in done.stdout, done.stdout


def last_line(text: str) -> str:
    return text.strip().splitlines()[-1]


@pytest.mark.parametrize(
    ("name", "code"),
    [
        ("tasks.py", f"import tasks\n{OPEN}"),
        ("tasks.py", f"import farfield as ff\nimport tasks\n{OPEN}"),
        ("bench.py", f"import bench\n{OPEN}"),
        ("leaderboard/__init__.py", f"import leaderboard\n{OPEN}"),
        ("random.py", f"import random\n{OPEN}"),
        ("calendar.py", f"import farfield as ff\nimport calendar\nassert calendar.mine\n{OPEN}"),
        ("torch.py", f"import torch\n{OPEN}"),
    ],
)
def test_where_one_process_cannot_hold_both_one_line_names_the_file(tmp_path: Path, name: str, code: str) -> None:
    (tmp_path / name).parent.mkdir(exist_ok=True)
    (tmp_path / name).write_text("mine = 1\n")
    (tmp_path / "main.py").write_text(code)
    done = python("main.py", cwd=tmp_path)
    assert done.returncode == 1
    assert str(tmp_path / name) in last_line(done.stderr), done.stderr
    assert "rename it" in last_line(done.stderr)
    assert "Error: " in last_line(done.stderr)
    assert not (tmp_path / "farfield-results").exists()


@pytest.mark.slow
def test_a_fork_server_of_the_users_cannot_know_which_package_is_meant(tmp_path: Path) -> None:
    code = (
        "import multiprocessing\n"
        "process = multiprocessing.get_context('forkserver').Process(target=print)\n"
        "process.start()\nprocess.join()\n"
    )
    crowd(tmp_path, "bench.py")
    done = python("-c", code + OPEN, cwd=tmp_path)
    assert last_line(done.stderr).startswith(f"bench.core.errors.InputError: {tmp_path / 'bench.py'} stands where")
    (tmp_path / "bench.py").unlink()
    done = python("-c", code + OPEN, cwd=crowd(tmp_path, "tasks.py", "architectures.py"))
    assert OK in done.stdout, done.stderr


def test_files_of_other_names_are_imported_as_ever(tmp_path: Path) -> None:
    for name in ("helper.py", "test.py", "calendar.py"):
        (tmp_path / name).write_text(f"mine = {name!r}\n")
    code = "import farfield as ff\nimport helper, test\nff.run\nprint(helper.mine, test.mine)\n"
    done = python("-c", code, cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert done.stdout == "helper.py test.py\n"


def test_only_names_that_the_user_has_too_are_looked_at() -> None:
    assert shadowing.ShadowGuard.find_spec("json") is None
    assert shadowing.ShadowGuard.find_spec("os.path", ["/somewhere"]) is None
    found = shadowing.ShadowGuard.find_spec("tasks")
    assert found is not None
    assert found.origin == str(Path(shadowing.HOME) / "tasks" / "__init__.py")


def test_every_dependency_is_guarded() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    optional = project["optional-dependencies"]
    required = [*project["dependencies"], *optional["tables"], *optional["xgboost"], *optional["lightgbm"]]
    spelled = {"scikit-learn": "sklearn", "pyyaml": "yaml", "vl-convert-python": "vl_convert", "xgboost-cpu": "xgboost"}
    names = [re.split(r"[<>=\[; ]", line)[0] for line in required]
    assert {spelled.get(name, name) for name in names} <= set(shadowing.DEPENDENCIES)
