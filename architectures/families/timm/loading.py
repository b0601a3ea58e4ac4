"""Importing timm, quickly."""

from __future__ import annotations

import sys
import threading
from types import ModuleType


def load_timm() -> ModuleType:
    """The package ``timm``.

    It would import wandb, where that is installed, for a helper that writes logs: half a second that nobody here needs.
    Where no other thread could miss it meanwhile, timm finds no wandb; it is there again afterwards.
    """
    if "timm" not in sys.modules and "wandb" not in sys.modules and threading.active_count() == 1:
        sys.modules["wandb"] = None  # type: ignore[assignment]  # to import it is an ImportError, which timm expects
        try:
            import timm
        finally:
            del sys.modules["wandb"]
        return timm
    import timm

    return timm
