"""The page of what was given up: admins see it, ask one anew, or close it."""

import pytest
from sqlalchemy import text

from nod.dead import letters


async def test_an_admin_sees_what_was_given_up_and_why(visits):
    admin = await visits("admin")
    assert "Nothing was given up." in (await admin.get("/dead")).text
    await (await visits("member")).given_up("What <b>breaks</b> you?")
    page = (await admin.get("/dead")).text
    assert "What &lt;b&gt;breaks&lt;/b&gt; you?" in page
    assert "ValueError" in page
    assert "포기한 질문" in (await admin.get("/dead", **{"Accept-Language": "ko"})).text


async def test_the_way_there_is_in_an_admins_menu_alone(visits):
    assert 'href="/dead"' in (await (await visits("admin")).get("/chat")).text
    assert 'href="/dead"' not in (await (await visits("reviewer")).get("/chat")).text


@pytest.mark.parametrize(
    ("language", "act", "said"),
    [("en", "retry", "Being answered anew"), ("ko", "retry", "다시 답하고 있어요"), ("en", "drop", "Closed."), ("ko", "drop", "닫았어요")],
)
async def test_it_is_asked_anew_or_closed_once_by_whoever_pressed(visits, engine, language, act, said):
    admin, member = await visits("admin"), await visits("member")
    dead_id = await member.given_up("What breaks you?")
    done = await admin.post(f"/dead/{dead_id}/{act}", headers={"Accept-Language": language})
    assert (done.status_code, said in done.text) == (200, True)
    assert await letters(engine) == []
    assert (await admin.post(f"/dead/{dead_id}/{act}")).status_code == 404
    async with engine.connect() as db:
        rows = (await db.execute(text("SELECT action, subject, person_id IS NOT NULL FROM audit WHERE action LIKE 'dead%'"))).all()
        open_now = (await db.execute(text("SELECT count(*) FROM answers WHERE status = 'waiting'"))).scalar_one()
    assert rows == [("dead_retried" if act == "retry" else "dead_dropped", str(dead_id), True)]
    assert open_now == (1 if act == "retry" else 0)


async def test_what_was_not_given_up_is_neither_asked_anew_nor_closed(visits):
    admin = await visits("admin")
    answer_id = await admin.answered("Can I carry leave over?", "Yes.")
    for act in ("retry", "drop"):
        assert (await admin.post(f"/dead/{answer_id}/{act}")).status_code == 404
