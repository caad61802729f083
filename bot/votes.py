"""A thumb becomes a vote: reactions under all their names and skin tones, and buttons."""

import re
from datetime import datetime

from nod.contracts import Person, Vote, VoteValue

_UP = frozenset({"+1", "thumbsup", "thumbs_up", "thumbsup_all", "👍"})
_DOWN = frozenset({"-1", "thumbsdown", "thumbs_down", "👎"})
_DECORATION = re.compile("::skin-tone-[1-6]|[\U0001f3fb-\U0001f3ff\ufe0e\ufe0f:\\s]")


def value_of(token: str) -> VoteValue | None:
    """Return what a reaction says (`+1::skin-tone-4`, `👍🏽`, `:thumbsup:`); None for one that is no vote."""
    name = _DECORATION.sub("", token)
    if name in _UP:
        return "up"
    return "down" if name in _DOWN else None


def reaction_vote(person: Person, token: str, *, is_set: bool, channel: str, message_id: str, at: datetime, event_id: str) -> Vote | None:  # noqa: PLR0913  # one argument per fact of a reaction
    """Return the vote of a reaction that was added or taken away; None for one that is no vote.

    The raw token stays the signal's key: two skin tones of one person stand beside each other until both are taken back.
    """
    value = value_of(token)
    if value is None:
        return None
    return Vote(
        event_id=event_id, person=person, kind="set" if is_set else "unset", value=value, source="reaction", token=token, at=at,
        channel=channel, message_id=message_id,
    )  # fmt: skip
