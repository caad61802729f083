"""Slack's way of writing a message, turned into plain text."""

import re

_TOKEN = re.compile(r"<([@#!]?)([^<>|]*)(?:\|([^<>]*))?>")
_ENTITIES = (("&lt;", "<"), ("&gt;", ">"), ("&amp;", "&"))  # the last one last


def mentions(text: str, user: str) -> bool:
    """Return whether a text mentions somebody."""
    return f"<@{user}>" in text or f"<@{user}|" in text


def text_from(text: str, us: str) -> str:
    """Return what somebody wrote, without the mention of `us`; links, people and channels as one reads them."""
    plain = _TOKEN.sub(lambda found: _read(found[1], found[2], found[3] or "", us), text)
    for entity, character in _ENTITIES:
        plain = plain.replace(entity, character)
    return "\n".join(" ".join(line.split(" ")).rstrip() for line in plain.strip().splitlines())


def _read(kind: str, target: str, label: str, us: str) -> str:
    if kind == "@":
        return "" if target == us else f"@{label or target}"
    if kind == "#":
        return f"#{label or target}"
    if kind == "!":
        return label or f"@{target.partition('^')[0]}"
    address = target.removeprefix("mailto:")
    return address if not label or label == address or address.endswith(label) else f"{label} ({address})"
