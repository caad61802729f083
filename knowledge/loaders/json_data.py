"""Reads JSON and JSON Lines: values below the names that lead to them; a list of plain records is a table."""

import json
from collections.abc import Iterator
from typing import Any

from knowledge.decode import decoded
from knowledge.loaded import Block, Loaded
from knowledge.tables import table
from nod.errors import LoadError

_MOST_COLUMNS = 12
_LONGEST_CELL = 200  # characters; records that hold more read better one below the other


def load(content: bytes) -> Loaded:
    """Return the values of a JSON file, or of each line of one. Raises LoadError when it is neither."""
    return Loaded(tuple(_blocks(_parsed(decoded(content)), ())))


def _parsed(text: str) -> Any:
    try:
        return json.loads(text)
    except json.JSONDecodeError as error:
        wrong = error.lineno
    values: list[Any] = []
    for n, line in enumerate(text.splitlines(), 1):
        try:
            values += [json.loads(line)] if line.strip() else []
        except json.JSONDecodeError:
            raise LoadError(f"is not JSON: line {n if values else wrong} is wrong", "unreadable") from None
    return values


def _blocks(value: Any, path: tuple[str, ...]) -> Iterator[Block]:
    """Give what holds records as sections, a record as lines, and records alike as a table."""
    if isinstance(value, dict) and (inner := {name: one for name, one in value.items() if _is_section(one)}):
        plain = {name: one for name, one in value.items() if name not in inner}
        yield from _record(plain, path)
        for name, one in inner.items():
            yield from _blocks(one, (*path, str(name)))
    elif isinstance(value, list) and (names := _columns(value)):
        if block := table([names, *([_plain(row.get(name)) for name in names] for row in value)], path):
            yield block
    elif isinstance(value, list) and _is_section(value):
        for one in value:
            yield from _blocks(one, path) if isinstance(one, list) else _record(one, path)
    else:
        yield from _record(value, path)


def _is_section(value: Any) -> bool:
    return isinstance(value, dict) or (isinstance(value, list) and any(isinstance(one, dict | list) for one in value))


def _columns(values: list[Any]) -> list[str]:
    """Return the names that records alike have in common; none when they are not alike, not plain or too large for a table."""
    names = list(dict.fromkeys(name for one in values if isinstance(one, dict) for name in one))
    is_plain = all(isinstance(one, dict) and all(_is_short(cell) for cell in one.values()) for one in values)
    return names if is_plain and 2 <= len(names) <= _MOST_COLUMNS and len(values) > 1 else []


def _is_short(value: Any) -> bool:
    return not isinstance(value, dict | list) and len(str(value)) <= _LONGEST_CELL


def _record(value: Any, path: tuple[str, ...]) -> Iterator[Block]:
    if text := "\n".join(_lines(value, "")):
        yield Block(text, "list", path)


def _lines(value: Any, name: str) -> Iterator[str]:
    """Give a value as lines of `name: value`, names that lead deeper joined with dots."""
    if isinstance(value, dict):
        for key, inner in value.items():
            yield from _lines(inner, f"{name}.{key}" if name else str(key))
    elif isinstance(value, list) and any(isinstance(one, dict | list) for one in value):
        for one in value:
            yield from _lines(one, name)
    elif text := _plain(value):
        yield f"{name}: {text}" if name else text


def _plain(value: Any) -> str:
    if isinstance(value, list):
        return ", ".join(_plain(one) for one in value)
    return "" if value is None else value.strip() if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
