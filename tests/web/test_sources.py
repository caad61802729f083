"""The source pane: the passage as the model saw it, marked; rights are asked for when it is opened, not when it was cited."""

import re
from pathlib import PurePosixPath
from uuid import uuid4

from sqlalchemy import text

from knowledge.ingest import queue_upload, read_waiting
from knowledge.removal import remove_document
from knowledge.search import Search
from nod.contracts import Citation, Source

TEXT = "# Leave\n\n## Carry-over\n\nUp to five days may be carried over.\n\n## Half days\n\nHalf days & < whole ones count as half.\n"


async def learnt(services, name, content, scope="everyone"):
    files = services.files
    document = await queue_upload(services.engine, files, name=name, sha256=files.keep(content.encode()), scope=scope)
    await read_waiting(services.engine, files, services.claims.process_id)
    return document


async def source_of(services, question, scopes=("everyone",), n=1):
    passage = (await Search(services.engine).find(question, scopes)).passages[0]
    return Source(
        n=n, document_id=passage.document_id, passage_id=passage.passage_id, title=passage.title, heading=passage.heading,
        page=passage.page, url=passage.url, passage=passage.text, passage_hash=passage.text_hash,
    )  # fmt: skip


async def test_a_source_opens_marked_between_its_neighbours(visits, services):
    await learnt(services, "leave.md", TEXT)
    visitor = await visits("member")
    source = await source_of(services, "five days carried over")
    answer_id = await visitor.answered("Carry over?", "Five [1].", source)
    pane = (await visitor.get(f"/chat/answers/{answer_id}/sources/1")).text
    marked, behind = pane.split('role="mark">')[1].split("</div>", 1)
    assert marked == f"<p>{source.passage}</p>\n"
    assert "<h3>Half days</h3>" in behind
    assert "Half days &amp; &lt; whole ones" in behind
    assert "<h3>Carry-over" not in pane  # it stands above the text
    assert "everyone may see it" in pane
    assert (await visitor.get(f"/chat/answers/{answer_id}/sources/2")).status_code == 404


async def test_whoever_may_no_longer_see_the_document_no_longer_sees_the_passage(visits, services):
    await learnt(services, "leave.md", TEXT)
    visitor = await visits("member")
    answer_id = await visitor.answered("Carry over?", "Five [1].", await source_of(services, "five days carried over"))
    async with services.engine.begin() as db:
        await db.execute(text("UPDATE scopes SET name = 'channel:slack:CLEGAL' WHERE name = 'everyone'"))
    refused = await visitor.get(f"/chat/answers/{answer_id}/sources/1")
    assert refused.status_code == 404
    assert "five days" not in refused.text


async def test_what_a_changed_document_said_is_shown_and_said_to_be_old(visits, services):
    await learnt(services, "leave.md", TEXT)
    visitor = await visits("member")
    answer_id = await visitor.answered("Carry over?", "Five [1].", await source_of(services, "five days carried over"))
    await learnt(services, "leave.md", TEXT.replace("five", "ten"))
    pane = (await visitor.get(f"/chat/answers/{answer_id}/sources/1")).text
    assert "five days" in pane.split('role="mark">')[1]
    assert "has changed since" in pane


async def test_what_a_deleted_document_said_stays_with_the_answer(visits, services):
    document = await learnt(services, "leave.md", TEXT)
    visitor = await visits("member")
    answer_id = await visitor.answered("Carry over?", "Five [1].", await source_of(services, "five days carried over"))
    await remove_document(services.engine, document)
    pane = (await visitor.get(f"/chat/answers/{answer_id}/sources/1", **{"Accept-Language": "ko"})).text
    assert "five days" in pane.split('role="mark">')[1]
    assert "지워졌어요" in pane


async def test_a_reviewer_opens_only_sources_they_may_see_themselves(visits, services):
    member, reviewer = await visits("member"), await visits("reviewer")
    conversation = uuid4()
    scope = f"thread:web:chat:{conversation}"
    await learnt(services, "leave.md", TEXT)
    await learnt(services, "own.md", "# Own\n\nMy salary is forty.\n", scope)
    sources = [await source_of(services, "five days carried over"), await source_of(services, "salary", (scope,), n=2)]
    answer_id = await member.answered("Mine?", "Forty [2], five [1].", *sources, conversation=conversation)
    await member.post(f"/chat/answers/{answer_id}/vote", {"value": "down", "kind": "set"})
    assert "five days" in (await reviewer.get(f"/review/{answer_id}/sources/1")).text
    assert (await reviewer.get(f"/review/{answer_id}/sources/2")).status_code == 404
    assert "forty" in (await member.get(f"/chat/answers/{answer_id}/sources/2")).text


async def test_an_address_that_is_no_web_page_is_not_linked(visits, services):
    visitor = await visits("member")
    source = Source(n=1, document_id=404, passage_id=404, title="x", passage="x", url="javascript:alert(1)")
    answer_id = await visitor.answered("x?", "x [1].", source)
    assert "javascript:" not in (await visitor.get(f"/chat/answers/{answer_id}/sources/1")).text


async def test_knowledge_shows_what_one_may_see_and_how_far_it_is(visits, services):
    await learnt(services, "leave.md", TEXT)
    await learnt(services, "secret.md", "# Secret plan\n\nNext week.\n", "person:web:name:somebody else")
    admin = await visits("admin")
    uploaded = await admin.post("/knowledge/files", files=[("files", ("broken.pdf", b"%PDF-1.4 x")), ("files", ("b.md", b"# B\n\nBee.\n"))])
    assert uploaded.text.count('class="state waiting"') == 2
    assert "hx-get" in uploaded.text
    await read_waiting(services.engine, services.files, services.claims.process_id)
    table = (await admin.get("/knowledge/table")).text
    assert table.count('class="state ready"') == 2
    assert "broken.pdf" in table
    assert "Secret" not in table
    assert PurePosixPath("broken.pdf").stem in table.split('class="state failed"')[1]
    (again,) = re.findall(r'hx-post="(/knowledge/documents/\d+/read)"', table)
    assert (await admin.post(again)).headers["HX-Trigger"] == "nod-learnt"
    assert 'class="state waiting"' in (await admin.get("/knowledge/table")).text
    await read_waiting(services.engine, services.files, services.claims.process_id)
    assert again in (await admin.get("/knowledge/table")).text


async def test_documents_of_one_title_are_told_apart_by_their_names(visits, services):
    for name in ("leave.md", "leave-2027.md", "pool.md"):
        await learnt(services, name, TEXT if name.startswith("leave") else "# Pool\n\nOn Tuesdays.\n")
    admin = await visits("admin")
    table = (await admin.get("/knowledge/table")).text
    assert re.findall(r'class="muted where">([^<]*)<', table) == ["leave-2027.md", "leave.md"]
    document = re.findall(r'href="(/knowledge/documents/\d+)">Pool<', table)[0]
    assert "· pool.md" in (await admin.get(document)).text


async def test_what_could_not_be_read_stands_once_with_its_last_try(visits, services):
    admin = await visits("admin")
    for scope in ("everyone", admin_alone := "person:web:name:a admin"):
        await admin.post("/knowledge/files", {"scope": scope}, files=[("files", ("broken.pdf", b"%PDF-1.4 x"))])
        await read_waiting(services.engine, services.files, services.claims.process_id)
    table = (await admin.get("/knowledge/table")).text
    assert table.count("<tr data-document") == 1
    assert "only you may see it" in table
    await admin.post("/knowledge/files", {"scope": admin_alone}, files=[("files", ("leave.md", TEXT.encode()))])
    await read_waiting(services.engine, services.files, services.claims.process_id)
    await admin.post("/knowledge/files", files=[("files", ("leave.md", TEXT.encode()))])
    await read_waiting(services.engine, services.files, services.claims.process_id)
    assert (await admin.get("/knowledge/table")).text.count("<tr data-document") == 3  # what was learnt for some stays theirs


async def test_what_its_source_does_not_say_is_marked_on_the_page_and_in_review(visits, services):
    member, reviewer = await visits("member"), await visits("reviewer")
    await learnt(services, "leave.md", TEXT)
    doubt = Citation(start=0, end=7, sources=(1,), verdict="unsupported", why="number")
    source = await source_of(services, "five days carried over")
    answer_id = await member.answered("Carry over?", "Ten [1].", source, citations=(doubt,), notices=("unsupported",))
    page = (await member.get(f"/chat/answers/{answer_id}")).text
    assert 'class="cite doubted"' in page
    assert "[1]⚠</button>" in page
    assert "marks what was not found" in page
    await member.post(f"/chat/answers/{answer_id}/vote", {"value": "down", "kind": "set"})
    assert "[1]⚠</button>" in (await reviewer.get("/review")).text
