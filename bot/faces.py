"""What stands around an answer's own words: steps, notices, apologies and sources, in the asker's language."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from bot.platform import Foot
from nod.contracts import Answer, AnswerEvent, Citation, Source
from nod.language import Phrases

UNSUPPORTED = "⚠"

PHRASES = Phrases(Path(__file__).parent / "phrases")


def step_phrase(step: AnswerEvent | None, language: str) -> str:
    """Return what is shown for a step of the agent; for one without a phrase, and before the first, that it is searching."""
    name = step.name if step else "searching"
    values: dict[str, Any] = {"query": "", "passages": 0, "name": "", "place": 0, "minutes": 0, **(step.data if step else {})}
    found_nothing = name == "searched" and not values["passages"]
    return PHRASES.say(f"step.{name}" if PHRASES.has(f"step.{name}") and not found_nothing else "step.thinking", language, **values)


def queue_step(place: int, seconds: float | None) -> AnswerEvent:
    """Return the step of an answer that waits to be claimed, in about so many seconds if that is known."""
    name = "queued" if seconds is None else "queued_soon" if seconds < 60 else "queued_about"
    return AnswerEvent(kind="step", name=name, data={"place": place, "minutes": round((seconds or 0) / 60)})


def apology(answer: Answer) -> str:
    """Return why an answer failed, with the id to quote."""
    if answer.error == "expired":
        return PHRASES.say("expired", answer.language, code=answer.code)
    key = f"error.{answer.error}"
    reason = PHRASES.say(key if PHRASES.has(key) else "error.internal", answer.language)
    return PHRASES.say("apology", answer.language, reason=reason, code=answer.code)


def foot_of(answer: Answer) -> Foot:
    """Return what stands below an answer that will not change any more."""
    notices = tuple(PHRASES.say(f"notice.{kind}", answer.language) for kind in answer.notices if PHRASES.has(f"notice.{kind}"))
    if answer.status == "failed":
        retry = "ask_again" if answer.error == "expired" else "retry"
        return Foot(sources=answer.sources, notices=notices, apology=apology(answer), retry=retry)
    if answer.status == "withdrawn":
        return Foot(notices=(PHRASES.say("notice.withdrawn", answer.language),))
    return Foot(sources=answer.sources, notices=notices, can_vote=True, can_teach="unknown" in answer.notices)


def marked(text: str, citations: Sequence[Citation]) -> str:
    """Return an answer's words with a sign behind the citation of each sentence that was not found in its source."""
    for citation in sorted(citations, key=lambda citation: -citation.end):
        if citation.verdict == "unsupported":
            text = text[: citation.end] + UNSUPPORTED + text[citation.end :]
    return text


def source_line(source: Source, language: str) -> str:
    """Return a source as people read it, such as `hr-policy.pdf p. 12 · 2026-03-02`; without its number."""
    page = PHRASES.say("source.page", language, page=source.page) if source.page else ""
    place = " ".join(part for part in (source.title, page or source.heading) if part)
    return f"{place} · {source.date[:10]}" if source.date else place
