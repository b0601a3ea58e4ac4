"""The import packages have common names; a user's own ``tasks.py`` or ``bench/`` must not be mistaken for ours."""

from __future__ import annotations

import importlib.util
from pathlib import Path

from bench.core.errors import InputError

PACKAGES = ("bench", "tasks", "architectures", "leaderboard")


def check_shadowing() -> None:
    """Check that our packages are the ones that are imported.

    Raises:
        InputError: a file or folder of the user's stands before one of them; it is named.
    """
    home = Path(__file__).resolve().parents[1]
    for name in PACKAGES:
        spec = importlib.util.find_spec(name)
        origin = spec.origin if spec else None
        if origin is None or Path(origin).resolve().parents[1] != home:
            found = origin or next(iter(getattr(spec, "submodule_search_locations", None) or []), "nothing")
            raise InputError(
                f"{found} stands where FarField's package {name!r} should be",
                hint="rename it, or run farfield in another folder",
            )
