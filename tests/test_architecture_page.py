"""docs/architecture.md names files that are there, journeys no longer than they may be, and every room."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
PAGE = (ROOT / "docs" / "architecture.md").read_text()
MOST = {
    "One cell, from the command to its record": 12,
    "Exponent and verdict": 3,
    "From a record to the board": 9,
    "A new task, architecture, estimator or norm kind": 1,
}


def test_every_file_and_folder_it_names_is_there() -> None:
    named = re.findall(r"`([a-z_]+(?:/[a-z_*]+)+(?:\.[a-z]+)?/?)`", PAGE)
    assert len(named) > 40
    assert [name for name in named if "*" not in name and not _exists(name)] == []


def _exists(name: str) -> bool:
    return (ROOT / name).exists() or any((ROOT / room / name).exists() for room in ("bench", "leaderboard"))


@pytest.mark.parametrize("journey", MOST)
def test_journeys_are_as_long_as_they_say(journey: str) -> None:
    text = PAGE.split(f"**{journey}**")[1].split("\n\n**")[0].split("\n## ")[0]
    said = int(re.match(r"\s*\((\d+)\)", text)[1])  # type: ignore[index]
    assert said <= MOST[journey]
    if said > 1:
        assert len(re.findall(r"`[a-z_/]+\.py`", text)) == said


def test_every_room_is_described() -> None:
    rooms = PAGE.split("## Rooms")[1].split("## Journeys")[0]
    for package in ("bench", "tasks", "architectures", "leaderboard"):
        for folder in sorted((ROOT / package).iterdir()):
            if (folder / "__init__.py").exists() and folder.name != "templates":
                assert f"`{package}/{folder.name}/`" in rooms or f"`{folder.name}/`" in rooms, folder.name
