"""Whether a cell stays bounded far away, and what this rests on.

Each finished seed has a kind of growth, from the larger of its exponents along rays and along axes; a proof decides
before any slope does. A cell is of one kind only if each of its seeds is. "Bounded" has a grade, the weakest of its
seeds': proved (a finite certificate), searched (the worst case found in the ball of 1e4 R is less than 1.26 times that
of 100 R), along rays (not searched), or growth found (searched, and more).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, get_args

import numpy as np

from leaderboard.ranking.cells import Cells
from leaderboard.ranking.statistics import clopper_pearson
from leaderboard.records.arrays import Booleans, Floats, Integers
from leaderboard.records.metrics import BOUNDED_BELOW, GROWTH_KINDS, LINEAR_FROM, LINEAR_TO, SEARCHED_BELOW
from leaderboard.records.quantities import (
    AXIS_EXPONENT,
    CERTIFICATE,
    EXPONENT,
    SEEN,
    WORST_GROWTH_FAR,
    WORST_GROWTH_NEAR,
)

Word = Literal["bounded", "sublinear", "linear", "superlinear", "unbounded", "mixed", "not measured"]
WORDS: tuple[Word, ...] = get_args(Word)
UNBOUNDED: frozenset[str] = frozenset({"sublinear", "linear", "superlinear", "unbounded", "mixed"})
"""Growth of some seed goes on: the maximum over the ladder is only where probing ended."""
NO_VERDICT = "none"
ROUNDING = 1e-9
"""By so much, relative, may growth that was measured exceed a certificate that is believed."""
Grade = Literal["growth found", "along rays", "searched", "proved"]
GRADES: tuple[Grade, ...] = get_args(Grade)  # the weakest first


@dataclass(frozen=True, eq=False)
class CellVerdicts:
    """The verdicts on many cells.

    Args:
        word: (cells,) places in ``WORDS``; of a cell with a finished record.
        kinds: (cells, 4) how many measured seeds are of each of ``GROWTH_KINDS``.
        grade: (cells,) places in ``GRADES`` of cells that are bounded, else -1.
        bound: (cells,) the greatest certificate of cells that are proved, else infinite.
    """

    word: Integers
    kinds: Integers
    grade: Integers
    bound: Floats


@dataclass(frozen=True, slots=True)
class Verdict:
    """What is said of a row of standings.

    Attributes:
        words: how many cells have which word, in alphabetical order.
        kinds: how many seeds are of each of ``GROWTH_KINDS``.
        grade: the weakest of the cells that are bounded.
        bound: the greatest certificate, where all of these are proved.
    """

    words: tuple[tuple[str, int], ...]
    kinds: tuple[int, ...]
    grade: Grade | None = None
    bound: float | None = None

    @property
    def word(self) -> str:
        """The common word; "unbounded" or "mixed" of cells that disagree; "none" of no cell."""
        if len(self.words) < 2:
            return self.words[0][0] if self.words else NO_VERDICT
        return "unbounded" if all(w in UNBOUNDED and w != "mixed" for w, _ in self.words) else "mixed"

    @property
    def unbounded(self) -> bool:
        """Growth of some seed goes on."""
        return any(word in UNBOUNDED for word, _ in self.words)

    @property
    def unbounded_seeds(self) -> int:
        """How many seeds are of another kind than bounded."""
        return sum(self.kinds[1:])

    @property
    def text(self) -> str:
        """Word and grade for people: "bounded, searched", "mixed: 3 of 10 unbounded [7–65%]", "2 bounded, 1 linear"."""
        if len(self.words) > 1:
            return ", ".join(f"{n} {word}{self._after(word)}" for word, n in self.words)
        word = self.word
        if word == "bounded":
            return _bounded_text(self.grade, self.bound)
        if word == "unbounded":
            several = [kind for kind, n in zip(GROWTH_KINDS, self.kinds, strict=True) if n]
            return f"unbounded: {several[0]} to {several[-1]}"
        if word == "mixed":
            low, high = clopper_pearson(self.unbounded_seeds, sum(self.kinds))
            share = f"[{100 * low:.0f}–{100 * high:.0f}%]"
            return f"mixed: {self.unbounded_seeds} of {sum(self.kinds)} unbounded {share}"
        return word

    def _after(self, word: str) -> str:
        return f" ({self.grade})" if word == "bounded" and self.grade else ""


def _bounded_text(grade: Grade | None, bound: float | None) -> str:
    if grade == "proved":
        return "bounded, proved" if bound is None else f"bounded ≤ {_rounded_up(bound)}, proved"
    return {"searched": "bounded, searched", "growth found": "bounded along rays, growth found"}.get(
        grade or "", "bounded along rays"
    )


def _rounded_up(bound: float) -> str:
    """Two digits, never less than the bound."""
    text = f"{bound:.1e}"
    if float(text) < bound:
        text = f"{float(text) + 10.0 ** (int(text.split('e')[1]) - 1):.1e}"
    return f"{float(text):,.0f}" if 10 <= bound < 1e5 else f"{float(text):g}".replace("e+0", "e").replace("e+", "e")


def cell_verdicts(cells: Cells) -> CellVerdicts:
    """The verdict on each of ``cells``."""
    records, count = cells.records, len(cells)
    slopes = np.maximum(records.number(EXPONENT), records.number(AXIS_EXPONENT))  # NaN where one was not measured
    measured = cells.ok & ~np.isnan(slopes)
    certificate = records.number(CERTIFICATE)
    seen = np.fmax.reduce([records.number(quantity) for quantity in SEEN])
    proved = measured & np.isfinite(certificate) & (seen <= certificate * (1 + ROUNDING))
    edges = (slopes >= BOUNDED_BELOW, slopes >= LINEAR_FROM, slopes > LINEAR_TO)
    kind = np.where(proved, 0, sum(edge.astype(np.int64) for edge in edges))
    cell = records.cell[measured]
    kinds = np.bincount(cell * 4 + kind[measured], minlength=4 * count).reshape(count, 4)
    grade = _weakest(_grades(cells, proved)[measured], cell, count)
    bound = np.full(count, -np.inf)
    np.maximum.at(bound, records.cell[proved], certificate[proved])
    word = _words(kinds, cells.finished)
    grade = np.where(word == 0, grade, -1)
    return CellVerdicts(word, kinds, grade, np.where(grade == GRADES.index("proved"), bound, np.inf))


def _grades(cells: Cells, proved: Booleans) -> Integers:
    """(records,) of a bounded one."""
    near, far = (cells.records.number(quantity) for quantity in (WORST_GROWTH_NEAR, WORST_GROWTH_FAR))
    still = (far < SEARCHED_BELOW * near) | ((near == 0) & (far == 0))
    return np.select([proved, np.isnan(near) | np.isnan(far), still], [3, 1, 2], 0)


def _words(kinds: Integers, finished: Integers) -> Integers:
    seeds, sorts = kinds.sum(axis=1), (kinds > 0).sum(axis=1)
    first = (kinds > 0).argmax(axis=1)
    named = [WORDS.index(word) for word in ("not measured", "unbounded", "mixed")]
    found = [(seeds < finished) | (seeds == 0), (sorts > 1) & (kinds[:, 0] == 0), sorts > 1]
    return np.select(found, named, first).astype(np.int64)


def row_verdicts(verdicts: CellVerdicts, row: Integers, rows: int, done: Booleans) -> list[Verdict]:
    """What is said of rows that hold cells.

    Args:
        verdicts: on the cells.
        row: (cells,) which row each belongs to; -1 for none.
        rows: how many.
        done: (cells,) those with a finished record.
    """
    use = (row >= 0) & done
    place = row[use]
    words = np.bincount(place * len(WORDS) + verdicts.word[use], minlength=rows * len(WORDS)).reshape(rows, -1)
    kinds = np.zeros((rows, 4), dtype=np.int64)
    np.add.at(kinds, place, verdicts.kinds[use])
    graded = use & (verdicts.grade >= 0)
    grade = _weakest(verdicts.grade[graded], row[graded], rows)
    bound = np.full(rows, -np.inf)
    np.maximum.at(bound, row[graded], verdicts.bound[graded])  # infinite where one is not proved
    return [
        Verdict(
            words=tuple(sorted((w, n) for w, n in zip(WORDS, counts, strict=True) if n)),
            kinds=tuple(several),
            grade=GRADES[g] if g < len(GRADES) else None,
            bound=b if np.isfinite(b) else None,
        )
        for counts, several, g, b in zip(words.tolist(), kinds.tolist(), grade.tolist(), bound.tolist(), strict=True)
    ]


def _weakest(grades: Integers, place: Integers, size: int) -> Integers:
    """The least grade at each place; ``len(GRADES)`` where there is none."""
    least = np.full(size, len(GRADES), dtype=np.int64)
    np.minimum.at(least, place, grades)
    return least


def difference_note(cells: Cells, names: Sequence[str], local: Floats, far: Floats) -> list[str]:
    """A line where cells grow otherwise at 1e3…1e4 R than beyond 1e6 R.

    Args:
        cells: of a board.
        names: (cells,) how each is called.
        local, far: (cells,) means of the two exponents over seeds.
    """
    with np.errstate(invalid="ignore"):
        apart = np.abs(np.clip(far, -10, 10) - np.clip(local, -10, 10))
    apart = np.where(np.isnan(apart) | (cells.finished == 0), 0.0, apart)
    odd = np.flatnonzero(apart >= NOTABLE)
    if not odd.size:
        return []
    most = int(apart.argmax())
    return [
        f"{odd.size} of {len(cells)} cells grow otherwise at 1e3–1e4 R than at 1e6–1e8 R, most of all {names[most]}: "
        f"exponent {local[most]:.2f} there, {far[most]:.2f} beyond"
    ]


NOTABLE = 0.1
"""A difference of exponents that a board speaks of."""


VERDICT_RULE = (
    f"Each seed, from the larger of its exponents along rays and axes: bounded below {BOUNDED_BELOW:g}, sublinear "
    f"below {LINEAR_FROM:g}, linear to {LINEAR_TO:g}, superlinear above. A cell is bounded only if each of its seeds "
    "is: by a finite certificate (proved, its bound beside it), by a search of the whole ball that finds no growth "
    "from 100 to 1e4 R (searched), or only along rays. What grows as slowly as log(log(r)) reads as bounded."
)
