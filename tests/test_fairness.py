"""The tables of docs/fairness.md: what they say of records whose numbers are known, and of a short run."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from pathlib import Path
from typing import Literal

import pytest

from leaderboard.records.record import Record, RecordKey, SetResult
from tools import fairness

USUAL = {"none": 8.0, "layer@all": 2.0, "batch@all": 6.0}


def result(name: str, role: Literal["test", "far"], error: float) -> SetResult:
    return SetResult(name=name, role=role, rows=9, relative_error=error, rmse=error, mae=error, r2=0.0, nonfinite=0)


def measured(protocol: str, scheme: str, seed: int, far: float, edges: tuple[bool, bool] = (False, False)) -> Record:
    """A record of the far error ``far``, a little more at a later seed."""
    key = RecordKey(protocol, "sine-1d", "1", "d" * 64, "mlp", "a" * 64, scheme, seed)
    near, error = 0.1 * (1 + 0.01 * seed), far * (1 + 0.01 * seed)
    return Record(
        key=key,
        status="ok",
        truth="bounded",
        created="2026-01-02T03:04:05+00:00",
        sets=(result("test", "test", near), result("far", "far", error)),
        id_error=near,
        far_error=error,
        ladder=(1.0, 2.0),
        growth=(1.0, 1.0),
        departure=(1.0, 1.0),
        nonfinite=(0, 0),
        exponent=0.0,
        local_exponent=0.0,
        axis_growth=((100.0, 1.0),),
        axis_exponent=0.0,
        probe_nonfinite=0,
        edge_of_grid=edges[0],
        edge_of_steps=edges[1],
    )


def records(
    protocol: str, far: dict[str, float], edges: Callable[[str], tuple[bool, bool]] = lambda scheme: (False, False)
) -> list[Record]:
    return [measured(protocol, name, seed, far[name], edges(name)) for name in far for seed in range(3)]


def lines(text: str, title: str, protocol: str) -> list[str]:
    """The cells of a protocol's line in the table below ``title``."""
    table = text.split(title)[1].split("\n\n")[1]
    (line,) = [line for line in table.splitlines() if line.startswith(f"| `{protocol}` |")]
    return [cell.strip() for cell in line.strip("|").split("|")]


def test_ratios_stand_within_a_protocol_and_say_what_is_judged() -> None:
    text = fairness.tables([*records("2", USUAL), *records("2-sgd", {**USUAL, "layer@all": 16.0})])
    first = lines(text, "Far error where the truth is bounded", "2")
    assert first[1].startswith("8.08 [")
    assert first[3].startswith("0.25 [")
    assert first[3].endswith("↓")
    assert first[2] == "–"  # layer@first was not run
    assert lines(text, "Far error where the truth is bounded", "2-sgd")[3].startswith("2 [")


def test_what_turned_round_and_what_is_judged_otherwise_is_told_against_protocol_2() -> None:
    other = records("2-sgd", {**USUAL, "layer@all": 16.0})
    text = fairness.tables([*other, *records("2", USUAL)])
    assert text.index("| `2` |") < text.index("| `2-sgd` |")  # protocol 2 comes first however records lie
    usual, turned = (lines(text, "Places by it", name) for name in ("2", "2-sgd"))
    assert usual[1] == "layer@all, batch@all, none"
    assert usual[2:] == ["", ""]
    assert turned[1] == "batch@all, none, layer@all"
    assert turned[2] == "batch@all before layer@all; none before layer@all"
    assert turned[3] == "worse, was better: layer@all"


def test_verdicts_are_a_table_only_where_protocols_differ() -> None:
    alike = [*records("2", USUAL), *records("2-sgd", USUAL)]
    assert "the same under every protocol: `none` " in fairness.tables(alike)
    grown = [dataclasses.replace(r, exponent=1.0) if r.key.protocol == "2-sgd" else r for r in alike]
    said = [lines(fairness.tables(grown), "Verdicts on these tasks", name)[1] for name in ("2", "2-sgd")]
    assert said == ["bounded along rays", "linear"]


def test_shares_at_the_edge_are_by_scheme() -> None:
    text = fairness.tables(records("2", USUAL, lambda scheme: (scheme == "none", scheme == "batch@all")))
    cells = lines(text, "Choices at the edge", "2")
    assert dict(zip(fairness.SCHEMES, cells[1:], strict=True)) == {
        "none": "100% / 0%",
        "layer@first": "–",
        "layer@all": "0% / 0%",
        "rms@all": "–",
        "batch@all": "0% / 100%",
        "clip@input": "–",
    }


@pytest.mark.slow
def test_a_run_prints_every_table_and_is_not_run_again(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    asked = ["--out", str(tmp_path), "--task", "diabetes", "--protocol", "2-quarter", "--protocol", "2-fixed"]
    asked += ["--architecture", "mlp(width=8)", "--seeds", "2", "--workers", "1"]
    fairness.main(asked)
    before = capsys.readouterr().out
    assert before.count("| `2-quarter` |") == before.count("| `2-fixed` |") >= 4
    stored = (tmp_path / "records.sqlite").stat().st_mtime_ns
    fairness.main(asked)
    assert capsys.readouterr().out == before
    assert (tmp_path / "records.sqlite").stat().st_mtime_ns == stored
