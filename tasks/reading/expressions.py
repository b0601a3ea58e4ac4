"""Conditions over columns, such as ``area > 20000 and not region == "north"``: parsed, never evaluated as code."""

from __future__ import annotations

import ast
import operator
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np

from bench.core.errors import InputError
from tasks.reading.columns import TRUTHS, KeyColumn
from tasks.reading.times import days_of

MOST_CHARACTERS = 1000
COMPARISONS: Mapping[type[ast.cmpop], Callable[[np.ndarray, np.ndarray], np.ndarray]] = {
    ast.Lt: operator.lt,
    ast.LtE: operator.le,
    ast.Gt: operator.gt,
    ast.GtE: operator.ge,
    ast.Eq: operator.eq,
    ast.NotEq: operator.ne,
}
_QUOTED = re.compile(r"\"[^\"]*\"|'[^']*'|`((?:[^`]|``)+)`")
_MEND = 'compare columns with numbers or "texts", joined by and, or, not; `in backticks` names that are no plain word'

ColumnOf = Callable[[str], "KeyColumn | np.ndarray"]


@dataclass(frozen=True)
class _Side:
    """One side of a comparison: a column (n,) or a literal (1,)."""

    column: KeyColumn
    literal: bool = False


@dataclass(frozen=True)
class Expression:
    """A checked condition.

    Grammar: comparisons (``<  <=  >  >=  ==  !=``, chained as in ``1 < x <= 2``) of columns, numbers, texts and truth
    values, joined by ``and``, ``or``, ``not`` and parentheses. A column whose name is no plain word stands in
    backticks, a backtick in it doubled. Times compare with texts that are times (``day > "2020-06-01"``); words are
    equal or not, but have no order, unless their column has one. Nothing else is accepted, and nothing is executed.
    """

    text: str
    tree: ast.expr
    quoted: Mapping[str, str]

    @classmethod
    def parse(cls, text: str) -> Expression:
        """Parse and check ``text``.

        Raises:
            InputError: too long, not of the grammar, or naming anything that is not allowed.
        """
        if len(text) > MOST_CHARACTERS:
            raise InputError(f"an expression of {len(text):,} characters", hint=f"at most {MOST_CHARACTERS:,}")
        quoted: dict[str, str] = {}

        def plain(match: re.Match[str]) -> str:
            if match.group(1) is None:
                return match.group(0)  # a text
            word = f"_column_{len(quoted)}_"
            quoted[word] = match.group(1).replace("``", "`")
            return word

        try:
            source = _QUOTED.sub(plain, text).strip()
            tree = ast.parse(source, mode="eval").body
            for node in ast.walk(tree):
                if isinstance(node, ast.Name):  # as written: Python folds letters such as µ
                    node.id = ast.get_source_segment(source, node) or node.id
        except (SyntaxError, ValueError, RecursionError, MemoryError):
            raise InputError("the expression cannot be parsed", where=text, hint=_MEND) from None
        expression = cls(text, tree, quoted)
        expression._check(tree)
        return expression

    @property
    def names(self) -> tuple[str, ...]:
        """The columns that it looks at."""
        found = (self.quoted.get(n.id, n.id) for n in ast.walk(self.tree) if isinstance(n, ast.Name))
        return tuple(dict.fromkeys(found))

    def mask(self, column: ColumnOf) -> np.ndarray:
        """Where the condition holds, (n,) bool; where missing values leave it open, it does not.

        Args:
            column: gives a column (n,) by name.

        Raises:
            InputError: an unknown column, a number compared with a text, or texts by an order they do not have.
        """
        return self._decided(column)[0]

    def undecided(self, column: ColumnOf) -> np.ndarray:
        """Where missing values leave the condition open, (n,) bool.

        Raises:
            InputError: as :meth:`mask`.
        """
        holds, fails = self._decided(column)
        return np.asarray(~holds & ~fails)

    def _decided(self, column: ColumnOf) -> tuple[np.ndarray, np.ndarray]:
        try:
            return self._condition(self.tree, column)
        except InputError as error:
            raise error.at(self.text) from None

    def _check(self, node: ast.expr) -> None:
        match node:
            case ast.BoolOp(values=values):
                for value in values:
                    self._check(value)
            case ast.UnaryOp(op=ast.Not(), operand=operand):
                self._check(operand)
            case ast.Compare(left=left, ops=ops, comparators=comparators):
                if not all(type(op) in COMPARISONS for op in ops):
                    raise self._refused("only < <= > >= == and != compare")
                for operand in (left, *comparators):
                    self._check_operand(operand)
            case _:
                raise self._refused(f"{type(node).__name__} is not allowed here")

    def _check_operand(self, node: ast.expr) -> None:
        match node:
            case ast.Name() | ast.Constant(value=str() | bool() | int() | float()):
                return
            case ast.UnaryOp(op=ast.USub(), operand=ast.Constant(value=int() | float())):
                return
            case _:
                raise self._refused(f"{type(node).__name__} is neither a column nor a literal")

    def _refused(self, reason: str) -> InputError:
        return InputError(f"the expression is not allowed: {reason}", where=self.text, hint=_MEND)

    def _condition(self, node: ast.expr, column: ColumnOf) -> tuple[np.ndarray, np.ndarray]:
        """Where the condition is true, and where it is false (n,); neither, where a missing value leaves it open."""
        match node:
            case ast.BoolOp(op=joint, values=values):
                parts = [self._condition(value, column) for value in values]
                holds, fails = zip(*parts, strict=True)
                if isinstance(joint, ast.And):
                    return np.logical_and.reduce(holds), np.logical_or.reduce(fails)
                return np.logical_or.reduce(holds), np.logical_and.reduce(fails)
            case ast.UnaryOp(operand=operand):
                holds, fails = self._condition(operand, column)
                return fails, holds
            case ast.Compare(left=left, ops=ops, comparators=comparators):
                sides = [self._operand(side, column) for side in (left, *comparators)]
                pairs = zip(sides, ops, sides[1:], strict=False)
                holds, fails = zip(*(self._compared(a, op, b) for a, op, b in pairs), strict=True)
                return np.logical_and.reduce(holds), np.logical_or.reduce(fails)
        raise AssertionError("checked when parsed")

    def _operand(self, node: ast.expr, column: ColumnOf) -> _Side:
        match node:
            case ast.Name(id=name):
                found = column(self.quoted.get(name, name))
                return _Side(found if isinstance(found, KeyColumn) else KeyColumn.of(found))
            case ast.Constant(value=str(text)):
                return _Side(KeyColumn(np.array([text]), "text"), literal=True)
            case ast.Constant(value=bool() | int() | float() as number):
                return _number(number)
            case ast.UnaryOp(operand=ast.Constant(value=int() | float() as number)):
                return _number(-number)
        raise AssertionError("checked when parsed")

    def _compared(self, left: _Side, op: ast.cmpop, right: _Side) -> tuple[np.ndarray, np.ndarray]:
        if left.literal and right.literal:
            raise InputError("a comparison names no column", hint=_MEND)
        a, b = _values(left.column, right), _values(right.column, left)
        if (a.dtype.kind == "U") != (b.dtype.kind == "U"):
            raise InputError("a number is compared with a text", hint='numbers with numbers, texts with "texts"')
        if a.dtype.kind == "U" and not isinstance(op, (ast.Eq, ast.NotEq)):
            raise InputError("texts have no order", hint="compare them with == or !=, or compare a column of numbers")
        present = ~left.column.missing & ~right.column.missing
        a, b, present = np.broadcast_arrays(a, b, present)
        holds = np.zeros(len(present), dtype=bool)
        holds[present] = COMPARISONS[type(op)](a[present], b[present])
        return holds, present & ~holds


def _number(number: float) -> _Side:
    exact = np.array([number], dtype=object)
    try:
        return _Side(KeyColumn(np.array([float(number)]), "number", exact=exact), literal=True)
    except OverflowError:
        raise InputError(f"a number of {len(str(number))} digits", hint="write it as 1e300") from None


def _values(column: KeyColumn, other: _Side) -> np.ndarray:
    """What is compared of ``column`` with the other side: exact whole numbers, ranks of an order, times as days."""
    against = other.column
    if column.kind == "text" and against.kind in ("time", "truth", "order") and not other.literal:
        words = [str(word) for word in column.values]
        if against.kind == "order":
            ranks = against.ranks(column.values)
        elif against.kind == "time":
            ranks = np.array([np.nan if (day := days_of(word)) is None else day for word in words])
        else:
            ranks = np.array([TRUTHS.get(word.lower(), np.nan) for word in words])
        if np.isnan(ranks).any():
            noun = {"time": "time", "truth": "truth value"}.get(against.kind, "value of that order")
            raise InputError(f"{words[0]!r} is no {noun}", hint="write it as the column has it")
        return ranks
    if (
        column.kind == "order"
        and against.kind in ("text", "order")
        and (other.literal or column.levels == against.levels)
    ):
        return column.ranks(column.values)
    if column.exact is not None and (against.exact is not None):
        return column.exact
    return column.values
