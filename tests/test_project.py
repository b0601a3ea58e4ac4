"""What stands beside the code: workflows, forms, citation, what CONTRIBUTING and docs/verification.md promise."""

from __future__ import annotations

import re
import shlex
import subprocess
import tomllib
from pathlib import Path
from typing import Any

import pytest
import yaml

import farfield

ROOT = Path(__file__).parents[1]
GITHUB = ROOT / ".github"
WORKFLOWS = sorted((GITHUB / "workflows").glob("*.yml"))
TARGETS = set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(), re.MULTILINE))


def read(path: Path) -> dict[Any, Any]:
    found = yaml.safe_load(path.read_text())
    assert isinstance(found, dict), path
    return found


def steps(workflow: dict[Any, Any]) -> list[dict[str, Any]]:
    return [step for job in workflow["jobs"].values() for step in job["steps"]]


def commands(workflow: dict[Any, Any]) -> list[str]:
    return [
        line.strip() for step in steps(workflow) if "run" in step for line in step["run"].splitlines() if line.strip()
    ]


def test_the_workflows_are_there() -> None:
    assert [path.stem for path in WORKFLOWS] == ["release", "tests", "verify"]


@pytest.mark.parametrize("path", WORKFLOWS, ids=lambda path: path.stem)
def test_a_workflow_is_whole(path: Path) -> None:
    workflow = read(path)
    assert workflow["permissions"] == {"contents": "read"}
    events = workflow[True]  # YAML reads the word on as true
    assert "pull_request_target" not in events
    for name, job in workflow["jobs"].items():
        assert job["timeout-minutes"] <= 240, name
        for step in job["steps"]:
            assert ("run" in step) != ("uses" in step), step
            if "uses" in step:
                # a commit cannot be moved as a tag can; the index asks for its own action by branch
                assert re.fullmatch(r"actions/[\w-]+@[0-9a-f]{40}|pypa/gh-action-pypi-publish@release/v1", step["uses"])
            if step.get("uses", "").startswith("actions/checkout"):
                assert step["with"]["persist-credentials"] is False
            if "run" in step:
                assert "${{" not in step["run"], "expressions in a script can be injected: pass them as variables"
                subprocess.run(["bash", "-n"], input=step["run"], text=True, check=True)
    assert "secrets." not in path.read_text()


@pytest.mark.parametrize("path", WORKFLOWS, ids=lambda path: path.stem)
def test_what_workflows_make_the_makefile_has(path: Path) -> None:
    made = [line.split()[1] for line in commands(read(path)) if line.startswith("make ")]
    assert set(made) <= TARGETS


def test_the_test_workflow_runs_nothing_but_the_makefile_and_the_packages_it_needs() -> None:
    for line in commands(read(GITHUB / "workflows/tests.yml")):
        assert line.startswith(("make ", "apt-get ", "DEBIAN_FRONTEND=noninteractive apt-get install ")), line
    assert {"make lint", "make test", "make test-slow"} <= set(commands(read(GITHUB / "workflows/tests.yml")))


def test_bundles_are_verified_by_the_code_of_the_branch_without_network() -> None:
    workflow = read(GITHUB / "workflows/verify.yml")
    ours, theirs = (step["with"] for step in steps(workflow) if "uses" in step)
    assert "base.sha" in ours["ref"]
    assert theirs["sparse-checkout"] == "submissions"
    script = (GITHUB / "verify.sh").read_text()
    for flag in ("--network none", "--read-only", "--cap-drop ALL", "no-new-privileges"):
        assert flag in script
    assert "USER verifier" in (GITHUB / "verify.Dockerfile").read_text()


def test_the_script_looks_before_it_runs_and_passes_over_what_is_known(tmp_path: Path) -> None:
    """With a command in place of the container, which notes what it is called with."""
    handed, known, log = tmp_path / "handed", tmp_path / "known", tmp_path / "log"
    handed.mkdir()
    known.mkdir()
    for name, text in (("new", "1"), ("bad", "2"), ("old", "3"), ("changed", "4")):
        (handed / f"{name}.json").write_text(text)
    (known / "old.json").write_text("3")
    (known / "changed.json").write_text("0")
    (handed / "link.json").symlink_to("/etc/passwd")
    command = tmp_path / "farfield"
    command.write_text(f'#!/bin/sh\necho "$(basename "$2") $3" >>{log}\n[ "$(basename "$2")" != bad.json ]\n')
    command.chmod(0o755)
    done = subprocess.run(
        ["bash", str(GITHUB / "verify.sh"), str(handed), str(known)],
        env={"PATH": "/usr/bin:/bin", "FARFIELD": shlex.quote(str(command))},
        check=False,
    )
    assert done.returncode == 1
    said = log.read_text().splitlines()
    assert said == [
        "bad.json --no-run",
        "changed.json --no-run",
        "changed.json --yes",
        "new.json --no-run",
        "new.json --yes",
    ]


def test_the_script_follows_no_link_to_another_folder(tmp_path: Path) -> None:
    (tmp_path / "handed").symlink_to("/etc")
    called = tmp_path / "called"
    done = subprocess.run(
        ["bash", str(GITHUB / "verify.sh"), str(tmp_path / "handed"), str(tmp_path)],
        env={"PATH": "/usr/bin:/bin", "FARFIELD": f"touch {shlex.quote(str(called))}"},
        check=False,
    )
    assert done.returncode == 2
    assert not called.exists()


@pytest.mark.parametrize("path", sorted((GITHUB / "ISSUE_TEMPLATE").glob("[!c]*.yml")), ids=lambda path: path.stem)
def test_an_issue_form_asks_something(path: Path) -> None:
    form = read(path)
    assert {"name", "description", "body"} <= set(form)
    assert any(field.get("validations", {}).get("required") for field in form["body"])


def test_the_citation_is_complete() -> None:
    citation = read(ROOT / "CITATION.cff")
    needed = {"cff-version", "message", "title", "type", "authors", "license", "version", "abstract", "keywords"}
    assert needed <= set(citation)
    assert citation["cff-version"] == "1.2.0"
    assert citation["version"] == farfield.__version__
    assert all({"name"} <= set(a) or {"family-names", "given-names"} <= set(a) for a in citation["authors"])
    (paper,) = citation["references"]
    assert {"type", "title", "authors", "year", "url", "collection-title"} <= set(paper)


def test_the_package_says_what_it_is() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    topics = {line.partition(" ::")[0] for line in project["classifiers"]}
    assert {"Development Status", "Intended Audience", "Operating System", "Programming Language", "Topic"} <= topics
    assert project["license"] == read(ROOT / "CITATION.cff")["license"]


def test_every_test_that_the_page_on_verification_names_is_there() -> None:
    named = set(re.findall(r"`(test_\w+)`", (ROOT / "docs/verification.md").read_text()))
    there = "\n".join(path.read_text() for path in (ROOT / "tests/bench/submitting").glob("*.py"))
    assert len(named) >= 12
    assert [name for name in named if f"def {name}(" not in there] == []


def test_every_command_of_the_walk_is_one_that_there_is() -> None:
    """From ``farfield new`` to the board: commands and flags that CONTRIBUTING names are understood."""
    from typer.main import get_command

    from bench.cli import app

    known = get_command(app).commands  # type: ignore[attr-defined]
    text = (ROOT / "CONTRIBUTING.md").read_text().replace("\n   ", " ")
    walked = [shlex.split(line) for line in re.findall(r"`(farfield [a-z][^`]*)`", text)]
    assert {words[1] for words in walked} >= {"new", "check", "run", "submit", "verify"}
    for words in walked:
        options = {
            option for parameter in known[words[1]].params for option in parameter.opts + parameter.secondary_opts
        }
        assert {word for word in words[2:] if word.startswith("--")} <= options, words
