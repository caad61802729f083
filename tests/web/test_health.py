"""What whoever watches over nod is told, and what people read while a server is away."""

from dataclasses import replace
from uuid import uuid4

import httpx
from pydantic import SecretStr

from bot.web.app import app_from
from nod.connect import engine_from
from nod.record import Record
from tests.web.conftest import BASE, Visits


async def test_strangers_learn_one_word_and_admins_every_part(visits):
    stranger, admin, reviewer = await visits(None), await visits("admin"), await visits("reviewer")
    assert (await stranger.get("/readyz")).json() == {"ready": False}
    assert (await reviewer.get("/readyz")).json() == {"ready": False}
    parts = (await admin.get("/readyz")).json()["parts"]
    assert parts["database"]["well"]
    assert not parts["worker"]["well"]


async def test_a_monitor_with_the_token_learns_every_part_too(services):
    known = services.settings.model_copy(update={"metrics_token": SecretStr("t0ken")})
    visitor = await Visits(app_from(replace(services, settings=known)), services)(None)
    assert "parts" in (await visitor.get("/readyz", Authorization="Bearer t0ken")).json()
    assert "parts" not in (await visitor.get("/readyz", Authorization="Bearer other")).json()
    await visitor.http.aclose()


async def test_it_is_ready_once_a_worker_runs(visits, services):
    async with services.engine.begin() as db:
        from sqlalchemy import text

        await db.execute(text("INSERT INTO processes (process_id, role, pid, host) VALUES (gen_random_uuid(), 'worker', 1, 'here')"))
    said = await (await visits(None)).get("/readyz")
    assert (said.status_code, said.json()) == (200, {"ready": True})


async def test_while_postgresql_is_away_everything_says_so_and_the_page_lives(services):
    away = engine_from("postgresql:///nod?host=/nonexistent")
    app = app_from(replace(services, engine=away, record=Record(away, "0" * 64)))
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app=app), base_url=BASE, cookies={"nod_session": "x"}) as http:
        assert (await http.get("/healthz")).status_code == 200
        ready = await http.get("/readyz")
        assert (ready.status_code, ready.json()) == (503, {"ready": False})
        page = await http.get("/chat", headers={"Accept-Language": "ko"})
        assert (page.status_code, "데이터베이스가 응답하지 않아요" in page.text) == (503, True)
        asked = await http.post(f"/chat/{uuid4()}/ask", data={"text": "x", "message_id": str(uuid4())})
        assert (asked.status_code, "<" in asked.text) == (503, False)
        assert asked.headers["retry-after"]
    await away.dispose()
