"""Teaching in Slack: `/nod teach`, the shortcut on a message, the button below an answer that does not know; and the way back."""

import asyncio
import json
from collections.abc import Awaitable
from dataclasses import dataclass
from typing import Any
from uuid import UUID

import aiohttp
from slack_bolt.async_app import AsyncAck, AsyncApp
from slack_sdk.web.async_client import AsyncWebClient

from bot.commands import Asker
from bot.faces import PHRASES
from bot.platform import PlatformError
from bot.slack.calls import called
from bot.slack.heard import Event, person_from
from bot.slack.people import People
from bot.slack.privately import respond
from bot.slack.render import TEACH, UNDO, learnt_blocks, teach_dialog
from bot.slack.text import text_from
from bot.teaching import Said, gap_behind, learn, take_back, who_sees
from knowledge.gaps import Gap
from knowledge.teaching import scope_taught_in
from nod.contracts import Place
from nod.errors import NotFoundError, first_line
from nod.language import language_from
from nod.logs import log
from nod.process import STORE_ERRORS, Services

KEEP_SECONDS = 2.5  # Slack waits three for what a dialog answers

_log = log(__name__)


@dataclass(frozen=True, slots=True)
class Teaching:
    """What hearing teachers works with."""

    services: Services
    client: AsyncWebClient
    session: aiohttp.ClientSession
    people: People

    def join(self, app: AsyncApp) -> None:
        """Register with Bolt."""
        app.shortcut(TEACH)(self.on_shortcut)
        app.action(TEACH)(self.on_button)
        app.view(TEACH)(self.on_dialog)
        app.action(UNDO)(self.on_undo)

    async def on_command(self, ack: AsyncAck, body: Event, text: str, asker: Asker) -> None:
        """Learn what follows the command; without a text open a dialog."""
        if text:
            said = await self._learnt(asker, text)
            await ack(response_type="ephemeral", text=said.text, blocks=learnt_blocks(said.text, said.lesson_id, asker.language))
        else:
            await self._open(body, asker, None)
            await ack()

    async def on_shortcut(self, ack: AsyncAck, body: Event) -> None:
        """Learn what a message says, with the message as its source."""
        await ack()
        asker, message = await self._asker(body, body["channel"]["id"]), body["message"]
        said = await self._learnt(asker, text_from(message.get("text") or "", self.people.us.user), url=await self._link(body))
        await self._respond(body["response_url"], _payload(said, asker))

    async def on_button(self, ack: AsyncAck, body: Event) -> None:
        """Ask whoever knows for what nod does not."""
        await ack()
        asker = await self._asker(body, body["channel"]["id"])
        try:
            gap = await gap_behind(self.services, UUID(body["actions"][0]["value"]), asker.person)
        except NotFoundError:
            await self._respond(body["response_url"], {"text": PHRASES.say("command.expired", asker.language)})
        else:
            await self._open(body, asker, gap)

    async def on_dialog(self, ack: AsyncAck, body: Event) -> None:
        """Learn what was written in the dialog; while it cannot be kept the dialog stays, with all that was typed."""
        known, values = json.loads(body["view"]["private_metadata"]), body["view"]["state"]["values"]
        asker = await self._asker(body, known["channel"])
        about, text = ((values[name][name].get("value") or "").strip() for name in ("about", "text"))
        try:
            async with asyncio.timeout(KEEP_SECONDS):
                gap = await gap_behind(self.services, UUID(known["answer"]), asker.person) if known["answer"] else None
                said = await learn(self.services, asker, text, title=about, gap=gap)
        except (*STORE_ERRORS, TimeoutError, NotFoundError) as error:
            _log.warning("what was taught is not kept", error=first_line(error))
            key = "command.expired" if isinstance(error, NotFoundError) else "command.failed"
            await ack(response_action="errors", errors={"text": PHRASES.say(key, asker.language)})
            return
        if said.lesson_id is None:
            await ack(response_action="errors", errors={"text": said.text})
            return
        await ack()
        await self._respond(known["url"], _payload(said, asker))

    async def on_undo(self, ack: AsyncAck, body: Event) -> None:
        """Take back what was taught; what told of it says so."""
        await ack()
        asker = await self._asker(body, body["channel"]["id"])
        text = await take_back(self.services, int(body["actions"][0]["value"]), asker.person, asker.language)
        await self._respond(body["response_url"], {"text": text, "blocks": learnt_blocks(text, None, asker.language)}, is_replacing=True)

    # ── how ──

    async def _asker(self, body: Event, channel: str) -> Asker:
        person, profile = person_from(body), await self.people.profile(body["user"]["id"])
        place = Place(platform="slack", workspace=person.workspace, channel=channel, visibility=await self.people.visibility(channel, None))
        return Asker(
            person.model_copy(update={"name": profile.name}), place, language_from(profile.locale, self.services.settings.language)
        )

    async def _learnt(self, asker: Asker, text: str, *, url: str | None = None) -> Said:
        profile = await self.people.profile(asker.person.external_id)
        known = Asker(asker.person.model_copy(update={"name": profile.name}), asker.place, asker.language)
        try:
            async with asyncio.timeout(KEEP_SECONDS):
                return await learn(self.services, known, text, url=url)
        except (*STORE_ERRORS, TimeoutError) as error:
            _log.warning("what was taught is not kept", error=first_line(error))
            return Said(PHRASES.say("command.failed", asker.language))

    async def _open(self, body: Event, asker: Asker, gap: Gap | None) -> None:
        metadata = json.dumps(
            {"channel": asker.place.channel, "url": body["response_url"], "answer": body["actions"][0]["value"] if gap else ""}
        )
        who = who_sees(gap.scope if gap else scope_taught_in(asker.place, asker.person), asker.language)
        view = teach_dialog(gap.question if gap else "", who, asker.language, metadata)
        await self._tried("dialog", called(self.client.views_open(trigger_id=body["trigger_id"], view=view)))

    async def _link(self, body: Event) -> str | None:
        try:
            found = await called(self.client.chat_getPermalink(channel=body["channel"]["id"], message_ts=body["message"]["ts"]))
        except PlatformError as error:
            _log.info("a taught message has no link", error=str(error))
            return None
        return found.get("permalink")

    async def _respond(self, response_url: str, body: dict[str, Any], *, is_replacing: bool = False) -> None:
        await self._tried("answer", respond(self.session, response_url, body, is_replacing=is_replacing))

    async def _tried(self, what: str, act: Awaitable[Any]) -> None:
        try:
            await act
        except PlatformError as error:
            _log.info("not shown", what=what, error=str(error))


def _payload(said: Said, asker: Asker) -> dict[str, Any]:
    return {"text": said.text[:3_000], "blocks": learnt_blocks(said.text, said.lesson_id, asker.language)}
