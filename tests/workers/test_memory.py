"""What a conversation remembers: within its budget, whole turns, rebuilt from the record whenever Redis knows less."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from redis.asyncio import Redis
from sqlalchemy import text

from bot.web.conversations import delete_answer
from nod.contracts import Turn
from tests.fakes.model import FakeModel
from tests.workers.desk import Desk
from workers.memory import memory_key, tokens_in, within

# How many tokens each text has, by the tokenisers of gpt-4o, gpt-3.5, Llama 3, Qwen 3 and Gemma 3.
MEASURED = [
    ("휴가 며칠 남았어?", (9, 14, 9, 9, 9)),
    ("15일입니다.", (4, 4, 4, 5, 5)),
    ("네, 반차도 됩니다. 연차 이월은 다음 해 3월 31일까지 닷새를 넘을 수 없어요 [1].", (32, 45, 33, 35, 33)),
    ("ㅋㅋㅋㅋ 넵 확인했슴다!! 뷁", (12, 21, 11, 14, 10)),
    ("VPN 접속이 안 되면 nod-vpn-2026.conf를 다시 받아 /etc/openvpn 아래에 두고 재시작하세요.", (30, 37, 30, 32, 31)),
    ("Can I carry leave over to next year?", (9, 9, 9, 9, 9)),
    ("Yes, up to five days until 31 March [1]. Half days count as half [2].", (21, 21, 21, 22, 22)),
    ("2026-03-02 14:05 · ₩1,234,567 · 010-1234-5678", (27, 28, 27, 44, 43)),
    ("한국어와 English가 섞인 문장에서 API key, OAuth 2.0 scope, reactions:read 권한을 확인합니다.", (29, 34, 30, 31, 29)),
    ("👍 고마워요 🙏", (7, 13, 10, 8, 6)),
]


@pytest.mark.parametrize(("said", "measured"), MEASURED)
def test_tokens_are_never_undercounted(said: str, measured: tuple[int, ...]) -> None:
    assert max(measured) <= tokens_in(said)


def test_tokens_are_not_counted_beyond_reason() -> None:
    assert tokens_in("Yes, up to five days until 31 March of the next year. " * 20) <= 54 * 20 * 0.6
    assert tokens_in("닷새까지 이월할 수 있어요. " * 20) <= 15 * 20 * 1.7


def turns(said: list[tuple[str, str]]) -> list[Turn]:
    return [
        Turn(role=role, text=words, position=n)
        for n, pair in enumerate(said, 1)
        for role, words in zip(("user", "assistant"), pair, strict=True)  # type: ignore[misc]
    ]


KOREAN = st.text(st.characters(min_codepoint=0xAC00, max_codepoint=0xD7A3) | st.sampled_from(" .,?1\n"), max_size=400)


@given(st.lists(st.tuples(KOREAN, KOREAN), min_size=100, max_size=100), st.integers(50, 6000))
def test_a_korean_thread_of_200_turns_never_exceeds_the_budget_and_keeps_its_last_turns_whole(
    said: list[tuple[str, str]], budget: int
) -> None:
    whole = turns(said)
    kept = within(whole, budget)
    assert sum(tokens_in(turn.text) for turn in kept) <= budget
    assert kept
    assert kept[0].role == "user"
    if sum(tokens_in(turn.text) for turn in whole[-2:]) <= budget:
        assert list(kept) == whole[-len(kept) :]
        fuller = whole[-len(kept) - 2 :]
        assert len(fuller) == len(kept) or sum(tokens_in(turn.text) for turn in fuller) > budget
    else:
        assert [turn.position for turn in kept] == [100, 100]
        assert all(whole[198 + n].text.startswith(turn.text.removesuffix("…")) for n, turn in enumerate(kept))


async def test_the_prompt_of_a_long_korean_thread_stays_within_the_budget(model_desk: Desk, agent: FakeModel) -> None:
    model_desk.settings = model_desk.settings.model_copy(update={"memory_tokens": 500})
    for n in range(12):
        agent.will_say(f"{n}번째 답이에요. " + "연차는 다음 해 3월 31일까지 닷새까지 이월할 수 있어요. " * 2)
    async with model_desk.open():
        for n in range(12):
            await model_desk.hears(f"{n}번째 질문이에요?")
    *remembered, asked = agent.shown[-1]
    assert asked == "11번째 질문이에요?"
    assert 2 <= len(remembered) < 22
    assert sum(tokens_in(said) for said in remembered) <= 500
    assert remembered[-2] == "10번째 질문이에요?"


async def test_memory_is_rebuilt_after_redis_was_emptied(model_desk: Desk, agent: FakeModel, redis: Redis) -> None:
    agent.will_say("하나.", "둘.", "셋.")
    async with model_desk.open():
        first = await model_desk.hears("첫째?")
        await model_desk.hears("둘째?")
        await redis.flushdb()
        await model_desk.hears("셋째?")
        await model_desk.until_announced((await model_desk.record.answers_in(first.conversation_id))[-1].answer_id)
    assert agent.shown[-1] == ["첫째?", "하나.", "둘째?", "둘.", "셋째?"]
    assert await redis.llen(memory_key(first.conversation_id)) == 6  # type: ignore[misc]


async def test_memory_that_is_behind_the_record_is_not_believed(model_desk: Desk, agent: FakeModel, redis: Redis) -> None:
    agent.will_say("하나.", "둘.", "셋.")
    async with model_desk.open():
        first = await model_desk.hears("첫째?")
        await model_desk.until_announced(first.answer_id)
        key = memory_key(first.conversation_id)
        old = await redis.lrange(key, 0, -1)  # type: ignore[misc]
        second = await model_desk.hears("둘째?")
        await model_desk.until_announced(second.answer_id)
        await redis.delete(key)
        await redis.rpush(key, *old)  # type: ignore[misc]  # as after a Redis that lost its last second
        await model_desk.hears("셋째?")
    assert agent.shown[-1] == ["첫째?", "하나.", "둘째?", "둘.", "셋째?"]


async def test_an_answer_that_was_replaced_is_not_remembered(model_desk: Desk, agent: FakeModel) -> None:
    agent.will_say("틀린 답.", "둘.", "옳은 답.", "끝.")
    async with model_desk.open():
        first = await model_desk.hears("첫째?")
        await model_desk.hears("둘째?")
        again = await model_desk.record.again(first.answer_id)
        assert again
        model_desk.wake()
        await model_desk.reads(again)
        await model_desk.hears("셋째?")
    assert agent.shown[2] == ["둘째?", "둘.", "첫째?"]
    assert agent.shown[3] == ["둘째?", "둘.", "첫째?", "옳은 답.", "셋째?"]


@pytest.mark.parametrize("which", [0, 1])
async def test_an_answer_that_was_deleted_is_forgotten_until_it_is_brought_back(model_desk: Desk, agent: FakeModel, which: int) -> None:
    agent.will_say("하나.", "둘.", "셋.", "넷.")
    async with model_desk.open():
        said = [await model_desk.hears("첫째?"), await model_desk.hears("둘째?")]
        await delete_answer(model_desk.record.engine, said[which], is_deleted=True)
        await model_desk.hears("셋째?")
        await delete_answer(model_desk.record.engine, said[which], is_deleted=False)
        await model_desk.hears("넷째?")
    pairs = [["첫째?", "하나."], ["둘째?", "둘."]]
    assert agent.shown[2] == [*pairs[1 - which], "셋째?"]
    assert agent.shown[3] == [*pairs[0], *pairs[1], "셋째?", "셋.", "넷째?"]


async def test_memory_has_a_lifetime(model_desk: Desk, agent: FakeModel, redis: Redis) -> None:
    agent.will_say("네.")
    async with model_desk.open():
        answer = await model_desk.hears("휴가 며칠 남았어?")
        await model_desk.until_announced(answer.answer_id)
    left = await redis.ttl(memory_key(answer.conversation_id))
    assert 29 * 86_400 < left <= 30 * 86_400


async def test_without_redis_a_follow_up_still_knows_what_was_said(model_desk: Desk, agent: FakeModel) -> None:
    agent.will_say("15일입니다.", "네, 반차도 됩니다.")
    async with model_desk.open(redis_url="unix:///nowhere/redis.sock"):
        await model_desk.hears("휴가 며칠 남았어?")
        answer = await model_desk.hears("반차도 돼?")
    assert answer.text == "네, 반차도 됩니다."
    assert agent.shown[-1] == ["휴가 며칠 남았어?", "15일입니다.", "반차도 돼?"]


async def test_conversations_do_not_mix(model_desk: Desk, agent: FakeModel) -> None:
    agent.will_say("비밀이에요.", "몰라요.")
    async with model_desk.open():
        await model_desk.hears("여기 비밀이 뭐야?", thread="1.0")
        await model_desk.hears("거기 비밀이 뭐래?", thread="2.0")
    assert agent.shown[-1] == ["거기 비밀이 뭐래?"]


async def test_an_apology_is_not_remembered(model_desk: Desk, agent: FakeModel) -> None:
    agent.will_fail("401")
    agent.will_say("네.")
    async with model_desk.open():
        failed = await model_desk.hears("첫째?")
        await model_desk.hears("둘째?")
    assert failed.error == "bad_key"
    assert agent.shown[-1] == ["둘째?"]
    async with model_desk.record.engine.connect() as db:
        assert (await db.execute(text("SELECT count(*) FROM answers WHERE status = 'failed'"))).scalar_one() == 1
