"""``farfield check``: a file from outside is run in a process of its own, and a report says what it does and breaks."""

from __future__ import annotations

from bench.checking.findings import CheckReport, Finding
from bench.checking.sandbox import CheckLimits, check_file

__all__ = ["CheckLimits", "CheckReport", "Finding", "check_file"]
