"""The built-in tasks in words, a module for each family; reading them loads no data and no heavy library."""

from __future__ import annotations

from tasks.card import TaskCard
from tasks.families.images import card as images
from tasks.families.known import card as known
from tasks.families.sequences import card as sequences
from tasks.families.tables import card as tables


def builtin_cards() -> tuple[TaskCard, ...]:
    """All built-in cards."""
    return (*known.CARDS, *tables.CARDS, *images.CARDS, *sequences.CARDS)
