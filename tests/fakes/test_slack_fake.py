"""The fake Slack with a bare official app on it: events, streams, presses, redelivery, cut sockets, and what the handle tells."""

from __future__ import annotations

import asyncio
import contextlib
import os
import subprocess
import sys
import time
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Iterator
from typing import Any

import pytest
from slack_bolt.adapter.socket_mode.aiohttp import AsyncSocketModeHandler
from slack_bolt.app.async_app import AsyncApp
from slack_sdk.socket_mode.aiohttp import SocketModeClient
from slack_sdk.socket_mode.response import SocketModeResponse
from slack_sdk.web.async_client import AsyncWebClient

from tests.fakes import process
from tests.fakes.slack import FakeSlack, Misused

Json = dict[str, Any]
FEEDBACK: Json = {
    "type": "context_actions",
    "elements": [
        {
            "type": "feedback_buttons",
            "action_id": "vote",
            "positive_button": {"text": {"type": "plain_text", "text": "👍"}, "value": "up"},
            "negative_button": {"text": {"type": "plain_text", "text": "👎"}, "value": "down"},
        }
    ],
}


@pytest.fixture(scope="module")
def running() -> Iterator[FakeSlack]:
    with FakeSlack() as slack:
        yield slack


@pytest.fixture
def slack(running: FakeSlack) -> FakeSlack:
    running.reset()
    running.channel("C1", members=["U1", "U2"])
    return running


class BareBot:
    """An app of a few lines: streams an answer to each mention once, and writes down what else it heard."""

    def __init__(self, slack: FakeSlack) -> None:
        self.slack = slack
        self.heard: list[Json] = []
        self.client: Any = AsyncWebClient(slack.bot_token, base_url=slack.url)
        self.app = AsyncApp(client=self.client, ignoring_self_events_enabled=False)
        self.app.event("app_mention")(self.on_mention)
        for kind in ("message", "reaction_added", "reaction_removed", "app_home_opened", "member_joined_channel", "agent_session_stopped"):
            self.app.event(kind)(self.on_event)
        self.app.action("vote")(self.on_press)
        self.app.command("/nod")(self.on_command)
        self.app.view("reason")(self.on_view)
        self.app.shortcut("teach")(self.on_press)

    async def on_mention(self, body: Json, event: Json) -> None:
        self.heard.append(body["event"])
        thread, channel = event.get("thread_ts", event["ts"]), event["channel"]
        await self.client.assistant_threads_setStatus(channel_id=channel, thread_ts=thread, status="생각하고 있어요…")
        stream = await self.client.chat_startStream(
            channel=channel, thread_ts=thread, recipient_user_id=event["user"], recipient_team_id=self.slack.team, markdown_text="휴가는 "
        )
        for words in ("**15일**", "입니다."):
            await self.client.chat_appendStream(channel=channel, ts=stream["ts"], markdown_text=words)
        await self.client.chat_stopStream(channel=channel, ts=stream["ts"], blocks=[FEEDBACK])

    async def on_event(self, event: Json) -> None:
        self.heard.append(event)

    async def on_press(self, ack: Any, body: Json) -> None:
        await ack()
        self.heard.append(body)

    async def on_command(self, ack: Any, respond: Any, body: Json, client: AsyncWebClient) -> None:
        await ack("잠깐만요")
        await respond(f"{body['text']}: 15일", response_type="ephemeral")
        view = {
            "type": "modal",
            "callback_id": "reason",
            "title": {"type": "plain_text", "text": "왜요?"},
            "submit": {"type": "plain_text", "text": "보내기"},
            "blocks": [
                {
                    "type": "input",
                    "block_id": "why",
                    "label": {"type": "plain_text", "text": "이유"},
                    "element": {"type": "plain_text_input", "action_id": "text"},
                }
            ],
        }
        await client.views_open(trigger_id=body["trigger_id"], view=view)

    async def on_view(self, ack: Any, view: Json) -> None:
        said = view["state"]["values"]["why"]["text"]["value"]
        if len(said) < 3:
            await ack(response_action="errors", errors={"why": "더 길게 써 주세요"})
        else:
            await ack()
            self.heard.append(view)

    async def until(self, look: Callable[[Json], bool]) -> Json:
        for _ in range(200):
            if found := next((each for each in self.heard if look(each)), None):
                return found
            await asyncio.sleep(0.02)
        raise TimeoutError(f"heard only {[each.get('type') for each in self.heard]}")


@pytest.fixture
async def bot(slack: FakeSlack) -> AsyncIterator[BareBot]:
    bot = BareBot(slack)
    handler = AsyncSocketModeHandler(bot.app, slack.app_token, ping_interval=0.5)
    await handler.connect_async()
    yield bot
    await handler.close_async()


async def reply_to(slack: FakeSlack, ts: str, channel: str = "C1", **more: Any) -> Any:
    return await asyncio.to_thread(slack.wait_reply, channel, ts, **more)


# the whole way


async def test_a_mention_comes_as_two_events_and_its_answer_grows_until_it_is_done(slack: FakeSlack, bot: BareBot) -> None:
    ts = slack.hears("@nod 휴가 며칠?")
    reply = await reply_to(slack, ts)
    assert reply.shown == "휴가는 **15일**입니다."
    assert reply.growths == ["휴가는 ", "휴가는 **15일**", "휴가는 **15일**입니다."]
    assert [each["kind"] for each in reply.states] == ["started", "appended", "appended", "stopped"]
    assert (reply.streaming, reply.streamed, reply.thread_ts) == (False, True, ts)
    events = await asyncio.to_thread(slack.wait_delivered, ts)
    assert [each["type"] for each in events] == ["app_mention", "message.channels"]
    assert len({each["id"] for each in events}) == 2
    assert {each["payload"]["event"]["ts"] for each in events} == {ts}
    status = slack.statuses("C1", ts)[0]
    assert (status["status"], status["ended"]) == ("생각하고 있어요…", "posted")
    assert reply.states[0]["mono"] < reply.states[-1]["mono"]
    assert status["mono"] < reply.states[0]["mono"]


async def test_a_thumb_pressed_and_an_emoji_given_and_taken_reach_the_app(slack: FakeSlack, bot: BareBot) -> None:
    reply = await reply_to(slack, slack.hears("@nod 휴가?"))
    slack.presses("C1", reply.ts, value="down", user="U2")
    pressed = await bot.until(lambda each: each.get("type") == "block_actions")
    assert (pressed["actions"][0]["action_id"], pressed["actions"][0]["value"]) == ("vote", "down")
    assert (pressed["user"]["id"], pressed["container"]["message_ts"]) == ("U2", reply.ts)
    slack.reacts("C1", reply.ts, "+1::skin-tone-3")
    added = await bot.until(lambda each: each["type"] == "reaction_added")
    assert (added["item_user"], added["item"]["ts"], added["reaction"]) == (slack.bot_user, reply.ts, "+1::skin-tone-3")
    slack.unreacts("C1", reply.ts, "+1::skin-tone-3")
    assert (await bot.until(lambda each: each["type"] == "reaction_removed"))["user"] == "U1"
    with pytest.raises(Misused, match="nothing_to_press"):
        slack.presses("C1", reply.ts, value="sideways")


async def test_a_command_is_answered_twice_and_its_modal_says_what_is_wrong_before_it_closes(slack: FakeSlack, bot: BareBot) -> None:
    command = slack.command("/nod", "ask 휴가")
    responses = await asyncio.to_thread(command.wait, 5.0, 2)
    assert [(each["by"], each["shown"]) for each in responses] == [("ack", "잠깐만요"), ("response_url", "ask 휴가: 15일")]
    assert slack.ephemerals("U1")[0]["shown"] == "ask 휴가: 15일"
    assert command.state == "acked"
    view = await asyncio.to_thread(slack.wait_view, callback_id="reason")
    slack.submits(view["id"], {"text": "음"})
    await asyncio.to_thread(slack.wait, lambda: slack.views[-1]["errors"])
    slack.submits(view["id"], {"text": "틀렸어요"})
    await asyncio.to_thread(slack.wait, lambda: not slack.views[-1]["open"])
    assert (await bot.until(lambda each: each["type"] == "modal"))["state"]["values"]["why"]["text"]["value"] == "틀렸어요"


async def test_the_app_hears_edits_deletions_threads_files_joins_the_home_and_itself(slack: FakeSlack, bot: BareBot) -> None:
    ts = slack.hears("그냥 말", files=[("a.txt", b"hello")])
    assert (await bot.until(lambda each: each.get("subtype") == "file_share"))["files"][0]["name"] == "a.txt"
    reply = slack.hears("이어서", thread=ts)
    assert (await bot.until(lambda each: each.get("thread_ts") == ts))["parent_user_id"] == "U1"
    slack.edits("C1", ts, "고친 말")
    changed = await bot.until(lambda each: each.get("subtype") == "message_changed")
    assert (changed["message"]["text"], changed["previous_message"]["text"]) == ("고친 말", "그냥 말")
    slack.unfurls("C1", ts)
    preview = await bot.until(lambda each: bool(each.get("message", {}).get("attachments")))
    assert preview["message"]["text"] == preview["previous_message"]["text"] == "고친 말"
    slack.deletes("C1", ts)
    gone = await bot.until(lambda each: each.get("message", {}).get("subtype") == "tombstone")  # a reply stands below it
    assert (gone["subtype"], gone["previous_message"]["text"]) == ("message_changed", "고친 말")
    slack.deletes("C1", reply)
    assert (await bot.until(lambda each: each.get("subtype") == "message_deleted"))["deleted_ts"] == reply
    slack.direct("안녕")
    assert (await bot.until(lambda each: each.get("channel_type") == "im"))["channel"] == slack.direct_channel("U1")
    slack.opens_home("U1", "messages")
    assert (await bot.until(lambda each: each["type"] == "app_home_opened"))["tab"] == "messages"
    slack.joins("C1", "U3")
    assert (await bot.until(lambda each: each["type"] == "member_joined_channel"))["user"] == "U3"
    await bot.client.chat_postMessage(channel="C1", text="제가 말했어요")
    assert (await bot.until(lambda each: each.get("bot_id") == slack.bot_id))["text"] == "제가 말했어요"


async def test_slacks_stop_button_ends_the_stream_and_names_it(slack: FakeSlack, bot: BareBot) -> None:
    ts = slack.hears("그냥 말")
    stream = await bot.client.chat_startStream(channel="C1", thread_ts=ts, recipient_user_id="U1", recipient_team_id=slack.team)
    slack.stops("C1", ts)
    stopped = await bot.until(lambda each: each["type"] == "agent_session_stopped")
    assert (stopped["thread_ts"], stopped["streaming_message_ts"]) == (ts, [stream["ts"]])


async def test_what_replaced_a_stream_is_shown_and_what_it_was_is_kept(slack: FakeSlack, bot: BareBot) -> None:
    reply = await reply_to(slack, slack.hears("@nod 휴가?"))
    await bot.client.chat_update(channel="C1", ts=reply.ts, text="고쳤습니다")
    await bot.client.chat_delete(channel="C1", ts=reply.ts)
    kept = slack.messages("C1", reply.thread_ts, bot_only=True)[0]
    assert [each["shown"] for each in kept.states[-3:]] == ["휴가는 **15일**입니다.", "고쳤습니다", ""]
    assert kept.deleted
    assert slack.last_reply("C1", reply.thread_ts) is None


# sockets


async def test_an_event_without_acknowledgement_comes_again_with_the_same_id_and_then_no_more(slack: FakeSlack) -> None:
    slack.timing(ack_seconds=0.1, retry_seconds=[0.0, 0.2, 0.4])
    heard: list[Any] = []

    async def listen(client: Any, request: Any) -> None:
        heard.append((request.payload["event_id"], request.retry_attempt, request.retry_reason, request.envelope_id))
        if request.retry_attempt == 2:
            await client.send_socket_mode_response(SocketModeResponse(envelope_id=request.envelope_id))

    async with connected(slack, listen):
        ts = slack.hears("그냥 말")
        delivery = (await asyncio.to_thread(slack.wait_delivered, ts))[0]
    assert [(attempt, reason) for _, attempt, reason, _ in heard] == [(0, ""), (1, "timeout"), (2, "timeout")]
    assert {event for event, *_ in heard} == {delivery["id"]}
    assert len({envelope for *_, envelope in heard}) == 3
    assert delivery["state"] == "acked"
    first, second, third = (each["mono"] for each in delivery["attempts"])
    assert second - first == pytest.approx(0.1, abs=0.09)
    assert third - second == pytest.approx(0.3, abs=0.1)


async def test_an_event_nobody_ever_acknowledges_is_given_up_after_three_more_tries(slack: FakeSlack) -> None:
    slack.timing(ack_seconds=0.05, retry_seconds=[0.0, 0.05, 0.05])
    delivery = (await asyncio.to_thread(slack.wait_delivered, slack.hears("아무도 없어요")))[0]
    assert [each["result"] for each in delivery["attempts"]] == ["no_connection"] * 4
    assert delivery["state"] == "failed"


async def test_a_mention_while_nobody_is_connected_is_answered_after_the_connection(slack: FakeSlack) -> None:
    slack.timing(ack_seconds=0.1, retry_seconds=[0.0, 1.0, 1.0])
    ts = slack.hears("@nod 휴가?")
    bot = BareBot(slack)
    handler = AsyncSocketModeHandler(bot.app, slack.app_token, ping_interval=0.5)
    await handler.connect_async()
    assert (await reply_to(slack, ts)).shown.startswith("휴가는")
    await handler.close_async()


async def test_redelivery_on_demand_carries_the_same_event(slack: FakeSlack, bot: BareBot) -> None:
    ts = slack.hears("@nod 휴가?")
    await reply_to(slack, ts)
    assert await asyncio.to_thread(slack.redeliver, ts) == [True, True]
    attempts = [each["attempts"] for each in slack.deliveries(ts)[:2]]
    assert [[each["number"] for each in two] for two in attempts] == [[0, 1], [0, 1]]


async def test_a_socket_cut_hard_comes_back_and_hears_again(slack: FakeSlack, bot: BareBot) -> None:
    before = slack.connections_ever()
    assert slack.drop() == 1
    assert slack.connections() == 0
    await asyncio.to_thread(slack.wait_connected)
    assert slack.connections_ever() == before + 1
    assert (await reply_to(slack, slack.hears("@nod 휴가?"))).shown.endswith("입니다.")


async def test_a_socket_that_is_open_but_dead_is_found_out_by_its_pings(slack: FakeSlack, bot: BareBot) -> None:
    slack.timing(ack_seconds=0.5, retry_seconds=[0.0, 3.0, 3.0])
    slack.drop(silently=True)
    ts = slack.hears("@nod 휴가?")
    assert (await reply_to(slack, ts, timeout=15.0)).shown.endswith("입니다.")
    assert slack.deliveries(ts)[0]["attempts"][0]["result"] == "timeout"


@pytest.mark.parametrize("reason", ["refresh_requested", "warning"])
async def test_a_socket_asked_to_come_back_does_so_at_once(reason: str, slack: FakeSlack, bot: BareBot) -> None:
    before = slack.connections_ever()
    slack.refresh(reason)
    await asyncio.to_thread(slack.wait, lambda: slack.connections_ever() > before)
    assert (await reply_to(slack, slack.hears("@nod 휴가?"))).shown.endswith("입니다.")


async def test_each_payload_goes_to_one_of_the_open_sockets(slack: FakeSlack) -> None:
    heard: list[str] = []

    async def listen(client: Any, request: Any) -> None:
        heard.append(request.payload["event_id"])
        await client.send_socket_mode_response(SocketModeResponse(envelope_id=request.envelope_id))

    async with connected(slack, listen), connected(slack, listen):
        for number in range(20):
            slack.hears(f"말 {number}")
        await asyncio.to_thread(slack.wait, lambda: all(each["state"] == "acked" for each in slack.deliveries()))
        used = {each["attempts"][0]["connection"] for each in slack.deliveries()}
    assert len(heard) == len(set(heard)) == 20
    assert len(used) == 2


@contextlib.asynccontextmanager
async def connected(slack: FakeSlack, listener: Any) -> AsyncGenerator[None, None]:
    client = SocketModeClient(app_token=slack.app_token, web_client=AsyncWebClient(base_url=slack.url), ping_interval=0.5)
    client.socket_mode_request_listeners.append(listener)
    await client.connect()
    await asyncio.to_thread(slack.wait, lambda: slack.connections() > 0)
    try:
        yield
    finally:
        await client.close()


# many at once, and the process itself


async def test_a_volley_tells_when_each_mention_was_sent_acknowledged_and_answered(slack: FakeSlack, bot: BareBot) -> None:
    key = slack.volley([{"text": f"@nod {number}", "channel": f"C{number % 3}", "user": "U1", "at": number * 0.01} for number in range(12)])
    await asyncio.to_thread(
        slack.wait,
        lambda: len(found := slack.volley_times(key)) == 12 and all(each["shown"] and not each["streaming"] for each in found),
        10.0,
    )
    for each in slack.volley_times(key, text_has="15일"):
        assert each["sent"] < each["first_status"] == each["first_sign"] < each["first_text"] < each["last_change"]
        assert each["sent"] < each["acked"]
        assert (each["messages"], each["shown"]) == (1, ["휴가는 **15일**입니다."])
    sent = [each["sent"] for each in slack.volley_times(key)]
    assert sent[-1] - sent[0] >= 0.1


def test_every_call_is_kept_without_its_token(slack: FakeSlack) -> None:
    asyncio.run(AsyncWebClient(slack.bot_token, base_url=slack.url).chat_postMessage(channel="C1", text="하나"))
    call = slack.calls("chat.postMessage")[0]
    assert (call["args"], call["result"], call["ts"]) == ({"channel": "C1", "text": "하나"}, "ok", slack.replies("C1")[0].ts)
    assert slack.bot_token not in str(slack.calls())
    assert slack.counts()["chat.postMessage"] == {"calls": 1, "ratelimited": 0, "refused": 0}


def test_files_uploaded_by_the_bot_can_be_read(slack: FakeSlack) -> None:
    client = AsyncWebClient(slack.bot_token, base_url=slack.url)
    ts = slack.hears("@nod 표로 줘")
    asyncio.run(client.files_upload_v2(channel="C1", thread_ts=ts, filename="답.csv", content="a,b", initial_comment="여기요"))
    reply = slack.last_reply("C1", ts)
    assert reply
    assert reply.shown == "여기요"
    assert slack.file_bytes(reply.files[0]["id"]) == b"a,b"


def test_a_dead_test_run_leaves_no_fake_behind() -> None:
    code = "from tests.fakes.process import start; import os; print(start('tests.fakes.slack_server').pid, flush=True); os.kill(os.getpid(), 9)"
    said = subprocess.run([sys.executable, "-c", code], cwd=process.ROOT, capture_output=True, check=False, timeout=30)
    pid = int(said.stdout)
    deadline = time.monotonic() + 10
    while _is_running(pid):
        assert time.monotonic() < deadline, "the fake outlived its tests"
        time.sleep(0.05)


def _is_running(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    with contextlib.suppress(FileNotFoundError), open(f"/proc/{pid}/stat") as stat:  # noqa: PTH123 -- one line of /proc
        return stat.read().rpartition(")")[2].split()[0] != "Z"
    return False
