"""One table of commands for every platform, with their Korean words, and what each of them answers. `ask` is asked like a mention."""

import re
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import datetime

from bot.faces import PHRASES
from bot.harmless import dead_links
from knowledge.keyless import find_whole, notes
from knowledge.search import Passage
from nod.accounts import LINK_MINUTES, make_link
from nod.contracts import Person, Place, Readers
from nod.language import Language, language_of
from nod.process import Services
from nod.readers import person_alone

EXCERPT_CHARACTERS = 280
SEARCH_RESULTS = 3
MODEL_SECONDS = 0.8  # platforms wait three for what a command answers, and have been asked who may see what by then


@dataclass(frozen=True, slots=True)
class Command:
    """A command. `words` are all by which it is known, the first one is its name; `takes_text` when something follows it.

    `has_dialog`: given alone it opens a dialog where a platform has them.
    """

    words: tuple[str, ...]
    takes_text: bool = False
    has_dialog: bool = False

    @property
    def name(self) -> str:
        """The name under which docs and platforms know it."""
        return self.words[0]


COMMANDS = (
    Command(("ask", "질문", "물어보기"), takes_text=True),
    Command(("search", "검색", "찾기"), takes_text=True),
    Command(("teach", "알려주기", "가르치기"), takes_text=True, has_dialog=True),
    Command(("stop", "그만", "중지")),
    Command(("web", "웹", "페이지")),
    Command(("privacy", "개인정보")),
    Command(("help", "도움말", "도움")),
)
_BY_WORD = {word: command for command in COMMANDS for word in command.words}
_APART = re.compile(r"^(알려)\s+(주기)(?!\S)")  # as it is spelt; a command is one word


@dataclass(frozen=True, slots=True)
class Given:
    """A command somebody gave: which (None: no such word), the text behind it, and what they typed."""

    command: Command | None
    text: str
    typed: str


@dataclass(frozen=True, slots=True)
class Asker:
    """Who gives a command, where, and in which language they are answered."""

    person: Person
    place: Place
    language: Language


Form = Callable[[str], str]  # how a platform writes a command: `/nod ask`, `/ask`
Known = Callable[[Place, Person], Awaitable[Readers]]  # who can read a place now, as its platform says


def given_from(typed: str) -> Given:
    """Return which command a text such as `검색 휴가 규정` gives; an empty one asks for help."""
    words = _APART.sub(r"\1\2", typed.strip()).split(maxsplit=1)
    if not words:
        return Given(_BY_WORD["help"], "", typed)
    command = _BY_WORD.get(words[0].casefold())
    return Given(command, words[1].strip() if command and len(words) > 1 else "", typed.strip())


def asker_from(person: Person, place: Place, typed: str, default: Language) -> Asker:
    """Return who asks, with the language of what they typed (a Korean command word makes it Korean)."""
    latin_names = re.compile("|".join(rf"^{word}\b" for command in COMMANDS for word in command.words if word.isascii()), re.IGNORECASE)
    return Asker(person, place, language_of(latin_names.sub("", typed.strip()), person.language or default))


async def reply_to(services: Services, given: Given, asker: Asker, form: Form, readers: Known) -> str:
    """Return what a command answers, for its giver alone, in Markdown; `ask` with a text is a question and not answered here."""
    name = given.command.name if given.command else ""
    if name == "search" and given.text:
        return await _search(services, given.text, asker, readers)
    if name == "web":
        return await _web(services, asker)
    if name == "stop":
        count = await stop(services, asker.person, asker.place.channel)
        return PHRASES.say("command.stopped" if count else "command.nothing_to_stop", asker.language)
    if name == "privacy":
        return PHRASES.say("command.privacy", asker.language)
    if given.command and given.command.takes_text:
        return PHRASES.say("command.needs_text", asker.language, example=form(given.command.words[asker.language == "ko"]))
    return help_text(asker.language, form) if name == "help" else unknown_text(given.typed, asker.language, form)


async def stop(services: Services, person: Person, channel: str, *, thread: str = "", at: datetime | None = None) -> int:
    """End what somebody is being answered in a channel or one conversation now; return how many answers that is (`Record.stop_all`)."""
    count = await services.record.stop_all(person, channel, thread=thread, at=at)
    if count:
        services.waker.wake()  # the workers look at once
    return count


def help_text(language: Language, form: Form) -> str:
    """Return how to use nod, in this platform's form."""
    lines = [f"`{form(command.words[language == 'ko'])}` {PHRASES.say(f'about.{command.name}', language)}" for command in COMMANDS]
    return "\n".join([PHRASES.say("command.help", language), "", *(f"- {line}" for line in lines)])


def unknown_text(typed: str, language: Language, form: Form) -> str:
    """Return what is said to a word that is no command."""
    word = typed.split(maxsplit=1)[0][:40].replace("`", "")
    ask, help_ = (form(command.words[language == "ko"]) for command in (_BY_WORD["ask"], _BY_WORD["help"]))
    return PHRASES.say("command.unknown", language, word=word, ask=ask, help=help_)


async def _search(services: Services, text: str, asker: Asker, readers: Known) -> str:
    """Return what is found in all that the asker may see: they alone read it, wherever they are."""
    alone = person_alone(asker.person)
    scopes = alone.audience(asker.person, await readers(alone, asker.person))
    found = await find_whole(services, text, scopes, k=SEARCH_RESULTS, wait_seconds=MODEL_SECONDS)
    excerpts = [_excerpt(n, passage, asker.language) for n, passage in enumerate(found.passages, 1)]
    said = excerpts or [PHRASES.say("command.nothing_found", asker.language)]
    return "\n\n".join([*said, *(dead_links(note, "") for note in notes(text, found, asker.language))])


def _excerpt(n: int, passage: Passage, language: Language) -> str:
    page = PHRASES.say("source.page", language, page=passage.page) if passage.page else ""
    where = " · ".join(part for part in (passage.heading, page, passage.date or "") if part)
    words = passage.line
    if len(words) > EXCERPT_CHARACTERS:
        words = f"{words[:EXCERPT_CHARACTERS]}…"
    return dead_links(f"**{n}. {passage.title}** {where}\n> {words}", "")


async def _web(services: Services, asker: Asker) -> str:
    link = await make_link(services.engine, services.record, services.settings, person=asker.person)
    return PHRASES.say("command.web", asker.language, link=link, minutes=LINK_MINUTES)
