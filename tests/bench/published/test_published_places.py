"""The place of what somebody puts on a suite, among one's own results of it and the published ones."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest

import farfield as ff
from bench.cli import main
from bench.sweep.runner import Results
from leaderboard.publishing.reading import FOLDER_VARIABLE
from leaderboard.ranking.tracks import Place

SUITE = """\
name: ranked
version: 1
summary: for these tests
protocol: quick
seeds: 2
tracks:
  tables:
    - tasks: [sine-1d, linear-1d]
      architectures: [mean, knn, boosted-trees]
"""
Edit = Callable[[Any], None]
Publish = Callable[..., None]


@dataclass(frozen=True)
class Made:
    """A suite, its entries, and what was put on it: in a store of its own, and beside the suite's results."""

    suite: str
    entries: Path
    alone: Results
    beside: Results


def put_on(suite: str, out: Path, architecture: str = "ridge", **more: Any) -> Results:
    return ff.run(suite=suite, architectures=[architecture], out=out, wandb="disabled", workers=1, **more)


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Made:
    folder = tmp_path_factory.mktemp("made")
    suite = folder / "ranked.yaml"
    suite.write_text(SUITE)
    alone = put_on(str(suite), folder / "alone")
    shutil.copytree(folder / "alone", folder / "own")
    ff.run(suite=str(suite), out=folder / "own", wandb="disabled", workers=1)
    named = ("--suite", str(suite), "--out", str(folder / "own"))
    assert main(["leaderboard", "publish", *named, "--save", str(folder / "entries")]) == 0
    beside = replace(alone, store=folder / "own" / alone.store.name)
    return Made(str(suite), folder / "entries", alone, beside)


@pytest.fixture
def publish(made: Made, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Publish:
    """Puts the entry in the place of those that come with FarField; changed, if so asked."""

    def put(change: Edit = lambda document: None) -> None:
        folder = tmp_path / "entries"
        shutil.copytree(made.entries, folder)
        (file,) = folder.iterdir()
        document = json.loads(file.read_text())
        change(document)
        file.write_text(json.dumps(document))
        monkeypatch.setenv(FOLDER_VARIABLE, str(folder))

    return put


def only(results: Results) -> Place:
    """The one place."""
    (place,) = results.places()
    assert place.track == "tables"
    return place


def test_whoever_has_no_results_is_ranked_among_the_published_ones(made: Made, publish: Publish) -> None:
    publish()
    place = only(made.alone)
    assert (place.architecture, place.of, place.others, place.published) == ("ridge", 4, 3, 3)
    assert place.best is not None
    assert " of 4 (3 published) on these 2 tasks" in place.sentence


def test_the_command_says_so_to_people_and_programs(
    made: Made, publish: Publish, capsys: pytest.CaptureFixture[str]
) -> None:
    publish()
    asked = ["run", "--suite", made.suite, "--arch", "ridge", "--out", str(made.alone.store.parent)]
    assert main([*asked, "--wandb", "disabled"]) == 0
    assert " of 4 (3 published) on these 2 tasks" in capsys.readouterr().out
    assert main([*asked, "--wandb", "disabled", "-f", "json"]) == 0
    (place,) = json.loads(capsys.readouterr().out)["places"]["tables"]
    assert (place["of"], place["others"], place["published"]) == (4, 3, 3)


def test_an_older_edition_does_not_count(made: Made, publish: Publish) -> None:
    def other_code(document: Any) -> None:
        (cell,) = [c for c in document["cells"] if (c["task"], c["architecture"]) == ("sine-1d", "knn")]
        cell["source_hash"] = "0123456789abcdef"

    publish(other_code)
    place = only(made.alone)
    assert (place.of, place.published) == (3, 2)


def test_newer_results_on_other_data_do_not_count(made: Made, publish: Publish) -> None:
    def other_data(document: Any) -> None:
        for block in document["cells"]:
            for one in block["records"]:
                one["created"] = "2100-01-01T00:00:00+00:00"
        for draw in document["tasks"][0]["draws"]:
            draw["data_hash"] = "0" * 32 + draw["data_hash"][32:]

    publish(other_data)
    assert only(made.alone).sentence.startswith("tables: ridge, none: no other results of this suite here")


def test_another_protocol_does_not_count(made: Made, publish: Publish) -> None:
    publish(lambda document: document.update(protocol="2"))
    assert only(made.alone).published == 0


def test_a_cell_counts_by_ones_own_records(made: Made, publish: Publish) -> None:
    publish()
    place = only(made.beside)
    assert (place.of, place.published) == (4, 0)
    assert "published" not in place.sentence


def test_what_was_named_stands_on_what_was_run_and_others_on_both(made: Made, tmp_path: Path, publish: Publish) -> None:
    publish()
    shutil.copytree(made.alone.store.parent, tmp_path / "out")
    named = put_on(made.suite, tmp_path / "out", "knn", tasks=["sine-1d"])
    assert only(named).sentence == "tables: knn, none: not ranked: lacks 1 of 2 tasks (linear-1d)"
    place = only(replace(made.alone, store=named.store))
    assert (place.of, place.published) == (4, 3), "one task of knn is the store's, the other is published"


def test_without_entries_there_is_nothing_to_rank_against(
    made: Made, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(FOLDER_VARIABLE, str(tmp_path))
    expected = "tables: ridge, none: no other results of this suite here: nothing to rank against"
    assert only(made.alone).sentence == expected


def test_a_damaged_entry_is_refused_before_anything_runs(
    made: Made, tmp_path: Path, publish: Publish, capsys: pytest.CaptureFixture[str]
) -> None:
    publish(lambda document: document.clear())
    asked = ["run", "--suite", made.suite, "--out", str(tmp_path / "out"), "--wandb", "disabled"]
    assert main([*asked, "--arch", "ridge"]) == 2
    (line,) = capsys.readouterr().err.splitlines()
    assert "ranked-estimators.json" in line
    assert not (tmp_path / "out").exists()
