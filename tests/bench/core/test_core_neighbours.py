"""Files that import their neighbours: found without running them, loaded from what was read, part of the hash."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from bench.core.errors import InputError
from bench.core.plugins import Plugin, load_plugin, read_plugin

FILES = {
    "net.py": """
        import random
        import package.inside.deep as deep
        from helper import width
        from package import *
        from plain.thing import T

        def build():
            from late import extra
            return width, deep.D, other.O, T, extra, random.__file__
        """,
    "helper.py": "width = 8",
    "late.py": "extra = 7",
    "unused.py": "raise ValueError",
    "random.py": "",
    "package/__init__.py": "__all__ = ['other']",
    "package/other.py": "O = 1",
    "package/inside/__init__.py": "",
    "package/inside/deep.py": "from ..other import O\nfrom . import near\nD = (O, near.N)",
    "package/inside/near.py": "N = 2",
    "plain/thing.py": "from . import more\nT = more.M",
    "plain/more.py": "M = 5",
}


@pytest.fixture
def folder(tmp_path: Path, forget_modules) -> Path:  # type: ignore[no-untyped-def]
    import textwrap

    for name, text in FILES.items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(textwrap.dedent(text))
    forget_modules()
    return tmp_path


def test_modules_and_packages_beside_a_file_are_imported(folder: Path) -> None:
    path = list(sys.path)
    built = load_plugin(folder / "net.py").build()
    assert built == (8, (1, 2), 1, 5, 7, str(folder / "random.py"))
    assert not {"helper", "late", "package"} & set(sys.modules)
    assert sys.path == path


def test_the_hash_is_that_of_everything_that_is_imported_and_of_nothing_else(folder: Path) -> None:
    before = read_plugin(folder / "net.py").sha256
    (folder / "unused.py").write_text("x = 1")
    assert read_plugin(folder / "net.py").sha256 == before
    seen = {before}
    for name in ("helper.py", "late.py", "package/__init__.py", "package/inside/near.py", "plain/more.py"):
        (folder / name).write_text(f"{(folder / name).read_text()}\n# changed")
        seen.add(read_plugin(folder / "net.py").sha256)
    assert len(seen) == 6


def test_what_was_read_is_loaded_whatever_becomes_of_the_files(folder: Path) -> None:
    plugin = read_plugin(folder / "net.py")
    (folder / "late.py").write_text("raise RuntimeError")
    (folder / "helper.py").unlink()
    again = Plugin.unpacked(plugin.packed())
    assert again == plugin
    assert load_plugin(again).build()[4] == 7


def test_two_folders_may_each_have_a_helper(folder: Path) -> None:
    other = folder / "other"
    other.mkdir()
    (other / "net.py").write_text("from helper import width")
    (other / "helper.py").write_text("width = 64")
    assert (load_plugin(folder / "net.py").width, load_plugin(other / "net.py").width) == (8, 64)


def test_a_file_that_imports_nothing_of_the_users_keeps_its_hash(tmp_path: Path) -> None:
    import hashlib

    (tmp_path / "net.py").write_text("import os, torch, numpy\nfrom architectures import resolve\n")
    (tmp_path / "torch.py").write_text("a leftover that is no Python")
    plugin = read_plugin(tmp_path / "net.py")
    assert plugin.sha256 == hashlib.sha256(plugin.source).hexdigest()


def test_a_neighbour_that_does_not_parse_is_named(folder: Path) -> None:
    (folder / "package/other.py").write_text("def (:")
    with pytest.raises(InputError, match=r"package/other.py does not parse: .*line 1"):
        read_plugin(folder / "net.py")


def test_files_from_elsewhere_count_and_a_change_is_noticed(
    folder: Path, tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch
) -> None:
    elsewhere = tmp_path_factory.mktemp("elsewhere")
    (elsewhere / "my_library_elsewhere.py").write_text("x = 1")
    (folder / "net.py").write_text("import my_library_elsewhere\nx = my_library_elsewhere.x")
    monkeypatch.syspath_prepend(elsewhere)
    plugin = read_plugin(folder / "net.py")
    assert [Path(path).name for path, _ in plugin.imports.elsewhere] == ["my_library_elsewhere.py"]
    (elsewhere / "my_library_elsewhere.py").write_text("x = 22")
    assert read_plugin(folder / "net.py").sha256 != plugin.sha256
    with pytest.raises(InputError, match=r"my_library_elsewhere\.py has changed since"):
        load_plugin(plugin)
    sys.modules.pop("my_library_elsewhere", None)


def test_an_import_draws_the_same_numbers_in_every_process_and_moves_no_generator(folder: Path) -> None:
    import numpy as np
    import torch

    (folder / "net.py").write_text(
        "import numpy, torch\nnumpy.random.seed(3)\n"
        "drawn = (numpy.random.rand(), float(torch.rand(())), torch.zeros(1).device.type)\n"
    )
    (folder / "random.py").unlink()
    torch.manual_seed(1)
    np.random.seed(1)  # noqa: NPY002
    states = torch.get_rng_state(), np.random.get_state()[1].tolist()  # type: ignore[union-attr, index] # noqa: NPY002
    with torch.device("meta"):
        first = load_plugin(folder / "net.py").drawn
    assert torch.equal(states[0], torch.get_rng_state())
    assert states[1] == np.random.get_state()[1].tolist()  # type: ignore[union-attr, index] # noqa: NPY002
    for name in [name for name in sys.modules if name.startswith("farfield_plugin_")]:
        del sys.modules[name]
    torch.manual_seed(2)
    assert load_plugin(folder / "net.py").drawn == first
    assert first[2] == "cpu"
