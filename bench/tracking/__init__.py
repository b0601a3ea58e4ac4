"""Weights & Biases as a mirror of the store: one run per cell, kept by a process of its own. Importing is light."""

from __future__ import annotations

from bench.tracking.options import Mode, TrackingOptions, TrackingWarning, choose_mode, logged_in
from bench.tracking.syncing import sync
from bench.tracking.tracker import Tracker

__all__ = ["Mode", "Tracker", "TrackingOptions", "TrackingWarning", "choose_mode", "logged_in", "sync"]
