"""Thumbs in Discord: buttons, reactions, reasons; and the whole way from a mention to a training row."""

import json
from pathlib import Path
from typing import Any

import psycopg
import pytest

from tests.discord.conftest import is_done
from tests.fakes.discord_fake import FakeDiscord
from tests.fakes.model import FakeModel
from tests.roles import Roles, until

Json = dict[str, Any]


@pytest.fixture
def discord(discord_process: FakeDiscord, nod: Roles) -> FakeDiscord:
    """The guild in which `nod` runs: what other tests said stays."""
    discord_process.intents(message_content=False)
    return discord_process


@pytest.fixture
def answer(request: pytest.FixtureRequest, discord: FakeDiscord, agent: FakeModel) -> Json:
    """An answer, in a channel of its own."""
    agent.will_say("15일입니다.")
    asked = discord.hears("@nod 휴가 며칠 남았어?", channel=request.node.name)
    return discord.wait_reply(asked, 20, is_done)


def button(message: Json, name: str) -> str:
    """The id of a button of ours."""
    ids = [item["custom_id"] for row in message["components"] for item in row["components"]]
    return next(found for found in ids if found.startswith(f"nod:{name}:"))


def votes(nod: Roles, message: Json) -> list[tuple[str, list[str], str | None]]:
    """Vote, reasons and comment of each voter of an answer, as the record has them."""
    with psycopg.connect(nod.env["DATABASE_URL"]) as db:
        return db.execute(
            "SELECT coalesce(value, 'withdrawn'), reasons, comment FROM votes WHERE answer_id = %s",
            (button(message, "up").rpartition(":")[2],),
        ).fetchall()


def expect(nod: Roles, message: Json, *wanted: tuple[str, list[str], str | None]) -> None:
    """Wait until these are the votes on an answer, and no others."""
    until(lambda: sorted(votes(nod, message), key=str) == sorted(wanted, key=str), 10, str(wanted), lambda: str(votes(nod, message)))


def said(discord: FakeDiscord, interaction: str) -> str:
    """What somebody alone was told about what they pressed."""
    message = discord.wait_reply(interaction)
    assert message["is_ephemeral"]
    return message["text"]


UP: tuple[str, list[str], None] = ("up", [], None)
DOWN: tuple[str, list[str], None] = ("down", [], None)
WITHDRAWN: tuple[str, list[str], None] = ("withdrawn", [], None)


def test_a_thumb_pressed_counts_and_pressed_again_is_taken_back(discord: FakeDiscord, nod: Roles, answer: Json) -> None:
    assert said(discord, discord.presses(answer["id"], button(answer, "up"))) == "Thank you!"
    expect(nod, answer, UP)
    assert said(discord, discord.presses(answer["id"], button(answer, "up"))) == "Your vote is taken back."
    expect(nod, answer, WITHDRAWN)


def test_the_other_thumb_changes_the_vote(discord: FakeDiscord, nod: Roles, answer: Json) -> None:
    discord.presses(answer["id"], button(answer, "up"))
    expect(nod, answer, UP)
    discord.presses(answer["id"], button(answer, "down"))
    expect(nod, answer, DOWN)
    discord.presses(answer["id"], button(answer, "up"), user="jun")
    expect(nod, answer, DOWN, UP)


@pytest.mark.parametrize(
    ("locale", "question", "reason"), [("ko", "무엇이 문제였나요?", "옛날 내용이에요"), ("en-US", "What was wrong?", "It is out of date")]
)
def test_a_thumb_down_asks_why_and_for_the_right_answer(
    discord: FakeDiscord, nod: Roles, answer: Json, locale: str, question: str, reason: str
) -> None:
    discord.set(locale=locale)
    pressed = discord.presses(answer["id"], button(answer, "down"))
    asked = discord.wait_reply(pressed)
    assert asked["text"] == question
    [select] = [item for row in asked["components"] for item in row["components"] if item["type"] == 3]
    assert [option["value"] for option in select["options"]] == [
        "wrong", "outdated", "off_topic", "incomplete", "no_source", "style", "unsafe",
    ]  # fmt: skip
    assert reason in [option["label"] for option in select["options"]]
    discord.selects(asked["id"], select["custom_id"], ["outdated", "wrong"])
    expect(nod, answer, ("down", ["wrong", "outdated"], None))
    told = discord.wait(lambda: (now := discord.message(asked["id"]))["text"] != question and now, 10)
    opened = discord.presses(asked["id"], button(told, "write"))
    dialog = discord.wait(lambda: discord.interaction(opened)["modal"], 10)
    assert dialog["title"] == question
    discord.submits(opened, {"answer": "올해부터 10일이에요."})
    expect(nod, answer, ("down", ["wrong", "outdated"], "올해부터 10일이에요."))
    discord.set(locale="en-US")


@pytest.mark.parametrize(("emoji", "vote"), [("👍", UP), ("👎🏽", DOWN), ("👍️", UP)])
def test_a_reaction_is_a_vote_and_taking_it_back_withdraws(
    discord: FakeDiscord, nod: Roles, answer: Json, emoji: str, vote: tuple[str, list[str], None]
) -> None:
    discord.reacts(answer["id"], emoji)
    expect(nod, answer, vote)
    discord.unreacts(answer["id"], emoji)
    expect(nod, answer, WITHDRAWN)


def test_reactions_and_buttons_of_one_person_are_one_vote(discord: FakeDiscord, nod: Roles, answer: Json) -> None:
    discord.reacts(answer["id"], "👍")
    expect(nod, answer, UP)
    discord.presses(answer["id"], button(answer, "down"))
    expect(nod, answer, DOWN)
    discord.presses(answer["id"], button(answer, "down"))
    expect(nod, answer, UP)  # the reaction still stands


def test_what_a_moderator_clears_counts_no_more(discord: FakeDiscord, nod: Roles, answer: Json) -> None:
    discord.reacts(answer["id"], "👍", user="ann")
    discord.reacts(answer["id"], "👎", user="bob")
    expect(nod, answer, UP, DOWN)
    discord.clears_reactions(answer["id"], "👎")
    expect(nod, answer, UP, WITHDRAWN)
    discord.clears_reactions(answer["id"])
    expect(nod, answer, WITHDRAWN, WITHDRAWN)


def test_only_thumbs_of_people_on_answers_are_votes(discord: FakeDiscord, nod: Roles, answer: Json) -> None:
    discord.user("helper", bot=True)
    discord.reacts(answer["id"], "🎉")
    discord.reacts(answer["id"], "👍", user="helper")
    discord.reacts(discord.hears("unrelated", channel="elsewhere"), "👍")
    discord.reacts(answer["id"], "👎", user="last")
    expect(nod, answer, DOWN)


def test_a_vote_on_a_direct_answer_counts(discord: FakeDiscord, nod: Roles, agent: FakeModel) -> None:
    agent.will_say("15일입니다.")
    message = discord.wait_reply(discord.direct("휴가 며칠 남았어?", user="voter"), 20, is_done)
    discord.reacts(message["id"], "👍", user="voter")
    expect(nod, message, UP)


def test_from_a_mention_to_a_training_row(discord: FakeDiscord, nod: Roles, answer: Json, tmp_path: Path) -> None:
    discord.reacts(answer["id"], "👍")
    expect(nod, answer, UP)
    nod.run("feedback", "allow", "discord")
    out = tmp_path / "kto.jsonl"
    nod.run("feedback", "export", "--format", "trl-kto", "--out", str(out))
    rows = [json.loads(line) for line in out.read_text().splitlines()]
    assert any(row["completion"] == [{"role": "assistant", "content": "15일입니다."}] and row["label"] is True for row in rows)
    nod.run("feedback", "disallow", "discord")
