"""Learning: what came in answers, the same again changes nothing, what cannot be read says so and holds up nobody."""

import asyncio
import contextlib
import hashlib
import os
import unicodedata
from collections.abc import Callable
from pathlib import Path
from uuid import UUID, uuid4

import pytest
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine

from knowledge import ingest
from knowledge.ingest import (
    document_state,
    drop_missing,
    learn,
    open_source,
    queue_upload,
    read_waiting,
    settled,
)
from knowledge.reading import Reader
from knowledge.removal import bring_back, remove_document, remove_source
from knowledge.sources import Content, Item, Origin
from knowledge.sources.folder import file, folder
from knowledge.sources.handbook import handbook
from nod.contracts import EVERYONE
from nod.errors import ConfigError, LoadError, NotFoundError
from nod.files import Files
from tests.knowledge.conftest import Knowledge
from tests.knowledge.files import docx, pdf

LEAVE = "# 휴가\n\n연차는 5일까지 이월돼요.\n"
VPN = "# VPN\n\nOpen the client and choose Seoul.\n"


async def teach(engine: AsyncEngine, reader: Reader, origin: Origin, scope: str = EVERYONE) -> dict[str, str]:
    """Learn a source as `nod ingest` does; return what became of each item."""
    origin = await settled(engine, origin, scope)
    source = await open_source(engine, origin, scope)
    outcomes = {item.location: (await learn(engine, reader, source, item)).state for item in origin.items}
    if origin.is_whole:
        outcomes |= dict.fromkeys(await drop_missing(engine, source[0], list(outcomes)), "removed")
    return outcomes


async def passage_ids(engine: AsyncEngine) -> list[int]:
    async with engine.connect() as db:
        return [row.passage_id for row in await db.execute(text("SELECT passage_id FROM passages ORDER BY passage_id"))]


# ── sources ──


async def test_a_folder_is_learnt_and_answers(knowledge: Knowledge, reader: Reader, folder_of: Callable[..., Path]):
    root = folder_of({"휴가.md": LEAVE, "it/vpn.txt": VPN, "규정.docx": docx(), "leave.pdf": pdf(["Half a day counts as half."])})
    assert await teach(knowledge.engine, reader, folder(root)) == {
        "it/vpn.txt": "learnt", "leave.pdf": "learnt", "규정.docx": "learnt", "휴가.md": "learnt",
    }  # fmt: skip
    assert (await knowledge.titles("연차 이월"))[0] in ("휴가", "휴가 규정")
    assert await knowledge.titles("choose seoul") == ["vpn.txt"]
    assert await knowledge.titles("half a day counts") == ["leave.pdf"]


async def test_the_same_again_changes_nothing_and_a_change_changes_only_what_changed(
    knowledge: Knowledge, reader: Reader, folder_of: Callable[..., Path]
):
    root = folder_of({"휴가.md": LEAVE, "vpn.md": VPN})
    await teach(knowledge.engine, reader, folder(root))
    before = await passage_ids(knowledge.engine)
    assert set((await teach(knowledge.engine, reader, folder(root))).values()) == {"unchanged"}
    assert await passage_ids(knowledge.engine) == before
    folder_of({"휴가.md": LEAVE.replace("5일", "10일")})
    assert await teach(knowledge.engine, reader, folder(root)) == {"vpn.md": "unchanged", "휴가.md": "learnt"}
    after = await passage_ids(knowledge.engine)
    assert (len(after), len(set(after) & set(before))) == (2, 1)


async def test_a_folder_given_again_drops_what_is_gone_from_it(knowledge: Knowledge, reader: Reader, folder_of: Callable[..., Path]):
    root = folder_of({"휴가.md": LEAVE, "vpn.md": VPN})
    await teach(knowledge.engine, reader, folder(root))
    await teach(knowledge.engine, reader, folder(root), "channel:slack:C1")
    folder_of({"휴가.md": None})
    assert await teach(knowledge.engine, reader, folder(root)) == {"vpn.md": "unchanged", "휴가.md": "removed"}
    assert await knowledge.titles("연차 이월") == []
    assert await knowledge.titles("연차 이월", "channel:slack:C1") == ["휴가"]  # that was another source


async def test_a_single_file_of_a_known_folder_is_that_folders_document(
    knowledge: Knowledge, reader: Reader, folder_of: Callable[..., Path]
):
    root = folder_of({"hr/휴가.md": LEAVE, "vpn.md": VPN})
    await teach(knowledge.engine, reader, folder(root))
    folder_of({"hr/휴가.md": LEAVE + "\n반차도 돼요.\n"})
    assert await teach(knowledge.engine, reader, file(root / "hr" / "휴가.md")) == {"hr/휴가.md": "learnt"}
    assert len(await passage_ids(knowledge.engine)) == 2
    assert await teach(knowledge.engine, reader, file(root / "vpn.md"), "person:slack:U1") == {"vpn.md": "learnt"}


async def test_a_folder_below_a_known_folder_is_part_of_it(knowledge: Knowledge, reader: Reader, folder_of: Callable[..., Path]):
    root = folder_of({"hr/휴가.md": LEAVE, "vpn.md": VPN})
    await teach(knowledge.engine, reader, folder(root))
    folder_of({"hr/병가.md": "# 병가\n\n10일까지."})
    assert await teach(knowledge.engine, reader, folder(root / "hr")) == {"hr/병가.md": "learnt", "hr/휴가.md": "unchanged"}
    assert len(await passage_ids(knowledge.engine)) == 3


async def test_a_document_knows_its_language_and_odd_names_are_names(knowledge: Knowledge, reader: Reader, folder_of: Callable[..., Path]):
    declared = '<html lang="en"><title>병가</title><p>병가는 한 해에 열흘까지 쓸 수 있어요.</p></html>'
    root = folder_of({unicodedata.normalize("NFD", "휴가.txt"): "연차는 이월돼요.", "vpn.txt": "Choose Seoul.", "병가.html": declared})
    (root / os.fsdecode(b"\xff.txt")).write_text("odd")
    assert set(await teach(knowledge.engine, reader, folder(root))) == {"vpn.txt", "휴가.txt", "병가.html", ".txt"}
    async with knowledge.engine.connect() as db:
        rows = await db.execute(text("SELECT title, language FROM documents WHERE title <> '.txt' ORDER BY title"))
        assert [tuple(row) for row in rows] == [("vpn.txt", "en"), ("병가", "ko"), ("휴가.txt", "ko")]


async def test_a_broken_file_is_named_and_the_rest_goes_on(knowledge: Knowledge, reader: Reader, folder_of: Callable[..., Path]):
    root = folder_of({"a.md": LEAVE, "계약서.pdf": pdf(["비밀"], password="1"), "z.md": VPN})
    assert await teach(knowledge.engine, reader, folder(root)) == {"a.md": "learnt", "z.md": "learnt", "계약서.pdf": "failed"}
    async with knowledge.engine.connect() as db:
        row = (await db.execute(text("SELECT title, state, error, error_kind FROM documents WHERE state = 'failed'"))).one()
    assert tuple(row) == ("계약서.pdf", "failed", "계약서.pdf is locked with a password.", "locked")


async def test_a_document_that_cannot_be_read_any_more_stops_answering(
    knowledge: Knowledge, reader: Reader, folder_of: Callable[..., Path]
):
    root = folder_of({"휴가.md": LEAVE})
    await teach(knowledge.engine, reader, folder(root))
    folder_of({"휴가.md": b"\0\1"})
    assert await teach(knowledge.engine, reader, folder(root)) == {"휴가.md": "failed"}
    assert await knowledge.titles("연차 이월") == []
    folder_of({"휴가.md": LEAVE})
    assert await teach(knowledge.engine, reader, folder(root)) == {"휴가.md": "learnt"}
    assert await knowledge.titles("연차 이월") == ["휴가"]


async def test_an_address_that_does_not_answer_for_a_moment_keeps_what_it_said(knowledge: Knowledge, reader: Reader):
    answers: list[Content | LoadError] = [
        Content(LEAVE.encode(), "휴가.md", url="https://wiki.example/leave"),
        LoadError("away", "unreachable"),
    ]

    async def fetch() -> Content:
        answer = answers.pop(0)
        if isinstance(answer, LoadError):
            raise answer
        return answer

    origin = Origin("url", "https://wiki.example/leave", (Item("", fetch),))
    assert await teach(knowledge.engine, reader, origin) == {"": "learnt"}
    assert await teach(knowledge.engine, reader, origin) == {"": "failed"}
    assert await knowledge.titles("연차 이월") == ["휴가"]


async def test_links_out_of_a_folder_and_hidden_files_are_left_alone(folder_of: Callable[..., Path], tmp_path: Path):
    (tmp_path / "secret.md").write_text("# Secret")
    root = folder_of({"a.md": LEAVE, ".git/b.md": LEAVE, ".env.md": LEAVE, "photo.png": b"x"})
    (root / "out.md").symlink_to(tmp_path / "secret.md")
    found = folder(root)
    assert [item.location for item in found.items] == ["a.md"]
    assert found.skipped == 1


async def test_what_was_learnt_can_be_forgotten_by_path_and_by_number(knowledge: Knowledge, reader: Reader, folder_of: Callable[..., Path]):
    root = folder_of({"hr/휴가.md": LEAVE, "hr/병가.md": "# 병가\n\n10일.", "vpn.md": VPN, "hr2.md": "# Other\n\nhr two"})
    await teach(knowledge.engine, reader, folder(root))
    assert sorted(await remove_source(knowledge.engine, str(root / "hr"))) == ["병가", "휴가"]
    assert await knowledge.titles("연차 이월") == []
    assert await knowledge.titles("hr two") == ["Other"]
    async with knowledge.engine.connect() as db:
        document = (await db.execute(text("SELECT document_id FROM documents WHERE title = 'VPN'"))).scalar_one()
    assert await remove_document(knowledge.engine, document) == "VPN"
    with pytest.raises(NotFoundError):
        await remove_document(knowledge.engine, document)
    assert await remove_source(knowledge.engine, str(root)) == ["Other"]
    with pytest.raises(NotFoundError, match="Nothing was learnt from"):
        await remove_source(knowledge.engine, str(root))


@pytest.mark.parametrize("scope", ["", "all", "channel", "channel:", "everyone:x", "team:slack:T1"])
async def test_a_scope_that_does_not_exist_is_a_sentence(engine: AsyncEngine, scope: str):
    with pytest.raises(ConfigError, match="There is no scope"):
        await open_source(engine, Origin("upload", "", ()), scope)


def test_the_handbook_is_what_is_written_for_those_who_use_nod():
    english, korean = ([item.location for item in handbook(language).items] for language in ("en", "ko"))
    assert "en/start.md" in english
    assert [location.replace("en/", "ko/") for location in english] == korean


# ── uploads ──


@pytest.fixture
def files(tmp_path: Path) -> Files:
    return Files(tmp_path)


async def upload(engine: AsyncEngine, files: Files, name: str, content: str | bytes, scope: str = EVERYONE) -> int:
    sha256 = files.keep(content.encode() if isinstance(content, str) else content)
    return await queue_upload(engine, files, name=name, sha256=sha256, scope=scope)


async def state(engine: AsyncEngine, document: int) -> str:
    return (await document_state(engine, document)).state


async def test_an_upload_waits_is_read_and_answers_in_its_scope_alone(knowledge: Knowledge, files: Files):
    thread = "thread:web:chat:7c1e"
    document = await upload(knowledge.engine, files, "휴가.md", LEAVE, thread)
    assert await state(knowledge.engine, document) == "waiting"
    assert await read_waiting(knowledge.engine, files, uuid4()) == 1
    now = await document_state(knowledge.engine, document)
    assert (now.title, now.state, now.passages, now.error) == ("휴가", "ready", 1, None)
    assert await knowledge.titles("연차 이월", EVERYONE) == []
    assert await knowledge.titles("연차 이월", EVERYONE, thread) == ["휴가"]
    assert await read_waiting(knowledge.engine, files, uuid4()) == 0


async def test_the_same_upload_again_is_the_same_document_and_other_bytes_replace_it(knowledge: Knowledge, files: Files):
    document = await upload(knowledge.engine, files, "휴가.md", LEAVE)
    await read_waiting(knowledge.engine, files, uuid4())
    assert await upload(knowledge.engine, files, "휴가.md", LEAVE) == document
    assert await state(knowledge.engine, document) == "ready"
    assert await upload(knowledge.engine, files, "휴가.md", LEAVE.replace("이월", "적립")) == document
    assert await knowledge.titles("연차 이월") == ["휴가"]  # until the new bytes are read
    await read_waiting(knowledge.engine, files, uuid4())
    assert await knowledge.titles("이월") == []
    assert await knowledge.titles("적립") == ["휴가"]


async def test_an_upload_that_cannot_be_read_says_why_and_may_be_tried_again(knowledge: Knowledge, files: Files):
    bad = await upload(knowledge.engine, files, "계약서.pdf", pdf(["비밀"], password="1"))
    good = await upload(knowledge.engine, files, "휴가.md", LEAVE)
    assert await read_waiting(knowledge.engine, files, uuid4()) == 2
    failed = await document_state(knowledge.engine, bad)
    assert (failed.state, failed.error, failed.error_kind) == ("failed", "계약서.pdf is locked with a password.", "locked")
    assert await state(knowledge.engine, good) == "ready"
    await upload(knowledge.engine, files, "계약서.pdf", pdf(["이제 열려요."]))
    await read_waiting(knowledge.engine, files, uuid4())
    assert (await document_state(knowledge.engine, bad)).error is None


async def test_an_upload_whose_bytes_are_gone_says_so(knowledge: Knowledge, files: Files):
    document = await upload(knowledge.engine, files, "휴가.md", LEAVE)
    files.drop(hashlib.sha256(LEAVE.encode()).hexdigest())
    await read_waiting(knowledge.engine, files, uuid4())
    assert (await document_state(knowledge.engine, document)).error_kind == "lost"
    with pytest.raises(NotFoundError):
        await queue_upload(knowledge.engine, files, name="휴가.md", sha256="0" * 64, scope=EVERYONE)
    with pytest.raises(NotFoundError):
        await document_state(knowledge.engine, document + 1)


async def test_readers_share_the_work_and_nothing_is_read_twice(knowledge: Knowledge, files: Files):
    documents = [await upload(knowledge.engine, files, f"{n}.md", f"# {n}\n\n연차 {n}") for n in range(8)]
    processes = [await living(knowledge.engine) for _ in range(3)]
    read = await asyncio.gather(*(read_waiting(knowledge.engine, files, process) for process in processes))
    assert sum(read) == 8
    assert {await state(knowledge.engine, document) for document in documents} == {"ready"}
    assert len(await passage_ids(knowledge.engine)) == 8


async def test_a_limit_leaves_the_rest_waiting(knowledge: Knowledge, files: Files):
    documents = [await upload(knowledge.engine, files, f"{n}.md", f"# {n}\n\n연차 {n}") for n in range(3)]
    assert await read_waiting(knowledge.engine, files, uuid4(), limit=2) == 2
    assert [await state(knowledge.engine, document) for document in documents] == ["ready", "ready", "waiting"]


async def living(engine: AsyncEngine) -> UUID:
    """A process that has just been heard."""
    process_id = uuid4()
    async with engine.begin() as db:
        await db.execute(text("INSERT INTO processes (process_id, role, pid, host) VALUES (:me, 'worker', 1, 'h')"), {"me": process_id})
    return process_id


async def test_what_a_dead_process_was_reading_is_read_by_another_and_by_a_living_one_is_not(knowledge: Knowledge, files: Files):
    document = await upload(knowledge.engine, files, "휴가.md", LEAVE)
    assert await ingest._claim(knowledge.engine, await living(knowledge.engine))
    assert await read_waiting(knowledge.engine, files, uuid4()) == 0
    async with knowledge.engine.begin() as db:
        await db.execute(text("UPDATE processes SET seen_at = now() - interval '7 seconds'"))
    assert await read_waiting(knowledge.engine, files, uuid4()) == 1
    assert await state(knowledge.engine, document) == "ready"


async def test_bytes_that_came_while_others_were_being_read_win(knowledge: Knowledge, files: Files, monkeypatch: pytest.MonkeyPatch):
    document = await upload(knowledge.engine, files, "휴가.md", LEAVE)
    read = Reader.read

    async def late(self: Reader, name: str, content: bytes, media_type: str = "") -> object:
        if b"\xec\x9d\xb4\xec\x9b\x94" in content:  # 이월: the first version
            await upload(knowledge.engine, files, "휴가.md", LEAVE.replace("이월", "적립"))
        return await read(self, name, content, media_type)

    monkeypatch.setattr(Reader, "read", late)
    assert await read_waiting(knowledge.engine, files, uuid4()) == 2
    assert await state(knowledge.engine, document) == "ready"
    assert (await knowledge.titles("이월"), await knowledge.titles("적립")) == ([], ["휴가"])


async def test_a_document_removed_while_it_was_being_read_stays_away(knowledge: Knowledge, files: Files, monkeypatch: pytest.MonkeyPatch):
    document = await upload(knowledge.engine, files, "휴가.md", LEAVE)
    read = Reader.read

    async def late(self: Reader, name: str, content: bytes, media_type: str = "") -> object:
        with contextlib.suppress(NotFoundError):  # it is removed already when it is read once more
            await remove_document(knowledge.engine, document)
        return await read(self, name, content, media_type)

    monkeypatch.setattr(Reader, "read", late)
    await read_waiting(knowledge.engine, files, uuid4())
    assert await knowledge.titles("이월") == []
    await bring_back(knowledge.engine, document)
    assert await knowledge.titles("이월") == ["휴가"]
