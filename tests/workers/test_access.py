"""What an answer may draw on while no bot says who can read a place, and when somebody may no longer see what they were told."""

import pytest
from sqlalchemy import text

from tests.fakes.model import FakeModel
from tests.workers.desk import Desk

SECRET = "인수 대상은 오로라 주식회사예요."


async def moves(desk: Desk, scope: str) -> None:
    """Give all that was taught another scope."""
    async with desk.record.engine.begin() as db:
        await db.execute(text("UPDATE scopes SET name = :scope"), {"scope": scope})


@pytest.mark.parametrize("visibility", ["public", "private", "direct"])
async def test_while_no_bot_says_who_reads_a_place_the_narrowest_holds(model_desk: Desk, agent: FakeModel, visibility: str) -> None:
    own = {"direct": "person:slack:U1"}.get(visibility, "channel:slack:C1")
    await model_desk.holds("own.md", f"# 인수\n\n{SECRET}\n", scope=own)
    await model_desk.holds("workspace.md", "# 인수\n\n인수 금액은 백억이에요.\n", scope="workspace:slack:T1")
    agent.will_say("몰라요.")
    async with model_desk.open():
        await model_desk.hears("인수 대상이 누구야?", visibility=visibility)
    assert SECRET in str(agent.prompts)
    assert "백억" not in str(agent.prompts)


async def test_what_somebody_was_told_alone_is_not_remembered_once_they_may_not_see_it(model_desk: Desk, agent: FakeModel) -> None:
    await model_desk.holds("secret.md", f"# 인수\n\n{SECRET}\n", scope="person:slack:U1")
    agent.will_say("오로라예요 [1].", "네.", "네.")
    async with model_desk.open():
        await model_desk.hears("인수 대상이 누구야?", visibility="direct")
        await model_desk.hears("정말이야?", visibility="direct")
        assert agent.shown[-1] == ["인수 대상이 누구야?", "오로라예요 [1].", "정말이야?"]
        await moves(model_desk, "channel:slack:CLEGAL")
        await model_desk.hears("다시 말해 줄래?", visibility="direct")
    assert "오로라" not in str(agent.prompts[-1])


async def test_what_was_said_in_a_channel_is_remembered_there(model_desk: Desk, agent: FakeModel) -> None:
    await model_desk.holds("policy.md", f"# 인수\n\n{SECRET}\n", scope="channel:slack:C1")
    agent.will_say("오로라예요 [1].", "네.")
    async with model_desk.open():
        await model_desk.hears("인수 대상이 누구야?")
        await moves(model_desk, "workspace:slack:T1")
        await model_desk.hears("정말이야?")
    assert agent.shown[-1] == ["인수 대상이 누구야?", "오로라예요 [1].", "정말이야?"]
