import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from bench.core.registry import natural
from tasks.task import _load


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Tests of one task stand together, so that it is loaded once."""
    here = [item for item in items if "task_name" in getattr(item, "fixturenames", ())]
    ordered = iter(sorted(here, key=lambda item: natural(item.callspec.params["task_name"])))  # type: ignore[attr-defined]
    items[:] = [next(ordered) if item in here else item for item in items]


@pytest.fixture(scope="session")
def cache(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A cache of this test session's own."""
    folder = tmp_path_factory.mktemp("cache")
    patch = pytest.MonkeyPatch()
    patch.setenv("FARFIELD_CACHE", str(folder))
    patch.setenv("HF_HUB_OFFLINE", "1")
    yield folder
    patch.undo()


@pytest.fixture(autouse=True)
def _own_cache(cache: Path) -> None:
    """Every test uses it."""


@pytest.fixture(scope="session")
def real_data() -> Path:
    """The directory of real files; the test is skipped, visibly, where there is none."""
    given = os.environ.get("FARFIELD_DATA")
    if not given:
        pytest.skip("FARFIELD_DATA is not set: no real data here")
    return Path(given)


@pytest.fixture
def forget() -> Iterator[None]:
    """Nothing stays loaded from or for another test."""
    _load.cache_clear()
    yield
    _load.cache_clear()
