from __future__ import annotations

import importlib.metadata
from dataclasses import dataclass

import pytest

from bench.core.errors import InputError, UnknownName
from bench.core.registry import Family, Registry, resolve_target


@dataclass(frozen=True)
class Card:
    name: str


def registry(*names: str) -> Registry[Card]:
    return Registry("thing", "farfield.test-nothing", lambda: [Card(n) for n in names])


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


def test_built_in_cards_are_made_on_first_use_only() -> None:
    made = []
    things: Registry[Card] = Registry("thing", "farfield.test-nothing", lambda: made.append(1) or [Card("a")])
    assert made == []
    things.names()
    things.get("a")
    assert made == [1]


def test_entry_points_are_listed_without_being_loaded(monkeypatch: pytest.MonkeyPatch) -> None:
    broken = importlib.metadata.EntryPoint("far", "no_such_module_here:card", "group")
    monkeypatch.setattr(importlib.metadata, "entry_points", lambda group: [broken])
    things = registry("near")
    assert things.names() == ["far", "near"]
    with pytest.raises(InputError, match="cannot be loaded: ModuleNotFoundError"):
        things.get("far")


def test_a_target_is_a_path_or_the_thing_itself() -> None:
    assert resolve_target("math:pi") > 3
    assert resolve_target(len) is len


def test_a_family_is_asked_only_for_names_behind_its_prefix() -> None:
    asked = []

    def names() -> list[str]:
        asked.append("names")
        return ["zoo/cat10", "zoo/cat2", "zoo/dog"]

    zoo = Family("animals", names, lambda name: Card(name) if name in ("zoo/cat2", "zoo/cat10", "zoo/dog") else None)
    things: Registry[Card] = Registry("thing", "farfield.test-nothing", lambda: [Card("mouse")], {"zoo/": zoo})
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
    things: Registry[Card] = Registry("thing", "farfield.test-nothing", tuple, {"own": own})
    assert things.names() == []
    assert things.get("own") == Card("own")
    assert things.names("own") == ["own"]
    things.register(Card("owner"))
    with pytest.raises(InputError, match="already registered"):
        things.register(Card("own"))
