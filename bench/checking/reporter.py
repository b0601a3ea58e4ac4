"""Runs the steps of a check and tells whoever watches, before each step and after it."""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from dataclasses import dataclass

from bench.checking.findings import Finding, Portrait, fields_of, to_line
from bench.core.errors import FarFieldError


@dataclass(frozen=True)
class Reporter:
    """Writes messages to whoever watches."""

    descriptor: int

    def say(self, kind: str, **values: object) -> None:
        """Send one message."""
        line = to_line(kind, **values)
        while line:
            line = line[os.write(self.descriptor, line) :]

    def run(self, check: str, tried: str, where: str, step: Callable[[], Finding]) -> Finding:
        """Announce a step, run it and send what it found; whatever it raises is a failure."""
        self.say("begin", check=check, tried=tried, where=where)
        started = time.perf_counter()
        try:
            finding = step()
        except SystemExit as leaving:
            finding = _failure(check, tried, where, f"it calls sys.exit({leaving.code!r})", "raise an error instead")
        except MemoryError:
            finding = _failure(check, tried, where, "it runs out of memory", "allocate less, or raise --memory-limit")
        except FarFieldError as error:
            finding = _failure(check, tried, where, *_words(error))
        except BaseException as error:
            finding = _failure(
                check, tried, where, f"{type(error).__name__}: {error}", "run it with python to see where"
            )
        finding = Finding(**{**fields_of(finding), "seconds": time.perf_counter() - started})
        self.say("finding", **fields_of(finding))
        return finding

    def portray(self, portrait: Portrait) -> None:
        """Send a portrait."""
        self.say("portrait", **fields_of(portrait))


def _failure(check: str, tried: str, where: str, found: str, hint: str) -> Finding:
    return Finding(check, tried, where, False, found, hint)


def _words(error: FarFieldError) -> tuple[str, str]:
    what, where = getattr(error, "what", str(error)), getattr(error, "where", None)
    return f"{what} [{where}]" if where and where != "--plugin" else what, getattr(error, "hint", None) or ""
