"""Modes, keys, and the environment of the processes that load wandb."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from bench.cli import main
from bench.core.errors import InputError
from bench.tracking import TrackingOptions, TrackingWarning, WandbOptions, choose_mode, logged_in
from bench.tracking.content.description import describe_cell
from bench.tracking.options import environment_of

KEY = "k" * 40


def test_offline_unless_somebody_asks(monkeypatch: pytest.MonkeyPatch) -> None:
    assert choose_mode(None) == "offline"
    monkeypatch.setenv("WANDB_API_KEY", KEY)
    assert choose_mode(None) == "offline"  # logged in, but did not ask
    assert choose_mode("online") == "online"
    assert choose_mode("disabled") == "disabled"
    monkeypatch.setenv("WANDB_MODE", "online")
    assert choose_mode(None) == "online"
    assert choose_mode("offline") == "offline"  # the flag comes before the environment
    monkeypatch.setenv("WANDB_MODE", "dryrun")
    assert choose_mode(None) == "offline"


def test_online_without_a_key_is_offline_with_one_warning() -> None:
    with pytest.warns(TrackingWarning, match="no key") as caught:
        assert choose_mode("online") == "offline"
    assert len(caught) == 1
    said: list[str] = []
    assert choose_mode("online", said.append) == "offline"
    assert len(said) == 1
    assert "\n" not in said[0]


def test_an_unknown_mode_is_refused_with_a_hint() -> None:
    with pytest.raises(InputError, match="did you mean 'online'"):
        choose_mode("onlin")


@pytest.mark.parametrize("host", ["api.wandb.ai", "wandb.example.org"])
def test_a_key_in_netrc_counts_for_the_server_in_use(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, host: str
) -> None:
    netrc = tmp_path / "netrc"
    netrc.write_text(f"machine {host}\n  login user\n  password {KEY}\n")
    netrc.chmod(0o600)
    monkeypatch.setenv("NETRC", str(netrc))
    assert logged_in() == (host == "api.wandb.ai")
    config = tmp_path / "home" / "config"
    config.mkdir(parents=True)
    (config / "settings").write_text("[default]\nbase_url = https://wandb.example.org\n")
    assert logged_in() == (host == "wandb.example.org")
    monkeypatch.setenv("WANDB_BASE_URL", "https://api.wandb.ai")
    assert logged_in() == (host == "api.wandb.ai")


@pytest.mark.parametrize(
    "content", ["", "machine", "machine api.wandb.ai login x", "\x00\xff", "machine other password p"]
)
def test_a_netrc_without_a_usable_key_is_no_login(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, content: str
) -> None:
    (tmp_path / "netrc").write_text(content)
    monkeypatch.setenv("NETRC", str(tmp_path / "netrc"))
    assert not logged_in()


@pytest.mark.parametrize("settings", ["[default]\nproject = x\n", "no section", "[default\n", "\x00"])
def test_settings_without_a_key_are_no_login(tmp_path: Path, settings: str) -> None:
    (tmp_path / "home" / "config").mkdir(parents=True)
    (tmp_path / "home" / "config" / "settings").write_text(settings)
    assert not logged_in()


def test_the_key_is_found_where_wandb_itself_finds_it(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    netrc = tmp_path / "netrc"
    netrc.write_text(f"machine api.wandb.ai\n  login user\n  password {KEY}\n")
    netrc.chmod(0o600)
    monkeypatch.setenv("NETRC", str(netrc))
    code = "from wandb.sdk.lib.wbauth import read_netrc_auth as r; print(r(host='https://api.wandb.ai'))"
    found = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout.strip()
    assert (found == KEY) == logged_in()


def test_runs_do_not_inherit_somebody_elses_run(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    for name in ("RUN_ID", "SERVICE", "RESUME", "TAGS", "SWEEP_ID", "PROJECT", "DISABLED", "API_KEY", "ENTITY"):
        monkeypatch.setenv(f"WANDB_{name}", "theirs")
    kept = {name for name, value in environment_of("offline", tmp_path).items() if value == "theirs"}
    assert kept == {"WANDB_API_KEY", "WANDB_ENTITY"}


@pytest.mark.parametrize("wrong", [{"mode": "on"}, {"init_timeout": 0.0}, {"suite": ""}, {"project": ""}])
def test_wrong_options_are_refused(options: Callable[..., TrackingOptions], wrong: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match=r"mode|positive|empty"):
        options(**wrong)


def test_importing_tracking_loads_neither_wandb_nor_altair() -> None:
    code = "import sys, bench.tracking; print([m for m in ('wandb', 'altair', 'torch', 'pandas') if m in sys.modules])"
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout == "[]\n"


def made(tmp_path: Path, **asked: Any) -> TrackingOptions:
    return TrackingOptions.of(WandbOptions(**asked), "offline", tmp_path, "a-suite", "sweep-1")


def test_wandbs_variables_count_and_flags_come_first(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    plain = made(tmp_path)
    assert (plain.project, plain.entity, plain.tags, plain.group, plain.notes) == ("farfield", None, (), None, None)
    assert (plain.directory, plain.destination) == (tmp_path, ())
    elsewhere = tmp_path / "elsewhere"
    said = {"PROJECT": "theirs", "ENTITY": "team", "TAGS": "a, b,,a", "RUN_GROUP": "g", "NOTES": "n"}
    for name, value in (said | {"DIR": str(elsewhere)}).items():
        monkeypatch.setenv(f"WANDB_{name}", value)
    found = made(tmp_path)
    assert (found.project, found.entity, found.tags) == ("theirs", "team", ("a", "b"))
    assert (found.group, found.notes, found.directory) == ("g", "n", elsewhere)
    flagged = made(tmp_path, wandb_project="mine", wandb_entity="me", wandb_tags=("x,y", "z"))
    assert (flagged.project, flagged.entity, flagged.tags) == ("mine", "me", ("x", "y", "z"))
    assert flagged.destination != found.destination


def test_runs_that_go_elsewhere_are_other_runs(make_record: Any, tmp_path: Path) -> None:
    run = describe_cell([make_record(0)], [{}], suite="a-suite", sweep_id="s")
    assert run.sent_as(made(tmp_path)) == run
    there = run.sent_as(made(tmp_path, wandb_project="mine", wandb_tags=("t",)))
    assert there.id != run.id
    assert there.tags == (*run.tags, "t")
    assert there.digest() != run.digest()


def test_a_sweep_is_kept_as_the_variables_say(kept_runs: Any, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """From the command to what wandb itself wrote."""
    monkeypatch.setenv("WANDB_DIR", str(tmp_path / "elsewhere"))
    monkeypatch.setenv("WANDB_RUN_GROUP", "a group")
    monkeypatch.setenv("WANDB_NOTES", "some notes")
    (tmp_path / "elsewhere").mkdir()
    arguments = ["run", "--task", "sine-1d", "--arch", "mean", "--protocol", "quick", "--out", str(tmp_path / "out")]
    flags = ["--wandb", "offline", "--wandb-project", "mine", "--wandb-entity", "team", "--wandb-tags", "one,two"]
    assert main([*arguments, *flags]) == 0
    runs = kept_runs(tmp_path / "elsewhere")
    assert len(runs) == 2
    for kept in runs:
        assert (kept.run.project, kept.run.entity, kept.run.run_group) == ("mine", "team", "a group")
        assert kept.run.notes == "some notes"
        assert {"one", "two"} <= set(kept.run.tags)
    assert not (tmp_path / "out" / "wandb").exists()
