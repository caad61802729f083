"""All that crosses a process: what was asked, by whom, where, what is being said, and what people think of it."""

from datetime import datetime
from hashlib import sha256
from typing import Annotated, Any, Literal
from uuid import UUID

from pydantic import AfterValidator, BaseModel, ConfigDict

from nod.language import Language, clean

PlatformName = Literal["slack", "discord", "web", "cli"]
Visibility = Literal["public", "private", "direct"]
Status = Literal["waiting", "running", "answered", "failed", "withdrawn"]
TERMINAL: frozenset[str] = frozenset({"answered", "failed", "withdrawn"})
EVERYONE = "everyone"

CleanText = Annotated[str, AfterValidator(clean)]


class Contract(BaseModel):
    """A value that crosses a process: frozen, and tolerant of fields which a newer nod added."""

    model_config = ConfigDict(frozen=True, extra="ignore")


class Person(Contract):
    """Somebody on one platform. `external_id` is the platform's own id and never leaves the persons table."""

    platform: PlatformName
    workspace: str
    external_id: str
    name: str = ""
    language: Language | None = None


class Readers(Contract):
    """Who can read a place now, as far as its platform told. The defaults hold when it did not: the narrowest, which is never wrong.

    `are_members`: everybody who can read there belongs to the whole workspace: no guest, nobody of another one.
    `channels`: where one person alone reads, the channels (ids of that person's platform) which they can read.
    """

    are_members: bool = False
    channels: tuple[str, ...] = ()


class Place(Contract):
    """Where people talk. `thread` is empty outside threads; `visibility` says who can read along (`direct`: one person alone)."""

    platform: PlatformName
    workspace: str
    channel: str
    thread: str = ""
    visibility: Visibility = "public"

    def audience(self, person: Person, readers: Readers) -> tuple[str, ...]:
        """Return the scopes which *everyone* who can read this place may see; where `person` alone reads, which that person may."""
        thread = (f"thread:{self.platform}:{self.channel}:{self.thread}",) if self.thread else ()
        if self.visibility != "direct":
            workspace = (f"workspace:{self.platform}:{self.workspace}",) if readers.are_members else ()
            return (EVERYONE, *workspace, f"channel:{self.platform}:{self.channel}", *thread)
        platform = person.platform
        workspace = (f"workspace:{platform}:{person.workspace}",) if readers.are_members else ()
        channels = (f"channel:{platform}:{channel}" for channel in readers.channels)
        return (EVERYONE, *workspace, f"person:{platform}:{person.external_id}", *channels, *thread)


class FileRef(Contract):
    """A file given with a question. `sha256` (hex) names the bytes in NOD_DATA_DIR/files once fetched; only it travels."""

    name: CleanText
    media_type: str = "application/octet-stream"
    size_bytes: int = 0
    sha256: str | None = None
    external_id: str | None = None


PRIVATE_THREAD = "private_thread"  # in `Route.extra`: not all who read the channel can read the thread


class Route(Contract):
    """How the answer gets back: where to post, and for commands the token that answers them, with its end."""

    channel: str
    thread: str = ""
    reply_to: str = ""
    token: str | None = None
    expires_at: datetime | None = None
    private: bool = False
    extra: dict[str, str] = {}


class Question(Contract):
    """One thing asked. Unique by platform, workspace, channel and `message_id`; heard twice it is the same question."""

    person: Person
    place: Place
    message_id: str
    text: CleanText
    route: Route
    language: Language
    asked_at: datetime
    files: tuple[FileRef, ...] = ()
    scopes: tuple[str, ...] = ()  # searched beyond the place's audience; only the terminal's owner may ask so (`nod ask --scope`)


class Source(Contract):
    """A passage the answer points to as [n]."""

    n: int
    document_id: int
    passage_id: int
    title: str
    heading: str = ""
    page: int | None = None
    date: str | None = None
    url: str | None = None
    passage: str = ""
    passage_hash: str = ""


class Citation(Contract):
    """A sentence of an answer that points to sources, and whether they say what it says.

    `start` to `end` are its characters in the answer's text, `end` is behind its last [n]. `why` says what speaks against it, `by` who
    looked: `rules`, or a model's name. `other_language`: only what both languages write the same way was compared.
    """

    start: int
    end: int
    sources: tuple[int, ...]
    verdict: Literal["supported", "unsupported", "other_language"]
    why: str = ""
    by: str = "rules"


class Turn(Contract):
    """One thing said in a conversation, as memory holds it."""

    role: Literal["user", "assistant"]
    text: str
    position: int


class Task(Contract):
    """A claimed answer: all that a worker needs to begin. `attempt` is the fence for everything it writes."""

    answer_id: UUID
    question_id: UUID
    conversation_id: UUID
    attempt: int
    strikes: int
    version: int
    position: int
    person_id: int
    person: Person
    place: Place
    text: str
    language: Language
    files: tuple[FileRef, ...] = ()
    scopes: tuple[str, ...] = ()
    started_before: bool = False

    def audience(self, readers: Readers) -> tuple[str, ...]:
        """Return all scopes that this answer may draw on while these can read its place."""
        return tuple(dict.fromkeys((*self.place.audience(self.person, readers), *self.scopes)))


class Provenance(Contract):
    """What stood behind an answer, kept with it: exactly what the model saw, and what it cost."""

    messages: list[dict[str, Any]] = []
    model: str = ""
    prompt_version: str = ""
    parameters: dict[str, Any] = {}
    passages: list[dict[str, Any]] = []
    tool_calls: list[dict[str, Any]] = []
    tools: list[dict[str, Any]] = []
    tokens_in: int | None = None
    tokens_out: int | None = None
    cost_usd: float | None = None
    context_hash: bytes = b""
    withheld: dict[str, Any] = {}  # what a model said (`text`, `citations`) that is not shown, since no source says it
    first_token_at: datetime | None = None

    @property
    def prompt_hash(self) -> bytes:
        """SHA-256 of the canonical messages sent to the model."""
        return sha256(self.model_dump_json(include={"messages"}).encode()).digest()


class Outcome(Contract):
    """How an attempt ended. `notices` are phrases shown with the text (`no_model`, `unknown`, `cut`, …), `error` why it failed."""

    status: Literal["answered", "failed", "withdrawn"]
    text: CleanText = ""
    sources: tuple[Source, ...] = ()
    citations: tuple[Citation, ...] = ()
    notices: tuple[str, ...] = ()
    error: str | None = None
    stopped: bool = False
    provenance: Provenance = Provenance()


class Answer(Contract):
    """An answer as the record knows it: what delivery, the page and the terminal show."""

    answer_id: UUID
    question_id: UUID
    conversation_id: UUID
    person_id: int
    person: Person
    place: Place
    route: Route
    question: str
    language: Language
    version: int
    position: int
    attempt: int
    strikes: int
    status: Status
    text: str = ""
    sources: tuple[Source, ...] = ()
    citations: tuple[Citation, ...] = ()
    notices: tuple[str, ...] = ()
    error: str | None = None
    model: str | None = None
    accepted_at: datetime
    answered_at: datetime | None = None
    first_shown_at: datetime | None = None
    shown_at: datetime | None = None
    stopped_at: datetime | None = None

    @property
    def is_terminal(self) -> bool:
        """Whether this answer will not change any more."""
        return self.status in TERMINAL

    @property
    def code(self) -> str:
        """The short id which people read and quote."""
        return code_from(self.question_id)


class Accepted(Contract):
    """What intake gets back once a question is committed. `answer` waits to be shown; None: it had been heard before."""

    question_id: UUID
    answer_id: UUID
    conversation_id: UUID
    answer: Answer | None = None

    @property
    def is_new(self) -> bool:
        """Whether nobody had heard the question before."""
        return self.answer is not None


def code_from(question_id: UUID) -> str:
    """Return the short id of a question, such as `q-7f3a91c2`."""
    return f"q-{question_id.hex[:8]}"


EventKind = Literal["started", "step", "grew", "request", "approval", "attached", "done", "failed"]


class AnswerEvent(Contract):
    """One thing that happens while an answer is made. `offset` counts the characters before `text` (a gap means Redis lost some)."""

    kind: EventKind
    text: str = ""
    offset: int = 0
    name: str = ""
    data: dict[str, Any] = {}


class Part(Contract):
    """One platform message that shows (part of) an answer. `message_id` is None between the plan to post and the platform's word."""

    answer_id: UUID
    part: int
    channel: str
    message_id: str | None = None
    mode: str = "post"
    planned_at: datetime
    shown_from: datetime | None = None


class ShownMessage(Contract):
    """A platform message that shows an answer, and the workspace it is in."""

    workspace: str
    channel: str
    message_id: str


VoteValue = Literal["up", "down"]
VoteSource = Literal["reaction", "button", "command", "web"]


class Vote(Contract):
    """A thumb: set or taken back by one person on what one message (or answer) shows."""

    event_id: str
    person: Person
    kind: Literal["set", "unset"]
    value: VoteValue | None
    source: VoteSource
    token: str
    at: datetime
    answer_id: UUID | None = None
    channel: str = ""
    message_id: str = ""
    reasons: tuple[str, ...] = ()
    comment: str | None = None
