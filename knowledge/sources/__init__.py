"""Where documents come from: one module per origin. Each gives items; what is done with them is the same for all."""

import json
from collections.abc import AsyncGenerator, Awaitable, Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from hashlib import sha256
from typing import Protocol


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
    """One document of a source: where it stands in it, and how its bytes are had. `fetch` raises LoadError.

    While `stamp` is what it was when the item was learnt, its bytes are the same, and nobody has to fetch them.
    """

    location: str
    fetch: Callable[[], Awaitable[Content]]
    stamp: str | None = None


@dataclass(frozen=True, slots=True)
class Origin:
    """A source with all that it holds now. `is_whole` says that what is not among the items is gone; `stamp` stands for all of it."""

    kind: str
    location: str
    items: tuple[Item, ...]
    is_whole: bool = False
    skipped: int = 0  # files of a kind that nod does not read
    stamp: str | None = None
    note: str | None = None

    @property
    def total(self) -> int:
        """How many items are known so far."""
        return len(self.items)

    async def walk(self, known: Mapping[str, str | None]) -> AsyncGenerator[Item]:
        """Give the items one by one. `known`: what was learnt, each with its stamp."""
        del known  # all that there is was found already
        for item in self.items:
            yield item

    def gone(self, known: Collection[str]) -> list[str]:
        """Return which of these locations are no more; ask after the walk."""
        return sorted(set(known) - {item.location for item in self.items}) if self.is_whole else []


class Walked(Protocol):
    """What staying in step asks of a source, whether it is known at once (`Origin`) or found on the way.

    `note` names the limit at which a walk stopped, `skipped` counts what nod does not read; both are right after the walk.
    """

    @property
    def total(self) -> int: ...  # noqa: D102  # as in Origin
    @property
    def skipped(self) -> int: ...  # noqa: D102
    @property
    def stamp(self) -> str | None: ...  # noqa: D102
    @property
    def note(self) -> str | None: ...  # noqa: D102
    def walk(self, known: Mapping[str, str | None]) -> AsyncGenerator[Item]: ...  # noqa: D102
    def gone(self, known: Collection[str]) -> list[str]: ...  # noqa: D102
