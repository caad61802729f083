"""A thumb is a thumb under every name and in every skin tone; nothing else is a vote."""

from datetime import UTC, datetime

import pytest

from bot.votes import reaction_vote, value_of
from tests.asked import JISU


@pytest.mark.parametrize(
    "token", ["+1", "thumbsup", "thumbs_up", "+1::skin-tone-2", "+1::skin-tone-6", "👍", "👍🏽", "👍🏿\ufe0f", ":thumbsup:"]
)
def test_these_say_that_it_was_good(token: str) -> None:
    assert value_of(token) == "up"


@pytest.mark.parametrize("token", ["-1", "thumbsdown", "thumbs_down", "-1::skin-tone-5", "👎", "👎🏻", "👎\ufe0f"])
def test_these_say_that_it_was_bad(token: str) -> None:
    assert value_of(token) == "down"


@pytest.mark.parametrize("token", ["eyes", "❤️", "white_check_mark", "100", "좋아요", "", "+10", "🏽"])
def test_these_say_nothing(token: str) -> None:
    assert value_of(token) is None
    at = datetime.now(UTC)
    assert reaction_vote(JISU, token, is_set=True, channel="C1", message_id="1.0", at=at, event_id="e") is None


def test_taking_a_thumb_away_names_the_same_signal() -> None:
    at = datetime.now(UTC)
    kinds = [
        reaction_vote(JISU, "+1::skin-tone-3", is_set=is_set, channel="C1", message_id="1.0", at=at, event_id="e")
        for is_set in (True, False)
    ]
    assert [(vote.kind, vote.value, vote.token) for vote in kinds if vote] == [
        ("set", "up", "+1::skin-tone-3"), ("unset", "up", "+1::skin-tone-3"),
    ]  # fmt: skip
