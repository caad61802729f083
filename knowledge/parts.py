"""The parts of a passage that may be quoted: sentences, items of lists, lists of steps, tables and their rows, listings. Each is whole."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import groupby
from typing import Literal

from knowledge.sentences import sentences

Kind = Literal["sentence", "item", "steps", "table", "listing"]

_FENCE = re.compile(r"\s*(?:```|~~~)")
_ITEM = re.compile(r"\s*(?:[-*+•]|\d{1,3}[.)])\s")
_STEP = re.compile(r"\d{1,3}[.)]\s")
_RULE = re.compile(r"\s*\|[\s|:-]*-[\s|:-]*$")


@dataclass(frozen=True, slots=True)
class Part:
    """A part with the white space after it."""

    kind: Kind
    text: str


def parts(text: str) -> list[Part]:
    """Return the parts of a passage in order; a listing without its end is none."""
    return [part for kind, lines in _blocks(text) for part in _parts(kind, lines)]


def head(table: str) -> str:
    """Return the head of a table with the rule below it; nothing when it has none."""
    lines = table.splitlines(keepends=True)[:2]
    return "".join(lines) if len(lines) > 1 and _RULE.match(lines[1]) else ""


def rows(table: str) -> list[str]:
    """Return the rows of a table, each below the table's head; of a table without a head the rows alone."""
    table = table.lstrip("\n")
    above = head(table)
    return [above + line for line in table[len(above) :].splitlines(keepends=True) if line.strip()]


def _blocks(text: str) -> Iterator[tuple[str, list[str]]]:
    lines = text.splitlines(keepends=True)
    kinds = list(_kinds(lines))
    for kind, numbered in groupby(range(len(lines)), key=kinds.__getitem__):
        yield kind.partition(" ")[0], [lines[n] for n in numbered]


def _kinds(lines: list[str]) -> Iterator[str]:
    """Give the kind of each line's block; listings are numbered, so that one never joins the next."""
    kind, listings = "text", 0
    for line in lines:
        if kind.startswith("listing"):
            yield kind
            kind = "after" if _FENCE.match(line) else kind
        elif _FENCE.match(line):
            listings += 1
            kind = f"listing {listings}"
            yield kind
        elif not line.strip():
            yield kind if kind in ("list", "table", "text") else "text"
            kind = kind if kind == "list" else "text"
        else:
            is_inside = kind == "list" and line.startswith((" ", "\t"))
            kind = "table" if line.lstrip().startswith("|") else "list" if _ITEM.match(line) or is_inside else "text"
            yield kind


def _parts(kind: str, lines: list[str]) -> Iterator[Part]:
    if kind == "listing":
        if len(lines) > 1 and _FENCE.match(lines[-1]):
            yield Part("listing", "".join(lines))
    elif kind == "table":
        yield Part("table", "".join(lines))
    elif kind == "list":
        yield from _items(lines)
    else:
        yield from (Part("sentence", sentence) for sentence in sentences("".join(lines)))


def _items(lines: list[str]) -> Iterator[Part]:
    """Give the items of a list with what is indented below them; numbered ones follow on each other, so they stay together."""
    items: list[str] = []
    for line in lines:
        if items and (line.startswith((" ", "\t")) or not line.strip()):
            items[-1] += line
        else:
            items.append(line)
    for is_step, group in groupby(items, key=lambda item: bool(_STEP.match(item))):
        found = list(group)
        yield from [Part("steps", "".join(found))] if is_step else [Part("item", item) for item in found]
