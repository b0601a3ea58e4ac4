"""``farfield submit`` and ``farfield verify`` as they are typed."""

from __future__ import annotations

import dataclasses
import io
import json
from pathlib import Path
from typing import Any

import pytest

import architectures
from bench.cli import main
from bench.plan.suite import load_suite
from bench.submitting.bundle import write_bundle
from bench.submitting.confined.layers import available
from bench.submitting.sampling import FIRST_SEED
from bench.sweep.query import STORE_NAME
from bench.sweep.remembering import guest_entries
from leaderboard.publishing.reading import FOLDER_VARIABLE
from leaderboard.records.store.store import Store
from tasks import resolve

SUITE = "quick"


@pytest.fixture
def handed_in(made: Any, honest: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
    """A store with the records of an estimator on every table of the suite but some, and the command that submits."""
    monkeypatch.chdir(tmp_path)
    names = list(dict.fromkeys(cell.task for cell in load_suite(SUITE).cells()))
    tables = tuple(name for name in names if resolve(name).card.kind == "features")

    def submit(*more: str, without: int = 0, forge: Any = lambda record: record) -> int:
        bundle = made(tasks=tables[without:], forge=forge)
        with Store(tmp_path / "out" / STORE_NAME, "write") as store:
            store.add_together((record, {}) for record in bundle.records)
        given = ["--plugin", "own.py", "--arch", "own-line", "--suite", SUITE, "--out", "out", *more]
        return main(["submit", "own-line", *given])

    (tmp_path / "out").mkdir()
    return submit


def test_what_is_submitted_is_verified_by_looking(handed_in: Any, capsys: Any) -> None:
    assert handed_in("--author", "A. Name") == 0
    assert capsys.readouterr().out == "own-line.json\n"
    assert main(["verify", "own-line.json", "--no-run", "--format", "json"]) == 0
    report = json.loads(capsys.readouterr().out)
    assert report["suspicious"] is False
    assert report["authors"] == ["A. Name"]
    assert {check["state"] for check in report["checks"]} == {"ok"}


def test_nobodys_code_runs_without_a_yes(handed_in: Any, capsys: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.stdin", io.StringIO(""))  # nobody is there to answer
    assert handed_in("--author", "A. Name") == 0
    assert main(["verify", "own-line.json", "--layer", "limits", "--unsafe"]) == 2
    assert "nothing was run" in capsys.readouterr().err


def test_an_edited_file_has_exit_code_1_and_one_that_is_none_2(handed_in: Any, capsys: Any) -> None:
    assert handed_in("--author", "A. Name") == 0
    text = Path("own-line.json").read_text()
    document = json.loads(text)
    far = document["cells"][0]["records"][0]["sets"][1]
    far["relative_error"] = far["relative_error"] / 2
    Path("edited.json").write_text(json.dumps(document))
    capsys.readouterr()
    assert main(["verify", "edited.json", "--no-run"]) == 1
    (said,) = capsys.readouterr().err.splitlines()
    assert "NOT verified" in said
    assert "do not belong together" in said
    document = json.loads(text)
    document["suite"]["name"] = "paper"
    Path("another.json").write_text(json.dumps(document))
    assert main(["verify", "another.json", "--no-run"]) == 1
    (said,) = capsys.readouterr().err.splitlines()
    assert "suite paper is run under protocol" in said
    Path("cut.json").write_text(text[:-100])
    assert main(["verify", "cut.json", "--no-run"]) == 2
    assert main(["verify", "nowhere.json", "--no-run"]) == 2


def test_incomplete_records_are_refused_with_one_line(handed_in: Any, capsys: Any) -> None:
    assert handed_in("--author", "A. Name", without=1) == 2
    said = capsys.readouterr().err.strip()
    assert "records of own-line are not there" in said
    assert "\n" not in said


def test_a_card_may_be_a_file_and_somebody_must_be_named(handed_in: Any, capsys: Any, tmp_path: Path) -> None:
    card = tmp_path / "card.yaml"
    card.write_text("title: A line\nauthors: [A. Name, B. Name]\nlicence: MIT\n")
    assert handed_in("--card", "card.yaml", "--link", "https://example.org/line") == 0
    entry = json.loads(Path("own-line.json").read_text())
    assert entry["card"]["title"] == "A line"
    assert entry["card"]["authors"] == ["A. Name", "B. Name"]
    assert entry["card"]["link"] == "https://example.org/line"
    card.write_text("titel: A line\n")
    assert main(["submit", "x", "--arch", "own-line", "--card", "card.yaml", "--suite", SUITE, "--out", "out"]) == 2
    assert "unknown field 'titel'" in capsys.readouterr().err
    assert main(["submit", "x", "--arch", "own-line", "--suite", SUITE, "--out", "out"]) == 2
    assert "nobody is named" in capsys.readouterr().err


def test_a_first_look_under_another_norm_is_not_handed_in(handed_in: Any, tmp_path: Path) -> None:
    def add(record: Any) -> Any:
        if record.key.task == "sine-1d":
            norm = architectures.parse_scheme("layer@first")
            key = dataclasses.replace(record.key, norm=str(norm), norm_hash=norm.source_hash)
            with Store(tmp_path / "out" / STORE_NAME, "write") as store:
                store.add(dataclasses.replace(record, key=key))
                store.remember(guest_entries(SUITE, [("own-line", "none")]))
        return record

    assert handed_in("--author", "A. Name", forge=add) == 0
    assert {cell["norm"] for cell in json.loads(Path("own-line.json").read_text())["cells"]} == {"none"}
    given = ["--plugin", "own.py", "--arch", "own-line", "--suite", SUITE, "--out", "out", "--author", "A. Name"]
    assert main(["submit", "own-line", *given, "--norm", "layer@first"]) == 2


@pytest.mark.slow
def test_every_cell_trained_anew_makes_an_entry_that_the_suites_board_shows(
    made: Any, capsys: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    bundle = made()
    write_bundle(bundle, Path("own-line.json"))
    unsafe = ["--unsafe"] if available() == ("limits",) else []
    given = ["verify", "own-line.json", "--yes", "--nonce", "a nonce", "--seeds", "2", *unsafe]
    assert main([*given, "--save-entry", "entry.json"]) == 2  # not without --all
    assert main([*given, "--all", "--save-entry", "nowhere/entry.json"]) == 2
    capsys.readouterr()
    Path("entries").mkdir()
    assert main([*given, "--all", "--save-entry", "entries/own-line.json", "--format", "json"]) == 0
    report = json.loads(capsys.readouterr().out)
    assert (report["cells"], report["of"], report["suspicious"]) == (1, 1, False)
    assert {ran["question"]: ran["statuses"] for ran in report["ran"]} == {
        question: ["ok", "ok"] for question in ("plain", "disguised", "instances")
    }
    monkeypatch.setenv(FOLDER_VARIABLE, "entries")
    assert main(["leaderboard", "--suite", SUITE, "--out", "none-here", "--format", "json"]) == 0
    assert "own-line" in capsys.readouterr().out
    (cell,) = json.loads(Path("entries/own-line.json").read_text())["cells"]
    claimed = {record.key.seed for record in bundle.records}
    assert len({record["seed"] for record in cell["records"]} - claimed) == 2
    assert main(["verify", "entries/own-line.json", "--no-run"]) == 2
    assert "with the seeds of a verification" in capsys.readouterr().err


def test_an_entry_that_verification_wrote_is_no_bundle(made: Any, capsys: Any, tmp_path: Path) -> None:
    def anew(record: Any) -> Any:
        return dataclasses.replace(record, key=dataclasses.replace(record.key, seed=FIRST_SEED + record.key.seed))

    file = tmp_path / "entry.json"
    write_bundle(made(forge=anew), file)
    assert main(["verify", str(file), "--no-run"]) == 2
    (said,) = capsys.readouterr().err.splitlines()
    what = "this is an entry with the seeds of a verification, not a bundle"
    assert said == f"farfield: {what} [{file}]: name the bundle that was handed in"


def test_what_is_found_wrong_makes_no_entry(made: Any, scale: Any, tmp_path: Path) -> None:
    write_bundle(made(forge=lambda record: scale(record, 0.5, False)), tmp_path / "b.json")
    entry = tmp_path / "entry.json"
    assert main(["verify", str(tmp_path / "b.json"), "--yes", "--all", "--save-entry", str(entry)]) == 1
    assert not entry.exists()
