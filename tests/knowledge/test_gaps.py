"""What nobody has taught yet: alike questions together, closed at once, their askers told once and only of what they may see."""

import threading
from collections.abc import Awaitable, Callable

import pytest
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine

from knowledge.gaps import Gap, close, gap_of, open_gaps, take_news, tell_later
from knowledge.likeness import Gist, gist_of
from knowledge.teaching import Lesson, Taught, scope_taught_in, teach, undo
from nod.contracts import EVERYONE, PRIVATE_THREAD, Person, Visibility
from nod.record import Record
from tests.asked import ALEX, JISU, asks

WORKSPACE = "workspace:slack:T1"
MINJI = Person(platform="slack", workspace="T1", external_id="U3", name="민지")

ALIKE = [
    ("VPN 안 돼요", "VPN이 안 되는데요"), ("VPN 안 돼요", "VPN does not work"), ("연차 이월 돼?", "올해 연차 이월 되나요"),
    ("주차장 어디예요", "주차장은 어디에 있나요?"), ("프린터가 안 돼요", "프린터 고장났어요"), ("the printer is broken", "printer doesn't work"),
    ("Can I carry leave over?", "is it possible to carry over leave"), ("슬랙 연결 어떻게 해?", "Slack 연결 방법 알려줘"),
    ("when is the pool open", "What are the pool opening hours?"), ("이거 뭐예요?", "이거  뭐예요"),
]  # fmt: skip
NOT_ALIKE = [
    ("VPN 안 돼요", "vpn 비용 얼마예요"), ("연차 이월 돼?", "연차 며칠 남았어"), ("서울 사무실 주소", "부산 사무실 주소"),
    ("프린터가 안 돼요", "프린터 토너 어디 있어요"), ("wifi password", "jira password"), ("이거 뭐예요", "저거 어떻게 해요"),
    ("How do I get a parking permit?", "How do I get a work permit?"), ("반차 쓸 수 있어?", "연차 쓸 수 있어?"),
    ("when is payday", "when is the pool open"), ("점심값 지원되나요?", "교통비 지원되나요?"),
]  # fmt: skip

Asks = Callable[..., Awaitable[Gap]]


@pytest.mark.parametrize(("one", "other"), ALIKE)
def test_questions_that_are_alike(one: str, other: str) -> None:
    assert gist_of(one).likeness(gist_of(other)) == gist_of(other).likeness(gist_of(one)) >= 0.78


@pytest.mark.parametrize(("one", "other"), NOT_ALIKE)
def test_questions_about_the_same_thing_that_ask_something_else(one: str, other: str) -> None:
    assert gist_of(one).likeness(gist_of(other)) < 0.78


@pytest.fixture
def in_vain(engine: AsyncEngine, record: Record) -> Asks:
    """Ask something that nod does not know."""

    async def ask(question: str, person: Person = JISU, visibility: Visibility = "public", thread: str = "1.0") -> Gap:
        asked = asks(question, person=person, visibility=visibility, thread=thread)
        accepted = await record.accept(asked)
        await record.keep_gap(accepted.question_id, scope_taught_in(asked.place, asked.person), asked.language)
        return await gap_of(engine, accepted.question_id)

    return ask


@pytest.fixture
def taught(engine: AsyncEngine, record: Record) -> Callable[..., Awaitable[tuple[Taught, int]]]:
    """Teach what answers a gap, and close it."""

    async def answer(gap: Gap, scope: str, person: Person = MINJI) -> tuple[Taught, int]:
        lesson = await teach(engine, record, Lesson("1층 총무팀에 말하면 돼요.", scope, gap.question), person)
        return lesson, await close(engine, gap, lesson.lesson_id, scope)

    return answer


async def told(engine: AsyncEngine) -> list[tuple[str, str]]:
    """Who is told now, and of which question. What has to be waited for is over."""
    async with engine.begin() as db:
        await db.execute(text("UPDATE knowledge_gaps SET tell_at = tell_at - interval '15 seconds'"))
    return sorted((news.person.name, news.question) for news in await take_news(engine, "slack"))


async def test_gaps_are_counted_by_people_and_languages_and_those_of_a_direct_message_are_its_askers_alone(
    engine: AsyncEngine, in_vain: Asks
) -> None:
    for question, person in (("VPN 안 돼요", JISU), ("VPN이 안 되는데요", JISU), ("VPN does not work", ALEX), ("주차장 어디예요", ALEX)):
        await in_vain(question, person)
    await in_vain("제 연봉 얼마예요", JISU, "direct")
    vpn, parking = await open_gaps(engine, [EVERYONE, WORKSPACE])
    assert (vpn.people, len(vpn.gaps), vpn.languages) == (2, 3, {"ko": 2, "en": 1})
    assert parking.question == "주차장 어디예요"
    assert [each.question for each in await open_gaps(engine, ["person:slack:U1"])] == ["제 연봉 얼마예요"]
    assert "제 연봉 얼마예요" not in [each.question for each in await open_gaps(engine, ["workspace:*"])]


async def test_who_asked_is_told_once_but_neither_the_teacher_nor_before_it_can_be_undone(
    engine: AsyncEngine, in_vain: Asks, taught
) -> None:
    gap = await in_vain("VPN 안 돼요")
    for question, person in (("VPN이 안 되는데요", JISU), ("VPN does not work", ALEX), ("VPN 안 돼요", MINJI), ("주차장 어디예요", ALEX)):
        await in_vain(question, person)
    _, people = await taught(gap, WORKSPACE)
    assert people == 2
    assert await take_news(engine, "slack") == []
    assert await told(engine) == [("Alex", "VPN does not work"), ("지수", "VPN이 안 되는데요")]
    assert await told(engine) == []
    assert [each.question for each in await open_gaps(engine, [WORKSPACE])] == ["주차장 어디예요"]


async def test_only_those_are_told_who_may_see_it_where_they_asked(engine: AsyncEngine, in_vain: Asks, taught) -> None:
    secret = await in_vain("VPN 안 돼요", JISU, "private", "2.0")
    public = await in_vain("VPN 안 돼요", ALEX)
    await taught(secret, "person:slack:U3")  # seen by nobody who asked
    assert await told(engine) == []
    assert len(await open_gaps(engine, [public.scope])) == 1
    await taught(public, public.scope)  # the private channel's readers may see what the workspace may
    assert await told(engine) == [("Alex", "VPN 안 돼요"), ("지수", "VPN 안 돼요")]


async def test_who_asked_privately_is_told_and_not_counted(engine: AsyncEngine, in_vain: Asks, taught) -> None:
    await in_vain("VPN 안 돼요", ALEX, "direct", "3.0")
    gap = await in_vain("VPN 안 돼요", JISU)
    _, people = await taught(gap, WORKSPACE)
    assert people == 1
    assert await told(engine) == [("Alex", "VPN 안 돼요"), ("지수", "VPN 안 돼요")]


async def test_undone_before_anybody_was_told_the_gap_is_open_again(engine: AsyncEngine, in_vain: Asks, taught) -> None:
    gap = await in_vain("VPN 안 돼요")
    lesson, _ = await taught(gap, WORKSPACE)
    await undo(engine, lesson.lesson_id, MINJI)
    assert await told(engine) == []
    assert len(await open_gaps(engine, [WORKSPACE])) == 1


async def test_who_could_not_be_reached_is_told_later(engine: AsyncEngine, in_vain: Asks, taught) -> None:
    gap = await in_vain("VPN 안 돼요")
    await taught(gap, WORKSPACE)
    assert await told(engine) == [("지수", "VPN 안 돼요")]
    await tell_later(engine, gap.gap_id, 10)
    assert await take_news(engine, "slack") == []
    assert await told(engine) == [("지수", "VPN 안 돼요")]


async def test_what_was_taken_away_meanwhile_is_told_to_nobody(engine: AsyncEngine, in_vain: Asks, taught) -> None:
    from knowledge.removal import take_away

    lesson, _ = await taught(await in_vain("VPN 안 돼요"), WORKSPACE)
    async with engine.begin() as db:
        await take_away(db, lesson.document_id)
    assert await told(engine) == []


async def test_what_was_asked_in_a_private_thread_is_listed_to_its_asker_alone_of_those_outside(
    engine: AsyncEngine, record: Record
) -> None:
    for thread, route in (
        ("T9", {PRIVATE_THREAD: "1"}),
        ("T8", {}),
    ):  # and one in a thread which all readers of its private channel can read
        asked = asks("누가 나가요?", thread=thread, platform="discord", visibility="private")
        asked = asked.model_copy(update={"route": asked.route.model_copy(update={"extra": route})})
        accepted = await record.accept(asked)
        await record.keep_gap(accepted.question_id, scope_taught_in(asked.place, asked.person), asked.language)
    async with engine.connect() as db:
        person_id = (await db.execute(text("SELECT person_id FROM questions LIMIT 1"))).scalar_one()
    readers = [EVERYONE, "channel:discord:C1"]
    assert [cluster.scope for cluster in await open_gaps(engine, readers)] == ["channel:discord:C1"]
    assert [cluster.scope for cluster in await open_gaps(engine, readers, person_id + 1)] == ["channel:discord:C1"]
    own = await open_gaps(engine, readers, person_id)
    assert sorted(cluster.scope for cluster in own) == ["channel:discord:C1", "thread:discord:C1:T9"]
    gap = next(cluster.gaps[0] for cluster in own if cluster.scope.startswith("thread:"))
    assert gap.scope in gap.may_see  # what is taught for the thread answers there
    lesson = await teach(engine, record, Lesson("아무도 안 나가요.", gap.scope, gap.question), MINJI)
    assert await close(engine, gap, lesson.lesson_id, gap.scope) == 0
    assert [cluster.scope for cluster in await open_gaps(engine, readers, person_id)] == ["channel:discord:C1"]


async def test_gaps_are_compared_off_the_event_loop_and_outside_any_transaction(
    engine: AsyncEngine, in_vain: Asks, taught, monkeypatch: pytest.MonkeyPatch
) -> None:
    gap = await in_vain("VPN 안 돼요")
    seen: list[tuple[bool, int]] = []

    def watched(question: str) -> Gist:
        seen.append((threading.current_thread() is threading.main_thread(), engine.pool.checkedout()))  # type: ignore[attr-defined]
        return gist_of(question)

    monkeypatch.setattr("knowledge.gaps.gist_of", watched)
    await open_gaps(engine, [WORKSPACE])
    await taught(gap, WORKSPACE)
    assert len(seen) == 3
    assert set(seen) == {(False, 0)}
