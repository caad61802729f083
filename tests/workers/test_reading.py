"""Documents are read beside the answers: when a wake-up says so, and when it was lost."""

from sqlalchemy import text

from knowledge.ingest import document_state
from nod.wake import READ
from tests.fakes.model import FakeModel
from tests.workers.desk import Desk, until


async def _is_ready(desk: Desk, document_id: int) -> bool:
    return (await document_state(desk.record.engine, document_id)).state == "ready"


async def test_a_document_is_read_when_a_wake_up_says_that_it_waits(desk: Desk) -> None:
    async with desk.open() as answering:
        document_id = await desk.uploads("vpn.md", "# VPN\n\n보안팀에 물어보세요.\n".encode(), "everyone")
        answering.services.waker.wake(READ)
        await until(lambda: _is_ready(desk, document_id), 15, "the document")


async def test_a_lost_wake_up_strands_no_document(desk: Desk) -> None:
    async with desk.open():
        document_id = await desk.uploads("vpn.md", b"# VPN\n\nAsk the security team.\n", "everyone")
        await until(lambda: _is_ready(desk, document_id), 20, "the document")


async def test_an_answer_does_not_wait_for_a_heap_of_documents(model_desk: Desk, agent: FakeModel) -> None:
    agent.will_say("바로 답해요.")
    for n in range(40):
        await model_desk.uploads(f"{n}.md", f"# {n}번째\n\n{'문서는 하나씩 읽어요. ' * 400}\n".encode(), "everyone")
    async with model_desk.open() as answering:
        answering.services.waker.wake(READ)
        answer = await model_desk.hears("바로 답해?")
        async with model_desk.record.engine.connect() as db:
            waiting = (await db.execute(text("SELECT count(*) FROM documents WHERE state <> 'ready'"))).scalar_one()
    assert answer.text == "바로 답해요."
    assert waiting > 0
