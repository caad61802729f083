"""Fixtures for tests of knowledge."""

from collections.abc import AsyncIterator, Callable, Iterable, Mapping
from pathlib import Path

import pytest
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine

from knowledge import index
from knowledge.ingest import open_source
from knowledge.loaded import Piece
from knowledge.reading import Reader
from knowledge.search import Search
from knowledge.sources import Origin
from nod.contracts import EVERYONE
from tests.knowledge.shelf import shelf  # noqa: F401  # a fixture


class Knowledge:
    """What nod knows in a test. Documents are put into the index as reading would put them, without reading."""

    def __init__(self, engine: AsyncEngine) -> None:
        self.engine = engine

    async def holds(self, title: str, *passages: str, scope: str = EVERYONE, heading: str = "", kind: str = "upload") -> int:
        """Put a document there, in the place of one with the same title and scope; return its number."""
        source_id, scope_id = await open_source(self.engine, Origin(kind, "", ()), scope)
        async with self.engine.begin() as db:
            row = await db.execute(
                text("""
                    INSERT INTO documents (source_id, scope_id, location, title, state, passage_count)
                         VALUES (:source, :scope, :title, :title, 'ready', :count)
                    ON CONFLICT (source_id, location) DO UPDATE SET passage_count = excluded.passage_count RETURNING document_id"""),
                {"source": source_id, "scope": scope_id, "title": title, "count": len(passages)},
            )
            document_id = int(row.scalar_one())
            await index.delete(db, [document_id])
            await index.add(db, document_id, scope_id, title, [Piece(passage, heading) for passage in passages])
        return document_id

    async def forgets(self, document_ids: Iterable[int] | None = None) -> None:
        """Take documents away, or all."""
        async with self.engine.begin() as db:
            if document_ids is None:
                document_ids = [row.document_id for row in await db.execute(text("SELECT document_id FROM documents"))]
            ids = list(document_ids)
            await index.delete(db, ids)
            await db.execute(text("DELETE FROM documents WHERE document_id = ANY(:ids)"), {"ids": ids})

    async def merges(self) -> int:
        """Merge all that waits."""
        return await index.merge(self.engine, at_least=1)

    async def titles(self, question: str, *scopes: str, earlier: Iterable[str] = ()) -> list[str]:
        """The titles of the documents that a question finds, best first."""
        found = await Search(self.engine).find(question, scopes or (EVERYONE,), earlier=list(earlier), k=100)
        return list(dict.fromkeys(passage.title for passage in found.passages))


@pytest.fixture
def knowledge(engine: AsyncEngine) -> Knowledge:
    return Knowledge(engine)


@pytest.fixture
async def reader() -> AsyncIterator[Reader]:
    async with Reader() as reader:
        yield reader


@pytest.fixture
def folder_of(tmp_path: Path) -> Callable[[Mapping[str, bytes | str | None]], Path]:
    """Write files into a folder, by name (None removes one), and return the folder."""
    root = tmp_path / "documents"

    def write(files: Mapping[str, bytes | str | None]) -> Path:
        for name, content in files.items():
            path = root / name
            path.parent.mkdir(parents=True, exist_ok=True)
            if content is None:
                path.unlink()
            else:
                path.write_bytes(content.encode() if isinstance(content, str) else content)
        return root

    return write
