"""``farfield verify``."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated

import typer

from bench.commands._output import Format, FormatOption, terminal
from bench.core.errors import EXIT_COMPLETE, EXIT_INCOMPLETE, InputError


def add_to(app: typer.Typer) -> None:
    """Add the command."""
    app.command("verify")(verify)


def verify(
    file: Annotated[Path, typer.Argument(help="A bundle, as farfield submit writes it.")],
    run: Annotated[bool, typer.Option("--run/--no-run", help="Train sampled cells anew, or only look.")] = True,
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask before the bundle's code runs.")] = False,
    nonce: Annotated[
        str | None, typer.Option("--nonce", help="What cells and seeds are drawn with. [default: a new one]")
    ] = None,
    cells: Annotated[int, typer.Option("--cells", help="How many cells are trained anew.")] = 4,
    every: Annotated[bool, typer.Option("--all", help="All of them, as a published entry needs it.")] = False,
    seeds: Annotated[int, typer.Option("--seeds", help="Fresh seeds of each cell.")] = 5,
    layer: Annotated[
        str | None,
        typer.Option("--layer", help="bubblewrap, unshare, landlock or limits. [default: the first that works]"),
    ] = None,
    unsafe: Annotated[
        bool, typer.Option("--unsafe", help="Run the code although nothing but limits confines it.")
    ] = False,
    timeout: Annotated[float, typer.Option("--timeout", help="Seconds that a cell may take.")] = 900.0,
    memory_limit: Annotated[float, typer.Option("--memory-limit", help="Gigabytes that it may take.")] = 8.0,
    accept_signs: Annotated[
        bool, typer.Option("--accept-signs", help="You have read the lines that signs name, and they are harmless.")
    ] = False,
    save_entry: Annotated[
        Path | None, typer.Option("--save-entry", help="With --all: write the entry with the numbers measured here.")
    ] = None,
    form: FormatOption = Format.table,
) -> int:
    """Verify a bundle that somebody has handed in.

    First everything is checked that needs none of its code. Then, after a question, cells are drawn and trained anew
    with fresh seeds, in a process that is confined, and what is claimed is held against what comes out. Exit code 1
    says that something is wrong with the bundle, 2 that it cannot be verified. What all of it finds, and what not:
    docs/verification.md.

    farfield verify my-net.json
    """
    from bench.submitting.bundle import Bundle, write_bundle
    from bench.submitting.confined.remote import Allowance
    from bench.submitting.report import render_verification, summary
    from bench.submitting.sampling import new_nonce
    from bench.submitting.verifying import How, Verification, look
    from bench.submitting.verifying import verify as verify_bundle

    if save_entry is not None and not (every and run):
        raise InputError("an entry needs every cell trained anew", where="--save-entry", hint="give --all")
    if save_entry is not None and (save_entry.is_dir() or not save_entry.parent.is_dir()):
        raise InputError("no file can be written there", where=str(save_entry), hint="name a file in a folder that is")
    how = How(
        nonce=nonce or new_nonce(),
        cells=None if every else cells,
        seeds=seeds,
        layer=layer,  # type: ignore[arg-type]  # checked by the class
        unsafe=unsafe,
        allowance=Allowance(timeout, int(memory_limit * 2**30)),
        accept_signs=accept_signs,
    )
    bundle = Bundle.read(file)
    found: Verification = look(bundle, accept_signs)
    if run and not found.suspicious:
        around = how.chosen_layer()
        if not yes and not _agreed(bundle.source_bytes, around):
            raise InputError("nothing was run", where="farfield verify", hint="answer y, or give --yes or --no-run")
        found = verify_bundle(bundle, how, lambda text: print(f"farfield: {text}", file=sys.stderr))
    width, color = terminal()
    sys.stdout.write(render_verification(found, form.value, width, color))
    print(f"farfield: {summary(found)}", file=sys.stderr)
    if found.suspicious:
        return EXIT_INCOMPLETE
    if save_entry is not None:
        if found.entry is None:
            raise InputError("not every cell could be trained here", where="--save-entry", hint="see the report")
        write_bundle(Bundle.of(found.entry), save_entry)
        print(f"farfield: wrote {save_entry}", file=sys.stderr)
    return EXIT_COMPLETE


def _agreed(size: int, around: str) -> bool:
    """Ask on a terminal; elsewhere nobody can agree."""
    if not sys.stdin.isatty():
        return False
    what = f"The bundle has {size:,} bytes of source text. Run it on this machine, confined by {around}?"
    return typer.confirm(what, err=True)
