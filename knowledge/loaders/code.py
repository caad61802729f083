"""Reads source code: each function, class or section below its name, with the comments that stand right above it."""

import re
from collections.abc import Iterator

from knowledge.decode import decoded
from knowledge.loaded import Block, Loaded, Outline

# What begins something with a name, in the languages that say so with a word; and in C, Java and their like, by its shape.
_WORD = re.compile(
    r"^(?P<indent>\s*)(?:(?:export|default|public|private|protected|internal|static|abstract|final|sealed|async|pub(?:\([^)]*\))?|open|data|unsafe"
    r"|override|inline|extern|const|CREATE(?:\s+OR\s+REPLACE)?)\s+)*"
    r"(?:def|class|func(?:\s*\([^)]*\))?|fn|fun|function\*?|interface|struct|enum|trait|impl(?:<[^>]*>)?|object|module|namespace|package|message"
    r"|service|resource|TABLE|VIEW|FUNCTION|PROCEDURE|TRIGGER)\s+(?:IF\s+NOT\s+EXISTS\s+)?[\"'`]?(?P<name>\w+(?:(?:\.|::)\w+)*)",
    re.IGNORECASE,
)
_ARROW = re.compile(
    r"^(?P<indent>\s*)(?:export\s+)?(?:const|let|var)\s+(?P<name>\w+)\s*(?::[^=]+)?=\s*(?:async\s*)?(?:\([^)]*\)|\w+)\s*(?::[^=]+)?=>"
)
_SHAPE = re.compile(
    r"^(?P<indent>\s*)(?!return|else|new|throw|if|for|while|switch)(?:[\w<>\[\],.*&:@]+\s+)+\**(?P<name>[\w:~]+)\s*"
    r"\([^;=]*\)\s*(?:const\s*)?(?:throws [\w, .]+)?\{?\s*$"
)
_SECTION = re.compile(r"^(?P<indent>)\[+(?P<name>[\w.\-\" ]+)\]+\s*$")  # of TOML and INI files
_ABOVE = re.compile(r"^\s*(?:#|//|/\*|\*|--|@)")  # comments, decorators, annotations
_TAB = 4
_LONGEST_LINE = 300  # nothing longer begins anything: it was made by a program


def load(content: bytes) -> Loaded:
    """Return a source file; nothing is taken out, so its passages in order are the file."""
    return Loaded(tuple(_blocks(decoded(content).split("\n"))))


def _blocks(lines: list[str]) -> Iterator[Block]:
    outline, begun = Outline(), 0
    for n, line in enumerate(lines):
        if found := _named(line):
            first = _first_line_above(lines, n, begun)
            yield from _block(lines[begun:first], outline.path)
            begun = first
            outline.enter(1 + len(found["indent"].expandtabs(_TAB)), found["name"])
    yield from _block(lines[begun:], outline.path)


def _named(line: str) -> re.Match[str] | None:
    if len(line) > _LONGEST_LINE:
        return None
    return _WORD.match(line) or _ARROW.match(line) or _SHAPE.match(line) or _SECTION.match(line)


def _first_line_above(lines: list[str], n: int, least: int) -> int:
    """Return the number of the first of the lines that belong to what begins in line n."""
    while n > least and _ABOVE.match(lines[n - 1]):
        n -= 1
    return n


def _block(lines: list[str], heading: tuple[str, ...]) -> Iterator[Block]:
    if text := "\n".join(lines).strip("\n"):
        yield Block(text, "code", heading)
