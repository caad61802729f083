"""The page's phrases: the same in both languages, all of them used, none missing."""

import re
from pathlib import Path

import pytest

import bot.web
from bot.faces import PHRASES as SHARED
from bot.web.page import PHRASES

FOLDER = Path(bot.web.__file__).parent
CODE = "\n".join(path.read_text() for pattern in ("*.py", "templates/**/*.html") for path in FOLDER.glob(pattern))
BUILT = (
    "role.",
    "reason.",
    "verdict.",
    "tasks.",
    "suggest.handbook_",
    "review.show_",
    "source.scope_",
    "vote.",
    "knowledge.tab_",
    "sources.kind_",
    "sources.note_",
    "knowledge.part_",
    "knowledge.title",
    "knowledge.passages",
    "knowledge.used",
    "knowledge.updated",
    "knowledge.state",
    "error.teach_",
)  # put together from a name


def test_both_languages_say_the_same_things():
    assert PHRASES.keys("ko") == PHRASES.keys("en")


@pytest.mark.parametrize("key", sorted(PHRASES.keys("en")))
def test_both_languages_fill_in_the_same_values(key):
    def values(language):
        return set(re.findall(r"\{(\w+)\}", PHRASES._tables[language][key]))

    if not key.endswith("_one"):
        assert values("ko") == values("en")
    assert re.search(r"[가-힣]", PHRASES._tables["ko"][key]) or key == "nav.language"


def test_every_phrase_is_used():
    unused = [key for key in PHRASES.keys("en") if key.removesuffix("_one") not in CODE and not key.startswith(BUILT)]
    assert unused == []


def test_every_phrase_that_is_asked_for_is_there():
    asked = set(re.findall(r"""(?:\bt|count)\(['"]([a-z_.]+)['"][,)]""", CODE)) | set(re.findall(r'"(error\.(?!html)[a-z_]+)"', CODE))
    missing = [key for key in asked if not PHRASES.has(key) and not SHARED.has(key)]
    assert missing == []
    assert len(asked) > 60


def test_every_scope_a_document_can_have_is_named():
    from knowledge.documents import SCOPE_KINDS

    assert all(PHRASES.has(f"source.scope_{kind}") for kind in SCOPE_KINDS)


def test_every_reason_and_verdict_is_named():
    from feedback.reviews import VERDICTS
    from feedback.votes import REASONS

    assert all(PHRASES.has(f"verdict.{verdict}") for verdict in VERDICTS)
    assert all(SHARED.has(f"reason.{reason}") for reason in REASONS)
