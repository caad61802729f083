"""The Sources tab: what each visitor sees of a source, refusals beside what was typed, taken away and brought back."""

from pathlib import Path

import pytest

from bot.web.origins import may_name_folders
from knowledge.following import followed
from knowledge.sync import claim, follow, put_off
from nod.contracts import EVERYONE
from nod.errors import LoadError
from nod.settings import Settings
from tests.web.visitors import Visitor

SENTENCE = "/srv/team/wiki is not there now (No such file or directory); what nod learnt from it is kept."


async def in_trouble(visitor: Visitor, scope: str = EVERYONE) -> int:
    """A folder that never could be read; return its number."""
    engine = visitor.services.engine
    source_id = await follow(engine, "folder", "/srv/team/wiki", scope)
    claimed = await claim(engine, "folder", source_id)
    assert claimed
    await put_off(engine, claimed, LoadError(SENTENCE, "folder_gone"))
    return source_id


async def add(visitor: Visitor, kind: str, location: str, **headers: str) -> tuple[int, str]:
    said = await visitor.post("/knowledge/sources", {"kind": kind, "location": location, "scope": EVERYONE}, headers=headers)
    return said.status_code, said.text


async def test_where_a_folder_lies_is_told_to_admins_alone(visits) -> None:
    admin, member = await visits("admin"), await visits("member")
    source_id = await in_trouble(admin)
    whole, own = (await admin.get("/knowledge/sources")).text, (await member.get("/knowledge/sources")).text
    assert SENTENCE in whole
    assert 'class="count bad">✗ 1<' in whole
    assert "/srv/team" not in own
    assert "wiki is not there now; what nod learnt from it is kept." in own
    assert ("Sync now" in whole, "Sync now" in own) == (True, False)
    assert (await member.get(f"/knowledge/sources/{source_id}")).status_code == 200


async def test_a_source_of_a_private_channel_is_shown_to_admins_without_the_names_of_its_files(visits) -> None:
    admin, member = await visits("admin"), await visits("member")
    source_id = await in_trouble(admin, "channel:slack:C1")
    async with admin.services.engine.begin() as db:
        await db.exec_driver_sql(
            f"""INSERT INTO documents (source_id, scope_id, location, title, state, error, error_kind)
                SELECT source_id, scope_id, 'layoffs.pdf', 'layoffs.pdf', 'failed', 'layoffs.pdf is empty.', 'empty'
                  FROM sources WHERE source_id = {source_id}"""
        )
    shown = (await admin.get("/knowledge/sources")).text
    assert ("1 not read" in shown, "layoffs" in shown) == (True, False)
    assert "wiki" not in (await member.get("/knowledge/sources")).text
    assert (await member.get(f"/knowledge/sources/{source_id}")).status_code == 404


@pytest.mark.parametrize(
    ("kind", "location", "language", "sentence"),
    [
        ("site", "http://127.0.0.1:8000/", "en", "127.0.0.1 is not an address of the open internet; nod does not fetch from there."),
        ("site", "http://[::1]/", "ko", "http://[::1]/: 공개 인터넷 주소가 아니라서 가져오지 않아요."),
        ("git", "https://user:pass@93.184.216.34/a.git", "en", "would keep and show its password"),
        ("folder", "handbook", "ko", "handbook: 전체 경로가 아니에요. /로 시작하게 적어 주세요."),
        ("folder", "/nowhere", "en", "/nowhere does not exist."),
    ],
)
async def test_a_refusal_is_said_beside_what_was_typed(visits, kind: str, location: str, language: str, sentence: str) -> None:
    admin = await visits("admin")
    status, text = await add(admin, kind, location, **{"Accept-Language": language})
    assert (status, sentence in text, f'value="{location}"' in text) == (422, True, True)
    assert await followed(admin.services.engine) == []


async def test_a_source_is_added_moved_removed_and_brought_back(visits, tmp_path: Path) -> None:
    admin = await visits("admin")
    (tmp_path / "moved").mkdir()
    status, text = await add(admin, "folder", str(tmp_path))
    assert (status, "Added." in text) == (200, True)
    (source,) = await followed(admin.services.engine)
    address = f"/knowledge/sources/{source.source_id}"
    row = (await admin.get(address)).text
    assert "waits for its turn" in row
    assert f'hx-get="{address}"' in row  # it looks again by itself
    assert (await add(admin, "folder", str(tmp_path)))[0] == 422
    refused = await admin.post(f"{address}/move", {"location": "nowhere"})
    assert (refused.status_code, "nowhere is not a whole path" in refused.text) == (422, True)
    assert str(tmp_path / "moved") in (await admin.post(f"{address}/move", {"location": f"{tmp_path}/moved"})).text
    assert (await admin.post(f"{address}/remove")).status_code == 204
    assert (await admin.get(address)).status_code == 404
    other = await visits("admin", name="another admin")
    assert (await other.post(f"{address}/restore")).status_code == 404
    assert (await admin.post(f"{address}/restore")).status_code == 204
    assert (await admin.get(address)).status_code == 200


def test_folders_are_named_on_the_page_only_where_nobody_else_can_open_it() -> None:
    assert may_name_folders(Settings())
    assert may_name_folders(Settings(NOD_WEB_URL="http://localhost:8130"))
    assert not may_name_folders(Settings(NOD_WEB_URL="https://nod.example.com"))
