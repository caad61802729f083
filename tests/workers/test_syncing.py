"""Sources stay in step while a worker runs: without a wake-up, and when the worker that was at it is killed."""

import asyncio
from pathlib import Path

import pytest

from knowledge import sync as syncs
from knowledge.following import Followed, followed
from knowledge.sync import claim, follow
from nod.wake import READ
from tests.workers.desk import Desk, until


async def _documents(desk: Desk, count: int) -> Followed | None:
    (row,) = await followed(desk.record.engine)
    return row if row.documents == count else None


async def test_a_folder_is_followed_while_a_worker_runs(desk: Desk, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(syncs.EVERY_SECONDS, "folder", 1)  # type: ignore[arg-type]
    root = tmp_path / "documents"
    root.mkdir()
    (root / "vpn.md").write_text("# VPN\n\nAsk the security team.\n")
    async with desk.open() as answering:
        await follow(desk.record.engine, "folder", str(root), "everyone")
        answering.services.waker.wake(READ)
        await until(lambda: _documents(desk, 1), 15, "the folder")
        (root / "휴가.md").write_text("# 휴가\n\n연차는 닷새까지 이월돼요.\n")
        await until(lambda: _documents(desk, 2), 15, "what was added")
        (root / "vpn.md").unlink()
        await until(lambda: _documents(desk, 1), 15, "what was deleted")


async def test_what_a_killed_worker_was_at_is_taken_over(desk: Desk, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    root = tmp_path / "documents"
    root.mkdir()
    (root / "vpn.md").write_text("# VPN\n\nAsk the security team.\n")
    await follow(desk.record.engine, "folder", str(root), "everyone")
    monkeypatch.setattr(syncs, "_CLAIM", syncs._CLAIM.bindparams(lease=3.0))
    assert await claim(desk.record.engine, "folder")  # and then never heard of again
    async with desk.open():
        await asyncio.sleep(1)
        assert not await _documents(desk, 1)
        await until(lambda: _documents(desk, 1), 10, "the folder")
