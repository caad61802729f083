"""Somebody teaches nod: it is kept, they alone are told who will see it, and it can be undone. Whoever asked in vain hears of it."""

import asyncio
from dataclasses import dataclass
from uuid import UUID

from bot.commands import Asker
from bot.faces import PHRASES
from bot.harmless import dead_links
from bot.platform import ChatPlatform, LaterError, PlatformError
from knowledge.gaps import Gap, News, close, gap_of, take_news, tell_later
from knowledge.teaching import Lesson, scope_taught_in, teach, undo
from nod.contracts import EVERYONE, Person
from nod.errors import LoadError, NotFoundError, first_line
from nod.language import Language
from nod.logs import log
from nod.process import Services
from nod.readers import person_alone, readers_of

CLOSE_SECONDS = 1.0  # that a teacher waits to hear how many will be told
AGAIN_SECONDS = 3_600.0  # who may not see it now is asked for again
NEWS_CHARACTERS = 600  # of what was taught: the whole of it is in the next answer

_log = log(__name__)
_closing: set[asyncio.Task[int]] = set()  # an event loop holds its tasks weakly


@dataclass(frozen=True, slots=True)
class Said:
    """What a teacher is told, alone; `lesson_id` is what a button can undo, None when nothing was learnt."""

    text: str
    lesson_id: int | None = None


async def gap_behind(services: Services, answer_id: UUID, person: Person) -> Gap:
    """Return the gap behind an answer that said it does not know. Raises NotFoundError, also for somebody else's direct message."""
    answer = await services.record.answer(answer_id)
    if answer.place.visibility == "direct" and answer.person.external_id != person.external_id:
        raise NotFoundError(f"The answer {answer_id} is not theirs.")
    return await gap_of(services.engine, answer.question_id)


async def learn(services: Services, asker: Asker, text: str, *, title: str = "", url: str | None = None, gap: Gap | None = None) -> Said:
    """Keep what somebody teaches, where they are or where the question was asked that nobody could answer; return what they are told."""
    scope = gap.scope if gap else scope_taught_in(asker.place, asker.person)
    if scope.startswith("workspace:") and scope not in await _seen_by(services, asker.person):
        scope = f"channel:{asker.place.platform}:{asker.place.channel}"  # a guest, or somebody of another company, teaches where they are
    try:
        about = title or (gap.question if gap else "")  # its words are how it is found again
        taught = await teach(services.engine, services.record, Lesson(text, scope, about, url), asker.person)
    except LoadError as error:
        return Said(PHRASES.say(f"teach.{error.kind}", asker.language))
    people = await _closed(services, gap, taught.lesson_id, scope) if gap else 0
    learnt = PHRASES.say("teach.learnt" if taught.is_new else "teach.replaced", asker.language, title=dead_links(taught.title, ""))
    parts = [learnt, who_sees(scope, asker.language), _told(people, asker.language)]
    return Said(" ".join(part for part in parts if part), taught.lesson_id)


async def _closed(services: Services, gap: Gap, lesson_id: int, scope: str) -> int:
    """Close a gap; return how many people will be told. It is learnt by now: what lasts or fails here is no reason to say otherwise."""
    closing = asyncio.create_task(close(services.engine, gap, lesson_id, scope))
    _closing.add(closing)
    closing.add_done_callback(_closing.discard)
    try:
        done, _ = await asyncio.wait({closing}, timeout=CLOSE_SECONDS)
    except asyncio.CancelledError:  # the time is over in which a platform waits
        return 0
    if done and (error := closing.exception()):
        _log.warning("a gap is not closed", gap_id=gap.gap_id, error=first_line(error))
        return 0
    return closing.result() if done else 0


async def _seen_by(services: Services, person: Person) -> tuple[str, ...]:
    alone = person_alone(person)
    return alone.audience(person, await readers_of(services.redis, services.follower, alone, person))


def _told(people: int, language: Language) -> str:
    return PHRASES.say("teach.tells_one" if people == 1 else "teach.tells", language, n=people) if people else ""


def who_sees(scope: str, language: Language) -> str:
    """Return who can see what is taught, as a sentence."""
    return PHRASES.say(f"teach.who_{EVERYONE if scope == EVERYONE else scope.partition(':')[0]}", language)


async def take_back(services: Services, lesson_id: int, person: Person, language: Language) -> str:
    """Undo what somebody taught, and return what they are told."""
    is_admin = f"{person.platform}:{person.external_id}" in services.settings.admins
    try:
        undone = await undo(services.engine, lesson_id, person, is_admin=is_admin)
    except NotFoundError:
        return PHRASES.say("teach.too_late", language)
    return PHRASES.say("teach.undone" if undone.is_gone else "teach.undone_before", language, title=dead_links(undone.title, ""))


# ── who asked in vain ──


async def tell_news(services: Services, platform: ChatPlatform) -> None:
    """Tell people of a platform, once and privately, that somebody has taught what they asked."""
    for news in await take_news(services.engine, platform.name):
        try:
            alone = person_alone(news.person)
            if news.scope in alone.audience(news.person, await platform.readers(alone, news.person)):
                await platform.tell(news.person.external_id, news_text(news))
            else:  # or the platform did not say so in time
                await tell_later(services.engine, news.gap_id, AGAIN_SECONDS)
        except LaterError as error:
            await tell_later(services.engine, news.gap_id, error.wait_seconds)
        except PlatformError as error:  # in doubt it was said: nobody is told twice
            _log.warning("somebody could not be told what was taught", error=str(error))


def news_text(news: News) -> str:
    """Return what somebody is told who asked in vain."""
    question, said = (" ".join(text.split()) for text in (news.question, news.text))
    key = "teach.news" if news.taught_by else "teach.news_nobody"
    return PHRASES.say(
        key,
        news.language,
        question=dead_links(_cut(question, 200), ""),
        name=news.taught_by,
        text=dead_links(_cut(said, NEWS_CHARACTERS), ""),
    )


def _cut(text: str, most: int) -> str:
    return text if len(text) <= most else f"{text[: most - 1]}…"
