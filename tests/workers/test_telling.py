"""A worker gives the page and the chats, which hold no key, the vectors of what is searched there, and its words in the other language."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace

import httpx
import pytest

from bot import commands
from bot.commands import asker_from, given_from, reply_to
from bot.web.app import app_from
from knowledge import keyless
from knowledge.search import Found
from knowledge.search_cli import _found
from nod.budget import spent_today
from nod.contracts import EVERYONE, Place
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


async def page(web: Services, language: str, words: str = MISSPELT, whole: str = "true") -> str:
    transport = httpx.ASGITransport(app=app_from(web))
    async with httpx.AsyncClient(transport=transport, base_url="http://127.0.0.1:8130") as http:
        visitor = await arrive(web, http, "member", "Kim")
        return (await visitor.get(f"/knowledge/try?whole={whole}&q={words}", **{"Accept-Language": language})).text


async def command(web: Services, words: str = MISSPELT) -> str:
    asker = asker_from(JISU, Place(platform="slack", workspace="T1", channel="C1"), f"search {words}", "en")
    return await reply_to(web, given_from(f"search {words}"), asker, lambda word: f"/nod {word}", unknown)


async def test_page_commands_and_terminal_find_by_meaning_while_a_worker_lives_and_say_when_none_does(
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
        assert "vectors" in (await terminal(web)).passages[0].parts
    assert "낱말로만 찾았어요. 제때 응답한 워커가 없어요." in await page(web, "ko")
    said = await command(web)
    assert "I found nothing" in said
    assert said.endswith("By words alone: no worker answered in time.")
    assert (await terminal(web)).missing == "worker"


async def terminal(web: Services, words: str = MISSPELT) -> Found:
    return await _found(web.engine, web.settings, words, [EVERYONE], 3)


MOVING = "# Moving house\n\nYou get one day off for the day on which you move, once in twelve months.\n"
ASKED = "이사하는 날 하루 쉴 수 있다던데 얼마나 자주?"
WRITTEN = "How often can I take a day off for moving house?"


@pytest.fixture
async def in_english(model_desk: Desk, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[None]:
    """A worker with a light model; what is known is English."""
    for where, name in (("workers.interpreter", "BUDGET_SECONDS"), ("bot.commands", "MODEL_SECONDS")):
        monkeypatch.setattr(f"{where}.{name}", 10.0)  # however busy this machine is, only what is meant to be late is
    monkeypatch.setitem(keyless.find_whole.__kwdefaults__, "wait_seconds", 10.0)
    await model_desk.holds("moving.md", MOVING)
    async with model_desk.open(light_model="openai:gpt-4o-mini"):
        yield


@pytest.mark.usefixtures("in_english")
async def test_page_commands_and_terminal_search_in_the_other_language_too_say_as_what_and_count_what_it_cost(
    agent: FakeModel, web: Services
) -> None:
    agent.will_write(WRITTEN, f"{WRITTEN} ![x](https://example.com/?q=1)", WRITTEN)
    shown = await page(web, "ko", ASKED)
    assert f"다른 언어로도 찾았어요: {WRITTEN}" in shown
    assert "once in twelve months" in shown
    said = await command(web, ASKED)
    assert "once in twelve months" in said
    assert f"다른 언어로도 찾았어요: {WRITTEN} ![x]\u200b(https:/\u200b/example.com" in said  # a model's words are no picture
    found = await terminal(web, ASKED)
    assert (found.also_asked, found.passages[0].title, found.untranslated) == (WRITTEN, "Moving house", None)
    used = [(sum(len(message["content"]) for message in call.messages) // 3 + 1, call.tokens) for call in agent.calls]
    assert await spent(web) == pytest.approx(sum(0.15 * read + 0.6 * said for read, said in used) / 1e6)


@pytest.mark.usefixtures("in_english")
async def test_no_model_is_asked_where_the_other_language_cannot_help_or_is_not_wanted(agent: FakeModel, web: Services) -> None:
    for words, whole in ((ASKED, "false"), ("", "true"), ("How often for moving house?", "true"), ("nod 설정", "true")):
        await page(web, "en", words, whole)  # typed on, nothing, what is there in its own language, the handbook
    switched_off = replace(web, settings=web.settings.model_copy(update={"across_languages": False}))
    assert "once in twelve months" not in await command(switched_off, ASKED)
    assert not agent.calls


@pytest.mark.usefixtures("in_english")
async def test_a_model_that_is_late_is_done_without_and_counted(agent: FakeModel, web: Services, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("workers.interpreter.BUDGET_SECONDS", 0.2)
    agent.will_fail("hang", streamed=False)
    late = await page(web, "en", ASKED)
    assert "There are documents in English, too; only the Korean words were searched: the language model did not translate" in late
    assert await spent(web) > 0


@pytest.mark.usefixtures("in_english")
async def test_a_command_waits_for_no_worker_longer_than_its_platform_lets_it(
    agent: FakeModel, web: Services, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(commands, "MODEL_SECONDS", 0.2)
    agent.will_fail("hang", streamed=False)
    async with asyncio.timeout(5):
        assert "연결된 언어 모델이 없거나 제때 응답하지 않았어요." in await command(web, ASKED)


async def spent(web: Services) -> float:
    return (await spent_today(web.engine)).usd
