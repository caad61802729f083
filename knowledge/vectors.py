"""Passages as vectors beside their words: made in the background, searched by the current model alone, replaced as a whole by another.

Each model has rows of its own; one without an embedding waits for it. A question is compared only with vectors of the model that made its
own vector, named by number in the statement: vectors of two models never meet.
"""

import time
from dataclasses import dataclass, replace
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine

from knowledge.embedding import AT_ONCE, Embedder, EmbeddingError, Vectors
from nod.connect import Alone
from nod.heartbeat import DEAD_SECONDS
from nod.logs import log

EXACT_UP_TO = 50_000  # passages that a question may see; measured: exact is faster and better up to there
MOST_INDEXED = 4000  # numbers in a vector which pgvector can index at half precision
FIRST = 16  # passages in the first call; then twice as many or half, so that a call takes about
SHORT_SECONDS = 1.0  # a model on one's own machine answers one call after the other: questions wait behind the passages
AGAIN_SECONDS = 10  # a model that did not answer is left alone for so long

_log = log(__name__)


@dataclass(frozen=True, slots=True)
class Model:
    """An embedding model that has vectors. `is_asked`: it has not just failed to answer."""

    model_id: int
    name: str
    dimensions: int | None
    is_current: bool
    is_asked: bool
    has_failed: bool
    has_waiting: bool


_MODELS = f"""
    SELECT model_id, name, dimensions, is_current, failed_at IS NOT NULL AS has_failed,
           failed_at IS NULL OR failed_at < now() - interval '{AGAIN_SECONDS} seconds' AS is_asked,
           EXISTS (SELECT 1 FROM passage_vectors v WHERE v.model_id = m.model_id AND embedding IS NULL AND NOT is_refused) AS has_waiting
      FROM embedding_models m"""  # noqa: S608  # a number of our own


async def current(engine: AsyncEngine) -> Model | None:
    """Return the model whose vectors are searched, if one is whole."""
    row = await Alone(engine).row(f"{_MODELS} WHERE is_current")
    return Model(**row._asdict()) if row else None


async def failed(engine: AsyncEngine, model: Model, error: EmbeddingError) -> None:
    """Write down that a model does not answer: nobody asks it for a while, and `nod status` says so."""
    if not model.has_failed:
        _log.warning("embedding model does not answer: searching by words alone", model=model.name, kind=error.kind, error=str(error))
    await Alone(engine).run(
        "UPDATE embedding_models SET failed_at = now(), error = :kind WHERE model_id = :id", id=model.model_id, kind=error.kind
    )


async def answered(engine: AsyncEngine, model: Model) -> None:
    """Write down that a model answers again."""
    _log.info("embedding model answers again", model=model.name)
    await Alone(engine).run("UPDATE embedding_models SET failed_at = NULL, error = NULL WHERE model_id = :id", id=model.model_id)


def written(vector: Vectors) -> str:
    """Return a vector as pgvector reads it."""
    return "[" + ",".join(f"{number:.6g}" for number in vector.tolist()) + "]"


async def begin(engine: AsyncEngine, name: str) -> None:
    """Let vectors of a model be built beside those that are searched; what was being built for another is dropped."""
    async with engine.begin() as db:
        await db.execute(
            text("LOCK TABLE passages IN SHARE ROW EXCLUSIVE MODE")
        )  # what is learnt later sees the model; nothing falls between
        await db.execute(text("DELETE FROM embedding_models WHERE NOT is_current AND name <> :name"), {"name": name})
        await db.execute(text("INSERT INTO embedding_models (name) VALUES (:name) ON CONFLICT (name) DO NOTHING"), {"name": name})
        await db.execute(
            text("""
                INSERT INTO passage_vectors (passage_id, model_id, scope_id)
                SELECT t.passage_id, m.model_id, coalesce(d.removed_scope_id, t.scope_id)
                  FROM passage_terms t JOIN documents d USING (document_id), embedding_models m WHERE m.name = :name
                ON CONFLICT DO NOTHING"""),
            {"name": name},
        )


async def embed_waiting(engine: AsyncEngine, embedder: Embedder, process_id: UUID) -> int:
    """Embed passages that wait, until none does; return how many. One process at a time embeds with a model, others pass on.

    The first model begins by itself; another one is built only after `begin`, and takes the old one's place when it is whole.
    """
    if not embedder.wanted:
        return 0
    models = await _models(engine)
    if not any(model.is_current or model.name == embedder.wanted for model in models):
        await begin(engine, embedder.wanted)
        models = await _models(engine)
    wanted = [model for model in models if model.is_asked and (model.is_current or model.name == embedder.wanted)]
    return sum([await _embed(engine, embedder, model, process_id) for model in wanted if model.has_waiting or not model.is_current])


async def _models(engine: AsyncEngine) -> list[Model]:
    return [Model(**row._asdict()) for row in await Alone(engine).rows(f"{_MODELS} ORDER BY is_current DESC, model_id")]


async def _embed(engine: AsyncEngine, embedder: Embedder, model: Model, process_id: UUID) -> int:
    done, at_once = 0, FIRST
    while await _claim(engine, model, process_id):
        if not (waiting := await _waiting(engine, model, at_once)):
            await _finish(engine, model)
            break
        began = time.monotonic()
        try:
            vectors = await embedder.passages(model.name, list(waiting.values()))
            await _keep(engine, model, dict(zip(waiting, vectors, strict=True)))
        except EmbeddingError as error:
            if error.kind == "slow" and at_once > 1:
                at_once = 1
                continue
            await failed(engine, model, error)
            break
        if model.has_failed:
            await answered(engine, model)
            model = replace(model, has_failed=False)
        done += len(waiting)
        at_once = min(2 * at_once, AT_ONCE) if time.monotonic() - began < SHORT_SECONDS else max(at_once // 2, 1)
    return done


async def _claim(engine: AsyncEngine, model: Model, process_id: UUID) -> bool:
    """Take it on to embed with a model, unless a living process does, or the model was dropped."""
    mine = await Alone(engine).run(
        """
        UPDATE embedding_models m SET process_id = :me
         WHERE model_id = :id AND (process_id IS NULL OR process_id = :me OR NOT EXISTS (
               SELECT 1 FROM processes p
                WHERE p.process_id = m.process_id AND p.seen_at > now() - make_interval(secs => :dead)))""",
        id=model.model_id, me=process_id, dead=DEAD_SECONDS,
    )  # fmt: skip
    return mine == 1


async def _waiting(engine: AsyncEngine, model: Model, most: int) -> dict[int, str]:
    """Return the next passages without a vector, as they are embedded: below their title and headings."""
    rows = await Alone(engine).rows(
        """
        SELECT passage_id, concat_ws(E'\\n', nullif(d.title, ''), nullif(p.heading, ''), p.text) AS text
          FROM passage_vectors v JOIN passages p USING (passage_id) JOIN documents d USING (document_id)
         WHERE model_id = :id AND embedding IS NULL AND NOT is_refused ORDER BY passage_id LIMIT :most""",
        id=model.model_id, most=most,
    )  # fmt: skip
    return {row.passage_id: row.text for row in rows}


async def _keep(engine: AsyncEngine, model: Model, vectors: dict[int, Vectors | None]) -> None:
    """Keep vectors, all of the length of the model's first. Raises EmbeddingError when another model answers under its name."""
    sizes = {len(vector) for vector in vectors.values() if vector is not None}
    async with engine.begin() as db:
        size = (
            await db.execute(
                text("UPDATE embedding_models SET dimensions = coalesce(dimensions, :size) WHERE model_id = :id RETURNING dimensions"),
                {"id": model.model_id, "size": max(sizes, default=None)},
            )
        ).scalar()
        if sizes - {size}:
            raise EmbeddingError(f"{model.name} gives vectors of {max(sizes)} numbers, no longer of {size}", "other")
        await db.execute(
            text("""
                UPDATE passage_vectors v SET embedding = CAST(row.vector AS halfvec), is_refused = row.vector IS NULL
                  FROM unnest(CAST(:ids AS bigint[]), CAST(:vectors AS text[])) AS row (id, vector)
                 WHERE v.passage_id = row.id AND v.model_id = :model"""),
            {
                "model": model.model_id, "ids": list(vectors),
                "vectors": [None if vector is None else written(vector) for vector in vectors.values()],
            },
        )  # fmt: skip


async def _finish(engine: AsyncEngine, model: Model) -> None:
    """Index vectors when they are many; then let a model that is whole take the place of the current one, whose vectors go."""
    await _index(engine, model)
    if model.is_current:
        return
    async with engine.begin() as db:
        if (await db.execute(text(f"{_MODELS} WHERE model_id = :id"), {"id": model.model_id})).mappings().one()["has_waiting"]:
            return
        gone = await db.execute(text("DELETE FROM embedding_models WHERE is_current RETURNING model_id"))
        for (old,) in gone.all():
            await db.execute(text(f"DROP INDEX IF EXISTS {_index_of(old)}"))
        await db.execute(text("UPDATE embedding_models SET is_current = true WHERE model_id = :id"), {"id": model.model_id})
    _log.info("searching with a new embedding model", model=model.name)


async def _index(engine: AsyncEngine, model: Model) -> None:
    """Make the index for searches that may see very much; an index whose making was killed is made anew."""
    name = _index_of(model.model_id)
    db = Alone(engine)
    row = await db.row(
        """
        SELECT (SELECT count(*) FROM passage_vectors WHERE model_id = :id) AS vectors,
               (SELECT dimensions FROM embedding_models WHERE model_id = :id) AS size,
               (SELECT indisvalid FROM pg_index WHERE indexrelid = to_regclass(:name)) AS is_whole""",
        id=model.model_id, name=name,
    )  # fmt: skip
    if row.vectors <= EXACT_UP_TO or row.is_whole or not 0 < (row.size or 0) <= MOST_INDEXED:
        return
    await db.run(f"DROP INDEX IF EXISTS {name}")
    await db.run(f"""
        CREATE INDEX CONCURRENTLY {name} ON passage_vectors USING hnsw ((embedding::halfvec({row.size})) halfvec_ip_ops)
         WHERE model_id = {model.model_id}""")


def _index_of(model_id: int) -> str:
    return f"passage_vectors_nearest_{model_id:d}"
