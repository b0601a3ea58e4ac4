"""Every random draw has a seed made from the names of what it is for.

Adding a task, an architecture or a purpose therefore moves no other draw, and two normalization
schemes that are compared at one seed share their initial weights and their batches, because the
scheme is not among the names.
"""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy as np


EDITION_DIGITS = 32


def edition_of(data_hash: str) -> str:
    """What the data hashes of all draws of a task begin with: it names the data, and the rest the draw.

    Data that changed have another beginning, whatever the draw (:mod:`tasks.drawing` makes the hashes).
    """
    return data_hash[:EDITION_DIGITS]


def seed_from(*parts: str | int) -> int:
    """A 63-bit seed: the first bytes of SHA-256 over the length-prefixed parts.

    Lengths are part of the digest, so ``("ab", "c")`` and ``("a", "bc")`` differ, and so are types:
    ``1`` and ``"1"`` differ.
    """
    digest = hashlib.sha256()
    for part in parts:
        if isinstance(part, bool) or not isinstance(part, (str, int)):
            raise TypeError(f"a seed is made from strings and integers, not {type(part).__name__}")
        text = f"{type(part).__name__}:{part}".encode()
        digest.update(len(text).to_bytes(8, "big") + text)
    return int.from_bytes(digest.digest()[:8], "big") >> 1


def numbered(draw: int) -> tuple[int, ...]:
    """What the number of a task's draw adds to the parts of a seed: nothing for draw 0."""
    return (draw,) if draw else ()


def generator(*parts: str | int) -> np.random.Generator:
    """A numpy generator (PCG64) seeded by :func:`seed_from`."""
    import numpy as np  # what only lists names does without

    return np.random.Generator(np.random.PCG64(seed_from(*parts)))
