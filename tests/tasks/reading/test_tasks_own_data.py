from pathlib import Path

import numpy as np
import pandas as pd
import pytest

import tasks
from bench.core.errors import InputError
from tasks.reading.own import frames

pytestmark = pytest.mark.usefixtures("forget")


def table(rows: int = 300) -> pd.DataFrame:
    draw = np.random.default_rng(1)
    frame = pd.DataFrame(
        {
            "area": draw.uniform(10, 200, rows),
            "rooms": draw.integers(1, 6, rows),
            "garden": draw.random(rows) < 0.3,
            "region": draw.choice(["north", "south", "NO"], rows),
            "built": pd.to_datetime("1990-01-01") + pd.to_timedelta(draw.integers(0, 9000, rows), unit="D"),
        }
    )
    frame["price"] = 1000 * frame["area"] + 5000 * frame["garden"] + draw.normal(0, 100, rows)
    frame.loc[5, "area"] = np.nan
    frame.loc[7, "region"] = None
    frame.loc[9, "price"] = np.nan
    return frame


@pytest.fixture
def csv(tmp_path: Path) -> Path:
    path = tmp_path / "my.csv"
    table().to_csv(path, index=False)
    return path


def test_a_table_behaves_as_a_task(csv: Path) -> None:
    task = tasks.own_data(csv, target="price", far_by="rooms", far_quantile=0.7, drop="built")
    loaded = task.load()
    assert tasks.resolve(task.name) == task, "its name is enough to find it again"
    assert loaded.feature_names == ("area", "rooms", "garden", "region=NO", "region=north", "region=south")
    rooms = loaded.to_raw(loaded.far[0].rows.inputs)[:, 1]
    assert rooms.min() > loaded.to_raw(loaded.train.inputs)[:, 1].max()
    assert len(task.card.version) == 16
    assert task.card.target == "price"
    assert "rows left out because they have no target: 1" in loaded.notes
    assert any("1 in 'area'" in note for note in loaded.notes)
    assert len(loaded.train) + len(loaded.validation) + len(loaded.test) + len(loaded.far[0]) == 299


def test_one_file_has_one_name_however_it_was_reached(csv: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The name is part of the keys of records: a second spelling of the path would train everything again."""

    def name(path: object) -> str:
        return tasks.own_data(path, target="price", far_by="rooms").name

    monkeypatch.chdir(csv.parent)
    (csv.parent / "sub").mkdir()
    spellings = ["my.csv", "./my.csv", "sub/../my.csv", csv, str(csv)]
    assert {name(path) for path in spellings} == {name("my.csv")}
    assert str(csv.parent) not in name(csv)
    monkeypatch.chdir(csv.parent / "sub")
    assert name("../my.csv") == name(csv), "outside of the working folder: the absolute path"
    assert tasks.resolve(name("../my.csv")).name == name(csv)


def test_all_rules_at_once(csv: Path) -> None:
    task = tasks.own_data(
        csv,
        target="price",
        far_by="mahalanobis",
        far_quantile=0.9,
        far_where='area > 150 and region == "north"',
        group_by="region",
        far_group="NO",
        drop="built",
    )
    loaded = tasks.resolve(task.name).load()
    assert [far.name for far in loaded.far] == ["furthest", "where", "group"]
    assert "region=NO" not in loaded.feature_names
    assert task.card.far_rule.count(";") == 2


def test_version_and_split_belong_to_the_content(csv: Path, tmp_path: Path) -> None:
    first = tasks.own_data(csv, target="price", far_by="rooms", drop="built")
    moved = tmp_path / "elsewhere.csv"
    moved.write_bytes(csv.read_bytes())
    second = tasks.own_data(moved, target="price", far_by="rooms", drop="built")
    assert first.card.version == second.card.version
    assert first.load().data_hash == second.load().data_hash
    with moved.open("a") as stream:
        stream.write("50,2,True,north,2001-01-01,50000\n")
    third = tasks.own_data(moved, target="price", far_by="rooms", drop="built")
    assert third.card.version != second.card.version
    assert third.load().data_hash != second.load().data_hash


def test_parquet_csv_and_data_frame_agree(csv: Path, tmp_path: Path) -> None:
    frame = table()
    frame.to_parquet(tmp_path / "my.parquet")
    sources = (csv, tmp_path / "my.parquet", frame)
    made = [tasks.own_data(source, target="price", far_where="area > 150", drop="built") for source in sources]
    sums = [sum(len(rows) for rows in task.load_raw().sets().values()) for task in made]
    means = [np.concatenate([rows.inputs for rows in task.load_raw().sets().values()]).mean(axis=0) for task in made]
    assert len(set(sums)) == 1
    for mean in means[1:]:  # the first column had a gap, filled by the mean of another split
        np.testing.assert_allclose(mean[1:], means[0][1:])
    assert made[2].name.startswith("own-data(path=frame:"), "no path of this machine in the name"
    assert tasks.resolve(made[2].name).load().data_hash == made[2].load().data_hash


def test_times_are_numbers_and_may_be_far(tmp_path: Path) -> None:
    table().to_parquet(tmp_path / "my.parquet")
    loaded = tasks.own_data(tmp_path / "my.parquet", target="price", far_by="built").load()
    place = loaded.feature_names.index("built")
    days = loaded.to_raw(loaded.far[0].rows.inputs)[:, place]
    assert days.min() > loaded.to_raw(loaded.train.inputs)[:, place].max() > 7000


@pytest.mark.parametrize("separator", [";", "\t"])
def test_other_separators_and_byte_order_mark(tmp_path: Path, separator: str) -> None:
    path = tmp_path / "my.csv"
    table().drop(columns="built").to_csv(path, index=False, sep=separator, encoding="utf-8-sig")
    assert tasks.own_data(path, target="price", far_by="area").load().feature_names[0] == "area"


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"target": "prize", "far_by": "area"}, "no column 'prize'.*did you mean 'price'"),
        ({"target": "region", "far_by": "area"}, "'region' is not numeric"),
        ({"target": "price", "far_by": "aera"}, "no column 'aera'.*did you mean 'area'"),
        ({"target": "price", "far_by": "region"}, "'region' is not numeric"),
        ({"target": "price", "far_where": "area > 1e9"}, "selects nothing"),
        ({"target": "price", "far_where": "area > 0 or area <= 0 or rooms > 0"}, "selects everything"),
        ({"target": "price", "far_where": "__import__('os')"}, "not allowed"),
        ({"target": "price", "far_where": "area ="}, "cannot be parsed"),
        ({"target": "price", "group_by": "region", "far_group": "SE"}, "no row has region = 'SE'"),
        ({"target": "price", "group_by": "country", "far_group": "NO"}, "no column 'country'"),
        ({"target": "price", "group_by": "region"}, "belong together"),
        ({"target": "price"}, "no far rule"),
        ({"target": "price", "far_by": "area", "far_quantile": 1.5}, "between 0 and 1"),
        ({"target": "price", "far_by": "area", "drop": "colour"}, "no column 'colour'"),
        ({"target": "price", "far_by": "area", "far_quantil": 0.5}, "did you mean 'far_quantile'"),
        ({"target": "price", "far_where": 'region == "it\'s"'}, "both kinds of quotes"),
    ],
    ids=str,
)
def test_bad_options_are_one_line(csv: Path, options: dict[str, str], message: str) -> None:
    with pytest.raises(InputError, match=message) as caught:
        tasks.own_data(csv, **options).load()  # type: ignore[arg-type]
    assert "\n" not in str(caught.value)


def _bad_files() -> dict[str, tuple[bytes, str]]:
    wide = ",".join(f"c{i}" for i in range(10_000)) + "\n" + ",".join("1" for _ in range(10_000)) + "\n"
    rows = "".join(f"{i},{i}\n" for i in range(100))
    return {
        "empty.csv": (b"", "file is empty"),
        "blank.csv": (b"\n\n", "no column names"),
        "header.csv": (b"x,y\n", "no rows"),
        "binary.csv": (b"PK\x03\x04\0\0\xff\xfe" * 100, "binary"),
        "latin.csv": ("größe,y\n1,2\n".encode("latin-1"), "no column 'x'"),
        "late.csv": (b"x,y\n" + rows.encode() + b"\xff\xfe,1\n", "'ÿþ' in line 102 is no number"),
        "twice.csv": (b"x,x,y\n1,2,3\n", "two columns are called 'x'"),
        "nameless.csv": (b"x,,y\n1,2,3\n", "column 2 has no name"),
        "wide.csv": (wide.encode(), "10,000 columns"),
        "ragged.csv": (b"x,y\n1,2\n1,2,3,4\n", "2 names, 4 fields in line 3"),
        "infinite.csv": (b"x,y\n1,2\n" + rows.encode() + b"inf,3\n", "'x' is infinite in line 103"),
        "few.csv": (b"x,y\n" + rows[:80].encode(), "too few"),
        "constant.csv": (b"x,y\n" + "".join(f"{i},1\n" for i in range(100)).encode(), "target is the same"),
        "words.csv": (b"x,y\n" + "".join(f"{i},high\n" for i in range(100)).encode(), "holds 'high'"),
        "only.csv": (b"y\n" + "".join(f"{i}\n" for i in range(100)).encode(), "no column 'x'"),
        "broken.parquet": (b"PAR1 and then nothing", "Parquet file cannot be read"),
        "table.xlsx": (b"PK", "neither .csv nor .parquet"),
    }


@pytest.mark.parametrize("name", _bad_files())
def test_bad_files_are_one_line(name: str, tmp_path: Path) -> None:
    content, message = _bad_files()[name]
    path = tmp_path / name
    path.write_bytes(content)
    for read in (tasks.Task.load, tasks.Task.data_hash):
        with pytest.raises(InputError, match=message) as caught:
            read(tasks.own_data(path, target="y", far_by="x"))
        assert "\n" not in str(caught.value)


def test_missing_and_huge_files(csv: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    with pytest.raises(InputError, match="there is no file"):
        tasks.own_data(tmp_path / "no.csv", target="y", far_by="x")
    with pytest.raises(InputError, match="there is no file frame:"):
        tasks.own_data("frame:../../my", target="y", far_by="x")
    table().to_parquet(tmp_path / "my.parquet")
    monkeypatch.setattr(frames, "memory", lambda: 10_000.0)
    for path in (csv, tmp_path / "my.parquet"):
        with pytest.raises(InputError, match="too large"):
            tasks.own_data(path, target="price", far_by="area").load()


def test_data_frames_with_double_names_are_refused() -> None:
    frame = pd.DataFrame(np.ones((30, 2)), columns=["x", "x"])
    with pytest.raises(InputError, match="two columns are called 'x'"):
        tasks.own_data(frame, target="x", far_by="x")


def test_it_is_not_listed() -> None:
    assert "own-data" not in tasks.list_tasks()
    assert tasks.get_card("own-data").truth == "unknown"


def test_a_file_larger_than_memory_is_refused_unread(tmp_path: Path) -> None:
    path = tmp_path / "huge.csv"
    with path.open("wb") as file:
        file.truncate(2**43)  # takes no disk; to read it would take hours
    with pytest.raises(InputError, match="too large"):
        tasks.own_data(path, target="y", far_by="x").load()
