"""``farfield submit`` and ``farfield verify``."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated

import typer

from bench.commands._options import Plugins, load_plugins, with_options
from bench.commands._output import Format, FormatOption, terminal
from bench.core.errors import EXIT_COMPLETE, EXIT_INCOMPLETE, InputError
from bench.plan.options import OutOptions


def add_to(app: typer.Typer) -> None:
    """Add the commands."""
    app.command("submit")(submit)
    app.command("verify")(verify)


@with_options
def submit(
    results: OutOptions,
    name: Annotated[str, typer.Argument(help="Lower-case words joined by hyphens; NAME.json is written.")],
    arch: Annotated[list[str] | None, typer.Option("--arch", help="What is handed in. Repeatable.")] = None,
    norm: Annotated[
        list[str] | None, typer.Option("--norm", help="Under these norm schemes. Repeatable. [default: all stored]")
    ] = None,
    plugins: Plugins = None,
    suite: Annotated[str, typer.Option("--suite", help="On this suite.")] = "standard",
    card: Annotated[
        Path | None, typer.Option("--card", help="YAML with title, authors, licence, link, summary.")
    ] = None,
    title: Annotated[str | None, typer.Option("--title", help="One line. [default: the architectures]")] = None,
    authors: Annotated[list[str] | None, typer.Option("--author", help="Who made it. Repeatable.")] = None,
    licence: Annotated[str | None, typer.Option("--licence", help="SPDX expression. [default: Apache-2.0]")] = None,
    link: Annotated[str | None, typer.Option("--link", help="Where to read more.")] = None,
    summary: Annotated[str | None, typer.Option("--summary", help="A few sentences.")] = None,
    save: Annotated[Path | None, typer.Option("--save", help="The file. [default: NAME.json]")] = None,
) -> None:
    """Write a bundle to hand in: the stored records of your network on a suite, with its source text, in one JSON file.

    Every task of the suite whose inputs it reads must be there with all seeds. Everything in the bundle that follows
    from something else is checked, as farfield verify will check it.

    farfield submit my-net --plugin my_net.py --arch my-net --suite standard --author "A. Name"
    """
    from bench.core.plugins import read_plugin
    from bench.plan.suite import load_suite
    from bench.submitting.bundle import make_bundle, read_card, write_bundle

    if not name or name != "-".join(piece for piece in name.lower().split("-") if piece.isalnum()):
        raise InputError(f"{name!r} is no name", where="NAME", hint="lower-case words joined by hyphens, e.g. my-net")
    given = {"title": title, "authors": authors, "licence": licence, "link": link, "summary": summary}
    if authors is None and card is None and sys.stdin.isatty():
        given["authors"] = [typer.prompt("Who made it", err=True)]
    credit = read_card(card, given)
    load_plugins(plugins)
    read = [read_plugin(file) for file in plugins or ()]
    bundle = make_bundle(load_suite(suite), results.out, arch or [], norm or [], credit, read)
    file = save or Path(f"{name}.json")
    size = write_bundle(bundle, file)
    print(file)
    print(f"{len(bundle.records):,} records, {size:,} bytes; next: farfield verify {file} --no-run", file=sys.stderr)


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
