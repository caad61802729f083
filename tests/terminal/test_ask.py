"""`nod ask`: the answer as it grows, where it comes from, how it is stopped; the same for programs."""

import asyncio
import json
import os
import signal
import subprocess
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from bot.terminal.render import harmless
from nod.contracts import Citation, Source
from tests.roles import Roles
from tests.speaker import Speaker
from tests.warm import NOD

LEAVE = Source(n=1, document_id=1, passage_id=1, title="hr-policy.pdf", heading="Leave", page=12, date="2026-03-02", passage="Five days.")


class Terminal:
    """A person at a terminal: one `nod ask`, what it printed so far."""

    def __init__(self, child: asyncio.subprocess.Process) -> None:
        self.child = child
        self.said = b""

    async def shows(self, text: str) -> None:
        """Read on until a text is printed."""
        while text not in self.said.decode(errors="ignore"):
            piece = await asyncio.wait_for(self.child.stdout.read(4096), 20)
            assert piece, f"never printed {text!r}: {self.said.decode()!r} {(await self.child.stderr.read()).decode()}"
            self.said += piece

    async def ends(self) -> tuple[int, str, str]:
        """Return exit code, everything printed, and what went to stderr."""
        rest, beside = await asyncio.wait_for(self.child.communicate(), 20)
        return self.child.returncode, (self.said + rest).decode(), beside.decode()


@pytest.fixture
async def ask(process_env, tmp_path: Path) -> AsyncIterator:
    terminals: list[Terminal] = []

    async def ask(*arguments: str, **env: str) -> Terminal:
        child = await asyncio.create_subprocess_exec(
            NOD, "ask", *arguments, cwd=tmp_path, env=process_env | env, stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE, stderr=subprocess.PIPE, start_new_session=True,
        )  # fmt: skip
        terminals.append(Terminal(child))
        return terminals[-1]

    yield ask
    for terminal in terminals:
        if terminal.child.returncode is None:
            terminal.child.kill()
            await terminal.child.communicate()


@pytest.fixture
async def speaker(record, redis) -> Speaker:
    speaker = Speaker(record, redis)
    await speaker.claims.register("worker")
    return speaker


async def test_an_answer_is_printed_as_it_grows_and_then_its_sources_and_what_is_to_be_said(ask, speaker):
    terminal = await ask("Can I carry", "leave over?")
    await speaker.claim()
    assert speaker.task.text == "Can I carry leave over?"
    await speaker.says("Yes, ")
    await terminal.shows("Yes,")
    await speaker.says("five days [1].")
    await terminal.shows("five days [1].")
    await speaker.commits(sources=(LEAVE,), notices=("cut",))
    code, printed, beside = await terminal.ends()
    assert (code, beside) == (0, "")
    assert printed.startswith("Yes, five days [1].\n\n[1] hr-policy.pdf p. 12 · 2026-03-02\n")
    assert "broke off" in printed


DOUBTED = "Yes, five days [1]. Ten next year [1]."
DOUBT = Citation(start=20, end=37, sources=(1,), verdict="unsupported", why="number")


async def test_a_sentence_that_its_source_does_not_say_is_told_below_what_was_written(ask, speaker):
    terminal = await ask("Can I carry leave over?")
    await speaker.claim()
    await speaker.says(DOUBTED)
    await terminal.shows(DOUBTED)
    await speaker.commits(sources=(LEAVE,), citations=(DOUBT,), notices=("unsupported",))
    _, printed, _ = await terminal.ends()
    assert printed.startswith(f"{DOUBTED}\n\n[1] hr-policy.pdf p. 12 · 2026-03-02\n⚠ Ten next year [1]\n⚠ marks what was not found")


async def test_for_programs_the_mark_stands_in_the_answer_and_each_citation_has_its_verdict(ask, speaker):
    terminal = await ask("--json", "Can I carry leave over?")
    await speaker.claim()
    await speaker.commits(DOUBTED, sources=(LEAVE,), citations=(DOUBT,), notices=("unsupported",))
    said = json.loads((await terminal.ends())[1])
    assert said["answer"] == "Yes, five days [1]. Ten next year [1]⚠."
    assert said["citations"] == [{"text": "Ten next year [1]", "sources": [1], "verdict": "unsupported", "why": "number"}]


async def test_in_korean_everything_around_the_answer_is_korean(ask, speaker):
    terminal = await ask("연차 이월 돼?", NOD_LANGUAGE="ko")
    await speaker.claim()
    await speaker.commits("5일까지 돼요 [1].", sources=(LEAVE,), notices=("stopped",))
    _, printed, _ = await terminal.ends()
    assert "12쪽" in printed
    assert "멈췄어요" in printed


@pytest.mark.parametrize(
    ("question", "quote", "kind", "notice"),
    [
        ("연차 이월 돼?", "> 5일까지예요.\n>\n> — hr-policy.pdf · 12쪽 · 2026-03-02 [1]", "no_model", "언어 모델이 없어서"),
        (
            "Can I carry leave over?",
            "> Up to five days.\n>\n> — hr-policy.pdf · p. 12 · 2026-03-02 [1]",
            "no_model",
            "No language model is connected",
        ),
        ("연차 이월 돼?", "> 5일까지예요.\n>\n> — hr-policy.pdf · 12쪽 · 2026-03-02 [1]", "model_down", "지금 모델이 응답하지 않아서"),
        ("Can I carry leave over?", "> Up to five days.\n>\n> — hr-policy.pdf · p. 12 · 2026-03-02 [1]", "daily_limit", "Today's limit"),
    ],
)
async def test_a_quote_names_its_source_once(ask, speaker, question, quote, kind, notice):
    terminal = await ask(question)
    await speaker.claim()
    await speaker.commits(quote, sources=(LEAVE,), notices=(kind,))
    _, printed, _ = await terminal.ends()
    assert printed.count("hr-policy.pdf") == 1
    assert notice in printed


async def test_for_programs_there_is_one_object_and_nothing_else(ask, speaker):
    terminal = await ask("--json", "--scope", "channel:slack:C1", "연차 이월 돼?")
    await speaker.claim()
    assert "channel:slack:C1" in speaker.task.scopes
    await speaker.says("5일")
    await speaker.commits("5일까지 돼요 [1].", sources=(LEAVE,))
    code, printed, beside = await terminal.ends()
    said = json.loads(printed)
    assert (code, beside) == (0, "")
    assert said["answer"] == "5일까지 돼요 [1]."
    assert said["status"] == "answered"
    assert said["language"] == "ko"
    assert said["sources"] == [
        {"n": 1, "document_id": 1, "title": "hr-policy.pdf", "heading": "Leave", "page": 12, "date": "2026-03-02", "url": None,
         "passage": "Five days."}
    ]  # fmt: skip
    assert {"question_id", "answer_id", "conversation", "verified", "similar", "model", "seconds"} <= said.keys()


async def test_a_conversation_goes_on_with_its_id_and_without_it_begins_anew(ask, speaker, record):
    first = await ask("--json", "휴가 며칠 남았어?")
    await speaker.claim()
    await speaker.commits("15일이에요.")
    conversation = json.loads((await first.ends())[1])["conversation"]
    second = await ask("--json", "--conversation", conversation, "반차도 돼?")
    await speaker.claim()
    turns = await record.turns(speaker.task.conversation_id, speaker.task.position)
    assert [turn.text for turn in turns] == ["휴가 며칠 남았어?", "15일이에요."]
    await speaker.commits("네.")
    await second.ends()
    third = await ask("--json", "반차도 돼?")
    await speaker.claim()
    assert not await record.turns(speaker.task.conversation_id, speaker.task.position)
    await speaker.commits("네.")
    await third.ends()


async def test_a_failed_answer_is_a_sentence_with_its_id_and_exit_code_1(ask, speaker):
    terminal = await ask("Can I?")
    await speaker.claim()
    await speaker.commits(status="failed", error="overloaded", text="")
    code, printed, beside = await terminal.ends()
    assert code == 1
    assert printed == ""
    assert "overloaded" in beside
    assert f"q-{speaker.task.question_id.hex[:8]}" in beside


async def test_ctrl_c_stops_the_answer_and_keeps_what_was_said(ask, speaker):
    terminal = await ask("Long?")
    await speaker.claim()
    await speaker.says("the beginning")
    await terminal.shows("the beginning")
    os.kill(terminal.child.pid, signal.SIGINT)
    while speaker.task.answer_id not in await speaker.claims.to_stop():
        await asyncio.sleep(0.02)
    await speaker.commits(stopped=True, notices=("stopped",))
    code, printed, beside = await terminal.ends()
    assert code == 130
    assert printed.startswith("the beginning\n")
    assert "Stopped here" in printed
    assert "Traceback" not in beside


async def test_ctrl_c_twice_leaves_at_once(ask, speaker):
    terminal = await ask("Long?")
    await speaker.claim()
    await speaker.says("the beginning")
    await terminal.shows("the beginning")
    os.kill(terminal.child.pid, signal.SIGINT)
    while speaker.task.answer_id not in await speaker.claims.to_stop():
        await asyncio.sleep(0.02)
    os.kill(terminal.child.pid, signal.SIGINT)
    code, _, beside = await terminal.ends()
    assert code == 130
    assert "Traceback" not in beside


async def test_another_attempt_is_printed_whole_below_what_the_first_had_said(ask, speaker, record, redis):
    terminal = await ask("Twice?")
    await speaker.claim()
    await speaker.says("the first attempt")
    await terminal.shows("the first attempt")
    await speaker.claims.release()
    second = Speaker(record, redis)
    await second.claim()
    await second.says("the second")
    await second.commits()
    _, printed, _ = await terminal.ends()
    assert printed.rstrip().endswith("the second")
    assert "interruption" in printed


async def test_whoever_stops_reading_the_output_gets_no_complaint_about_servers(ask, speaker):
    terminal = await ask("Long?")
    await speaker.claim()
    terminal.child.stdout._transport.close()
    await speaker.says("nobody reads this")
    await speaker.commits("nobody reads this " * 100)
    beside = (await asyncio.wait_for(terminal.child.stderr.read(), 20)).decode()
    assert await terminal.child.wait() == 1
    assert "PostgreSQL" not in beside
    assert "Traceback" not in beside


async def test_no_line_of_a_log_stands_beside_the_answer(ask, speaker):
    terminal = await ask("Can I carry leave over?", REDIS_URL="redis://127.0.0.1:9/0")
    await speaker.claim()
    await speaker.commits("Yes.")
    code, printed, beside = await terminal.ends()
    assert (code, beside) == (0, "")
    assert printed.startswith("Yes.\n")


async def test_without_a_running_nod_there_is_a_sentence(ask, tmp_path):
    terminal = await ask("Anybody?", DATABASE_URL="", REDIS_URL="", NOD_DATA_DIR=str(tmp_path / "nowhere"))
    code, printed, beside = await terminal.ends()
    assert (code, printed) == (1, "")
    assert "make up" in beside
    assert "Traceback" not in beside


async def test_a_scope_that_is_named_is_searched_and_without_it_is_not(ask, process_env, tmp_path):
    roles = Roles(process_env, tmp_path)
    try:
        roles.start("worker")
        (tmp_path / "legal.md").write_text("# Contracts\n\nThe notice period of the Meyer contract is seven weeks.\n")
        roles.run("ingest", str(tmp_path / "legal.md"), "--scope", "channel:slack:CLEGAL")
        question = "How long is the notice period of the Meyer contract?"
        without = json.loads((await (await ask("--json", question)).ends())[1])
        assert "seven weeks" not in without["answer"]
        named = json.loads((await (await ask("--json", question, "--scope", "channel:slack:CLEGAL")).ends())[1])
        assert "seven weeks" in named["answer"]
        assert named["sources"][0]["title"] == "Contracts"
    finally:
        roles.stop()


@pytest.mark.parametrize("text", ["\x1b]0;owned\x07title", "\x1b[2Jgone", "\x9b31m", "a\u202eb", "a\rb", "\x07"])
def test_what_a_terminal_would_obey_is_taken_out(text):
    assert not set(harmless(text)) & set("\x1b\x07\x9b\u202e\r")


def test_korean_line_breaks_and_emoji_stay():
    assert harmless("연차 5일\n\t반차 👍🏽") == "연차 5일\n\t반차 👍🏽"
