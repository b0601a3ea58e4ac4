from __future__ import annotations

import importlib.metadata
import sys
from dataclasses import dataclass
from pathlib import Path

import pytest

from bench.core.errors import InputError, UnknownName
from bench.core.registry import Family, Registry, load_cards, resolve_target


@dataclass(frozen=True)
class Card:
    name: str


def registry(*names: str) -> Registry[Card]:
    made: Registry[Card] = Registry("thing", "farfield.test-nothing")
    for name in names:
        made.register(Card(name))
    return made


def test_a_taken_name_is_refused() -> None:
    things = registry("one")
    with pytest.raises(InputError, match="already registered"):
        things.register(Card("one"))


def test_an_unknown_name_is_answered_with_near_ones() -> None:
    with pytest.raises(UnknownName, match=r"unknown thing 'tow'.*did you mean 'two'"):
        registry("one", "two").get("tow")
    with pytest.raises(UnknownName, match="choose from one, two"):
        registry("one", "two").get("zzzzz")
    with pytest.raises(UnknownName, match="there are none"):
        registry().get("x")


def test_names_match_patterns_in_natural_order() -> None:
    things = registry("net10", "net2", "other")
    assert things.names() == ["net2", "net10", "other"]
    assert things.names("net*") == ["net2", "net10"]
    assert "net2" in things
    assert "net3" not in things


def test_entry_points_are_listed_without_being_loaded(monkeypatch: pytest.MonkeyPatch) -> None:
    broken = importlib.metadata.EntryPoint("far", "no_such_module_here:card", "group")
    monkeypatch.setattr(importlib.metadata, "entry_points", lambda group: [broken])
    things = registry("near")
    assert things.names() == ["far", "near"]
    with pytest.raises(InputError, match="cannot be loaded: ModuleNotFoundError"):
        things.get("far")


def test_entry_points_of_every_group_are_offered_and_none_twice(monkeypatch: pytest.MonkeyPatch) -> None:
    offers = {
        "one": [("a", "math:pi"), ("twice", "math:pi")],
        "two": [("b", "math:pi"), ("twice", "math:e")],
    }
    monkeypatch.setattr(
        importlib.metadata,
        "entry_points",
        lambda group: [importlib.metadata.EntryPoint(name, value, group) for name, value in offers[group]],
    )
    things: Registry[Card] = Registry("thing", "one", "two")
    assert things.names() == ["a", "b", "twice"]
    with pytest.raises(InputError, match="'twice' is offered twice, by math:pi and math:e"):
        things.get("twice")
    with pytest.raises(InputError, match=r"registers no thing 'a' \[entry point math:pi\]"):
        things.get("a")


def test_a_target_is_a_path_or_the_thing_itself() -> None:
    assert resolve_target("math:pi") > 3
    assert resolve_target(len) is len


def test_a_family_is_asked_only_for_names_behind_its_prefix() -> None:
    asked = []

    def names() -> list[str]:
        asked.append("names")
        return ["zoo/cat10", "zoo/cat2", "zoo/dog"]

    zoo = Family("animals", names, lambda name: Card(name) if name in ("zoo/cat2", "zoo/cat10", "zoo/dog") else None)
    things = registry("mouse")
    things.register_family("zoo/", zoo)
    assert things.names() == ["mouse"]
    assert [card.name for card in things] == ["mouse"]
    assert things.get("zoo/dog") == Card("zoo/dog")
    assert ("zoo/dog" in things, "zoo/cow" in things) == (True, False)
    assert asked == []
    assert things.names("zoo/cat*") == ["zoo/cat2", "zoo/cat10"]
    with pytest.raises(UnknownName, match="did you mean 'zoo/dog'"):
        things.get("zoo/dig")
    with pytest.raises(InputError, match="already registered"):
        things.register(Card("zoo/mouse"))


def test_a_family_of_one_is_a_card_that_is_not_listed() -> None:
    own = Family("your own", lambda: ["own"], Card)
    things = registry()
    things.register_family("own", own)
    assert things.names() == []
    assert things.get("own") == Card("own")
    assert things.names("own") == ["own"]
    things.register(Card("owner"))
    with pytest.raises(InputError, match="already registered"):
        things.register(Card("own"))
    for taken in ("own", "owner"):
        with pytest.raises(InputError, match="already registered"):
            things.register_family(taken, own)


def test_cards_are_found_by_looking_into_the_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for family in ("birds", "fish"):
        (tmp_path / "zoo_cards" / family).mkdir(parents=True)
        for file in ("../__init__.py", "__init__.py", "card.py"):
            (tmp_path / "zoo_cards" / family / file).write_text("")
        (tmp_path / "zoo_cards" / family / "network.py").write_text("raise AssertionError")
    monkeypatch.syspath_prepend(tmp_path)
    load_cards("zoo_cards", "card")
    loaded = {name for name in sys.modules if name.startswith("zoo_cards.")}
    assert {"zoo_cards.birds.card", "zoo_cards.fish.card"} <= loaded
