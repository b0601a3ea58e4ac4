"""The ``farfield`` command: parses, delegates, and turns every error into one line and an exit code."""

from __future__ import annotations

import atexit
import contextlib
import gc
import os
import signal
import sys
from collections.abc import Sequence
from typing import Annotated

import typer
from typer.exceptions import TyperException

from bench import streams
from bench.commands import check, compare, doctor, leaderboard, new, plot, run, runs, show, submit, verify, wandb
from bench.commands import list as list_
from bench.core.errors import (
    EXIT_BAD_INPUT,
    EXIT_COMPLETE,
    EXIT_INTERNAL,
    EXIT_INTERRUPTED,
    FarFieldError,
)
from bench.core.shadowing import check_shadowing

app = typer.Typer(
    name="farfield",
    help="What does a neural network answer far away from everything it was trained on?\n\n"
    "Add --debug to any command to see the traceback behind an error.",
    add_completion=True,
    no_args_is_help=True,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
)


def _show_version(wanted: bool) -> None:
    if wanted:
        from importlib.metadata import version

        print(f"farfield {version('farfield')}")
        raise typer.Exit


@app.callback()
def _every_command(
    version: Annotated[
        bool, typer.Option("--version", callback=_show_version, is_eager=True, help="Show the version and exit.")
    ] = False,
) -> None:
    pass


for module in (run, list_, show, leaderboard, compare, plot, runs, check, new, submit, verify, doctor, wandb):
    module.add_to(app)


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line and return its exit code (the design, section 5)."""
    given = list(sys.argv[1:] if arguments is None else arguments)
    debug = "--debug" in given
    try:
        streams.prepare()
        streams.check_arguments(given)
        check_shadowing()
        code = app(args=[a for a in given if a != "--debug"], prog_name="farfield", standalone_mode=False)
        if code == EXIT_INTERRUPTED:  # typer turns Ctrl-C into this code
            raise KeyboardInterrupt
        sys.stdout.flush()
        return code if isinstance(code, int) else EXIT_COMPLETE
    except BaseException as error:
        if debug and not isinstance(error, (KeyboardInterrupt, SystemExit, TyperException)):
            raise
        return _report(error)


def _report(error: BaseException) -> int:
    """One line on stderr for whatever went wrong, and the exit code that goes with it."""
    if isinstance(error, SystemExit) and isinstance(error.__context__, BrokenPipeError):
        return EXIT_COMPLETE  # typer leaves with 1, which says here that cells failed
    if isinstance(error, SystemExit):
        return error.code if isinstance(error.code, int) else EXIT_COMPLETE
    if isinstance(error, (KeyboardInterrupt, typer.Abort)):
        _say("stopped; what is finished is stored, and the same command goes on from there")
        return EXIT_INTERRUPTED
    if getattr(error, "number", None) in (signal.SIGTERM, signal.SIGHUP):
        _say(f"{error}; what is finished is stored, and the same command goes on from there")
        return 128 + int(error.number)  # type: ignore[attr-defined]
    if isinstance(error, BrokenPipeError):  # the reader of our output went away
        sys.stderr.close()
        return EXIT_COMPLETE
    if isinstance(error, OSError) and streams.failed(error):
        _say(f"standard output cannot be written: {error.strerror}: send it elsewhere; what was run is stored")
        return EXIT_BAD_INPUT
    return _report_input(error)


def _report_input(error: BaseException) -> int:
    """The same for what was typed, and for what nobody foresaw."""
    if isinstance(error, TyperException) and error.format_message().startswith("Usage:"):  # a command without arguments
        print(error.format_message(), file=sys.stderr)
        return EXIT_BAD_INPUT
    if isinstance(error, TyperException):
        _say(" ".join(error.format_message().split()) + " (--help shows what there is)")
        return EXIT_BAD_INPUT
    if isinstance(error, FarFieldError):
        _say(str(error))
        return EXIT_BAD_INPUT
    _say(f"internal error: {type(error).__name__}: {' '.join(str(error).split())[:500]} (--debug shows where)")
    return EXIT_INTERNAL


def _say(text: str) -> None:
    try:
        print(f"farfield: {text}", file=sys.stderr)
    except OSError:  # nobody can be told
        streams.give_up(sys.stderr)


_READING = frozenset({"list", "show", "plot"})
"""Commands that start no processes and leave nothing open."""


def entry() -> None:
    """Console-script entry point.

    Commands that only read end without taking the interpreter apart and collect garbage rarely: torch makes a million
    objects that live to the end, and to look through them and free them one by one takes a second and a half.
    """
    reading = sys.argv[1:2] != [] and sys.argv[1] in _READING
    if reading:
        gc.set_threshold(200_000, 50, 50)
    code = main()
    if code == EXIT_INTERRUPTED:  # whoever presses Ctrl-C once more must not meet an interpreter that is shutting down
        _leave(code)
    if reading:
        atexit._run_exitfuncs()
        _leave(code)
    sys.exit(code)


def _leave(code: int) -> None:
    """End at once, with what was printed written out."""
    for stream in (sys.stdout, sys.stderr):
        with contextlib.suppress(OSError, ValueError, AttributeError):  # closed, full or none: main has said so
            stream.flush()
    os._exit(code)


if __name__ == "__main__":
    entry()
