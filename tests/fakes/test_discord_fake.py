"""The fake Discord plays along: the bare official client connects, answers, is interrupted, and nothing is lost or doubled."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Callable, Iterator
from typing import Any

import aiohttp
import pytest

from tests.fakes.discord_fake import FakeDiscord
from tests.fakes.discord_official import Route, discord, log_in, point_at

Json = dict[str, Any]
QUIET = discord.AllowedMentions.none()


class Bot(discord.Client):
    """A bare client that remembers what it hears."""

    def __init__(self, **more: Any) -> None:
        options: Json = {"intents": discord.Intents.default(), "guild_ready_timeout": 0.05, "allowed_mentions": QUIET, **more}
        super().__init__(**options)
        self.tree = discord.app_commands.CommandTree(self)
        self.heard: list[discord.Message] = []
        self.events: list[tuple[str, Any]] = []
        self.times: dict[str, int] = {}

    def dispatch(self, event: str, /, *args: Any, **kwargs: Any) -> None:
        self.times[event] = self.times.get(event, 0) + 1
        if event.startswith(("raw_", "interaction", "thread_", "member_", "typing", "guild_")):
            self.events.append((event, args[0] if args else None))
        super().dispatch(event, *args, **kwargs)

    async def on_message(self, message: discord.Message) -> None:
        if message.author != self.user:
            self.heard.append(message)

    async def before_identify_hook(self, shard_id: int | None, *, initial: bool = False) -> None:
        """No five seconds between two sessions: the fake's limits are off."""

    async def until(self, true: Callable[[], Any], seconds: float = 8.0) -> Any:
        """What `true` finds, as soon as it finds it."""
        async with asyncio.timeout(seconds):
            while not (found := true()):
                await asyncio.sleep(0.01)
            return found

    async def next_heard(self) -> discord.Message:
        """The next message that somebody else wrote."""
        await self.until(lambda: self.heard)
        return self.heard.pop(0)

    async def event(self, name: str) -> Any:
        """The next event of this name."""
        found = await self.until(lambda: next((event for event in self.events if event[0] == name), None))
        self.events.remove(found)
        return found[1]


@pytest.fixture(scope="module")
def running() -> Iterator[FakeDiscord]:
    with FakeDiscord() as fake:
        yield fake


@pytest.fixture
def fake(running: FakeDiscord) -> FakeDiscord:
    running.reset()
    return running


async def start(bot: Bot, fake: FakeDiscord) -> asyncio.Task[None]:
    point_at(fake.url)
    await log_in(bot, fake.token)
    task = asyncio.create_task(bot.connect())
    await bot.until(bot.is_ready)
    return task


@pytest.fixture
async def bot(fake: FakeDiscord) -> AsyncIterator[Bot]:
    async with Bot() as client:
        task = await start(client, fake)
        yield client
    await asyncio.wait([task], timeout=5)


# ------------------------------------------------------------------------------------------------------- messages


async def test_a_mention_is_answered_in_growing_steps_and_gets_a_thumb(fake: FakeDiscord, bot: Bot) -> None:
    asked = fake.hears("@nod 휴가 며칠 남았어?")
    message = await bot.next_heard()
    assert message.content == f"<@{fake.bot_id}> 휴가 며칠 남았어?"
    assert bot.user in message.mentions
    reply = await message.reply("15", nonce="answer-1-0")
    for text in ("15일", "15일입", "15일입니다."):
        await reply.edit(content=text)
    fake.reacts(str(reply.id), "👍", user="jun")
    seen = await bot.event("raw_reaction_add")
    assert (seen.message_id, str(seen.emoji), seen.message_author_id) == (reply.id, "👍", bot.user.id if bot.user else None)
    [shown] = fake.replies_to(asked)
    assert [state["text"] for state in shown["states"]] == ["15", "15일", "15일입", "15일입니다."]
    assert [state["at"] for state in shown["states"]] == sorted(state["at"] for state in shown["states"])
    assert (shown["pings"], shown["has_allowed_mentions"], shown["reactions"]) == ([], True, {"👍": [fake.user("jun")]})
    assert fake.last_reply() == fake.message(str(reply.id))


async def test_without_the_intent_only_what_is_meant_for_the_bot_can_be_read(fake: FakeDiscord, bot: Bot) -> None:
    fake.intents(message_content=False)
    fake.hears("among us")
    fake.hears("@nod for you")
    own = await (await bot.next_heard(), await bot.next_heard())[1].reply("hello")
    fake.hears("a reply that pings", reply_to=str(own.id))
    fake.hears("a reply that does not", reply_to=str(own.id), ping=False)
    fake.direct("between us")
    heard = [await bot.next_heard() for _ in range(3)]
    assert [message.content for message in heard] == ["a reply that pings", "", "between us"]
    assert heard[0].reference
    assert isinstance(heard[0].reference.resolved, discord.Message)
    assert heard[0].reference.resolved.content == "hello"
    channel = bot.get_channel(int(fake.channel("general")))
    assert isinstance(channel, discord.TextChannel)
    read = [message.content async for message in channel.history(oldest_first=True)]
    assert read == ["", f"<@{fake.bot_id}> for you", "hello", "a reply that pings", ""]


async def test_with_the_intent_everything_can_be_read(fake: FakeDiscord) -> None:
    async with Bot(intents=discord.Intents(guilds=True, guild_messages=True, message_content=True)) as bot:
        await start(bot, fake)
        fake.hears("among us")
        assert (await bot.next_heard()).content == "among us"


async def test_only_events_that_were_asked_for_arrive(fake: FakeDiscord) -> None:
    async with Bot(intents=discord.Intents(guilds=True, dm_messages=True)) as bot:
        await start(bot, fake)
        fake.reacts(fake.hears("@nod in the guild"))
        fake.direct("between us")
        assert (await bot.next_heard()).content == "between us"
        assert bot.times["message"] == 1
        assert "raw_reaction_add" not in bot.times


async def test_an_answer_to_a_slash_command_does_not_open_the_replies_to_it(fake: FakeDiscord, bot: Bot) -> None:
    fake.intents(message_content=False)
    interaction = await _asked(fake, bot)
    await interaction.response.send_message("hello")
    fake.hears("are you sure?", reply_to=fake.interaction(str(interaction.id))["original"])
    assert (await bot.next_heard()).content == ""


async def test_it_counts_who_would_have_been_pinged(fake: FakeDiscord, bot: Bot) -> None:
    asked, mina = fake.hears("@nod hi"), fake.user("mina")
    path = Route("POST", "/channels/{channel_id}/messages", channel_id=fake.channel("general"))
    text = f"@everyone <@{mina}> <@&1>"
    careless = await bot.http.request(path, json={"content": text, "message_reference": {"message_id": asked}})
    careful = await bot.http.request(
        path, json={"content": text, "allowed_mentions": {"parse": []}, "message_reference": {"message_id": asked}}
    )
    some = await bot.http.request(path, json={"content": text, "allowed_mentions": {"parse": ["roles"], "users": [mina]}})
    assert set(fake.message(careless["id"])["pings"]) == {"everyone", f"user:{mina}", "role:1"}
    assert not fake.message(careless["id"])["has_allowed_mentions"]
    assert fake.message(careful["id"])["pings"] == []
    assert set(fake.message(some["id"])["pings"]) == {f"user:{mina}", "role:1"}


async def test_what_people_do_to_their_messages_is_told(fake: FakeDiscord, bot: Bot) -> None:
    asked = fake.hears("@nod one")
    fake.unfurls(asked)
    unfurled = await bot.event("raw_message_edit")
    fake.edits(asked, "@nod two")
    edited = await bot.event("raw_message_edit")
    fake.deletes(asked)
    assert (unfurled.data["edited_timestamp"], bool(edited.data["edited_timestamp"])) == (None, True)
    assert edited.data["content"].endswith("two")
    assert (await bot.event("raw_message_delete")).message_id == int(asked)
    fake.types()
    assert (await bot.event("raw_typing")).user_id == int(fake.user("mina"))


async def test_reactions_come_and_go(fake: FakeDiscord, bot: Bot) -> None:
    asked = fake.hears("@nod hi")
    await bot.http.add_reaction(fake.channel("general"), asked, "👀")
    assert (await bot.event("raw_reaction_add")).user_id == int(fake.bot_id)
    for emoji in ("👍", "👎"):
        fake.reacts(asked, emoji)
        await bot.event("raw_reaction_add")
    fake.unreacts(asked, "👍")
    assert (await bot.event("raw_reaction_remove")).message_author_id is None
    fake.clears_reactions(asked, "👎")
    assert str((await bot.event("raw_reaction_clear_emoji")).emoji) == "👎"
    fake.clears_reactions(asked)
    await bot.event("raw_reaction_clear")
    assert fake.message(asked)["reactions"] == {}


async def test_files_go_both_ways(fake: FakeDiscord, bot: Bot) -> None:
    fake.hears("@nod read", files=[("규정.md", "# 규정".encode())])
    message = await bot.next_heard()
    assert await message.attachments[0].read() == "# 규정".encode()
    reply = await message.reply("here", file=discord.File(__file__, "out.txt"))
    [attached] = fake.message(str(reply.id))["attachments"]
    assert attached["filename"] == "out.txt"
    assert (await reply.attachments[0].read()).startswith(b'"""The fake Discord plays along')


async def test_threads_forums_and_direct_messages(fake: FakeDiscord, bot: Bot) -> None:
    asked = fake.hears("@nod in a thread, please")
    thread = await (await bot.next_heard()).create_thread(name="휴가")
    assert str(thread.id) == asked
    sent = await thread.send("here")
    fake.hears("@nod and more", thread=asked)
    heard = await bot.until(lambda: next((one for one in bot.heard if one.channel == thread and one.content), None))
    assert heard.content.endswith("more")
    assert [one["text"] for one in fake.replies_to(asked)] == ["here"]
    assert str(sent.id) in [one["id"] for one in fake.messages(asked)]
    post = fake.hears("@nod a post", channel=fake.channel("forum", kind="forum"))
    message = await bot.until(lambda: next((one for one in bot.heard if str(one.id) == post), None))
    assert (str(message.channel.id), message.channel.parent.name) == (post, "forum")
    fake.direct("between us")
    message = await bot.until(lambda: next((one for one in bot.heard if one.guild is None), None))
    await message.channel.send("yes")
    assert [one["text"] for one in fake.messages("@mina")] == ["between us", "yes"]


async def test_who_can_read_a_channel_is_told(fake: FakeDiscord, bot: Bot) -> None:
    secret = int(fake.channel("secret", private=True, members=["mina"]))
    channel = await bot.until(lambda: bot.get_channel(secret))
    assert not channel.permissions_for(channel.guild.default_role).view_channel
    assert channel.permissions_for(channel.guild.me).view_channel
    assert {int(fake.user("mina"))} <= {target.id for target in channel.overwrites}


async def test_what_was_said_while_nobody_was_connected_can_be_read_over_rest(fake: FakeDiscord) -> None:
    async with Bot() as first:
        await start(first, fake)
        seen = fake.hears("@nod before")
        await first.next_heard()
    assert fake.connections() == []
    missed = fake.hears("@nod while you were away")
    async with Bot() as second:
        await start(second, fake)
        channel = second.get_channel(int(fake.channel("general")))
        assert isinstance(channel, discord.TextChannel)
        assert [str(message.id) async for message in channel.history(after=discord.Object(int(seen)))] == [missed]
        assert second.heard == []


async def test_history_goes_in_pages(fake: FakeDiscord, bot: Bot) -> None:
    ids = fake.volley([{"text": f"@nod {number}"} for number in range(250)])
    channel = bot.get_channel(int(fake.channel("general")))
    assert isinstance(channel, discord.TextChannel)
    assert [str(message.id) async for message in channel.history(limit=None)] == ids[::-1]
    around = [str(message.id) async for message in channel.history(around=discord.Object(int(ids[100])), limit=5)]
    assert sorted(around) == ids[98:103]


# ---------------------------------------------------------------------------------------------------- interactions


async def _asked(fake: FakeDiscord, bot: Bot, user: str = "mina") -> discord.Interaction:
    @bot.tree.command(name="ask", description="Ask.")
    async def ask(interaction: discord.Interaction, question: str) -> None:
        """Answered by the test."""

    await bot.tree.sync()
    fake.slash("ask", {"question": "?"}, user=user)
    return await bot.event("interaction")


async def test_a_slash_command_is_deferred_and_followed_up(fake: FakeDiscord, bot: Bot) -> None:
    interaction = await _asked(fake, bot)
    await interaction.response.defer(ephemeral=True, thinking=True)
    thinking = fake.interaction(str(interaction.id))
    assert (thinking["response_type"], thinking["is_ephemeral"], thinking["messages"][0]["is_loading"]) == (5, True, True)
    await interaction.followup.send("in public?", ephemeral=False)
    await interaction.edit_original_response(content="the answer")
    await interaction.followup.send("and more", ephemeral=False)
    first, second = fake.replies_to(str(interaction.id))
    assert (first["text"], first["is_ephemeral"], first["is_loading"], first["type"]) == ("the answer", True, False, 20)
    assert (second["text"], second["is_ephemeral"]) == ("and more", False)
    assert fake.messages()[-1]["id"] == second["id"]
    await bot.until(lambda: bot.times.get("message"))
    assert (bot.times["message"], "raw_message_edit" in bot.times) == (1, False)  # what only mina sees is told to nobody
    assert (await interaction.original_response()).content == "the answer"
    await interaction.delete_original_response()
    assert fake.message(first["id"])["is_deleted"]


async def test_whether_an_answer_is_ephemeral_is_fixed_when_it_is_deferred(fake: FakeDiscord, bot: Bot) -> None:
    interaction = await _asked(fake, bot)
    await interaction.response.defer(thinking=True)
    await interaction.followup.send("only for you?", ephemeral=True)
    [shown] = fake.replies_to(str(interaction.id))
    assert (shown["text"], shown["is_ephemeral"]) == ("only for you?", False)


async def test_buttons_selects_and_modals(fake: FakeDiscord, bot: Bot) -> None:
    fake.hears("@nod hi")
    view = discord.ui.View(timeout=None)
    view.add_item(discord.ui.Button(label="👎", custom_id="down:1"))
    view.add_item(discord.ui.Select(custom_id="why", options=[discord.SelectOption(label="틀렸어요", value="wrong")]))
    reply = await (await bot.next_heard()).reply("hello", view=view)
    with pytest.raises(ValueError, match="it has \\['down:1', 'why'\\]"):
        fake.presses(str(reply.id), "up:1")
    pressed = fake.presses(str(reply.id), "down:1", user="jun")
    interaction = await bot.event("interaction")
    assert (interaction.data["custom_id"], interaction.user.name, interaction.message.id) == ("down:1", "jun", reply.id)
    modal = discord.ui.Modal(title="Why?", custom_id="reason:1")
    modal.add_item(discord.ui.TextInput(label="Your words", custom_id="words"))
    await interaction.response.send_modal(modal)
    submitted = fake.submits(pressed, {"words": "틀렸어요"}, user="jun")
    interaction = await bot.event("interaction")
    assert interaction.data["components"][0]["components"][0]["value"] == "틀렸어요"
    await interaction.response.send_message("thank you", ephemeral=True)
    assert fake.interaction(submitted)["messages"][0]["is_ephemeral"]
    assert fake.interaction(submitted)["responses"][0]["type"] == 4
    fake.selects(str(reply.id), "why", ["wrong"])
    interaction = await bot.event("interaction")
    await interaction.response.edit_message(content="noted", view=None)
    shown = fake.message(str(reply.id))
    assert (interaction.data["values"], shown["text"], shown["components"]) == (["wrong"], "noted", [])


async def test_a_context_menu_brings_the_whole_message_without_the_intent(fake: FakeDiscord, bot: Bot) -> None:
    @bot.tree.context_menu(name="Ask nod")
    async def about(interaction: discord.Interaction, message: discord.Message) -> None:
        await interaction.response.send_message(message.content, ephemeral=True)

    fake.intents(message_content=False)
    await bot.tree.sync()
    asked = fake.context_menu("Ask nod", fake.hears("among us"))
    [told] = await bot.until(lambda: fake.interaction(asked)["messages"])
    assert told["text"] == "among us"


async def test_a_command_that_was_never_registered_cannot_be_used(fake: FakeDiscord, bot: Bot) -> None:
    with pytest.raises(ValueError, match="no command 'ask'"):
        fake.slash("ask", {"question": "?"})


async def test_an_interaction_nobody_answers_has_failed(fake: FakeDiscord, bot: Bot) -> None:
    fake.set(first_response_seconds=0.05)
    interaction = await _asked(fake, bot)
    await asyncio.sleep(0.1)
    assert fake.interaction(str(interaction.id))["has_failed"]
    with pytest.raises(discord.NotFound, match="10062"):
        await interaction.response.defer()


# --------------------------------------------------------------------------------------------------------- gateway


async def test_a_dropped_connection_resumes_and_loses_nothing(fake: FakeDiscord, bot: Bot) -> None:
    fake.hears("@nod one")
    await bot.next_heard()
    fake.set(gateway_up=False)
    assert fake.drop() == 1
    fake.hears("@nod two")
    fake.hears("@nod three")
    fake.set(gateway_up=True)
    assert [(await bot.next_heard()).content.split()[-1] for _ in range(2)] == ["two", "three"]
    await bot.until(lambda: bot.times.get("resumed"))
    assert (bot.times["ready"], bot.heard) == (1, [])
    assert [one["what"] for one in fake.gateway_log() if one["what"] in ("identified", "resumed")] == ["identified", "resumed"]
    assert fake.connections()[0]["path"] == "/gateway-resume"


async def test_a_refused_resume_is_a_new_session(fake: FakeDiscord, bot: Bot) -> None:
    fake.set(gateway_up=False)
    fake.refuse_resume()
    fake.drop()
    lost = fake.hears("@nod lost on the gateway")
    fake.set(gateway_up=True)
    await bot.until(lambda: bot.times.get("ready") == 2)
    assert [one["id"] for one in fake.messages()] == [lost]
    assert (bot.heard, "resumed" in bot.times) == ([], False)
    fake.hears("@nod found")
    assert (await bot.next_heard()).content.endswith("found")


@pytest.mark.parametrize(
    ("interrupt", "again"),
    [
        (lambda fake: fake.asks_reconnect(), "resumed"),
        (lambda fake: fake.invalidates(resumable=True), "resumed"),
        (lambda fake: fake.invalidates(), "ready"),
        (lambda fake: fake.closes(4000), "resumed"),
    ],
    ids=["op 7", "op 9, resumable", "op 9", "close 4000"],
)
async def test_the_gateway_interrupts(fake: FakeDiscord, bot: Bot, interrupt: Callable[[FakeDiscord], int], again: str) -> None:
    before = bot.times.get(again, 0)
    assert interrupt(fake) == 1
    await bot.until(lambda: bot.times.get(again, 0) == before + 1)
    assert len(fake.connections()) == 1


async def test_the_same_message_may_be_delivered_twice(fake: FakeDiscord, bot: Bot) -> None:
    fake.redeliver(fake.hears("@nod once"))
    first, second = await bot.next_heard(), await bot.next_heard()
    assert first.id == second.id


async def test_heartbeats_keep_a_connection(fake: FakeDiscord) -> None:
    fake.set(heartbeat_seconds=0.5)
    async with Bot() as bot:
        await start(bot, fake)
        await asyncio.sleep(1.5)
        fake.hears("@nod still there?")
        await bot.next_heard()
        assert [one["what"] for one in fake.gateway_log() if one["what"] in ("refused", "disconnected")] == []


async def test_zlib_works_as_well(fake: FakeDiscord) -> None:
    async with Bot() as bot:
        point_at(fake.url)
        await log_in(bot, fake.token)
        address = discord.gateway.DiscordWebSocket.DEFAULT_GATEWAY
        for compression in ("zlib-stream", "zstd-stream", ""):
            query = {"v": "10", "encoding": "json"} | ({"compress": compression} if compression else {})
            socket = await bot.http.ws_connect(str(address.with_query(query)))
            first = await socket.receive(timeout=5)
            assert first.type is (aiohttp.WSMsgType.BINARY if compression else aiohttp.WSMsgType.TEXT)
            await socket.close()
    assert [one["compress"] for one in fake.gateway_log() if one["what"] == "connected"] == ["zlib-stream", "zstd-stream", ""]


# ---------------------------------------------------------------------------------------------------------- faults


async def test_a_lost_answer_and_the_same_nonce_are_one_message(fake: FakeDiscord, bot: Bot) -> None:
    fake.hears("@nod hi")
    message = await bot.next_heard()
    fake.fault("message.create", "lost_reply")
    with pytest.raises(aiohttp.ServerDisconnectedError):
        await message.reply("once", nonce="n1")
    assert [one["text"] for one in fake.messages() if one["is_bot"]] == ["once"]
    again = await message.reply("once", nonce="n1")
    assert [(one["id"], one["text"]) for one in fake.messages() if one["is_bot"]] == [(str(again.id), "once")]
    fake.forgets_nonces()
    await message.reply("once", nonce="n1")
    assert len([one for one in fake.messages() if one["is_bot"]]) == 2


async def test_a_cut_before_acting_leaves_nothing(fake: FakeDiscord, bot: Bot) -> None:
    fake.hears("@nod hi")
    message = await bot.next_heard()
    fake.fault("message.create", "reset")
    with pytest.raises(aiohttp.ClientOSError):
        await message.reply("never")
    assert len(fake.messages()) == 1


async def test_the_client_waits_out_a_429_and_a_500(fake: FakeDiscord, bot: Bot) -> None:
    fake.hears("@nod hi")
    message = await bot.next_heard()
    fake.fault("message.create", "429", retry_after=0.2)
    fake.fault("message.create", "500", after=1)
    began = time.monotonic()
    await message.reply("at last")
    assert time.monotonic() - began > 1.0  # discord.py waits 1 s after a 500
    assert [call["status"] for call in fake.calls("message.create")] == [429, 500, 200]
    assert fake.counts()["too_many"] == 1


async def test_a_fault_strikes_after_k_calls_n_times(fake: FakeDiscord, bot: Bot) -> None:
    fake.hears("@nod hi")
    message = await bot.next_heard()
    fake.fault("message.*", "error", after=1, times=2, status=403, code=50013)
    outcomes = []
    for _ in range(4):
        try:
            await message.reply("x")
            outcomes.append(200)
        except discord.Forbidden as refused:
            outcomes.append(refused.code)
    assert outcomes == [200, 50013, 50013, 200]
    assert fake.faults()[0]["hits"] == 2


async def test_a_429_without_via_is_raised_at_once(fake: FakeDiscord, bot: Bot) -> None:
    fake.hears("@nod hi")
    message = await bot.next_heard()
    fake.fault("message.create", "429", via=False)
    with pytest.raises(discord.HTTPException) as refused:
        await message.reply("x")
    assert refused.value.status == 429


async def test_a_volley_is_heard_whole_and_answered_at_once(fake: FakeDiscord, bot: Bot) -> None:
    ids = fake.volley([{"text": f"@nod {number}", "channel": f"c{number % 20}", "user": f"u{number}"} for number in range(100)])
    await bot.until(lambda: len(bot.heard) == 100)
    await asyncio.gather(*[message.reply("yes") for message in bot.heard])
    assert sorted(len(answers) for answers in fake.replies(ids).values()) == [1] * 100
    assert fake.counts()["too_many"] == 0
