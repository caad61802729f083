"""One person, one answer, one vote: however often, in whatever order and by whatever means it arrives."""

from datetime import UTC, datetime, timedelta
from uuid import uuid4

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from feedback.votes import cast, explain, join_early, list_votes, vote_of
from nod.claims import Claims
from nod.contracts import Vote
from nod.errors import NotFoundError
from tests.asked import ALEX, JISU, asks, says

NOW = datetime(2026, 11, 21, 10, 0, tzinfo=UTC)


def thumb(value, *, kind="set", person=JISU, token="+1", source="reaction", message="1700.2", minute=0, event=None):
    return Vote(
        event_id=event or uuid4().hex, person=person, kind=kind, value=value, source=source, token=token,
        at=NOW + timedelta(minutes=minute), channel="C1", message_id=message,
    )  # fmt: skip


@pytest.fixture
async def shown(record, engine):
    """An answer shown in two messages, 1700.2 and 1700.3."""
    claims = Claims(engine, uuid4())
    await claims.register("worker")
    accepted = await record.accept(asks("연차 이월 돼?"))
    [task] = await claims.claim(1)
    await record.finish(task.answer_id, task.attempt, says("5일까지 이월돼요."))
    for part, message in enumerate(("1700.2", "1700.3")):
        await record.plan_part(accepted.answer_id, part, "C1")
        await record.name_part(accepted.answer_id, part, message)
    return accepted.answer_id


async def votes(engine):
    return [(row.voter, row.vote) for row in await list_votes(engine)]


async def test_a_thumb_counts_once_however_often_it_is_delivered(engine, record, shown):
    vote = thumb("up", event="Ev1")
    for _ in range(3):
        assert await cast(engine, record, vote) == shown
    assert await votes(engine) == [(record.pseudonym(JISU), "up")]


async def test_the_latest_standing_thumb_is_the_vote(engine, record, shown):
    await cast(engine, record, thumb("up", minute=0))
    await cast(engine, record, thumb("down", token="-1", minute=1))
    assert await vote_of(engine, record, shown, JISU) == "down"
    await cast(engine, record, thumb("down", token="-1", kind="unset", minute=2))
    assert await vote_of(engine, record, shown, JISU) == "up"


async def test_taking_everything_back_withdraws_the_vote(engine, record, shown):
    await cast(engine, record, thumb("up", minute=0))
    await cast(engine, record, thumb("up", kind="unset", minute=1))
    assert await vote_of(engine, record, shown, JISU) is None
    assert await votes(engine) == [(record.pseudonym(JISU), "withdrawn")]


async def test_a_button_and_a_reaction_of_one_person_are_one_vote(engine, record, shown):
    await cast(engine, record, thumb("up", minute=0))
    await cast(engine, record, thumb("down", source="button", token="button", minute=1))
    assert await votes(engine) == [(record.pseudonym(JISU), "down")]


async def test_a_reaction_on_any_part_of_a_long_answer_counts(engine, record, shown):
    assert await cast(engine, record, thumb("up", message="1700.3")) == shown


async def test_two_people_have_two_votes(engine, record, shown):
    await cast(engine, record, thumb("up", minute=0))
    await cast(engine, record, thumb("down", person=ALEX, minute=1))
    assert sorted(vote for _, vote in await votes(engine)) == ["down", "up"]


async def test_a_thumb_on_a_message_of_somebody_else_is_no_vote(engine, record, shown):
    assert await cast(engine, record, thumb("up", message="1699.9")) is None
    assert await votes(engine) == []


async def test_a_thumb_that_came_before_its_message_was_known_is_joined(engine, record, shown):
    await cast(engine, record, thumb("down", message="1700.4", event="early"))
    assert await join_early(engine) == 0
    await record.plan_part(shown, 2, "C1")
    await record.name_part(shown, 2, "1700.4")
    assert await join_early(engine) == 1
    assert await vote_of(engine, record, shown, JISU) == "down"
    assert await join_early(engine) == 0


async def test_reasons_and_words_are_added_to_a_standing_vote(engine, record, shown):
    with pytest.raises(NotFoundError, match="vote first"):
        await explain(engine, record, shown, JISU, ["outdated"], None)
    await cast(engine, record, thumb("down"))
    await explain(engine, record, shown, JISU, ["style", "outdated"], "올해부터 10일")
    [row] = await list_votes(engine)
    assert (row.reasons, row.comment) == (("outdated", "style"), "올해부터 10일")
    with pytest.raises(ValueError, match="no reason 'boring'"):
        await explain(engine, record, shown, JISU, ["boring"], None)


async def test_a_direct_message_is_counted_but_its_text_is_not_shown(engine, record):
    claims = Claims(engine, uuid4())
    await claims.register("worker")
    accepted = await record.accept(asks("내 급여는?", visibility="direct"))
    [task] = await claims.claim(1)
    await record.finish(task.answer_id, task.attempt, says("비밀이에요."))
    await cast(engine, record, thumb("down").model_copy(update={"answer_id": accepted.answer_id}))
    [row] = await list_votes(engine)
    assert (row.vote, row.question, row.answer) == ("down", None, None)


EVENTS = st.lists(
    st.tuples(st.sampled_from(["set", "unset"]), st.sampled_from([("+1", "up"), ("-1", "down"), ("+1::skin-tone-4", "up")])),
    min_size=1, max_size=8,
)  # fmt: skip


@settings(max_examples=30, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(events=EVENTS, order=st.randoms(use_true_random=False))
async def test_whatever_the_order_of_delivery_the_last_word_counts(engine, record, shown, events, order):
    person = JISU.model_copy(update={"external_id": uuid4().hex})
    stream = [
        thumb(value, kind=kind, token=token, person=person, minute=n, event=f"{person.external_id}-{n}")
        for n, (kind, (token, value)) in enumerate(events)
    ]
    standing = {}
    for n, (kind, (token, value)) in enumerate(events):
        standing[token] = (n, value) if kind == "set" else None
    expected = max((state for state in standing.values() if state), default=(0, None))[1]
    delivered = stream + stream
    order.shuffle(delivered)
    for vote in delivered:
        await cast(engine, record, vote)
    assert await vote_of(engine, record, shown, person) == expected
