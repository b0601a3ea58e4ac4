"""Published results as a user meets them: made from a run, shown, loaded, compared with."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

import farfield as ff
from bench.cli import main
from bench.core.plugins import read_plugin
from bench.published import OLDER
from bench.sweep.entries import older_cells, published
from leaderboard.publishing.entry import Entry
from leaderboard.publishing.packing import make_entry, records_of
from leaderboard.publishing.reading import FOLDER_VARIABLE, read_entries, read_entry
from leaderboard.publishing.source import SourceText

SUITE = """\
name: small
version: 3
summary: for these tests
protocol: quick
seeds: 2
cells:
  - tasks: [sine-1d, linear-1d]
    architectures: ["mlp(width=8)"]
    norms: [none, layer@first]
  - tasks: [sine-1d, linear-1d]
    architectures: [mean]
"""


def call(capsys: pytest.CaptureFixture[str], *arguments: str) -> str:
    """What a command that succeeds writes to stdout."""
    capsys.readouterr()
    code = main(arguments)
    said = capsys.readouterr()
    assert code == 0, said.err
    return said.out


def refused(capsys: pytest.CaptureFixture[str], *arguments: str) -> str:
    """The one line of a command that is refused."""
    capsys.readouterr()
    assert main(arguments) == 2
    (line,) = capsys.readouterr().err.splitlines()
    return line


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a suite, its results and its entries."""
    folder = tmp_path_factory.mktemp("made")
    suite = folder / "small.yaml"
    suite.write_text(SUITE)
    ff.run(suite=str(suite), out=folder / "own", wandb="disabled")
    named = ("--suite", str(suite), "--out", str(folder / "own"))
    assert (
        main(["leaderboard", "publish", *named, "--save", str(folder / "entries"), "--link", "https://a.example"]) == 0
    )
    return folder


@pytest.fixture
def entries(made: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The entries, in the place of those that come with FarField."""
    monkeypatch.setenv(FOLDER_VARIABLE, str(made / "entries"))
    return made / "entries"


def edited(
    entries: Path, folder: Path, monkeypatch: pytest.MonkeyPatch, change: Callable[[dict[str, object]], None]
) -> None:
    """The entries with the networks' document changed, in the place of those that come with FarField."""
    shutil.copytree(entries, folder)
    file = folder / "small-networks.json"
    document = json.loads(file.read_text())
    change(document)
    file.write_text(json.dumps(document))
    monkeypatch.setenv(FOLDER_VARIABLE, str(folder))


def test_entries_say_what_they_are_and_repeat_to_the_byte(made: Path, tmp_path: Path) -> None:
    found = read_entries(made / "entries")
    assert {name: (entry.card.kind, len(entry)) for name, entry in found.items()} == {
        "small-estimators": ("system", 4),
        "small-networks": ("model", 8),
    }
    card = found["small-networks"].card
    assert card.title == "Networks of the suite small, version 3"
    assert card.link == "https://a.example"
    again = ("--suite", str(made / "small.yaml"), "--out", str(made / "own"), "--link", "https://a.example")
    assert main(["leaderboard", "publish", *again, "--save", str(tmp_path / "again")]) == 0
    for file in (made / "entries").iterdir():
        assert (tmp_path / "again" / file.name).read_bytes() == file.read_bytes()


def test_without_results_the_published_board_is_shown(
    entries: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = ("--out", str(tmp_path / "none"))
    text = call(capsys, "leaderboard", *out)
    assert "published: Networks of the suite small, version 3 (The FarField authors; Apache-2.0), 8 records" in text
    assert "yours" not in text
    rows = json.loads(call(capsys, "leaderboard", *out, "--task", "sine*", "-f", "json"))["tables"][0]["rows"]
    assert {(row["architecture"], row["norm"], row["seeds"]) for row in rows} == {
        ("mean", "none", 2), ("mlp(width=8)", "layer@first", 2), ("mlp(width=8)", "none", 2)
    }  # fmt: skip
    assert "no stored record matches" in refused(capsys, "leaderboard", *out, "--task", "other")
    page = call(capsys, "leaderboard", "page", *out, "--save", str(tmp_path / "page.html")).strip()
    assert "published: Networks of the suite small" in Path(page).read_text()


def test_ones_own_rows_stand_beside_the_published_ones(
    entries: Path, made: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    own = ("--out", str(made / "own"))
    rows = json.loads(call(capsys, "leaderboard", *own, "-f", "json"))["tables"][0]["rows"]
    assert sorted((row["architecture"], row["mark"]) for row in rows) == [
        *[("mean", None), ("mean (yours)", "yours")],
        *[("mlp(width=8)", None)] * 2,
        *[("mlp(width=8) (yours)", "yours")] * 2,
    ]
    text = call(capsys, "leaderboard", *own)
    assert f"“yours”: the records in {made / 'own'}; the other rows are published" in text


def test_where_nothing_is_published_it_says_so(
    tmp_path: Path, made: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv(FOLDER_VARIABLE, str(tmp_path))
    line = refused(capsys, "leaderboard", "--out", str(tmp_path / "none"))
    assert "there are no results yet, and no results are published with this FarField yet" in line
    assert "yours" not in call(capsys, "leaderboard", "--out", str(made / "own"))
    with pytest.raises(ff.InputError, match="no results are published with this FarField yet"):
        ff.load("published")
    line = refused(
        capsys, "run", "--task", "sine-1d", "--arch", "mean", "--out", str(tmp_path / "x"), "--against", "published"
    )
    assert "no results are published" in line
    assert not (tmp_path / "x").exists()  # said before anything is run


def test_load_gives_the_records(entries: Path, made: Path) -> None:
    loaded = ff.load("published")
    assert len(loaded) == 12
    frame = loaded.frame().merge(ff.load(made / "own").frame(), on="id")
    assert len(frame) == 12
    assert (frame.far_error_x / frame.far_error_y - 1).abs().max() < 1e-5
    assert (frame.verdict_x == frame.verdict_y).all()
    assert len(ff.load("published", norms="layer*", tasks=["sine-1d"])) == 2
    assert ff.standings(loaded).boards[0].overall
    with pytest.raises(ff.InputError, match=r"no stored record matches \[published\]"):
        ff.load("published", tasks=["nothing"])


def test_a_run_says_how_it_agrees(
    entries: Path, made: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    same = ("run", "--suite", str(made / "small.yaml"), "--out", str(made / "own"), "--against", "published")
    assert "6 of 6 cells agree with the published ones" in call(capsys, *same)
    stored = ("compare", "--out", str(made / "own"), "--against")
    assert "6 of 6 cells agree" in call(capsys, *stored, "published")
    assert "4 of 4 cells agree" in call(capsys, *stored, str(entries / "small-networks.json"))

    def worse(document: dict[str, object]) -> None:
        for block in document["cells"][0]["records"]:  # type: ignore[index]
            for one in block["sets"]:
                one["relative_error"] *= 50

    edited(entries, tmp_path / "worse", monkeypatch, worse)
    (*_, table) = json.loads(call(capsys, *same, "-f", "json"))["tables"]
    assert table["agreement"]["agree"] == 5
    assert {row["differs in"] if "differs in" in row else row["what"] for row in table["rows"]} <= {
        "id error",
        "far error",
    }
    assert {(row["task"], row["norm"]) for row in table["rows"]} == {("linear-1d", "layer@first")}
    line = refused(capsys, *stored, str(tmp_path / "nowhere"))
    assert "no such folder or file of entries" in line


def test_words_of_an_entry_are_shown_as_words(
    entries: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    title = "<script>alert(1)</script>"
    edited(entries, tmp_path / "odd", monkeypatch, lambda document: document["card"].update(title=title))  # type: ignore[attr-defined]
    out = ("--out", str(tmp_path / "none"))
    assert title in call(capsys, "leaderboard", *out)
    assert title not in call(capsys, "leaderboard", *out, "-f", "markdown")
    page = Path(call(capsys, "leaderboard", "page", *out, "--save", str(tmp_path / "page.html")).strip()).read_text()
    assert title not in page
    assert "&lt;script&gt;alert(1)" in page


def test_what_this_code_would_not_write_is_an_older_edition(
    entries: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert not published().older

    def other_code(document: dict[str, object]) -> None:
        document["cells"][0]["source_hash"] = "0123456789abcdef"  # type: ignore[index]

    edited(entries, tmp_path / "older", monkeypatch, other_code)
    assert {(key.task, key.norm) for key in published().older} == {("linear-1d", "layer@first")}
    text = call(capsys, "leaderboard", "--out", str(tmp_path / "none"))
    assert f"mlp(width=8) ({OLDER})" in text
    assert f"“{OLDER}”: today's FarField has other code or data" in text


@pytest.mark.parametrize(
    "change",
    [
        lambda document: document.update(protocol="quick"),
        lambda document: document["tasks"][0].update(version="0"),
        lambda document: document["cells"][0].update(norm_hash="00"),
        lambda document: document["cells"][0].update(architecture="gone"),
    ],
)
def test_every_part_of_a_key_counts(entries: Path, change: Callable[[dict[str, object]], None]) -> None:
    document = json.loads((entries / "small-networks.json").read_text())
    change(document)
    assert older_cells(Entry.from_json(json.dumps(document)))


def test_what_is_not_known_here_is_current_where_its_source_is_there(entries: Path, tmp_path: Path) -> None:
    (tmp_path / "kind.py").write_text("# registers a norm kind\n")
    source = SourceText.of(read_plugin(tmp_path / "kind.py"))
    entry = read_entry(entries / "small-networks.json")
    for part in ("norm", "task"):
        name = "not-known-here@first" if part == "norm" else "not-known-here"
        mine = [
            replace(record, key=replace(record.key, **{part: name}))
            for record in records_of(entry)
            if record.key.task == "sine-1d" and record.key.norm == "none"
        ]
        assert older_cells(make_entry(mine, entry.card, [source]), data=True) == []
        assert len(older_cells(make_entry(mine, entry.card))) == 1


def test_changed_data_are_found_by_loading_them(entries: Path) -> None:
    entry = read_entry(entries / "small-networks.json")
    assert older_cells(entry, data=True) == []
    document = json.loads(entry.to_json())
    draw = document["tasks"][1]["draws"][1]
    draw["data_hash"] = draw["data_hash"][:32] + "0" * 32
    changed = Entry.from_json(json.dumps(document))
    assert older_cells(changed) == []
    assert {key.task for key in older_cells(changed, data=True)} == {"sine-1d"}


def test_a_record_that_is_lacking_or_not_final_is_not_left_out(
    made: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    named = ("leaderboard", "publish", "--suite", str(made / "small.yaml"), "--save", str(tmp_path / "entries"))
    own = ("--out", str(made / "own"))
    assert "6 of 18 records are not there" in refused(capsys, *named, *own, "--seeds", "3")
    assert "no suite to publish" in refused(capsys, "leaderboard", "publish", *own)
    assert "not a valid entry" in refused(capsys, *named, *own, "--link", "javascript:x")
    assert not (tmp_path / "entries").exists()


NET = '''\
import farfield as ff
from torch import nn
from beside import WIDTH


@ff.register_architecture("published-net", inputs=("features",))
def build(problem, norm):
    """Small."""
    return nn.Sequential(nn.Linear(problem.size, WIDTH), norm("hidden1", WIDTH), nn.ReLU(), nn.Linear(WIDTH, 1))
'''


@pytest.mark.slow
def test_the_source_of_what_is_not_built_in_goes_with_it(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], forget_plugins: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "my_net.py").write_text(NET)
    (tmp_path / "beside.py").write_text("WIDTH = 8\n")
    suite = tmp_path / "mine.yaml"
    suite.write_text(
        "name: mine\nversion: 1\nsummary: mine\nprotocol: quick\nseeds: 1\n"
        "cells:\n  - {tasks: [sine-1d], architectures: [published-net, mean], norms: [none]}\n"
    )
    given = ("--suite", str(suite), "--out", str(tmp_path / "own"), "--plugin", str(tmp_path / "my_net.py"))
    assert main(["run", *given, "--wandb", "disabled"]) == 0
    call(capsys, "leaderboard", "publish", *given, "--save", str(tmp_path / "entries"), "--author", "Me")
    entry = read_entry(tmp_path / "entries" / "mine-networks.json")
    (source,) = entry.sources
    assert [one.path for one in source.files] == ["my_net.py", "beside.py"]
    assert "\n".join(source.files[0].lines) == NET
    assert read_entry(tmp_path / "entries" / "mine-estimators.json").sources == ()
    assert older_cells(entry, data=True) == []
    monkeypatch.setenv(FOLDER_VARIABLE, str(tmp_path / "entries"))
    assert len(ff.load("published", architectures="published-net")) == 1
    without = given[:-2]
    assert "the source of published-net" in refused(capsys, "leaderboard", "publish", *without)
