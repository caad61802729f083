"""What the fake Slack refuses, case by case, asked with the bare official clients; and what lies just inside each limit."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from dataclasses import dataclass
from typing import Any

import aiohttp
import pytest
from slack_sdk.errors import SlackApiError
from slack_sdk.socket_mode.aiohttp import SocketModeClient
from slack_sdk.web.async_client import AsyncWebClient
from slack_sdk.webhook.async_client import AsyncWebhookClient

from tests.fakes.slack import FakeSlack

Json = dict[str, Any]
NOT_THERE = "1000000000.000001"


@dataclass(frozen=True)
class Scene:
    """A mention in C1, a message of the bot in its thread, and a stream it has open there."""

    slack: FakeSlack
    client: Any  # AsyncWebClient; its answers are typed as if they could be nothing
    mention: str
    own: str
    stream: str

    async def new_stream(self, **more: Any) -> str:
        started = await self.client.chat_startStream(
            channel="C1", thread_ts=self.mention, recipient_user_id="U1", recipient_team_id=self.slack.team, **more
        )
        return started["ts"]

    async def append(self, ts: str, text: str) -> Any:
        return await self.client.chat_appendStream(channel="C1", ts=ts, markdown_text=text)

    async def stopped(self) -> str:
        await self.client.chat_stopStream(channel="C1", ts=self.stream)
        return self.stream


@pytest.fixture(scope="module")
def running() -> Iterator[FakeSlack]:
    with FakeSlack() as slack:
        yield slack


@pytest.fixture
def slack(running: FakeSlack) -> FakeSlack:
    running.reset()
    running.channel("C1", members=["U1"])
    return running


@pytest.fixture
async def client(slack: FakeSlack) -> AsyncIterator[AsyncWebClient]:
    async with aiohttp.ClientSession() as session:
        yield AsyncWebClient(slack.bot_token, base_url=slack.url, session=session, retry_handlers=[])


@pytest.fixture
async def scene(slack: FakeSlack, client: Any) -> Scene:
    mention = slack.hears("@nod 휴가는?")
    own = (await client.chat_postMessage(channel="C1", thread_ts=mention, text="15일입니다."))["ts"]
    without_stream = Scene(slack, client, mention, own, "")
    return Scene(slack, client, mention, own, await without_stream.new_stream())


Act = Callable[[Scene], Awaitable[Any]]


def section(text: str) -> Json:
    return {"type": "section", "text": {"type": "mrkdwn", "text": text}}


def button(text: str = "x", **more: Any) -> Json:
    return {"type": "button", "action_id": "a", "text": {"type": "plain_text", "text": text}, **more}


def feedback(**sides: Json) -> Json:
    side = {"text": {"type": "plain_text", "text": "👍"}, "value": "up"}
    return {
        "type": "context_actions",
        "elements": [{"type": "feedback_buttons", "positive_button": side, "negative_button": side, **sides}],
    }


def blocks(*which: Json) -> Act:
    return lambda s: s.client.chat_postMessage(channel="C1", text="x", blocks=list(which))


def modal(**more: Any) -> Json:
    return {"type": "modal", "title": {"type": "plain_text", "text": "왜요?"}, "blocks": [section("x")], **more}


def called(s: Scene, method: str, **arguments: Any) -> Awaitable[Any]:
    return s.client.api_call(method, json=arguments)


async def trigger(s: Scene) -> str:
    s.slack.timing(ack_seconds=0.05)
    return s.slack.ask("command", command="/nod", text="", user="U1", channel="C1")["trigger_id"]


async def used_trigger(s: Scene) -> Any:
    once = await trigger(s)
    await s.client.views_open(trigger_id=once, view=modal())
    return await s.client.views_open(trigger_id=once, view=modal())


async def old_trigger(s: Scene) -> Any:
    s.slack.timing(trigger_seconds=0.0)
    return await s.client.views_open(trigger_id=await trigger(s), view=modal())


async def after(s: Scene, change: Callable[[], Any], act: Awaitable[Any]) -> Any:
    change()
    return await act


async def twice(s: Scene, act: Callable[[], Awaitable[Any]]) -> Any:
    await act()
    return await act()


async def past_the_cap(s: Scene) -> Any:
    for _ in range(3):
        await s.append(s.stream, "가" * 1000)
    return await s.append(s.stream, "가" * 334)


async def past_the_cap_by_tasks(s: Scene) -> Any:
    ts = await s.new_stream(chunks=[{"type": "markdown_text", "text": "x" * 5_000}])
    task = {"type": "task_update", "id": "1", "title": "t", "status": "complete", "details": "d" * 2_500}
    return await s.client.chat_appendStream(channel="C1", ts=ts, chunks=[task])


async def other_mode(s: Scene) -> Any:
    ts = await s.new_stream(markdown_text="x")
    return await s.client.chat_appendStream(channel="C1", ts=ts, chunks=[{"type": "markdown_text", "text": "y"}])


async def after_stop(s: Scene, method: str) -> Any:
    return await called(s, method, channel="C1", ts=await s.stopped(), **({"markdown_text": "x"} if "append" in method else {}))


async def expired(s: Scene, method: str) -> Any:
    s.slack.timing(stream_seconds=0.0)
    return await called(s, method, channel="C1", ts=s.stream, **({"markdown_text": "x"} if "append" in method else {}))


def as_token(token: str, method: str = "auth.test") -> Act:
    return lambda s: AsyncWebClient(token, base_url=s.slack.url).api_call(method)


def without(scope: str, act: Act) -> Act:
    from tests.fakes.slack_world import ALL_SCOPES

    return lambda s: after(s, lambda: s.slack.scopes([each for each in ALL_SCOPES if each != scope]), act(s))


async def too_many_streamed_blocks(s: Scene) -> Any:
    ts = await s.new_stream(chunks=[{"type": "blocks", "blocks": [{"type": "divider"}] * 50}])
    return await s.client.chat_appendStream(channel="C1", ts=ts, chunks=[{"type": "blocks", "blocks": [{"type": "divider"}]}])


async def opened(s: Scene, view: Json, method: str = "views.open") -> Any:
    return await called(s, method, trigger_id=await trigger(s), view=view)


async def stale_update(s: Scene) -> Any:
    view = (await opened(s, modal()))["view"]
    await s.client.views_update(view_id=view["id"], view=modal(), hash=view["hash"])
    return await s.client.views_update(view_id=view["id"], view=modal(), hash=view["hash"])


async def form_without_submit(s: Scene) -> Any:
    field = {"type": "input", "label": {"type": "plain_text", "text": "이유"}, "element": {"type": "plain_text_input", "action_id": "a"}}
    return await opened(s, modal(blocks=[field]))


async def four_views(s: Scene) -> Any:
    await opened(s, modal())
    await opened(s, modal(), "views.push")
    await opened(s, modal(), "views.push")
    return await opened(s, modal(), "views.push")


REFUSED: list[tuple[str, str, Act]] = [
    # who
    ("no token", "not_authed", as_token("")),
    ("a token of no kind", "invalid_auth", as_token("hello")),
    ("a person's token", "invalid_auth", as_token("xoxp-1")),
    ("an app token on a bot's method", "not_allowed_token_type", as_token("xapp-1")),
    ("a bot token for a socket", "not_allowed_token_type", as_token("xoxb-1", "apps.connections.open")),
    ("a revoked token", "token_revoked", lambda s: after(s, lambda: s.slack.refuses("xoxb-old", "token_revoked"), as_token("xoxb-old")(s))),
    ("a scope that was not granted", "missing_scope", without("reactions:write", lambda s: s.client.reactions_add(channel="C1", name="eyes", timestamp=s.mention))),
    ("history without its scope", "missing_scope", without("channels:history", lambda s: s.client.conversations_replies(channel="C1", ts=s.mention))),
    ("another name without its scope", "missing_scope", lambda s: s.client.chat_postMessage(channel="C1", text="x", username="Boss")),
    ("another workspace", "team_access_not_granted", lambda s: called(s, "chat.postMessage", channel="C1", text="x", team_id="T2")),
    ("another workspace's name", "team_not_found", lambda s: s.client.team_info(team="T2")),
    ("another bot", "bot_not_found", lambda s: s.client.bots_info(bot="B2")),
    # how
    ("a method of no name", "unknown_method", lambda s: called(s, "chat.shout")),
    ("an unknown field", "invalid_arguments", lambda s: called(s, "chat.postMessage", channel="C1", text="x", txet="y")),
    ("a missing field", "invalid_arguments", lambda s: called(s, "chat.update", channel="C1", text="x")),
    ("a number for a text", "invalid_arguments", lambda s: called(s, "chat.postMessage", channel="C1", text=5)),
    ("JSON for a method that reads forms", "invalid_arguments", lambda s: called(s, "conversations.replies", channel="C1", ts=s.mention)),
    # where
    ("a channel that is not there", "channel_not_found", lambda s: s.client.chat_postMessage(channel="C404", text="x")),
    ("a channel by name", "channel_not_found", lambda s: s.client.chat_postMessage(channel="general", text="x")),
    ("a channel the bot is not in", "not_in_channel", lambda s: after(s, lambda: s.slack.channel("C2", bot_in=False), s.client.chat_postMessage(channel="C2", text="x"))),
    ("a private channel the bot is not in", "channel_not_found", lambda s: after(s, lambda: s.slack.channel("C3", private=True, bot_in=False), s.client.conversations_info(channel="C3"))),
    ("an archived channel", "is_archived", lambda s: after(s, lambda: s.slack.channel("C4", archived=True), s.client.chat_postMessage(channel="C4", text="x"))),
    ("a thread that is not there", "thread_not_found", lambda s: s.client.chat_postMessage(channel="C1", text="x", thread_ts=NOT_THERE)),
    ("a reply taken for a thread", "thread_not_found", lambda s: s.client.chat_postMessage(channel="C1", text="x", thread_ts=s.own)),
    ("reading a thread that is not there", "thread_not_found", lambda s: s.client.conversations_replies(channel="C1", ts=NOT_THERE)),
    ("a page of 1,000 messages", "invalid_limit", lambda s: s.client.conversations_history(channel="C1", limit=1_000)),
    ("a time that is none", "invalid_ts_oldest", lambda s: s.client.conversations_history(channel="C1", oldest="today")),
    ("opening a talk with nobody", "users_list_not_supplied", lambda s: s.client.conversations_open(users="")),
    ("opening a talk with a stranger", "user_not_found", lambda s: s.client.conversations_open(users="U404")),
    ("opening a talk with nine", "too_many_users", lambda s: after(s, lambda: [s.slack.user(f"UX{number}") for number in range(9)], s.client.conversations_open(users=[f"UX{number}" for number in range(9)]))),
    ("where a stranger is", "user_not_found", lambda s: s.client.users_conversations(user="U404")),
    ("a link to nothing", "message_not_found", lambda s: s.client.chat_getPermalink(channel="C1", message_ts=NOT_THERE)),
    ("a cursor made up", "invalid_cursor", lambda s: s.client.conversations_history(channel="C1", cursor="!")),
    ("a whisper to somebody elsewhere", "user_not_in_channel", lambda s: s.client.chat_postEphemeral(channel="C1", user="U3", text="x")),
    ("a page of 1,000 people", "invalid_limit", lambda s: s.client.users_list(limit=1_000)),
    ("private channels without the permission", "missing_scope", lambda s: after(s, lambda: s.slack.scopes(["channels:read"]), s.client.users_conversations(user="U1", types="public_channel,private_channel"))),
    ("a person nobody knows", "user_not_found", lambda s: s.client.users_info(user="U404")),
    # what
    ("nothing to say", "no_text", lambda s: called(s, "chat.postMessage", channel="C1", text="")),
    ("Markdown beside text", "markdown_text_conflict", lambda s: s.client.chat_postMessage(channel="C1", text="x", markdown_text="y")),
    ("Markdown of 12,001 characters", "msg_too_long", lambda s: s.client.chat_postMessage(channel="C1", markdown_text="x" * 12_001)),
    ("metadata without payload", "invalid_metadata_format", lambda s: s.client.chat_postMessage(channel="C1", text="x", metadata={"event_type": "a"})),
    ("metadata with a field more", "invalid_metadata_format", lambda s: s.client.chat_postMessage(channel="C1", text="x", metadata={"event_type": "a", "event_payload": {}, "b": 1})),
    ("metadata whose payload is no object", "invalid_metadata_format", lambda s: s.client.chat_postMessage(channel="C1", text="x", metadata={"event_type": "a", "event_payload": "b"})),
    ("metadata with objects in a list", "invalid_metadata_schema", lambda s: s.client.chat_postMessage(channel="C1", text="x", metadata={"event_type": "a", "event_payload": {"b": [{}]}})),
    ("metadata of 8,000 bytes", "metadata_too_large", lambda s: s.client.chat_postMessage(channel="C1", text="x", metadata={"event_type": "a", "event_payload": {"b": "가" * 2_700}})),
    ("101 attachments", "too_many_attachments", lambda s: s.client.chat_postMessage(channel="C1", text="x", attachments=[{"text": "a", "fallback": "a"}] * 101)),
    # changing
    ("an update of 4,002 bytes in 1,334 syllables", "msg_too_long", lambda s: s.client.chat_update(channel="C1", ts=s.own, text="가" * 1_334)),
    ("an update of 4,001 letters", "msg_too_long", lambda s: s.client.chat_update(channel="C1", ts=s.own, text="x" * 4_001)),
    ("an update of nothing", "message_not_found", lambda s: s.client.chat_update(channel="C1", ts=NOT_THERE, text="x")),
    ("an update of somebody's words", "cant_update_message", lambda s: s.client.chat_update(channel="C1", ts=s.mention, text="x")),
    ("an update of a deleted message", "message_not_found", lambda s: after(s, lambda: s.slack.deletes("C1", s.own), s.client.chat_update(channel="C1", ts=s.own, text="x"))),
    ("an update while streaming", "streaming_state_conflict", lambda s: s.client.chat_update(channel="C1", ts=s.stream, text="x")),
    ("an update with nothing in it", "no_text", lambda s: called(s, "chat.update", channel="C1", ts=s.own, text="")),
    ("deleting somebody's words", "cant_delete_message", lambda s: s.client.chat_delete(channel="C1", ts=s.mention)),
    # streaming
    ("a stream in a channel for nobody", "missing_recipient_team_id", lambda s: s.client.chat_startStream(channel="C1", thread_ts=s.mention)),
    ("a stream in a channel for a team", "missing_recipient_user_id", lambda s: s.client.chat_startStream(channel="C1", thread_ts=s.mention, recipient_team_id=s.slack.team)),
    ("a stream for a stranger", "user_not_found", lambda s: s.client.chat_startStream(channel="C1", thread_ts=s.mention, recipient_team_id=s.slack.team, recipient_user_id="U404")),
    ("a stream with metadata", "invalid_arguments", lambda s: s.new_stream(metadata={"event_type": "a", "event_payload": {}})),
    ("a stream told how to unfurl", "invalid_arguments", lambda s: s.new_stream(unfurl_links=False)),
    ("a stream of text and chunks at once", "cannot_provide_both_markdown_text_and_chunks", lambda s: s.new_stream(markdown_text="x", chunks=[{"type": "markdown_text", "text": "y"}])),
    ("chunks in a stream begun with text", "streaming_mode_mismatch", other_mode),
    ("a chunk of no kind", "invalid_chunks", lambda s: s.new_stream(chunks=[{"type": "poem", "text": "x"}])),
    ("a task with no status", "invalid_chunks", lambda s: s.new_stream(chunks=[{"type": "task_update", "id": "1", "title": "x"}])),
    ("a task with a made-up status", "invalid_chunks", lambda s: s.new_stream(chunks=[{"type": "task_update", "id": "1", "title": "x", "status": "done"}])),
    ("appending nothing", "no_text", lambda s: s.append(s.stream, "")),
    ("12,001 characters at once", "msg_too_long", lambda s: after(s, lambda: s.slack.timing(stream_bytes=50_000), s.append(s.stream, "x" * 12_001))),
    ("51 blocks within a stream", "msg_blocks_too_many", too_many_streamed_blocks),
    ("a stream in a direct message outside a thread", "invalid_arguments", lambda s: s.client.api_call("chat.startStream", json={"channel": s.slack.direct_channel("U1")})),
    ("a stream for another workspace", "team_not_found", lambda s: called(s, "chat.startStream", channel="C1", thread_ts=s.mention, recipient_team_id="T2", recipient_user_id="U1")),
    ("a display mode of no kind", "invalid_arguments", lambda s: s.new_stream(task_display_mode="comic")),
    ("a stream in a thread that is not there", "thread_not_found", lambda s: called(s, "chat.startStream", channel="C1", thread_ts=NOT_THERE, recipient_team_id=s.slack.team, recipient_user_id="U1")),
    ("stopping into a session status of no kind", "invalid_arguments", lambda s: s.client.chat_stopStream(channel="C1", ts=s.stream, session_status="busy")),
    ("stopping with metadata of no shape", "invalid_metadata_format", lambda s: s.client.chat_stopStream(channel="C1", ts=s.stream, metadata={"a": 1})),
    ("10,002 bytes in all", "msg_too_long", past_the_cap),
    ("a task's details count twice", "msg_too_long", past_the_cap_by_tasks),
    ("appending after the stop", "message_not_in_streaming_state", lambda s: after_stop(s, "chat.appendStream")),
    ("stopping twice", "message_not_in_streaming_state", lambda s: after_stop(s, "chat.stopStream")),
    ("appending after five minutes", "message_not_in_streaming_state", lambda s: expired(s, "chat.appendStream")),
    ("stopping after five minutes", "message_not_in_streaming_state", lambda s: expired(s, "chat.stopStream")),
    ("appending after the person's stop", "stopped_by_user", lambda s: after(s, lambda: s.slack.stops("C1", s.mention), s.append(s.stream, "x"))),
    ("appending to a posted message", "message_not_in_streaming_state", lambda s: s.append(s.own, "x")),
    ("appending to somebody's words", "message_not_owned_by_app", lambda s: s.append(s.mention, "x")),
    ("51 blocks below a stream", "msg_blocks_too_many", lambda s: s.client.chat_stopStream(channel="C1", ts=s.stream, blocks=[{"type": "divider"}] * 51)),
    # blocks
    ("51 blocks", "invalid_blocks", blocks(*[{"type": "divider"}] * 51)),
    ("a block of no kind", "invalid_blocks", blocks({"type": "poem"})),
    ("a block with an unknown field", "invalid_blocks", blocks({"type": "divider", "color": "red"})),
    ("blocks that are no JSON", "invalid_blocks_format", lambda s: s.client.chat_postMessage(channel="C1", text="x", blocks="[")),
    ("blocks that are no list", "invalid_blocks_format", lambda s: called(s, "chat.postMessage", channel="C1", text="x", blocks={"type": "divider"})),
    ("a section of 3,001 characters", "invalid_blocks", blocks(section("x" * 3_001))),
    ("an empty section", "invalid_blocks", blocks(section(""))),
    ("a header of 151 characters", "invalid_blocks", blocks({"type": "header", "text": {"type": "plain_text", "text": "x" * 151}})),
    ("a header in mrkdwn", "invalid_blocks", blocks({"type": "header", "text": {"type": "mrkdwn", "text": "x"}})),
    ("a button of 76 characters", "invalid_blocks", blocks({"type": "actions", "elements": [button("x" * 76)]})),
    ("two buttons of one id", "invalid_blocks", blocks({"type": "actions", "elements": [button(), button()]})),
    ("a button's value of 2,001 characters", "invalid_blocks", blocks({"type": "actions", "elements": [button(value="x" * 2_001)]})),
    ("a button among context actions", "invalid_blocks", blocks({"type": "context_actions", "elements": [button()]})),
    ("six context actions", "invalid_blocks", blocks({"type": "context_actions", "elements": feedback()["elements"] * 6})),
    ("feedback with one side", "invalid_blocks", blocks(feedback(negative_button=None))),  # pyright: ignore[reportArgumentType]
    ("feedback without a value", "invalid_blocks", blocks(feedback(positive_button={"text": {"type": "plain_text", "text": "👍"}}))),
    ("Markdown blocks of 12,001 characters in all", "msg_blocks_too_long", blocks({"type": "markdown", "text": "x" * 6_001}, {"type": "markdown", "text": "y" * 6_000})),
    ("a table of 101 rows", "invalid_blocks", blocks({"type": "table", "rows": [[{"type": "raw_text", "text": "x"}]] * 101})),
    ("two blocks of one id", "invalid_blocks", blocks({"type": "divider", "block_id": "a"}, {"type": "divider", "block_id": "a"})),
    ("a block id of 256 characters", "invalid_blocks", blocks({"type": "divider", "block_id": "x" * 256})),
    ("two tables", "invalid_attachments", blocks(*[{"type": "table", "rows": [[{"type": "raw_text", "text": "x"}]]}] * 2)),
    ("a table of 21 columns", "invalid_blocks", blocks({"type": "table", "rows": [[{"type": "raw_text", "text": "x"}] * 21]})),
    ("a section of nothing", "invalid_blocks", blocks({"type": "section"})),
    ("actions without any", "invalid_blocks", blocks({"type": "actions", "elements": []})),
    ("26 buttons", "invalid_blocks", blocks({"type": "actions", "elements": [button(action_id=str(number)) for number in range(26)]})),
    ("an empty Markdown block", "invalid_blocks", blocks({"type": "markdown", "text": ""})),
    ("a button in a made-up style", "invalid_blocks", blocks({"type": "actions", "elements": [button(style="pretty")]})),
    ("an icon of no kind", "invalid_blocks", blocks({"type": "context_actions", "elements": [{"type": "icon_button", "icon": "rocket", "text": {"type": "plain_text", "text": "x"}}]})),
    ("a task card with a made-up status", "invalid_blocks", blocks({"type": "task_card", "task_id": "1", "title": "x", "status": "done"})),
    ("a context of eleven", "invalid_blocks", blocks({"type": "context", "elements": [{"type": "mrkdwn", "text": "x"}] * 11})),
    ("a menu without options", "invalid_blocks", blocks({"type": "actions", "elements": [{"type": "static_select", "action_id": "a", "options": []}]})),
    ("an image nobody can hear", "invalid_blocks", blocks({"type": "image", "image_url": "https://example.com/a.png"})),
    # reactions, statuses, prompts
    ("reacting twice", "already_reacted", lambda s: twice(s, lambda: s.client.reactions_add(channel="C1", name="eyes", timestamp=s.mention))),
    ("a reaction with colons", "invalid_name", lambda s: s.client.reactions_add(channel="C1", name=":eyes:", timestamp=s.mention)),
    ("taking back a reaction never made", "no_reaction", lambda s: s.client.reactions_remove(channel="C1", name="eyes", timestamp=s.mention)),
    ("reacting to nothing", "message_not_found", lambda s: s.client.reactions_add(channel="C1", name="eyes", timestamp=NOT_THERE)),
    ("a status in no thread", "invalid_thread_ts", lambda s: s.client.assistant_threads_setStatus(channel_id="C1", thread_ts=NOT_THERE, status="x")),
    ("eleven loading messages", "invalid_arguments", lambda s: s.client.assistant_threads_setStatus(channel_id="C1", thread_ts=s.mention, status="x", loading_messages=["…"] * 11)),
    ("five suggested prompts", "invalid_arguments", lambda s: s.client.assistant_threads_setSuggestedPrompts(channel_id="C1", prompts=[{"title": "a", "message": "b"}] * 5)),
    ("a session status of no kind", "invalid_arguments", lambda s: s.client.agents_sessions_setStatus(channel_id="C1", thread_ts=s.mention, status="busy")),
    ("a session title of 201 characters", "invalid_arguments", lambda s: s.client.agents_sessions_setStatus(channel_id="C1", thread_ts=s.mention, status="active", title="x" * 201)),
    ("a session never begun", "session_not_found", lambda s: s.client.agents_sessions_rename(channel_id="C1", thread_ts=s.mention, title="x")),
    ("a session in no thread", "invalid_thread_ts", lambda s: s.client.agents_sessions_setStatus(channel_id="C1", thread_ts=NOT_THERE, status="active")),
    ("prompts for no thread", "invalid_thread_ts", lambda s: s.client.assistant_threads_setSuggestedPrompts(channel_id="C1", thread_ts=NOT_THERE, prompts=[{"title": "a", "message": "b"}])),
    ("a prompt without its message", "invalid_arguments", lambda s: s.client.assistant_threads_setSuggestedPrompts(channel_id="C1", prompts=[{"title": "a"}])),
    ("reading reactions of nothing named", "no_item_specified", lambda s: s.client.reactions_get()),
    # views
    ("a trigger nobody gave", "invalid_trigger_id", lambda s: s.client.views_open(trigger_id="1.2.3", view=modal())),
    ("a trigger used before", "exchanged_trigger_id", used_trigger),
    ("a trigger after three seconds", "expired_trigger_id", old_trigger),
    ("a title of 25 characters", "invalid_arguments", lambda s: s.client.views_publish(user_id="U1", view={"type": "home", "blocks": [section("x")], "title": {"type": "plain_text", "text": "x" * 25}})),
    ("a modal for the home tab", "invalid_arguments", lambda s: s.client.views_publish(user_id="U1", view=modal())),
    ("a home tab for a stranger", "user_not_found", lambda s: s.client.views_publish(user_id="U404", view={"type": "home", "blocks": []})),
    ("a home tab somebody else changed", "hash_conflict", lambda s: twice(s, lambda: s.client.views_publish(user_id="U1", view={"type": "home", "blocks": []}, hash="1"))),
    ("a home tab of nothing", "invalid_arguments", lambda s: s.client.views_publish(user_id="U1", view={"type": "home"})),
    ("a modal somebody else changed", "hash_conflict", stale_update),
    ("a view with an unknown field", "invalid_arguments", lambda s: s.client.views_publish(user_id="U1", view={"type": "home", "blocks": [], "color": "red"})),
    ("a private note of 3,001 characters", "invalid_arguments", lambda s: s.client.views_publish(user_id="U1", view={"type": "home", "blocks": [], "private_metadata": "x" * 3_001})),
    ("a form that cannot be sent", "invalid_arguments", form_without_submit),
    ("a view of 250 kB", "view_too_large", lambda s: opened(s, modal(blocks=[section("x" * 3_000)] * 90))),
    ("a fourth view above three", "push_limit_reached", four_views),
    ("an update of no view", "not_found", lambda s: s.client.views_update(view_id="V404", view=modal())),
    # files
    ("an empty upload", "invalid_arguments", lambda s: s.client.files_getUploadURLExternal(filename="a.txt", length=0)),
    ("a file that is not there", "file_not_found", lambda s: s.client.files_info(file="F404")),
    ("a file for a thread that is not there", "thread_not_found", lambda s: s.client.files_upload_v2(channel="C1", thread_ts=NOT_THERE, filename="a", content="x")),
    ("completing a file never sent", "file_not_found", lambda s: s.client.files_completeUploadExternal(files=[{"id": "F404"}], channel_id="C1")),
]  # fmt: skip


def test_there_are_refusals_enough_and_each_is_named_once() -> None:
    names = [name for name, _, _ in REFUSED]
    assert len(names) == len(set(names)) >= 30


@pytest.mark.parametrize(("name", "error", "act"), REFUSED, ids=[name for name, _, _ in REFUSED])
async def test_refused(name: str, error: str, act: Act, scene: Scene) -> None:
    before = scene.slack.messages("C1", scene.mention)
    with pytest.raises(SlackApiError) as refused:
        await act(scene)
    assert refused.value.response["error"] == error
    assert refused.value.response.status_code == 200
    kept = {each.ts: each.shown for each in scene.slack.messages("C1", scene.mention) if not each.deleted}
    if act is not past_the_cap:  # that one fills the stream first
        assert all(kept.get(each.ts, each.shown) == each.shown for each in before), "a refused call changed something"


async def streamed_and_below(s: Scene) -> Any:
    rules = [{"type": "divider"}] * 50
    ts = await s.new_stream(chunks=[{"type": "blocks", "blocks": rules}])
    return await s.client.chat_stopStream(channel="C1", ts=ts, blocks=rules)


ALLOWED: list[tuple[str, Act]] = [
    ("an update of 4,000 bytes", lambda s: s.client.chat_update(channel="C1", ts=s.own, text="가" * 1_333 + "x")),
    ("a stream of 10,000 bytes", lambda s: s.append(s.stream, "가" * 3_333 + "x")),
    ("Markdown of 12,000 characters", lambda s: s.client.chat_postMessage(channel="C1", markdown_text="x" * 12_000)),
    ("Markdown blocks of 12,000 characters", blocks({"type": "markdown", "text": "x" * 12_000})),
    ("a section of 3,000 characters", blocks(section("가" * 3_000))),
    ("a header of 150 characters", blocks({"type": "header", "text": {"type": "plain_text", "text": "x" * 150}})),
    ("a button of 75 characters", blocks({"type": "actions", "elements": [button("x" * 75)]})),
    ("50 blocks", blocks(*[{"type": "divider"}] * 50)),
    ("feedback of two sides", blocks(feedback())),
    ("chunks of each kind", lambda s: s.new_stream(chunks=[
        {"type": "markdown_text", "text": "x"}, {"type": "plan_update", "title": "p"}, {"type": "blocks", "blocks": [section("x")]},
        {"type": "task_update", "id": "1", "title": "t", "status": "in_progress", "details": "d", "output": "o", "sources": [{"type": "url", "url": "https://example.com", "text": "e"}]},
    ])),
    ("a status in a channel with chat:write alone", lambda s: after(s, lambda: s.slack.scopes(["chat:write"]), s.client.assistant_threads_setStatus(channel_id="C1", thread_ts=s.mention, status="x"))),
    ("a message to a person by id", lambda s: s.client.chat_postMessage(channel="U1", text="x")),
    ("50 blocks within a stream and 50 below", streamed_and_below),
    ("a value of 2,000 characters", blocks({"type": "actions", "elements": [button(value="x" * 2_000)]})),
    ("a table of 20 columns and 100 rows", blocks({"type": "table", "rows": [[{"type": "raw_text", "text": "x"}] * 20] * 100})),
    ("one suggested prompt", lambda s: s.client.assistant_threads_setSuggestedPrompts(channel_id="C1", prompts=[{"title": "a", "message": "b"}])),
    ("a whisper to somebody here", lambda s: s.client.chat_postEphemeral(channel="C1", user="U1", text="x")),
    ("ten loading messages", lambda s: s.client.assistant_threads_setStatus(channel_id="C1", thread_ts=s.mention, status="x", loading_messages=["…"] * 10)),
    ("a session title of 200 characters", lambda s: s.client.agents_sessions_setStatus(channel_id="C1", thread_ts=s.mention, status="active", title="x" * 200)),
    ("12,000 characters at once", lambda s: after(s, lambda: s.slack.timing(stream_bytes=50_000), s.append(s.stream, "x" * 12_000))),
    ("an update after the stream expired", lambda s: after(s, lambda: s.slack.timing(stream_seconds=0.0), s.client.chat_update(channel="C1", ts=s.stream, text="x"))),
]  # fmt: skip


@pytest.mark.parametrize(("name", "act"), ALLOWED, ids=[name for name, _ in ALLOWED])
async def test_just_inside_the_limit(name: str, act: Act, scene: Scene) -> None:
    await act(scene)


async def test_history_and_threads_come_in_pages_until_there_is_no_more(slack: FakeSlack, client: Any) -> None:
    root = slack.hears("하나")
    sent = [root, *(slack.hears(f"답 {number}", thread=root) for number in range(4))]
    read: list[str] = []
    async for page in await client.conversations_replies(channel="C1", ts=root, limit=2):
        read += [each["ts"] for each in page["messages"]]
    assert read == sent
    whole = await client.conversations_replies(channel="C1", ts=root, limit=5)
    assert not whole["has_more"]
    newest = await client.conversations_replies(channel="C1", ts=root, oldest=sent[2])
    assert [each["ts"] for each in newest["messages"]] == [root, *sent[3:]]
    tops = [root, slack.hears("둘"), slack.hears("셋")]
    history: Any = await client.conversations_history(channel="C1", oldest=tops[1], inclusive=True)
    assert [each["ts"] for each in history["messages"]] == [tops[2], tops[1]]


async def test_a_direct_message_is_opened_and_people_and_places_are_described(slack: FakeSlack, client: Any) -> None:
    assert (await client.conversations_open(users="U1"))["channel"]["id"] == slack.direct_channel("U1")
    assert (await client.conversations_open(users=["U1", "U2"], return_im=True))["channel"]["is_mpim"]
    slack.user("U9", real_name="김하나", tz="Asia/Seoul")
    slack.channel("C5", private=True, members=["U1", "U9"])
    info = await client.conversations_info(channel="C5", include_num_members=True)
    assert (info["channel"]["is_private"], info["channel"]["num_members"]) == (True, 3)
    assert (await client.conversations_members(channel="C5"))["members"] == ["U1", "U9", slack.bot_user]
    assert (await client.users_info(user="U9"))["user"]["real_name"] == "김하나"
    places = await client.users_conversations(types="private_channel")
    assert [each["id"] for each in places["channels"]] == ["C5"]
    slack.user("U8", is_restricted=True)
    first = await client.users_list(limit=3)
    rest = await client.users_list(cursor=first["response_metadata"]["next_cursor"])
    assert [each["id"] for each in rest["members"] if each["is_restricted"]] == ["U8"]
    slack.leaves("C5", "U9")
    assert (await client.users_conversations(user="U9", types="private_channel"))["channels"] == []


async def test_a_status_ends_when_cleared_replaced_or_not_renewed(scene: Scene) -> None:
    for status in ("읽는 중", "쓰는 중", "", "다시"):
        await scene.client.assistant_threads_setStatus(channel_id="C1", thread_ts=scene.mention, status=status)
    assert [each["ended"] for each in scene.slack.statuses("C1", scene.mention)] == ["replaced", "cleared", None]
    scene.slack.timing(status_seconds=0.0)
    assert scene.slack.statuses("C1", scene.mention)[-1]["ended"] == "timeout"


async def test_a_tiers_window_slides(scene: Scene) -> None:
    scene.slack.limits(on=True, tiers={"users.info": 2})
    scene.slack.timing(rate_window_seconds=0.3)
    assert [await _told(scene) for _ in range(3)] == [200, 200, 429]
    await asyncio.sleep(0.35)
    assert await _told(scene) == 200


async def _told(scene: Scene) -> int:
    try:
        return (await scene.client.users_info(user="U1")).status_code
    except SlackApiError as refused:
        return refused.response.status_code


async def test_bodies_that_are_no_json_object_are_refused(slack: FakeSlack) -> None:
    headers = {"Authorization": f"Bearer {slack.bot_token}", "Content-Type": "application/json"}
    async with aiohttp.ClientSession() as http:
        for body, error in (("{", "invalid_json"), ("[]", "json_not_object")):
            answer = await http.post(slack.url + "chat.postMessage", data=body, headers=headers)
            assert (await answer.json())["error"] == error


async def test_a_text_over_40_000_characters_is_cut_off_with_a_warning(scene: Scene) -> None:
    answer = await scene.client.chat_postMessage(channel="C1", text="가" * 40_001)
    assert answer["warning"] == "message_truncated"
    assert len(answer["message"]["text"]) == 40_000


async def test_missing_scope_names_what_is_needed_and_what_there_is(scene: Scene) -> None:
    scene.slack.scopes(["chat:write"])
    with pytest.raises(SlackApiError) as refused:
        await scene.client.users_info(user="U1")
    assert refused.value.response["needed"] == "users:read"
    assert refused.value.response["provided"] == "chat:write"
    assert (await scene.client.auth_test()).headers["x-oauth-scopes"] == "chat:write"


# rate limits


@pytest.mark.parametrize(
    ("method", "allowed"),
    [
        ("chat.startStream", 20),
        ("chat.stopStream", 20),
        ("chat.update", 50),
        ("reactions.add", 50),
        ("conversations.replies", 50),
        ("chat.appendStream", 100),
    ],
)
async def test_one_call_over_the_tier_is_429_with_retry_after(method: str, allowed: int, scene: Scene) -> None:
    scene.slack.limits(on=True)
    *passed, last = [await _refusal(scene, method) for _ in range(allowed + 1)]
    assert all(each is None or each.status_code == 200 for each in passed)
    assert last is not None
    assert (last.status_code, last["error"]) == (429, "ratelimited")
    assert 1 <= int(last.headers["Retry-After"]) <= 60
    assert scene.slack.counts()[method]["ratelimited"] == 1


async def _refusal(scene: Scene, method: str) -> Any:
    try:
        await called(scene, method, channel="C1")
    except SlackApiError as refused:
        return refused.response
    return None


async def test_posting_is_limited_by_channel_and_comes_back_after_a_second(scene: Scene) -> None:
    scene.slack.limits(on=True)
    scene.slack.timing(rate_window_seconds=6.0)  # a tenth of a second for each post
    statuses = [await _post(scene, "C1") for _ in range(8)]
    assert statuses.count(429) >= 2
    scene.slack.channel("C9")
    assert await _post(scene, "C9") == 200
    await asyncio.sleep(0.15)
    assert await _post(scene, "C1") == 200


async def _post(scene: Scene, channel: str) -> int:
    try:
        return (await scene.client.chat_postMessage(channel=channel, text="x")).status_code
    except SlackApiError as refused:
        return refused.response.status_code


# faults


@pytest.mark.parametrize(("kind", "status"), [("429", 429), ("500", 500), ("503", 503)])
async def test_a_fault_is_met_as_often_as_asked_and_after_so_many_calls(kind: str, status: int, scene: Scene) -> None:
    scene.slack.fault("chat.postMessage", kind, times=2, after=1, retry_after=7)
    assert [await _post(scene, "C1") for _ in range(4)] == [200, status, status, 200]
    assert scene.slack.faults_met()[0]["met"] == 2


async def test_reset_does_nothing_and_lost_reply_does_it_unseen(scene: Scene) -> None:
    for kind, more in (("reset", 0), ("lost_reply", 1)):
        count = len(scene.slack.replies("C1"))
        scene.slack.fault("chat.postMessage", kind)
        with pytest.raises(aiohttp.ClientError):
            await scene.client.chat_postMessage(channel="C1", text=kind)
        assert len(scene.slack.replies("C1")) == count + more


async def test_a_hanging_call_and_a_made_up_error(scene: Scene) -> None:
    scene.slack.fault("chat.postMessage", "timeout", seconds=0.3)
    with pytest.raises(aiohttp.ClientError):
        await scene.client.chat_postMessage(channel="C1", text="x")
    scene.slack.fault("chat.update", "error", error="internal_error", match={"ts": scene.own})
    with pytest.raises(SlackApiError, match="internal_error"):
        await scene.client.chat_update(channel="C1", ts=scene.own, text="x")


# response URLs and files


async def test_a_response_url_is_good_for_five_answers_and_not_after_its_time(slack: FakeSlack, scene: Scene) -> None:
    slack.timing(ack_seconds=0.05)
    slack.command("/nod", "help")
    hook = AsyncWebhookClient(slack.deliveries(kind="slash_commands")[-1]["payload"]["response_url"])
    assert (await hook.send(text="x", blocks=[{"type": "poem"}])).status_code == 400
    assert (await hook.send(response_type="ephemeral")).status_code == 400
    assert (await hook.send_dict({"text": "x", "txet": "y"})).body == "invalid_arguments"
    assert [(await hook.send(text=str(number))).status_code for number in range(6)] == [200] * 5 + [404]
    assert [each["shown"] for each in slack.ephemerals("U1")] == ["0", "1", "2", "3", "4"]
    slack.timing(response_url_seconds=0.0)
    slack.command("/nod", "help")
    late = AsyncWebhookClient(slack.deliveries(kind="slash_commands")[-1]["payload"]["response_url"])
    assert "expired_url" in (await late.send(text="x")).body


async def test_a_download_without_token_is_200_and_a_sign_in_page(slack: FakeSlack, scene: Scene) -> None:
    slack.hears("@nod 읽어 줘", files=[("규정.txt", "휴가 15일".encode())])
    known = (await scene.client.files_info(file=slack.messages("C1")[-1].files[0]["id"]))["file"]
    async with aiohttp.ClientSession() as http:
        for headers, expected in (({}, "text/html"), ({"Authorization": f"Bearer {slack.bot_token}"}, known["mimetype"])):
            answer = await http.get(known["url_private_download"], headers=headers)
            assert (answer.status, answer.content_type) == (200, expected)
        assert (await answer.read()).decode() == "휴가 15일"


async def test_an_upload_of_another_length_than_announced_is_refused(scene: Scene) -> None:
    told = await scene.client.files_getUploadURLExternal(filename="a.txt", length=5)
    async with aiohttp.ClientSession() as http:
        assert (await http.post(told["upload_url"], data=b"four")).status == 400
        assert (await http.post(told["upload_url"], data=b"fives")).status == 200


# sockets


async def _opened(slack: FakeSlack, http: aiohttp.ClientSession) -> aiohttp.ClientWebSocketResponse:
    return await http.ws_connect(await _ticket(slack))


async def _ticket(slack: FakeSlack) -> str:
    return str((await AsyncWebClient(base_url=slack.url).apps_connections_open(app_token=slack.app_token))["url"])


async def test_an_eleventh_socket_is_told_to_leave(slack: FakeSlack) -> None:
    async with aiohttp.ClientSession() as http:
        sockets = [await _opened(slack, http) for _ in range(11)]
        first = [json.loads((await each.receive()).data) for each in sockets]
        assert [each["type"] for each in first] == ["hello"] * 10 + ["disconnect"]
        assert first[-1]["reason"] == "too_many_websockets"
        for each in sockets:
            await each.close()


async def test_a_ticket_opens_one_socket(slack: FakeSlack) -> None:
    ticket = await _ticket(slack)
    async with aiohttp.ClientSession() as http:
        await (await http.ws_connect(ticket)).close()
        with pytest.raises(aiohttp.WSServerHandshakeError):
            await http.ws_connect(ticket)


async def test_a_late_acknowledgement_and_one_for_nothing_count_for_nothing(slack: FakeSlack) -> None:
    slack.timing(ack_seconds=0.1, retry_seconds=[])
    async with aiohttp.ClientSession() as http:
        socket = await _opened(slack, http)
        await socket.receive()
        slack.hears("그냥 말")
        envelope = json.loads((await socket.receive()).data)
        await asyncio.sleep(0.2)
        await socket.send_json({"envelope_id": envelope["envelope_id"]})
        await socket.send_json({"envelope_id": "made-up"})
        await asyncio.to_thread(slack.wait, lambda: len(slack.strays()) == 2)
        assert slack.deliveries(envelope["payload"]["event_id"])[0]["why"] == "operation_timeout"
        await socket.close()


async def test_a_command_nobody_acknowledges_has_failed_and_is_not_sent_again(slack: FakeSlack) -> None:
    slack.timing(ack_seconds=0.1, retry_seconds=[0.0, 0.0, 0.0])
    client = SocketModeClient(app_token=slack.app_token, web_client=AsyncWebClient(base_url=slack.url))
    await client.connect()
    command = slack.command("/nod", "ask 휴가?")
    await asyncio.to_thread(slack.wait_delivered, command.id)
    assert (command.state, command.error) == ("failed", "operation_timeout")
    assert len(slack.deliveries(command.id)[0]["attempts"]) == 1
    await client.close()


async def test_no_event_without_its_scope_or_subscription(slack: FakeSlack) -> None:
    slack.scopes(["app_mentions:read"])
    assert [each["type"] for each in slack.deliveries(slack.hears("@nod 하나"))] == ["app_mention"]
    slack.subscribes([])
    assert slack.deliveries(slack.hears("@nod 둘")) == []
