"""Discord's forms: what a message, a modal or a command may hold, and the refusal each mistake gets.

Figures from Discord's documentation of August 2026. Two rules are stricter than Discord itself, on purpose: a field that
Discord would ignore is refused, and a flag that it would drop is refused, because both are a mistake of the sender.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

Json = dict[str, Any]

EPHEMERAL, HAS_THREAD, LOADING, SUPPRESS_EMBEDS = 1 << 6, 1 << 5, 1 << 7, 1 << 2
SILENT, VOICE, COMPONENTS_V2 = 1 << 12, 1 << 13, 1 << 15

CONTENT = 2000
FILE_BYTES = 10 * 1024 * 1024
REQUEST_BYTES = 25 * 1024 * 1024

SEND_FIELDS = frozenset(
    {"content", "nonce", "enforce_nonce", "tts", "embeds", "allowed_mentions", "message_reference", "components", "attachments", "flags"}
)
EDIT_FIELDS = frozenset({"content", "embeds", "flags", "allowed_mentions", "components", "attachments", "tts"})
WEBHOOK_FIELDS = frozenset({"content", "username", "avatar_url", "tts", "embeds", "allowed_mentions", "components", "attachments", "flags"})
CALLBACK_FIELDS = frozenset({"content", "tts", "embeds", "allowed_mentions", "components", "attachments", "flags"})


class Refusal(Exception):  # noqa: N818 - an answer that Discord gives, not an error of ours
    """An answer other than 2xx: HTTP status, Discord's code and sentence, and for forms where the mistake is."""

    def __init__(self, status: int, code: int, message: str, errors: Json | None = None, headers: Mapping[str, str] | None = None) -> None:
        super().__init__(message)
        self.status, self.code, self.message, self.errors, self.headers = status, code, message, errors, dict(headers or {})
        self.extra: Json = {}

    @property
    def body(self) -> Json:
        """The JSON body of the answer."""
        told: Json = {"message": self.message, "code": self.code, **self.extra}
        return told if self.errors is None else told | {"errors": self.errors}


def unauthorized() -> Refusal:
    """401 for a missing or wrong token."""
    return Refusal(401, 0, "401: Unauthorized")


def unknown(what: str) -> Refusal:
    """404 with the code for a thing that is not there."""
    codes = {
        "Channel": 10003, "Guild": 10004, "Member": 10007, "Message": 10008, "User": 10013, "Emoji": 10014, "Webhook": 10015,
        "interaction": 10062, "application command": 10063,
    }  # fmt: skip
    return Refusal(400 if what == "Emoji" else 404, codes[what], f"Unknown {what}")


@dataclass(slots=True)
class Form:
    """Collects mistakes by their path in the body, and refuses once with all of them (50035)."""

    errors: Json = field(default_factory=dict)

    def wrong(self, path: Sequence[str | int], code: str, message: str) -> None:
        """Note one mistake."""
        at = self.errors
        for step in path:
            at = at.setdefault(str(step), {})
        at.setdefault("_errors", []).append({"code": code, "message": message})

    def refuse(self) -> None:
        """Raise when there was a mistake."""
        if self.errors:
            raise Refusal(400, 50035, "Invalid Form Body", self.errors)

    def text(self, value: Any, path: Sequence[str | int], most: int, least: int = 0, required: bool = False) -> None:
        """A string of `least` to `most` characters."""
        if value is None:
            if required:
                self.wrong(path, "BASE_TYPE_REQUIRED", "This field is required")
        elif not isinstance(value, str):
            self.wrong(path, "STRING_TYPE_CONVERT", f"Could not interpret {value!r} as string.")
        elif not least <= len(value) <= most:
            if least and most:
                self.wrong(path, "BASE_TYPE_BAD_LENGTH", f"Must be between {least} and {most} in length.")
            else:
                self.wrong(path, "BASE_TYPE_MAX_LENGTH", f"Must be {most} or fewer in length.")

    def number(self, value: Any, path: Sequence[str | int], least: int, most: int) -> None:
        """An integer between the bounds."""
        if value is None:
            return
        if isinstance(value, bool) or not isinstance(value, int):
            self.wrong(path, "NUMBER_TYPE_COERCE", f'Value "{value}" is not int.')
        elif value < least:
            self.wrong(path, "NUMBER_TYPE_MIN", f"int value should be greater than or equal to {least}.")
        elif value > most:
            self.wrong(path, "NUMBER_TYPE_MAX", f"int value should be less than or equal to {most}.")

    def items(self, value: Any, path: Sequence[str | int], most: int, least: int = 0) -> list[Any]:
        """A list of `least` to `most` items; an empty one when it is no list."""
        if value is None and not least:
            return []
        if not isinstance(value, list):
            self.wrong(path, "LIST_TYPE_CONVERT" if value is not None else "BASE_TYPE_REQUIRED", "Only iterables may be used in a ListType")
            return []
        if not least <= len(value) <= most:
            self.wrong(path, "BASE_TYPE_BAD_LENGTH" if least else "BASE_TYPE_MAX_LENGTH", f"Must be {most} or fewer in length.")
        return value

    def only(self, value: Mapping[str, Any], allowed: Iterable[str], path: Sequence[str | int] = ()) -> None:
        """No field but these."""
        for name in sorted(set(value) - set(allowed)):
            self.wrong([*path, name], "UNKNOWN_FIELD", f"The field {name!r} is not known here (Discord ignores it in silence).")


def need_object(body: Any) -> Json:
    """The body, which must be a JSON object."""
    if not isinstance(body, dict):
        raise Refusal(
            400, 50035, "Invalid Form Body", {"_errors": [{"code": "DICT_TYPE_CONVERT", "message": "Only dictionaries may be used."}]}
        )
    return body


# ----------------------------------------------------------------------------------------------------------- messages


def check_message(body: Json, fields: frozenset[str], flags_allowed: int, path: tuple[str, ...] = ()) -> None:
    """Refuse what Discord would refuse in the form of a message, whoever sends it (emptiness is judged later)."""
    form = Form()
    form.only(body, fields, path)
    form.text(body.get("content"), (*path, "content"), CONTENT)
    check_nonce(form, body.get("nonce"), (*path, "nonce"))
    flags = body.get("flags") or 0
    form.number(flags, (*path, "flags"), 0, (1 << 31) - 1)
    if isinstance(flags, int) and flags & ~flags_allowed:
        form.wrong((*path, "flags"), "INVALID_FLAGS", f"These flags cannot be set here: {flags & ~flags_allowed}")
    check_embeds(form, body.get("embeds"), (*path, "embeds"))
    check_mentions(form, body.get("allowed_mentions"), (*path, "allowed_mentions"))
    form.refuse()


def check_nonce(form: Form, nonce: Any, path: tuple[str, ...]) -> None:
    """A string or integer of at most 25 characters."""
    if nonce is not None and (isinstance(nonce, bool) or not isinstance(nonce, str | int) or len(str(nonce)) > 25):
        form.wrong(path, "BASE_TYPE_MAX_LENGTH", "Must be 25 or fewer in length.")


def check_embeds(form: Form, embeds: Any, path: tuple[str, ...]) -> None:
    """Ten embeds, 6,000 characters together."""
    total = 0
    for index, embed in enumerate(form.items(embeds, path, 10)):
        here = (*path, index)
        if not isinstance(embed, dict):
            form.wrong(here, "DICT_TYPE_CONVERT", "Only dictionaries may be used.")
            continue
        footer, author = embed.get("footer") or {}, embed.get("author") or {}
        form.text(embed.get("title"), (*here, "title"), 256)
        form.text(embed.get("description"), (*here, "description"), 4096)
        form.text(footer.get("text"), (*here, "footer", "text"), 2048)
        form.text(author.get("name"), (*here, "author", "name"), 256)
        for name in ("url",):
            if (url := embed.get(name)) is not None and not str(url).startswith(("http://", "https://")):
                form.wrong((*here, name), "URL_TYPE_INVALID_SCHEME", 'Scheme must be one of ("http", "https").')
        parts = [embed.get("title"), embed.get("description"), footer.get("text"), author.get("name")]
        for place, item in enumerate(form.items(embed.get("fields"), (*here, "fields"), 25)):
            form.text(item.get("name"), (*here, "fields", place, "name"), 256, 1, required=True)
            form.text(item.get("value"), (*here, "fields", place, "value"), 1024, 1, required=True)
            parts += [item.get("name"), item.get("value")]
        if not any(parts) and not embed.get("image") and not embed.get("thumbnail"):
            form.wrong((*here, "description"), "BASE_TYPE_REQUIRED", "This field is required")
        total += sum(len(part) for part in parts if isinstance(part, str))
    if total > 6000:
        form.wrong(path, "MAX_EMBED_SIZE_EXCEEDED", "Embed size exceeds maximum size of 6000")


def check_mentions(form: Form, mentions: Any, path: tuple[str, ...]) -> None:
    """`allowed_mentions`: parse and lists exclude each other, at most 100 ids each."""
    if mentions is None:
        return
    if not isinstance(mentions, dict):
        form.wrong(path, "DICT_TYPE_CONVERT", "Only dictionaries may be used.")
        return
    form.only(mentions, {"parse", "users", "roles", "replied_user"}, path)
    parse = form.items(mentions.get("parse"), (*path, "parse"), 3)
    for index, kind in enumerate(parse):
        if kind not in ("users", "roles", "everyone"):
            form.wrong((*path, "parse", index), "BASE_TYPE_CHOICES", "Value must be one of ('everyone', 'roles', 'users').")
    for kind in ("users", "roles"):
        if form.items(mentions.get(kind), (*path, kind), 100) and kind in parse:
            form.wrong(path, "MESSAGE_ALLOWED_MENTIONS_PARSE_EXCLUSIVE", f'parse:["{kind}"] and {kind}: [ids...] are mutually exclusive.')
