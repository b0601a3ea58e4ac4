import subprocess
import sys
import textwrap
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

import tasks
from bench.core.errors import InputError
from tasks import REGISTRY

MINIMAL = '''
import numpy as np
import tasks


@tasks.register_task("cubic-1d", target="x³", truth="growing", far_rule="shells")
def cubic(noise: float = 0.1) -> tasks.Samples:
    """The cube of a number."""
    draw = np.random.default_rng(0)
    x = draw.uniform(-1, 1, (200, 1))
    y = x[:, 0] ** 3
    return tasks.Samples(tasks.Rows(x, y + noise * draw.normal(size=200)), truth=lambda x: x[:, 0] ** 3)
'''


@pytest.fixture
def clean() -> Iterator[None]:
    before = set(REGISTRY.names())
    yield
    for name in set(REGISTRY.names()) - before:
        REGISTRY.remove(name)


@pytest.mark.usefixtures("clean")
def test_a_task_in_under_thirty_lines() -> None:
    assert len(MINIMAL.splitlines()) < 30
    exec(compile(MINIMAL, "cubic.py", "exec"), {"__name__": "cubic"})
    task = tasks.resolve("cubic-1d(noise=0)").load()
    assert task.name == "cubic-1d(noise=0.0)"
    assert task.card.summary == "The cube of a number."
    assert [far.name for far in task.far] == ["shell-1-2", "shell-2-5", "shell-5-10"]
    cubes = task.to_raw(task.train.inputs)[:, 0] ** 3
    np.testing.assert_allclose(task.target_to_raw(task.train.targets), cubes, atol=1e-12)
    assert tasks.resolve("cubic-1d").load().data_hash != task.data_hash
    with pytest.raises(InputError, match="already registered"):
        exec(compile(MINIMAL, "cubic.py", "exec"), {"__name__": "cubic"})


@pytest.mark.usefixtures("clean")
def test_bad_plugins_are_told_what_is_wrong() -> None:
    with pytest.raises(InputError, match=r"option 'width' of bad needs an annotation that can be spelled: int, float"):

        @tasks.register_task("bad", target="y", truth="bounded", far_rule="none")
        def bad(width=None):  # type: ignore[no-untyped-def]
            raise AssertionError

    with pytest.raises(InputError, match="option 'width' of worse has no default"):

        @tasks.register_task("worse", target="y", truth="bounded", far_rule="none")
        def worse(width: int) -> tasks.Samples:
            raise AssertionError

    with pytest.raises(InputError, match=r"lower-case words joined by hyphens, not 'Bad Name' \[Bad Name\]"):
        tasks.register_task("Bad Name", target="y", truth="bounded", far_rule="none", build="math:pi")
    assert not {"bad", "worse", "Bad Name"} & set(tasks.list_tasks())

    @tasks.register_task("other-shape", target="y", truth="bounded", far_rule="wider")
    def other_shape() -> tasks.Samples:
        wide = tasks.FarSet("wide", tasks.Rows(np.ones((5, 3)), np.ones(5)))
        return tasks.Samples(tasks.Rows(np.arange(50.0)[:, None], np.arange(50.0)), (wide,))

    with pytest.raises(InputError, match="another shape"):
        tasks.resolve("other-shape").load()


@pytest.mark.usefixtures("clean")
def test_a_task_that_is_named_is_loaded_on_use(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "cubic_named.py").write_text(
        "import numpy as np, tasks\n"
        "def cubic():\n"
        "    x = np.linspace(-1, 1, 50)[:, None]\n"
        "    return tasks.Samples(tasks.Rows(x, x[:, 0]), truth=lambda x: x[:, 0])\n"
    )
    monkeypatch.syspath_prepend(tmp_path)
    tasks.register_task("named", target="x", truth="growing", far_rule="shells", build="cubic_named:cubic")
    card = tasks.get_card("named")
    assert (card.origin, card.summary, card.options) == ("plug-in", "named", None)
    assert "cubic_named" not in sys.modules
    assert len(tasks.resolve("named").load().train) == 40


def test_an_installed_package_adds_a_task(tmp_path: Path) -> None:
    (tmp_path / "pyproject.toml").write_text(
        textwrap.dedent("""
        [build-system]
        requires = ["hatchling"]
        build-backend = "hatchling.build"
        [project]
        name = "cubic-task"
        version = "0.1"
        [project.entry-points."farfield.tasks"]
        "cubic-1d" = "cubic_task:cubic"
        [tool.hatch.build.targets.wheel]
        only-include = ["cubic_task.py"]
        """)
    )
    (tmp_path / "cubic_task.py").write_text(MINIMAL)
    place = tmp_path / "site"
    pip = [sys.executable, "-m", "pip", "install", "--quiet", "--no-deps", "--no-build-isolation", "--no-index"]
    subprocess.run([*pip, "--target", str(place), str(tmp_path)], check=True, capture_output=True)
    script = (
        f"import sys; sys.path.insert(0, {str(place)!r}); import tasks; listed = 'cubic-1d' in tasks.list_tasks();"
        "print(listed, 'cubic_task' in sys.modules, len(tasks.resolve('cubic-1d').load().train))"
    )
    run = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert run.stdout.split() == ["True", "False", "160"]
