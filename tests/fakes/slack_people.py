"""What people in the workspace do: write, edit, react, press, command, submit. Each becomes what Slack would send the app."""

from __future__ import annotations

import time
import uuid
from typing import Any

from tests.fakes.slack_arguments import Refusal
from tests.fakes.slack_chat import tell, tell_changed, tell_deleted
from tests.fakes.slack_methods import new_file, react, unreact
from tests.fakes.slack_socket import Delivery, Socket
from tests.fakes.slack_views import answer_submission, public_view
from tests.fakes.slack_world import APP_ID, BOT_USER, TEAM, TEAM_DOMAIN, Channel, Message, World

Json = dict[str, Any]


class People:
    """Everybody who is not the bot."""

    def __init__(self, world: World, socket: Socket) -> None:
        self.world, self.socket = world, socket

    # writing

    def says(
        self, text: str, channel: str, user: str, thread: str | None = None, files: list[str] | None = None, edited: str | None = None
    ) -> Message:
        """The person's message; the app hears of it as a message and, when mentioned, as an app_mention too."""
        place = self._place(channel, user)
        if thread and self.world.find(place.id, thread) is None:
            raise Refusal("thread_not_found", thread)
        known = [self.world.files[each] for each in files or []]
        message = Message(place.id, self.world.new_ts(), user, text.replace("@nod", f"<@{BOT_USER}>"), thread_ts=thread, files=known)
        message.subtype = "file_share" if known else None
        message.edited = {"user": user, "ts": edited} if edited else None
        message.blocks = [_rich_text(message.text)]
        self.world.add(message)
        client_msg_id = str(uuid.uuid4())
        more = {"parent_user_id": self._message(place.id, thread).user} if thread else {}
        if f"<@{BOT_USER}>" in message.text and place.kind != "im" and place.bot_in:
            mention = {
                key: value for key, value in self.world.as_slack(message).items() if key not in ("subtype", "reply_count", "latest_reply")
            }
            mention |= {"type": "app_mention", "channel": place.id, "event_ts": message.ts, "client_msg_id": client_msg_id, **more}
            self.world.emit("app_mention", mention, message.ts)
        tell(self.world, message, client_msg_id=client_msg_id, **more)
        return message

    def edits(self, channel: str, ts: str, text: str) -> None:
        """Change what a person wrote."""
        message = self._message(channel, ts)
        before = self.world.as_slack(message)
        message.text = text.replace("@nod", f"<@{BOT_USER}>")
        message.blocks, message.edited = [_rich_text(message.text)], {"user": message.user, "ts": self.world.new_ts()}
        self.world.remember(message, "edited")
        tell_changed(self.world, message, before)

    def deletes(self, channel: str, ts: str) -> None:
        """Take a message away, the person's own or (as an admin) the bot's."""
        message = self._message(channel, ts)
        before = self.world.as_slack(message)
        message.deleted = True
        self.world.remember(message, "deleted")
        tell_deleted(self.world, message, before)

    def unfurls(self, channel: str, ts: str) -> None:
        """Slack adds the preview of a link: message_changed, but nobody edited."""
        message = self._message(channel, ts)
        before = self.world.as_slack(message)
        message.attachments = [{"from_url": "https://example.com", "title": "Example", "id": 1}]
        tell_changed(self.world, message, before)

    def uploads(self, name: str, content: bytes, mimetype: str, user: str) -> Json:
        """A file, ready to go with a message."""
        return new_file(self.world, name, content, mimetype, user)

    def reacts(self, channel: str, ts: str, name: str, user: str) -> None:
        """Put an emoji under a message."""
        react(self.world, self._message(channel, ts), name, user)

    def unreacts(self, channel: str, ts: str, name: str, user: str) -> None:
        """Take the emoji away again."""
        unreact(self.world, self._message(channel, ts), name, user)

    def joins(self, channel: str, user: str) -> None:
        """Come into a channel; `U0NOD` is the bot being invited."""
        place = self.world.channel(channel)
        if user == BOT_USER:
            place.bot_in = True
        elif user not in place.members:
            place.members.append(user)
        event = {
            "type": "member_joined_channel",
            "user": user,
            "channel": channel,
            "channel_type": "C" if place.kind == "channel" else "G",
            "team": TEAM,
        }
        self.world.emit("member_joined_channel", event | {"inviter": "U1", "event_ts": self.world.new_ts()}, None)

    def leaves(self, channel: str, user: str) -> None:
        """Leave a channel, or be removed from it."""
        place = self.world.channel(channel)
        place.members.remove(user)
        event = {"type": "member_left_channel", "user": user, "channel": channel, "channel_type": "C" if place.kind == "channel" else "G"}
        self.world.emit("member_left_channel", event | {"team": TEAM, "event_ts": self.world.new_ts()}, None)

    def opens_home(self, user: str, tab: str) -> None:
        """Look at the app's home, or its messages tab."""
        event: Json = {
            "type": "app_home_opened",
            "user": user,
            "channel": self.world.direct(user).id,
            "tab": tab,
            "event_ts": self.world.new_ts(),
        }
        if tab == "home" and (view := self.world.homes.get(user)):
            event["view"] = public_view(view)
        self.world.emit("app_home_opened", event, None)

    def stops(self, channel: str, thread: str, user: str) -> None:
        """Press Slack's own stop button in a thread: its streams end, and the app is told."""
        stopped: list[str] = []
        for message in self.world.thread(channel, thread):
            if message.streaming and message.stream:
                message.stream.state = "stopped_by_user"
                self.world.remember(message, "stopped_by_user")
                stopped.append(message.ts)
        event = {"type": "agent_session_stopped", "channel": channel, "thread_ts": thread, "user": user, "streaming_message_ts": stopped}
        self.world.emit("agent_session_stopped", event | {"event_ts": self.world.new_ts()}, thread)

    # pressing

    def presses(self, user: str, action_id: str | None, value: str | None, channel: str = "", ts: str = "", view_id: str = "") -> Delivery:
        """Use a button or menu of a message, an ephemeral message or a view."""
        action: Json
        payload: Json = {"type": "block_actions", **self._who(user), "state": {"values": {}}}
        if view_id:
            view = self.world.views[view_id]
            action = _action(view["blocks"], action_id, value)
            payload |= {"container": {"type": "view", "view_id": view_id}, "view": public_view(view)}
        else:
            seen = next(
                (each for each in self.world.ephemerals if each["channel"] == channel and each["ts"] == ts and each["user"] == user), None
            )
            message = None if seen else self._message(channel, ts)
            blocks = seen["blocks"] if seen else [*(message.stream.blocks if message.stream else []), *message.blocks] if message else []
            action = _action(blocks, action_id, value)
            container: Json = {"type": "message", "message_ts": ts, "channel_id": channel, "is_ephemeral": bool(seen)}
            if thread := seen["thread"] if seen else message.thread_ts if message else None:
                container["thread_ts"] = thread
            payload |= {"container": container, "channel": {"id": channel, "name": self.world.channels[channel].name}}
            payload["response_url"] = self.world.new_hook(
                channel=channel, user=user, ts=ts, ephemeral=bool(seen), thread=container.get("thread_ts")
            )
            if message:
                payload["message"] = self.world.as_slack(message, metadata=True)
        action["action_ts"] = self.world.new_ts()
        return self._send("interactive", "block_actions", payload | {"actions": [action]}, ts or None)

    def shortcut(self, callback_id: str, user: str, channel: str | None = None, ts: str | None = None) -> Delivery:
        """Use a message shortcut, or without a message a global one."""
        payload: Json = {"type": "shortcut", **self._who(user), "callback_id": callback_id, "action_ts": self.world.new_ts()}
        if channel and ts:
            message = self._message(channel, ts)
            payload |= {"type": "message_action", "message_ts": ts, "message": self.world.as_slack(message, metadata=True)}
            payload |= {"channel": {"id": channel, "name": self.world.channels[channel].name}}
            payload["response_url"] = self.world.new_hook(channel=channel, user=user, ts=None, ephemeral=True, thread=None)
        return self._send("interactive", payload["type"], payload, ts)

    def commands(self, command: str, text: str, user: str, channel: str) -> Json:
        """Give a slash command; the answers to it gather under its id."""
        place = self._place(channel, user) if not channel.startswith("D") else self.world.direct(user)
        hook = self.world.new_hook(channel=place.id, user=user, ts=None, ephemeral=True, thread=None)
        name = "directmessage" if place.kind == "im" else "privategroup" if place.kind == "group" else place.name
        payload: Json = {"token": "verification", "team_id": TEAM, "team_domain": TEAM_DOMAIN, "channel_id": place.id, "channel_name": name}
        payload |= {"user_id": user, "user_name": self.world.users[user]["name"], "command": command, "text": text, "api_app_id": APP_ID}
        payload |= {"is_enterprise_install": "false", "response_url": hook, "trigger_id": self.world.new_trigger(user)}
        delivery = self._send("slash_commands", command, payload)
        entry = {"id": delivery.id, "command": command, "text": text, "channel": place.id, "user": user, "hook": hook.rpartition("/")[2]}
        entry |= {"trigger_id": payload["trigger_id"], "at": time.time(), "mono": time.monotonic()}
        self.world.commands[delivery.id] = entry
        return entry

    def submits(self, view_id: str, values: Json) -> Delivery:
        """Fill in and send a modal; what the app acknowledges with happens to the view."""
        view = self.world.views[view_id]
        if not view["open"]:
            raise Refusal("view_is_closed", view_id)
        view["state"] = {"values": _state(view["blocks"], values)}
        payload = {"type": "view_submission", **self._who(view["user"]), "view": public_view(view), "response_urls": []}
        delivery = self._send("interactive", "view_submission", payload)
        self.socket.spawn(self._after_submission(view, delivery))
        return delivery

    async def _after_submission(self, view: Json, delivery: Delivery) -> None:
        await delivery.done.wait()
        if delivery.state != "acked":
            return
        try:
            answer_submission(self.world, view, delivery.response)
        except Refusal as wrong:
            delivery.state, delivery.why = "failed", f"{wrong.error}: {wrong.more}"

    def closes(self, view_id: str) -> None:
        """Close a modal without sending it."""
        view = self.world.views[view_id]
        view["open"] = False
        if view.get("notify_on_close"):
            self._send(
                "interactive",
                "view_closed",
                {"type": "view_closed", **self._who(view["user"]), "view": public_view(view), "is_cleared": False},
            )

    # what all of it needs

    def _place(self, channel: str, user: str) -> Channel:
        if user not in self.world.users:
            self.world.user(user)
        if channel.startswith("D") and channel not in self.world.channels:
            return self.world.direct(channel.removeprefix("D"))
        place = self.world.channels.get(channel) or self.world.channel(channel)
        if user not in place.members:
            place.members.append(user)
        return place

    def _message(self, channel: str, ts: str | None) -> Message:
        message = self.world.find(channel, ts or "")
        if message is None or message.deleted:
            raise Refusal("no_such_message", f"{channel} {ts}")
        return message

    def _who(self, user: str) -> Json:
        known = self.world.users[user]
        who: Json = {"user": {"id": user, "username": known["name"], "name": known["name"], "team_id": TEAM}, "api_app_id": APP_ID}
        who |= {"token": "verification", "team": {"id": TEAM, "domain": TEAM_DOMAIN}, "enterprise": None, "is_enterprise_install": False}
        return who | {"trigger_id": self.world.new_trigger(user)}

    def _send(self, kind: str, name: str, payload: Json, ts: str | None = None) -> Delivery:
        return self.socket.send(Delivery(self.world.new_id("In"), kind, name, payload, ts))


def _rich_text(text: str) -> Json:
    mention = f"<@{BOT_USER}>"
    parts: list[Json] = []
    for number, each in enumerate(text.split(mention)):
        if number:
            parts.append({"type": "user", "user_id": BOT_USER})
        if each:
            parts.append({"type": "text", "text": each})
    return {"type": "rich_text", "block_id": uuid.uuid4().hex[:5], "elements": [{"type": "rich_text_section", "elements": parts}]}


def _action(blocks: list[Json], action_id: str | None, value: str | None) -> Json:
    """What Slack sends for the one element that the person used; it must be there to be used."""
    for block in blocks:
        for element in [*block.get("elements", []), block.get("accessory"), block.get("element")]:
            if isinstance(element, dict) and (action := _used(element, action_id, value)):
                return {"block_id": block.get("block_id", "b1"), **action}
    raise Refusal("nothing_to_press", f"action_id={action_id} value={value}")


def _used(element: Json, action_id: str | None, value: str | None) -> Json | None:
    kind = element.get("type", "")
    if action_id is not None and element.get("action_id") != action_id:
        return None
    base = {"type": kind, "action_id": element.get("action_id", "auto")}
    if kind == "feedback_buttons":
        for side in ("positive_button", "negative_button"):
            if value in (None, element[side]["value"]):
                return {**base, "text": element[side]["text"], "value": element[side]["value"]}
        return None
    if kind in ("button", "icon_button"):
        return {**base, "text": element["text"], "value": element.get("value", "")} if value in (None, element.get("value")) else None
    if "options" in element:
        picked = [each for each in element["options"] if each["value"] in (value or "").split(",")]
        many = kind.startswith("multi_") or kind == "checkboxes"
        return {**base, **({"selected_options": picked} if many else {"selected_option": picked[0]})} if picked or many else None
    if kind.endswith("_select"):
        return {**base, f"selected_{kind.removesuffix('_select').removesuffix('s')}": value}
    return {**base, "value": value} if action_id is not None else None


def _state(blocks: list[Json], values: Json) -> Json:
    """The values by block and action; a plain `{action_id: text}` is enough to fill in the form."""
    state: Json = {}
    for number, block in enumerate(blocks):
        element = block.get("element")
        if block["type"] != "input" or not element:
            continue
        action_id, block_id = element.get("action_id", "auto"), block.get("block_id", f"b{number}")
        given = values.get(action_id, values.get(block_id))
        if given is None and not block.get("optional"):
            raise Refusal("missing_value", action_id)
        state.setdefault(block_id, {})[action_id] = given if isinstance(given, dict) else _filled(element, given)
    return state


def _filled(element: Json, given: Any) -> Json:
    if "options" not in element:
        return {"type": element["type"], "value": given}
    picked = [each for each in element["options"] if each["value"] in (given if isinstance(given, list) else [given])]
    if element["type"] in ("checkboxes", "multi_static_select"):
        return {"type": element["type"], "selected_options": picked}
    return {"type": element["type"], "selected_option": picked[0] if picked else None}
