"""Files to start from: ``farfield new architecture NAME``, and the same for an estimator, a norm kind and a task."""

from __future__ import annotations

import importlib.resources
import re
from collections.abc import Container
from pathlib import Path
from string import Template
from typing import Literal

from bench.core.errors import InputError

Thing = Literal["architecture", "estimator", "norm", "task"]
"""What can be begun; the template of each is ``THING.py.template``."""

_NAME = re.compile(r"[a-z][a-z0-9]*(-[a-z0-9]+)*\Z")


def write_template(thing: Thing, name: str, folder: Path) -> Path:
    """Write the template of ``thing`` for ``name`` into ``folder``; the file is called like the name, with underscores.

    Raises:
        InputError: the name is malformed or taken, or the file is there already.
    """
    if not _NAME.match(name):
        hint = "lower-case words joined by hyphens that begin with a letter, e.g. my-net"
        raise InputError(f"{name!r} is no name", where=f"farfield new {thing}", hint=hint)
    if name in _taken(thing):
        raise InputError(
            f"{thing} {name!r} is already there", where=f"farfield new {thing}", hint="choose another name"
        )
    identifier = name.replace("-", "_")
    path = folder / f"{identifier}.py"
    text = importlib.resources.files(__package__).joinpath(f"{thing}.py.template").read_text(encoding="utf-8")
    filled = Template(text).substitute(
        name=name,
        identifier=identifier,
        classname="".join(word.capitalize() for word in name.split("-")),
        file=path.name,
    )
    try:
        with path.open("x", encoding="utf-8") as file:
            file.write(filled)
    except FileExistsError:
        raise InputError(f"{path.name} is already there", where=str(folder), hint="choose another name") from None
    except OSError as error:
        raise InputError(f"{path.name} cannot be written: {error.strerror}", where=str(folder)) from error
    return path


def _taken(thing: Thing) -> Container[object]:
    if thing == "task":
        import tasks

        return tasks.REGISTRY
    import architectures

    return architectures.NORM_REGISTRY if thing == "norm" else architectures.REGISTRY
