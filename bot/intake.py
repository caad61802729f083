"""Is it for us, and what is asked? Pure decisions: nothing here touches a platform or the record."""

import unicodedata
from dataclasses import dataclass
from datetime import UTC, datetime

from nod.contracts import Answer, FileRef, Person, Place, Question, Route
from nod.language import Language, clean, language_of

STOP_WORDS = frozenset({"stop", "cancel", "그만", "멈춰", "취소"})
_AROUND = " \t\n,:;.!?~…·、。"  # what may stand around such a word; half-width, as NFKC leaves it


@dataclass(frozen=True, slots=True)
class Heard:
    """A message as a platform heard it. `text` is what was said to us, without the mention; `is_to_us`: a mention or a direct message."""

    person: Person
    place: Place
    message_id: str
    text: str
    route: Route
    at: datetime
    is_to_us: bool
    is_by_bot: bool
    files: tuple[FileRef, ...] = ()


@dataclass(frozen=True, slots=True)
class Blank:
    """Somebody called us and said nothing: they are told how to ask."""

    heard: Heard
    language: Language


def question_from(heard: Heard, default: Language) -> Question | Blank | None:
    """Return what was asked; Blank for a call without words; None for what is not for us.

    Bots are never answered, ourselves and others (two bots would talk for ever). `default` is for a text without letters.
    """
    if heard.is_by_bot or not heard.is_to_us:
        return None
    language = language_of(heard.text, heard.person.language or default)
    if not clean(heard.text).strip():
        return Blank(heard, language)
    return Question(
        person=heard.person, place=heard.place, message_id=heard.message_id, text=heard.text.strip(), route=heard.route,
        language=language, asked_at=heard.at, files=heard.files,
    )  # fmt: skip


def question_alone(answer: Answer, person: Person, place: Place, route: Route) -> Question | None:
    """Return what somebody asked where it could not be answered, asked again where they alone read; None for anybody but its asker."""
    if (person.platform, person.external_id) != (answer.person.platform, answer.person.external_id):
        return None
    return Question(
        person=answer.person, place=place, message_id=f"alone:{answer.answer_id}", text=answer.question, route=route,
        language=answer.language, asked_at=datetime.now(UTC),
    )  # fmt: skip


def is_stop(text: str) -> bool:
    """Return whether somebody said nothing but that an answer is to end; such a message is never a question."""
    return unicodedata.normalize("NFKC", clean(text)).strip(_AROUND).casefold() in STOP_WORDS
