"""An entry gives back the records that went in, is the same text for the same records, and refuses everything else."""

from __future__ import annotations

import hashlib
import itertools
import json
import re
from dataclasses import replace
from pathlib import Path

import jsonschema
import pytest

from bench.core.errors import InputError
from bench.core.plugins import read_plugin
from leaderboard.publishing.entry import MOST_BYTES, Entry, EntryCard, schema_text
from leaderboard.publishing.layout import lay_out
from leaderboard.publishing.packing import make_entry, records_of
from leaderboard.publishing.reading import SCHEMA
from leaderboard.publishing.source import SourceText
from leaderboard.ranking.standings import verdicts_by_cell

CARD = EntryCard(title="Some networks", authors=("A. Author", "B. Author"), licence="CC0-1.0", kind="model")
ROOT = Path(__file__).parents[3]


@pytest.fixture
def some(records, unfinished, key):
    """Records of four cells on two tasks, and of one that diverged."""
    return [*records(), unfinished("diverged", key(architecture="cnn", seed=3))]


@pytest.fixture
def text(some):
    return make_entry(some, CARD).to_json()


def changed(text, change):
    """The entry with its document changed."""
    document = json.loads(text)
    change(document)
    return lay_out(document)


def test_records_come_back_but_for_digits(some):
    entry = make_entry(some, CARD)
    back = {record.key: record for record in records_of(Entry.from_json(entry.to_json()))}
    assert set(back) == {record.key for record in some}
    for record in some:
        found = back[record.key]
        for name in ("status", "reason", "reason_code", "truth", "ladder", "environment", "learning_rate", "nonfinite"):
            assert getattr(found, name) == getattr(record, name), name
        for name in ("id_error", "far_error", "exponent", "growth", "departure") if record.status == "ok" else ():
            assert getattr(found, name) == pytest.approx(getattr(record, name), rel=1e-5), name
        assert [(s.name, s.role, s.rows) for s in found.sets] == [(s.name, s.role, s.rows) for s in record.sets]


def test_the_same_records_make_the_same_text_in_any_order(some, text):
    assert make_entry(some[::-1], CARD).to_json() == text
    again = records_of(Entry.from_json(text))
    assert make_entry(again, CARD).to_json() == text
    assert Entry.from_json(text).digest == hashlib.sha256(text.encode()).hexdigest()


def test_a_diff_shows_the_record_that_changed_and_little_else(some, text):
    moved = replace(some[3], growth=tuple(g * 1.01 for g in some[3].growth))
    other = make_entry([*some[:3], moved, *some[4:]], CARD).to_json()
    lines = zip(text.splitlines(), other.splitlines(), strict=True)
    odd = [a for a, b in lines if a != b]
    assert len(odd) == 1
    assert '"growth"' in odd[0]
    begun = [line for line in text.splitlines() if re.match(r' *\{"seed": \d+, "created"', line)]
    assert len(begun) == len(some)  # each record begins a line


def test_it_satisfies_the_published_schema_which_is_the_one_of_the_model(text):
    published = (ROOT / "leaderboard" / "entries" / SCHEMA).read_text()
    assert published == schema_text(), "python -m tools.schema writes it anew"
    jsonschema.Draft202012Validator(json.loads(published)).validate(json.loads(text))


def test_a_record_takes_about_a_thousand_bytes(records):
    every = records(tasks=("sine-1d", "linear-1d", "protein"), architectures=("mlp", "cnn"), seeds=range(10))
    assert len(make_entry(every, CARD).to_json()) / len(every) < 1500


@pytest.mark.parametrize("exponent", [0.04999999999, 0.05, 0.9499999999, 1.0500000001])
def test_rounding_changes_no_verdict(record, key, exponent):
    mine = [record(key(norm=norm), exponent=exponent, axis_exponent=exponent) for norm in ("none", "layer@all")]
    back = records_of(make_entry(mine, CARD))
    assert {k: v.word for k, v in verdicts_by_cell(back).items()} == {
        k: v.word for k, v in verdicts_by_cell(mine).items()
    }


def test_a_certificate_is_rounded_up_so_that_it_still_holds(record, key):
    seen = 1.23456789
    mine = record(key(norm="layer@all"), certificate=seen, growth=(seen,) * 13, worst_growth=(), axis_growth=())
    (back,) = records_of(make_entry([mine], CARD))
    assert back.certificate == 1.23457
    (verdict,) = verdicts_by_cell([back]).values()
    assert verdict.grade == "proved"


def test_errors_are_made_from_those_of_the_sets_and_others_are_not_published(record):
    with pytest.raises(InputError, match="id_error does not follow"):
        make_entry([record(id_error=1e-3)], CARD)


def test_records_that_were_not_measured_alike_are_no_entry(record, records, key):
    with pytest.raises(InputError, match="protocols"):
        make_entry([record(), record(key(protocol="2"))], CARD)
    with pytest.raises(InputError, match="versions of sine-1d"):
        make_entry([record(), record(key(task_version="2", norm="layer@all"))], CARD)
    with pytest.raises(InputError, match="editions of sine-1d"):
        make_entry([record(), record(key(seed=1, data_hash="e" * 64))], CARD)
    with pytest.raises(InputError, match="no record"):
        make_entry([], CARD)


def first_block(document):
    return document["cells"][0]["records"][0]


WRONG = {
    "an unknown field": lambda d: d.update(odd=1),
    "a missing one": lambda d: d.pop("card"),
    "a kind that there is not": lambda d: d["card"].update(kind="miracle"),
    "a link that is none": lambda d: d["card"].update(link="javascript:alert(1)"),
    "a title that moves the cursor": lambda d: d["card"].update(title="a\x1b[2Jb"),
    "a title that turns the writing": lambda d: d["card"].update(title="a\u202eb"),
    "no author": lambda d: d["card"].update(authors=[]),
    "text for a number": lambda d: first_block(d).update(exponent="1"),
    "a negative error": lambda d: first_block(d)["sets"][0].update(relative_error=-1),
    "an error that is not the record's": lambda d: first_block(d).update(id_error=0.1),
    "a set that the draw has not": lambda d: first_block(d)["sets"][0].update(name="other"),
    "a set twice": lambda d: first_block(d)["sets"].append(first_block(d)["sets"][0]),
    "a seed without a draw": lambda d: d["cells"][0]["records"][-1].update(seed=99),
    "seeds out of order": lambda d: d["cells"][-1]["records"].reverse(),
    "cells out of order": lambda d: d["cells"].reverse(),
    "a cell twice": lambda d: d["cells"].append(d["cells"][-1]),
    "a task that is not there": lambda d: d["cells"][0].update(task="another"),
    "no such environment": lambda d: first_block(d).update(environment=7),
    "a curve that is too short": lambda d: first_block(d).update(growth=[1.0]),
    "ok with a reason": lambda d: d["cells"][-1]["records"][0].update(reason="because"),
    "code from outside without its source": lambda d: d["cells"][0].update(origin="plug-in"),
    "a hash that is none": lambda d: d["tasks"][0]["draws"][0].update(data_hash="<script>"),
}


@pytest.mark.parametrize("wrong", WRONG)
def test_anything_else_is_refused_in_one_line(text, wrong):
    with pytest.raises(InputError) as caught:
        records_of(Entry.from_json(changed(text, WRONG[wrong])))
    assert "\n" not in str(caught.value)
    assert len(str(caught.value)) < 800


@pytest.mark.parametrize(
    "content", ["", "no JSON", "[]", "{}", "[" * 100_000, '{"format": 1, "ladder": [NaN]}', " " * (MOST_BYTES + 1)]
)
def test_what_is_no_entry_is_refused_in_one_line(content):
    with pytest.raises(InputError) as caught:
        Entry.from_json(content)
    assert "\n" not in str(caught.value)


def test_a_newer_format_asks_for_a_newer_farfield(text):
    with pytest.raises(InputError, match="upgrade FarField"):
        Entry.from_json(changed(text, lambda d: d.update(format=2)))


def test_layout_loses_nothing():
    values = [None, True, 1.5, "a\nü" * 60, [], {}, [1, None], ["x" * 70, "y" * 70], {"a": {"b": list(range(90))}}]
    for several in itertools.permutations(values, 3):
        document = dict(zip("abc", several, strict=True))
        assert json.loads(lay_out(document)) == document


@pytest.fixture
def source(tmp_path):
    """The text of a file with two modules beside it."""
    (tmp_path / "parts").mkdir()
    (tmp_path / "parts" / "__init__.py").write_text("WIDTH = 3\r\n")
    (tmp_path / "helper.py").write_text("from parts import WIDTH  # ü\n")
    (tmp_path / "my_net.py").write_text("import helper\n\n\nprint('it ran')\nNET = helper.WIDTH")
    return SourceText.of(read_plugin(tmp_path / "my_net.py"))


def test_source_text_comes_back_to_the_byte_and_does_not_run(record, source, tmp_path, capsys):
    entry = make_entry([record(origin="plug-in")], CARD, [source])
    (back,) = Entry.from_json(entry.to_json()).sources
    assert back == source
    assert [one.path for one in back.files] == ["my_net.py", "helper.py", "parts/__init__.py"]
    read = read_plugin(tmp_path / "my_net.py")
    assert back.plugin(tmp_path) == read
    assert back.sha256 == read.sha256
    assert str(tmp_path) not in entry.to_json()
    assert capsys.readouterr().out == ""


WRONG_SOURCES = {
    "text that was changed": lambda files: files[1]["lines"].append("import os"),
    "a path that leads out": lambda files: files[1].update(path="../helper.py"),
    "an absolute path": lambda files: files[1].update(path="/etc/passwd"),
    "a drive": lambda files: files[1].update(path="C:/helper.py"),
    "another module's name": lambda files: files[1].update(module="other"),
    "a module that is none": lambda files: files[1].update(module="a b"),
    "a file twice": lambda files: files.append(files[1]),
    "a file less": lambda files: files.pop(),
}


@pytest.mark.parametrize("wrong", WRONG_SOURCES)
def test_source_that_is_not_what_its_hash_says_is_refused(record, source, wrong):
    text = make_entry([record(origin="plug-in")], CARD, [source]).to_json()
    with pytest.raises(InputError, match="not a valid entry"):
        Entry.from_json(changed(text, lambda d: WRONG_SOURCES[wrong](d["sources"][0]["files"])))


def test_a_file_that_needs_another_folder_is_not_published(tmp_path, monkeypatch):
    elsewhere, home = tmp_path / "elsewhere", tmp_path / "home"
    for folder in (elsewhere, home):
        folder.mkdir()
    (elsewhere / "far_helper.py").write_text("X = 1\n")
    (home / "my_net.py").write_text("import far_helper\n")
    monkeypatch.syspath_prepend(str(elsewhere))
    with pytest.raises(InputError, match="put it beside the file"):
        SourceText.of(read_plugin(home / "my_net.py"))
