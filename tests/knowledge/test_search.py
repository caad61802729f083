"""Finding: the right passage first, nothing outside the scopes, the handbook only when it is wanted, and knowing when not to know."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import pytest
from hypothesis import HealthCheck, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine

from knowledge import index
from knowledge.about_nod import HANDBOOK, is_about_nod
from knowledge.search import Search
from knowledge.visible import Rows, Visible
from nod.contracts import EVERYONE
from nod.errors import NotFoundError
from tests.knowledge.conftest import Knowledge

LEAVE = "연차는 다음 해 3월 31일까지 5일까지 이월할 수 있어요. 반차는 0.5일로 세요."
VPN = "Open the client and choose Seoul. If it does not connect, restart the client and ask IT for a token."
EXPENSES = "Hand in receipts within 30 days. Meals are paid up to 40,000 won a day."


@pytest.fixture(params=["tail", "merged"])
async def office(request: pytest.FixtureRequest, knowledge: Knowledge) -> Knowledge:
    """A small office's documents, once not merged yet and once merged."""
    await knowledge.holds("휴가 규정", LEAVE, "병가는 연 10일까지 쓸 수 있어요. 진단서가 필요해요.")
    await knowledge.holds("VPN", VPN)
    await knowledge.holds("Expenses", EXPENSES)
    await knowledge.holds("장비", "노트북은 3년마다 바꾸고, 고장 나면 3층 지원실로 가져오세요.")
    if request.param == "merged":
        assert await knowledge.merges() == 5
    return knowledge


@pytest.mark.parametrize(
    ("question", "title"),
    [
        ("연차 며칠까지 이월돼?", "휴가 규정"), ("진단서 내야 해요?", "휴가 규정"), ("노트북 고장났어요", "장비"),
        ("how do I connect to the vpn?", "VPN"), ("until when do I hand in receipts", "Expenses"), ("ＶＰＮ 연결", "VPN"),
    ],
)  # fmt: skip
async def test_the_document_that_answers_comes_first_and_is_known(office: Knowledge, question: str, title: str):
    found = await Search(office.engine).find(question, [EVERYONE])
    assert (found.passages[0].title, found.is_known) == (title, True)
    assert found.confidence > 0.3


@pytest.mark.parametrize(
    "question", ["회사 주차장은 어디예요?", "부산 가는 기차표 값", "what is the capital of Australia", "who won the match", "?!", ""]
)
async def test_what_no_document_answers_is_not_known(office: Knowledge, question: str):
    found = await Search(office.engine).find(question, [EVERYONE])
    assert not found.is_known
    assert found.confidence < 0.3


async def test_a_passage_says_where_it_stands_and_why_it_was_found(knowledge: Knowledge):
    document = await knowledge.holds("휴가 규정", "반차 규정.", LEAVE, heading="3 휴가 › 3.2 이월")
    best = (await Search(knowledge.engine).find("연차 이월 휴가", [EVERYONE])).passages[0]
    assert (best.document_id, best.title, best.heading, best.page, best.url) == (document, "휴가 규정", "3 휴가 › 3.2 이월", None, None)
    assert best.text == LEAVE
    assert len(best.text_hash) == 64
    assert best.date is not None
    assert best.date[:2] == "20"
    assert sorted(best.parts) == ["pairs", "title", "words"]
    assert all(part > 0 for part in best.parts.values())
    assert sum(best.parts.values()) == pytest.approx(best.score, abs=0.001)


async def test_a_passage_keeps_its_score_when_it_is_merged(knowledge: Knowledge):
    for n in range(20):
        await knowledge.holds(f"문서 {n}", f"{n}번째 규정은 연차 이월과 병가를 다루어요. " + "다른 말 " * n)
    before = (await Search(knowledge.engine).find("연차 병가 규정", [EVERYONE])).passages
    await knowledge.merges()
    assert (await Search(knowledge.engine).find("연차 병가 규정", [EVERYONE])).passages == before


async def test_equal_passages_come_in_a_fixed_order(knowledge: Knowledge):
    for n in range(12):
        await knowledge.holds(f"규정 {'가나다라마바사아자차카타'[n]}", "연차 이월")
        if n == 6:
            await knowledge.merges()
    passages = (await Search(knowledge.engine).find("연차 이월", [EVERYONE], k=12)).passages
    assert [passage.passage_id for passage in passages] == sorted(passage.passage_id for passage in passages)


async def test_earlier_turns_help_to_understand_and_a_new_subject_is_understood_too(office: Knowledge):
    assert (await office.titles("며칠까지?", earlier=["연차 이월 돼?"]))[0] == "휴가 규정"
    long_talk = ["연차 이월 돼?", "병가는?", "진단서 필요해?", "반차는 며칠로 세?"]
    found = await Search(office.engine).find("노트북 고장", [EVERYONE], earlier=long_talk)
    assert (found.passages[0].title, found.is_known) == ("장비", True)


async def test_what_was_removed_or_replaced_stops_answering_at_once(office: Knowledge):
    search = Search(office.engine)
    old = (await search.find("연차 이월", [EVERYONE])).passages[0]
    await office.holds("휴가 규정", "연차는 올해부터 10일까지 이월돼요.")
    assert [passage.text for passage in (await search.find("연차 이월", [EVERYONE])).passages] == ["연차는 올해부터 10일까지 이월돼요."]
    with pytest.raises(NotFoundError):
        await search.passage(old.passage_id, [EVERYONE])
    await office.forgets()
    assert await office.titles("연차 이월") == []


# ── scopes ──


async def test_only_named_scopes_are_searched(office: Knowledge):
    await office.holds("법무", "연차 이월 소송 기록", scope="channel:slack:C1")
    assert "법무" not in await office.titles("연차 이월 소송", EVERYONE)
    assert "법무" not in await office.titles("연차 이월 소송", EVERYONE, "channel:slack:C2", "channel:discord:C1")
    assert (await office.titles("연차 이월 소송", EVERYONE, "channel:slack:C1"))[0] == "법무"
    assert await office.titles("연차 이월 소송", "channel:slack:C1") == ["법무"]
    assert (await Search(office.engine).find("연차", [])).passages == ()


async def test_a_passage_opens_only_in_its_scope(knowledge: Knowledge):
    await knowledge.holds("법무", "소송 기록", scope="channel:slack:C1")
    search = Search(knowledge.engine)
    (passage,) = (await search.find("소송", ["channel:slack:C1"])).passages
    assert (await search.passage(passage.passage_id, ["channel:slack:C1"])).text == "소송 기록"
    with pytest.raises(NotFoundError):
        await search.passage(passage.passage_id, [EVERYONE])


@pytest.fixture(params=["few", "many"])
def size(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> str:
    """Whether the index counts as one of very many passages."""
    if request.param == "many":
        monkeypatch.setattr("knowledge.visible.MANY_PASSAGES", 0)
    return str(request.param)


@pytest.mark.usefixtures("size")
async def test_whoever_sees_most_passages_finds_the_best_of_them_behind_better_ones_that_they_do_not_see(
    knowledge: Knowledge, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr("knowledge.candidates.CANDIDATES", (5, 5))
    await knowledge.holds("법무", *["연차 이월 소송"] * 30, scope="channel:slack:C1")
    await knowledge.holds("공지", *(f"연차 {'다른 말 ' * (n % 9 + 2)}" for n in range(60)))
    await knowledge.holds("정답", "연차 이월 안내")
    await knowledge.merges()
    titles = await knowledge.titles("연차 이월 소송")
    assert (titles[0], "법무" in titles) == ("정답", False)


@pytest.mark.usefixtures("size")
async def test_better_passages_that_may_not_be_seen_do_not_crowd_out_one_that_may(knowledge: Knowledge):
    await knowledge.holds("법무", *["연차 이월 소송"] * 250, scope="channel:slack:C1")
    await knowledge.holds("공지", "연차는 " + "다른 말도 많아요 " * 30)
    await knowledge.merges()
    assert await knowledge.titles("연차 이월 소송") == ["공지"]


async def test_a_row_outside_the_scopes_is_not_read_even_if_the_index_says_it_may(knowledge: Knowledge):
    document = await knowledge.holds("법무", "연차 이월 소송")
    await knowledge.holds("공지", "연차 안내", scope="channel:slack:C1")
    await knowledge.merges()
    async with knowledge.engine.begin() as db:  # moved without its blocks
        await db.execute(
            text(
                "UPDATE passage_terms SET scope_id = (SELECT scope_id FROM scopes WHERE name = 'channel:slack:C1') WHERE document_id = :id"
            ),
            {"id": document},
        )
    assert await knowledge.titles("연차 이월 소송") == []


SCOPES = (EVERYONE, "channel:slack:C1", "channel:slack:C2", "person:discord:7")
WORDS = ("연차", "이월", "병가", "vpn", "token", "receipts")
texts = st.lists(st.sampled_from(WORDS), min_size=1, max_size=6).map(" ".join)
steps = st.lists(
    st.one_of(
        st.tuples(st.just("add"), st.sampled_from(SCOPES), st.lists(texts, min_size=1, max_size=3)),
        st.tuples(st.just("replace"), st.integers(0, 9), st.lists(texts, min_size=1, max_size=2)),
        st.tuples(st.just("remove"), st.integers(0, 9)),
        st.tuples(st.sampled_from(["merge", "compact"])),
        st.tuples(st.just("find"), st.sets(st.sampled_from(SCOPES), min_size=1), texts),
    ),
    min_size=4,
    max_size=24,
)


@dataclass(slots=True)
class Model:
    """What should be there: documents as title, scope and texts."""

    documents: list[tuple[int, str, str, list[str]]] = field(default_factory=list)

    def visible(self, scopes: set[str], question: str) -> set[tuple[str, str]]:
        asked = set(question.split())
        return {
            (title, passage)
            for _, title, scope, passages in self.documents
            for passage in passages
            if scope in scopes and asked & set(passage.split())
        }


@hypothesis_settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(steps=steps)
@pytest.mark.usefixtures("size")
async def test_a_search_returns_what_its_scopes_hold_and_nothing_else(engine: AsyncEngine, steps: Sequence[tuple[Any, ...]]):
    knowledge, model = Knowledge(engine), Model()
    await knowledge.forgets()
    for n, (what, *given_) in enumerate([*steps, ("find", set(SCOPES), " ".join(WORDS))]):
        if what == "add":
            scope, passages = given_
            model.documents.append((await knowledge.holds(f"문서{n}", *passages, scope=scope), f"문서{n}", scope, passages))
        elif what in ("replace", "remove") and model.documents:
            place = given_[0] % len(model.documents)
            document, title, scope, _ = model.documents.pop(place)
            if what == "remove":
                await knowledge.forgets([document])
            else:
                await knowledge.holds(title, *given_[1], scope=scope)
                model.documents.append((document, title, scope, given_[1]))
        elif what == "merge":
            await knowledge.merges()
        elif what == "compact":
            await index.compact(engine)
        elif what == "find":
            scopes, question = given_
            found = (await Search(engine).find(question, sorted(scopes), k=100)).passages
            assert {(passage.title, passage.text) for passage in found} == model.visible(scopes, question)


async def test_a_compacted_index_finds_the_same_and_counts_what_is_left(knowledge: Knowledge):
    for n in range(9):
        await knowledge.holds(f"문서 {n}", "연차 이월 규정", "병가 규정")
    await knowledge.merges()
    async with knowledge.engine.connect() as db:
        gone = [row.document_id for row in await db.execute(text("SELECT document_id FROM documents ORDER BY document_id LIMIT 6"))]
    await knowledge.forgets(gone)
    before = await knowledge.titles("연차 이월")
    assert await index.compact(knowledge.engine) == 1
    assert await knowledge.titles("연차 이월") == before == ["문서 6", "문서 7", "문서 8"]
    async with knowledge.engine.connect() as db:
        figures = (await db.execute(text("SELECT passages, next_slot FROM search_stats"))).one()
        most = (await db.execute(text("SELECT max(passages) FROM term_counts"))).scalar_one()
    assert tuple(figures) == (6, 18 + 6)  # slots are never used again
    assert most == 6
    assert await index.compact(knowledge.engine) == 0


@pytest.mark.usefixtures("size")
async def test_what_is_gone_and_not_compacted_yet_makes_no_second_try(knowledge: Knowledge, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr("knowledge.candidates.CANDIDATES", (20, 20))
    rows, read = Visible.at, list[int]()

    async def watched(visible: Visible, slots: list[int]) -> Rows:
        read.append(len(slots))
        return await rows(visible, slots)

    monkeypatch.setattr(Visible, "at", watched)
    gone = [await knowledge.holds(f"문서 {n}", "연차 이월") for n in range(30)][::4]
    await knowledge.merges()
    await knowledge.forgets(gone)
    assert (await knowledge.titles("연차 이월"))[0] == "문서 1"
    assert len(read) == 1


async def test_passages_on_both_sides_of_a_segment_are_found_and_segments_may_be_missing(knowledge: Knowledge):
    await knowledge.holds("처음", "연차 이월")
    await knowledge.merges()
    async with knowledge.engine.begin() as db:
        await db.execute(text("UPDATE search_stats SET next_slot = 3 * 65536 - 2"))
    for n in range(4):
        await knowledge.holds(f"문서 {n}", "연차 이월", scope=EVERYONE if n % 2 else "channel:slack:C1")
    await knowledge.merges()
    assert sorted(await knowledge.titles("연차 이월")) == ["문서 1", "문서 3", "처음"]
    assert sorted(await knowledge.titles("연차 이월", "channel:slack:C1")) == ["문서 0", "문서 2"]
    async with knowledge.engine.connect() as db:
        slots = await db.execute(text("SELECT slot FROM passage_terms ORDER BY slot"))
        assert [row.slot for row in slots] == [0, *range(3 * 65536 - 2, 3 * 65536 + 2)]


async def test_more_passages_than_candidates_are_cut_to_the_best(knowledge: Knowledge):
    await knowledge.holds("많이", *(f"연차 {'다른 말 ' * (n % 40)}" for n in range(400)))
    best = await knowledge.holds("정답", "연차 이월 신청")
    await knowledge.merges()
    found = (await Search(knowledge.engine).find("연차 이월 신청", [EVERYONE])).passages
    assert (found[0].document_id, len(found)) == (best, 10)


# ── the handbook ──


async def test_the_handbook_answers_while_there_is_nothing_else(knowledge: Knowledge):
    await knowledge.holds("Connect Slack", "Make an app in Slack and paste its token.", scope=HANDBOOK["en"], kind="handbook")
    assert await knowledge.titles("how do I make a Slack app") == ["Connect Slack"]
    await knowledge.holds("Slack etiquette", "Do not make noise in Slack apps.", scope="channel:slack:C1")
    assert await knowledge.titles("how do I make a Slack app") == ["Connect Slack"]  # that document is not visible here
    assert await knowledge.titles("how do I make a Slack app", EVERYONE, "channel:slack:C1") == ["Slack etiquette"]
    assert set(await knowledge.titles("how do I make a Slack app for nod", EVERYONE, "channel:slack:C1")) == {
        "Connect Slack",
        "Slack etiquette",
    }


@pytest.mark.parametrize(
    ("question", "title"),
    [("Slack 토큰", "Slack 연결하기"), ("Slack token", "Connect Slack"), ("how do I paste the Slack 토큰?", "Connect Slack")],
)
async def test_the_handbook_is_read_in_the_language_of_the_question(knowledge: Knowledge, question: str, title: str):
    await knowledge.holds("Connect Slack", "Paste the token (토큰) of the app into Slack.", scope=HANDBOOK["en"], kind="handbook")
    await knowledge.holds("Slack 연결하기", "Slack 앱의 토큰(token)을 붙여 넣으세요.", scope=HANDBOOK["ko"], kind="handbook")
    assert await knowledge.titles(question) == [title]


async def test_the_handbook_is_back_when_the_last_document_is_gone(knowledge: Knowledge):
    await knowledge.holds("Slack 연결하기", "슬랙 앱을 만들고 토큰을 붙여 넣으세요.", scope=HANDBOOK["ko"], kind="handbook")
    own = await knowledge.holds("공지", "슬랙 앱 점검")
    assert await knowledge.titles("슬랙 앱") == ["공지"]
    await knowledge.forgets([own])
    assert await knowledge.titles("슬랙 앱") == ["Slack 연결하기"]


async def test_everybody_may_open_the_handbook_and_ask_it_by_name(knowledge: Knowledge):
    await knowledge.holds("Connect Slack", "Make an app.", scope=HANDBOOK["en"], kind="handbook")
    await knowledge.holds("Other", "Make tea.")
    search = Search(knowledge.engine)
    (passage,) = (await search.find("app", [HANDBOOK["en"]])).passages
    assert (await search.passage(passage.passage_id, ["person:slack:U1"])).title == "Connect Slack"


@pytest.mark.parametrize(
    "question",
    [
        "how do I teach nod a document?", "nod를 어떻게 꺼?", "nod가 왜 인용만 해?", "What is NOD_DAILY_LIMIT?", "/nod ask 가 안 돼요",
        "what does `/teach` do", "`make up` fails", "SLACK_APP_TOKEN은 어디서 받아?", "@nod what can nod do?", "run nod doctor?",
    ],
)  # fmt: skip
def test_questions_about_nod(question: str):
    assert is_about_nod(question)


@pytest.mark.parametrize(
    "question",
    [
        "@nod 연차 이월 돼?", "<@U123> how many days?", "노드가 몇 개예요?", "which node crashed?", "she nodded", "노드 추가 방법",
        "path /node/ask/teach", "how to make up for lost time", "https://example.com/nod/ask", "nod-like receptors", "연차 규정",
    ],
)  # fmt: skip
def test_questions_about_something_else(question: str):
    assert not is_about_nod(question)


@pytest.mark.parametrize(
    "question", ["슬랙은 어떻게 연결해?", "혹시 슬랙에 연결하려면 뭘 해야 하나요?", "how do I connect Slack, please?", "slack"]
)
async def test_a_loanword_finds_what_is_written_in_the_other_script(knowledge: Knowledge, question: str):
    await knowledge.holds("연결하기", "Slack 연결하기: 앱을 설치하고 토큰을 붙여 넣으세요.")
    await knowledge.holds("Connecting", "Connect 슬랙: install the app.")
    await knowledge.holds("휴가", LEAVE)
    found = await Search(knowledge.engine).find(question, [EVERYONE])
    assert (found.passages[0].title, found.is_known) == ("연결하기" if found.passages[0].is_korean else "Connecting", True)
    assert found.passages[0].is_korean == any("가" <= letter <= "힣" for letter in question)


@pytest.mark.parametrize(("question", "title"), [("레디스 백업은 어떻게 해?", "하나"), ("how do I back up Redis?", "One")])
async def test_of_two_passages_that_say_the_same_the_one_in_the_language_of_the_question_is_first(
    knowledge: Knowledge, question: str, title: str
):
    """Each has more of the other language's words."""
    await knowledge.holds("하나", "Redis back up: 데이터 폴더를 복사하면 되고, Redis는 백업하지 않아도 돼요. (back up)")
    await knowledge.holds("One", "Redis 백업: copy the data folder, Redis itself needs no back up. (레디스 백업)")
    assert (await knowledge.titles(question))[0] == title


@pytest.mark.parametrize(
    ("question", "text"),
    [("프린터 토너 색상", "프린터 {n}번은 {n}층 복도에 있어요."), ("printer toner colours", "Printer {n} stands on floor {n}.")],
)
async def test_what_the_tenth_passage_reaches_too_is_no_evidence(knowledge: Knowledge, question: str, text: str):
    """Ten passages about printers do not say that one of them knows about toner; a single one may."""
    for n in range(30):
        await knowledge.holds(f"규정 {n}", f"{n}조는 {n}년에 바뀌었어요. Article {n} was changed.")
    await knowledge.holds("1", text.format(n=1))
    one = (await Search(knowledge.engine).find(question, [EVERYONE])).confidence
    for n in range(2, 12):
        await knowledge.holds(str(n), text.format(n=n))
    many = (await Search(knowledge.engine).find(question, [EVERYONE])).confidence
    assert many < one / 20
