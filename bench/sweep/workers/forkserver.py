"""The process that workers are forked from: multiprocessing's fork server, which imports this module and so torch once.

What is set up here is right for that process alone; imported anywhere else, this module does nothing.
"""

from __future__ import annotations

import atexit
import contextlib
import gc
import os
import sys
from collections.abc import Callable
from multiprocessing import forkserver, spawn


def prepare() -> None:
    """Load what workers need, and see to it that they and this process start and end cheaply."""
    gc.disable()  # nothing of what is loaded is ever garbage, and looking for some takes a sixth of the time
    try:
        import bench.sweep.workers.worker  # noqa: F401

        gc.freeze()  # nor is it looked at in workers, which would copy the memory they share
    finally:
        gc.enable()
    # Nothing here wants tidying up, and taking torch apart takes half as long as loading it. Workers end otherwise.
    atexit.register(os._exit, 0)
    spawn._fixup_main_from_path = _lenient(spawn._fixup_main_from_path)  # type: ignore[attr-defined]
    spawn._fixup_main_from_name = _lenient(spawn._fixup_main_from_name)  # type: ignore[attr-defined]


def _lenient(import_script: Callable[[str], None]) -> Callable[[str], None]:
    """``import_script``, surviving whatever the script does; our own command is not imported again.

    multiprocessing imports the script that started a sweep again in every worker, and what it registers becomes known
    there. A script without ``if __name__ == "__main__"`` meets its own sweep again (:func:`bench.run` ends its import
    there), and one that was read from stdin is no file at all. No job needs more of it.
    """

    def survive(script: str) -> None:
        if script != "bench.cli":
            with contextlib.suppress(Exception, SystemExit):
                import_script(script)

    return survive


def _is_fork_server() -> bool:
    """Whether the fork server's main program is what imports this module."""
    frame = sys._getframe()
    while frame.f_back is not None:
        frame = frame.f_back
        if frame.f_code is forkserver.main.__code__:
            return True
    return False


if _is_fork_server():
    prepare()
