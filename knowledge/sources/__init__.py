"""Where documents come from: one module per origin. Each gives items; what is done with them is the same for all."""

import json
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from hashlib import sha256


@dataclass(frozen=True, slots=True)
class Content:
    """The bytes of an item, and what its origin says of them; `asked`: other words in which people ask what stands below a heading."""

    content: bytes
    name: str
    media_type: str = ""
    date: datetime | None = None
    url: str | None = None
    asked: Mapping[str, Sequence[str]] = field(default_factory=dict[str, Sequence[str]])

    @property
    def content_hash(self) -> bytes:
        """SHA-256 of all that is learnt."""
        asked = json.dumps(self.asked, ensure_ascii=False).encode() if self.asked else b""
        return sha256(self.content + asked).digest()


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
