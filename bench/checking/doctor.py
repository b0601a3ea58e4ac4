"""What a user needs to know when something is wrong: versions, devices, data, W&B, the store, each with advice."""

from __future__ import annotations

import functools
import importlib.metadata
import json
import os
import shutil
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import tasks
from bench.cell.environment import PACKAGES, available_cores
from bench.core.errors import FarFieldError, InputError
from bench.sweep.options import STORE_NAME

State = Literal["ok", "note", "wrong"]
TORCH_SECONDS = 30.0
_LEAST_DISK = 2 * 2**30


@dataclass(frozen=True)
class Observation:
    """One line of the report; ``advice`` says what to do about what is not ``ok``."""

    topic: str
    state: State
    found: str
    advice: str = ""


def examine(out: Path, network: bool = False, seconds: float = 3.5) -> list[Observation]:
    """Look at everything a sweep that writes to ``out`` depends on; changes nothing but the cache of decoded data.

    Args:
        out: folder of the results.
        network: fetch data that are not here, however long it takes.
        seconds: for reading data, without ``network``; what is not read by then is named.
    """
    torch, data = _Torch(), _Data(network)
    data.start()
    findings: list[Observation] = []
    looks = (_versions, torch.found, lambda: data.found(seconds), _tracking, lambda: _store(out), lambda: _disk(out))
    for look in looks:
        findings += _guarded(look)
    return findings


def _guarded(look: Callable[[], Iterator[Observation]]) -> list[Observation]:
    """A broken part of the machine is a finding too."""
    try:
        return list(look())
    except FarFieldError as error:
        return [
            Observation(_topic(look), "wrong", str(error), error.hint if hasattr(error, "hint") and error.hint else "")
        ]
    except Exception as error:
        return [Observation(_topic(look), "wrong", f"{type(error).__name__}: {error}", "reinstall FarField")]


def _topic(look: Callable[[], Iterator[Observation]]) -> str:
    if isinstance(look, functools.partial):
        return f"data of {look.args[0]}"
    return look.__name__.strip("_<>").replace("lambda", "store")


def _versions() -> Iterator[Observation]:
    yield Observation("python", "ok", sys.version.split()[0])
    for package in PACKAGES:
        try:
            yield Observation(package, "ok", importlib.metadata.version(package))
        except importlib.metadata.PackageNotFoundError:
            yield Observation(package, "wrong", "not installed", "pip install farfield")


class _Torch:
    """What torch says, from a process of its own that is started at once and asked later."""

    def __init__(self) -> None:
        script = Path(__file__).with_name("devices.py")
        self._process = subprocess.Popen(
            [sys.executable, "-P", str(script)],  # -P: no file in the user's folder can stand in for a module
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )

    def found(self) -> Iterator[Observation]:
        """Cores, GPUs and torchvision."""
        yield Observation("cores", "ok", f"{available_cores()} available")
        try:
            told, error = self._process.communicate(timeout=TORCH_SECONDS)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.communicate()
            yield Observation(
                "torch", "note", f"not loaded within {TORCH_SECONDS:g} s", "the machine is busy, or try again"
            )
            return
        if self._process.returncode:
            last = (error.strip().splitlines() or [f"its process ended with {self._process.returncode}"])[-1]
            yield Observation("torch", "wrong", f"cannot be loaded: {last[:300]}", "reinstall torch")
            return
        for topic, state, found, advice in json.loads(told.splitlines()[-1]):
            yield Observation(topic, state, found, advice)


class _Data(threading.Thread):
    """Reads all real data beside the other looks; a thread, so that a large data set does not hold up the rest."""

    def __init__(self, network: bool) -> None:
        super().__init__(daemon=True)
        self._network = network
        self._began = time.monotonic()
        # what is computed from pictures takes minutes the first time; the pictures themselves are looked at
        names = (name for name in tasks.list_tasks() if not name.endswith("-features"))
        self._names = [name for name in names if tasks.get_card(name).real]
        self._found: dict[str, Observation] = {}

    def run(self) -> None:
        with nullcontext() if self._network else _without_network():
            for name in self._names:
                (self._found[name],) = _guarded(functools.partial(_data_of, name, self._network))

    def found(self, seconds: float) -> Iterator[Observation]:
        """What is known once all is read, or ``seconds`` after the start."""
        self.join(None if self._network else max(0.0, self._began + seconds - time.monotonic()))
        for name in self._names:
            late = Observation(
                f"data of {name}", "note", f"not read within {seconds:g} s", f"farfield show task {name}"
            )
            yield self._found.get(name, late)


def _data_of(name: str, network: bool) -> Iterator[Observation]:
    topic = f"data of {name}"
    try:
        tasks.resolve(name).load()
    except InputError as error:
        what = error.what if network else error.what.replace(" and downloads are switched off by HF_HUB_OFFLINE", "")
        cure = "" if network else "; farfield doctor --network tries to fetch them"
        yield Observation(topic, "note", what, (error.hint or "") + cure)
    else:
        yield Observation(topic, "ok", "found and sound")


@contextmanager
def _without_network() -> Iterator[None]:
    """Data that are not here are not asked for: the hub's client would try again for a minute."""
    before = os.environ.get("HF_HUB_OFFLINE")
    os.environ["HF_HUB_OFFLINE"] = "1"
    try:
        yield
    finally:
        if before is None:
            del os.environ["HF_HUB_OFFLINE"]
        else:
            os.environ["HF_HUB_OFFLINE"] = before


def _tracking() -> Iterator[Observation]:
    from bench.tracking import logged_in

    if logged_in():
        yield Observation("wandb", "ok", "a key is there; --wandb online sends runs, the default keeps them here")
    else:
        yield Observation("wandb", "note", "no key: runs are kept here", "wandb login, then farfield wandb-sync")


def _store(out: Path) -> Iterator[Observation]:
    from leaderboard.records.store.store import Store

    path = out / STORE_NAME
    if not path.exists():
        yield Observation("store", "note", f"none in {out} yet", "farfield run makes one")
        return
    with Store(path) as store:
        problems = store.check()
        counts = ", ".join(f"{n} {status}" for status, n in store.counts().items() if n)
        yield Observation("store", "ok", f"{len(store)} records ({counts}) in {path}")
        unfinished = sum(n for status, n in store.counts().items() if status in ("failed", "timeout"))
    for problem in problems:
        yield Observation("store", "wrong", problem, "farfield runs delete the record, or restore the file from a copy")
    if unfinished:
        yield Observation("store", "note", f"{unfinished} records failed or timed out", "farfield run … --retry")


def _disk(out: Path) -> Iterator[Observation]:
    folder = next(p for p in (out.absolute(), *out.absolute().parents) if p.exists())
    free = shutil.disk_usage(folder).free
    if not os.access(folder, os.W_OK):
        yield Observation("disk", "wrong", f"{folder} cannot be written", "choose another --out")
    enough = free >= _LEAST_DISK
    advice = "" if enough else "free some, or choose another --out"
    yield Observation("disk", "ok" if enough else "wrong", f"{free / 2**30:.1f} GiB free in {folder}", advice)
