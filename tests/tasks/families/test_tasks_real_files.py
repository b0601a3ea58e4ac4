import dataclasses
import os
import shutil
import subprocess
import sys
import threading
from collections.abc import Iterator
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import numpy as np
import pytest

import tasks
from bench.core.errors import InputError
from tasks.families.tables.tables import PROTEIN
from tasks.reading.cache import cached_arrays
from tasks.reading.files import check, find, read_table

pytestmark = pytest.mark.usefixtures("forget")


def put(folder: Path, content: bytes, monkeypatch: pytest.MonkeyPatch) -> Path:
    target = folder / PROTEIN.path
    target.parent.mkdir(parents=True)
    target.write_bytes(content)
    monkeypatch.setenv("FARFIELD_DATA", str(folder))
    return target


def test_protein_is_what_was_published(real_data: Path) -> None:
    table = np.genfromtxt(real_data / PROTEIN.path, delimiter=",", names=True)
    task = tasks.resolve("protein").load()
    assert task.feature_names == tuple(f"F{i}" for i in range(1, 10))
    total = len(task.train) + len(task.validation) + len(task.test) + len(task.far[0])
    assert total == len(table) == 45_730
    assert len(task.far[0]) == (table["F1"] > 20_000).sum()
    area = task.to_raw(task.far[0].rows.inputs)[:, 0]
    assert area.min() > 20_000 > task.to_raw(task.train.inputs)[:, 0].max()
    found = np.sort(np.concatenate([r.targets for r in (task.train, task.validation, task.test, task.far[0].rows)]))
    np.testing.assert_allclose(task.target_to_raw(found), np.sort(table["RMSD"]), rtol=1e-9, atol=1e-9)
    assert len(table) - len(np.unique(table)) == 1_711
    inside = np.array([list(row)[1:] for row in table[table["F1"] <= 20_000]])
    assert task.notes[0].endswith(f"share: {len(inside) - len(np.unique(inside, axis=0)):,}")


def test_line_ends_do_not_matter(real_data: Path, tmp_path: Path) -> None:
    published = (real_data / PROTEIN.path).read_bytes().replace(b"\r\n", b"\n")
    other = tmp_path / "CASP.csv"
    for end in (b"\n", b"\r\n", b" \r\n"):
        other.write_bytes(published.replace(b"\n", end) + end)
        check(PROTEIN, other)


def test_truncated_and_wrong_files_are_refused_by_name(
    real_data: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    published = (real_data / PROTEIN.path).read_bytes()
    path = put(tmp_path, published[: len(published) // 2], monkeypatch)
    with pytest.raises(InputError, match=r"CASP\.csv is truncated: .* of 45,731 lines"):
        tasks.resolve("protein").load()
    path.write_bytes(published.replace(b"17.284", b"17.285", 1))
    with pytest.raises(InputError, match=r"CASP\.csv is not the published file: SHA-256"):
        tasks.resolve("protein").load()
    path.unlink()
    path.mkdir()
    with pytest.raises(InputError, match=r"CASP\.csv cannot be read"):
        tasks.resolve("protein").load()


def test_without_data_one_line_says_how_to_get_them(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.delenv("FARFIELD_DATA", raising=False)
    monkeypatch.setenv("FARFIELD_CACHE", str(tmp_path))
    with pytest.raises(InputError, match=r"CASP\.csv is not here.*HF_HUB_OFFLINE.*set FARFIELD_DATA") as caught:
        tasks.resolve("protein").load()
    assert "\n" not in str(caught.value)
    monkeypatch.setenv("FARFIELD_DATA", str(tmp_path / "nowhere"))
    with pytest.raises(InputError, match="names no directory"):
        tasks.resolve("protein").load()


def test_download_that_fails_says_so(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.delenv("FARFIELD_DATA", raising=False)
    monkeypatch.setenv("FARFIELD_CACHE", str(tmp_path))
    monkeypatch.setenv("HF_HUB_OFFLINE", "0")
    nowhere = dataclasses.replace(PROTEIN, url=str(tmp_path / "no-such-archive.zip"))
    with pytest.raises(InputError, match=r"the download from .* failed"):
        find(nowhere)


def test_archive_is_unpacked_and_kept(real_data: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    shutil.make_archive(str(tmp_path / "casp"), "zip", real_data / "protein")
    monkeypatch.delenv("FARFIELD_DATA")
    monkeypatch.setenv("FARFIELD_CACHE", str(tmp_path / "cache"))
    monkeypatch.setenv("HF_HUB_OFFLINE", "0")
    held = dataclasses.replace(PROTEIN, url=str(tmp_path / "casp.zip"))
    first = find(held)
    (tmp_path / "casp.zip").unlink()
    assert find(held) == first
    assert tmp_path / "cache" in first.parents


DOWNLOAD = """
import dataclasses, sys
from tasks.reading.files import find
from tasks.families.tables.tables import PROTEIN
print(find(dataclasses.replace(PROTEIN, url=sys.argv[1])).stat().st_size)
"""


@pytest.fixture
def served(real_data: Path, tmp_path: Path) -> Iterator[tuple[str, list[str]]]:
    """A web server that offers the archive of ``protein``, and what it was asked for."""
    pytest.importorskip("aiohttp", reason="fsspec downloads through aiohttp")
    (tmp_path / "www").mkdir()
    shutil.make_archive(str(tmp_path / "www" / "casp"), "zip", real_data / "protein")
    asked: list[str] = []

    class Handler(SimpleHTTPRequestHandler):
        def log_request(self, code: object = "-", size: object = "-") -> None:
            asked.append(f"{self.command} {code}")

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002
            return

    with ThreadingHTTPServer(("127.0.0.1", 0), partial(Handler, directory=str(tmp_path / "www"))) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}", asked
        server.shutdown()


def test_two_processes_download_once(served: tuple[str, list[str]], tmp_path: Path) -> None:
    address, asked = served
    environment = {name: value for name, value in os.environ.items() if name not in ("FARFIELD_DATA", "HF_HUB_OFFLINE")}
    environment |= {"FARFIELD_CACHE": str(tmp_path / "cache")}
    command = [sys.executable, "-c", DOWNLOAD, f"{address}/casp.zip"]
    both = [subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, text=True) for _ in range(2)]
    sizes = {process.communicate(timeout=60)[0].strip() for process in both}
    (kept,) = (tmp_path / "cache" / "files").glob("*/CASP.csv")
    assert sizes == {str(kept.stat().st_size)}
    assert asked.count("GET 200") == 1


def test_a_page_that_is_not_there_is_one_line(
    served: tuple[str, list[str]], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    address, _ = served
    monkeypatch.delenv("FARFIELD_DATA")
    monkeypatch.setenv("FARFIELD_CACHE", str(tmp_path / "cache"))
    monkeypatch.setenv("HF_HUB_OFFLINE", "0")
    for url in (f"{address}/gone.zip", "http://127.0.0.1:9/casp.zip"):
        with pytest.raises(InputError, match=r"the download from http://127.* failed.*set FARFIELD_DATA"):
            find(dataclasses.replace(PROTEIN, url=url))


def test_damaged_cache_is_made_anew(real_data: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FARFIELD_CACHE", str(tmp_path))
    before = {name: column.copy() for name, column in read_table(PROTEIN).items()}
    (folder,) = (path for path in (tmp_path / "decoded").glob("table-*") if path.is_dir())
    (folder / "values.npy").write_bytes(b"rubbish")
    after = read_table(PROTEIN)
    for name, column in before.items():
        np.testing.assert_array_equal(after[name], column)
    assert sorted(p.name for p in folder.iterdir()) == ["arrays.json", "columns.npy", "values.npy"]


MAKE_SLOWLY = """
import sys, time
from pathlib import Path
import numpy as np
from tasks.reading.cache import cached_arrays

def make():
    with Path(sys.argv[1]).open("a") as log:
        log.write("made\\n")
    time.sleep(1)
    return {"x": np.arange(1000.0)}

print(cached_arrays("shared", [1], make)["x"].sum())
"""


def test_two_processes_make_the_arrays_once(tmp_path: Path) -> None:
    environment = os.environ | {"FARFIELD_CACHE": str(tmp_path / "cache")}
    command = [sys.executable, "-c", MAKE_SLOWLY, str(tmp_path / "calls")]
    both = [subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, text=True) for _ in range(2)]
    assert [process.communicate(timeout=60)[0].strip() for process in both] == ["499500.0"] * 2
    assert (tmp_path / "calls").read_text() == "made\n"


def test_unwritable_cache_is_one_line(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    blocked = tmp_path / "file"
    blocked.write_text("")
    monkeypatch.setenv("FARFIELD_CACHE", str(blocked))
    with pytest.raises(InputError, match="FARFIELD_CACHE"):
        cached_arrays("x", [], dict)
