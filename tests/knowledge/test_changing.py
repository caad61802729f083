"""What people change about sources: one more, another address, taken away and brought back."""

import asyncio
from collections.abc import Callable
from pathlib import Path

import pytest
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine

from knowledge import index
from knowledge import sync as syncs
from knowledge.changing import add, checked, readdress
from knowledge.following import followed, gathered, source_of, sync_soon, troubles
from knowledge.reading import Reader
from knowledge.removal import bring_back, bring_source_back, forget_removed, take_away, take_source_away
from knowledge.sources.followed import Means
from knowledge.sources.site import Site
from knowledge.sync import Synced, Syncing, claim
from nod.contracts import EVERYONE
from nod.errors import LoadError, NotFoundError
from nod.record import Record
from tests.knowledge.conftest import Knowledge
from tests.knowledge.files import pdf

LEAVE = "# 휴가\n\n연차는 5일까지 이월돼요.\n"
VPN = "# VPN\n\nOpen the client and choose Seoul.\n"


@pytest.fixture(autouse=True)
def _old_enough(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("knowledge.sources.folder.YOUNG_SECONDS", 0.0)


@pytest.fixture
def root(folder_of: Callable[..., Path]) -> Path:
    return folder_of({"휴가.md": LEAVE, "it/vpn.md": VPN})


@pytest.fixture
def looks(engine: AsyncEngine, reader: Reader, tmp_path: Path) -> Callable[..., object]:
    """What a worker does that finds a source due."""

    async def look(kind: str = "folder") -> Synced | None:
        claimed = await claim(engine, kind)
        return await Syncing(engine, reader, Means(tmp_path)).run(claimed) if claimed else None

    return look


async def refusal(kind: str, name: str, *, may_be_local: bool = True) -> str:
    with pytest.raises(LoadError) as refused:
        await checked(kind, name, may_be_local=may_be_local)
    return refused.value.kind


async def test_what_cannot_be_followed_is_refused_before_it_is_kept(root: Path):
    assert await checked("folder", f"  {root}/ ", may_be_local=True) == str(root)
    assert await checked("site", "https://93.184.216.34/docs/", may_be_local=False) == "https://93.184.216.34/docs/"
    assert await refusal("folder", str(root), may_be_local=False) == "terminal_only"
    assert await refusal("git", str(root), may_be_local=False) == "terminal_only"
    assert await refusal("folder", "documents") == "part_of_path"
    assert await refusal("folder", str(root / "gone")) == "no_such_path"
    assert await refusal("folder", str(root / "휴가.md")) == "closed"
    assert await refusal("git", "https://user:secret@93.184.216.34/wiki.git") == "secret_in_address"
    for name in ("http://127.0.0.1/", "http://[::ffff:10.0.0.1]/wiki.git", "http://0x7f.1/", "file:///etc/", "nonsense"):
        assert await refusal("site", name) == "forbidden_address", name
        assert await refusal("git", name) == "forbidden_address", name


async def test_a_source_is_added_once_and_a_folder_in_it_not_at_all(engine: AsyncEngine, root: Path, looks):
    source_id = await add(engine, "folder", str(root), EVERYONE)
    assert (await source_of(engine, source_id)).is_waiting
    assert len((await looks()).documents) == 2
    row = await source_of(engine, source_id)
    assert (row.is_waiting, row.is_syncing, row.documents) == (False, False, 2)
    for inside in (root, root / "it"):
        with pytest.raises(LoadError, match="stays in step already") as refused:
            await add(engine, "folder", str(inside), EVERYONE)
        assert refused.value.kind == "followed"
    assert await add(engine, "folder", str(root), "channel:slack:C1") != source_id


async def test_whoever_presses_sync_has_tried_again_what_could_not_be_read(
    engine: AsyncEngine, root: Path, looks, folder_of, monkeypatch: pytest.MonkeyPatch
):
    folder_of({"계약서.pdf": pdf(["비밀"], password="1")})
    source_id = await add(engine, "folder", str(root), EVERYONE)
    await looks()
    assert [(one.name, one.kind) for one in (await troubles(engine))[source_id]] == [("계약서.pdf", "locked")]
    tried: list[str] = []
    read = Reader.read

    async def counting(self: Reader, name: str, *rest: object) -> object:
        tried.append(name)
        return await read(self, name, *rest)  # type: ignore[arg-type]

    monkeypatch.setattr(Reader, "read", counting)
    async with engine.begin() as db:
        await db.execute(text("UPDATE sources SET due_at = now(), stamp = NULL"))
    await looks()
    assert tried == []
    await sync_soon(engine, source_id)
    await looks()
    assert tried == ["계약서.pdf"]


async def test_what_could_not_be_fetched_is_named_until_it_can(engine: AsyncEngine, root: Path, looks, monkeypatch: pytest.MonkeyPatch):
    source_id = await add(engine, "folder", str(root), EVERYONE)
    with monkeypatch.context() as broken:
        broken.setattr("knowledge.sources.folder.MOST_BYTES", 10)
        await looks()
    (one, other) = (await troubles(engine))[source_id]
    assert (one.name, one.kind, one.sentence) == ("it/vpn.md", "too_large", "it/vpn.md is larger than 0 MB.")
    assert other.name == "휴가.md"
    assert await troubles(engine, ["channel:slack:C1"]) == {}
    await sync_soon(engine, source_id)
    await looks()
    assert await troubles(engine) == {}


async def test_a_source_that_is_taken_away_stops_answering_at_once_and_comes_back_unread(
    knowledge: Knowledge, engine: AsyncEngine, record: Record, root: Path, looks, monkeypatch: pytest.MonkeyPatch
):
    source_id = await add(engine, "folder", str(root), EVERYONE)
    learnt = await looks()
    async with engine.begin() as db:
        person = (
            await db.execute(
                text("""
                    INSERT INTO persons (pseudonym, platform, workspace, external_id) VALUES ('p', 'web', '', 'a') RETURNING person_id""")
            )
        ).scalar_one()
    assert sorted(await take_source_away(engine, source_id, person)) == ["VPN", "휴가"]
    assert await knowledge.titles("연차 이월") == []
    assert await followed(engine) == []
    assert await looks() is None
    for act in (sync_soon, take_source_away):
        with pytest.raises(NotFoundError):
            await act(engine, source_id)
    with pytest.raises(NotFoundError):
        await bring_back(engine, learnt.documents[0].document_id, person)  # one document of it alone does not come back
    with pytest.raises(NotFoundError):
        await bring_source_back(engine, source_id)  # somebody else's

    async def read(*_: object) -> None:
        raise AssertionError("read again")

    monkeypatch.setattr(Reader, "read", read)
    assert sorted(await bring_source_back(engine, source_id, person)) == ["VPN", "휴가"]
    assert await knowledge.titles("연차 이월") == ["휴가"]
    assert {one.state for one in (await looks()).documents} == {"unchanged"}
    with pytest.raises(NotFoundError):
        await bring_source_back(engine, source_id, person)


@pytest.mark.parametrize("then", ["merged", "not merged yet", "compacted"])
async def test_what_is_brought_back_is_found_as_it_was_whatever_became_of_the_index_meanwhile(
    knowledge: Knowledge, engine: AsyncEngine, then: str
):
    await knowledge.holds("VPN", *["Open the client."] * 3)
    leave = await knowledge.holds("휴가", *["연차는 이월돼요."] * 2, scope="channel:slack:C1")
    here = (EVERYONE, "channel:slack:C1")
    if then != "not merged yet":
        assert await knowledge.merges() == 5
    async with engine.begin() as db:
        await take_away(db, leave)
    assert await knowledge.titles("연차 이월", *here) == []
    if then == "compacted":
        gone = await knowledge.holds("gone", *["x"] * 9)
        await knowledge.merges()
        await knowledge.forgets([gone])
        assert await index.compact(engine) == 1
    await knowledge.merges()
    await bring_back(engine, leave)
    assert await knowledge.titles("연차 이월", *here) == ["휴가"]
    assert await knowledge.titles("연차 이월") == []
    assert await knowledge.merges() == {"merged": 0, "not merged yet": 2, "compacted": 2}[then]
    assert await knowledge.titles("연차 이월", *here) == ["휴가"]


async def test_what_was_taken_away_crowds_nothing_out(knowledge: Knowledge, engine: AsyncEngine):
    old = await knowledge.holds("옛 규정", *["연차 이월 소송"] * 250)
    await knowledge.holds("새 규정", "연차는 " + "다른 말도 많아요 " * 30)
    await knowledge.merges()
    async with engine.begin() as db:
        await take_away(db, old, None)
    assert await knowledge.titles("연차 이월 소송") == ["새 규정"]


async def test_after_a_while_a_source_is_gone_for_good_and_can_be_added_anew(knowledge: Knowledge, engine: AsyncEngine, root: Path, looks):
    source_id = await add(engine, "folder", str(root), EVERYONE)
    await looks()
    await take_source_away(engine, source_id)
    assert await forget_removed(engine) == 0
    assert await forget_removed(engine, after_minutes=-1) == 2
    with pytest.raises(NotFoundError):
        await bring_source_back(engine, source_id)
    assert await add(engine, "folder", str(root), EVERYONE) != source_id
    assert {one.state for one in (await looks()).documents} == {"learnt"}


async def test_a_source_that_is_added_while_it_is_away_is_back(knowledge: Knowledge, engine: AsyncEngine, root: Path, looks):
    source_id = await add(engine, "folder", str(root), EVERYONE)
    await looks()
    await take_source_away(engine, source_id)
    assert await add(engine, "folder", str(root), EVERYONE) == source_id
    assert await knowledge.titles("연차 이월") == ["휴가"]


async def test_what_is_read_while_its_source_is_taken_away_does_not_answer(
    knowledge: Knowledge, engine: AsyncEngine, root: Path, looks, monkeypatch: pytest.MonkeyPatch
):
    source_id = await add(engine, "folder", str(root), EVERYONE)
    begun, go = asyncio.Event(), asyncio.Event()
    read = Reader.read

    async def slow(*arguments: object) -> object:
        begun.set()
        await go.wait()
        return await read(*arguments)  # type: ignore[arg-type]

    monkeypatch.setattr(Reader, "read", slow)
    monkeypatch.setattr(syncs, "BEAT_SECONDS", 60)
    syncing = asyncio.create_task(looks())
    await asyncio.wait_for(begun.wait(), 5)
    await take_source_away(engine, source_id)
    go.set()
    assert await asyncio.wait_for(syncing, 5) is None
    assert await knowledge.titles("연차 이월") == []
    assert await knowledge.titles("choose seoul") == []


async def test_a_folder_that_has_moved_answers_on_and_is_not_read_again(
    knowledge: Knowledge, engine: AsyncEngine, root: Path, looks, folder_of, monkeypatch: pytest.MonkeyPatch
):
    source_id = await add(engine, "folder", str(root), EVERYONE)
    await looks()
    moved = root.rename(root.with_name("moved"))
    (moved / "it/vpn.md").unlink()
    await readdress(engine, source_id, str(moved))
    assert await knowledge.titles("choose seoul") == ["VPN"]
    synced = await looks()
    assert ({one.state for one in synced.documents}, synced.removed) == ({"unchanged"}, ["it/vpn.md"])
    assert (await source_of(engine, source_id)).location == str(moved)
    other = await add(engine, "folder", str(folder_of({"a.md": VPN})), EVERYONE)
    with pytest.raises(LoadError, match="is a source already"):
        await readdress(engine, other, str(moved))
    with pytest.raises(NotFoundError):
        await readdress(engine, 404, str(moved))


def test_pages_of_the_address_that_a_site_had_before_are_gone_after_a_walk():
    site = Site("https://new.example/docs/")
    assert site.gone(["https://new.example/docs/a", "https://old.example/docs/a", "http://new.example/docs/a"]) == [
        "http://new.example/docs/a",
        "https://old.example/docs/a",
    ]


async def test_uploads_and_lessons_are_gathered_by_kind_and_scope_with_what_was_not_read(knowledge: Knowledge, engine: AsyncEngine):
    for title, kind, scope in (("a", "upload", EVERYONE), ("b", "upload", EVERYONE), ("c", "teach", "channel:slack:C1")):
        await knowledge.holds(title, "said", kind=kind, scope=scope)
    async with engine.begin() as db:
        await db.execute(text("UPDATE documents SET state = 'failed', error = 'b is empty.', error_kind = 'empty' WHERE title = 'b'"))
    (uploads,) = await gathered(engine, [EVERYONE])
    assert (uploads.kind, uploads.documents, uploads.failed) == ("upload", 1, 1)
    assert [one.sentence for one in (await troubles(engine, [EVERYONE]))[uploads.source_ids[0]]] == ["b is empty."]
    assert [one.kind for one in await gathered(engine, [EVERYONE, "channel:slack:C1"])] == ["teach", "upload"]
