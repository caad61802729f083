"""One question's life is told in order, whatever names it."""

import asyncio
import json
import re
from datetime import UTC, datetime
from uuid import uuid4

import pytest
from sqlalchemy import CheckConstraint, text

from feedback.votes import cast
from nod import trace
from nod.claims import Claims
from nod.contracts import Outcome, Provenance, Vote, code_from
from nod.errors import NotFoundError
from nod.saying import PHRASES
from nod.schema import answers, attempts
from nod.screen import shortened, width
from nod.trace import life_of, message_from
from tests.asked import ALEX, asks
from tests.warm import run


@pytest.fixture
async def claims(engine):
    claims = Claims(engine, uuid4())
    await claims.register("worker")
    return claims


def answered():
    made = Provenance(model="openai:gpt-4o", tokens_in=120, tokens_out=9, first_token_at=datetime.now(UTC))
    return Outcome(status="answered", text="15일.", provenance=made)


async def lived(record, engine, claims, question="연차?"):
    """A question that failed once, was answered, shown, voted on and asked anew."""
    accepted = await record.accept(asks(question, message_id="1700000000.000100"), claims.process_id)
    [task] = await claims.claim(1)
    await claims.strike(task.answer_id, task.attempt, "ValueError", wait_seconds=0)
    [task] = await claims.claim(1)
    await record.plan_part(accepted.answer_id, 0, "C1")
    await record.name_part(accepted.answer_id, 0, "1700000001.000200")
    await record.finish(task.answer_id, task.attempt, answered())
    await record.confirm(accepted.answer_id, claims.process_id)
    await cast(engine, record, Vote(event_id="v1", person=ALEX, kind="set", value="down", source="button", token="thumb",
                                    at=datetime.now(UTC), answer_id=accepted.answer_id))  # fmt: skip
    await record.again(accepted.answer_id)
    return accepted


async def test_a_life_is_told_in_order(record, engine, claims):
    accepted = await lived(record, engine, claims)
    life = await life_of(engine, str(accepted.answer_id))
    assert [(event.what, event.version, event.attempt) for event in life.events] == [
        ("asked", None, None),
        ("accepted", 1, None),
        ("claimed", 1, 1),
        ("strike", 1, 1),
        ("claimed", 1, 2),
        ("message", 1, None),
        ("first_shown", 1, None),
        ("first_token", 1, 2),
        ("answered", 1, 2),
        ("confirmed", 1, None),
        ("vote_set", 1, None),
        ("opened_again", 2, None),
    ]
    assert [event.at for event in life.events] == sorted(event.at for event in life.events)
    assert [(version.version, version.status) for version in life.versions] == [(1, "answered"), (2, "waiting")]
    assert life.events[3].detail["error"] == "ValueError"


NAMES = [
    "{answer_id}", "{question_id}", "{code}", "{CODE}",
    "https://acme.slack.com/archives/C1/p1700000000000100", "https://acme.slack.com/archives/C1/p1700000001000200?thread_ts=1.0&cid=C1",
]  # fmt: skip


@pytest.mark.parametrize("name", NAMES)
async def test_it_is_found_by_either_message_the_code_or_an_id(record, engine, claims, name):
    accepted = await lived(record, engine, claims)
    await record.accept(asks("another", message_id="1700000000.000101", thread="2.0"))
    code = code_from(accepted.question_id)
    named = name.format(answer_id=accepted.answer_id, question_id=accepted.question_id, code=code, CODE=code.upper())
    assert (await life_of(engine, named)).question_id == accepted.question_id


@pytest.mark.parametrize("link", ["https://discord.com/channels/1/2/3", "https://canary.discord.com/channels/@me/2/3"])
@pytest.mark.parametrize("where", ["channel", "thread", "answer"])
async def test_a_link_into_discord_finds_question_and_answer(record, engine, link, where):
    asked = asks("연차?", platform="discord", message_id="9" if where == "answer" else "3")
    place = {"channel": {"channel": "2"}, "thread": {"channel": "8", "thread": "2"}, "answer": {"channel": "8"}}[where]
    accepted = await record.accept(asked.model_copy(update={"place": asked.place.model_copy(update=place)}))
    if where == "answer":
        await record.plan_part(accepted.answer_id, 0, "2")
        await record.name_part(accepted.answer_id, 0, "3")
    assert (await life_of(engine, link)).question_id == accepted.question_id


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("hello", "is no link to a message in Slack or Discord, no code"),
        ("q-7f3a91c2", "There is no question q-7f3a91c2"),
        ("00000000-0000-0000-0000-000000000000", "no question and no answer 0000"),
        ("https://acme.slack.com/archives/C1/p1700000000000999", "No question and no answer of nod's is at https"),
        ("https://acme.slack.com/archives/C2/p1700000000000100", "No question and no answer of nod's is at https"),
        ("https://acme.slack.com/archives/C2/p1700000001000200", "No question and no answer of nod's is at https"),
        ("https://discord.com/channels/1/2/4", "No question and no answer of nod's is at https"),
        ("https://example.com/page", "is no link to a message"),
    ],
)
async def test_what_names_nothing_is_said_in_one_sentence(record, engine, claims, name, said):
    await lived(record, engine, claims)
    with pytest.raises(NotFoundError, match=said):
        await life_of(engine, name)


async def test_a_code_of_two_questions_asks_for_an_id(record, engine):
    first, second = await record.accept(asks("one")), await record.accept(asks("two", thread="2.0"))
    async with engine.begin() as db:
        await db.execute(text("DELETE FROM answers WHERE question_id = :id"), {"id": second.question_id})
        twin = f"{str(first.question_id)[:8]}-0000-4000-8000-000000000000"
        await db.execute(text("UPDATE questions SET question_id = :new WHERE question_id = :old"), {"new": twin, "old": second.question_id})
    with pytest.raises(NotFoundError, match=f"means several questions.*{first.question_id}"):
        await life_of(engine, code_from(first.question_id))


async def test_what_was_said_to_nod_alone_in_a_chat_is_not_shown(record, engine):
    accepted = await record.accept(asks("my salary?", visibility="direct"))
    assert (await life_of(engine, str(accepted.answer_id))).question is None


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("연차 이월\x1b[31m\n 돼?", "연차 이월 [31m 돼?"),
        ("a\u202eb\x07c", "a b c"),
        ("연차를 며칠까지 이월할 수 있어요?", "연차를 며칠까지 이…"),
        ("How many days may be carried over?", "How many days may b…"),
        ("exactly twenty cells", "exactly twenty cells"),
    ],
)
def test_what_people_wrote_is_one_line_that_no_terminal_obeys(text, line):
    assert shortened(text, 20) == line
    assert width(line) <= 20


def test_a_link_that_only_looks_like_one_is_none():
    assert message_from("https://acme.slack.com/archives/C1") is None
    assert message_from("https://discord.com/channels/1/2") is None
    assert message_from("x https://discord.com/channels/1/2/3") is None


@pytest.mark.parametrize(("language", "said"), [("en", ("asked", "one strike", "answered by openai:gpt-4o", "Answer 2 waits")), ("ko", ("물었어요", "실패 한 번으로", "openai:gpt-4o 모델로", "2번째 답은 차례를"))])  # fmt: skip
async def test_the_command_speaks_the_readers_language(record, engine, claims, process_env, tmp_path, language, said):
    accepted = await lived(record, engine, claims, "연차 [/x]\x1b[31m 돼?")
    command = ["trace", code_from(accepted.question_id)]
    env = process_env | {"NOD_LANGUAGE": language}
    done = await asyncio.to_thread(run, command, env=env, cwd=tmp_path)
    assert (done.returncode, done.stderr) == (0, "")
    assert [word for word in (*said, "연차 [/x]") if word not in done.stdout] == []
    assert "\x1b" not in done.stdout
    done = await asyncio.to_thread(run, [*command, "--json"], env=env, cwd=tmp_path)
    told = json.loads(done.stdout)
    assert (told["code"], told["events"][0]["what"], told["versions"][1]["status"]) == (code_from(accepted.question_id), "asked", "waiting")


def test_everything_that_can_happen_has_a_phrase():
    told = set(re.findall(r"'([a-z_]{5,})'(?: AS what)?, (?:NULL|version|a\.version)", trace._EVENTS)) | {"accepted", "opened_again"}
    assert {"asked", "claimed", "first_shown", "message_left", "deleted"} <= told
    ends = {word for table in (answers, attempts) for check in table.constraints if isinstance(check, CheckConstraint)
            for word in re.findall(r"'(\w+)'", str(check.sqltext))}  # fmt: skip
    happened = told | ends - {"waiting", "running"} | {"vote_set", "vote_unset"}
    assert [what for what in sorted(happened) if not PHRASES.has(f"trace.{what}")] == []


async def test_an_edited_question_is_told_as_one_that_was_asked_once(record, engine, claims):
    asked = asks("연차?")
    accepted = await record.accept(asked)
    await claims.claim(1)
    assert await record.edit(asked.place, asked.message_id, "반차?", "ko")
    assert await record.withdraw(asked.place, [asked.message_id]) == 1
    life = await life_of(engine, str(accepted.answer_id))
    assert [(event.what, event.version, event.attempt) for event in life.events if event.what != "asked"] == [
        ("accepted", 2, None),
        ("claimed", 2, 1),
        ("edited", 2, 1),
        ("withdrawn", 2, 1),
    ]
