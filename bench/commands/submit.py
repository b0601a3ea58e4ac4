"""``farfield submit``."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated

import typer

from bench.commands._options import Plugins, load_plugins, with_options
from bench.core.errors import InputError
from bench.plan.options import OutOptions


def add_to(app: typer.Typer) -> None:
    """Add the command."""
    app.command("submit")(submit)


@with_options
def submit(
    results: OutOptions,
    name: Annotated[str, typer.Argument(help="Lower-case words joined by hyphens; NAME.json is written.")],
    arch: Annotated[list[str] | None, typer.Option("--arch", help="What is handed in. Repeatable.")] = None,
    norm: Annotated[
        list[str] | None,
        typer.Option("--norm", help="Under these norm schemes. Repeatable. [default: those run on the suite]"),
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
    from bench.plan.suite import list_suites, load_suite
    from bench.submitting.bundle import make_bundle, read_card, write_bundle

    if not name or name != "-".join(piece for piece in name.lower().split("-") if piece.isalnum()):
        raise InputError(f"{name!r} is no name", where="NAME", hint="lower-case words joined by hyphens, e.g. my-net")
    given = {"title": title, "authors": authors, "licence": licence, "link": link, "summary": summary}
    if authors is None and card is None and sys.stdin.isatty():
        given["authors"] = [typer.prompt("Who made it", err=True)]
    credit = read_card(card, given)
    load_plugins(plugins)
    read = [read_plugin(file) for file in plugins or ()]
    if suite not in list_suites():
        hint = f"one of {', '.join(list_suites())}"
        raise InputError("nobody else has this suite: only FarField's own are handed in", where=suite, hint=hint)
    bundle = make_bundle(load_suite(suite), results.out, arch or [], norm or [], credit, read)
    file = save or Path(f"{name}.json")
    size = write_bundle(bundle, file)
    print(file)
    print(f"{len(bundle.records):,} records, {size:,} bytes; next: farfield verify {file} --no-run", file=sys.stderr)
