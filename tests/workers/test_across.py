"""Sixty questions whose answer stands in the other language, asked the whole way; the light model says the translations of the data."""

import json
from collections import Counter
from pathlib import Path

import pytest
from sqlalchemy import text

from knowledge.beir import BeirSet, beir_from
from knowledge.evaluation import index_corpus
from tests.fakes.model import FOREVER, FakeModel
from tests.workers.desk import Desk

FOLDER = Path(__file__).parents[1] / "knowledge" / "across"


async def learns(desk: Desk, beir: BeirSet) -> dict[int, str]:
    """Put the passages of the set into the index; return their ids by number."""
    engine = desk.record.engine
    await index_corpus(engine, beir.corpus, lambda _: None)
    async with engine.begin() as db:
        await db.execute(text("UPDATE documents SET language = CASE WHEN location LIKE '%-ko-%' THEN 'ko' ELSE 'en' END"))
        rows = await db.execute(text("SELECT passage_id, location FROM passages JOIN documents USING (document_id)"))
        return {row.passage_id: row.location for row in rows}


async def test_the_passage_in_the_other_language_is_among_the_first_five(
    model_desk: Desk, agent: FakeModel, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("workers.interpreter.BUDGET_SECONDS", 10.0)  # what is measured is search, not this machine
    beir = beir_from(FOLDER)
    names = await learns(model_desk, beir)
    agent.will_stream("…", times=FOREVER)
    for row in map(json.loads, (FOLDER / "queries.jsonl").read_text("utf-8").splitlines()):
        agent.will_write(row["translation"], when=row["text"])
    found: Counter[str] = Counter()
    async with model_desk.open():
        accepted = [(question, await model_desk.asks(question.text, thread=question.id)) for question in beir.questions]
        for question, one in accepted:
            answer = await model_desk.reads(one, within=60.0)
            shown = [names[passage["passage_id"]] for passage in (await model_desk.row(answer.answer_id))["passages"][:5]]
            found[question.id[:2]] += not question.wanted.keys().isdisjoint(shown)
    assert found["ko"] >= 0.85 * 30
    assert found["en"] >= 0.85 * 30
