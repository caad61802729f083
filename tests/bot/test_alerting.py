"""Admins are told of the daily limit once a day, privately, on the platform that NOD_ADMINS names; and nod says so only when it is so."""

import contextlib
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, replace
from uuid import uuid4

import pytest
from sqlalchemy import text

from bot.alerting import tell_admins
from bot.platform import ChatPlatform
from nod.budget import spent_today
from nod.contracts import Outcome, Provenance
from nod.process import Services
from tests.asked import asks
from tests.fakes.discord_fake import FakeDiscord
from tests.fakes.slack import FakeSlack
from tests.platforms import discord_platform, slack_platform


@dataclass(frozen=True, slots=True)
class Room:
    """One platform, its admin's id, and what that admin was told in private. `refuses` makes the next message fail."""

    platform: ChatPlatform
    admin: str
    told: Callable[[], list[str]]
    refuses: Callable[[], object]


@contextlib.asynccontextmanager
async def slack(services: Services) -> AsyncIterator[Room]:
    with FakeSlack() as fake:
        async with slack_platform(services, fake) as platform:
            channel = fake.direct_channel("U1")
            yield Room(
                platform, "U1",
                lambda: [message.shown for message in fake.messages(channel)],
                lambda: fake.fault("chat.postMessage", "429", retry_after=1),
            )  # fmt: skip


@contextlib.asynccontextmanager
async def in_discord(services: Services) -> AsyncIterator[Room]:
    with FakeDiscord() as fake:
        async with discord_platform(services, fake) as platform:
            yield Room(
                platform, fake.user("mina"),
                lambda: [call["args"]["content"] for call in fake.calls("message.create") if call["status"] == 200],
                lambda: fake.fault("message.create", "error", status=403, code=50007),
            )  # fmt: skip


async def costs(services: Services, usd: float) -> None:
    """Let an answer have cost so much."""
    accepted = await services.record.accept(asks("얼마?", thread=uuid4().hex))
    async with services.engine.begin() as db:
        await db.execute(text("UPDATE answers SET status = 'running', attempt = 1 WHERE answer_id = :id"), {"id": accepted.answer_id})
    outcome = Outcome(status="answered", text="이만큼", provenance=Provenance(cost_usd=usd))
    assert await services.record.finish(accepted.answer_id, 1, outcome)


def with_admin(services: Services, *admins: str, language: str = "ko") -> Services:
    return replace(services, settings=services.settings.model_copy(update={"admins": admins, "language": language, "daily_limit_usd": 5.0}))


@pytest.mark.parametrize(
    ("opened", "language", "near", "reached"),
    [
        (slack, "ko", "$5.00 가운데 $4.00를 썼어요", "$5.00를 다 썼어요"),
        (in_discord, "en", "has spent $4.00 of today's $5.00", "Today's $5.00 for nod's model is used up"),
    ],
)
async def test_the_admin_is_told_near_the_limit_and_at_it_once_each(services, opened, language, near, reached):
    async with opened(services) as room:
        here = with_admin(services, f"{room.platform.name}:{room.admin}", language=language)
        await costs(services, 3.9)
        await tell_admins(here, room.platform)
        assert room.told() == []
        await costs(services, 0.1)
        await tell_admins(with_admin(services), room.platform)
        await tell_admins(with_admin(services, "cli:1"), room.platform)
        assert room.told() == []  # nobody is an admin here
        await tell_admins(here, room.platform)
        await tell_admins(here, room.platform)
        [told] = room.told()
        assert near in told
        assert not (await spent_today(services.engine)).is_told  # that it is used up
        await costs(services, 1.5)
        await tell_admins(here, room.platform)
        await tell_admins(here, room.platform)
        assert len(room.told()) == 2
        assert reached in room.told()[1]
        assert (await spent_today(services.engine)).is_told


@pytest.mark.parametrize("opened", [slack, in_discord])
async def test_whom_nobody_could_reach_counts_as_not_told_and_is_tried_again_later(services, opened):
    async with opened(services) as room:
        here = with_admin(services, f"{room.platform.name}:{room.admin}")
        await costs(services, 6.0)
        room.refuses()
        await tell_admins(here, room.platform)
        await tell_admins(here, room.platform)
        assert room.told() == []
        assert not (await spent_today(services.engine)).is_told
        async with services.engine.begin() as db:
            await db.execute(text("UPDATE budget_alerts SET begun_at = begun_at - interval '11 minutes'"))
        await tell_admins(here, room.platform)
        assert len(room.told()) == 1
        assert (await spent_today(services.engine)).is_told
