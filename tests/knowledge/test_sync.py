"""Sources stay in step with where they come from: one process at a time, whatever dies; what cannot be reached changes nothing."""

import asyncio
import os
from collections.abc import Callable
from pathlib import Path

import pytest
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine

from knowledge import sync as syncs
from knowledge.following import Followed, followed, sync_soon, unfollow
from knowledge.reading import Reader
from knowledge.removal import remove_document
from knowledge.sources.folder import folder
from knowledge.sources.followed import Means
from knowledge.sync import Synced, Syncing, claim, follow, follow_now, put_off
from nod.contracts import EVERYONE
from nod.errors import LoadError, NotFoundError
from tests.knowledge.conftest import Knowledge
from tests.knowledge.files import pdf

LEAVE = "# 휴가\n\n연차는 5일까지 이월돼요.\n"
VPN = "# VPN\n\nOpen the client and choose Seoul.\n"


@pytest.fixture(autouse=True)
def _old_enough(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("knowledge.sources.folder.YOUNG_SECONDS", 0.0)


class Keeper:
    """A process that keeps one folder in step."""

    def __init__(self, knowledge: Knowledge, reader: Reader, root: Path) -> None:
        self.knowledge, self.engine, self.root = knowledge, knowledge.engine, root
        self.syncing = Syncing(self.engine, reader, Means(root.parent))

    async def learns(self) -> Synced:
        """What `nod ingest FOLDER` does."""
        return await follow_now(
            Syncing(self.engine, self.syncing.reader, self.syncing.means, is_asked=True), "folder", str(self.root), EVERYONE
        )

    async def looks(self) -> Synced:
        """What a worker does when the folder is due."""
        await self._due()
        claimed = await claim(self.engine, "folder")
        assert claimed
        synced = await self.syncing.run(claimed)
        assert synced
        return synced

    async def _due(self) -> None:
        async with self.engine.begin() as db:
            await db.execute(text("UPDATE sources SET due_at = now()"))

    async def row(self) -> Followed:
        (row,) = await followed(self.engine)
        return row


@pytest.fixture
def keeper(knowledge: Knowledge, reader: Reader, folder_of: Callable[..., Path]) -> Keeper:
    return Keeper(knowledge, reader, folder_of({"휴가.md": LEAVE, "it/vpn.md": VPN}))


def outcomes(synced: Synced) -> dict[str, str]:
    return {one.location: one.state for one in synced.documents} | dict.fromkeys(synced.removed, "removed")


async def test_what_changes_comes_or_goes_in_a_folder_is_followed(keeper: Keeper, folder_of: Callable[..., Path]):
    assert outcomes(await keeper.learns()) == {"it/vpn.md": "learnt", "휴가.md": "learnt"}
    folder_of({"휴가.md": LEAVE.replace("5일", "10일"), "it/vpn.md": None, "새.md": "# 새 규정\n\n점심은 12시예요.\n"})
    assert outcomes(await keeper.looks()) == {"새.md": "learnt", "휴가.md": "learnt", "it/vpn.md": "removed"}
    assert await keeper.knowledge.titles("점심") == ["새 규정"]
    assert await keeper.knowledge.titles("choose seoul") == []
    row = await keeper.row()
    assert (row.documents, row.failures, row.is_in_trouble, row.is_syncing) == (2, 0, False, False)
    assert row.due_at > row.synced_at  # type: ignore[operator]


async def test_a_folder_in_which_nothing_changed_is_not_read(keeper: Keeper, monkeypatch: pytest.MonkeyPatch):
    await keeper.learns()

    async def read(*_: object) -> None:
        raise AssertionError("read again")

    monkeypatch.setattr("knowledge.sources.folder._read", read)
    assert outcomes(await keeper.looks()) == {}  # one stamp stands for all
    async with keeper.engine.begin() as db:
        await db.execute(text("UPDATE sources SET stamp = NULL"))
    assert outcomes(await keeper.looks()) == {"it/vpn.md": "unchanged", "휴가.md": "unchanged"}  # each has its own


def test_a_file_that_changed_just_now_is_looked_at_once_more(folder_of: Callable[..., Path], monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr("knowledge.sources.folder.YOUNG_SECONDS", 2.0)
    root = folder_of({"a.md": VPN})
    young = folder(root)
    monkeypatch.setattr("knowledge.sources.folder.YOUNG_SECONDS", 0.0)
    assert (young.items[0].stamp, young.stamp) == (None, None)
    assert folder(root).items[0].stamp


async def test_a_folder_that_vanished_or_was_emptied_keeps_what_was_learnt_and_says_so(keeper: Keeper):
    await keeper.learns()
    keeper.root.rename(keeper.root.with_name("unmounted"))
    for failures in (1, 2, 3):
        assert (await keeper.looks()).error
        row = await keeper.row()
        assert (row.failures, row.error_kind, row.is_in_trouble) == (failures, "folder_gone", failures >= 3)
    keeper.root.mkdir()  # where a disk was mounted an empty folder is left
    assert (await keeper.looks()).error.kind == "folder_empty"  # type: ignore[union-attr]
    assert await keeper.knowledge.titles("연차 이월") == ["휴가"]
    assert outcomes(await keeper.learns()) == {"it/vpn.md": "removed", "휴가.md": "removed"}  # whoever says so means it
    assert (await keeper.row()).error is None


async def test_a_folder_in_which_one_folder_is_closed_loses_nothing(keeper: Keeper, monkeypatch: pytest.MonkeyPatch):
    await keeper.learns()
    scandir = os.scandir

    def closed(path: object) -> object:
        if str(path).endswith("/it"):
            raise PermissionError
        return scandir(path)  # type: ignore[call-overload]

    monkeypatch.setattr(os, "scandir", closed)
    assert outcomes(await keeper.looks()) == {"휴가.md": "unchanged"}
    assert await keeper.knowledge.titles("choose seoul") == ["VPN"]


async def test_what_cannot_be_read_is_tried_again_only_when_it_changed_or_somebody_asks(keeper: Keeper, folder_of: Callable[..., Path]):
    folder_of({"계약서.pdf": pdf(["비밀"], password="1")})
    assert outcomes(await keeper.learns())["계약서.pdf"] == "failed"
    folder_of({"새.md": VPN})
    assert outcomes(await keeper.looks())["계약서.pdf"] == "unchanged"
    assert outcomes(await keeper.learns())["계약서.pdf"] == "failed"
    folder_of({"계약서.pdf": pdf(["이제 열려요."])})
    assert outcomes(await keeper.looks())["계약서.pdf"] == "learnt"


async def test_a_document_taken_out_of_a_folder_comes_back_only_when_the_folder_is_taught_again(
    keeper: Keeper, folder_of: Callable[..., Path]
):
    learnt = await keeper.learns()
    await remove_document(keeper.engine, learnt.documents[0].document_id or 0)
    folder_of({"it/vpn.md": VPN + "\nOr Busan.\n"})
    assert outcomes(await keeper.looks()) == {"휴가.md": "unchanged"}
    assert outcomes(await keeper.learns()) == {"it/vpn.md": "learnt", "휴가.md": "unchanged"}


async def test_of_many_who_look_at_once_one_syncs(keeper: Keeper):
    await follow(keeper.engine, "folder", str(keeper.root), EVERYONE)
    claims = await asyncio.gather(*(claim(keeper.engine, "folder") for _ in range(6)))
    assert len([one for one in claims if one]) == 1
    assert await claim(keeper.engine, "folder") is None


async def test_the_claim_of_a_dead_process_is_taken_over_and_its_ghost_writes_nothing(keeper: Keeper):
    await follow(keeper.engine, "folder", str(keeper.root), EVERYONE)
    dead = await claim(keeper.engine, "folder")
    assert dead
    async with keeper.engine.begin() as db:
        await db.execute(text("UPDATE sources SET claimed_until = now() - interval '1 second'"))
    assert outcomes(await keeper.looks()) == {"it/vpn.md": "learnt", "휴가.md": "learnt"}
    await put_off(keeper.engine, dead, LoadError("late", "crashed"))
    row = await keeper.row()
    assert (row.error, row.documents) == (None, 2)


async def test_whoever_lost_a_source_on_the_way_stops(keeper: Keeper, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(syncs, "BEAT_SECONDS", 0.05)
    await follow(keeper.engine, "folder", str(keeper.root), EVERYONE)
    claimed = await claim(keeper.engine, "folder")
    assert claimed
    asked = asyncio.Event()

    async def endless(*_: object) -> None:
        asked.set()
        await asyncio.sleep(60)

    monkeypatch.setattr("knowledge.sources.folder._read", endless)
    running = asyncio.create_task(keeper.syncing.run(claimed))
    await asyncio.wait_for(asked.wait(), 5)
    assert (await keeper.row()).source_id == claimed.source_id
    await unfollow(keeper.engine, claimed.source_id)
    assert await asyncio.wait_for(running, 5) is None


async def test_progress_can_be_watched(keeper: Keeper, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(syncs, "BEAT_SECONDS", 0.02)
    seen: list[tuple[bool, int, int]] = []
    read = Reader.read

    async def slow(*arguments: object) -> object:
        await asyncio.sleep(0.2)
        row = await keeper.row()
        seen.append((row.is_syncing, row.done, row.total))
        return await read(*arguments)  # type: ignore[arg-type]

    monkeypatch.setattr(Reader, "read", slow)
    await keeper.learns()
    assert seen == [(True, 0, 2), (True, 1, 2)]


async def test_a_source_that_never_was_is_not_kept_and_one_that_is_gone_says_so(keeper: Keeper):
    keeper.root.rename(keeper.root.with_name("elsewhere"))
    assert (await keeper.learns()).error
    assert await followed(keeper.engine) == []
    for act in (sync_soon, unfollow):
        with pytest.raises(NotFoundError):
            await act(keeper.engine, 7)


async def test_a_removed_source_stops_answering_at_once(keeper: Keeper):
    await keeper.learns()
    assert await unfollow(keeper.engine, (await keeper.row()).source_id) == 2
    assert await keeper.knowledge.titles("연차 이월") == []
    assert await followed(keeper.engine) == []


async def test_only_sources_of_the_scopes_asked_for_are_shown(keeper: Keeper, engine: AsyncEngine):
    await follow(engine, "folder", str(keeper.root), "channel:slack:C1")
    assert await followed(engine, [EVERYONE]) == []
    assert [row.scope for row in await followed(engine)] == ["channel:slack:C1"]
