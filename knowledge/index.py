"""Keeps what search reads in step with the documents. New passages are visible at once (the tail); merges make them quick to find.

A merge gives passages the next slots and appends to posting blocks: three bytes a passage, a position and how much the term weighs
there. A scope is a term too. A slot is never used again; a removed passage's slot just leads nowhere until its segment is compacted.
"""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from hashlib import sha256
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from knowledge.analyse import VERSION, passage_codes
from knowledge.loaded import Piece
from knowledge.score import K1, B

SEGMENT_BITS = 16
IMPACT = 115  # 2.2, the most that a term's frequency can count, fits a byte
POSTING = np.dtype([("position", "<u2"), ("impact", "u1")])
MERGE_AT = (50, 1000)  # unmerged passages: a twentieth of all, within these bounds; each of them costs every search some microseconds
MERGE_MOST = 5000  # in one transaction
COMPACT_AT = 1 / 3  # share of a segment that is dead
REMOVED = "removed"  # the scope of what was taken away: no place has it, nobody can name it
_LOCK = 8130_0002
_WAITS = f"slot IS NULL AND scope_id <> coalesce((SELECT scope_id FROM scopes WHERE name = '{REMOVED}'), 0)"  # noqa: S608  # our own words


def scope_term(scope_id: int) -> int:
    """Return the term under which a scope's passages are listed."""
    return -1 - scope_id


async def add(db: AsyncConnection, document_id: int, scope_id: int, title: str, pieces: Sequence[Piece]) -> None:
    """Index the passages of a document, in the transaction that is open."""
    if not pieces:
        return
    rows = await db.execute(
        text("""
            INSERT INTO passages (document_id, ordinal, heading, page, text, text_hash)
            SELECT :document, n, heading, page, text, hash
              FROM unnest(CAST(:headings AS text[]), CAST(:pages AS int[]), CAST(:texts AS text[]), CAST(:hashes AS bytea[]))
                   WITH ORDINALITY AS row (heading, page, text, hash, n)
            RETURNING passage_id, ordinal"""),
        {
            "document": document_id, "headings": [piece.heading for piece in pieces], "pages": [piece.page for piece in pieces],
            "texts": [piece.text for piece in pieces], "hashes": [sha256(piece.text.encode()).digest() for piece in pieces],
        },
    )  # fmt: skip
    ids = [row.passage_id for row in sorted(rows.all(), key=lambda row: row.ordinal)]
    analysed = await asyncio.to_thread(_analysed, title, pieces)
    await db.execute(
        text("""
            WITH terms AS (
                INSERT INTO passage_terms (passage_id, document_id, scope_id, analyser, title_terms, codes)
                SELECT id, :document, :scope, :analyser, title_terms, codes
                  FROM unnest(CAST(:ids AS bigint[]), CAST(:title_terms AS smallint[]), CAST(:codes AS bytea[]))
                       AS row (id, title_terms, codes)
                RETURNING passage_id, scope_id)
            INSERT INTO passage_vectors (passage_id, scope_id, model_id)
            SELECT passage_id, scope_id, model_id FROM terms, embedding_models"""),
        {
            "document": document_id, "scope": scope_id, "analyser": VERSION, "ids": ids,
            "title_terms": [min(terms, 32767) for _, terms in analysed], "codes": [codes for codes, _ in analysed],
        },
    )  # fmt: skip


def _analysed(title: str, pieces: Sequence[Piece]) -> list[tuple[bytes, int]]:
    """Return codes and number of title terms for each passage; in a thread, because a book of them takes a second."""
    return [passage_codes(f"{title} {piece.heading}", f"{piece.text}\n{piece.asked}") for piece in pieces]


async def delete(db: AsyncConnection, document_ids: Sequence[int]) -> None:
    """Take the passages of documents out of search, in the transaction that is open; they stop answering with its commit."""
    ids = {"ids": list(document_ids)}
    await db.execute(text("DELETE FROM passage_terms WHERE document_id = ANY(:ids)"), ids)
    await db.execute(text("DELETE FROM passages WHERE document_id = ANY(:ids)"), ids)


async def follow_removal(db: AsyncConnection, document_ids: Sequence[int]) -> None:
    """Put the passages of documents that were taken away, or brought back, into the scope where these are, in the transaction that is open.

    Their slots and vectors stay listed under the scope they came from: meanwhile these lead nowhere, as a search reads each row by its
    scope, and back there they are found as before, however many they are. So no merge may list them under the other scope. A new entry
    of each vector in its index would take minutes for a large source.
    """
    await db.execute(
        text("""
            UPDATE passage_terms t SET scope_id = d.scope_id FROM documents d
             WHERE t.document_id = d.document_id AND d.document_id = ANY(:ids)"""),
        {"ids": list(document_ids)},
    )


async def tend(engine: AsyncEngine) -> None:
    """Merge what waits, if that is much, and then rebuild what died."""
    if await merge(engine):
        await compact(engine)


async def merge(engine: AsyncEngine, *, at_least: int | None = None) -> int:
    """Merge unmerged passages when there are many (or `at_least` so many); return how many. One merger at a time, others pass on."""
    merged = 0
    while (now := await _merge_some(engine, at_least)) > 0:
        merged += now
    return merged


async def _merge_some(engine: AsyncEngine, at_least: int | None) -> int:
    async with engine.begin() as db:
        row = (
            await db.execute(
                text(f"""
                    SELECT passages, (SELECT count(*) FROM (SELECT 1 FROM passage_terms WHERE {_WAITS} LIMIT :most) AS tail) AS waiting
                      FROM search_stats"""),  # noqa: S608  # our own words
                {"most": MERGE_AT[1]},
            )
        ).one()
        enough = at_least or min(max(row.passages // 20, MERGE_AT[0]), MERGE_AT[1])
        if row.waiting < enough or not (await db.execute(text("SELECT pg_try_advisory_xact_lock(:lock)"), {"lock": _LOCK})).scalar_one():
            return 0
        return await _merge_rows(db)


async def _merge_rows(db: AsyncConnection) -> int:
    """Give the next rows of the tail their slots. The advisory lock must be held: slots are handed out densely."""
    found = await db.execute(
        text(f"""
            SELECT passage_id, scope_id, title_terms, codes FROM passage_terms WHERE {_WAITS}
             ORDER BY passage_id LIMIT :most FOR UPDATE SKIP LOCKED"""),  # noqa: S608  # our own words
        {"most": MERGE_MOST},
    )
    rows = found.all()
    if not rows:
        return 0
    lengths = np.array([len(row.codes) // 4 for row in rows])
    stats = (
        await db.execute(
            text("""
                UPDATE search_stats SET passages = passages + :n, total_length = total_length + :length, total_title = total_title + :title,
                       next_slot = next_slot + :n
                RETURNING next_slot - :n AS first, total_length / passages AS mean_length"""),
            {"n": len(rows), "length": float(lengths.sum()), "title": float(sum(row.title_terms for row in rows))},
        )
    ).one()
    await db.execute(
        text("""
            UPDATE passage_terms SET slot = :first + row.n - 1 FROM unnest(CAST(:ids AS bigint[])) WITH ORDINALITY AS row (id, n)
             WHERE passage_id = row.id"""),
        {"first": stats.first, "ids": [row.passage_id for row in rows]},
    )
    await _append(db, _postings(rows, lengths, int(stats.first), float(stats.mean_length)))
    return len(rows)


@dataclass(frozen=True, slots=True)
class _Blocks:
    """What is to be appended: for each term and segment how many postings, and where in all the bytes the first of them begins."""

    terms: NDArray[np.int64]
    segments: NDArray[np.int64]
    starts: NDArray[np.int64]
    counts: NDArray[np.int64]
    postings: bytes


def _postings(rows: Sequence[Any], lengths: NDArray[np.int64], first_slot: int, mean_length: float) -> _Blocks:
    """Return what to append, sorted by term and segment: every merger then locks in the same order."""
    codes = np.frombuffer(b"".join(row.codes for row in rows), "<i4")
    row_of = np.repeat(np.arange(len(rows)), lengths)
    keys, counts = np.unique((codes >> 1).astype(np.int64) << 32 | row_of, return_counts=True)
    terms, places = keys >> 32, keys & 0xFFFFFFFF
    impacts = np.rint(IMPACT * counts * (K1 + 1) / (counts + K1 * (1 - B + B * lengths[places] / max(mean_length, 1.0))))
    scopes = np.array([scope_term(row.scope_id) for row in rows], np.int64)
    terms, places = np.concatenate((terms, scopes)), np.concatenate((places, np.arange(len(rows))))
    impacts = np.concatenate((impacts, np.ones(len(rows))))
    slots = first_slot + places
    order = np.lexsort((slots, terms))
    terms, slots = terms[order], slots[order]
    postings = np.empty(len(slots), POSTING)
    postings["position"], postings["impact"] = slots & 0xFFFF, impacts[order]
    segments = slots >> SEGMENT_BITS
    starts = np.flatnonzero(np.r_[True, (np.diff(terms) != 0) | (np.diff(segments) != 0)])
    ends = np.r_[starts[1:], len(slots)]
    return _Blocks(terms[starts], segments[starts], starts * POSTING.itemsize, ends - starts, postings.tobytes())


async def _append(db: AsyncConnection, blocks: _Blocks) -> None:
    """Append to the blocks. All bytes go as one value, cut up by the server: an array of 60,000 small ones costs a second of CPU."""
    terms, counts = _array(blocks.terms), _array(blocks.counts)
    await db.execute(
        text("""
            INSERT INTO posting_blocks AS old (term, segment, block)
            SELECT term, segment, substring(CAST(:postings AS bytea) FROM start + 1 FOR 3 * n)
              FROM unnest(CAST(:terms AS int[]), CAST(:segments AS int[]), CAST(:starts AS int[]), CAST(:counts AS int[]))
                   AS row (term, segment, start, n)
            ON CONFLICT (term, segment) DO UPDATE SET block = old.block || excluded.block"""),
        {
            "terms": terms, "segments": _array(blocks.segments), "starts": _array(blocks.starts), "counts": counts,
            "postings": blocks.postings,
        },
    )  # fmt: skip
    await db.execute(
        text("""
            INSERT INTO term_counts AS old (term, passages)
            SELECT term, sum(n) FROM unnest(CAST(:terms AS int[]), CAST(:counts AS int[])) AS row (term, n)
             WHERE term >= 0 GROUP BY term ORDER BY term
            ON CONFLICT (term) DO UPDATE SET passages = old.passages + excluded.passages"""),
        {"terms": terms, "counts": counts},
    )


def _array(numbers: NDArray[np.int64]) -> str:
    """Return numbers as PostgreSQL writes an array: the driver takes ten times as long over a list."""
    return f"{{{','.join(map(str, numbers.tolist()))}}}"


async def compact(engine: AsyncEngine) -> int:
    """Rebuild the segments of which a third is dead; return how many. A search reads the state before or after it."""
    async with engine.begin() as db:
        await db.execute(text("SELECT pg_advisory_xact_lock(:lock)"), {"lock": _LOCK})
        segments = await _dead_segments(db)
        for segment in segments:
            bounds = {"low": segment << SEGMENT_BITS, "high": (segment + 1) << SEGMENT_BITS}
            await db.execute(text("DELETE FROM posting_blocks WHERE segment = :segment"), {"segment": segment})
            await db.execute(text("UPDATE passage_terms SET slot = NULL WHERE slot >= :low AND slot < :high"), bounds)
        if segments:
            await _recount(db)
            while await _merge_rows(db):
                pass
    return len(segments)


async def _dead_segments(db: AsyncConnection) -> list[int]:
    rows = await db.execute(
        text("""
            SELECT segment, sum(octet_length(block)) / 3 AS slots,
                   (SELECT count(*) FROM passage_terms WHERE slot >= segment << :bits AND slot < (segment + 1) << :bits) AS living
              FROM posting_blocks WHERE term < 0 GROUP BY segment ORDER BY segment"""),
        {"bits": SEGMENT_BITS},
    )
    return [row.segment for row in rows if row.slots - row.living >= COMPACT_AT * row.slots]


async def _recount(db: AsyncConnection) -> None:
    """Count terms and lengths again from what is left: the passages of a compacted segment would otherwise count twice."""
    await db.execute(text("DELETE FROM term_counts"))
    await db.execute(
        text("""
            INSERT INTO term_counts (term, passages)
            SELECT term, sum(octet_length(block)) / 3 FROM posting_blocks WHERE term >= 0 GROUP BY term""")
    )
    await db.execute(
        text("""
            UPDATE search_stats SET (passages, total_length, total_title) = (
                SELECT slots, slots * coalesce(length, 0), slots * coalesce(title, 0)
                  FROM (SELECT coalesce(sum(octet_length(block)) / 3, 0) AS slots FROM posting_blocks WHERE term < 0) AS merged,
                       (SELECT avg(octet_length(codes) / 4) AS length, avg(title_terms) AS title
                          FROM passage_terms WHERE slot IS NOT NULL) AS living)""")
    )
