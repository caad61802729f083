"""Vectors beside words: made in the background, within the scopes, never of two models at once, and done without when the model is away."""

import io
import math
import re
from dataclasses import replace
from types import SimpleNamespace
from typing import Any
from uuid import uuid4

import pytest
from langchain_core.embeddings import Embeddings
from sqlalchemy import text

from knowledge import embedding, nearest, vectors
from knowledge.embed_cli import embed
from knowledge.embedding import EmbeddingError, beginning, known_of
from knowledge.nearest import AskingModel
from knowledge.removal import bring_back, take_away
from knowledge.search import Found, Search
from knowledge.vectors import begin
from nod.contracts import EVERYONE
from nod.errors import ConfigError, UnavailableError
from tests.knowledge.shelf import LARGE, MISSPELT, SMALL, TRAVEL, Vectors


async def test_vectors_find_what_shares_no_word_and_a_passage_says_how_much_they_counted(shelf: Vectors):
    assert (await Search(shelf.engine).find(MISSPELT, [EVERYONE])).passages == ()
    assert await shelf.embeds() == 3
    assert await shelf.models() == {SMALL: (True, 3, 0)}
    best = (await shelf.finds(MISSPELT)).passages[0]
    assert best.title == "Travel"
    assert best.parts["vectors"] == best.score == known_of(SMALL).en
    both = (await shelf.finds("연차 이월")).passages[0]
    assert (both.title, both.score) == ("휴가 규정", 1.0)
    assert sum(both.parts.values()) == pytest.approx(1.0, abs=0.001)
    assert both.parts["vectors"] == pytest.approx(known_of(SMALL).ko)


async def test_without_a_model_nothing_is_asked_and_nothing_is_kept(shelf: Vectors):
    shelf.starts(None)
    assert await shelf.embeds() == 0
    assert await shelf.models() == {}
    assert shelf.agent.embedded == []


async def test_a_passage_is_found_by_its_words_at_once_and_counts_by_them_in_full_until_it_has_a_vector(shelf: Vectors):
    await shelf.embeds()
    await shelf.knowledge.holds("법무", "연차 이월 소송 기록")
    assert (await shelf.models())[SMALL] == (True, 3, 1)
    best = (await shelf.finds("연차 이월 소송")).passages[0]
    assert (best.title, best.score, best.parts["vectors"]) == ("법무", 1.0, 0.0)
    assert await shelf.embeds() == 1
    assert (await shelf.finds("연차 이월 소송")).passages[0].parts["vectors"] > 0


@pytest.mark.parametrize("is_indexed", [False, True], ids=["exact", "indexed"])
async def test_only_named_scopes_are_searched_by_vectors_too(shelf: Vectors, monkeypatch: pytest.MonkeyPatch, is_indexed: bool):
    await shelf.knowledge.holds("Secret", *[f"{TRAVEL} {n}" for n in range(130)], scope="channel:slack:C1")
    await shelf.knowledge.merges()
    if is_indexed:
        monkeypatch.setattr(vectors, "EXACT_UP_TO", 0)
        monkeypatch.setattr(nearest, "EXACT_UP_TO", 0)
    await shelf.embeds()
    async with shelf.engine.connect() as db:
        assert (
            "passage_vectors_nearest_1" in (await db.execute(text("SELECT string_agg(indexname, ' ') FROM pg_indexes"))).scalar_one()
        ) is is_indexed
    assert [passage.title for passage in (await shelf.finds(MISSPELT)).passages][:1] == ["Travel"]
    assert "Secret" not in {passage.title for passage in (await shelf.finds(MISSPELT)).passages}
    assert {passage.title for passage in (await shelf.finds(MISSPELT, "channel:slack:C1")).passages} == {"Secret"}
    async with shelf.engine.begin() as db:  # even if the rows of vectors named the wrong scope
        await db.execute(text("UPDATE passage_vectors SET scope_id = (SELECT scope_id FROM scopes WHERE name = 'everyone')"))
    assert "Secret" not in {passage.title for passage in (await shelf.finds(MISSPELT)).passages}


async def test_what_is_taken_away_is_not_found_by_its_vector_until_it_is_back(shelf: Vectors):
    await shelf.embeds()
    document = (await shelf.finds(MISSPELT)).passages[0].document_id
    async with shelf.engine.begin() as db:
        await take_away(db, document)
    found = await shelf.finds(MISSPELT)
    assert "Travel" not in {passage.title for passage in found.passages}
    await bring_back(shelf.engine, document)
    back = await shelf.finds(MISSPELT)
    assert back.passages[0].title == "Travel"
    assert back.nearest is not None
    assert found.nearest is not None
    assert back.nearest > found.nearest
    async with shelf.engine.begin() as db:
        await take_away(db, document)
    shelf.search = Search(shelf.engine, shelf.asks(shelf.starts(LARGE)))
    await begin(shelf.engine, LARGE)
    await shelf.embeds()
    assert "Travel" not in {passage.title for passage in (await shelf.finds(MISSPELT)).passages}
    await bring_back(shelf.engine, document)
    assert (await shelf.finds(MISSPELT)).passages[0].title == "Travel"


async def test_what_is_taken_away_crowds_nothing_out_of_the_nearest(shelf: Vectors):
    document = await shelf.knowledge.holds("Old travel", *[f"{MISSPELT} {n}" for n in range(130)])
    await shelf.knowledge.merges()
    await shelf.embeds()
    async with shelf.engine.begin() as db:
        await take_away(db, document)
    assert (await shelf.finds(MISSPELT)).passages[0].title == "Travel"


async def test_what_is_forgotten_takes_its_vectors_along(shelf: Vectors):
    await shelf.embeds()
    await shelf.knowledge.forgets()
    assert await shelf.models() == {SMALL: (True, 0, 0)}
    assert (await shelf.finds(MISSPELT)).passages == ()


@pytest.mark.parametrize("trouble", ["down", "slow", "bad key", "another model"])
async def test_while_the_model_does_not_answer_words_are_searched_and_it_is_left_alone(
    shelf: Vectors, trouble: str, monkeypatch: pytest.MonkeyPatch
):
    await shelf.embeds()
    assert (await shelf.finds("연차 이월")).passages[0].parts["vectors"]
    match trouble:
        case "down":
            shelf.agent.embeds(status=500)
        case "slow":
            monkeypatch.setattr(shelf.search._asking, "_budget_seconds", 0.05)
            shelf.agent.embeds(after=0.2)
        case "bad key":
            shelf.agent.embeds(status=401)
        case _:
            shelf.agent.embeds(size=64)
    for _ in range(nearest.LATE_MOST):
        assert "vectors" not in (await shelf.finds("연차 이월")).passages[0].parts
    asked = len(shelf.agent.embedded)
    found = await shelf.finds("연차 이월")
    assert ("vectors" in found.passages[0].parts, found.is_known, len(shelf.agent.embedded)) == (False, True, asked)
    async with shelf.engine.connect() as db:
        kind = (await db.execute(text("SELECT error FROM embedding_models"))).scalar_one()
    assert kind == {"down": "down", "slow": "slow", "bad key": "bad_key", "another model": "other"}[trouble]
    shelf.agent.embeds()
    monkeypatch.undo()
    await shelf.passes(vectors.AGAIN_SECONDS)
    assert (await shelf.finds("연차 이월")).passages[0].parts["vectors"]
    async with shelf.engine.connect() as db:
        assert (await db.execute(text("SELECT error FROM embedding_models"))).scalar_one() is None


async def test_embedding_goes_on_where_it_was_left_and_one_process_at_a_time_does_it(shelf: Vectors, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(vectors, "FIRST", 2)
    other = uuid4()
    async with shelf.engine.begin() as db:
        await db.execute(text("INSERT INTO processes (process_id, role, pid, host) VALUES (:id, 'worker', 1, 'x')"), {"id": other})
    shelf.agent.embeds(most_characters=0)  # it dies after its first call
    shelf.embedder.passages = _dies_after(1, shelf.embedder.passages)  # type: ignore[method-assign]  # a kill between two calls
    shelf.agent.embeds()
    with pytest.raises(_KilledError):
        await shelf.embeds(other)
    assert await shelf.models() == {SMALL: (False, 2, 1)}
    shelf.starts(SMALL)
    assert await shelf.embeds() == 0  # it still beats
    async with shelf.engine.begin() as db:
        await db.execute(text("UPDATE processes SET seen_at = now() - interval '7 seconds'"))
    assert await shelf.embeds() == 1
    assert await shelf.models() == {SMALL: (True, 3, 0)}
    assert sorted(len(texts) for texts in shelf.agent.embedded) == [1, 2]


class _KilledError(BaseException):
    pass


def _dies_after(calls: int, act: Any) -> Any:
    async def acts(*given: Any) -> Any:
        nonlocal calls
        if not calls:
            raise _KilledError
        calls -= 1
        return await act(*given)

    return acts


async def test_another_model_is_built_beside_the_old_one_only_when_it_is_begun_and_takes_its_place_when_whole(
    shelf: Vectors, monkeypatch: pytest.MonkeyPatch
):
    await shelf.embeds()
    monkeypatch.setattr(vectors, "FIRST", 2)
    shelf.starts(LARGE)
    assert await shelf.embeds() == 0  # setting it is not enough: it costs
    await begin(shelf.engine, LARGE)
    shelf.embedder.passages = _dies_after(1, shelf.embedder.passages)  # type: ignore[method-assign]
    with pytest.raises(_KilledError):
        await shelf.embeds()
    assert await shelf.models() == {SMALL: (True, 3, 0), LARGE: (False, 2, 1)}
    shelf.search = Search(shelf.engine, shelf.asks(shelf.starts(LARGE)))
    assert (await shelf.finds(MISSPELT)).passages[0].title == "Travel"  # by the old one, which alone is whole
    assert shelf.agent.calls[-1].body["model"] == SMALL.partition(":")[2]
    await shelf.knowledge.holds("Late", "Learnt while another model was built.")
    assert await shelf.embeds() == 1 + 1 + 1  # the new one's rest, and the late passage with both
    assert await shelf.models() == {LARGE: (True, 4, 0)}
    assert (await shelf.finds(MISSPELT)).passages[0].title == "Travel"
    assert shelf.agent.calls[-1].body["model"] == LARGE.partition(":")[2]


async def test_what_another_model_costs_is_shown_and_nothing_begins_without_a_yes(
    shelf: Vectors, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
):
    await shelf.embeds()
    changed = shelf.settings.model_copy(update={"embedding_model": LARGE})
    monkeypatch.setattr("sys.stdin", io.StringIO("n\n"))
    said = await embed(shelf.engine, changed, is_agreed=False, is_quiet=False)
    shown = capsys.readouterr().out
    assert f"Vectors of {SMALL} are in use; NOD_EMBEDDING_MODEL is {LARGE}." in shown
    letters = len(TRAVEL) + len("Open the client and choose Seoul.")
    assert (said["passages"], said["begun"], said["usd"]) == (3, False, said["tokens"] * 0.13 / 1e6)
    assert letters / 4 < said["tokens"] < letters / 4 + len("연차는 다음 해 3월 31일까지 이월돼요.")
    assert f"3 passages, about {said['tokens']} tokens: $0.00, about 0 seconds." in shown
    assert list(await shelf.models()) == [SMALL]
    assert (await embed(shelf.engine, changed, is_agreed=False, is_quiet=True))["begun"] is False
    assert (await embed(shelf.engine, changed, is_agreed=True, is_quiet=True))["begun"] is True
    assert await shelf.models() == {SMALL: (True, 3, 0), LARGE: (False, 0, 3)}


@pytest.mark.parametrize(
    ("language", "sentence"), [("en", "the key for openai:text-embedding-3-large was refused"), ("ko", "키가 거절됐어요")]
)
async def test_a_model_that_does_not_answer_is_not_changed_to(
    shelf: Vectors, monkeypatch: pytest.MonkeyPatch, language: str, sentence: str
):
    await shelf.embeds()
    monkeypatch.setenv("NOD_LANGUAGE", language)
    shelf.agent.embeds(status=401)
    with pytest.raises(UnavailableError, match=sentence):
        await embed(shelf.engine, shelf.settings.model_copy(update={"embedding_model": LARGE}), is_agreed=True, is_quiet=True)
    with pytest.raises(ConfigError, match="openai:text-embedding-3-small"):
        await embed(shelf.engine, shelf.settings.model_copy(update={"embedding_model": None}), is_agreed=True, is_quiet=True)
    assert list(await shelf.models()) == [SMALL]


async def test_vectors_of_a_changed_model_under_the_same_name_are_not_kept(shelf: Vectors):
    await shelf.embeds()
    await shelf.knowledge.holds("Late", "Learnt when the server had another model under the same name.")
    shelf.agent.embeds(size=64)
    assert await shelf.embeds() == 0
    assert await shelf.models() == {SMALL: (True, 3, 1)}


async def test_a_text_that_the_model_refuses_is_embedded_by_its_beginning_and_holds_up_no_other(shelf: Vectors):
    await shelf.knowledge.holds("Long", "길어요. " * 300)
    await shelf.knowledge.holds("Short", "짧아요.")
    shelf.agent.embeds(most_characters=500)
    assert await shelf.embeds() == 5
    assert await shelf.models() == {SMALL: (True, 5, 0)}
    shelf.agent.embeds(most_characters=90)
    await shelf.knowledge.holds("Longer", "길어요. " * 300)
    assert await shelf.embeds() == 1
    assert await shelf.models() == {SMALL: (True, 5, 1)}  # in vain, and not tried again
    assert await shelf.embeds() == 0


async def test_nothing_longer_than_the_model_takes_is_sent_to_it(shelf: Vectors):
    long = "길어요 🙂 " * 1500
    (vector,) = await shelf.embedder.passages(SMALL, [long])
    assert vector is not None
    await shelf.embedder.question(SMALL, long)
    sent = [one for call in shelf.agent.embedded for one in call]
    assert [8187 < len(one.encode()) <= 8191 for one in sent] == [True, True]
    assert all(long.startswith(one) for one in sent)
    assert beginning("ollama:bge-m3", long) == long


class Pieces:
    """A tokeniser called as sentence-transformers calls transformers' fast ones: each word in pieces, 🙂 as two, around it two tokens of its own."""

    is_fast = True

    def __call__(self, text: str, *, padding: bool, truncation: str, max_length: int, return_offsets_mapping: bool) -> dict[str, Any]:
        assert (padding, truncation, return_offsets_mapping) == (True, "longest_first", True)
        assert "\n" not in text
        found = [piece.span() for piece in re.finditer(r"[^\W_]{1,4}|[^\w\s]", text) for _ in range(1 + (piece[0] == "🙂"))]
        return {"offset_mapping": [(0, 0), *found[: max_length - 2], (0, 0)]}


class Local(Embeddings):
    """What langchain-huggingface gives: the model of sentence-transformers is its `_client`."""

    def __init__(self, most: float | None, tokenizer: object = None) -> None:
        self._client = SimpleNamespace(max_seq_length=most, tokenizer=tokenizer)
        self.sent: list[str] = []

    def embed_documents(self, texts: list[str]) -> list[list[float]]:
        self.sent += texts
        return [[1.0, 0.0] for _ in texts]

    def embed_query(self, text: str) -> list[float]:
        return self.embed_documents([text])[0]


async def test_a_model_that_runs_here_is_sent_what_its_own_tokeniser_counts_as_its_input(shelf: Vectors):
    line = "길어요, very\nlong 🙂 "
    long = line * 200
    for most, tokenizer, characters in (
        (64, Pieces(), len(line) * 10 + len("길어요")),  # 62 pieces fit, six a time; what fills it may go on
        (63, Pieces(), len(line) * 10), (62, Pieces(), len(line) * 9 + len("길어요, very\nlong ")),
        (None, Pieces(), len(long)), (1e30, Pieces(), len(long)), (64, SimpleNamespace(is_fast=False), len(long)), (64, None, len(long)),
    ):  # fmt: skip
        shelf.embedder._loaded["huggingface:x"] = local = Local(most, tokenizer)
        await shelf.embedder.passages("huggingface:x", [long, "short"])
        await shelf.embedder.question("huggingface:x", long)
        assert [len(one) for one in local.sent] == [characters, len("short"), characters]
        assert long.startswith(local.sent[0])


@pytest.mark.parametrize(
    ("model", "language", "sentence"),
    [
        ("text-embedding-3-small", "en", "names no model; write the provider and the model, such as openai:text-embedding-3-small"),
        ("nobody:model", "ko", "모델 이름이 아니에요"), ("ollama:bge-m3", "en", "needs the package langchain-ollama. Install it with: .venv/bin/uv"),
        ("cohere:embed-v4", "ko", "langchain-cohere 패키지가 필요해요"),
    ],
)  # fmt: skip
async def test_a_model_that_cannot_be_loaded_is_told_in_a_sentence(
    shelf: Vectors, model: str, language: str, sentence: str, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setenv("NOD_LANGUAGE", language)
    with pytest.raises(EmbeddingError, match=sentence) as told:
        await shelf.embedder.question(model, "x")
    assert told.value.kind == "config"


async def test_where_it_was_measured_the_best_cosine_tells_whether_nod_knows(shelf: Vectors):
    await shelf.embeds()

    async def finds(question: str, **knows: tuple[float, float]) -> Found:
        asking = AskingModel(shelf.engine, shelf.embedder, replace(known_of(SMALL), **knows), budget_seconds=30)
        return await Search(shelf.engine, asking).find(question, [EVERYONE])

    by_words, misspelt = await finds("business travel"), await finds(MISSPELT)
    assert (by_words.is_known, misspelt.is_known) == (True, False)
    assert (await Search(shelf.engine).find("business travel", [EVERYONE])).confidence == by_words.confidence
    assert misspelt.nearest is not None
    assert 0.3 < misspelt.nearest < 1
    surer = await finds(MISSPELT, en_knows=(20.0, 2.0))
    assert surer.is_known
    assert _log_odds(surer) == pytest.approx(_log_odds(misspelt) + 20 * misspelt.nearest - 2)
    assert not (await finds("business travel", en_knows=(0.0, 20.0))).is_known
    assert (await finds("연차 이월", en_knows=(0.0, 20.0))).is_known  # nobody measured it in Korean
    assert not (await finds("연차 이월", ko_knows=(0.0, 20.0))).is_known
    await shelf.knowledge.holds("Pool", "The pool opens on Tuesdays.")
    late = await finds("When does the pool open on Tuesdays?", en_knows=(0.0, 20.0))
    assert (late.passages[0].title, late.is_known) == ("Pool", True)  # what has no vector yet goes by its words
    await shelf.embeds()
    assert not (await finds("When does the pool open on Tuesdays?", en_knows=(0.0, 20.0))).is_known


def _log_odds(found: Found) -> float:
    return math.log(found.confidence / (1 - found.confidence))


def test_a_mixed_question_lies_between_what_was_measured_for_its_languages():
    known = replace(known_of(SMALL), en_knows=(20.0, 8.0), ko_knows=(10.0, 2.0))
    assert [known.knows(share) for share in (0.0, 1.0, 0.5)] == [(20.0, 8.0), (10.0, 2.0), (15.0, 5.0)]


async def test_a_model_whose_vectors_do_not_count_in_a_language_is_not_asked_in_it(shelf: Vectors):
    await shelf.embeds()
    english = replace(known_of(SMALL), ko=0.0)
    shelf.search = Search(shelf.engine, AskingModel(shelf.engine, shelf.embedder, english))
    before = len(shelf.agent.embedded)
    assert "vectors" not in (await shelf.finds("연차 이월")).passages[0].parts
    assert len(shelf.agent.embedded) == before


def test_the_table_of_models_is_whole():
    assert known_of("ollama:all-minilm:33m").ko == 0
    assert known_of("huggingface:sentence-transformers/all-MiniLM-L6-v2").en == 0.4
    assert known_of("mistralai:never-heard-of") == known_of("x:y")
    assert known_of("cohere:embed-v4.0") == replace(known_of("x:y"), usd=0.12)
    assert known_of("ollama:bge-m3") == known_of("huggingface:BAAI/bge-m3") == replace(known_of("openai:bge-m3"), usd=0)
    for name in embedding._table():
        known = known_of(f"x:{name}")
        assert 0 <= known.ko <= known.en <= 1, name
        assert all(len(knows) == 2 and min(knows) >= 0 for knows in (known.en_knows, known.ko_knows)), name
        assert known.en or not any(known.en_knows), name  # a model that is not asked tells nothing
        assert known.ko or not any(known.ko_knows), name
