"""Questions about the handbook find the page that answers them, and what it does not answer is not known.

The questions were written from the pages alone, by somebody who had not seen the rule of the search.
"""

import json
import subprocess
import sys
import tomllib
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from knowledge.search import Search

DOCS = Path(__file__).parents[2] / "docs"
NOD = Path(sys.executable).with_name("nod")
QUESTIONS = tomllib.loads(Path(__file__).with_name("handbook_questions.toml").read_text("utf-8"))["question"]

RIGHT_OF_20 = 17
KNOWN_OF_20 = 11
REFUSED_OF_6 = 6


@dataclass(frozen=True, slots=True)
class Result:
    """What one question found; `wanted` is empty when the handbook does not answer it."""

    text: str
    wanted: str
    first: str
    is_known: bool

    @property
    def is_right(self) -> bool:
        return self.first == self.wanted if self.wanted else not self.is_known


@dataclass(frozen=True, slots=True)
class Figures:
    """The results of one half, counted."""

    results: tuple[Result, ...] = field(repr=False)

    @property
    def right(self) -> int:
        return sum(result.is_right for result in self.results if result.wanted)

    @property
    def refused(self) -> int:
        return sum(result.is_right for result in self.results if not result.wanted)

    @property
    def known(self) -> int:
        return sum(result.is_known for result in self.results if result.wanted)

    @property
    def is_enough(self) -> bool:
        return self.right >= RIGHT_OF_20 and self.known >= KNOWN_OF_20 and self.refused >= REFUSED_OF_6

    def __str__(self) -> str:
        return f"right first: {self.right} of 20, of the 20 known: {self.known}, refused: {self.refused} of 6"

    def misses(self) -> str:
        return "\n".join(
            f"  {result.text}\n    wanted: {result.wanted or 'not known'}; first: {result.first}; is_known: {result.is_known}"
            for result in self.results
            if not result.is_right
        )


def title_of(language: str, page: str) -> str:
    first, *_ = (DOCS / language / f"{page}.md").read_text("utf-8").splitlines()
    return first.removeprefix("# ")


@pytest.fixture
def handbook(process_env, tmp_path):
    """The handbook, learnt as `nod up` learns it."""
    done = subprocess.run(
        [NOD, "ingest", "--handbook", "--json"], cwd=tmp_path, env=process_env, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


@pytest.fixture
def figures(handbook, engine):
    async def ask(half: str) -> Figures:
        search, results = Search(engine), []
        for question in (question for question in QUESTIONS if question["half"] == half):
            found = await search.find(question["text"], ("everyone",))
            wanted = title_of(question["language"], question["page"]) if question["page"] else ""
            first = found.passages[0].title if found.passages else ""
            results.append(Result(question["text"], wanted, first, found.is_known))
        return Figures(tuple(results))

    return ask


async def test_half_a_finds_the_page_and_refuses_the_rest(figures):
    half = await figures("a")
    assert half.is_enough, f"{half}\n{half.misses()}"


@pytest.mark.xfail(strict=False, reason="without a model, chatty questions in other words than the page's are found too rarely")
async def test_final_figure_half_b_finds_the_page_and_refuses_the_rest(figures):
    """The final figure. Its misses are not shown on purpose: whoever fits the search must not see them."""
    half = await figures("b")
    enough, counted = half.is_enough, str(half)
    assert enough, counted
