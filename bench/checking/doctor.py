"""What a user needs to know when something is wrong: versions, devices, data, W&B, the store, each with advice."""

from __future__ import annotations

import importlib.metadata
import os
import shutil
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from bench.cell.environment import PACKAGES, available_cores
from bench.core.errors import FarFieldError
from bench.sweep.query import STORE_NAME

State = Literal["ok", "note", "wrong"]
_LEAST_DISK = 2 * 2**30


@dataclass(frozen=True)
class Finding:
    """One line of the report; ``advice`` says what to do about what is not ``ok``."""

    topic: str
    state: State
    found: str
    advice: str = ""


def examine(out: Path) -> list[Finding]:
    """Look at everything a sweep that writes to ``out`` depends on. Changes nothing and asks no network."""
    findings: list[Finding] = []
    for look in (_versions, _devices, _data, _tracking, lambda: _store(out), lambda: _disk(out)):
        findings += _guarded(look)
    return findings


def _guarded(look: Callable[[], Iterator[Finding]]) -> list[Finding]:
    """A broken part of the machine is a finding too."""
    try:
        return list(look())
    except FarFieldError as error:
        return [Finding(_topic(look), "wrong", str(error), error.hint if hasattr(error, "hint") and error.hint else "")]
    except Exception as error:
        return [Finding(_topic(look), "wrong", f"{type(error).__name__}: {error}", "reinstall FarField")]


def _topic(look: Callable[[], Iterator[Finding]]) -> str:
    return look.__name__.strip("_<>").replace("lambda", "store")


def _versions() -> Iterator[Finding]:
    yield Finding("python", "ok", sys.version.split()[0])
    for package in PACKAGES:
        try:
            yield Finding(package, "ok", importlib.metadata.version(package))
        except importlib.metadata.PackageNotFoundError:
            yield Finding(package, "wrong", "not installed", "pip install farfield")


def _devices() -> Iterator[Finding]:
    import torch

    yield Finding("cores", "ok", f"{available_cores()} available")
    if torch.cuda.is_available():
        for index in range(torch.cuda.device_count()):
            memory = torch.cuda.get_device_properties(index).total_memory / 2**30
            yield Finding(f"cuda:{index}", "ok", f"{torch.cuda.get_device_name(index)}, {memory:.0f} GiB")
    else:
        advice = "" if torch.version.cuda is None else "a GPU would need its driver; everything runs on the CPU as well"
        yield Finding("gpu", "note", "none visible to torch", advice)
    try:
        import torchvision  # noqa: F401
    except Exception as error:
        yield Finding(
            "torchvision", "wrong", f"cannot be loaded: {error}", "install the torchvision made for this torch"
        )


def _data() -> Iterator[Finding]:
    import tasks

    for name in tasks.list_tasks():
        card = tasks.get_card(name)
        if not card.real:
            continue
        try:
            tasks.resolve(name).load()
        except FarFieldError as error:
            yield Finding(f"data of {name}", "note", str(error.args[0]), "")
        else:
            yield Finding(f"data of {name}", "ok", "found and sound")


def _tracking() -> Iterator[Finding]:
    from bench.tracking import logged_in

    if logged_in():
        yield Finding("wandb", "ok", "a key is there; --wandb online sends runs, the default keeps them here")
    else:
        yield Finding("wandb", "note", "no key: runs are kept here", "wandb login, then farfield wandb-sync")


def _store(out: Path) -> Iterator[Finding]:
    from leaderboard.records.store.store import Store

    path = out / STORE_NAME
    if not path.exists():
        yield Finding("store", "note", f"none in {out} yet", "farfield run makes one")
        return
    with Store(path) as store:
        problems = store.check()
        counts = ", ".join(f"{n} {status}" for status, n in store.counts().items() if n)
        yield Finding("store", "ok", f"{len(store)} records ({counts}) in {path}")
        unfinished = sum(n for status, n in store.counts().items() if status in ("failed", "timeout"))
    for problem in problems:
        yield Finding("store", "wrong", problem, "farfield runs delete the record, or restore the file from a copy")
    if unfinished:
        yield Finding("store", "note", f"{unfinished} records failed or timed out", "farfield run … --retry")


def _disk(out: Path) -> Iterator[Finding]:
    folder = next(p for p in (out.absolute(), *out.absolute().parents) if p.exists())
    free = shutil.disk_usage(folder).free
    if not os.access(folder, os.W_OK):
        yield Finding("disk", "wrong", f"{folder} cannot be written", "choose another --out")
    enough = free >= _LEAST_DISK
    advice = "" if enough else "free some, or choose another --out"
    yield Finding("disk", "ok" if enough else "wrong", f"{free / 2**30:.1f} GiB free in {folder}", advice)
