"""What every test may rely on."""

from __future__ import annotations

import os

# Before torch is loaded: threads that wait for each other in a spin make tests crawl wherever something else runs.
os.environ.setdefault("OMP_NUM_THREADS", "1")

import pytest


@pytest.fixture(autouse=True)
def _no_tracking(monkeypatch: pytest.MonkeyPatch) -> None:
    """Sweeps in tests keep W&B out unless they ask for it."""
    if "WANDB_MODE" not in os.environ:
        monkeypatch.setenv("WANDB_MODE", "disabled")
