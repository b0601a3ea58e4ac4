"""The flags of a user's own table, as commands share them."""

from __future__ import annotations

from bench.commands._options import Given
from bench.core.errors import InputError


def has_table(own: Given, where: str) -> bool:
    """Whether ``--data`` is among the given options of :class:`tasks.families.own.options.OwnData`.

    Raises:
        InputError: an option of a table without a table, or a table without a target.
    """
    if not own:
        return False
    if "path" not in own:
        raise without_table(next(iter(own)), where)
    if "target" not in own:
        raise InputError("--data needs --target", where=where, hint="--target COLUMN")
    return True


def without_table(option: str, where: str) -> InputError:
    """The refusal of an option that only a table has."""
    return InputError(f"--{option.replace('_', '-')} belongs to --data", where=where, hint="give --data FILE")
