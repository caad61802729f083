"""What leaves: the rows a trainer expects, nothing that must stay, and a report that says why."""

import csv
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from feedback.export import ExportError, export_csv, export_training
from feedback.redact import Redactor, leaks
from feedback.reviews import ReviewError, review, undo
from feedback.samples import allow, allowed_platforms
from feedback.votes import cast
from tests.asked import ALEX, JISU
from tests.feedback.test_votes import thumb
from tests.warm import run

ALL = frozenset({"slack", "discord", "web", "cli"})
EARLIER = (
    {"role": "user", "content": "휴가 며칠 남았어?"},
    {"role": "assistant", "content": "", "tool_calls": [
        {"id": "call_1", "type": "function", "function": {"name": "search_knowledge", "arguments": '{"query": "휴가"}'}}]},
    {"role": "tool", "tool_call_id": "call_1", "content": "[1] 15일"},
    {"role": "assistant", "content": "15일입니다."},
)  # fmt: skip


async def rows(engine, form, tmp_path, ups=None, allowed=ALL):
    report = await export_training(engine, form, tmp_path / "out.jsonl", allowed, ups)
    lines = (tmp_path / "out.jsonl").read_text("utf-8").splitlines() if report.rows else []
    return [json.loads(line) for line in lines], report


async def test_kto_has_one_row_an_answer_with_a_bool_label(engine, answered, tmp_path):
    await answered("연차 이월 돼?", "5일까지요.", *EARLIER, votes=[(JISU, "up"), (ALEX, "up")])
    await answered("Can I?", "No.", votes=[(JISU, "down")])
    found, report = await rows(engine, "trl-kto", tmp_path)
    assert {row["completion"][0]["content"]: row["label"] for row in found} == {"5일까지요.": True, "No.": False}
    assert report.rows == 2
    [call] = [m for row in found for m in row["prompt"] if m.get("tool_calls")]
    assert call["tool_calls"][0]["function"]["arguments"] == {"query": "휴가"}


async def test_a_tie_and_a_withdrawn_vote_are_left_out_and_counted(engine, record, answered, tmp_path):
    await answered("반차?", "네.", votes=[(JISU, "up"), (ALEX, "down")])
    withdrawn = await answered("이월?", "네.", votes=[(JISU, "up")])
    await cast(engine, record, thumb("up", kind="unset", minute=1).model_copy(update={"answer_id": withdrawn}))
    found, report = await rows(engine, "trl-kto", tmp_path)
    assert (found, report.left_out) == ([], {"tie": 1, "withdrawn": 1})
    assert not (tmp_path / "out.jsonl").exists()


async def test_a_correction_gives_kto_its_old_reply_and_the_better_one_apart(engine, answered, tmp_path):
    wrong = await answered("이월?", "5일.", votes=[(JISU, "down")])
    for n in range(3):
        await answered(f"q{n}", f"a{n}", votes=[(JISU, "up")])
    await review(engine, wrong, None, "fixable", correction="올해부터 10일까지요.")
    found, _ = await rows(engine, "trl-kto", tmp_path)
    at = {row["completion"][0]["content"]: n for n, row in enumerate(found)}
    assert found[at["5일."]]["label"] is False
    assert found[at["올해부터 10일까지요."]]["label"] is True
    assert abs(at["5일."] - at["올해부터 10일까지요."]) > 1


async def test_openai_rows_learn_only_the_reviewed_reply(engine, answered, tmp_path):
    good = await answered("이월?", "5일까지요.", *EARLIER, votes=[(JISU, "up")])
    await answered("Unreviewed?", "Yes.", votes=[(JISU, "up")])
    await review(engine, good, None, "good")
    [row], report = await rows(engine, "openai-sft", tmp_path)
    assert [(m["role"], m.get("weight")) for m in row["messages"] if m["role"] == "assistant"] == [
        ("assistant", 0), ("assistant", 0), ("assistant", None),
    ]  # fmt: skip
    assert row["messages"][-1] == {"role": "assistant", "content": "5일까지요."}
    assert isinstance(row["messages"][2]["tool_calls"][0]["function"]["arguments"], str)
    assert report.left_out == {"not_reviewed": 1}


async def test_include_unreviewed_takes_liked_answers_nobody_disliked(engine, answered, tmp_path):
    await answered("liked", "A.", votes=[(JISU, "up"), (ALEX, "up")])
    await answered("disputed", "B.", votes=[(JISU, "up"), (ALEX, "down")])
    assert [r["messages"][-1]["content"] for r in (await rows(engine, "openai-sft", tmp_path, ups=2))[0]] == ["A."]
    assert (await rows(engine, "openai-sft", tmp_path, ups=3))[1].rows == 0


async def test_a_fixable_answer_teaches_its_correction(engine, answered, tmp_path):
    wrong = await answered("이월?", "5일.", votes=[(JISU, "down")])
    await review(engine, wrong, None, "fixable", correction="10일.")
    [row], _ = await rows(engine, "openai-sft", tmp_path)
    assert row["messages"][-1]["content"] == "10일."


async def test_reviewers_who_disagree_leave_an_answer_out(engine, record, answered, tmp_path):
    answer = await answered("이월?", "5일.", votes=[(JISU, "up")])
    async with engine.begin() as db:
        people = [await record.person_id(db, JISU), await record.person_id(db, ALEX)]
    await review(engine, answer, people[0], "good")
    await review(engine, answer, people[1], "bad")
    assert (await rows(engine, "trl-kto", tmp_path))[1].left_out == {"reviewers_disagree": 1}


async def test_direct_messages_on_chat_platforms_never_leave(engine, answered, tmp_path):
    await answered("내 급여?", "비밀.", visibility="direct", votes=[(JISU, "up")])
    assert (await rows(engine, "trl-kto", tmp_path))[1].left_out == {"direct_message": 1}


async def test_slack_rows_stay_until_an_admin_allows_them(engine, answered, tmp_path):
    await answered("이월?", "5일.", votes=[(JISU, "up")])
    allowed = await allowed_platforms(engine, ("web", "cli"))
    assert (await rows(engine, "trl-kto", tmp_path, allowed=allowed))[1].left_out == {"training_off_slack": 1}
    await allow(engine, "slack", allowed=True, person_id=None)
    allowed = await allowed_platforms(engine, ("web", "cli"))
    assert (await rows(engine, "trl-kto", tmp_path, allowed=allowed))[1].rows == 1


async def test_what_the_file_holds_is_redacted_the_same_in_a_whole_row(engine, answered, tmp_path):
    await answered(
        "<@U0123ABCD> 010-1234-5678로 연락해?", "네, 010-1234-5678이나 jisu@example.com으로요.", votes=[(JISU, "up")]
    )  # fmt: skip
    [row], _ = await rows(engine, "trl-kto", tmp_path)
    assert row["prompt"][-1]["content"] == "[USER_1] [PHONE_1]로 연락해?"
    assert row["completion"][0]["content"] == "네, [PHONE_1]이나 [EMAIL_1]으로요."


async def test_two_exports_of_the_same_store_are_the_same_bytes(engine, answered, tmp_path):
    for n in range(6):
        await answered(f"q{n}", f"a{n}", votes=[(JISU, "up" if n % 2 else "down")])
    first = (await rows(engine, "trl-kto", tmp_path))[1].sha256
    assert (await rows(engine, "trl-kto", tmp_path))[1].sha256 == first
    manifest = json.loads((tmp_path / "out.jsonl.manifest.json").read_text("utf-8"))
    assert (manifest["rows"], manifest["sha256"]) == (6, first)


async def test_csv_reads_back_and_runs_no_formula(engine, answered, tmp_path):
    await answered("=HYPERLINK(1)", '줄\n바꿈, "따옴표"', votes=[(JISU, "down")])
    report = await export_csv(engine, tmp_path / "votes.csv")
    raw = (tmp_path / "votes.csv").read_bytes()
    assert raw.startswith(b"\xef\xbb\xbf")
    [row] = csv.DictReader(raw.decode("utf-8-sig").splitlines(keepends=True))
    assert (row["question"], row["answer"], row["vote"], report.rows) == ("'=HYPERLINK(1)", '줄\n바꿈, "따옴표"', "down", 1)


async def test_fixable_needs_a_correction_and_a_newer_verdict_replaces_the_older(engine, answered):
    answer = await answered("이월?", "5일.")
    with pytest.raises(ReviewError, match="needs the corrected answer"):
        await review(engine, answer, None, "fixable", correction="  ")
    await review(engine, answer, None, "good")
    await review(engine, answer, None, "bad")
    assert await undo(engine, answer, None)
    assert await undo(engine, answer, None)
    assert not await undo(engine, answer, None)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("내 번호는 010-1234-5678이야", "내 번호는 [PHONE_1]이야"),
        ("call +82 10-1234-5678 or +1 (415) 555-2671", "call [PHONE_1] or [PHONE_2]"),
        ("주민번호 900101-1234567", "주민번호 [ID_NUMBER_1]"),
        ("카드 4111 1111 1111 1111", "카드 [CARD_1]"),
        ("not a card 4111 1111 1111 1112", "not a card 4111 1111 1111 1112"),
        ("token xoxb-123456-abcdef and sk-abcdefghijklmnopqrst", "token [SECRET_1] and [SECRET_2]"),
        ("https://acme.slack.com/archives/C012AB3CD/p1700 봐", "[LINK_1] 봐"),
        ("CONFIDENTIAL GUIDELINES 2026년 11월 21일, 3.2.1절, 15,000원", "CONFIDENTIAL GUIDELINES 2026년 11월 21일, 3.2.1절, 15,000원"),
        ("U012AB3CD가 https://acme.slack.com/archives/C012AB3CD/p1700를", "[USER_1]가 [LINK_1]를"),
        ("<#C012AB3CD|general> U012AB3CD", "[CHANNEL_1] [USER_1]"),
    ],
)
def test_personal_data_is_found_and_ordinary_text_is_left_alone(text, expected):
    assert Redactor().redact(text) == expected


@given(st.text(), st.sampled_from(["sk-abcdefghijklmnopqrst", "a.b@example.co.kr", "010-9876-5432", "<@U0123ABCD>"]), st.text())
def test_nothing_redacted_is_found_again(before, secret, after):
    assert leaks(Redactor().redact(f"{before} {secret} {after}")) == []


async def test_an_export_that_would_still_leak_is_not_written(engine, answered, tmp_path, monkeypatch):
    await answered("이월?", "a@b.kr", votes=[(JISU, "up")])
    monkeypatch.setattr(Redactor, "redact", lambda _self, text: text)
    with pytest.raises(ExportError, match="EMAIL"):
        await rows(engine, "trl-kto", tmp_path)
    assert not (tmp_path / "out.jsonl").exists()


def test_a_database_that_is_away_is_a_sentence(process_env, tmp_path):
    env = process_env | {"DATABASE_URL": "postgresql://nod@127.0.0.1:9/nod"}
    done = run(["feedback", "list"], env=env, cwd=tmp_path)
    assert done.returncode == 1
    assert done.stderr.startswith("PostgreSQL does not answer:")
    assert "bug" not in done.stderr
