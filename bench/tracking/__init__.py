"""Weights & Biases as a mirror of the store: one run per cell, kept by a process of its own. Importing is light."""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

from bench.tracking.options import Mode, TrackingOptions, TrackingWarning, WandbOptions, choose_mode, logged_in

if TYPE_CHECKING:
    from bench.tracking.syncing import sync
    from bench.tracking.tracker import Tracker

__all__ = [
    "Mode",
    "Tracker",
    "TrackingOptions",
    "TrackingWarning",
    "WandbOptions",
    "choose_mode",
    "logged_in",
    "sync",
]

_LOADED_ON_USE = {"Tracker": "bench.tracking.tracker", "sync": "bench.tracking.syncing"}


def __getattr__(name: str) -> Any:
    """What reads records is loaded when it is asked for: the command line needs the options alone."""
    if name not in _LOADED_ON_USE:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(importlib.import_module(_LOADED_ON_USE[name]), name)
