"""What nod does when Slack calls: decide what it is, then act. One small function per kind of call."""

import asyncio
import contextlib
from collections.abc import Awaitable
from dataclasses import dataclass
from uuid import UUID

from slack_bolt.async_app import AsyncAck, AsyncApp
from slack_sdk.web.async_client import AsyncWebClient
from slack_sdk.web.async_slack_response import AsyncSlackResponse

from bot.commands import Asker, Given, asker_from, given_from, reply_to, stop
from bot.delivery import Delivery
from bot.faces import PHRASES
from bot.hearing import change, hear, withdraw
from bot.intake import Blank, question_from
from bot.platform import PlatformError
from bot.slack.acknowledging import acknowledge
from bot.slack.calls import called
from bot.slack.heard import (
    Event,
    asks_to_stop,
    deleted_from,
    edited_from,
    heard_from,
    is_message,
    is_to_us,
    person_from,
    person_of_command,
    question_of_command,
    question_of_offer,
    time_from,
    vote_from_button,
    vote_from_reaction,
)
from bot.slack.members import Members
from bot.slack.people import People
from bot.slack.platform import SlackPlatform
from bot.slack.render import ALONE, DIALOG, RETRY, VOTE, asked_from, dialog_from, plain_blocks, without_mentions
from bot.slack.teaching import Teaching
from bot.slack.text import text_from
from feedback.votes import REASONS, cast, explain
from nod.contracts import Accepted, Person, Place, Question, Vote
from nod.errors import NodError, NotFoundError, first_line
from nod.language import Language, language_from, language_of
from nod.logs import log
from nod.pause import pause
from nod.process import STORE_ERRORS, Services

COMMAND_SECONDS = 2.5  # Slack waits three for what a command answers

_log = log(__name__)


def form(word: str) -> str:
    """Return how a command is written in Slack."""
    return f"/nod {word}"


@dataclass(frozen=True, slots=True)
class Listeners:
    """What listeners work with."""

    services: Services
    delivery: Delivery
    client: AsyncWebClient
    platform: SlackPlatform
    people: People
    members: Members
    teaching: Teaching

    def join(self, app: AsyncApp) -> None:
        """Register with Bolt."""
        app.event("app_mention")(self.on_message)
        app.event("message")(self.on_message)
        app.event("reaction_added")(self.on_reaction)
        app.event("reaction_removed")(self.on_reaction)
        app.event("agent_session_stopped")(self.on_stopped)
        app.event("member_joined_channel")(self.on_joined)
        app.event("member_left_channel")(self.on_left)
        app.command("/nod")(self.on_command)
        app.action(VOTE)(self.on_vote)
        app.action(RETRY)(self.on_retry)
        app.action(ALONE)(self.on_alone)
        app.view(DIALOG)(self.on_reasons)
        self.teaching.join(app)

    # ── questions ──

    async def on_message(self, event: Event, body: Event) -> None:
        """Answer a mention or a direct message, follow what becomes of it, end what somebody wants to end; all else is not ours."""
        us = self.people.us
        if not is_message(event):
            await self._on_change(event, body["team_id"])
        elif asks_to_stop(event, us):
            await self._on_stop_word(event, body["team_id"])
        elif is_to_us(event, us):
            await self._on_question(event, body)

    async def _on_question(self, event: Event, body: Event) -> None:
        visibility = await self.people.visibility(event["channel"], event.get("channel_type"))
        has_dm_threads = self.services.settings.slack_dm_threads
        heard = heard_from(event, body["team_id"], self.people.us, visibility, has_dm_threads=has_dm_threads)
        question = question_from(heard, self._default)
        if isinstance(question, Blank):
            if event["type"] == "app_mention" or visibility == "direct":  # a mention comes as two events
                await acknowledge()
                await self._whisper(heard.place, heard.person, PHRASES.say("blank", question.language, example="@nod"))
        elif question:
            accepted = await hear(self.services, self.delivery, question, acknowledge)
            if accepted.is_new and visibility == "direct":
                await self._greet(accepted, question)

    async def _greet(self, accepted: Accepted, question: Question) -> None:
        """Say once, in somebody's first direct message, who can read it."""
        if await self.services.record.is_first_direct(accepted.question_id):
            privacy = form("privacy" if question.language == "en" else "개인정보")
            await self._whisper(question.place, question.person, PHRASES.say("first_dm", question.language, privacy=f"`{privacy}`"))

    async def on_joined(self, event: Event, body: Event) -> None:
        """Tell whoever invited us how to ask; nobody else is disturbed."""
        self.members.forget(event["channel"], event.get("user") or "")
        if event.get("user") == self.people.us.user and (inviter := event.get("inviter")):
            profile = await self.people.profile(inviter)
            person = Person(platform="slack", workspace=body["team_id"], external_id=inviter)
            place = Place(platform="slack", workspace=body["team_id"], channel=event["channel"])
            await self._whisper(place, person, PHRASES.say("invited", language_from(profile.locale, self.services.settings.language)))

    async def on_left(self, event: Event) -> None:
        """Know at once that somebody left a channel."""
        self.members.forget(event["channel"], event.get("user") or "")

    # ── what becomes of a question ──

    async def _on_stop_word(self, event: Event, team: str) -> None:
        """End what somebody is being answered in this thread, outside one in this channel; tell who called us when that is nothing."""
        person, thread = Person(platform="slack", workspace=team, external_id=event["user"]), event.get("thread_ts") or ""
        count = await stop(self.services, person, event["channel"], thread=thread, at=time_from(event["ts"]))
        if not count and (event["type"] == "app_mention" or event.get("channel_type") == "im"):  # a mention comes as two events
            place = Place(platform="slack", workspace=team, channel=event["channel"], thread=thread)
            language = language_of(text_from(event.get("text") or "", self.people.us.user), self._default)
            await self._whisper(place, person, PHRASES.say("command.nothing_to_stop", language))

    async def on_stopped(self, event: Event, body: Event) -> None:
        """End what somebody is being answered in a thread: they pressed Slack's own stop button."""
        person = Person(platform="slack", workspace=body["team_id"], external_id=event["user"])
        await stop(self.services, person, event["channel"], thread=event["thread_ts"], at=time_from(event["event_ts"]))

    async def _on_change(self, event: Event, team: str) -> None:
        """Answer an edited question anew while it is being answered; withdraw the answer to one that was deleted meanwhile."""
        us, place = self.people.us, Place(platform="slack", workspace=team, channel=event.get("channel") or "")
        if edited := edited_from(event, us):
            await change(self.services, place, edited["ts"], text_from(edited.get("text") or "", us.user))
        elif deleted := deleted_from(event, us):
            await withdraw(self.services, place, [deleted])

    # ── commands ──

    async def on_command(self, ack: AsyncAck, body: Event) -> None:
        """Answer `/nod …`: a question in public where nod may speak, everything else for its giver alone."""
        typed, channel = body.get("text") or "", body["channel_id"]
        person = person_of_command(body)
        visibility = await self.people.visibility(channel, _channel_type(body))
        place = Place(platform="slack", workspace=body["team_id"], channel=channel, visibility=visibility)
        given, asker = given_from(typed), asker_from(person, place, typed, self._default)
        if given.command and given.command.name == "ask" and given.text:
            await self._ask(body, given, asker)
            await ack()
        elif given.command and given.command.name == "teach":
            await self.teaching.on_command(ack, body, given.text, asker)
        else:
            text = await self._reply(given, asker)
            await ack(text=text[:3_000], blocks=plain_blocks(text), response_type="ephemeral")

    async def _ask(self, body: Event, given: Given, asker: Asker) -> None:
        """Post the question, so that all see what is answered, and answer in its thread; where nod may not post, answer privately."""
        root = await self._post_question(body, given, asker)
        question = question_of_command(body, given.text, asker.language, asker.place.visibility, root)
        payload = None if root else {"response_type": "ephemeral", "text": PHRASES.say("step.searching", asker.language)}
        try:
            await hear(self.services, self.delivery, question, lambda: acknowledge(payload))
        except STORE_ERRORS:
            if root:  # a question that nobody will answer must not stand there
                await self._tried("question taken back", self.client.chat_delete(channel=asker.place.channel, ts=root))
            raise

    async def _post_question(self, body: Event, given: Given, asker: Asker) -> str | None:
        name, channel = str(body.get("user_name") or "?"), asker.place.channel
        try:
            return await self.platform.post_question(channel, *asked_from(name, given.text, asker.language))
        except PlatformError as error:
            _log.info("the question of a command is answered privately", error=str(error))
            return None

    async def _reply(self, given: Given, asker: Asker) -> str:
        try:
            async with asyncio.timeout(COMMAND_SECONDS):
                return without_mentions(await reply_to(self.services, given, asker, form, self.platform.readers))
        except (*STORE_ERRORS, TimeoutError, NodError) as error:
            _log.warning("command failed", command=given.command and given.command.name, error=first_line(error))
            return PHRASES.say("command.failed", asker.language)

    # ── votes ──

    async def on_reaction(self, event: Event, body: Event) -> None:
        """Count a thumb below one of our messages, or one taken back."""
        vote = vote_from_reaction(event, body["team_id"], self.people.us)
        if vote and not (await self.people.profile(vote.person.external_id)).is_bot:
            await self._cast(vote)

    async def on_vote(self, ack: AsyncAck, body: Event) -> None:
        """Count a thumb that was pressed; a thumb down asks why."""
        await ack()
        vote, language = vote_from_button(body)
        await self._cast(vote)
        await acknowledge()
        if vote.value == "down" and vote.answer_id:
            await self._tried("dialog", self.client.views_open(trigger_id=body["trigger_id"], view=dialog_from(vote.answer_id, language)))

    async def on_reasons(self, ack: AsyncAck, body: Event) -> None:
        """Add to a thumb down what was wrong."""
        await ack()
        values = body["view"]["state"]["values"]
        options = (values.get("reasons") or {}).get("reasons", {}).get("selected_options") or []
        comment = ((values.get("comment") or {}).get("comment", {}).get("value") or "").strip() or None
        reasons = [option["value"] for option in options if option["value"] in REASONS]
        if reasons or comment:
            answer_id = UUID(body["view"]["private_metadata"])
            with contextlib.suppress(NotFoundError):  # taken back meanwhile
                await explain(self.services.engine, self.services.record, answer_id, person_from(body), reasons, comment)

    async def _cast(self, vote: Vote) -> None:
        await pause("vote_heard")
        await cast(self.services.engine, self.services.record, vote)

    # ── buttons ──

    async def on_retry(self, ack: AsyncAck, body: Event) -> None:
        """Try again what failed, in the same message; pressed twice it is pressed once."""
        await ack()
        answer_id = UUID(body["actions"][0]["value"])
        new_id = await self.services.record.again(answer_id, self.services.claims.process_id)
        await acknowledge()
        self.services.waker.wake()
        if new_id:
            await self.delivery.go_on(new_id)

    async def on_alone(self, ack: AsyncAck, body: Event) -> None:
        """Answer somebody alone, from all that they may see; pressed twice it is pressed once."""
        answer = await self.services.record.answer(UUID(body["actions"][0]["value"]))
        if question := question_of_offer(body, answer):
            await hear(self.services, self.delivery, question, acknowledge)
        await ack()

    # ── by the way ──

    @property
    def _default(self) -> Language:
        return language_from(self.services.settings.language)

    async def _whisper(self, place: Place, person: Person, text: str) -> None:
        """Say something to one person alone, where they are."""
        thread = place.thread or None
        user = person.external_id
        await self._tried("whisper", self.client.chat_postEphemeral(channel=place.channel, user=user, thread_ts=thread, text=text))

    async def _tried(self, what: str, call: Awaitable[AsyncSlackResponse]) -> None:
        try:
            await called(call)
        except PlatformError as error:
            _log.info("not shown", what=what, error=str(error))


def _channel_type(body: Event) -> str | None:
    """Return what a command says of its channel: only direct messages and old private channels have a telling name."""
    return {"directmessage": "im" if body["channel_id"].startswith("D") else None, "privategroup": "group"}.get(
        body.get("channel_name", "")
    )
