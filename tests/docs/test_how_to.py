"""The code in docs/how-to runs as it is printed."""

import re
from pathlib import Path
from uuid import uuid4

import pytest

from feedback.samples import Sample, Selection
from nod.contracts import Question

HOW_TO = Path(__file__).parents[2] / "docs" / "how-to"


def code_of(page: str) -> dict[str, object]:
    """Run the one Python listing of a page and return what it defines."""
    [listing] = re.findall(r"```python\n(.*?)```", (HOW_TO / page).read_text("utf-8"), re.DOTALL)
    names: dict[str, object] = {"__name__": f"how_to_{uuid4().hex}"}
    exec(compile(listing, page, "exec"), names)
    return names


def test_every_page_is_tested_here():
    assert {page.name for page in HOW_TO.glob("*.md")} == {"add-a-tool.md", "add-a-loader.md", "add-an-export.md", "add-a-platform.md"}


def test_the_tool_answers_and_refuses_with_a_sentence():
    days_between = code_of("add-a-tool.md")["days_between"]
    assert days_between("2026-11-21", "2026-12-01") == "10 days"
    assert "is no date" in days_between("어제", "2026-12-01")


@pytest.mark.parametrize("said", ["연차는 이월돼요.", "Leave carries over."])
def test_the_loader_reads_what_is_said(said):
    loaded = code_of("add-a-loader.md")["load"](
        f"1\n00:00:01,000 --> 00:00:04,000\n{said}\n\n2\n00:00:05,000 --> 00:00:06,000\n{said}\n".encode()
    )
    assert [(block.kind, block.text) for block in loaded.blocks] == [("text", f"{said} {said}")]


def test_the_export_gives_rows_as_llama_factory_reads_them():
    messages = [{"role": "system", "content": "You are nod."}, {"role": "user", "content": "이월 돼?"}]
    sample = Sample("a", "이월 돼?", messages, [], "네.", "good", None, 1, 0)
    [row] = code_of("add-an-export.md")["rows_from"](Selection([sample], __import__("collections").Counter()), None)
    assert row.value == {
        "conversations": [{"from": "human", "value": "이월 돼?"}, {"from": "gpt", "value": "네."}],
        "system": "You are nod.",
    }


async def test_the_platforms_question_can_be_accepted(record):
    question = code_of("add-a-platform.md")["question_from"]("1700.1", "U1", "C1", "연차 이월 돼?")
    assert isinstance(question, Question)
    assert (await record.accept(question)).is_new
