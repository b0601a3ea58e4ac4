"""Writes the JSON Schema of published entries from their model: ``python -m tools.schema``."""

from __future__ import annotations

from pathlib import Path

from leaderboard.publishing.entry import schema_text
from leaderboard.publishing.reading import SCHEMA

FILE = Path(__file__).parents[1] / "leaderboard" / "entries" / SCHEMA

if __name__ == "__main__":
    FILE.write_text(schema_text(), encoding="utf-8")
    print(FILE)
