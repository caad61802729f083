"""What is said reaches the stream whole and in order, and marks for programs never do."""

import asyncio

import pytest
from hypothesis import given
from hypothesis import strategies as st
from redis.asyncio import Redis

from nod.contracts import AnswerEvent
from tests.workers.desk import until
from workers.saying import UNKNOWN_MARK, Saying, Voice


class Silent(Voice):
    """Writes nothing: a test takes what would be written."""

    def __init__(self) -> None: ...

    def now(self, saying: Saying) -> None: ...

    def soon(self, saying: Saying) -> None: ...


@given(st.lists(st.one_of(st.text(max_size=5), st.sampled_from(["⟦", "⟦unk", "nown⟧", UNKNOWN_MARK, " ", "\n"])), max_size=30), st.data())
def test_the_growths_add_up_to_the_text_without_a_gap(pieces: list[str], data: st.DataObject) -> None:
    saying = Saying(Silent(), "reply", 0.1)
    events: list[AnswerEvent] = []
    for piece in pieces:
        saying.grow(piece)
        if data.draw(st.booleans()):
            events += saying.take()
    saying.close()
    events += saying.take()
    assert "".join(event.text for event in events) == saying.text
    assert [event.offset for event in events] == [sum(len(e.text) for e in events[:n]) for n in range(len(events))]
    whole = "".join(pieces)
    assert saying.text == whole.replace(UNKNOWN_MARK, "").lstrip() or UNKNOWN_MARK in whole
    assert saying.is_unknown == (UNKNOWN_MARK in whole)


@pytest.mark.parametrize(
    ("pieces", "text", "is_unknown"),
    [
        (["몰라요.", " ⟦un", "known", "⟧"], "몰라요. ", True),
        (["I don't know. ⟦unknown⟧"], "I don't know. ", True),
        (["⟦", "unknown⟧"], "", True),
        (["수식 ⟦a⟧ 는"], "수식 ⟦a⟧ 는", False),
        (["끝이 ⟦unk"], "끝이 ⟦unk", False),
        (["\n\n ", "안녕"], "안녕", False),
    ],
)
def test_the_mark_of_not_knowing_is_never_shown(pieces: list[str], text: str, is_unknown: bool) -> None:
    saying = Saying(Silent(), "reply", 0.1)
    for piece in pieces:
        saying.grow(piece)
    saying.close()
    assert (saying.text, saying.is_unknown) == (text, is_unknown)


def test_a_step_stands_after_what_was_said_before_it() -> None:
    saying = Saying(Silent(), "reply", 0.1)
    saying.grow("찾아볼게요.")
    saying.tell("step", "searching", query="연차")
    saying.new_paragraph()
    saying.grow("\n닷새예요.")
    assert [(event.kind, event.text) for event in saying.take()] == [("grew", "찾아볼게요."), ("step", ""), ("grew", "\n\n닷새예요.")]


def test_a_new_paragraph_needs_something_to_say() -> None:
    saying = Saying(Silent(), "reply", 0.1)
    saying.grow("끝.")
    saying.new_paragraph()
    saying.close()
    assert saying.text == "끝."


async def test_first_words_are_written_at_once_and_growths_of_all_answers_together(redis: Redis) -> None:
    async with Voice(redis) as voice:
        sayings = [Saying(voice, f"reply:{n}", 0.1) for n in range(200)]
        for saying in sayings:
            saying.grow("첫")
        await sayings[-1].until_written()
        for _ in range(5):
            for saying in sayings:
                saying.grow("말")

        async def all_written() -> bool:
            return all([await redis.xlen(saying.key) == 2 for saying in sayings])

        await until(all_written, 10, "two entries in each stream")
    assert [fields["e"] for _, fields in await redis.xrange("reply:7")] == [
        AnswerEvent(kind="grew", text="첫").model_dump_json(exclude_defaults=True),
        AnswerEvent(kind="grew", offset=1, text="말말말말말").model_dump_json(exclude_defaults=True),
    ]


async def test_what_shows_growths_less_often_gets_fewer_and_misses_none(redis: Redis) -> None:
    async with Voice(redis) as voice:
        page, chat = Saying(voice, "reply:page", 0.05), Saying(voice, "reply:chat", 0.4)
        for saying in (page, chat) * 9:
            saying.grow("말")
            await asyncio.sleep(0.05)
    assert await redis.xlen("reply:chat") < await redis.xlen("reply:page")
    for key in ("reply:page", "reply:chat"):
        assert "".join(AnswerEvent.model_validate_json(fields["e"]).text for _, fields in await redis.xrange(key)) == "말" * 9


async def test_what_is_left_is_written_at_the_end(redis: Redis) -> None:
    async with Voice(redis) as voice:
        saying = Saying(voice, "reply:1", 0.1)
        saying.grow("첫")
        saying.grow("말")
        saying.tell("done")
    assert [AnswerEvent.model_validate_json(fields["e"]).kind for _, fields in await redis.xrange("reply:1")] == ["grew", "done"]
