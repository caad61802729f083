"""What a platform must offer, so that one loop (`bot.showing`) serves them all: a first sign, post, grow, finish, rewrite, take away.

The loop decides *what* is shown and *when*; a platform knows *how*: its calls, its limits, the looks of a message.
"""

import sys
from dataclasses import dataclass
from typing import Any, Literal, Protocol

from nod.contracts import Answer, Part, Person, Place, PlatformName, Readers, Source
from nod.errors import NodError

Unit = Literal["bytes", "characters"]


@dataclass(frozen=True, slots=True)
class Limit:
    """How much of an answer's text one message takes."""

    most: int
    unit: Unit = "characters"


NO_LIMIT = Limit(sys.maxsize)


@dataclass(frozen=True, slots=True)
class Message:
    """One platform message that shows a part of an answer. `mode` is the platform's own word for how it goes on (`post`, `stream`)."""

    channel: str
    message_id: str
    mode: str = "post"


@dataclass(frozen=True, slots=True)
class Foot:
    """What stands below the end of an answer. `notices` and `apology` are ready phrases; `retry` is the button's (`button.<retry>`).

    `can_teach`: nobody has told nod yet, and whoever knows can.
    """

    sources: tuple[Source, ...] = ()
    notices: tuple[str, ...] = ()
    apology: str = ""
    can_vote: bool = False
    can_teach: bool = False
    retry: str = ""


@dataclass(frozen=True, slots=True)
class Face:
    """What one message shows: the model's Markdown (made harmless by the platform), a small line of nod's own, the foot."""

    text: str
    note: str = ""
    foot: Foot | None = None

    @property
    def has_news_of_words(self) -> bool:
        """Whether the small line says what becomes of words that stand above it: such an edit is worth more than growth."""
        return bool(self.text and self.note)


class PlatformError(NodError):
    """A platform refused or did not answer. What follows depends on which of the kinds below it is."""


class LaterError(PlatformError):
    """Nothing was changed; the same call may succeed after `wait_seconds`."""

    kind = "later"

    def __init__(self, message: str, wait_seconds: float = 1.0) -> None:
        super().__init__(message)
        self.wait_seconds = wait_seconds


class UnknownOutcomeError(PlatformError):
    """The connection ended before the answer: it may have happened. Posts are looked for before they are tried again."""

    kind = "unknown_outcome"


class ModeLostError(PlatformError):
    """The message cannot go on in its mode (a stream expired, somebody stopped it): resume it, then show everything again."""

    kind = "mode_lost"


class MessageGoneError(PlatformError):
    """The message was deleted: what it showed has to be posted anew."""

    kind = "message_gone"


class PlaceGoneError(PlatformError):
    """Nothing can be said there any more (archived, removed from the channel, the question deleted): delivery gives up."""

    kind = "place_gone"


class Platform(Protocol):
    """Where answers are shown: a chat as one bot, a page, a terminal. Calls raise the errors above and nothing else that is expected."""

    @property
    def name(self) -> PlatformName:
        """The platform's name, as in the record."""
        ...

    @property
    def signs_by_message(self) -> bool:
        """Whether the first sign is a message of its own, which then grows into the answer (else a status: `sign`)."""
        ...

    def harmless(self, answer: Answer, text: str, *, is_final: bool) -> str:
        """Return the model's text so that it mentions nobody and links to nothing by itself (`bot.harmless`), before it is split.

        What it returns for a growing text should begin what it returns for the whole; else streams are stopped and rewritten.
        """
        ...

    def mode(self, answer: Answer, part: int, *, is_final: bool) -> str:
        """Return the mode in which the next message of an answer is best begun; `is_final` when it is posted whole."""
        ...

    def limit(self, mode: str) -> Limit:
        """Return how much text a message of this mode takes."""
        ...

    def growth_seconds(self, mode: str) -> float | None:
        """Return the least time between two growths of one message now, as busy as everything is; None: such a message never grows."""
        ...

    async def sign(self, answer: Answer, phrase: str, *, is_step: bool = False) -> None:
        """Show that an answer is on its way, without a message; an empty phrase takes the sign away.

        `is_step`: it replaces a sign that stands there, and may be dropped.
        """
        ...

    async def post(self, answer: Answer, part: int, mode: str, face: Face) -> Message:
        """Post part `part` (0 is the first) and return the message."""
        ...

    async def grow(self, answer: Answer, message: Message, before: Face, face: Face) -> None:
        """Show `face` in a message which shows `before` now (an empty face when that is unknown)."""
        ...

    async def finish(self, answer: Answer, message: Message, before: Face, face: Face) -> Message:
        """Show `face` for good, and return the message as it goes on from now (an ended stream is a plain post).

        Under the end of the last message `face` has a foot, and `answer` is as committed.
        """
        ...

    async def resume(self, answer: Answer, message: Message, note: str) -> Message:
        """Make a message ready to be rewritten from nothing (end its stream, with `note` as its last line) and return it as it is then."""
        ...

    async def remove(self, answer: Answer, message: Message) -> None:
        """Take a message away; one that is gone already is no error."""
        ...


class ChatPlatform(Platform, Protocol):
    """A platform which keeps our messages when our process ends, and lets its bot read what was said there."""

    async def adopt(self, answer: Answer, part: Part) -> Message | None:
        """Find the message that was posted as this part and whose id was never heard; None when there is none."""
        ...

    async def request(self, answer: Answer, kind: str, arguments: dict[str, Any]) -> dict[str, Any]:
        """Do for a worker what only a bot can (`read_thread`), as far as the asker may; return the result, or {"error": why not}."""
        ...

    async def readers(self, place: Place, person: Person) -> Readers:
        """Return who can read a place now, known for less than a minute; the narrowest when the platform does not say in time.

        Of a place that one person alone reads: what `person` can read. Never raises.
        """
        ...

    async def tell(self, person: str, text: str) -> None:
        """Say something to one person alone, in a direct message; `person` is the platform's own id."""
        ...
