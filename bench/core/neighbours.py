"""What a file of the user's imports of the user's own: found by reading, without running anything.

Beside a file its neighbours are found, modules and packages, as ``python file.py`` finds them, and what they import in
turn. What comes from another folder of the user's on ``sys.path`` (``PYTHONPATH``, an editable installation) is found
too, so that a change of it is noticed. Python's own modules, installed packages and FarField are left out.
"""

from __future__ import annotations

import ast
import hashlib
import importlib.util
import sys
import sysconfig
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from bench.core.errors import InputError

MOST_FILES = 500
MOST_BYTES = 1_000_000
_OURS = frozenset(["architectures", "bench", "farfield", "leaderboard", "tasks"])
# A leftover of such a name beside the file is never what was meant.
_NEEDED = frozenset(
    ["datasets", "numpy", "pandas", "scipy", "sklearn", "timm", "torch", "torchvision", "typer", "wandb"]
)
_STARTED = frozenset(
    ["abc", "codecs", "encodings", "genericpath", "io", "os", "posixpath", "site", "stat", "zipimport"]
)
_NEVER_BESIDE = _OURS | _NEEDED | _STARTED | frozenset(sys.builtin_module_names)
_INSTALLED = ("site-packages", "dist-packages")


@dataclass(frozen=True)
class Neighbour:
    """A module beside a file, as it was when it was read.

    Args:
        name: dotted, as the file imports it.
        path: of its file; of a folder without ``__init__.py``, the folder.
        source: its bytes.
        package: whether it may hold others.
    """

    name: str
    path: str
    source: bytes
    package: bool

    @property
    def sha256(self) -> str:
        """Hash of the bytes."""
        return hashlib.sha256(self.source).hexdigest()


@dataclass(frozen=True)
class Imports:
    """What a file imports of the user's own, directly or not.

    Args:
        beside: modules beside it, in the order of their names.
        elsewhere: paths of files in other folders, with the hashes of their bytes.
    """

    beside: tuple[Neighbour, ...] = ()
    elsewhere: tuple[tuple[str, str], ...] = ()


def find_imports(path: Path, source: bytes, name: str = "") -> Imports:
    """Everything of the user's that the file imports, by its import statements, wherever in the file they stand.

    Args:
        path: of the file.
        source: its bytes.
        name: under which it is imported itself (``package.module``); empty for a file that is run by its path.

    Raises:
        InputError: a neighbour cannot be read or parsed, or there are more than 500.
    """
    above = path.absolute().parents
    folder = above[min(name.count(".") + (path.name == "__init__.py" and bool(name)), len(above) - 1)]
    package = name if path.name == "__init__.py" else name.rpartition(".")[0]
    search = _Search()
    search.scan(_Place(folder, beside=True), package, source, str(path))
    return Imports(
        tuple(sorted(search.beside.values(), key=lambda one: one.name)), tuple(sorted(search.elsewhere.items()))
    )


@dataclass(frozen=True)
class _Place:
    """A folder whose modules are imported by bare names."""

    folder: Path
    beside: bool


class _Search:
    def __init__(self) -> None:
        self.beside: dict[str, Neighbour] = {}
        self.elsewhere: dict[str, str] = {}
        self._seen: set[tuple[Path, str]] = set()

    def scan(self, place: _Place, package: str, source: bytes, path: str) -> None:
        """Take in what a file of ``place`` imports."""
        for name in _imported(_parsed(source, path), package):
            top = name.partition(".")[0]
            if top not in _NEVER_BESIDE and self._take(place, name):
                continue
            other = None if top in _OURS or "." in name else _users_folder(top)
            if other is not None and other != place.folder:
                self._take(_Place(other, beside=False), name)

    def _take(self, place: _Place, name: str) -> bool:
        """Take in the module ``name`` of a place; False where there is none."""
        found = _located(place.folder, name)
        if found is None or (found.is_dir() and "." not in name and _is_module(name)):
            return False
        if (place.folder, name) in self._seen:
            return True
        self._seen.add((place.folder, name))
        if len(self._seen) > MOST_FILES:
            raise InputError(f"more than {MOST_FILES} files are imported", where=str(place.folder), hint="import less")
        source = _read(found) if found.is_file() else b""
        if place.beside:
            package = found.name == "__init__.py" or found.is_dir()
            self.beside[name] = Neighbour(name, str(found), source, package)
        elif found.is_file():
            self.elsewhere[str(found)] = hashlib.sha256(source).hexdigest()
        inside = name if found.name == "__init__.py" or found.is_dir() else name.rpartition(".")[0]
        self.scan(place, inside, source, str(found))
        return True


def _imported(tree: ast.AST, package: str) -> Iterator[str]:
    """Dotted names of everything that may be a module, parents before children."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            for alias in node.names:
                yield from _with_parents(alias.name)
        elif isinstance(node, ast.ImportFrom):
            base = _absolute(node.module or "", node.level, package)
            if base is not None:
                yield from _with_parents(base)
                yield from (f"{base}.{alias.name}".lstrip(".") for alias in node.names if alias.name != "*")
        elif isinstance(node, ast.Call) and isinstance(text := _first_text(node), str):
            yield from _with_parents(text)


def _first_text(call: ast.Call) -> object:
    """The name in ``importlib.import_module("name")``."""
    function = call.func.attr if isinstance(call.func, ast.Attribute) else getattr(call.func, "id", "")
    if function not in ("import_module", "__import__") or not call.args:
        return None
    return call.args[0].value if isinstance(call.args[0], ast.Constant) else None


def _with_parents(name: str) -> Iterator[str]:
    pieces = [piece for piece in name.split(".") if piece]
    yield from (".".join(pieces[:count]) for count in range(1, len(pieces) + 1))


def _absolute(module: str, level: int, package: str) -> str | None:
    """The full name of what ``from ...module import`` names inside ``package``; None beyond its top."""
    if not level:
        return module
    pieces = package.split(".") if package else []
    if level - 1 > len(pieces):
        return None
    return ".".join([*pieces[: len(pieces) - level + 1], *([module] if module else [])])


def _located(folder: Path, name: str) -> Path | None:
    """The file of a module in ``folder``, or the folder of a package without ``__init__.py``."""
    place = folder.joinpath(*name.split("."))
    for file in (place / "__init__.py", place.with_name(f"{place.name}.py")):
        if file.is_file():
            return file
    return place if place.is_dir() and any(place.glob("*.py")) else None


def _read(file: Path) -> bytes:
    try:
        source = file.read_bytes()
    except OSError as error:
        what = f"{file} cannot be read: {error.strerror or type(error).__name__}"
        raise InputError(what, hint="make it readable, or do not import it") from error
    if len(source) > MOST_BYTES:
        raise InputError(f"{file} is larger than a megabyte", hint="import Python source")
    return source


def _parsed(source: bytes, path: str) -> ast.AST:
    try:
        return ast.parse(source, path)
    except SyntaxError as error:
        place = f"line {error.lineno}" if error.lineno else None
        raise InputError(f"{path} does not parse: {error.msg}", where=place, hint="correct it") from error
    except (ValueError, RecursionError, MemoryError) as error:
        raise InputError(f"{path} is no Python source: {error}", hint="import Python source") from error


def _is_module(name: str) -> bool:
    """Whether Python has a module of that name somewhere, which stands before a mere folder."""
    try:
        spec = importlib.util.find_spec(name)
    except (ImportError, ValueError, AttributeError):
        return False
    return spec is not None and spec.origin is not None


def _users_folder(name: str) -> Path | None:
    """The folder that Python imports the top-level module ``name`` from, where that is one of the user's."""
    if name in sys.stdlib_module_names or name in _NEEDED:
        return None
    try:
        spec = importlib.util.find_spec(name)
    except (ImportError, ValueError, AttributeError):
        return None
    if spec is None or spec.origin is None or not spec.origin.endswith(".py"):
        return None
    file = Path(spec.origin).absolute()
    return None if is_installed(file) else file.parents[1 if file.name == "__init__.py" else 0]


def is_installed(file: Path) -> bool:
    """Whether a file belongs to Python or to an installed package, which its version identifies."""
    standard = {sysconfig.get_path(name) for name in ("stdlib", "platstdlib")}
    return any(part in _INSTALLED for part in file.parts) or any(
        folder is not None and file.is_relative_to(folder) for folder in standard
    )
