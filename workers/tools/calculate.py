"""The tool `calculate`: arithmetic in limits that hold by construction, so that no formula costs more than a moment."""

import ast
import math
import operator
import re
from collections.abc import Callable
from functools import cache
from typing import Any

from simpleeval import InvalidExpression, SimpleEval

LONGEST = 300  # characters of a formula
MOST_DIGITS = 1000  # of any number in it and of any result
_THOUSANDS = re.compile(r"(?<![\d.,])\d{1,3}(?:,\d{3})+(?![\d,])")

Number = int | float


def calculate(expression: str) -> str:
    """Return the value of an arithmetic expression such as `(1200 + 350) * 1.1` or `sqrt(2)`.

    It knows + - * / // % **, parentheses, abs, round, min, max, sum, sqrt, log, log10, exp, floor, ceil, sin, cos, tan, pi and e.
    """
    formula = _plain(expression)
    if len(formula) > LONGEST:
        return f"The expression is longer than {LONGEST} characters; split it."
    if "=" in formula:
        return "This is an equation or a comparison; give one expression to calculate."
    try:
        value: Any = _evaluator().eval(formula)
    except (InvalidExpression, SyntaxError, ValueError, TypeError, ArithmeticError, KeyError, RecursionError, MemoryError) as error:
        return f"This cannot be calculated: {str(error)[:200] or type(error).__name__}. Use numbers, + - * / ** and the functions named."
    return _shown(value)


def _plain(expression: str) -> str:
    """Return an expression as Python writes it: × ÷ ^, thousands' commas outside function calls."""
    formula = expression.strip().translate(str.maketrans({"×": "*", "÷": "/", "−": "-", "^": "**"}))
    if not re.search(r"[A-Za-z]", formula):
        formula = _THOUSANDS.sub(lambda found: found[0].replace(",", ""), formula)
    return formula


def _shown(value: Any) -> str:
    if isinstance(value, bool) or not isinstance(value, int | float):
        return f"The result is no number: {str(value)[:100]}"
    if isinstance(value, float):
        return f"{value:.12g}"
    return str(value) if value.bit_length() <= MOST_DIGITS * 4 else "The result is too long to write."


def _power(base: Number, exponent: Number) -> Number:
    """Return a power, unless it would have more digits than anybody reads."""
    if abs(base) > 1 and math.log10(abs(base)) * abs(exponent) > MOST_DIGITS:
        raise ValueError(f"a power with more than {MOST_DIGITS} digits")
    return base**exponent


def _product(left: Any, right: Any) -> Any:
    if not isinstance(left, int | float) or not isinstance(right, int | float):
        raise TypeError("only numbers are multiplied")  # a text times a number would be long
    return left * right


def _sum(*numbers: Number) -> Number:
    return sum(numbers)


def _round(number: Number, digits: int = 0) -> Number:
    return round(number, max(-15, min(15, digits))) if digits else round(number)


@cache
def _evaluator() -> SimpleEval:
    functions: dict[str, Callable[..., Any]] = {
        "abs": abs, "round": _round, "min": min, "max": max, "sum": _sum, "sqrt": math.sqrt, "log": math.log, "log10": math.log10,
        "exp": math.exp, "floor": math.floor, "ceil": math.ceil, "sin": math.sin, "cos": math.cos, "tan": math.tan,
    }  # fmt: skip
    operators: dict[type[ast.AST], Callable[..., Any]] = {
        ast.Add: operator.add, ast.Sub: operator.sub, ast.Mult: _product, ast.Div: operator.truediv, ast.FloorDiv: operator.floordiv,
        ast.Mod: operator.mod, ast.Pow: _power, ast.USub: operator.neg, ast.UAdd: operator.pos,
    }  # fmt: skip
    return SimpleEval(operators=operators, functions=functions, names={"pi": math.pi, "e": math.e})
