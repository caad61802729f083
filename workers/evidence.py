"""Whether the sentences of an answer stand in the sources they point to: by the light model where there is one, else by rules."""

import asyncio
import re
from collections.abc import Sequence
from pathlib import Path

from knowledge.search import Passage
from nod.contracts import Citation
from workers.attempt import Attempt
from workers.light import Light
from workers.memory import tokens_in
from workers.shelf import Shelf, as_data, written

PROMPT = (Path(__file__).parent / "prompts" / "check.md").read_text("utf-8").strip()
CHECK_SECONDS = 2.5  # the text has been read by then; only its marks wait
MOST_TOKENS = 6_000  # of sentences and passages together; a longer answer is checked by rules alone

SURE = frozenset({"number", "unit", "date", "name"})  # what rules tell reliably; on other grounds alone they mark, and withhold nothing

_VERDICT = re.compile(r"^\W*(\d{1,2})\W+(yes|no)\b", re.MULTILINE | re.IGNORECASE)


async def check(attempt: Attempt, light: Light | None) -> None:
    """Look at each sentence of a finished answer that points to passages, and note what came of it in the attempt."""
    text, shelf = attempt.text, attempt.shelf
    citations = await asyncio.to_thread(shelf.citations, text)
    if citations and light:
        citations = await _by_model(attempt, light, citations)
    attempt.citations = citations
    attempt.notices += notices_of(citations, shelf.passages)


def notices_of(citations: Sequence[Citation], passages: Sequence[Passage]) -> list[str]:
    """Return what people are told below an answer about its citations."""
    notices = ["unsupported"] if any(citation.verdict == "unsupported" for citation in citations) else []
    others = {n for citation in citations if citation.verdict == "other_language" for n in citation.sources}
    return notices + sorted({"source_korean" if passages[n - 1].is_korean else "source_english" for n in others})


def is_unfounded(citations: Sequence[Citation], text: str, shelf: Shelf) -> bool:
    """Return whether nothing that an answer says with a source stands in any passage that the model was shown."""
    is_sure = all(each.verdict == "unsupported" and (each.why in SURE or each.by != "rules") for each in citations)
    if not citations or not is_sure:
        return False
    return not any(shelf.is_said_somewhere(text[citation.start : citation.end]) for citation in citations)


async def _by_model(attempt: Attempt, light: Light, citations: tuple[Citation, ...]) -> tuple[Citation, ...]:
    """Return citations as the light model judges them; those of which it says nothing stay as the rules have them."""
    question = _asked(attempt, citations)
    if tokens_in(question) > MOST_TOKENS:
        return citations
    said = await light.says(attempt, PROMPT, question, CHECK_SECONDS)
    verdicts = {int(n): verdict.lower() == "yes" for n, verdict in _VERDICT.findall(said)}
    return tuple(_judged(citation, verdicts.get(n), light.name) for n, citation in enumerate(citations, 1))


def _asked(attempt: Attempt, citations: Sequence[Citation]) -> str:
    numbers = sorted({n for citation in citations for n in citation.sources})
    passages = written((n, attempt.shelf.passages[n - 1]) for n in numbers)
    sentences = "\n".join(f"⟦sentence {n}⟧ {as_data(attempt.text[c.start : c.end].strip())} ⟦end⟧" for n, c in enumerate(citations, 1))
    return f"{passages}\n\n{sentences}"


def _judged(citation: Citation, is_supported: bool | None, name: str) -> Citation:
    if is_supported is None:
        return citation
    verdict, why = ("supported", "") if is_supported else ("unsupported", citation.why or "model")
    return citation.model_copy(update={"verdict": verdict, "why": why, "by": name})
