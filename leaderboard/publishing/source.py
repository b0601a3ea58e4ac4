"""The source text of a file that registers something, and of its neighbours: what records of code from outside rest on.

It is text: :meth:`SourceText.plugin` gives what ``bench.core.plugins`` loads, and only who asks for that runs it.
"""

from __future__ import annotations

import hashlib
from pathlib import Path, PurePosixPath
from typing import Annotated

from pydantic import AfterValidator, ConfigDict, Field
from pydantic.dataclasses import dataclass

from bench.core.errors import InputError
from bench.core.neighbours import Imports, Neighbour
from bench.core.plugins import Plugin

MOST_CHARACTERS = 1_000_000
_CLOSED = ConfigDict(strict=True, extra="forbid")


def _relative(path: str) -> str:
    """A path that leads nowhere but down."""
    parts = path.split("/")
    if not path.isprintable() or "\\" in path or ":" in path or any(part in ("", ".", "..") for part in parts):
        raise ValueError(f"{path!r} is no relative path")
    return path


RelativePath = Annotated[str, Field(min_length=1, max_length=300), AfterValidator(_relative)]
Sha256 = Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]


@dataclass(frozen=True, config=_CLOSED)
class SourceFile:
    """One file.

    Attributes:
        path: from the folder of the file that registers something.
        sha256: of its bytes.
        lines: its text without line ends; the last is empty where the file ends with a line end.
        module: dotted, as others import it; empty of the file that registers something.
        package: whether it may hold other modules.
    """

    path: RelativePath
    sha256: Sha256
    lines: Annotated[tuple[Annotated[str, Field(max_length=MOST_CHARACTERS)], ...], Field(max_length=100_000)]
    module: Annotated[str, Field(max_length=300, pattern=r"^(?:[^\W\d]\w*(?:\.[^\W\d]\w*)*)?$")] = ""
    package: bool = False

    def __post_init__(self) -> None:
        if any("\n" in line for line in self.lines):
            raise ValueError(f"a line of {self.path} has a line end")
        if len(self.source) > MOST_CHARACTERS:
            raise ValueError(f"{self.path} is larger than a megabyte")
        if hashlib.sha256(self.source).hexdigest() != self.sha256:
            raise ValueError(f"the text of {self.path} has another hash than stands beside it")

    @property
    def source(self) -> bytes:
        """Its bytes."""
        return "\n".join(self.lines).encode()


@dataclass(frozen=True, config=_CLOSED)
class SourceText:
    """A file that registers something, and the modules beside it that it imports.

    Attributes:
        sha256: of all of it (:attr:`bench.core.plugins.Plugin.sha256`), which record keys are made from.
        files: the file itself, then its neighbours.
    """

    sha256: Sha256
    files: Annotated[tuple[SourceFile, ...], Field(min_length=1, max_length=500)]

    def __post_init__(self) -> None:
        modules = [one.module for one in self.files]
        if modules[0] or not all(modules[1:]) or len(set(modules)) < len(modules):
            raise ValueError("the first file registers something, and each of the others is a module beside it")
        if self.plugin().sha256 != self.sha256:
            raise ValueError(f"the source of {self.files[0].path} has another hash than stands beside it")

    @property
    def order(self) -> tuple[str, str]:
        """What sources are sorted by."""
        return self.files[0].path, self.sha256

    def plugin(self, folder: Path = Path()) -> Plugin:
        """What is loaded: the bytes as they were, wherever the files were, as if they lay in ``folder``."""
        first, *others = self.files
        beside = tuple(Neighbour(o.module, str(folder / o.path), o.source, o.package) for o in others)
        return Plugin(str(folder / first.path), first.source, Imports(beside))

    @classmethod
    def of(cls, plugin: Plugin) -> SourceText:
        """The text of a file that was read.

        Raises:
            InputError: it is no UTF-8, or imports a file of yours from another folder, which nobody else has.
        """
        for elsewhere, _ in plugin.imports.elsewhere:
            hint = "put it beside the file, so that its source is published too"
            raise InputError(f"{plugin.path} imports {elsewhere}", where="--plugin", hint=hint)
        home = Path(plugin.path).parent
        files = [_file(Path(plugin.path).name, plugin.source)]
        for one in plugin.imports.beside:
            path = Path(one.path)
            named = path.relative_to(home) if path.is_relative_to(home) else Path(path.name)
            files.append(_file(PurePosixPath(*named.parts).as_posix(), one.source, one.name, one.package))
        return cls(plugin.sha256, tuple(files))


def _file(path: str, source: bytes, module: str = "", package: bool = False) -> SourceFile:
    try:
        lines = tuple(source.decode().split("\n"))
    except UnicodeDecodeError:
        raise InputError(f"{path} is no UTF-8", where="--plugin", hint="save it as UTF-8 to publish it") from None
    return SourceFile(path, hashlib.sha256(source).hexdigest(), lines, module, package)
