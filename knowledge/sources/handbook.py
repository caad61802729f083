"""nod's own handbook: the pages of `docs/` that are written for those who use it."""

import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path

from knowledge.sources import Content, Item, Origin
from knowledge.sources.folder import folder

# Beside the packages in a checkout, inside this one when installed.
FOLDERS = (Path(__file__).parents[2] / "docs", Path(__file__).parents[1] / "handbook")
ASKED = "asked.toml"  # page, heading, other words in which people ask what stands there


def handbook(language: str) -> Origin:
    """Return the handbook in one language; empty when this installation has none."""
    root = next((path / language for path in FOLDERS if (path / language).is_dir()), None)
    asked = tomllib.loads((root / ASKED).read_text("utf-8")) if root else {}
    pages = folder(root).items if root else ()
    items = tuple(_page(item, language, asked.get(item.location, {})) for item in pages if item.location.endswith(".md"))
    return Origin("handbook", f"docs/{language}", items, is_whole=True)


def _page(item: Item, language: str, asked: Mapping[str, Sequence[str]]) -> Item:
    return Item(f"{language}/{item.location}", partial(_with_asked, item, asked))


async def _with_asked(item: Item, asked: Mapping[str, Sequence[str]]) -> Content:
    return replace(await item.fetch(), asked=asked)
