"""What is found of a bundle without running it."""

from __future__ import annotations

import dataclasses
import json
from pathlib import Path
from typing import Any

import pytest

from bench.core.errors import InputError
from bench.submitting.bundle import Bundle
from bench.submitting.checks import SIGNS, check_bundle
from bench.submitting.signs import find_signs
from bench.templates import write_template
from leaderboard.publishing.entry import Entry
from leaderboard.records.record import Record


def found(bundle: Bundle) -> list[str]:
    return [check.name for check in check_bundle(bundle.entry, bundle.records) if check.state == "found"]


def edited(bundle: Bundle, change: Any) -> Bundle:
    """The bundle as somebody makes it who edits the file."""
    document = json.loads(bundle.entry.to_json())
    change(document)
    return Bundle.of(Entry.from_json(json.dumps(document)))


def test_an_honest_bundle_passes_every_check_and_survives_its_file(made: Any, tmp_path: Any) -> None:
    bundle = made()
    checks = check_bundle(bundle.entry, bundle.records)
    assert {check.state for check in checks} == {"ok"}, [c for c in checks if c.state != "ok"]
    file = tmp_path / "own.json"
    file.write_text(bundle.entry.to_json())
    assert Bundle.read(file) == bundle


def test_edited_numbers_do_not_belong_together(made: Any, scale: Any) -> None:
    assert "what was measured on is what the tasks have" in found(made(forge=lambda r: scale(r, 0.5, False)))


def test_numbers_edited_with_care_are_left_to_fresh_seeds(made: Any, scale: Any) -> None:
    """Whoever edits all that follows too is found by training anew (test_forgeries)."""
    assert found(made(forge=lambda r: scale(r, 0.5, True))) == []


def test_lesser_growth_within_the_searched_ball_is_found(made: Any) -> None:
    def forge(record: Record) -> Record:
        return dataclasses.replace(
            record, axis_growth=tuple((r, 1e-3) for r, _ in record.axis_growth), axis_exponent=0.5
        )

    names = found(made(tasks=("diabetes",), forge=forge))
    assert any(name.startswith("growth was measured") for name in names)


def test_chosen_seeds_are_found(made: Any) -> None:
    def forge(document: Any) -> None:
        for cell in document["cells"]:
            del cell["records"][1]

    assert any(name.startswith("every seed") for name in found(edited(made(), forge)))


def test_copied_seeds_are_found(made: Any) -> None:
    def forge(document: Any) -> None:
        records = document["cells"][0]["records"]
        records[2]["sets"] = records[0]["sets"]

    assert "no two seeds have the same numbers" in found(edited(made(), forge))


def test_a_source_that_is_not_what_was_run_is_found(made: Any, honest: str) -> None:
    bundle = made(text=honest.replace("rcond=None", "rcond=1e-9"))
    assert "code is what the records were made with" in found(bundle)


def test_a_text_that_was_changed_afterwards_is_not_even_read(made: Any) -> None:
    def forge(document: Any) -> None:
        document["sources"][0]["files"][0]["lines"][0] = "import numpy"

    with pytest.raises(InputError, match="another hash"):
        edited(made(), forge)


@pytest.mark.parametrize("protocol", ["2", "paper-2", "quick", "9"])
def test_records_of_another_protocol_are_found(made: Any, protocol: str) -> None:
    bundle = edited(made(), lambda document: document.__setitem__("protocol", protocol))
    assert "the protocol is today's" in found(bundle)


def test_records_of_other_data_are_found(made: Any) -> None:
    def forge(document: Any) -> None:
        document["tasks"][0]["draws"][0]["data_hash"] = "0" * 64

    names = found(edited(made(), forge))
    assert "tasks and their data are those of this code" in names


def test_a_set_that_the_task_has_otherwise_is_found(made: Any) -> None:
    def forge(document: Any) -> None:
        document["tasks"][0]["draws"][0]["sets"][1]["rows"] = 7

    assert "what was measured on is what the tasks have" in found(edited(made(), forge))


@pytest.mark.parametrize(
    ("line", "what"),
    [
        ("import time", "the clock"),
        ("from datetime import datetime", "the clock"),
        ("import os", "the environment"),
        ("import sys", "the environment"),
        ("x = np.load('far.npy')", "files"),
        ("x = open('far.csv')", "files"),
        ("import torch\ny = torch.hub.load('a/b', 'c')", "the network"),
        ("import urllib.request", "the network"),
        ("import subprocess", "other processes"),
        ("import tasks", "other data"),
        ("from sklearn.datasets import load_diabetes", "other data"),
        ("y = ff.load('published')", "other data"),
        ("from farfield import list_tasks", "other data"),
        ("exec('1')", "other code"),
        ("def f(problem):\n    return problem.radius == 1.6449", "recognize a task"),
        ("def f(problem):\n    return problem.size == 13", "recognize a task"),
        ("n = 0\ndef f():\n    global n\n    n += 1", "count calls"),
        ("class A:\n    def forward(self, x):\n        self.n += 1", "count calls"),
        ("FAR = [" + ", ".join(map(str, range(1000))) + "]", "data in the source"),
        ("FAR = '" + "a9" * 3000 + "'", "data in the source"),
        ("FAR = " + "7" * 40, "data in the source"),
    ],
)
def test_what_a_network_has_no_need_of_is_named_with_its_line(honest: str, line: str, what: str) -> None:
    signs = find_signs("own.py", (honest + "\n" + line + "\n").encode())
    assert any(what in sign.what for sign in signs), signs
    assert all(sign.line > honest.count("\n") for sign in signs)


def test_honest_source_has_no_signs(honest: str, tmp_path: Path) -> None:
    assert find_signs("own.py", honest.encode()) == []
    for thing in ("architecture", "estimator", "norm"):
        assert find_signs(thing, write_template(thing, f"my-{thing}", tmp_path).read_bytes()) == []


def test_signs_can_be_accepted_by_who_read_them(made: Any, honest: str) -> None:
    bundle = made(honest.replace("import numpy as np", "import os\nimport numpy as np"))
    assert found(bundle) == [SIGNS]
    assert all(check.state == "ok" for check in check_bundle(bundle.entry, bundle.records, accept_signs=True))
