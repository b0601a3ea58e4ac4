"""A user's own table, from the command line and from Python."""

from __future__ import annotations

import csv
import io
import json
from pathlib import Path

import numpy as np
import pandas
import pytest

import bench
import tasks
from bench.cli import main
from bench.sweep.query import stored_records
from leaderboard.ranking.standings import standings
from leaderboard.records.store.store import Store


@pytest.fixture(scope="module")
def cars() -> pandas.DataFrame:
    draw = np.random.default_rng(0)
    frame = pandas.DataFrame(
        {
            "mileage": draw.uniform(0, 200, 300),
            "age": draw.uniform(0, 15, 300),
            "country": draw.choice(["NO", "SE", "DK"], 300),
            "diesel": draw.choice([True, False], 300),
        }
    )
    frame["price"] = 300 - frame["mileage"] - 5 * frame["age"] + draw.normal(0, 5, 300)
    frame.loc[::20, "age"] = np.nan
    return frame


def run(arguments: list[str], out: Path, capsys: pytest.CaptureFixture[str]) -> tuple[int, str, str]:
    code = main(["run", "--arch", "ridge", "--protocol", "quick", "--out", str(out), *arguments])
    said = capsys.readouterr()
    return code, said.out, said.err


@pytest.mark.parametrize("ending", ["csv", "parquet"])
@pytest.mark.parametrize(
    "rule",
    [
        ["--far-by", "mileage", "--far-quantile", "0.8"],
        ["--far-by", "mahalanobis"],
        ["--far-where", "mileage > 150 and age < 5"],
        ["--group-by", "country", "--far-group", "NO"],
    ],
)
def test_a_table_is_a_task_like_any_other(
    cars: pandas.DataFrame, tmp_path: Path, capsys: pytest.CaptureFixture[str], rule: list[str], ending: str
) -> None:
    path = tmp_path / f"cars.{ending}"
    cars.to_csv(path, index=False) if ending == "csv" else cars.to_parquet(path)
    code, text, said = run(["--data", str(path), "--target", "price", *rule, "-f", "json"], tmp_path / "out", capsys)
    assert code == 0, said
    assert "missing" in said  # what was imputed is reported
    assert "own-data" in json.dumps(json.loads(text))
    with Store(tmp_path / "out" / "records.sqlite") as store:
        records = list(store.records())
    assert sorted(record.key.seed for record in records) == [0, 1, 2, 3, 4]
    assert len({record.key.data_hash for record in records}) == 5  # a split each
    for record in records:
        assert record.status == "ok"
        assert record.key.task_version == tasks.resolve(record.key.task).card.keyed_version
        assert record.id_error is not None
        assert record.id_error < 0.6


def test_the_same_from_a_data_frame(cars: pandas.DataFrame, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FARFIELD_CACHE", str(tmp_path / "cache"))
    task = tasks.own_data(cars, target="price", far_by="mileage")
    results = bench.run(
        tasks=[task], architectures=["mlp(width=16)", "ridge"], seeds=1, protocol="quick", out=tmp_path / "out"
    )
    assert [r.status for r in results.records] == ["ok", "ok"]


@pytest.mark.parametrize(
    ("arguments", "fragment"),
    [
        (["--target", "price"], "--target belongs to --data"),
        (["--data", "cars.csv"], "--data needs --target"),
        (["--data", "cars.csv", "--target", "price"], "no far rule"),
        (["--data", "cars.csv", "--target", "prize", "--far-by", "age"], "did you mean 'price'"),
        (["--data", "cars.csv", "--target", "country", "--far-by", "age"], "not numeric"),
        (["--data", "cars.csv", "--target", "price", "--far-by", "milage"], "did you mean 'mileage'"),
        (["--data", "cars.csv", "--target", "price", "--far-where", "mileage > 1e9"], "nothing"),
        (["--data", "cars.csv", "--target", "price", "--far-where", "open('x')"], "not allowed"),
        (["--data", "cars.csv", "--target", "price", "--group-by", "country", "--far-group", "FI"], "FI"),
        (["--data", "cars.csv", "--target", "price", "--group-by", "country"], "belong together"),
        (["--data", "cars.csv", "--target", "price", "--far-by", "age", "--far-quantile", "1.5"], "far_quantile"),
        (["--data", "nowhere.csv", "--target", "price", "--far-by", "age"], "nowhere.csv"),
    ],
)
def test_bad_input_is_one_line(
    cars: pandas.DataFrame,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
    arguments: list[str],
    fragment: str,
) -> None:
    monkeypatch.chdir(tmp_path)
    cars.to_csv("cars.csv", index=False)
    code, _, said = run(arguments, tmp_path / "out", capsys)
    assert code == 2
    lines = [line for line in said.strip().splitlines() if line.startswith("farfield: ")]
    assert len(lines) == 1
    assert fragment in lines[0]


def test_a_table_has_a_name_and_stays_out_of_totals(
    cars: pandas.DataFrame, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    cars.to_csv("cars.csv", index=False)
    table = ["--data", "cars.csv", "--target", "price", "--far-by", "mileage", "--name"]
    code, text, said = run([*table, "my cars", "--task", "diabetes"], tmp_path / "out", capsys)
    assert code == 0, said
    assert "Standings over diabetes" in text
    assert "my cars" in text
    assert "own-data(" not in text
    assert "not in totals: own tables (my cars)" in text

    def board(*options: str) -> list[dict[str, str]]:
        assert main(["leaderboard", "--out", "out", "--format", "csv", *options]) == 0
        return list(csv.DictReader(io.StringIO(capsys.readouterr().out)))

    (alone,), (mixed,) = board(), board("--own-tables")
    rows = {row["task"]: float(row["far_error"]) for row in board("--scope", "tasks")}
    ours = next(task for task in rows if task.startswith("own-data("))
    assert float(alone["far_error"]) == pytest.approx(rows["diabetes"])
    assert float(mixed["far_error"]) == pytest.approx((rows["diabetes"] * rows[ours]) ** 0.5)
    (own,) = board("--task", "my cars")
    assert float(own["far_error"]) == pytest.approx(rows[ours])
    with Store(tmp_path / "out" / "records.sqlite") as store:
        (key,) = [r.key for r in store.records() if r.key.task == ours and r.key.seed == 0]
    unnamed = tasks.own_data("cars.csv", target="price", far_by="mileage")
    assert key.data_hash == unnamed.data_hash()
    assert key.task == unnamed.name[:-1] + ', name="my cars")'

    other = ["--data", "cars.csv", "--target", "price", "--far-by", "age", "--name"]
    for name, fragment in (("my cars", "another table already"), ("diabetes", "is a task already"), ("(", "no name")):
        code, _, said = run([*other, name], tmp_path / "out", capsys)
        assert code == 2
        assert fragment in said


def test_methods_of_own_tables_alone_are_in_no_total(
    cars: pandas.DataFrame, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    cars.to_csv("cars.csv", index=False)
    own = tasks.own_data("cars.csv", target="price", far_by="mileage")
    for task, architecture in ((own, "mean"), ("diabetes", "ridge")):
        given = {"tasks": [task], "architectures": architecture, "protocol": "quick", "wandb": "disabled"}
        assert bench.run(**given, out="out").complete
    (board,) = standings(stored_records(Path("out")))
    assert [(row.method.architecture, row.rank, row.missing) for row in board.overall] == [("ridge", 1, ())]
    assert len(board.per_task) == 2
    (mixed,) = standings(stored_records(Path("out")), own_tables=True)
    assert {row.method.architecture for row in mixed.overall} == {"ridge", "mean"}
    assert len(mixed.editions) == 2
