"""What tests of code from outside share."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from architectures import REGISTRY


def _forget_modules() -> None:
    for name in [name for name in sys.modules if name.startswith("farfield_plugin_")]:
        del sys.modules[name]


@pytest.fixture
def forget_modules() -> Callable[[], None]:
    """Makes plug-ins be imported anew."""
    return _forget_modules


@pytest.fixture
def forget_plugins() -> Iterator[None]:
    """Plug-ins of one test are not there in the next."""
    before = set(REGISTRY.names())
    _forget_modules()
    yield
    for name in set(REGISTRY.names()) - before:
        REGISTRY.remove(name)
    _forget_modules()


@pytest.fixture
def farfield() -> Callable[..., subprocess.CompletedProcess[str]]:
    """The command, in a process of its own."""

    def run(*arguments: str, cwd: Path, **environment: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [sys.executable, "-m", "bench.cli", *arguments],
            capture_output=True,
            text=True,
            cwd=cwd,
            env={**os.environ, **environment},
            check=False,
        )

    return run
