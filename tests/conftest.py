"""What every test may rely on."""

from __future__ import annotations

import os
from pathlib import Path

# Before torch is loaded: threads that wait for each other in a spin make tests crawl wherever something else runs.
os.environ.setdefault("OMP_NUM_THREADS", "1")

import pytest

from leaderboard.publishing.reading import FOLDER_VARIABLE


@pytest.fixture(autouse=True)
def _no_tracking(monkeypatch: pytest.MonkeyPatch) -> None:
    """Sweeps in tests keep W&B out unless they ask for it."""
    if "WANDB_MODE" not in os.environ:
        monkeypatch.setenv("WANDB_MODE", "disabled")


@pytest.fixture(autouse=True)
def _nothing_published(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> None:
    """Boards in tests show what a test has run; ``with_published`` shows the entries that come with FarField."""
    monkeypatch.setenv(FOLDER_VARIABLE, str(_no_entries(tmp_path_factory)))


@pytest.fixture
def with_published(_nothing_published: None, monkeypatch: pytest.MonkeyPatch) -> None:
    """The entries that come with FarField stand on the boards of this test."""
    monkeypatch.delenv(FOLDER_VARIABLE)


def _no_entries(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.getbasetemp() / "no-entries"
    folder.mkdir(exist_ok=True)
    return folder
