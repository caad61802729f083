"""How things look in Discord: content, the foot below an answer, buttons, the reasons, the dialog. Decides no wording and calls nothing."""

import re
from hashlib import blake2b
from typing import Any
from uuid import UUID

from bot.faces import PHRASES, source_line
from bot.harmless import BREAK, dead_links
from bot.platform import Face, Foot
from feedback.votes import REASONS
from nod.contracts import Answer, Source

Json = dict[str, Any]

CONTENT = 2_000  # characters of a message (discord-api-docs, resources/message.mdx)
FOOT = 320  # characters kept for what stands below the words, HEAD for what stands above those of a command
HEAD = 200
# Modes, by how a message is sent and edited: `post` a reply, `command` the first answer to a command, `further` one that only its giver
# sees, `told` a message in the channel when the token of a command is too old, `direct` (and `direct_more`) the same to its giver alone.
HEADED = ("command", "told", "direct")  # begin with who asked what
LIMITS = {mode: CONTENT - FOOT - 10 - HEAD * (mode in HEADED) for mode in ("post", "further", "direct_more", *HEADED)}

SUPPRESS_EMBEDS, EPHEMERAL = 1 << 2, 1 << 6
NOBODY: Json = {"parse": []}  # allowed_mentions: nothing that is written pings anybody, not even the one who is replied to
EMPTY = BREAK  # Discord takes no empty message

UP, DOWN, RETRY, STOP = "nod:up", "nod:down", "nod:retry", "nod:stop"
WHY, WRITE, RIGHT, ALONE = "nod:why", "nod:write", "nod:right", "nod:alone"
TEACH, LESSON, UNDO = "nod:teach", "nod:lesson", "nod:undo"
NO_ANSWER = UUID(int=0)  # of a dialog that no answer opened
FIELD, FIELD_ABOUT = "answer", "about"

_ROW, _BUTTON, _SELECT, _TEXT_INPUT, _LABEL = 1, 2, 3, 4, 18
_GREY = 2
_MARKUP = re.compile(r"<(?=[@#:/]|(?:a|t|id|tel|sms|mailto):|[\w.+-]+@)|@(?=everyone\b|here\b)")
_INVITE = re.compile(r"(?<=discord\.gg)(?=/)|(?<=discord\.com)(?=/invite)|(?<=discordapp\.com)(?=/invite)", re.IGNORECASE)
_SPECIAL = re.compile(r"([\\*_~`|>\[\]#])")
_ADDRESS = re.compile(r"(?<![<(])(https?://[^\s<>]+)")


def harmless(text: str, asked: str, *, is_final: bool) -> str:
    """Return a model's Markdown in which nothing is a mention, and only the asker's own addresses are links."""
    return without_markup(dead_links(text, asked, is_final=is_final))


def without_markup(text: str) -> str:
    """Return text without Discord's own markup: mentions, custom emoji, times, commands, invitations."""
    return _INVITE.sub(BREAK, _MARKUP.sub(lambda found: found[0] + BREAK, text))


def nonce(*what: object) -> str:
    """Return the nonce of a message: the same for the same thing, in 24 of the 25 characters that Discord takes."""
    return blake2b(":".join(str(part) for part in what).encode(), digest_size=12).hexdigest()


# ── messages ──


def message_from(face: Face, answer: Answer, head: str = "", *, is_growing: bool = False) -> Json:
    """Return what a message holds. Buttons are named each time, so that an edit takes old ones away; a growing one can be stopped."""
    buttons = _row(_button(STOP, "stop", answer, "⏹️")) if is_growing else _buttons(face.foot, answer) if face.foot else None
    return {
        "content": content_from(face, answer.language, head),
        "components": [buttons] if buttons else [],
        "allowed_mentions": NOBODY,
        "flags": SUPPRESS_EMBEDS,
    }


def plain_message(text: str) -> Json:
    """Return a message of nod's own."""
    return {"content": text[:CONTENT] or EMPTY, "allowed_mentions": NOBODY, "flags": SUPPRESS_EMBEDS}


def content_from(face: Face, language: str, head: str = "") -> str:
    """Return the words with what stands above and below them, never too long for one message."""
    words = "\n".join(part for part in (head, _closed(face.text)) if part)
    room = CONTENT - len(words) - 1
    below = _small(face.note) if face.note else ""
    if face.foot:
        below = _foot(face.foot, language, room)
    return ("\n".join(part for part in (words, below) if part) or EMPTY)[:CONTENT]


def head_from(name: str, question: str, language: str) -> str:
    """Return the line above the answer to a command: who asked what. Discord itself shows only which command it was."""
    asked = PHRASES.say("asked", language, name=_escaped(name[:40]))
    line = f"{asked} {_escaped(' '.join(question.split()))}"
    return _small(without_markup(dead_links(line if len(line) <= HEAD - 20 else f"{line[: HEAD - 21]}…", "")))[: HEAD - 1]


def command_text(text: str) -> str:
    """Return what a command answers, with addresses that Discord does not open for a preview: a sign-in link works only once."""
    return _ADDRESS.sub(r"<\1>", without_markup(text))


# ── the foot ──


def _foot(foot: Foot, language: str, room: int) -> str:
    """Return what stands below an answer; sources are told in fewer words when there is little room."""
    lines = [*(_small(notice) for notice in foot.notices), *([foot.apology] if foot.apology else [])]
    rest = room - sum(len(line) + 1 for line in lines)
    return "\n".join([*_sources(foot.sources, language, rest), *lines])


def _sources(sources: tuple[Source, ...], language: str, room: int) -> list[str]:
    ways = (
        [_small(_source(source, language, has_link=True)) for source in sources],
        [_small(_source(source, language, has_link=False)) for source in sources],
        [_small(" · ".join(_source(source, language, has_link=False, most=most) for source in sources)) for most in (40,)],
        [_small(" ".join(_source(source, language, has_link=False, most=14) for source in sources))],
    )
    if not sources:
        return []
    fitting = (lines for lines in ways if sum(len(line) + 1 for line in lines) <= room)
    return next(fitting, [_small(" ".join(f"[{source.n}]" for source in sources))[: max(room, 0)]])


def _source(source: Source, language: str, *, has_link: bool, most: int = 90) -> str:
    line = source_line(source, language)
    line = _escaped(line if len(line) <= most else f"{line[: most - 1]}…")
    is_link = has_link and source.url and re.match(r"https?://[^\s|<>()]+$", source.url)
    return f"[{source.n}] [{line}](<{source.url}>)" if is_link else f"[{source.n}] {without_markup(dead_links(line, ''))}"


def _small(text: str) -> str:
    return f"-# {text}"


def _closed(text: str) -> str:
    """Return text whose last code block is closed: what stands below is none of it."""
    return f"{text}\n```" if text.count("```") % 2 else text


def _escaped(text: str) -> str:
    return _SPECIAL.sub(r"\\\1", text)


# ── buttons and dialogs ──


def custom_id(name: str, answer_id: UUID, more: str = "") -> str:
    """Return the id of a component: it carries all that is needed after a restart."""
    return f"{name}:{answer_id.hex}{more and ':'}{more}"


def parsed(component_id: str) -> tuple[str, UUID, str]:
    """Return name, answer and the rest of a component's id. Raises ValueError for one that is not ours."""
    room, name, answer, *more = component_id.split(":")
    return f"{room}:{name}", UUID(answer), more[0] if more else ""


def _buttons(foot: Foot, answer: Answer) -> Json | None:
    shown: list[Json] = []
    if foot.can_vote:
        shown += [_button(UP, "good", answer, "👍"), _button(DOWN, "bad", answer, "👎")]
    if foot.retry:
        shown.append(_button(RETRY, foot.retry, answer, "🔁"))
    if foot.can_teach:
        shown.append(_button(TEACH, "teach", answer, "💡"))
    return _row(*shown) if shown else None


def _button(name: str, label: str, answer: Answer, emoji: str) -> Json:
    return {
        "type": _BUTTON, "style": _GREY, "custom_id": custom_id(name, answer.answer_id), "emoji": {"name": emoji},
        "label": PHRASES.say(f"button.{label}", answer.language),
    }  # fmt: skip


def offer_message(answer: Answer) -> Json:
    """Return what tells somebody, in a direct message, that what they asked in a channel has an answer which it may not be shown."""
    text = f"{head_from(answer.person.name, answer.question, answer.language)}\n{PHRASES.say('alone', answer.language)}"
    return {**plain_message(text), "components": [_row(_button(ALONE, "alone", answer, "👁️"))]}


def reasons_message(answer_id: UUID, language: str, chosen: tuple[str, ...] = ()) -> Json:
    """Return what somebody sees who pressed 👎: the seven reasons, and the way to write the right answer."""
    marks = "".join(str(REASONS.index(reason)) for reason in chosen)
    options = [{"label": PHRASES.say(f"reason.{reason}", language), "value": reason, "default": reason in chosen} for reason in REASONS]
    select = {
        "type": _SELECT, "custom_id": custom_id(WHY, answer_id), "placeholder": PHRASES.say("vote.why", language),
        "options": options, "min_values": 1, "max_values": len(options),
    }  # fmt: skip
    write = {
        "type": _BUTTON, "style": _GREY, "custom_id": custom_id(WRITE, answer_id, marks), "label": PHRASES.say("button.write", language),
    }  # fmt: skip
    text = PHRASES.say("vote.thanks_down" if chosen else "vote.title", language)
    return {**plain_message(text), "components": [_row(select), _row(write)]}


def reasons_from(marks: str) -> tuple[str, ...]:
    """Return the reasons which the id of a button or dialog carries."""
    return tuple(REASONS[int(mark)] for mark in marks if mark.isdecimal() and int(mark) < len(REASONS))


def dialog_from(answer_id: UUID, marks: str, language: str) -> Json:
    """Return the dialog in which somebody writes the right answer."""
    field = {"type": _TEXT_INPUT, "custom_id": FIELD, "style": 2, "max_length": 3_000, "required": True}
    label = {
        "type": _LABEL, "label": PHRASES.say("vote.comment", language), "description": PHRASES.say("vote.comment_hint", language),
        "component": field,
    }  # fmt: skip
    return {"custom_id": custom_id(RIGHT, answer_id, marks), "title": PHRASES.say("vote.title", language), "components": [label]}


def teach_dialog(answer_id: UUID, about: str, who: str, language: str) -> Json:
    """Return the dialog in which somebody teaches; `who` says who will see it."""
    title: Json = {"type": _TEXT_INPUT, "custom_id": FIELD_ABOUT, "style": 1, "max_length": 150, "required": False, "value": about[:150]}
    text: Json = {"type": _TEXT_INPUT, "custom_id": FIELD, "style": 2, "max_length": 4_000, "required": True}
    return {
        "custom_id": custom_id(LESSON, answer_id), "title": PHRASES.say("teach.title", language),
        "components": [
            {"type": _LABEL, "label": PHRASES.say("teach.about", language), "component": title},
            {"type": _LABEL, "label": PHRASES.say("teach.text", language), "description": who, "component": text},
        ],
    }  # fmt: skip


def learnt_message(text: str, lesson_id: int | None, language: str) -> Json:
    """Return what somebody is told who taught, alone, with the way back."""
    said = plain_message(command_text(text))
    undo_id = custom_id(UNDO, NO_ANSWER, str(lesson_id))
    undo = {"type": _BUTTON, "style": _GREY, "custom_id": undo_id, "label": PHRASES.say("button.undo", language)}
    return {**said, "flags": said["flags"] | EPHEMERAL, "components": [_row(undo)] if lesson_id is not None else []}


def _row(*components: Json) -> Json:
    return {"type": _ROW, "components": list(components)}
