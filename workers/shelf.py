"""The passages of one answer, numbered [n] in the order the model met them, and the sources that its text points to."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from hashlib import sha256
from typing import Any

from knowledge.cite import Cited, cited, citing
from knowledge.search import Passage
from knowledge.support import Support, support
from nod.contracts import Citation, Source

_MARKS = str.maketrans({"⟦": "[", "⟧": "]"})  # only nod's own marks may look like marks


def as_data(text: str) -> str:
    """Return text of documents and people so that it cannot end its own marks."""
    return text.translate(_MARKS)


@dataclass(slots=True)
class Shelf:
    """Passages by number. A passage found again keeps its number."""

    passages: list[Passage] = field(default_factory=list[Passage])

    def put(self, found: Iterable[Passage]) -> list[tuple[int, Passage]]:
        """Add passages and return them with their numbers."""
        return [(self._number(passage), passage) for passage in found]

    def sources(self, text: str) -> tuple[Source, ...]:
        """Return the passages that a text points to as [n]; a number that names none points to nothing."""
        numbers = [n for n in dict.fromkeys(cited(text)) if 1 <= n <= len(self.passages)]
        return tuple(source_from(n, self.passages[n - 1]) for n in sorted(numbers))

    def citations(self, text: str) -> tuple[Citation, ...]:
        """Return the sentences of a text that point to passages, and whether these say what they say, by rules."""
        return tuple(self._citation(found) for found in citing(text)) if self.passages else ()

    def _citation(self, found: Cited) -> Citation:
        known = tuple(n for n in found.numbers if n <= len(self.passages))
        checked = support(found.words, [full(self.passages[n - 1]) for n in known]) if known else Support("source")
        verdict = "unsupported" if not checked.is_supported else "supported" if checked.is_word_for_word else "other_language"
        return Citation(start=found.start, end=found.end, sources=known, verdict=verdict, why=checked.why)

    def is_said_somewhere(self, text: str) -> bool:
        """Return whether any passage says what a sentence says, by rules: it may point to the wrong one."""
        words = "".join(found.words for found in citing(text))
        return any(support(words, [full(passage)]).is_supported for passage in self.passages)

    def provenance(self) -> list[dict[str, Any]]:
        """Return which passages the model was shown: number, id, hash, score."""
        return [
            {"n": n, "passage_id": p.passage_id, "document_id": p.document_id, "hash": p.text_hash, "score": round(p.score, 4)}
            for n, p in enumerate(self.passages, 1)
        ]

    def context_hash(self) -> bytes:
        """Return the SHA-256 of the hashes of all passages, in their order; empty without passages."""
        return sha256("\n".join(p.text_hash for p in self.passages).encode()).digest() if self.passages else b""

    def _number(self, passage: Passage) -> int:
        for n, known in enumerate(self.passages, 1):
            if known.passage_id == passage.passage_id:
                return n
        self.passages.append(passage)
        return len(self.passages)


def full(passage: Passage) -> str:
    """Return all that a passage says: its title, headings and date too."""
    return "\n".join(part for part in (passage.title, passage.heading, passage.text, passage.date or "") if part)


def source_from(n: int, passage: Passage) -> Source:
    """Convert a passage to the source which an answer names as [n]."""
    return Source(
        n=n, document_id=passage.document_id, passage_id=passage.passage_id, title=passage.title, heading=passage.heading,
        page=passage.page, date=passage.date, url=passage.url, passage=passage.text, passage_hash=passage.text_hash,
    )  # fmt: skip


def written(numbered: Iterable[tuple[int, Passage]]) -> str:
    """Return numbered passages as the model reads them: each between marks, with where it comes from."""
    return "\n\n".join(f"⟦passage [{n}] · {as_data(where(passage))}⟧\n{as_data(passage.text)}\n⟦end [{n}]⟧" for n, passage in numbered)


def where(passage: Passage) -> str:
    """Return where a passage stands: document, heading path, page, date."""
    page = f"p. {passage.page}" if passage.page else ""
    return " · ".join(part for part in (passage.title, passage.heading, page, passage.date or "") if part)
