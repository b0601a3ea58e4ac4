import logging
import os
import shutil
import tarfile
from pathlib import Path

import numpy as np
import pytest

import tasks
from bench.core.errors import InputError
from tasks.families.images import faces
from tasks.families.images.faces import Face, decode_web_dataset, decoded, from_directory, parse_name

MALFORMED = ("61_1_20170109142408075.jpg.chip.jpg", "24_0_1_.jpg", "x_0_0_1.jpg.chip.jpg", "200_0_0_1.jpg.chip.jpg")


@pytest.mark.parametrize("name", MALFORMED)
def test_malformed_names_are_no_faces(name: str) -> None:
    assert parse_name(name) is None


def test_names_tell_age_and_group() -> None:
    assert parse_name("100_1_0_20170110183726390.jpg.chip.jpg") == Face(100, 0)
    assert parse_name("9_0_4_20170110183726390.jpg") == Face(9, 4)


def some_faces(real_data: Path, count: int = 60) -> list[Path]:
    found = sorted((real_data / "utkface").glob("*.jpg"))
    if not found:
        pytest.skip("no faces under FARFIELD_DATA")
    return found[:: max(1, len(found) // count)]


@pytest.fixture
def folder(real_data: Path, tmp_path: Path) -> Path:
    target = tmp_path / "utkface"
    target.mkdir()
    for path in some_faces(real_data):
        shutil.copy(path, target)
    for name in MALFORMED:
        shutil.copy(next(target.iterdir()), target / name)
    (target / "1_0_0_20170110183726391.jpg.chip.jpg").write_bytes(b"no image")
    (target / "README.txt").write_text("not a face")
    return target


def test_a_directory_is_decoded_once(folder: Path, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.WARNING, "farfield.tasks"):
        first = from_directory(folder)
    assert len(first.images) == len(list(folder.glob("*.jpg"))) - len(MALFORMED) - 1
    assert (first.skipped, first.broken) == (len(MALFORMED), 1)
    assert "4 files with a malformed name and 1 broken" in caplog.text
    assert len(first.notes) == 2
    assert isinstance(first.images, np.memmap)
    caplog.clear()
    again = from_directory(folder)
    assert not caplog.records
    np.testing.assert_array_equal(again.images, first.images)
    os.remove(next(folder.glob("*_0_0_2017*.jpg")))
    assert len(from_directory(folder).images) == len(first.images) - 1, "a changed directory is decoded anew"


def test_pixels_are_those_of_the_picture(folder: Path) -> None:
    from PIL import Image

    found = from_directory(folder)
    names = sorted(path.name for path in folder.glob("*.jpg"))
    good = [name for name in names if parse_name(name) is not None and (folder / name).stat().st_size > 100]
    with Image.open(folder / good[3]) as picture:
        full = np.asarray(picture.convert("RGB").resize((64, 64), Image.Resampling.BOX), dtype=float)
    assert np.abs(found.images[3].transpose(1, 2, 0) - full).mean() < 6
    assert Face(int(found.ages[3]), int(found.races[3])) == parse_name(good[3])


def test_the_hubs_web_dataset_gives_the_same_faces(folder: Path, tmp_path: Path) -> None:
    from datasets import load_dataset

    (folder / "1_0_0_20170110183726391.jpg.chip.jpg").unlink()
    archive = tmp_path / "faces.tar"
    with tarfile.open(archive, "w") as tar:
        for path in sorted(folder.glob("*.jpg")):
            tar.add(path, arcname=f"UTKFace/{path.name}")
    dataset = load_dataset("webdataset", data_files=str(archive), split="train", cache_dir=str(tmp_path / "hub"))
    arrays = decode_web_dataset(dataset)
    direct = from_directory(folder)
    np.testing.assert_array_equal(arrays["images"], direct.images)
    np.testing.assert_array_equal(arrays["ages"], direct.ages)
    np.testing.assert_array_equal(arrays["races"], direct.races)


def test_without_faces_one_line_says_how_to_get_them(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.delenv("FARFIELD_DATA", raising=False)
    with pytest.raises(InputError, match=r"UTKFace is not here.*HF_HUB_OFFLINE.*FARFIELD_DATA"):
        tasks.resolve("utkface").load()
    (tmp_path / "utkface").mkdir()
    monkeypatch.setenv("FARFIELD_DATA", str(tmp_path))
    with pytest.raises(InputError, match=r"no \.jpg file"):
        tasks.resolve("utkface").load()
    with pytest.raises(InputError, match="none of 1 files is a face"):
        decoded(["1_0_0_1.jpg"], lambda name: b"rubbish")


def test_groups_are_held_out(real_data: Path) -> None:
    some_faces(real_data)
    held = faces.load_faces()
    counts = np.bincount(held.races, minlength=5)
    for name, far in (("utkface", (4,)), ("utkface-white", (1, 2, 3, 4))):
        raw = tasks.resolve(name).load_raw()
        assert raw.train.inputs.dtype == np.uint8
        inside = len(raw.train) + len(raw.validation) + len(raw.test)
        assert inside == len(held.races) - sum(counts[list(far)])
        left_out = sum(counts[list(far)]) - sum(len(part) for part in raw.far)
        assert 0 <= left_out < 10, "faces that also stand in the training domain"
        assert left_out == 0 or any("left out of" in note for note in raw.notes)
