"""How documents are best split: `python -m benchmarks.splitting FOLDER…`, for BEIR folders whose passages have titles.

The lines of one title, in their order, are one document; each way splits it, and nod searches what came out. A piece answers a question
when it holds half of the line that does, or lies in it by half. Overlaps and long pieces find more and cost more of the model's input:
so it is also said how much of the line stands in the first 4,000 characters that are found, and how many pieces there are.
LangChain's splitter runs in .venv-peers (`make bench-retrieval` makes it).
"""

import argparse
import asyncio
import json
import subprocess
import sys
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from sqlalchemy import text

from benchmarks.database import own_postgres
from knowledge import index
from knowledge.beir import BeirSet, Line, beir_from
from knowledge.documents import scope_id_of, source_id_of
from knowledge.loaded import Block, Piece
from knowledge.search import Passage, Search
from knowledge.sentences import sentences
from knowledge.split import TARGET, split
from nod.connect import engine_from
from nod.contracts import EVERYONE
from nod.scratch import scratch_database

K = 10
RECALL_AT = 5
SHOWN = 4000  # characters: about what a model is shown of them
PEERS = Path(__file__).parents[1] / ".venv-peers" / "bin" / "python"
_LANGCHAIN = """
import json, sys
from langchain_text_splitters import RecursiveCharacterTextSplitter
splitter = RecursiveCharacterTextSplitter(chunk_size=1000, chunk_overlap=200)
json.dump([splitter.split_text(text) for text in json.load(sys.stdin)], sys.stdout)"""

Span = tuple[int, int]  # where something stands in its document: from, to


@dataclass(frozen=True, slots=True)
class Article:
    """Lines of one title as one document, and where each stands in it."""

    title: str
    text: str
    spans: Mapping[str, Span]

    def span_of(self, piece: str, after: int) -> Span:
        """Return where a piece stands. Raises ValueError for one that is not a part of the text."""
        at = self.text.index(piece, after)
        return at, at + len(piece)


def articles_from(corpus: Iterable[Line]) -> list[Article]:
    """Return the documents of a corpus: the lines of each title, a paragraph each."""
    lines: dict[str, list[Line]] = {}
    for line in corpus:
        lines.setdefault(line.title or line.id, []).append(line)
    found: list[Article] = []
    for title, those in lines.items():
        spans: dict[str, Span] = {}
        whole = ""
        for line in those:
            start = len(whole)
            whole += line.text.strip() + "\n\n"
            spans[line.id] = (start, len(whole) - 2)
        found.append(Article(title, whole, spans))
    return found


def by_nod(articles: Sequence[Article]) -> list[list[str]]:
    """Split by paragraphs and sentences, without an overlap (knowledge/split.py)."""
    return [
        [piece.text for piece in split(Block(article.text[start:end]) for start, end in article.spans.values())] for article in articles
    ]


def by_langchain(articles: Sequence[Article]) -> list[list[str]]:
    """Split with LangChain's RecursiveCharacterTextSplitter, 1,000 characters of which 200 overlap."""
    given = json.dumps([article.text for article in articles])
    done = subprocess.run([PEERS, "-c", _LANGCHAIN], input=given, capture_output=True, text=True, check=True)
    return json.loads(done.stdout)


def by_sentences(articles: Sequence[Article]) -> list[list[str]]:
    """Split into whole sentences up to 1,000 characters, wherever a paragraph ends; each piece begins with the last sentence before it."""
    found: list[list[str]] = []
    for article in articles:
        pieces: list[list[str]] = [[]]
        for sentence in sentences(article.text):
            if pieces[-1] and sum(map(len, pieces[-1])) + len(sentence) > TARGET:
                pieces.append(pieces[-1][-1:] if len(pieces[-1][-1]) + len(sentence) <= TARGET else [])
            pieces[-1].append(sentence)
        found.append([piece for parts in pieces if (piece := "".join(parts).strip())])
    return found


WAYS: Mapping[str, Callable[[Sequence[Article]], list[list[str]]]] = {
    "nod": by_nod, "LangChain, 1,000 characters, 200 overlap": by_langchain, "whole sentences, one overlaps": by_sentences,
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Row:
    """What one way reached in one set."""

    pieces: int
    length: float  # characters of a piece, on average
    mrr: float
    recall_at_5: float
    in_shown: float


async def measure(database_url: str, beir: BeirSet, articles: Sequence[Article], pieces: Sequence[Sequence[str]]) -> Row:
    """Index pieces, one document an article, and ask all questions of a set."""
    engine = engine_from(database_url)
    try:
        async with engine.begin() as db:
            scope = await scope_id_of(db, EVERYONE)
            source = await source_id_of(db, "upload", "", scope)
        spans: dict[tuple[int, str], Span] = {}
        homes: dict[str, tuple[int, Span]] = {}
        for number, (article, parts) in enumerate(zip(articles, pieces, strict=True)):
            async with engine.begin() as db:
                document = await db.execute(
                    text("""
                        INSERT INTO documents (source_id, scope_id, location, title, state, passage_count)
                             VALUES (:source, :scope, :location, :title, 'ready', :count) RETURNING document_id"""),
                    {"source": source, "scope": scope, "location": str(number), "title": article.title, "count": len(parts)},
                )
                document_id = int(document.scalar_one())
                await index.add(db, document_id, scope, article.title, [Piece(part) for part in parts])
            after = 0
            for part in parts:
                spans[document_id, part] = span = article.span_of(part, after)
                after = span[0]
            homes |= {line: (document_id, span) for line, span in article.spans.items()}
        await index.merge(engine)
        search = Search(engine)
        reached = [
            _reached(
                (await search.find(question.text, [EVERYONE], earlier=question.earlier, k=K)).passages,
                spans, [homes[line] for line in question.wanted if line in homes],
            )
            for question in beir.questions
        ]  # fmt: skip
    finally:
        await engine.dispose()
    means = [sum(values) / len(reached) for values in zip(*reached, strict=True)]
    count = sum(map(len, pieces))
    return Row(count, sum(len(part) for parts in pieces for part in parts) / count, *means)


def _reached(passages: Sequence[Passage], spans: Mapping[tuple[int, str], Span], wanted: Sequence[tuple[int, Span]]) -> tuple[float, ...]:
    """Return the reciprocal rank, whether one of the first five answers, and which share of a wanted line is in the first characters."""
    found = [(passage.document_id, spans[passage.document_id, passage.text]) for passage in passages]
    ranks = [rank for rank, piece in enumerate(found, 1) if any(_answers(piece, line) for line in wanted)]
    room, shown = SHOWN, list[tuple[int, Span]]()
    for document_id, (start, end) in found:
        shown.append((document_id, (start, min(end, start + room))))
        room -= min(room, end - start)
    return (
        1 / ranks[0] if ranks else 0.0,
        float(bool(ranks) and ranks[0] <= RECALL_AT),
        max((_covered(line, shown) for line in wanted), default=0.0),
    )


def _answers(piece: tuple[int, Span], line: tuple[int, Span]) -> bool:
    if piece[0] != line[0]:
        return False
    shared = min(piece[1][1], line[1][1]) - max(piece[1][0], line[1][0])
    return shared > 0 and 2 * shared >= min(_length(piece[1]), _length(line[1]))


def _covered(line: tuple[int, Span], shown: Iterable[tuple[int, Span]]) -> float:
    document_id, (start, end) = line
    seen = {at for its, (first, last) in shown if its == document_id for at in range(max(start, first), min(end, last))}
    return len(seen) / (end - start)


def _length(span: Span) -> int:
    return span[1] - span[0]


def main() -> None:
    """Start a PostgreSQL in a folder of its own, measure, and leave nothing behind."""
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("folders", nargs="+", type=Path, metavar="FOLDER")
    given = options.parse_args()
    if not PEERS.exists():
        options.error(f"{PEERS} is not there; make bench-retrieval DATA=FOLDER makes it")
    columns = ("set", "way", "pieces", "characters", "MRR@10", "recall@5", f"of the answer in the first {SHOWN:,} characters")
    print(_line(columns), _line("---" for _ in columns), sep="\n")
    with own_postgres() as database_url:
        for folder in given.folders:
            beir = beir_from(folder)
            articles = articles_from(beir.corpus)
            for name, way in WAYS.items():
                with scratch_database(database_url) as url:
                    row = asyncio.run(measure(url, beir, articles, way(articles)))
                figures = (f"{row.mrr:.3f}", f"{row.recall_at_5:.3f}", f"{row.in_shown:.3f}")
                print(_line((beir.name, name, f"{row.pieces:,}", f"{row.length:.0f}", *figures)), flush=True)


def _line(cells: Iterable[str]) -> str:
    return f"| {' | '.join(cells)} |"


if __name__ == "__main__":
    sys.exit(main())
