"""People ask nod in Discord and read what it says: real `nod discord`, real `nod worker`, a scripted model."""

import itertools
from typing import Any

import psycopg
import pytest

from tests.discord.conftest import is_done
from tests.fakes.discord_fake import FakeDiscord
from tests.fakes.model import FakeModel
from tests.servers import Embedded

pytestmark = pytest.mark.usefixtures("nod")

Json = dict[str, Any]

LEAVE = "네, 연차는 다음 해 3월 31일까지 닷새를 이월할 수 있어요. 반차는 0.5일로 계산해요. 자세한 것은 규정을 봐 주세요."
LEAVE_EN = "Yes, up to five days of leave are carried over until 31 March. Half days count as half. The policy has the details."


@pytest.fixture
def discord(running_guild: FakeDiscord) -> FakeDiscord:
    return running_guild


def reply(discord: FakeDiscord, asked: str) -> Json:
    """The one message that answers, once it is complete."""
    found = discord.wait_reply(asked, 20, is_done)
    assert len(discord.replies_to(asked)) == 1
    return found


def words(message: Json) -> list[str]:
    """The texts of an answer as they grew, without nod's own small lines."""
    shown = ["\n".join(line for line in state["text"].splitlines() if not line.startswith("-# ")) for state in message["states"]]
    return [text for before, text in zip(["", *shown], shown, strict=False) if text != before]


# ── asking ──


@pytest.mark.parametrize(("question", "answer"), [("연차 이월 돼?", LEAVE), ("Can I carry leave over?", LEAVE_EN)])
def test_a_mention_is_answered_by_a_reply_that_grows(discord: FakeDiscord, agent: FakeModel, question: str, answer: str) -> None:
    agent.will_stream(answer, tokens=40, first_after=0.3, every=0.05)
    message = reply(discord, discord.hears(f"@nod {question}", channel=question))
    grown = words(message)
    assert len(grown) >= 3
    assert grown[-1].startswith(answer)
    assert all(later.startswith(earlier) for earlier, later in itertools.pairwise(grown))
    assert message["pings"] == []


def test_the_first_words_are_shown_while_the_model_still_speaks(discord: FakeDiscord, agent: FakeModel) -> None:
    agent.will_stream(LEAVE, tokens=40, hold_after=12)
    asked = discord.hears("@nod 연차 이월 돼?", channel="holding")
    agent.until_holding(20)
    shown = discord.wait_reply(asked, 20, lambda one: one["text"].startswith("네, 연차"))
    assert not is_done(shown)
    agent.go_on()
    assert words(reply(discord, asked))[-1].startswith(LEAVE)


def test_the_first_sign_comes_before_the_model_is_done_thinking(discord: FakeDiscord, agent: FakeModel) -> None:
    agent.will_stream("네.", hold_after=0)
    asked = discord.hears("@nod 연차 이월 돼?", channel="sign")
    sign = discord.wait_reply(asked)
    assert sign["states"][0]["text"].endswith(("찾고 있어요…", "생각하고 있어요…"))
    agent.until_holding(20)
    agent.go_on()
    assert words(reply(discord, asked)) == ["네."]


def test_a_direct_message_is_answered_there_and_greeted_once(discord: FakeDiscord, agent: FakeModel) -> None:
    agent.will_say("Five days.", "Until March.")
    first = discord.direct("How many days can I carry over?", user="dana")
    assert reply(discord, first)["text"].startswith("Five days.")
    greeting = discord.wait(lambda: [one for one in discord.messages("@dana") if "Only you see" in one["text"]], 10)
    second = discord.direct("Until when?", user="dana")
    assert reply(discord, second)["text"].startswith("Until March.")
    assert agent.shown[-1] == ["How many days can I carry over?", "Five days.", "Until when?"]
    assert [one["id"] for one in discord.messages("@dana") if "Only you see" in one["text"]] == [greeting[0]["id"]]


def test_a_follow_up_to_an_answer_is_answered_with_the_earlier_turns_in_view(discord: FakeDiscord, agent: FakeModel) -> None:
    agent.will_say("15일입니다.", "네, 반차도 됩니다.", "처음 듣는 얘기예요.")
    first = reply(discord, discord.hears("@nod 휴가 며칠 남았어?", channel="chain"))
    second = discord.hears("반차도 돼?", channel="chain", reply_to=first["id"])  # a reply that pings is to us without a mention
    reply(discord, second)
    assert agent.shown[-1] == ["휴가 며칠 남았어?", "15일입니다.", "반차도 돼?"]
    reply(discord, discord.hears("@nod 그건 뭐야?", channel="chain", user="jun"))  # not a reply: a conversation of its own
    assert agent.shown[-1] == ["그건 뭐야?"]


def test_a_thread_opened_on_a_mention_or_on_an_answer_goes_on_with_it(discord: FakeDiscord, agent: FakeModel) -> None:
    agent.will_say("15일입니다.", "네, 반차도 됩니다.", "3월까지요.")
    asked = discord.hears("@nod 휴가 며칠 남았어?", channel="threads")
    answer = reply(discord, asked)
    on_answer = discord.opens_thread(answer["id"], "반차")
    reply(discord, discord.hears("@nod 반차도 돼?", thread=on_answer))
    assert agent.shown[-1] == ["휴가 며칠 남았어?", "15일입니다.", "반차도 돼?"]
    on_question = discord.opens_thread(asked, "휴가")
    reply(discord, discord.hears("@nod 언제까지?", thread=on_question))
    assert agent.shown[-1][0] == "휴가 며칠 남았어?"
    assert agent.shown[-1][-1] == "언제까지?"


def test_a_forum_post_is_one_conversation(discord: FakeDiscord, agent: FakeModel) -> None:
    agent.will_say("One.", "Two.")
    discord.channel("questions", kind="forum")
    post = discord.hears("@nod first?", channel="questions")
    reply(discord, post)
    reply(discord, discord.hears("@nod second?", thread=post))
    assert agent.shown[-1] == ["first?", "One.", "second?"]


def test_what_is_not_to_nod_is_not_answered(discord: FakeDiscord, agent: FakeModel) -> None:
    agent.will_say("Here.")
    discord.user("helper", bot=True)
    silent = [
        discord.hears("nobody in particular", channel="quiet"),
        discord.hears("@nod from a bot", channel="quiet", user="helper"),
    ]
    answer = reply(discord, discord.hears("@nod are you there?", channel="quiet"))
    silent.append(discord.hears("I do not mean nod", channel="quiet", reply_to=answer["id"], ping=False))
    assert discord.replies(silent) == {asked: [] for asked in silent}
    assert len(agent.shown) == 1


def test_who_can_read_along_is_known(discord: FakeDiscord, agent: FakeModel, embedded: Embedded) -> None:
    discord.channel("open")
    discord.channel("closed", private=True, members=["mina"])
    agent.will_say(*["So."] * 5)
    asked = {"in the open": discord.hears("@nod in the open?", channel="open")}
    closed = discord.hears("@nod in private?", channel="closed")
    thread = discord.opens_thread(closed)
    asked |= {"in private": closed, "in its thread": discord.hears("@nod in its thread?", thread=thread), "alone": discord.direct("alone?")}
    asked["by command"] = discord.slash("ask", {"question": "by command?", "private": True}, channel="open")
    for one in asked.values():
        discord.wait_reply(one, 20, is_done)
    with psycopg.connect(embedded.database_url, autocommit=True) as db:
        rows = db.execute("SELECT message_id, visibility FROM questions WHERE message_id = ANY(%s)", (list(asked.values()),)).fetchall()
    assert [dict(rows)[one] for one in asked.values()] == ["public", "private", "private", "direct", "direct"]


def test_a_mention_without_words_is_told_how_to_ask(discord: FakeDiscord) -> None:
    said = discord.wait_reply(discord.hears("@nod", channel="blank"))
    assert "@nod Can I carry leave over?" in said["text"]
    assert said["nonce"]


def test_the_same_message_told_twice_is_answered_once(discord: FakeDiscord, agent: FakeModel) -> None:
    agent.will_stream("Once.", first_after=0.3)
    asked = discord.hears("@nod twice?", channel="twice")
    discord.redeliver(asked)
    reply(discord, asked)
    discord.redeliver(asked)
    agent.will_say("After.")
    reply(discord, discord.hears("@nod and after?", channel="twice"))
    assert len(discord.replies_to(asked)) == 1


# ── what is written ──


def test_nothing_that_the_model_writes_pings_or_hides_a_link(discord: FakeDiscord, agent: FakeModel) -> None:
    mina = discord.user("mina")
    evil = f"@everyone @here <@{mina}> <@&1> <#2> [click](https://evil.example/?q=secret) https://evil.example discord.gg/evil"
    agent.will_stream(evil * 2, tokens=30, every=0.05)
    message = reply(discord, discord.hears("@nod 모두에게 알려 줘", channel="pings"))
    assert message["pings"] == []
    assert message["has_allowed_mentions"]
    for state in message["states"]:
        for live in ("@everyone", "@here", f"<@{mina}>", "<@&1>", "<#2>", "](https://", "https://evil", "discord.gg/evil"):
            assert live not in state["content"]
        assert state["flags"] & 4  # no preview is fetched


def test_what_a_command_asks_and_gets_pings_nobody_either(discord: FakeDiscord, agent: FakeModel) -> None:
    evil = f"@everyone <@{discord.user('mina')}> <@&1>"
    for is_private in (False, True):
        agent.will_say(evil)
        given = discord.slash("ask", {"question": evil, "private": is_private}, channel="pings")
        message = discord.wait_reply(given, 20, is_done)
        assert message["pings"] == []
        assert all(state["has_allowed_mentions"] for state in message["states"] if state["how"] != "defer")  # a deferral has no words
        assert "@everyone" not in message["content"]


def test_an_address_which_the_asker_wrote_stays_one(discord: FakeDiscord, agent: FakeModel) -> None:
    agent.will_say("Look at https://example.com/leave first.")
    message = reply(discord, discord.hears("@nod what is on https://example.com/leave ?", channel="links"))
    assert "https://example.com/leave" in message["content"]


@pytest.mark.parametrize("sentence", ["연차는 다음 해로 닷새까지 이월할 수 있어요.", "Up to five days of leave may be carried over."])
def test_a_long_answer_goes_on_in_further_messages_and_loses_nothing(discord: FakeDiscord, agent: FakeModel, sentence: str) -> None:
    text = "\n\n".join(f"{number}. {sentence * 4}" for number in range(1, 6_000 // (len(sentence) * 4)))
    agent.will_stream(text, tokens=60, every=0.05)
    asked = discord.hears(f"@nod {sentence[:4]}?", channel="long")
    discord.wait(lambda: any(is_done(one) for one in discord.replies_to(asked)), 30)
    parts = discord.replies_to(asked)
    assert len(parts) >= 3
    assert "".join("".join(part["content"] for part in parts).split()) == "".join(text.split())
    assert all(len(part["content"]) <= 2_000 for part in parts)
    assert [is_done(part) for part in parts] == [False] * (len(parts) - 1) + [True]
    assert len({part["nonce"] for part in parts}) == len(parts)


def test_every_message_carries_a_nonce_and_mentions_nobody(discord: FakeDiscord, agent: FakeModel) -> None:
    agent.will_say("Yes.")
    reply(discord, discord.hears("@nod so?", channel="nonce"))
    sent = [args for call in discord.calls("message.create") if (args := call["args"])]  # none: cut before it was read
    assert sent
    assert all(args["nonce"] and args["enforce_nonce"] for args in sent)
    edited = [
        args for route in ("message.edit", "followup.edit", "followup.create") for call in discord.calls(route) if (args := call["args"])
    ]
    assert all(args["allowed_mentions"] == {"parse": []} for args in [*sent, *edited])


# ── commands ──


def test_a_command_is_answered_where_it_was_given(discord: FakeDiscord, agent: FakeModel) -> None:
    agent.will_stream(LEAVE, tokens=40, first_after=0.3, every=0.05)
    given = discord.slash("ask", {"question": "연차 이월 돼?"}, channel="command")
    message = discord.wait_reply(given, 20, is_done)
    told = discord.interaction(given)
    assert (told["response_type"], told["is_ephemeral"], told["answered_after"] < 3) == (5, False, True)
    assert "연차 이월 돼?" in message["content"].splitlines()[0]  # Discord itself does not show what was asked
    assert words(message)[-1].startswith(LEAVE)
    assert len(words(message)) >= 3
    assert len(told["messages"]) == 1


def test_a_private_command_is_answered_to_its_giver_alone(discord: FakeDiscord, agent: FakeModel) -> None:
    long = "\n\n".join(f"{number}. 연차는 다음 해로 닷새까지 이월할 수 있어요. " * 3 for number in range(40))
    agent.will_say(long)
    given = discord.slash("ask", {"question": "연차 이월 돼?", "private": True}, channel="command")
    discord.wait(lambda: any(is_done(one) for one in discord.interaction(given)["messages"]), 20)
    messages = discord.interaction(given)["messages"]
    assert len(messages) >= 2
    assert all(one["is_ephemeral"] for one in messages)
    assert "".join("".join(one["content"] for one in messages).split()) == "".join(long.split())


def test_a_reply_to_a_commands_answer_goes_on_with_it(discord: FakeDiscord, agent: FakeModel) -> None:
    agent.will_say("15일입니다.", "네, 됩니다.")
    given = discord.slash("ask", {"question": "휴가 며칠 남았어?"}, channel="command-chain")
    message = discord.wait_reply(given, 20, is_done)
    reply(discord, discord.hears("@nod 반차도 돼?", channel="command-chain", reply_to=message["id"]))
    assert agent.shown[-1] == ["휴가 며칠 남았어?", "15일입니다.", "반차도 돼?"]


def test_a_command_in_a_direct_message_belongs_to_that_conversation(discord: FakeDiscord, agent: FakeModel) -> None:
    agent.will_say("Five.", "March.")
    given = discord.slash("ask", {"question": "How many days?"}, user="erin", channel="direct")
    discord.wait_reply(given, 20, is_done)
    reply(discord, discord.direct("Until when?", user="erin"))
    assert agent.shown[-1] == ["How many days?", "Five.", "Until when?"]


@pytest.mark.parametrize(
    ("name", "options", "locale", "expected"),
    [
        ("help", {}, "en-US", "`/ask`"),
        ("help", {}, "ko", "`/질문`"),
        ("privacy", {}, "ko", "가명"),
        ("stop", {}, "en-US", "not waiting"),
        ("search", {"text": "leave"}, "en-US", "found nothing"),
    ],
)
def test_other_commands_answer_their_giver_alone(discord: FakeDiscord, name: str, options: Json, locale: str, expected: str) -> None:
    discord.set(locale=locale)
    given = discord.slash(name, options, user=f"{name}-{locale}", channel="commands")
    message = discord.wait_reply(given)
    discord.set(locale="en-US")
    assert expected in message["text"]
    assert message["is_ephemeral"]


def test_the_web_command_gives_a_link_that_no_preview_opens(discord: FakeDiscord) -> None:
    message = discord.wait_reply(discord.slash("web", user="wendy"))
    assert "<http://127.0.0.1:" in message["text"]
    assert message["is_ephemeral"]
    assert message["flags"] & 4


def test_stop_ends_the_answers_one_waits_for(discord: FakeDiscord, agent: FakeModel) -> None:
    agent.will_stream(LEAVE, tokens=40, hold_after=12)
    asked = discord.hears("@nod 연차 이월 돼?", channel="stopping", user="sora")
    discord.wait_reply(asked, 20, lambda one: one["text"].startswith("네, 연차"))
    discord.slash("stop", user="sora", channel="stopping")
    message = reply(discord, asked)
    assert message["content"].startswith("네, 연차")
    assert "멈췄어요" in message["content"]


def test_commands_are_registered_in_both_languages(discord: FakeDiscord) -> None:
    commands = {one["name"]: one for one in discord.wait(discord.commands, 10)}
    assert set(commands) == {"ask", "search", "teach", "stop", "web", "privacy", "help", "Teach nod"}
    assert commands["Teach nod"]["name_localizations"] == {"ko": "nod에게 알려 주기"}
    ask = commands["ask"]
    assert ask["name_localizations"] == {"ko": "질문"}
    assert [(option["name"], option["name_localizations"]["ko"]) for option in ask["options"]] == [
        ("question", "질문"),
        ("private", "나만"),
    ]
    assert ask["contexts"] == [0, 1]


# ── reading along ──


def test_the_chain_of_replies_is_read_for_the_model(discord: FakeDiscord, agent: FakeModel) -> None:
    discord.intents(message_content=True)
    agent.will_call("read_thread")
    agent.will_say("They disagree.")
    discord.channel("reading")
    first = discord.hears("The door opens at eight.", channel="reading", user="ann")
    second = discord.hears("No, at nine.", channel="reading", user="bob", reply_to=first)
    reply(discord, discord.hears("@nod who is right?", channel="reading", user="cho", reply_to=second))
    seen = str(agent.prompts[-1])
    assert "ann: The door opens at eight." in seen
    assert "bob: No, at nine." in seen


def test_a_thread_is_read_for_the_model(discord: FakeDiscord, agent: FakeModel) -> None:
    discord.intents(message_content=True)
    agent.will_call("read_thread")
    agent.will_say("여덟 시요.")
    discord.channel("reading-thread")
    opened = discord.hears("문은 언제 열어요?", channel="reading-thread", user="ann")
    thread = discord.opens_thread(opened)
    discord.hears("여덟 시에 열어요.", thread=thread, user="bob")
    reply(discord, discord.hears("@nod 정리해 줘", thread=thread, user="cho"))
    seen = str(agent.prompts[-1])
    assert seen.index("ann: 문은 언제 열어요?") < seen.index("bob: 여덟 시에 열어요.")


# ── what goes wrong ──


def test_a_lost_reply_leaves_one_message(discord: FakeDiscord, agent: FakeModel) -> None:
    agent.will_say("Once.")
    discord.channel("lost")
    discord.fault("message.create", "lost_reply", channel="lost")
    asked = discord.hears("@nod lost?", channel="lost")
    assert reply(discord, asked)["text"].startswith("Once.")
    assert [fault["hits"] for fault in discord.faults()] == [1]


def test_a_lost_reply_that_the_nonce_has_forgotten_is_found_again(discord: FakeDiscord, agent: FakeModel) -> None:
    agent.will_say("Once.")
    discord.channel("forgotten")
    discord.set(nonce_seconds=0.0)
    discord.fault("message.create", "lost_reply", channel="forgotten")
    asked = discord.hears("@nod lost?", channel="forgotten")
    assert reply(discord, asked)["text"].startswith("Once.")
    discord.set(nonce_seconds=180.0)


@pytest.mark.parametrize("kind", ["500", "429", "reset", "lost_reply"])
def test_the_last_words_come_through(discord: FakeDiscord, agent: FakeModel, kind: str) -> None:
    agent.will_stream(LEAVE, tokens=20, every=0.05)
    channel = f"edits-{kind}"
    discord.channel(channel)
    discord.fault("message.edit", kind, channel=channel, times=3, retry_after=0.2)
    message = reply(discord, discord.hears("@nod 연차 이월 돼?", channel=channel))
    assert words(message)[-1].startswith(LEAVE)


def test_a_deleted_question_is_not_answered_elsewhere(discord: FakeDiscord, agent: FakeModel) -> None:
    agent.will_stream("Too late.", hold_after=0, when="gone?")
    agent.will_say("Here.", when="here?")
    discord.channel("deleted")
    discord.fault("message.create", "429", channel="deleted", retry_after=0.5)
    asked = discord.hears("@nod gone?", channel="deleted")
    agent.until_holding(20)
    discord.deletes(asked)
    reply(discord, discord.hears("@nod here?", channel="deleted"))
    [said] = [one["text"] for one in discord.messages("deleted") if one["is_bot"]]
    assert said.startswith("Here.")


def test_an_answer_that_was_deleted_below_us_is_posted_anew(discord: FakeDiscord, agent: FakeModel) -> None:
    agent.will_stream(LEAVE, tokens=40, hold_after=12)
    asked = discord.hears("@nod 연차 이월 돼?", channel="moderated")
    shown = discord.wait_reply(asked, 20, lambda one: one["text"].startswith("네, 연차"))
    discord.deletes(shown["id"])
    agent.go_on()
    message = discord.wait_reply(asked, 20, lambda one: is_done(one) and not one["is_deleted"])
    assert message["id"] != shown["id"]
    assert message["text"].startswith(LEAVE)


def test_a_failed_answer_can_be_tried_again_in_the_same_message(discord: FakeDiscord, agent: FakeModel) -> None:
    agent.will_fail("401")
    asked = discord.hears("@nod 연차 이월 돼?", channel="retry")
    failed = reply(discord, asked)
    assert "q-" in failed["text"]
    [button] = [item["custom_id"] for row in failed["components"] for item in row["components"]]
    agent.will_say(LEAVE)
    discord.presses(failed["id"], button)
    again = discord.wait_reply(asked, 20, lambda one: is_done(one) and one["text"].startswith(LEAVE))
    assert again["id"] == failed["id"]
    assert len(discord.replies_to(asked)) == 1


@pytest.mark.slow
def test_an_old_apology_gives_way_to_a_new_message(discord: FakeDiscord, agent: FakeModel) -> None:
    agent.will_fail("401")
    asked = discord.hears("@nod 연차 이월 돼?", channel="old")
    failed = reply(discord, asked)
    [button] = [item["custom_id"] for row in failed["components"] for item in row["components"]]
    discord.ages(failed["id"])  # Discord limits edits of messages older than an hour hard
    agent.will_say(LEAVE)
    discord.presses(failed["id"], button)
    again = discord.wait_reply(asked, 30, lambda one: is_done(one) and one["text"].startswith(LEAVE))
    assert again["id"] != failed["id"]
    assert discord.message(failed["id"])["is_deleted"]


def test_a_command_whose_token_is_dead_is_answered_in_the_channel(discord: FakeDiscord, agent: FakeModel) -> None:
    agent.will_say("Five days.")
    discord.fault("interaction.callback", "error", status=404, code=10062, message="Unknown interaction", times=2)
    discord.slash("ask", {"question": "How many days?"}, channel="expired", user="mina")
    message = discord.wait(lambda: next((one for one in discord.messages("expired") if one["is_bot"] and is_done(one)), None), 20)
    assert "mina asks: How many days?" in message["content"]
    assert "Five days." in message["content"]
    assert message["nonce"]


def test_a_private_command_whose_token_is_dead_is_answered_directly(discord: FakeDiscord, agent: FakeModel) -> None:
    agent.will_say("Five days.")
    discord.fault("interaction.callback", "error", status=404, code=10062, message="Unknown interaction", times=2)
    discord.slash("ask", {"question": "How many days?", "private": True}, channel="expired", user="paul")
    message = discord.wait(lambda: next((one for one in discord.messages("@paul") if one["is_bot"] and is_done(one)), None), 20)
    assert "Five days." in message["content"]
    assert not [one for one in discord.messages("expired") if "paul" in one["content"]]
