"""What Slack sends, read once: an event becomes a Heard, a reaction or a button a Vote, a command an Asker. Nothing is called here."""

from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

from bot.intake import Heard, is_stop, question_alone
from bot.slack.people import Us
from bot.slack.text import mentions, text_from
from bot.votes import reaction_vote
from nod.contracts import Answer, FileRef, Person, Place, Question, Route, Visibility, Vote
from nod.language import Language

Event = dict[str, Any]

_THUMB = "thumb"  # one signal for both buttons: the last one pressed is what stands
RESPONSE_URL_MINUTES = 29  # Slack takes answers to a command for 30
_TOMBSTONE = "tombstone"
_SUBTYPES = (None, "file_share", "thread_broadcast")  # all others are no message of a person to anybody


def is_message(event: Event) -> bool:
    """Return whether an event is something that somebody said; edits, deletions and notices are not."""
    return event.get("subtype") in _SUBTYPES and bool(event.get("user")) and bool(event.get("ts"))


def is_to_us(event: Event, us: Us) -> bool:
    """Return whether a message mentions us or was written to us alone."""
    return event.get("type") == "app_mention" or event.get("channel_type") == "im" or mentions(event.get("text") or "", us.user)


def is_by_bot(event: Event, us: Us) -> bool:
    """Return whether a message was written by a bot, ourselves among them, or by Slack."""
    return bool(event.get("bot_id") or event.get("bot_profile")) or event.get("user") in (us.user, "USLACKBOT")


def asks_to_stop(event: Event, us: Us) -> bool:
    """Return whether somebody says no more than stop, to us or in a thread, where an answer of theirs may be under way."""
    is_heard = bool(event.get("thread_ts")) or is_to_us(event, us)
    return is_heard and not event.get("files") and not is_by_bot(event, us) and is_stop(text_from(event.get("text") or "", us.user))


def edited_from(event: Event, us: Us) -> Event | None:
    """Return a message to us as somebody changed it; None when its words are as before (a preview came) or it is a bot's."""
    message: Event = event.get("message") or {}
    before: Event = event.get("previous_message") or {}
    if event.get("subtype") != "message_changed" or message.get("subtype") == _TOMBSTONE or is_by_bot(message, us):
        return None
    was_to_us = mentions(before.get("text") or "", us.user) or is_to_us({**message, "channel_type": event.get("channel_type")}, us)
    return message if was_to_us and message.get("text") != before.get("text") else None


def deleted_from(event: Event, us: Us) -> str | None:
    """Return the ts of a message to us that was deleted. One with replies below it is only changed: into a tombstone."""
    before: Event = event.get("previous_message") or {}
    is_change = event.get("subtype") == "message_changed"
    was_to_us = is_to_us({**before, "channel_type": event.get("channel_type")}, us)
    if is_by_bot(before, us) or not was_to_us or (is_change and (event.get("message") or {}).get("subtype") != _TOMBSTONE):
        return None
    return before.get("ts") if is_change or event.get("subtype") == "message_deleted" else None


def heard_from(event: Event, team: str, us: Us, visibility: Visibility, *, has_dm_threads: bool) -> Heard:
    """Return a message as intake wants it. A mention outside a thread opens one; so does a direct message in the agent view."""
    channel, ts = event["channel"], event["ts"]
    thread = event.get("thread_ts") or ("" if visibility == "direct" and not has_dm_threads else ts)
    return Heard(
        person=Person(platform="slack", workspace=team, external_id=event["user"]),
        place=Place(platform="slack", workspace=team, channel=channel, thread=thread, visibility=visibility),
        message_id=ts,
        text=text_from(event.get("text") or "", us.user),
        route=Route(channel=channel, thread=thread, reply_to=ts, extra={"team": event.get("user_team") or event.get("team") or team}),
        at=time_from(ts),
        is_to_us=is_to_us(event, us),
        is_by_bot=is_by_bot(event, us),
        files=tuple(_file(file) for file in event.get("files") or ()),
    )


def vote_from_reaction(event: Event, team: str, us: Us) -> Vote | None:
    """Return the vote of a reaction; None for one that is none, or not on a message of ours."""
    item: Event = event.get("item") or {}
    if item.get("type") != "message" or event.get("item_user") not in (None, us.user) or event.get("user") in (None, us.user):
        return None
    is_set, at = event["type"] == "reaction_added", event["event_ts"]
    return reaction_vote(
        Person(platform="slack", workspace=team, external_id=event["user"]), event["reaction"], is_set=is_set, channel=item["channel"],
        message_id=item["ts"], at=time_from(at), event_id=f"slack:{team}:{at}:{event['user']}:{event['reaction']}:{is_set:d}",
    )  # fmt: skip


def vote_from_button(body: Event) -> tuple[Vote, Language]:
    """Return the vote of a thumb that was pressed, and the language of its answer. Raises ValueError for a value that is not ours."""
    action: Event = body["actions"][0]
    value, language, answer_id = str(action["value"]).split(":")
    if value not in ("up", "down"):
        raise ValueError(f"{value!r} is no vote")
    vote = Vote(
        event_id=f"slack:{body['team']['id']}:{action['action_ts']}:{body['user']['id']}:button", person=person_from(body), kind="set",
        value=value, source="button", token=_THUMB, at=time_from(action["action_ts"]), answer_id=UUID(answer_id),
        channel=(body.get("channel") or {}).get("id", ""), message_id=(body.get("container") or {}).get("message_ts", ""),
    )  # fmt: skip
    return vote, "ko" if language == "ko" else "en"


def person_from(body: Event) -> Person:
    """Return who pressed a button or sent a dialog."""
    return Person(platform="slack", workspace=body["team"]["id"], external_id=body["user"]["id"])


def person_of_command(body: Event) -> Person:
    """Return who gave a command."""
    return Person(platform="slack", workspace=body["team_id"], external_id=body["user_id"])


def question_of_command(body: Event, text: str, language: Language, visibility: Visibility, root: str | None) -> Question:
    """Return the question of `/nod ask`. `root` is our message that shows it and opens the thread; without one it is answered privately."""
    channel, trigger = body["channel_id"], body["trigger_id"]
    now = datetime.now(UTC)
    if root:
        route = Route(channel=channel, thread=root, reply_to=root)
    else:
        ends = now + timedelta(minutes=RESPONSE_URL_MINUTES)
        route = Route(channel=channel, reply_to=trigger, token=body["response_url"], expires_at=ends, private=True)
        visibility = "direct"  # what only one person sees is theirs and nod's alone
    return Question(
        person=person_of_command(body),
        place=Place(platform="slack", workspace=body["team_id"], channel=channel, thread=root or trigger, visibility=visibility),
        message_id=trigger, text=text, route=route, language=language, asked_at=now,
    )  # fmt: skip


def question_of_offer(body: Event, answer: Answer) -> Question | None:
    """Return what somebody wants to be answered alone; it is answered where they pressed, and only they see it."""
    channel = body["channel"]["id"]
    place = Place(platform="slack", workspace=body["team"]["id"], channel=channel, thread=f"alone:{answer.answer_id}", visibility="direct")
    ends = datetime.now(UTC) + timedelta(minutes=RESPONSE_URL_MINUTES)
    route = Route(channel=channel, reply_to=place.thread, token=body["response_url"], expires_at=ends, private=True)
    return question_alone(answer, person_from(body), place, route)


def time_from(ts: str) -> datetime:
    """Return the time of a Slack timestamp."""
    return datetime.fromtimestamp(float(ts), UTC)


def _file(file: Event) -> FileRef:
    return FileRef(
        name=str(file.get("name") or file.get("id") or "file"), media_type=str(file.get("mimetype") or "application/octet-stream"),
        size_bytes=int(file.get("size") or 0), external_id=file.get("id"),
    )  # fmt: skip
