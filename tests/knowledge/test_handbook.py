"""Questions about the handbook find the page that answers them, and what it does not answer is not known.

The questions were written from the pages alone, by somebody who had not seen the rule of the search.
"""

import json
import tomllib
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from knowledge.loaders.markdown import load
from knowledge.search import Search
from knowledge.split import split
from tests.warm import run

DOCS = Path(__file__).parents[2] / "docs"
QUESTIONS = tomllib.loads(Path(__file__).with_name("handbook_questions.toml").read_text("utf-8"))["question"]

FITTED = ("a", "b", "c")
# Of 60 the right page first, of those known; of 18 refused: what may not be lost (docs/performance.md has what is reached).
LEAST_FITTED = (46, 42, 14)
GOAL = (17, 10, 6)  # of 20, of 20, of 6


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
    """The results of some questions, counted."""

    results: tuple[Result, ...] = field(repr=False)

    @property
    def counts(self) -> tuple[int, int, int]:
        """How many found the right page first, how many of those that have one were known, how many of the others were refused."""
        wanted, others = [r for r in self.results if r.wanted], [r for r in self.results if not r.wanted]
        return sum(r.is_right for r in wanted), sum(r.is_known for r in wanted), sum(r.is_right for r in others)

    def reach(self, least: tuple[int, int, int]) -> bool:
        return all(count >= enough for count, enough in zip(self.counts, least, strict=True))

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
    done = run(["ingest", "--handbook", "--json"], cwd=tmp_path, env=process_env)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


@pytest.fixture
def figures(handbook, engine):
    async def ask(*halves: str) -> Figures:
        search, results = Search(engine), []
        for question in (question for question in QUESTIONS if question["half"] in halves):
            found = await search.find(question["text"], ("everyone",))
            wanted = title_of(question["language"], question["page"]) if question["page"] else ""
            first = found.passages[0].title if found.passages else ""
            results.append(Result(question["text"], wanted, first, found.is_known))
        return Figures(tuple(results))

    return ask


async def test_what_the_handbook_answers_is_found_and_the_rest_is_refused(figures):
    fitted = await figures(*FITTED)
    assert fitted.reach(LEAST_FITTED), f"{fitted.counts}\n{fitted.misses()}"


async def test_final_figure_half_d_finds_the_page_and_refuses_the_rest(figures):
    """The final figure. Its misses are not shown on purpose: whoever fits the search must not see them."""
    half = await figures("d")
    enough, counts = half.reach(GOAL), half.counts
    assert enough, counts


@pytest.mark.parametrize("language", ["en", "ko"])
def test_other_words_stand_for_headings_that_there_are(language):
    asked = tomllib.loads((DOCS / language / "asked.toml").read_text("utf-8"))
    for page in (DOCS / language).glob("*.md"):
        headings = {piece.heading for piece in split(load(page.read_bytes()).blocks)}
        assert set(asked[page.name]) == headings, page.name


async def test_other_words_are_searched_and_never_shown(handbook, engine):
    found = await Search(engine).find("whom is the reply shown to, the entire room or just myself", ("everyone",))
    assert (found.passages[0].title, found.passages[0].heading) == ("Ask nod", "Where")
    assert "entire room" not in found.passages[0].text
