"""What the user asked of Weights & Biases, whether there is a key, and the environment its processes run in."""

from __future__ import annotations

import configparser
import netrc
import os
import warnings
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, get_args
from urllib.parse import urlsplit

from bench.core.errors import InputError, suggest
from bench.plan.options import setting

Mode = Literal["online", "offline", "disabled"]
MODES: tuple[Mode, ...] = get_args(Mode)
Warn = Callable[[str], None]

PROJECT = "farfield"
LONGEST_TAG = 64
_PUBLIC_SERVER = "https://api.wandb.ai"
# What of the user's W&B settings a run may inherit: who and where. Anything else (a run id, tags, a service of
# the process that called us) would turn our runs into somebody else's.
_INHERITED = frozenset(
    f"WANDB_{name}"
    for name in (
        "API_KEY",
        "BASE_URL",
        "CONFIG_DIR",
        "CREDENTIALS_FILE",
        "ENTITY",
        "HTTP_TIMEOUT",
        "IDENTITY_TOKEN_FILE",
    )
)


@dataclass(frozen=True, kw_only=True)
class WandbOptions:
    """How a sweep is mirrored to W&B, as people ask for it; what is left out, W&B's own variables say."""

    wandb: str | None = setting(
        None, "--wandb", "online, offline (kept in OUT/wandb) or disabled.", otherwise="WANDB_MODE, or offline"
    )
    wandb_project: str | None = setting(
        None, "--wandb-project", "W&B project of the runs.", otherwise="WANDB_PROJECT, or farfield"
    )
    wandb_entity: str | None = setting(
        None, "--wandb-entity", "W&B user or team of the runs.", otherwise="WANDB_ENTITY, or the key's own"
    )
    wandb_tags: tuple[str, ...] = setting((), "--wandb-tags", "Tags of every run, a,b,c.", otherwise="WANDB_TAGS")

    def __post_init__(self) -> None:
        if self.wandb is not None:
            _mode(self.wandb)
        for name, most in (("project", 128), ("entity", 128)):
            value = getattr(self, f"wandb_{name}")
            if value is not None and (not value.strip() or len(value) > most or set(value) & set("/\\#?%:")):
                hint = f"1 to {most} characters, none of / \\ # ? % :"
                raise InputError(f"{value!r} is no W&B {name}", where=f"--wandb-{name}", hint=hint)
        for tag in self.tags:
            if len(tag) > LONGEST_TAG:
                raise InputError(f"the tag {tag!r} is too long", where="--wandb-tags", hint=f"at most {LONGEST_TAG}")

    @property
    def tags(self) -> tuple[str, ...]:
        """The tags, each once: W&B's variable separates them by commas, and so may every one given here."""
        given = self.wandb_tags or (os.environ.get("WANDB_TAGS", ""),)
        return tuple(dict.fromkeys(tag.strip() for text in given for tag in text.split(",") if tag.strip()))

    @property
    def project(self) -> str:
        """Of the runs."""
        return self.wandb_project or os.environ.get("WANDB_PROJECT") or PROJECT

    @property
    def entity(self) -> str | None:
        """Of the runs; None leaves it to the key."""
        return self.wandb_entity or os.environ.get("WANDB_ENTITY") or None


def directory_for(out: Path) -> Path:
    """The folder whose ``wandb`` folder is written to: the variable WANDB_DIR, as W&B documents it, else ``out``."""
    return Path(os.environ.get("WANDB_DIR") or out)


class TrackingWarning(UserWarning):
    """W&B could not do its part. Results are not affected."""


def warn_user(text: str) -> None:
    """The default way to say that W&B failed."""
    warnings.warn(text, TrackingWarning, stacklevel=3)


@dataclass(frozen=True, kw_only=True)
class TrackingOptions:
    """How a sweep is mirrored to W&B.

    Args:
        mode: ``online``, ``offline`` (kept in ``directory`` until :func:`bench.tracking.sync`) or ``disabled``.
        directory: everything W&B writes goes to ``directory/wandb``.
        suite: name of the suite; groups the runs, and is part of their ids.
        sweep_id: names this sweep; its summary run has an id of its own.
        project, entity: W&B project, and the user or team that it belongs to (None: the key's own).
        tags: of every run, beside its own.
        group: of every run, in place of the suite's name.
        notes: of every run.
        init_timeout: seconds that a server which does not answer, or refuses the key, may cost at the end of a sweep.
    """

    mode: Mode
    directory: Path
    suite: str
    sweep_id: str
    project: str = PROJECT
    entity: str | None = None
    tags: tuple[str, ...] = ()
    group: str | None = None
    notes: str | None = None
    init_timeout: float = 10.0

    def __post_init__(self) -> None:
        if self.mode not in MODES:
            raise ValueError(f"mode must be one of {', '.join(MODES)}, not {self.mode!r}")
        if not self.init_timeout > 0:
            raise ValueError(f"init_timeout must be positive, not {self.init_timeout}")
        for name in ("suite", "sweep_id", "project"):
            if not getattr(self, name):
                raise ValueError(f"{name} must not be empty")

    @classmethod
    def of(cls, asked: WandbOptions, mode: Mode, out: Path, suite: str, sweep_id: str) -> TrackingOptions:
        """What was asked, completed by W&B's variables."""
        return cls(
            mode=mode,
            directory=directory_for(out),
            suite=suite,
            sweep_id=sweep_id,
            project=asked.project,
            entity=asked.entity,
            tags=asked.tags,
            group=os.environ.get("WANDB_RUN_GROUP") or None,
            notes=os.environ.get("WANDB_NOTES") or None,
        )

    @property
    def destination(self) -> tuple[str, ...]:
        """Part of the runs' ids where they do not go to the default project of the key: there they are other runs."""
        elsewhere = self.project != PROJECT or self.entity is not None
        return (self.entity or "", self.project) if elsewhere else ()


def home_of(directory: Path) -> Path:
    """The folder inside ``directory`` that W&B and this package write to; absolute, for other processes."""
    return Path(directory).absolute() / "wandb"


def choose_mode(asked: str | None, warn: Warn = warn_user) -> Mode:
    """The mode to use: what was asked, else ``WANDB_MODE``, else ``offline``.

    ``online`` is given only to somebody who asks for it and is logged in; without a key it becomes ``offline``,
    with one warning.

    Raises:
        InputError: ``asked`` is no mode.
    """
    wish = asked
    if wish is None:
        from_environment = os.environ.get("WANDB_MODE", "")
        wish = from_environment if from_environment in MODES else "offline"
    mode = _mode(wish)
    if mode == "online" and not logged_in():
        warn("W&B: online was asked for, but there is no key: keeping runs offline (log in with `wandb login`)")
        return "offline"
    return mode


def _mode(text: str) -> Mode:
    for mode in MODES:
        if mode == text:
            return mode
    raise InputError(f"{text!r} is no W&B mode", where="--wandb", hint=suggest(text, MODES))


def logged_in() -> bool:
    """Whether a W&B key can be found where its client looks: environment, netrc, settings files.

    Nothing is loaded and nobody is asked, so this does not say that the key is good.
    """
    if os.environ.get("WANDB_API_KEY") or os.environ.get("WANDB_IDENTITY_TOKEN_FILE"):
        return True
    settings = _settings()
    return bool(settings.get("api_key")) or _netrc_knows(server(settings))


def server(settings: dict[str, str] | None = None) -> str:
    """URL of the W&B server in use."""
    known = _settings() if settings is None else settings
    return os.environ.get("WANDB_BASE_URL") or known.get("base_url") or _PUBLIC_SERVER


def _settings() -> dict[str, str]:
    """W&B's settings files, the one of the working directory last; unreadable ones count as empty."""
    configured = os.environ.get("WANDB_CONFIG_DIR") or "~/.config/wandb"
    merged: dict[str, str] = {}
    for path in (Path(configured).expanduser() / "settings", Path("wandb/settings")):
        parser = configparser.ConfigParser(interpolation=None)
        try:
            parser.read_string(path.read_text())
        except (OSError, UnicodeDecodeError, configparser.Error):
            continue
        if parser.has_section("default"):
            merged.update(parser.items("default"))
    return merged


def _netrc_knows(url: str) -> bool:
    named = os.environ.get("NETRC")
    candidates = [Path(named)] if named else [Path("~/.netrc"), Path("~/_netrc")]
    path = next((p for p in (c.expanduser() for c in candidates) if p.exists()), None)
    if path is None:
        return False
    try:
        credentials = netrc.netrc(str(path)).authenticators(urlsplit(url).netloc)
    except (OSError, netrc.NetrcParseError):
        return False
    return bool(credentials and credentials[2])


def environment_of(mode: Mode, directory: Path) -> dict[str, str]:
    """Environment for a process that loads wandb: silent, within ``directory``, and off the network unless online."""
    home = home_of(directory)
    kept = {k: v for k, v in os.environ.items() if not k.startswith("WANDB_") or k in _INHERITED}
    return kept | {
        "WANDB_MODE": mode,
        "WANDB_DIR": str(home.parent),
        "WANDB_DATA_DIR": str(home / "staging"),
        "WANDB_CACHE_DIR": str(home / "cache"),
        "WANDB_SILENT": "true",
        "WANDB_CONSOLE": "off",
        "WANDB_ERROR_REPORTING": "false",
        "WANDB_DISABLE_GIT": "true",
        "WANDB_DISABLE_CODE": "true",
        "PYTHONWARNINGS": "ignore",
        "OMP_NUM_THREADS": "1",
    }
