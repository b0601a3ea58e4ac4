"""Limits that several rooms share."""

from __future__ import annotations

MAX_PARAMETERS = 200_000_000
"""Of a network, unless somebody asks for more. The limit is the machine's, not the science's."""
