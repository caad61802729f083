"""Where documents come from: one module per origin. Each gives items; what is done with them is the same for all."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True, slots=True)
class Content:
    """The bytes of an item, and what its origin says of them."""

    content: bytes
    name: str
    media_type: str = ""
    date: datetime | None = None
    url: str | None = None


@dataclass(frozen=True, slots=True)
class Item:
    """One document of a source: where it stands in it, and how its bytes are had. `fetch` raises LoadError."""

    location: str
    fetch: Callable[[], Awaitable[Content]]


@dataclass(frozen=True, slots=True)
class Origin:
    """A source with all that it holds now. `is_whole` says that what is not among the items is gone."""

    kind: str
    location: str
    items: tuple[Item, ...]
    is_whole: bool = False
    skipped: int = 0  # files of a kind that nod does not read
