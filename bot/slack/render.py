"""How things look in Slack: Markdown blocks, the foot below an answer, the dialog for reasons. Decides no wording and calls nothing."""

import re
from typing import Any
from uuid import UUID

from bot.faces import PHRASES, source_line
from bot.harmless import BREAK, dead_links
from bot.platform import Face, Foot
from feedback.votes import REASONS
from nod.contracts import Answer, Source, VoteValue

VOTE, RETRY, DIALOG, ALONE = "nod_vote", "nod_retry", "nod_reasons", "nod_alone"  # ids of actions and of the dialog
TEACH, UNDO = "nod_teach", "nod_undo"  # the first of a button, a shortcut and a dialog
FALLBACK_BYTES = 3_000  # of the plain text that notifications and screen readers get beside the blocks

Block = dict[str, Any]

_MENTION = re.compile(r"<(?=@|#[A-Z]|![a-z])")  # not `<!--` or `<!DOCTYPE`
_UNDECIDED = re.compile(r"<[#!]?\Z")


def harmless(text: str, asked: str, *, is_final: bool) -> str:
    """Return a model's Markdown in which nothing mentions anybody, and only the asker's own addresses are links."""
    if not is_final:
        text = _UNDECIDED.sub("", text)
    return without_mentions(dead_links(text, asked, is_final=is_final))


def without_mentions(text: str) -> str:
    """Return Markdown that mentions nobody."""
    return _MENTION.sub(f"<{BREAK}", text)


def escaped(text: str) -> str:
    """Return plain text as Slack's mrkdwn shows it."""
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def blocks_from(face: Face, answer: Answer) -> list[Block]:
    """Return a message's blocks: the words, nod's own small line, the foot."""
    words: list[Block] = [{"type": "markdown", "text": face.text}] if face.text.strip() else []
    note: list[Block] = [_small(escaped(face.note))] if face.note else []
    return [*words, *note, *(foot_blocks(face.foot, answer) if face.foot else [])]


def foot_blocks(foot: Foot, answer: Answer) -> list[Block]:
    """Return what stands below an answer: sources, notices, the apology, buttons."""
    blocks: list[Block] = []
    if foot.sources:
        blocks.append(_small("\n".join(_source(source, answer.language) for source in foot.sources)[:2_900]))
    blocks += [_small(escaped(notice)) for notice in foot.notices]
    if foot.apology:
        blocks.append({"type": "section", "text": {"type": "mrkdwn", "text": escaped(foot.apology), "verbatim": True}})
    if foot.retry:
        blocks.append(_press(RETRY, answer.answer_id.hex, foot.retry, answer.language))
    if foot.can_teach:
        blocks.append(_press(TEACH, answer.answer_id.hex, "teach", answer.language))
    if foot.can_vote:
        blocks.append(_thumbs(answer))
    return blocks


def _press(action_id: str, value: str, label: str, language: str) -> Block:
    button = {"type": "button", "action_id": action_id, "value": value, "text": _plain(f"button.{label}", language)}
    return {"type": "actions", "elements": [button]}


def fallback_from(face: Face) -> str:
    """Return the plain text of a message, for notifications and where blocks are not shown."""
    foot = [face.foot.apology, *face.foot.notices] if face.foot else []
    text = "\n".join(part for part in (face.text, face.note, *foot) if part.strip()) or "…"
    return text.encode()[:FALLBACK_BYTES].decode(errors="ignore")


def plain_blocks(text: str) -> list[Block]:
    """Return blocks for a text of nod's own in Markdown (help, search results)."""
    return [{"type": "markdown", "text": text[:11_000]}]


def learnt_blocks(text: str, lesson_id: int | None, language: str) -> list[Block]:
    """Return blocks for what somebody is told who taught, with the way back."""
    undo = [_press(UNDO, str(lesson_id), "undo", language)] if lesson_id is not None else []
    return [*plain_blocks(without_mentions(text)), *undo]


def asked_from(name: str, question: str, language: str) -> tuple[str, list[Block]]:
    """Return text and blocks of the message which shows a question that was asked by a command."""
    head = f"*{escaped(PHRASES.say('asked', language, name=name))}*"
    quote = "\n".join(f"> {line}" for line in escaped(question)[:2_800].splitlines())
    text = {"type": "mrkdwn", "text": f"{head}\n{quote}", "verbatim": True}
    return f"{head}\n{quote}", [{"type": "section", "text": text}]


def offer_from(answer: Answer) -> tuple[str, list[Block]]:
    """Return text and blocks which tell the asker alone that there is an answer which this place may not be shown."""
    text = PHRASES.say("alone", answer.language)
    button = {"type": "button", "action_id": ALONE, "value": answer.answer_id.hex, "text": _plain("button.alone", answer.language)}
    said = {"type": "section", "text": {"type": "mrkdwn", "text": escaped(text), "verbatim": True}}
    return text, [said, {"type": "actions", "elements": [button]}]


def dialog_from(answer_id: UUID, language: str) -> dict[str, Any]:
    """Return the dialog that asks what was wrong with an answer."""
    options = [{"text": _plain(f"reason.{reason}", language), "value": reason} for reason in REASONS]
    reasons = {"type": "input", "block_id": "reasons", "optional": True, "label": _plain("vote.why", language),
               "element": {"type": "checkboxes", "action_id": "reasons", "options": options}}  # fmt: skip
    comment = {"type": "input", "block_id": "comment", "optional": True, "label": _plain("vote.comment", language),
               "hint": _plain("vote.comment_hint", language),
               "element": {"type": "plain_text_input", "action_id": "comment", "multiline": True, "max_length": 3000}}  # fmt: skip
    return {
        "type": "modal", "callback_id": DIALOG, "private_metadata": answer_id.hex, "title": _plain("vote.title", language),
        "submit": _plain("button.send", language), "close": _plain("button.close", language), "blocks": [reasons, comment],
    }  # fmt: skip


def teach_dialog(about: str, who: str, language: str, metadata: str) -> dict[str, Any]:
    """Return the dialog in which somebody teaches; `who` says who will see it."""
    title = {"type": "plain_text_input", "action_id": "about", "max_length": 150, **({"initial_value": about[:150]} if about else {})}
    text = {"type": "plain_text_input", "action_id": "text", "multiline": True, "max_length": 3000, "focus_on_load": True}
    blocks: list[Block] = [
        {"type": "input", "block_id": "about", "optional": True, "label": _plain("teach.about", language), "element": title},
        {"type": "input", "block_id": "text", "label": _plain("teach.text", language), "element": text},
        _small(escaped(who)),
    ]
    return {
        "type": "modal", "callback_id": TEACH, "private_metadata": metadata, "title": _plain("teach.title", language),
        "submit": _plain("button.send", language), "close": _plain("button.close", language), "blocks": blocks,
    }  # fmt: skip


def vote_value(value: VoteValue, answer: Answer) -> str:
    """Return what a thumb's button carries: the vote, the language of its dialog, the answer."""
    return f"{value}:{answer.language}:{answer.answer_id.hex}"


def _thumbs(answer: Answer) -> Block:
    def side(value: VoteValue, name: str) -> dict[str, Any]:
        label = PHRASES.say(f"button.{name}_label", answer.language)
        return {"text": _plain(f"button.{name}", answer.language), "value": vote_value(value, answer), "accessibility_label": label}

    buttons = {"type": "feedback_buttons", "action_id": VOTE, "positive_button": side("up", "good"), "negative_button": side("down", "bad")}
    return {"type": "context_actions", "elements": [buttons]}


def _source(source: Source, language: str) -> str:
    line = escaped(source_line(source, language))
    is_link = source.url and re.match(r"https?://[^\s|<>]+$", source.url)
    return f"[{source.n}] <{source.url}|{line}>" if is_link else f"[{source.n}] {line}"


def _small(text: str) -> Block:
    return {"type": "context", "elements": [{"type": "mrkdwn", "text": text, "verbatim": True}]}


def _plain(key: str, language: str) -> dict[str, Any]:
    return {"type": "plain_text", "text": PHRASES.say(key, language), "emoji": True}
