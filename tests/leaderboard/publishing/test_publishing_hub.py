"""A folder for the Hub is read by ``datasets`` as it is described."""

from __future__ import annotations

import math

import pytest
import yaml

from bench.core.errors import InputError
from leaderboard.publishing.hub import record_features, set_features, write_hub_folder
from leaderboard.records.store.store import RecordFilter, Store
from leaderboard.tables.frame import frame_rows


@pytest.fixture
def folder(path, fill, records, record, unfinished, key, tmp_path):
    """Records, one with outputs that are not finite and one that timed out among them."""
    endless = record(
        key(architecture="cnn"), exponent=None, growth=(None,) * 13, departure=(None,) * 13, nonfinite=(1,) * 13
    )
    fill(path, *records(seeds=range(2)), endless, unfinished("timeout", key(architecture="cnn", seed=1)))
    with Store(path) as store:
        assert write_hub_folder(store, tmp_path / "hub") == 10
    return tmp_path / "hub"


def test_datasets_reads_it_without_a_network(folder, path, tmp_path, monkeypatch):
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    datasets = pytest.importorskip("datasets")
    datasets.disable_progress_bars()
    cache = str(tmp_path / "cache")
    loaded = datasets.load_dataset(str(folder), "records", split="train", cache_dir=cache)
    assert {name: feature.dtype for name, feature in loaded.features.items()} == record_features()
    with Store(path) as store:
        wanted = {row["id"]: row for row in frame_rows(list(store.records()))}
    assert len(loaded) == len(wanted) == 10
    for row in loaded:
        for name, value in row.items():
            other = wanted[row["id"]][name]
            missing = value is None and (other is None or (isinstance(other, float) and math.isnan(other)))
            assert missing or value == other, name
    assert any(row["max_growth"] == math.inf for row in loaded)
    sets = datasets.load_dataset(str(folder), "sets", split="train", cache_dir=cache)
    assert {name: feature.dtype for name, feature in sets.features.items()} == set_features()
    assert len(sets) == 9 * 4
    assert set(sets["set"]) == {"test", "far-2", "far-5", "far-10"}
    whole = datasets.load_dataset(str(folder), split="train", cache_dir=cache)  # the default
    assert whole.column_names == loaded.column_names


def test_the_card_names_licence_configurations_and_columns(folder):
    _, front, words = (folder / "README.md").read_text().split("---\n", 2)
    card = yaml.safe_load(front)
    assert card["license"] == "apache-2.0"
    assert [config["config_name"] for config in card["configs"]] == ["records", "sets"]
    for config, info in zip(card["configs"], card["dataset_info"], strict=True):
        (data,) = config["data_files"]
        assert (folder / data["path"]).is_file()
        assert info["config_name"] == config["config_name"]
    assert "10 records of 5 cells on 2 tasks; protocol `1`" in words
    assert "| `far_error` |" in words


def test_filters_choose_and_nothing_is_refused(path, fill, records, tmp_path):
    fill(path, *records())
    with Store(path) as store:
        assert write_hub_folder(store, tmp_path / "hub", RecordFilter(norm=("none",))) == 10
        with pytest.raises(InputError, match="no stored record matches"):
            write_hub_folder(store, tmp_path / "none", RecordFilter(norm=("other",)))
        (tmp_path / "file").write_text("")
        with pytest.raises(InputError, match="cannot write"):
            write_hub_folder(store, tmp_path / "file")
