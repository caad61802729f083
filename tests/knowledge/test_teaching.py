"""What people teach: found in the next question, replaced, undone, taken away and brought back; seen by nobody else."""

from pathlib import Path
from uuid import uuid4

import pytest
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine

from knowledge import index
from knowledge.ingest import queue_upload, read_waiting
from knowledge.removal import bring_back, forget_removed, take_away
from knowledge.search import Search
from knowledge.teaching import Lesson, scope_taught_in, teach, title_of, undo, versions
from nod.contracts import EVERYONE, Place
from nod.errors import ConfigError, LoadError, NotFoundError
from nod.files import Files
from nod.record import Record
from tests.asked import ALEX, JISU

LEGAL = "channel:slack:C9"


async def found(engine: AsyncEngine, question: str, *scopes: str) -> list[str]:
    """The passages that a question finds."""
    return [passage.text for passage in (await Search(engine).find(question, scopes or (EVERYONE,))).passages]


@pytest.mark.parametrize(
    ("said", "question"),
    [
        ("사내 수영장은 화요일에 열어요. 열쇠는 총무팀에 있어요.", "수영장 언제 열어?"),
        ("The pool opens on Tuesdays.", "when does the pool open?"),
    ],
)
async def test_what_was_taught_is_found_by_the_next_question_and_by_no_other_place(
    engine: AsyncEngine, record: Record, said: str, question: str
) -> None:
    taught = await teach(engine, record, Lesson(said, LEGAL), JISU)
    assert taught.is_new
    assert await found(engine, question, EVERYONE, LEGAL) == [said]
    assert await found(engine, question) == []


async def test_the_same_title_again_replaces_it_and_the_old_version_is_kept_with_who_taught_it(engine: AsyncEngine, record: Record) -> None:
    first = await teach(engine, record, Lesson("화요일에 열어요.", EVERYONE, "수영장은 언제 열어?"), JISU)
    again = await teach(engine, record, Lesson("수요일에 열어요.", EVERYONE, "수영장은 언제 열어"), ALEX)
    assert (again.document_id, again.is_new) == (first.document_id, False)
    assert await found(engine, "수영장 언제 열어?") == ["수요일에 열어요."]
    kept = await versions(engine, first.document_id)
    assert [(each.version, each.text, each.taught_by) for each in kept] == [
        (2, "수요일에 열어요.", "Alex"),
        (1, "화요일에 열어요.", "지수"),
    ]


async def test_the_very_same_twice_is_one_version(engine: AsyncEngine, record: Record) -> None:
    one, other = [await teach(engine, record, Lesson("화요일에 열어요.", EVERYONE), JISU) for _ in range(2)]
    assert one.lesson_id == other.lesson_id
    assert len(await versions(engine, one.document_id)) == 1


async def test_undo_brings_the_version_before_back_and_then_takes_all_away(engine: AsyncEngine, record: Record) -> None:
    first = await teach(engine, record, Lesson("화요일에 열어요.", EVERYONE, "수영장"), JISU)
    second = await teach(engine, record, Lesson("수요일에 열어요.", EVERYONE, "수영장"), JISU)
    with pytest.raises(NotFoundError):
        await undo(engine, first.lesson_id, JISU)  # replaced: not the newest
    assert not (await undo(engine, second.lesson_id, JISU)).is_gone
    assert await found(engine, "수영장") == ["화요일에 열어요."]
    assert (await undo(engine, first.lesson_id, JISU)).is_gone
    assert await found(engine, "수영장") == []
    with pytest.raises(NotFoundError):
        await undo(engine, first.lesson_id, JISU)
    await teach(engine, record, Lesson("목요일에 열어요.", EVERYONE, "수영장"), JISU)
    assert await found(engine, "수영장") == ["목요일에 열어요."]


async def test_only_its_teacher_or_an_admin_can_undo(engine: AsyncEngine, record: Record) -> None:
    taught = await teach(engine, record, Lesson("화요일에 열어요.", EVERYONE, "수영장"), JISU)
    await teach(engine, record, Lesson("다른 얘기예요.", EVERYONE), ALEX)
    with pytest.raises(NotFoundError):
        await undo(engine, taught.lesson_id, ALEX)
    assert await found(engine, "수영장") == ["화요일에 열어요."]
    await undo(engine, taught.lesson_id, ALEX, is_admin=True)
    assert await found(engine, "수영장") == []


async def test_a_message_taught_again_replaces_itself_whatever_it_says_now(engine: AsyncEngine, record: Record) -> None:
    url = "https://acme.slack.com/archives/C1/p1"
    await teach(engine, record, Lesson("수영장은 화요일에 열어요.", EVERYONE, url=url), JISU)
    await teach(engine, record, Lesson("수영장은 수요일에 열어요.", EVERYONE, url=url), JISU)
    (passage,) = (await Search(engine).find("수영장", [EVERYONE])).passages
    assert (passage.text, passage.url) == ("수영장은 수요일에 열어요.", url)


async def test_what_cannot_be_taught_says_why(engine: AsyncEngine, record: Record) -> None:
    for said, kind in (("  \n\u200b", "empty"), ("가" * 20_001, "too_long")):
        with pytest.raises(LoadError) as refused:
            await teach(engine, record, Lesson(said, EVERYONE), JISU)
        assert refused.value.kind == kind
    with pytest.raises(ConfigError):
        await teach(engine, record, Lesson("뭐든지", "removed"), JISU)


def test_a_title_is_the_first_line_shortened_at_a_word() -> None:
    assert title_of("\n# 수영장\n화요일에 열어요.") == "수영장"
    assert title_of("The pool opens on Tuesdays.") == "The pool opens on Tuesdays."
    long = title_of("말 " * 100)
    assert long.endswith("말…")
    assert len(long) <= 80


def test_who_sees_what_is_taught_is_as_narrow_as_the_place() -> None:
    place = Place(platform="slack", workspace="T1", channel="C1")
    assert scope_taught_in(place, JISU) == "workspace:slack:T1"
    assert scope_taught_in(place.model_copy(update={"visibility": "private"}), JISU) == "channel:slack:C1"
    assert scope_taught_in(place.model_copy(update={"visibility": "direct"}), JISU) == "person:slack:U1"


# ── taken away ──


async def removed(engine: AsyncEngine, document_id: int) -> None:
    """Take a document away."""
    async with engine.begin() as db:
        await take_away(db, document_id)


@pytest.mark.parametrize("is_merged", [False, True])
async def test_what_is_taken_away_stops_answering_at_once_and_comes_back_whole(knowledge, engine: AsyncEngine, is_merged: bool) -> None:
    document_id = await knowledge.holds("수영장", "화요일에 열어요.", "열쇠는 총무팀에 있어요.")
    await knowledge.holds("식당", "점심은 열두 시예요.")
    if is_merged:
        await knowledge.merges()
    await removed(engine, document_id)
    assert await found(engine, "수영장") == []
    if is_merged:
        await index.compact(engine)  # rebuilds what is listed by scope
        await knowledge.merges()
    assert await bring_back(engine, document_id) == "수영장"
    assert sorted(await found(engine, "수영장")) == ["열쇠는 총무팀에 있어요.", "화요일에 열어요."]
    await knowledge.merges()
    assert len(await found(engine, "수영장")) == 2
    with pytest.raises(NotFoundError):
        await bring_back(engine, document_id)


async def test_after_a_while_it_is_gone_for_good(knowledge, engine: AsyncEngine) -> None:
    document_id = await knowledge.holds("수영장", "화요일에 열어요.")
    await removed(engine, document_id)
    assert await forget_removed(engine) == 0  # ten minutes are not over
    assert await forget_removed(engine, after_minutes=-1) == 1
    with pytest.raises(NotFoundError):
        await bring_back(engine, document_id)
    async with engine.connect() as db:
        assert not (await db.execute(text("SELECT 1 FROM passages"))).all()


async def test_a_file_uploaded_again_after_it_was_taken_away_answers_again(engine: AsyncEngine, tmp_path: Path) -> None:
    files = Files(tmp_path)
    upload = {"name": "pool.md", "sha256": files.keep("수영장은 화요일에 열어요.".encode()), "scope": EVERYONE}
    document_id = await queue_upload(engine, files, **upload)
    await read_waiting(engine, files, uuid4())
    await removed(engine, document_id)
    assert await queue_upload(engine, files, **upload) == document_id
    assert await found(engine, "수영장") == []
    await read_waiting(engine, files, uuid4())
    assert await found(engine, "수영장") == ["수영장은 화요일에 열어요."]
