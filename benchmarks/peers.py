"""What others would pick instead of nod, on the same sets: `python -m benchmarks.peers DATABASE_URL [PEER…] < sets.json`, in .venv-peers.

Reads one JSON object, {"sets": [{"name", "language", "corpus": [[id, title, text]], "questions": [[id, text, earlier turns]]}]}, and prints
one line for each set and peer: {"set", "peer", "ranked": {question: [ids]}, "ms": [one a question], "index_seconds"}. Peers are given the
title before the text, and the question after the two turns before it: that is better for each of them than the bare question.
"""

import json
import re
import sqlite3
import sys
import time
from abc import ABC, abstractmethod
from collections.abc import Iterator, Sequence
from typing import Any

import psycopg

K = 10
_TURNS = 2

Corpus = Sequence[tuple[str, str, str]]


class Peer(ABC):
    """A way to find: made with a corpus, which it indexes."""

    name: str

    @abstractmethod
    def __init__(self, corpus: Corpus, language: str, database_url: str) -> None: ...

    @abstractmethod
    def find(self, question: str) -> list[str]:
        """Return the ids of what it finds, best first; an id may come again."""

    def close(self) -> None:  # noqa: B027  # most hold nothing
        """Let go of what it holds."""


class Chroma(Peer):
    """LangChain's splitter at its usual size, MiniLM, and Chroma."""

    name = "LangChain + Chroma + MiniLM"

    def __init__(self, corpus: Corpus, language: str, database_url: str) -> None:
        del language, database_url
        from chromadb.config import Settings  # pyright: ignore[reportMissingImports]  # of .venv-peers
        from langchain_chroma import Chroma as Store  # pyright: ignore[reportMissingImports]  # of .venv-peers
        from langchain_text_splitters import RecursiveCharacterTextSplitter  # pyright: ignore[reportMissingImports]  # of .venv-peers

        from benchmarks.minilm import MiniLM

        splitter = RecursiveCharacterTextSplitter(chunk_size=1000, chunk_overlap=200)
        parts = [(name, part) for name, title, text in corpus for part in splitter.split_text(f"{title}\n{text}".strip())]
        self._store = Store(embedding_function=MiniLM(), client_settings=Settings(anonymized_telemetry=False, allow_reset=True))
        self._store.reset_collection()
        for start in range(0, len(parts), 1000):
            some = parts[start : start + 1000]
            self._store.add_texts([part for _, part in some], [{"id": name} for name, _ in some])

    def find(self, question: str) -> list[str]:
        """Return the lines of the parts with the nearest vectors."""
        return [document.metadata["id"] for document in self._store.similarity_search(question, 3 * K)]


class Bm25s(Peer):
    """bm25s as its page shows it: for English with stop words and a stemmer."""

    name = "bm25s"

    def __init__(self, corpus: Corpus, language: str, database_url: str) -> None:
        del database_url
        import bm25s  # pyright: ignore[reportMissingImports]  # of .venv-peers
        import Stemmer

        self._ids = [name for name, _, _ in corpus]
        self._words: dict[str, Any] = {"show_progress": False, "stopwords": None}
        if language == "en":
            self._words |= {"stopwords": "en", "stemmer": Stemmer.Stemmer("english")}
        self._bm25s = bm25s
        self._index = bm25s.BM25()
        self._index.index(bm25s.tokenize([f"{title} {text}" for _, title, text in corpus], **self._words), show_progress=False)

    def find(self, question: str) -> list[str]:
        """Return what bm25s ranks first."""
        words = self._bm25s.tokenize(question, **self._words, return_ids=False)
        if not words[0]:
            return []
        found, scores = self._index.retrieve(words, k=min(K, len(self._ids)), show_progress=False)
        return [self._ids[n] for n, score in zip(found[0], scores[0], strict=True) if score > 0]


class Fts5(Peer):
    """SQLite FTS5: for English the porter tokeniser, for Korean trigrams; any of the words or trigrams, ranked by its bm25."""

    name = "SQLite FTS5"

    def __init__(self, corpus: Corpus, language: str, database_url: str) -> None:
        del database_url
        self._is_korean = language == "ko"
        self._db = sqlite3.connect(":memory:")
        how = "trigram" if self._is_korean else "porter unicode61"
        self._db.execute(f"CREATE VIRTUAL TABLE lines USING fts5(id UNINDEXED, title, text, tokenize='{how}')")
        self._db.executemany("INSERT INTO lines VALUES (?, ?, ?)", corpus)

    def find(self, question: str) -> list[str]:
        """Return what SQLite ranks first."""
        runs = re.findall(r"\w+", question)
        words = [run[n : n + 3] for run in runs for n in range(len(run) - 2)] if self._is_korean else runs
        if not words:
            return []
        asked = " OR ".join(f'"{word}"' for word in words)
        return [row[0] for row in self._db.execute("SELECT id FROM lines WHERE lines MATCH ? ORDER BY rank LIMIT ?", (asked, K))]

    def close(self) -> None:
        """Drop the database."""
        self._db.close()


class FullText(Peer):
    """PostgreSQL's own full text search with a GIN index: any of the words, ranked by ts_rank_cd."""

    name = "PostgreSQL full text"

    def __init__(self, corpus: Corpus, language: str, database_url: str) -> None:
        self._how = "english" if language == "en" else "simple"
        self._db = psycopg.connect(database_url, autocommit=True)
        self._db.execute("CREATE TEMP TABLE lines (id text, words tsvector)")
        with self._db.cursor() as cursor:
            cursor.executemany(
                "INSERT INTO lines VALUES (%s, setweight(to_tsvector(%s::regconfig, %s), 'A') || to_tsvector(%s::regconfig, %s))",
                [(name, self._how, title, self._how, text) for name, title, text in corpus],
            )
        self._db.execute("CREATE INDEX ON lines USING gin (words)")
        self._db.execute("ANALYZE lines")

    def find(self, question: str) -> list[str]:
        """Return what PostgreSQL ranks first."""
        asked = """(SELECT string_agg(quote_literal(lexeme), ' | ')::tsquery FROM unnest(to_tsvector(%(how)s::regconfig, %(question)s)))"""
        rows = self._db.execute(
            f"SELECT id FROM lines, {asked} AS q(query) WHERE words @@ query ORDER BY ts_rank_cd(words, query) DESC, id LIMIT {K}".encode(),
            {"how": self._how, "question": question},
        )
        return [row[0] for row in rows]

    def close(self) -> None:
        """Drop the table."""
        self._db.close()


PEERS: tuple[type[Peer], ...] = (Bm25s, Fts5, FullText, Chroma)


def measured(beir: dict[str, Any], database_url: str, wanted: Sequence[str]) -> Iterator[dict[str, Any]]:
    """Give what each peer (of those that are wanted, if any are named) finds in a set."""
    for kind in [peer for peer in PEERS if not wanted or peer.name in wanted]:
        begun = time.perf_counter()
        peer = kind([tuple(row) for row in beir["corpus"]], beir["language"], database_url)
        seconds = time.perf_counter() - begun
        ranked: dict[str, list[str]] = {}
        ms: list[float] = []
        for name, text, earlier in beir["questions"]:
            begun = time.perf_counter()
            found = peer.find(" ".join([*earlier[-_TURNS:], text]))
            ms.append((time.perf_counter() - begun) * 1000)
            ranked[name] = list(dict.fromkeys(found))[:K]
        peer.close()
        yield {"set": beir["name"], "peer": kind.name, "ranked": ranked, "ms": ms, "index_seconds": seconds}


def main() -> None:
    """Measure all peers on all sets."""
    for beir in json.load(sys.stdin)["sets"]:
        for found in measured(beir, sys.argv[1], sys.argv[2:]):
            print(json.dumps(found, ensure_ascii=False), flush=True)


if __name__ == "__main__":
    main()
