"""Liberty's boolean expressions, as truth tables.

Operators, tightest first: `!x` and `x'` (not), `^` (exclusive or), `*`, `&` or a space (and), `+` or `|`
(or); constants 0 and 1. Source: Liberty User Guide, "function" of a pin.
"""

from __future__ import annotations

import re

_TOKEN = re.compile(r"\s*([A-Za-z_][\w\[\].]*|[01]|[!'^*&+|()])")


def names(expression: str) -> tuple[str, ...]:
    """The variables of an expression, each once, in order of appearance."""
    found = (token for token in _tokens(expression) if token[0].isalpha() or token[0] == "_")
    return tuple(dict.fromkeys(found))


def truth_table(expression: str, inputs: tuple[str, ...]) -> tuple[int, ...]:
    """Value of an expression for every input word.

    Args:
        expression: a Liberty expression.
        inputs: the variables; input i is bit i of the word.

    Returns:
        2^len(inputs) values, 0 or 1, indexed by the input word.

    Raises:
        ValueError: a syntax error, or a variable that is not an input.
    """
    return _Parser(expression, inputs).table()


def _tokens(expression: str) -> list[str]:
    found: list[str] = []
    position = 0
    while expression[position:].strip():
        match = _TOKEN.match(expression, position)
        if match is None:
            raise ValueError(f"expression {expression!r}: unexpected {expression[position:]!r}")
        found.append(match[1])
        position = match.end()
    return found


class _Parser:
    """Recursive descent; a value is an integer whose bit w is the result for input word w."""

    def __init__(self, expression: str, inputs: tuple[str, ...]) -> None:
        self._expression = expression
        self._words = 1 << len(inputs)
        self._ones = (1 << self._words) - 1
        self._variables = {
            name: sum(1 << word for word in range(self._words) if word >> bit & 1)
            for bit, name in enumerate(inputs)
        }
        self._tokens = _tokens(expression)
        self._next = 0

    def table(self) -> tuple[int, ...]:
        value = self._or()
        if self._next != len(self._tokens):
            raise self._error(f"unexpected {self._tokens[self._next]!r}")
        return tuple(value >> word & 1 for word in range(self._words))

    def _peek(self) -> str:
        return self._tokens[self._next] if self._next < len(self._tokens) else ""

    def _or(self) -> int:
        value = self._and()
        while self._peek() in ("+", "|"):
            self._next += 1
            value |= self._and()
        return value

    def _and(self) -> int:
        value = self._xor()
        while self._peek() not in ("", "+", "|", ")"):
            if self._peek() in ("*", "&"):
                self._next += 1
            value &= self._xor()
        return value

    def _xor(self) -> int:
        value = self._not()
        while self._peek() == "^":
            self._next += 1
            value ^= self._not()
        return value

    def _not(self) -> int:
        if self._peek() == "!":
            self._next += 1
            return self._ones ^ self._not()
        value = self._operand()
        while self._peek() == "'":
            self._next += 1
            value ^= self._ones
        return value

    def _operand(self) -> int:
        token = self._peek()
        self._next += 1
        if token == "(":
            value = self._or()
            if self._peek() != ")":
                raise self._error("expected ')'")
            self._next += 1
            return value
        if token in ("0", "1"):
            return self._ones if token == "1" else 0
        if token not in self._variables:
            raise self._error(f"expected one of {', '.join(self._variables)}, got {token!r}")
        return self._variables[token]

    def _error(self, text: str) -> ValueError:
        return ValueError(f"expression {self._expression!r}: {text}")
