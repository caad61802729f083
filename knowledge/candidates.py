"""Which passages are worth an exact score: those whose posting blocks add up to most for a question."""

import itertools
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from knowledge.analyse import Query
from knowledge.index import COMPACT_AT, IMPACT, POSTING, SEGMENT_BITS, scope_term
from knowledge.score import Floats, Ints
from knowledge.visible import Rows, Snapshot, Visible

CANDIDATES = (100, 400)  # of few passages, and of very many; of 100,000 each 200 missed 1 % of the best ten
MOST_SEEN = 0.5  # of all passages: who sees more of very many is not compared with a list of them
ENOUGH = 1 - COMPACT_AT  # of what is taken: a removed passage stays listed until so many are
MOST_POSTINGS = 300_000  # read for a question; its commonest terms are left out beyond that
_SAMPLED = 16  # of so many sums one tells about where the largest begin

_Block = tuple[int, int, bytes]  # a term (of a scope: below 0), a segment, and the postings
_Sums = NDArray[np.float32]


async def candidates(visible: Visible, merged: int) -> Rows:
    """Return the merged passages which the posting blocks propose and the question sees: it sees `merged` of them at most.

    Who sees most of very many passages is spared the list of what they see (three bytes a passage): a few more of the best among all
    are taken, and those that they may not see fall out when the rows are read.
    """
    weights = _heaviest(visible.query, visible.corpus().idf, visible.frequencies)
    wanted = CANDIDATES[visible.are_many]
    tries = _tries(visible, merged, wanted)
    while True:
        scopes, most = next(tries)
        slots = await _best_slots(visible.db, weights, scopes, most)
        rows = await visible.at(slots)
        if len(rows.ids) >= ENOUGH * wanted or len(slots) < most:
            return rows


def _tries(visible: Visible, merged: int, wanted: int) -> Iterator[tuple[list[int], int]]:
    """Give under which scopes a passage must be listed (none: it need not be), and how many are taken."""
    if visible.are_many and (share := merged / visible.passages) > MOST_SEEN:
        yield [], int(1.2 * wanted / share)
    scopes = [scope_term(scope_id) for scope_id in visible.scope_ids]
    for n in itertools.count():
        yield scopes, wanted * 4**n  # what was taken away a moment ago is still listed


def _heaviest(query: Query, idf: Floats, frequencies: Floats) -> dict[int, float]:
    """Return the question's terms with what they weigh, without its commonest ones when all together stand in too many passages.

    `idf` and `frequencies` have a number for each term of the question.
    """
    weights = query.weights * idf
    for same in query.same_words:
        weights[list(same.other)] = np.maximum(weights[list(same.other)], weights[list(same.asked)].sum() / len(same.other))
    chosen: dict[int, float] = {}
    postings = 0.0
    for n in np.argsort(-weights, kind="stable").tolist():
        if postings > MOST_POSTINGS and len(chosen) >= 2:
            break
        if frequencies[n]:
            postings += frequencies[n]
            chosen[int(query.ids[n])] = float(weights[n])
    return chosen


async def _best_slots(db: Snapshot, weights: Mapping[int, float], scopes: Sequence[int], most: int) -> list[int]:
    """Return the slots of the passages whose terms weigh most; of those alone that are listed under `scopes`, if any is named."""
    await db.execute("SELECT term, segment, block FROM posting_blocks WHERE term = ANY(%s::int[])", ([*weights, *scopes],))
    by_segment: dict[int, list[_Block]] = defaultdict(list)
    for block in await db.fetchall():
        by_segment[block[1]].append(block)
    sums = np.zeros((len(by_segment), 1 << SEGMENT_BITS), np.float32)
    for n, blocks in enumerate(by_segment.values()):
        _add_up(sums[n], blocks, weights)
        if scopes:
            sums[n] *= _listed(blocks)
    best = _largest(sums.ravel(), most)
    segments = np.array(list(by_segment), np.int64)
    return ((segments[best >> SEGMENT_BITS] << SEGMENT_BITS) + (best & 0xFFFF)).tolist() if len(best) else []


def _add_up(sums: _Sums, blocks: Sequence[_Block], weights: Mapping[int, float]) -> None:
    """Add up one segment: its sums fit into a processor's cache, those of all segments do not."""
    asked = [(weights[term] / IMPACT, block) for term, _, block in blocks if term >= 0]
    if asked:
        postings = _joined([block for _, block in asked])
        weight = np.repeat(np.array([weight for weight, _ in asked], np.float32), [len(block) // POSTING.itemsize for _, block in asked])
        sums += np.bincount(postings["position"], postings["impact"] * weight, len(sums))


def _listed(blocks: Sequence[_Block]) -> NDArray[np.bool_]:
    """Return which positions of a segment its scopes list."""
    listed = np.zeros(1 << SEGMENT_BITS, bool)
    listed[_joined([block for term, _, block in blocks if term < 0])["position"]] = True
    return listed


def _joined(blocks: Sequence[bytes]) -> NDArray[Any]:
    return np.frombuffer(b"".join(blocks), POSTING)


def _largest(sums: _Sums, most: int) -> Ints:
    """Return which sums are the largest, none of 0. What is surely not among them is left out by a sample first."""
    reached = np.flatnonzero(sums)
    if len(reached) <= most:
        return reached
    reached_sums = sums[reached]
    sample, nth = reached_sums[::_SAMPLED], max(1, 2 * most // _SAMPLED)
    if len(sample) > nth:
        is_large = reached_sums >= np.partition(sample, -nth)[-nth]
        if np.count_nonzero(is_large) >= most:
            reached, reached_sums = reached[is_large], reached_sums[is_large]
    return reached[np.argpartition(-reached_sums, most - 1)[:most]]
