"""What is settled once: options classes, the keywords of ``run()`` and the flags of the commands say the same."""

from __future__ import annotations

import dataclasses
import inspect
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, Literal

import pytest
import typer
from typer.main import get_command

from bench.api import run
from bench.cli import app, main
from bench.commands._options import Fields, Given, with_options
from bench.core.errors import InputError
from bench.core.problem import MAX_PARAMETERS
from bench.plan.jobs import Settings
from bench.plan.options import CellOptions, FilterOptions, StatusFilterOptions, SuiteFilterOptions, SweepOptions
from bench.tracking import WandbOptions
from tasks.families.own.options import OwnData

ROOT = Path(__file__).parents[3]
OF_RUN = (CellOptions, SweepOptions, WandbOptions)


def flags(*path: str) -> dict[str, Any]:
    """The options of a command by flag."""
    command: Any = get_command(app)
    for name in path:
        command = command.commands[name]
    return {flag: p for p in command.params for flag in p.opts if flag.startswith("--")}


def test_run_has_a_keyword_for_every_field_with_its_default() -> None:
    keywords = inspect.signature(run).parameters
    fields = {f.name: f.default for kind in OF_RUN for f in dataclasses.fields(kind)}
    assert set(keywords) == {*fields, "watchers"}
    for name, default in fields.items():
        assert keywords[name].default == default, name
        assert re.search(rf"^ +(\w+, )*{name}(, \w+)*: ", run.__doc__ or "", re.M), f"{name} is not documented"


def test_the_command_has_a_flag_for_every_field_with_its_default_and_help() -> None:
    known = flags("run")
    for kind in OF_RUN:
        for field in dataclasses.fields(kind):
            option = known[field.metadata["flag"]]
            assert option.name == field.name
            assert option.default == (None if field.default == () else field.default), field.name
            assert option.help.startswith(field.metadata["help"])
            assert field.metadata["otherwise"] in option.help


def test_the_limit_of_parameters_is_stated_once() -> None:
    found = []
    for folder in ("bench", "architectures", "tasks", "farfield"):
        for path in sorted((ROOT / folder).rglob("*.py")):
            found += [path.name for line in path.read_text().splitlines() if re.search(r"200_000_000|2e8\b", line)]
    assert len(found) == 1, found
    assert SweepOptions().max_parameters == Settings().max_parameters == MAX_PARAMETERS


def test_the_filters_of_commands_are_one_class() -> None:
    of_suites = [("leaderboard",), ("leaderboard", "page"), ("compare",)]
    of_suites += [("plot", name) for name in ("growth", "error", "pareto")]
    of_states = [("runs", name) for name in ("list", "export", "delete")]
    alone = [("plot", name) for name in ("function", "far")]
    for kind, commands in ((SuiteFilterOptions, of_suites), (StatusFilterOptions, of_states), (FilterOptions, alone)):
        for command in commands:
            known = flags(*command)
            for field in dataclasses.fields(kind):
                flag = field.metadata["flag"].partition("/")[0]
                assert known[flag].help.startswith(field.metadata["help"]), (command, field.name)


def test_every_option_of_a_table_is_a_flag() -> None:
    known = flags("run")
    for field in dataclasses.fields(OwnData):
        flag = "--data" if field.name == "path" else "--" + field.name.replace("_", "-")
        assert len(known[flag].help) > len("With --data: ."), flag


def test_flags_follow_a_dataclass(capsys: pytest.CaptureFixture[str]) -> None:
    """What a class gains, the command gains: texts, numbers, choices, truth values, lists."""

    @dataclass(frozen=True)
    class Table:
        """A table.

        Args:
            path: where it
                lies.
            separator: what ``separates`` fields
            decimal: sign.
        """

        path: str
        separator: str | None = None
        decimal: Literal[".", ","] = "."
        rows: int = 7
        header: bool = True
        quiet: bool = False
        drop: tuple[str, ...] = dataclasses.field(default=(), metadata={"help": "Columns."})

    got: list[Given] = []
    application = typer.Typer(add_completion=False, rich_markup_mode=None)

    def show(table: Annotated[Given, Fields(Table, flags={"path": "--data"}, when="With --data: ")]) -> None:
        got.append(table)

    # annotations are texts in this file, and Table is local: the command line's own modules have theirs at the top
    show.__annotations__["table"] = Annotated[Given, Fields(Table, flags={"path": "--data"}, when="With --data: ")]
    application.command()(with_options(show))
    for arguments in (
        [],
        ["--data", "a", "--separator", ";", "--decimal", ",", "--rows", "3", "--no-header", "--quiet"],
        ["--drop", "a", "--drop", "b", "--header"],
    ):
        application(args=arguments, standalone_mode=False)
    assert got == [
        {},
        {"path": "a", "separator": ";", "decimal": ",", "rows": 3, "header": False, "quiet": True},
        {"drop": ["a", "b"], "header": True},
    ]
    with pytest.raises(typer.exceptions.TyperException, match="is not one of"):
        application(args=["--decimal", "x"], standalone_mode=False)
    capsys.readouterr()
    application(args=["--help"], standalone_mode=False)
    said = " ".join(capsys.readouterr().out.split())
    assert "Where it lies." in said
    assert "With --data: what separates fields." in said
    assert "With --data: columns. Repeatable." in said
    assert "[default: 7]" in said


@pytest.mark.parametrize(
    ("wrong", "flag"),
    [
        ({"workers": 0}, "--workers"),
        ({"workers": 1025}, "--workers"),
        ({"timeout": float("nan")}, "--timeout"),
        ({"memory_limit": 0.0}, "--memory-limit"),
        ({"max_parameters": 0}, "--max-parameters"),
        ({"program": "lop"}, "--program"),
    ],
)
def test_checks_name_the_flag(wrong: dict[str, Any], flag: str) -> None:
    with pytest.raises(InputError, match=re.escape(f"[{flag}]")):
        SweepOptions(**wrong)


@pytest.mark.parametrize(
    ("wrong", "flag"),
    [
        ({"wandb": "sometimes"}, "--wandb"),
        ({"wandb_project": "a/b"}, "--wandb-project"),
        ({"wandb_entity": " "}, "--wandb-entity"),
        ({"wandb_tags": ("a" * 65,)}, "--wandb-tags"),
    ],
)
def test_checks_of_wandb_name_the_flag(wrong: dict[str, Any], flag: str) -> None:
    with pytest.raises(InputError, match=re.escape(f"[{flag}]")):
        WandbOptions(**wrong)


def test_the_old_name_of_the_program_is_answered(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["run", "--task", "sine-1d", "--arch", "mlp", "--method", "loop"]) == 2
    (line,) = capsys.readouterr().err.splitlines()
    assert line == "farfield: --method is called --program now: --program loop"
    main(["run", "--help"])
    assert "--method" not in capsys.readouterr().out


def test_each_command_has_a_file_of_its_name() -> None:
    commands = set(get_command(app).commands)  # type: ignore[attr-defined]
    files = {path.stem for path in (ROOT / "bench" / "commands").glob("[!_]*.py")}
    assert {name.removesuffix("-sync") for name in commands} == files
