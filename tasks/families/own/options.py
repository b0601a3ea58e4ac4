"""The options of a task that is made from the user's own table. Importing this loads no numpy: they are flags, too."""

from __future__ import annotations

import dataclasses
import os
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from tasks.card import TaskCard
from tasks.reading.own.reading import GUESS, NONE, Reading, canonical

if TYPE_CHECKING:
    from tasks.reading.rules import FarRule

MAHALANOBIS = "mahalanobis"
_NAME = re.compile(r"[\w][\w .-]{0,39}\Z")


@dataclass(frozen=True)
class OwnData:
    """A table, the column to predict, which rows are far, and how the table is read.

    Every far rule that is given makes a far set. How it is read is guessed, said in one line, and may be stated
    instead (``separator`` to ``comment``; docs/own-data.md).

    Args:
        path: CSV or Parquet file.
        target: column to predict.
        far_by: column whose highest values are far (times are days since 1970), ``mahalanobis`` for the rows
            furthest by that distance, or the target itself: trained below a value, far above it.
        far_quantile: of ``far_by``, above which rows are far.
        far_where: condition of far rows, such as ``area > 20000 and region == 'north'``.
        group_by: column of groups; it is no input.
        far_group: the group that is far, several separated by commas.
        drop: columns that are no inputs, separated by commas.
        separator: between the fields of a line: one character, ``tab``, or ``space`` for runs of blanks.
        decimal: the decimal sign, ``.`` or ``,``.
        thousands: the sign between groups of digits: ``,``, ``.``, ``'``, ``_``, ``space`` or ``none``.
        header: number of the line that holds the names, or ``none``: the columns are then called c1, c2, ….
        encoding: of the text: utf-8, utf-16, cp1252, latin-1, ….
        missing: entries that mean "no value", separated by commas; ``none``: empty fields only.
        index: columns that only number or name the rows, separated by commas; ``none``: there is none.
        dates: ``day-first``, ``month-first``, a format such as ``%d.%m.%Y``, or ``none``: dates stay texts.
        texts: columns that stay texts although they look like numbers or times, separated by commas.
        skip_lines: numbers of lines to leave out, separated by commas; ``none`` keeps a line of totals too.
        comment: what begins lines of comment, or ``none``.
        name: what boards, pictures and W&B call the table, e.g. cars; letters, digits, spaces, ``.``, ``_``, ``-``.
    """

    path: str
    target: str
    far_by: str | None = None
    far_quantile: float = 0.8
    far_where: str | None = None
    group_by: str | None = None
    far_group: str | None = None
    drop: str | None = None
    separator: str = GUESS
    decimal: str = GUESS
    thousands: str = GUESS
    header: str = GUESS
    encoding: str = GUESS
    missing: str = GUESS
    index: str = GUESS
    dates: str = GUESS
    texts: str = NONE
    skip_lines: str = GUESS
    comment: str = GUESS
    name: str | None = None

    def __post_init__(self) -> None:
        if not 0 < self.far_quantile < 1:
            raise ValueError(f"far_quantile must lie between 0 and 1, not {self.far_quantile:g}")
        if (self.group_by is None) != (self.far_group is None):
            raise ValueError("group_by and far_group belong together: which column, and which of its groups is far")
        if self.far_by is None and self.far_where is None and self.far_group is None:
            raise ValueError(
                "no far rule: give far_by (a column or mahalanobis), far_where, or group_by with far_group"
            )
        if self.name is not None and not _NAME.match(self.name):
            raise ValueError(f"{self.name!r} is no name for a table: up to 40 letters, digits, spaces, '.', '_', '-'")
        for stated in dataclasses.fields(Reading):  # one spelling for one reading: it is part of the task's name
            value = canonical(stated.name, str(getattr(self, stated.name)))
            object.__setattr__(self, stated.name, value)
        for option in ("target", "far_by", "group_by"):
            if isinstance(name := getattr(self, option), str):
                object.__setattr__(self, option, name.strip())
        self.reading()
        for every in dataclasses.fields(self):
            text = str(getattr(self, every.name))
            if '"' in text and "'" in text:
                raise ValueError(f"{every.name} holds both kinds of quotes: use one kind")

    def reading(self) -> Reading:
        """How the table is to be read.

        Raises:
            ValueError: an option is none of the values it may have.
        """
        return Reading(**{stated.name: getattr(self, stated.name) for stated in dataclasses.fields(Reading)})

    def refine(self, card: TaskCard) -> TaskCard:
        """The card of this very table: its version is the file's hash.

        Raises:
            InputError: there is no such file, or a rule cannot be parsed.
        """
        from tasks.reading.own import frames

        name = os.path.basename(self.path)
        return dataclasses.replace(
            card,
            version=frames.fingerprint(self.path)[:16],
            summary=f"{self.target} from the other columns of {name}.",
            target=self.target,
            truth="growing" if self._beyond_the_target() else card.truth,
            far_rule="; ".join(rule.label for rule in self.rules()),
            source=name,
        )

    def _beyond_the_target(self) -> bool:
        """Whether all far rows have a larger target than any other row."""
        return self.far_by == self.target and self.far_where is None and self.far_group is None

    def rules(self) -> tuple[FarRule, ...]:
        """The far rules that are given, in the order of the options."""
        from tasks.reading.expressions import Expression
        from tasks.reading.rules import Furthest, GroupRule, Highest, Where

        rules: list[FarRule] = []
        if self.far_by == MAHALANOBIS:
            rules.append(Furthest(self.far_quantile))
        elif self.far_by is not None:
            rules.append(Highest(self.far_by, self.far_quantile))
        if self.far_where is not None:
            Expression.parse(self.far_where)
            rules.append(Where(self.far_where))
        if self.group_by is not None and self.far_group is not None:
            rules.append(GroupRule(self.group_by, members(self.far_group), whole=self.far_group.strip()))
        return tuple(rules)


def members(text: str | None) -> tuple[str, ...]:
    """The parts of a list that is separated by commas."""
    return tuple(part.strip() for part in text.split(",") if part.strip()) if text else ()
