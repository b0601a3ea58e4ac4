"""UTKFace: the age of a person from an aligned and cropped face, trained without some groups of people."""

from __future__ import annotations

import io
import logging
import os
import re
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from bench.core.errors import InputError
from tasks.data.samples import FarSet, Rows, Samples
from tasks.reading.cache import cache_directory, cached_arrays
from tasks.reading.files import data_directory, missing, offline, quiet_datasets

LOG = logging.getLogger("farfield.tasks")
SIDE = 64
RACES = ("White", "Black", "Asian", "Indian", "Others")
OTHERS, ALL_BUT_WHITE = (4,), (1, 2, 3, 4)  # places in RACES
HUB = "py97/UTKFace-Cropped"
OLDEST = 120
_NAME = re.compile(r"(\d{1,3})_[01]_([0-4])_\d+(\.jpg\.chip)?\.jpg\Z")


@dataclass(frozen=True)
class Face:
    """What a file's name says.

    Args:
        age: years.
        race: place in :data:`RACES`.
    """

    age: int
    race: int


def parse_name(name: str) -> Face | None:
    """The face called ``[age]_[gender]_[race]_[date].jpg.chip.jpg``; ``None`` for a malformed name.

    A few published names lack a part, so that nobody knows the group or the age.
    """
    match = _NAME.match(name)
    if match is None:
        return None
    age, race = int(match[1]), int(match[2])
    return Face(age, race) if age <= OLDEST else None


@dataclass(frozen=True)
class Faces:
    """Decoded faces.

    Args:
        images: (n, 3, 64, 64) uint8, red green blue.
        ages: (n,) years.
        races: (n,) places in :data:`RACES`.
        skipped: how many files had a malformed name.
        broken: how many files were no image.
    """

    images: np.ndarray
    ages: np.ndarray
    races: np.ndarray
    skipped: int
    broken: int

    @property
    def notes(self) -> tuple[str, ...]:
        """What was left out."""
        reasons = ((self.skipped, "their name is malformed"), (self.broken, "they are no image"))
        return tuple(f"files left out because {reason}: {count:,}" for count, reason in reasons if count)


def utkface() -> Samples:
    """Train on White, Black, Asian and Indian faces; far: Others (arXiv 2505.14512)."""
    faces = load_faces()
    return without(faces, OTHERS, faces.images)


def utkface_white() -> Samples:
    """Train on White faces alone; far: Black, Asian, Indian and Others, a set each."""
    faces = load_faces()
    return without(faces, ALL_BUT_WHITE, faces.images)


def without(faces: Faces, held_out: Sequence[int], inputs: np.ndarray) -> Samples:
    """The ages of ``faces`` from their ``inputs`` (n, ...); each group of people in ``held_out`` is a far set.

    Raises:
        InputError: there is nobody of such a group.
    """

    def rows(race_is: np.ndarray) -> Rows:
        places = np.flatnonzero(race_is)
        return Rows(np.asarray(inputs[places]), faces.ages[places].astype(np.float64))

    far = []
    for race in held_out:
        if not (faces.races == race).any():
            raise InputError(f"there is no face of the group {RACES[race]!r}", hint="use the whole data set")
        far.append(FarSet(RACES[race].lower(), rows(faces.races == race), label=RACES[race]))
    return Samples(rows(~np.isin(faces.races, held_out)), tuple(far), notes=faces.notes)


def load_faces() -> Faces:
    """All faces, from ``FARFIELD_DATA/utkface`` or else from the Hugging Face hub; decoded once and memory-mapped."""
    given = data_directory()
    if given is not None and (given / "utkface").is_dir():
        return from_directory(given / "utkface")
    return _faces(cached_arrays("utkface", [SIDE, HUB], lambda: decode_web_dataset(_download())))


def from_directory(folder: Path) -> Faces:
    """The faces in the files of ``folder``; any change of a name, size or time decodes them anew."""
    with os.scandir(folder) as entries:
        files = sorted((e.name, e.stat().st_size, e.stat().st_mtime_ns) for e in entries if e.name.endswith(".jpg"))
    if not files:
        raise InputError("there is no .jpg file", where=str(folder), hint=f"put the faces of {HUB} there")

    def decode() -> dict[str, np.ndarray]:
        return decoded([name for name, *_ in files], lambda name: (folder / name).read_bytes())

    return _faces(cached_arrays("utkface", [SIDE, str(folder.resolve()), files], decode))


def _download() -> Any:
    """The web dataset of the hub, through ``datasets``. Its content cannot be pinned here; the data hash tells.

    Raises:
        InputError: it is not to be had.
    """
    if offline():
        raise missing("UTKFace", "utkface/*.jpg", f"the hub ({HUB})")
    from datasets import load_dataset

    with quiet_datasets():
        try:
            return load_dataset(HUB, split="train", cache_dir=str(cache_directory() / "datasets"))
        except (OSError, ValueError):  # for lack of network, of the files, or of a known format
            raise missing("UTKFace", "utkface/*.jpg", f"the hub ({HUB})") from None


def decode_web_dataset(dataset: Any) -> dict[str, np.ndarray]:
    """Decode the faces of a ``datasets.Dataset`` read from a web dataset: an image column and ``__key__``."""
    from datasets import Image

    column = next((name for name in dataset.column_names if name.endswith("jpg")), None)
    if column is None or "__key__" not in dataset.column_names:
        raise InputError(f"{HUB} is no web dataset of faces", hint="set FARFIELD_DATA to a folder that holds utkface/")
    encoded = dataset.cast_column(column, Image(decode=False))
    names = [f"{key.rsplit('/', 1)[-1]}.{column}" for key in encoded["__key__"]]
    place = {name: index for index, name in enumerate(names)}
    return decoded(sorted(place), lambda name: encoded[place[name]][column]["bytes"])


def _faces(arrays: dict[str, np.ndarray]) -> Faces:
    skipped, broken = (int(count) for count in arrays["left_out"])
    return Faces(arrays["images"], arrays["ages"], arrays["races"], skipped, broken)


def decoded(names: Iterable[str], read: Callable[[str], bytes]) -> dict[str, np.ndarray]:
    """Decode the files ``names`` to 64×64 pixels, two threads at a time.

    Raises:
        InputError: none is a face.
    """
    listed = list(names)
    parsed = [(name, face) for name in listed if (face := parse_name(name)) is not None]
    images = np.empty((len(parsed), 3, SIDE, SIDE), dtype=np.uint8)

    def fill(place: int) -> bool:
        pixels = _pixels(read(parsed[place][0]))
        if pixels is not None:
            images[place] = pixels
        return pixels is not None

    with ThreadPoolExecutor(2) as threads:
        good = np.array(list(threads.map(fill, range(len(parsed)))), dtype=bool)
    skipped, broken = len(listed) - len(parsed), int((~good).sum())
    if skipped or broken:
        LOG.warning("UTKFace: %d files with a malformed name and %d broken images are left out", skipped, broken)
    if not good.any():
        raise InputError(f"none of {len(listed):,} files is a face", hint="names are [age]_[gender]_[race]_[date].jpg")
    return {
        "images": images if good.all() else images[good],
        "ages": np.array([face.age for _, face in parsed])[good],
        "races": np.array([face.race for _, face in parsed])[good],
        "left_out": np.array([skipped, broken]),
    }


def _pixels(content: bytes) -> np.ndarray | None:
    """One image as (3, 64, 64), antialiased; ``None`` when it is none."""
    from PIL import Image

    try:
        with Image.open(io.BytesIO(content), formats=("JPEG",)) as image:
            image.draft("RGB", (SIDE, SIDE))  # decodes at a half or quarter of the size, no smaller than 64
            small = image.convert("RGB").resize((SIDE, SIDE), Image.Resampling.BILINEAR)
    except (OSError, SyntaxError, ValueError, Image.DecompressionBombError):
        return None
    return np.asarray(small).transpose(2, 0, 1)
