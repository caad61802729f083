"""Greetings, thanks and questions for nod itself ("what can you do?"): whole messages that need neither documents nor a model.

The messages are in small_talk.toml. A question that only begins like one is a question.
"""

import re
import tomllib
from pathlib import Path

from knowledge.documents import first_headings
from workers.attempt import Attempt
from workers.quotes import PHRASES

_LISTS = tomllib.loads(Path(__file__).with_name("small_talk.toml").read_text("utf-8"))
_KINDS = ("about", "thanks", "greeting")  # of two kinds in one message the first of these is answered
_MOST_CHARACTERS = 60
_SIGNS = re.compile(r"[\W_]+")
_EXAMPLES = 2


def _bare(text: str) -> str:
    return _SIGNS.sub("", text.casefold())


def _any_of(name: str) -> str:
    messages = re.split(r"[|\n]", _LISTS[name].strip())
    return "|".join(sorted(map(_bare, messages), key=len, reverse=True))


_SMALL_TALK = re.compile(f"(?:{'|'.join(f'(?P<{kind}>{_any_of(kind)})' for kind in _KINDS)}|{_any_of('beside')})+")


def kind_of(message: str) -> str:
    """Return which small talk a message is as a whole, `about` (nod), `thanks` or `greeting`; "" when it is none."""
    said = _SMALL_TALK.fullmatch(_bare(message)) if len(message) <= _MOST_CHARACTERS else None
    return next((kind for kind in _KINDS if said and said[kind]), "")


async def replied(attempt: Attempt) -> str:
    """Return the reply to a message that is small talk, as Markdown; "" when it is none."""
    task = attempt.task
    kind = "" if task.files else kind_of(task.text)
    if kind != "about":
        return PHRASES.say(f"small_talk.{kind}", task.language) if kind else ""
    headings = await first_headings(attempt.reach.record.engine, await attempt.scopes(), _EXAMPLES)
    asked = [PHRASES.say("small_talk.example", task.language, title=title, heading=heading) for title, heading in headings]
    examples = "\n".join(f"- {example}" for example in asked or [PHRASES.say("small_talk.example_first", task.language)])
    more = PHRASES.say(f"small_talk.more_{task.place.platform}", task.language)
    return PHRASES.say("small_talk.about", task.language, examples=examples, more=more)
