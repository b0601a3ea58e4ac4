"""What a store remembers beside its records."""

from __future__ import annotations

import sqlite3
from pathlib import Path

import pytest

from bench.core.errors import InputError
from leaderboard.records.store.memory import Remembered
from leaderboard.records.store.store import Store

PLUGIN = Remembered("plug-in", "/home/a/my_net.py", "1" * 64, {"architectures": ["my-net"], "tasks": {}})


def test_what_is_remembered_comes_back_the_newest_first(tmp_path: Path) -> None:
    older = Remembered("suite", "own", "a", {"version": 1})
    newer = Remembered("suite", "own", "b", {"version": 2, "text": "é"})
    with Store(tmp_path / "s.sqlite", "write") as store:
        assert store.recall("suite") == []
        store.remember([PLUGIN, older, newer])
        store.remember([PLUGIN])
        assert store.recall("plug-in") == [PLUGIN]
        store.remember([older])
    with Store(tmp_path / "s.sqlite") as store:
        assert store.recall("suite", "own") == [older, newer]
        assert store.recall("suite", "other") == []
        assert store.check() == ()


def test_a_store_that_remembers_nothing_is_read(tmp_path: Path) -> None:
    Store(tmp_path / "s.sqlite", "write").close()
    with Store(tmp_path / "s.sqlite") as store:
        assert store.recall("guest") == []
        with pytest.raises(InputError, match="reading only"):
            store.remember([PLUGIN])


@pytest.mark.parametrize("content", ["{", "[1]", '"x"'])
def test_damage_is_named(tmp_path: Path, content: str) -> None:
    path = tmp_path / "s.sqlite"
    with Store(path, "write") as store:
        store.remember([PLUGIN])
    with sqlite3.connect(path) as connection:
        connection.execute("UPDATE memory SET content = ?", (content,))
    with (
        Store(path) as store,
        pytest.raises(InputError, match=r"remembers of the plug-in '/home/a/my_net.py' is damaged"),
    ):
        store.recall("plug-in")
