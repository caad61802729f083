"""A worker gives the page and the chats, which hold no key, the vectors of what is searched there."""

from collections.abc import AsyncIterator

import httpx
import pytest

from bot.commands import asker_from, given_from, reply_to
from bot.web.app import app_from
from nod.contracts import Place
from nod.embeddings import embeddings
from nod.process import Services, running
from nod.settings import Settings
from tests.asked import JISU, unknown
from tests.fakes.model import FakeModel
from tests.web.visitors import arrive
from tests.workers.desk import Desk, until

SMALL = "openai:text-embedding-3-small"
TRAVEL = "# Travel\n\nReimbursements for business travel are paid at the end of each month.\n"
MISSPELT = "reimbursmnts for buziness travl"  # no word of it stands in the passage


@pytest.fixture
async def web(settings: Settings) -> AsyncIterator[Services]:
    """A process without keys."""
    async with running("web", settings.model_copy(update={"embedding_model": SMALL})) as services:
        yield services


async def page(web: Services, language: str) -> str:
    transport = httpx.ASGITransport(app=app_from(web))
    async with httpx.AsyncClient(transport=transport, base_url="http://127.0.0.1:8130") as http:
        visitor = await arrive(web, http, "member", "Kim")
        return (await visitor.get(f"/knowledge/try?whole=true&q={MISSPELT}", **{"Accept-Language": language})).text


async def command(web: Services) -> str:
    asker = asker_from(JISU, Place(platform="slack", workspace="T1", channel="C1"), "search travel", "en")
    return await reply_to(web, given_from(f"search {MISSPELT}"), asker, lambda word: f"/nod {word}", unknown)


async def test_the_page_and_commands_find_by_meaning_while_a_worker_lives_and_say_when_none_does(
    model_desk: Desk, agent: FakeModel, web: Services
) -> None:
    await model_desk.holds("travel.md", TRAVEL)
    async with model_desk.open(embedding_model=SMALL):

        async def is_whole() -> bool:
            return any(one.is_current and not one.waiting for one in await embeddings(web.engine))

        await until(is_whole, 15.0, "vectors")
        shown = await page(web, "en")
        assert "words&nbsp;– + pairs&nbsp;– + title&nbsp;– + meaning&nbsp;0.30" in shown
        assert "By words alone" not in shown
        assert "business travel are paid" in await command(web)
        assert agent.embedded[-1] == [MISSPELT]
    assert "낱말로만 찾았어요. 제때 응답한 워커가 없어요." in await page(web, "ko")
    said = await command(web)
    assert "I found nothing" in said
    assert said.endswith("By words alone: no worker answered in time.")
