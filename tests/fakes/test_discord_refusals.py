"""What the fake Discord refuses, case by case, asked with the bare official client; and what lies just inside each limit."""

from __future__ import annotations

import asyncio
import io
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from dataclasses import dataclass
from typing import Any

import aiohttp
import pytest
import yarl

from tests.fakes.discord_fake import FakeDiscord
from tests.fakes.discord_official import Route, discord, log_in, point_at

Json = dict[str, Any]
NOT_THERE = "100000000000000001"
V2 = 1 << 15


@dataclass(frozen=True)
class Scene:
    """A mention in #general, the bot's reply to it, and the official client logged in over REST."""

    fake: FakeDiscord
    client: discord.Client
    channel: str
    mention: str
    own: str

    async def ask(self, method: str, path: str, body: Any = None, **params: Any) -> Any:
        more = {} if body is None else {"json": body}
        return await self.client.http.request(Route(method, path, **params), **more)

    async def send(self, **body: Any) -> Json:
        return await self.ask("POST", "/channels/{channel_id}/messages", body, channel_id=self.channel)

    async def edit(self, message: str | None = None, **body: Any) -> Json:
        path = "/channels/{channel_id}/messages/{message_id}"
        return await self.ask("PATCH", path, body, channel_id=self.channel, message_id=message or self.own)

    async def press(self, *rows: Json, **body: Any) -> Json:
        return await self.send(content="?", components=list(rows), **body)

    async def upload(self, *sizes: int, attachments: list[Json] | None = None) -> Any:
        files = [discord.File(io.BytesIO(b"x" * size), f"{index}.txt") for index, size in enumerate(sizes)]
        payload = {"name": "payload_json", "value": discord.utils._to_json({"attachments": attachments or []})}
        parts = [{"name": f"files[{index}]", "value": file.fp, "filename": file.filename} for index, file in enumerate(files)]
        params = discord.http.MultipartParameters(payload=None, multipart=[payload, *parts], files=files)
        return await self.client.http.send_message(self.channel, params=params)

    async def react(self, emoji: str) -> None:
        await self.client.http.add_reaction(self.channel, self.own, emoji)

    async def thread(self, message: str | None = None, **body: Any) -> Json:
        path = "/channels/{channel_id}/messages/{message_id}/threads"
        return await self.ask("POST", path, body, channel_id=self.channel, message_id=message or self.mention)

    async def commands(self, *commands: Json) -> Any:
        return await self.client.http.bulk_upsert_global_commands(self.fake.application_id, list(commands))

    async def slash(self) -> Json:
        """An interaction with the token the gateway would have brought."""
        await self.commands(command())
        interaction = self.fake.slash("ask", {"question": "?"})
        return {"interaction_id": interaction, "token": self.fake.token_of(interaction)}

    async def answer(self, interaction: Json, kind: int, **data: Any) -> Any:
        path = "/interactions/{interaction_id}/{token}/callback"
        return await self.ask("POST", path, {"type": kind, "data": data} if data else {"type": kind}, **interaction)

    async def follow(self, interaction: Json, **body: Any) -> Any:
        return await self.ask("POST", f"/webhooks/{self.fake.application_id}/{interaction['token']}", body)


def command(name: str = "ask", **more: Any) -> Json:
    question = {"type": 3, "name": "question", "description": "What?", "required": True}
    return {"type": 1, "name": name, "description": "Ask.", "options": [question], **more}


def options(count: int) -> list[Json]:
    return [{"type": 3, "name": f"o{index}", "description": "?"} for index in range(count)]


def row(*components: Json) -> Json:
    return {"type": 1, "components": list(components)}


def button(custom_id: str = "a", **more: Any) -> Json:
    return {"type": 2, "style": 1, "label": "Press", "custom_id": custom_id, **more}


def buttons(count: int) -> list[Json]:
    return [button(str(index)) for index in range(count)]


def select(count: int, **more: Any) -> Json:
    return {"type": 3, "custom_id": "s", "options": [{"label": str(index), "value": str(index)} for index in range(count)], **more}


def text(characters: int = 3) -> Json:
    return {"type": 10, "content": "x" * characters}


def modal(**more: Any) -> Json:
    field = {"type": 4, "custom_id": "why", "style": 2, "label": "Why?"}
    return {"custom_id": "m", "title": "Why?", "components": [row(field)], **more}


@pytest.fixture(scope="module")
def running() -> Iterator[FakeDiscord]:
    with FakeDiscord() as fake:
        yield fake


@pytest.fixture
async def scene(running: FakeDiscord) -> AsyncIterator[Scene]:
    running.reset()
    point_at(running.url)
    channel, mention = running.channel("general"), running.hears("@nod hello")
    async with discord.Client(intents=discord.Intents.default()) as client:
        await log_in(client, running.token)
        reference = {"message_id": mention}
        own = await client.http.request(
            Route("POST", "/channels/{channel_id}/messages", channel_id=channel), json={"content": "hello", "message_reference": reference}
        )
        yield Scene(running, client, channel, mention, own["id"])


Case = Callable[[Scene], Awaitable[Any]]


def sends(**body: Any) -> Case:
    return lambda scene: scene.send(**body)


def changes(**body: Any) -> Case:
    return lambda scene: scene.edit(**body)


def presses(*rows: Json, **body: Any) -> Case:
    return lambda scene: scene.press(*rows, **body)


def registers(*commands: Json) -> Case:
    return lambda scene: scene.commands(*commands)


def opens(**more: Any) -> Case:
    async def case(scene: Scene) -> Any:
        return await scene.answer(await scene.slash(), 9, **modal(**more))

    return case


def permits(*deny: str, then: Case) -> Case:
    async def case(scene: Scene) -> Any:
        scene.fake.permit("general", deny=deny)
        return await then(scene)

    return case


async def edits_anothers(scene: Scene) -> Any:
    return await scene.edit(scene.mention, content="no")


async def edits_a_deleted_one(scene: Scene) -> Any:
    scene.fake.deletes(scene.own)
    return await scene.edit(content="too late")


async def edits_an_old_one(scene: Scene) -> Any:
    scene.fake.set(old_edit_retry_seconds=0.01)
    scene.fake.ages(scene.own)
    return await scene.edit(content="too late")


async def replies_to_a_deleted_one(scene: Scene) -> Any:
    scene.fake.deletes(scene.mention)
    return await scene.send(content="hello?", message_reference={"message_id": scene.mention})


async def replies_across_channels(scene: Scene) -> Any:
    elsewhere = scene.fake.hears("@nod there", channel="elsewhere")
    return await scene.send(content="hello?", message_reference={"message_id": elsewhere})


async def takes_v2_back(scene: Scene) -> Any:
    sent = await scene.send(components=[text()], flags=V2)
    return await scene.edit(sent["id"], flags=0, content="plain")


async def adds_content_to_v2(scene: Scene) -> Any:
    sent = await scene.send(components=[text()], flags=V2)
    return await scene.edit(sent["id"], content="plain")


async def reacts_21_times(scene: Scene) -> Any:
    for number in range(21):
        await scene.react(chr(0x1F600 + number))


async def opens_two_threads(scene: Scene) -> Any:
    await scene.thread(name="first")
    return await scene.thread(name="second")


async def writes_into_a_locked_thread(scene: Scene) -> Any:
    thread = await scene.thread(name="closed")
    scene.fake.archives(thread["id"], locked=True)
    return await scene.ask("POST", "/channels/{channel_id}/messages", {"content": "hello?"}, channel_id=thread["id"])


async def posts_into_a_forum(scene: Scene) -> Any:
    forum = scene.fake.channel("forum", kind="forum")
    return await scene.ask("POST", "/channels/{channel_id}/messages", {"content": "hello?"}, channel_id=forum)


async def writes_to_who_takes_no_dms(scene: Scene) -> Any:
    user = scene.fake.user("mina", takes_dms=False)
    direct = await scene.client.http.start_private_message(int(user))
    return await scene.ask("POST", "/channels/{channel_id}/messages", {"content": "hello?"}, channel_id=direct["id"])


async def answers_late(scene: Scene) -> Any:
    scene.fake.set(first_response_seconds=0.05)
    interaction = await scene.slash()
    await asyncio.sleep(0.1)
    return await scene.answer(interaction, 5)


async def answers_twice(scene: Scene) -> Any:
    interaction = await scene.slash()
    await scene.answer(interaction, 5)
    return await scene.answer(interaction, 4, content="again")


async def answers_with_another_token(scene: Scene) -> Any:
    return await scene.answer(await scene.slash() | {"token": "stolen"}, 5)


async def updates_no_message(scene: Scene) -> Any:
    return await scene.answer(await scene.slash(), 7, content="there is none")


async def follows_up_before_answering(scene: Scene) -> Any:
    return await scene.follow(await scene.slash(), content="first?")


async def follows_up_after_the_token(scene: Scene) -> Any:
    interaction = await scene.slash()
    await scene.answer(interaction, 5)
    scene.fake.set(token_seconds=0.0)
    return await scene.follow(interaction, content="too late")


async def follows_up_with_a_nonce(scene: Scene) -> Any:
    interaction = await scene.slash()
    await scene.answer(interaction, 5)
    return await scene.follow(interaction, content="once", nonce="1")


async def sends_no_json(scene: Scene) -> Any:
    route = Route("POST", "/channels/{channel_id}/messages", channel_id=scene.channel)
    return await scene.client.http.request(route, data="{", headers={"Content-Type": "text/plain"})


async def logs_in_wrongly(scene: Scene) -> Any:
    scene.client.http.token = "wrong"
    return await scene.client.http.request(Route("GET", "/users/@me"))


async def downloads_what_is_expired(scene: Scene) -> Any:
    message = scene.fake.hears("@nod read this", files=[("a.txt", b"hello")])
    url = scene.fake.message(message)["attachments"][0]["url"]
    assert await scene.client.http.get_from_cdn(url) == b"hello"
    scene.fake.expires_files()
    return await scene.client.http.get_from_cdn(url)


EMBED = {"description": "x"}

REFUSED: list[tuple[str, Case, int, int, str]] = [
    # what, how, status, code, what the error names
    ("content of 2,001", sends(content="가" * 2001), 400, 50035, "content: Must be 2000"),
    ("an empty message", sends(content=""), 400, 50006, ""),
    ("only whitespace", sends(content=" \n "), 400, 50006, ""),
    ("an unknown field", sends(content="x", contnet="x"), 400, 50035, "contnet"),
    ("a nonce of 26", sends(content="x", nonce="n" * 26), 400, 50035, "nonce"),
    ("an ephemeral flag on a channel message", sends(content="x", flags=64), 400, 50035, "flags"),
    ("eleven embeds", sends(embeds=[EMBED] * 11), 400, 50035, "embeds"),
    ("an embed of 4,097", sends(embeds=[{"description": "x" * 4097}]), 400, 50035, "embeds.0.description"),
    ("embeds of 6,001 together", sends(embeds=[{"description": "x" * 4000}, {"description": "x" * 2001}]), 400, 50035, "6000"),
    ("26 embed fields", sends(embeds=[{"fields": [{"name": "n", "value": "v"}] * 26}]), 400, 50035, "embeds.0.fields"),
    ("a field without a value", sends(embeds=[{"fields": [{"name": "n"}]}]), 400, 50035, "embeds.0.fields.0.value"),
    ("allowed mentions that contradict themselves", sends(content="x", allowed_mentions={"parse": ["users"], "users": ["1"]}), 400, 50035, "exclusive"),
    ("allowed mentions of an unknown kind", sends(content="x", allowed_mentions={"parse": ["user"]}), 400, 50035, "allowed_mentions.parse.0"),
    ("a reply to a deleted message", replies_to_a_deleted_one, 400, 50035, "message_reference: Unknown message"),
    ("a reply to another channel's message", replies_across_channels, 400, 50035, "message_reference"),
    ("six rows", presses(*[row(button(str(index))) for index in range(6)]), 400, 50035, "components"),
    ("six buttons in a row", presses(row(*buttons(6))), 400, 50035, "components.0.components"),
    ("an empty row", presses(row()), 400, 50035, "components.0.components"),
    ("a button outside a row", presses(button()), 400, 50035, "components.0.type"),
    ("a custom id of 101", presses(row(button("x" * 101))), 400, 50035, "custom_id"),
    ("a custom id twice", presses(row(button("a"), button("a"))), 400, 50035, "custom_id: Component custom id cannot be duplicated"),
    ("a button label of 81", presses(row(button(label="x" * 81))), 400, 50035, "label"),
    ("a button without label or emoji", presses(row(button(label=""))), 400, 50035, "components.0.components.0"),
    ("a link button with a custom id", presses(row(button(style=5, url="https://example.com"))), 400, 50035, "custom_id"),
    ("26 options", presses(row(select(26))), 400, 50035, "options"),
    ("a select beside a button", presses(row(select(2), button())), 400, 50035, "components.0.components"),
    ("an option value twice", presses(row(select(0, options=[{"label": "a", "value": "v"}] * 2))), 400, 50035, "already used"),
    ("parts of V2 without the flag", sends(components=[text()]), 400, 50035, "components.0.type"),
    ("V2 with content", sends(content="x", components=[text()], flags=V2), 400, 50035, "content"),
    ("V2 with an embed", sends(embeds=[EMBED], components=[text()], flags=V2), 400, 50035, "embeds"),
    ("41 parts", sends(components=[text()] * 41, flags=V2), 400, 50035, "components"),
    ("texts of 4,001 together", sends(components=[text(2000), text(2001)], flags=V2), 400, 50035, "4000"),
    ("V2 taken back", takes_v2_back, 400, 50035, "flags"),
    ("content on a V2 message", adds_content_to_v2, 400, 50035, "content"),
    ("a file of 10 MiB and one byte", lambda scene: scene.upload(10 * 1024 * 1024 + 1), 413, 40005, ""),
    ("files of more than 25 MiB together", lambda scene: scene.upload(*[9 * 1024 * 1024] * 3), 413, 40005, ""),
    ("an attachment that was not sent", lambda scene: scene.upload(3, attachments=[{"id": 7, "filename": "x"}]), 400, 50035, "attachments.0.id"),
    ("an edit of another's message", edits_anothers, 403, 50005, ""),
    ("an edit of a deleted message", edits_a_deleted_one, 404, 10008, ""),
    ("an edit to nothing", changes(content=""), 400, 50006, ""),
    ("an edit to 2,001", changes(content="x" * 2001), 400, 50035, "content"),
    ("an edit with a nonce", changes(content="x", nonce="1"), 400, 50035, "nonce"),
    ("an edit of a message older than an hour", edits_an_old_one, 429, 30046, ""),
    ("a letter as reaction", lambda scene: scene.react("a"), 400, 10014, ""),
    ("a shortcode as reaction", lambda scene: scene.react(":thumbsup:"), 400, 10014, ""),
    ("a 21st reaction", reacts_21_times, 403, 30010, ""),
    ("an unknown message", lambda scene: scene.client.http.get_message(scene.channel, NOT_THERE), 404, 10008, ""),
    ("an unknown channel", lambda scene: scene.client.http.get_channel(NOT_THERE), 404, 10003, ""),
    ("an unknown user", lambda scene: scene.client.http.get_user(NOT_THERE), 404, 10013, ""),
    ("an unknown guild", lambda scene: scene.client.http.get_guild(NOT_THERE), 404, 10004, ""),
    ("no snowflake", lambda scene: scene.client.http.get_channel("general"), 400, 50035, "channel_id"),
    ("101 messages", lambda scene: scene.client.http.logs_from(scene.channel, 101), 400, 50035, "limit"),
    ("an unknown route", lambda scene: scene.ask("GET", "/nowhere"), 404, 0, "404: Not Found"),
    ("an unknown method", lambda scene: scene.ask("PUT", "/users/@me"), 405, 0, "405"),
    ("a body that is not JSON", sends_no_json, 400, 50035, "Content-Type"),
    ("a wrong token", logs_in_wrongly, 401, 0, "401: Unauthorized"),
    ("members without the intent", lambda scene: scene.client.http.get_members(scene.fake.guild, 10, None), 403, 50001, ""),
    ("a channel out of sight", permits("view_channel", then=sends(content="x")), 403, 50001, ""),
    ("sending without permission", permits("send_messages", then=sends(content="x")), 403, 50013, ""),
    ("a file without permission", permits("attach_files", then=lambda scene: scene.upload(3)), 403, 50013, ""),
    ("a reaction without permission", permits("add_reactions", then=lambda scene: scene.react("👍")), 403, 50013, ""),
    ("a reply without history", permits("read_message_history", then=replies_to_a_deleted_one), 403, 50013, ""),
    ("deleting another's message", lambda scene: scene.client.http.delete_message(scene.channel, scene.mention), 403, 50013, ""),
    ("a message to who takes none", writes_to_who_takes_no_dms, 403, 50007, ""),
    ("a message into a forum", posts_into_a_forum, 400, 50008, ""),
    ("a thread without a name", lambda scene: scene.thread(name=""), 400, 50035, "name"),
    ("a thread name of 101", lambda scene: scene.thread(name="x" * 101), 400, 50035, "name"),
    ("a thread archived after 5 minutes", lambda scene: scene.thread(name="x", auto_archive_duration=5), 400, 50035, "auto_archive_duration"),
    ("a second thread on a message", opens_two_threads, 400, 160004, ""),
    ("a locked thread", writes_into_a_locked_thread, 400, 50083, ""),
    ("an answer after 3 seconds", answers_late, 404, 10062, ""),
    ("a second answer", answers_twice, 400, 40060, ""),
    ("another token", answers_with_another_token, 404, 10062, ""),
    ("an update of no message", updates_no_message, 400, 50035, "type"),
    ("a follow-up before the answer", follows_up_before_answering, 404, 10015, ""),
    ("a follow-up after 15 minutes", follows_up_after_the_token, 401, 50027, ""),
    ("a follow-up with a nonce", follows_up_with_a_nonce, 400, 50035, "nonce"),
    ("a modal title of 46", opens(title="x" * 46), 400, 50035, "data.title"),
    ("a modal of six fields", opens(components=[row({"type": 4, "custom_id": str(i), "style": 1, "label": "?"}) for i in range(6)]), 400, 50035, "components"),
    ("a modal field label of 46", opens(components=[row({"type": 4, "custom_id": "i", "style": 1, "label": "?" * 46})]), 400, 50035, "label"),
    ("a command in capitals", registers(command("Ask")), 400, 50035, "0.name"),
    ("a command name with a space", registers(command("ask me")), 400, 50035, "0.name"),
    ("a command name of 33", registers(command("x" * 33)), 400, 50035, "0.name"),
    ("a command name twice", registers(command(), command()), 400, 50035, "unique"),
    ("a command description of 101", registers(command(description="x" * 101)), 400, 50035, "0.description"),
    ("26 command options", registers(command(options=options(26))), 400, 50035, "0.options"),
    ("a required option after an optional one", registers(command(options=[*options(1), {**options(2)[1], "required": True}])), 400, 50035, "Required options"),
    ("a locale that is none", registers(command(name_localizations={"kr": "질문"})), 400, 50035, "name_localizations.kr"),
    ("a command of more than 8,000 characters", registers(command(options=[{**o, "choices": [{"name": f"{c:x>100}", "value": f"{c:x>100}"} for c in range(25)]} for o in options(2)])), 400, 50035, "8000"),
    ("101 commands", registers(*[command(f"c{index}") for index in range(101)]), 400, 30032, ""),
    ("a context menu with a description", registers({"type": 3, "name": "Ask nod", "description": "no"}), 400, 50035, "0.description"),
]  # fmt: skip


@pytest.mark.parametrize(("how", "status", "code", "names"), [case[1:] for case in REFUSED], ids=[case[0] for case in REFUSED])
async def test_it_refuses(scene: Scene, how: Case, status: int, code: int, names: str) -> None:
    with pytest.raises(discord.HTTPException) as refused:
        await how(scene)
    assert (refused.value.status, refused.value.code) == (status, code), refused.value.text
    assert names in refused.value.text


async def test_an_expired_file_is_gone(scene: Scene) -> None:
    with pytest.raises(discord.NotFound):
        await downloads_what_is_expired(scene)


async def _lenient(scene: Scene) -> None:
    scene.fake.deletes(scene.mention)
    sent = await scene.send(content="x", message_reference={"message_id": scene.mention, "fail_if_not_exists": False})
    assert "message_reference" not in sent


TAKEN: list[tuple[str, Case]] = [
    ("content of 2,000", sends(content="가" * 2000)),
    ("a nonce of 25", sends(content="x", nonce="n" * 25, enforce_nonce=True)),
    ("ten embeds of 6,000 together", sends(embeds=[{"description": "x" * 600}] * 10)),
    ("five rows of five buttons", presses(*[row(*[button(f"{r}{b}") for b in range(5)]) for r in range(5)])),
    ("25 options", presses(row(select(25, max_values=25)))),
    ("40 parts and 4,000 characters", sends(components=[text(100)] * 40, flags=V2)),
    ("a reply to a deleted message that may be none", _lenient),
    ("a file of 10 MiB", lambda scene: scene.upload(10 * 1024 * 1024)),
    ("an edit of one's own", changes(content="x" * 2000, tts=False)),
    ("a thread name of 100", lambda scene: scene.thread(name="가" * 100)),
    ("a Korean command", registers(command("질문", name_localizations={"ko": "질문하기"}, contexts=[0, 1, 2], integration_types=[0]))),
    ("a context menu in Korean, with spaces", registers({"type": 3, "name": "nod에게 묻기"})),
    ("a modal", opens()),
]


@pytest.mark.parametrize("how", [case[1] for case in TAKEN], ids=[case[0] for case in TAKEN])
async def test_it_takes(scene: Scene, how: Case) -> None:
    await how(scene)


# ---------------------------------------------------------------------------------------------------------- gateway


async def _closed(scene: Scene, *said: Any, query: str = "v=10&encoding=json", then: Callable[[], Any] = lambda: None) -> int | None:
    """The code with which the gateway closes after these words."""
    address = yarl.URL((await scene.ask("GET", "/gateway"))["url"])
    socket = await scene.client.http.ws_connect(f"{address}?{query}")
    for word in said:
        await (socket.send_str(word) if isinstance(word, str) else socket.send_json(word))
    then()
    async with asyncio.timeout(5):
        while (await socket.receive()).type not in (aiohttp.WSMsgType.CLOSE, aiohttp.WSMsgType.CLOSED, aiohttp.WSMsgType.CLOSING):
            pass
    code = socket.close_code
    await socket.close()
    return code


def identify(token: str, **more: Any) -> Json:
    return {"op": 2, "d": {"token": token, "intents": 1 << 9, "properties": {"os": "linux"}, **more}}


def resume(token: str, seq: int = 10_000) -> Json:
    return {"op": 6, "d": {"token": token, "session_id": NOT_THERE, "seq": seq}}


CLOSED: list[tuple[str, int, Callable[[str], list[Any]], str]] = [
    ("an unknown opcode", 4001, lambda token: [identify(token), {"op": 77, "d": None}], "v=10&encoding=json"),
    ("no JSON", 4002, lambda _: ["{"], "v=10&encoding=json"),
    ("more than 4,096 bytes", 4002, lambda token: [identify(token, presence="x" * 4096)], "v=10&encoding=json"),
    ("words before IDENTIFY", 4003, lambda _: [{"op": 3, "d": {}}], "v=10&encoding=json"),
    ("a wrong token", 4004, lambda _: [identify("wrong")], "v=10&encoding=json"),
    ("a wrong token to resume", 4004, lambda _: [resume("wrong")], "v=10&encoding=json"),
    ("IDENTIFY twice", 4005, lambda token: [identify(token), identify(token)], "v=10&encoding=json"),
    ("121 words in a minute", 4008, lambda token: [identify(token), *[{"op": 1, "d": None}] * 120], "v=10&encoding=json"),
    ("an impossible shard", 4010, lambda token: [identify(token, shard=[2, 2])], "v=10&encoding=json"),
    ("another version", 4012, lambda _: [], "v=6&encoding=json"),
    ("another encoding", 4002, lambda _: [], "v=10&encoding=etf"),
    ("intents that do not exist", 4013, lambda token: [identify(token, intents=1 << 40)], "v=10&encoding=json"),
    ("no intents", 4013, lambda token: [identify(token, intents=None)], "v=10&encoding=json"),
    ("an intent that is switched off", 4014, lambda token: [identify(token, intents=1 << 1)], "v=10&encoding=json"),
]


@pytest.mark.parametrize(("code", "said", "query"), [case[1:] for case in CLOSED], ids=[case[0] for case in CLOSED])
async def test_the_gateway_closes(scene: Scene, code: int, said: Callable[[str], list[Any]], query: str) -> None:
    assert await _closed(scene, *said(scene.fake.token), query=query) == code


async def test_the_gateway_closes_on_who_sends_no_heartbeat(scene: Scene) -> None:
    scene.fake.set(heartbeat_seconds=0.1)
    assert await _closed(scene, identify(scene.fake.token)) == 4009


async def test_the_client_is_told_that_message_content_is_switched_off(scene: Scene) -> None:
    scene.fake.intents(message_content=False)
    async with discord.Client(intents=discord.Intents(guilds=True, message_content=True)) as client:
        with pytest.raises(discord.PrivilegedIntentsRequired):
            await client.start(scene.fake.token)


async def test_a_session_it_does_not_know_is_invalid(scene: Scene) -> None:
    address = (await scene.ask("GET", "/gateway"))["url"]
    socket = await scene.client.http.ws_connect(f"{address}?v=10&encoding=json")
    await socket.send_json(resume(scene.fake.token))
    words = [await socket.receive_json(timeout=5) for _ in range(2)]
    assert [(word["op"], word["d"]) for word in words][1] == (9, False)
    await socket.close()


# ----------------------------------------------------------------------------------------------------------- limits


CHANNEL = "/channels/{channel}"
MESSAGE = "/channels/{channel}/messages/{own}"


@pytest.mark.parametrize(
    ("most", "calls"),
    [
        (5, [("POST", CHANNEL + "/messages", {"content": "x"}), ("PATCH", MESSAGE, {"content": "x"})]),
        (5, [("POST", CHANNEL + "/typing", None)]),
        (1, [("PUT", MESSAGE + "/reactions/%F0%9F%91%8D/@me", None)]),
        (50, [("GET", "/users/@me", None), ("GET", CHANNEL, None)]),
    ],
    ids=["posts and edits of a channel together", "typing", "reactions", "everything"],
)
async def test_calls_beyond_the_limit_are_429(scene: Scene, most: int, calls: list[tuple[str, str, Any]]) -> None:
    """Asked without discord.py, which would wait; what it makes of a 429 is tried in test_discord_fake.py."""
    scene.fake.limits(on=True)
    async with aiohttp.ClientSession(headers={"Authorization": f"Bot {scene.fake.token}"}) as session:
        answers = [
            await session.request(
                method, yarl.URL(scene.fake.url + path.format(channel=scene.channel, own=scene.own), encoded=True), json=body
            )
            for method, path, body in (calls * (most + 1))[: most + 1]
        ]
        refused = await answers[-1].json()
    assert [answer.status for answer in answers if answer.status >= 400] == [429]
    assert (refused["global"], 0 < refused["retry_after"] <= 5) == (most == 50, True)
    assert {"Via", "Retry-After", "X-RateLimit-Scope"} <= set(answers[-1].headers)
    assert scene.fake.counts()["invalid_requests"] == 1


async def test_a_thread_has_a_limit_of_its_own(scene: Scene) -> None:
    thread = (await scene.thread(name="aside"))["id"]
    scene.fake.limits(on=True)
    began = time.monotonic()
    for place in [scene.channel, thread] * 4:
        await scene.ask("POST", "/channels/{channel_id}/messages", {"content": "x"}, channel_id=place)
    assert time.monotonic() - began < 4  # in one bucket, discord.py would have waited 5 s
    assert scene.fake.counts()["too_many"] == 0
