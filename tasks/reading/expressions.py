"""Conditions over columns, such as ``area > 20000 and not region == "north"``: parsed, never evaluated as code."""

from __future__ import annotations

import ast
import operator
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np

from bench.core.errors import InputError

MOST_CHARACTERS = 1000
COMPARISONS: Mapping[type[ast.cmpop], Callable[[np.ndarray, np.ndarray], np.ndarray]] = {
    ast.Lt: operator.lt,
    ast.LtE: operator.le,
    ast.Gt: operator.gt,
    ast.GtE: operator.ge,
    ast.Eq: operator.eq,
    ast.NotEq: operator.ne,
}
_QUOTED = re.compile(r"`([^`]+)`")
_MEND = 'compare columns with numbers or "texts", joined by and, or, not; `in backticks` names with spaces'

Column = Callable[[str], np.ndarray]


@dataclass(frozen=True)
class Expression:
    """A checked condition.

    Grammar: comparisons (``<  <=  >  >=  ==  !=``, chained as in ``1 < x <= 2``) of columns, numbers, texts and truth
    values, joined by ``and``, ``or``, ``not`` and parentheses. A column whose name is no plain word stands in
    backticks. Nothing else is accepted, and nothing is ever executed.
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
            word = f"_column_{len(quoted)}_"
            quoted[word] = match.group(1)
            return word

        try:
            tree = ast.parse(_QUOTED.sub(plain, text).strip(), mode="eval").body
        except (SyntaxError, ValueError, RecursionError, MemoryError):
            raise InputError("the expression cannot be parsed", where=text, hint=_MEND) from None
        expression = cls(text, tree, quoted)
        expression._check(tree)
        return expression

    def mask(self, column: Column) -> np.ndarray:
        """Where the condition holds, (n,) bool; a comparison with a missing value is false.

        Args:
            column: gives a column (n,) by name.

        Raises:
            InputError: an unknown column, or a number compared with a text.
        """
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

    def _condition(self, node: ast.expr, column: Column) -> np.ndarray:
        match node:
            case ast.BoolOp(op=joint, values=values):
                combine = np.logical_and if isinstance(joint, ast.And) else np.logical_or
                return np.asarray(combine.reduce([self._condition(value, column) for value in values]))
            case ast.UnaryOp(operand=operand):
                return ~self._condition(operand, column)
            case ast.Compare(left=left, ops=ops, comparators=comparators):
                sides = [self._operand(side, column) for side in (left, *comparators)]
                pairs = zip(sides, ops, sides[1:], strict=False)
                return np.asarray(np.logical_and.reduce([self._compared(a, op, b) for a, op, b in pairs]))
        raise AssertionError("checked when parsed")

    def _operand(self, node: ast.expr, column: Column) -> np.ndarray:
        match node:
            case ast.Name(id=name):
                return column(self.quoted.get(name, name))
            case ast.Constant(value=str(text)):
                return np.array([text])
            case ast.Constant(value=bool() | int() | float() as number):
                return np.array([float(number)])
            case ast.UnaryOp(operand=ast.Constant(value=int() | float() as number)):
                return np.array([-float(number)])
        raise AssertionError("checked when parsed")

    def _compared(self, left: np.ndarray, op: ast.cmpop, right: np.ndarray) -> np.ndarray:
        numeric = (left.dtype.kind == "f", right.dtype.kind == "f")
        if numeric[0] != numeric[1]:
            raise InputError("a number is compared with a text", hint='numbers with numbers, texts with "texts"')
        if len(left) == len(right) == 1:
            raise InputError("a comparison names no column", hint=_MEND)
        present = ~np.isnan(left) & ~np.isnan(right) if numeric[0] else (left != "") & (right != "")
        return COMPARISONS[type(op)](left, right) & present
