"""How covariance functions are spelled; loads no numerical library."""

from __future__ import annotations

from typing import Literal, TypeAlias

Covariance: TypeAlias = Literal["rbf", "rbf+linear", "rbf+periodic", "rbf+linear+periodic"]


def parts_of(covariance: Covariance) -> tuple[str, ...]:
    """The summands."""
    return tuple(covariance.split("+"))
