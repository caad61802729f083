"""The bench of search: sets are found, the peers that need nothing installed find, and what is counted is right."""

import json
import math
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from xml.etree import ElementTree as ET

import numpy as np
import pytest

from benchmarks.peers import Fts5, FullText, measured
from benchmarks.picture import bars
from benchmarks.retrieval import Refusals, curve, fits, fitted, language_in, sets_below, unanswered
from benchmarks.vector_knowing import Measured, report
from benchmarks.vector_knowing import fitted as fitted_with_vectors
from knowledge.knowing import KNOWN_FROM

KOREAN = [("leave", "휴가 규정", "연차는 다음 해까지 이월할 수 있어요."), ("tea", "", "차를 끓이는 방법이에요.")]
ENGLISH = [("vpn", "VPN", "Connecting needs the client."), ("meals", "", "Meals are paid.")]


@pytest.mark.parametrize(
    ("corpus", "language", "question", "first"),
    [(KOREAN, "ko", "이월할 수 있나요", "leave"), (ENGLISH, "en", "how do I connect?", "vpn"), (ENGLISH, "en", "vpn", "vpn")],
)
def test_a_peer_finds_with_its_best_settings_for_the_language(database_url, corpus, language, question, first):
    for kind in (Fts5, FullText):
        with closing(kind(corpus, language, database_url)) as peer:
            assert peer.find(question)[:1] == [first], kind.name
            assert peer.find("?!") == []


def test_a_peer_is_given_two_turns_before_the_question_and_each_id_counts_once(database_url):
    asked = [["q", "how much?", ["vpn", "are meals paid", "thanks"]]]
    beir = {"name": "small", "language": "en", "corpus": ENGLISH, "questions": asked}
    (found,) = measured(beir, database_url, ["SQLite FTS5"])
    assert (found["set"], found["peer"], found["ranked"], len(found["ms"])) == ("small", "SQLite FTS5", {"q": ["meals"]}, 1)


def test_what_is_kept_and_refused_is_counted_at_each_threshold():
    one = Refusals("small", "en", [0.9, 0.3, 0.29], [0.1, 0.3])
    assert one.at(KNOWN_FROM["en"]) == (2 / 3, 1 / 2)
    assert one.at(0.1) == (1, 0)
    lines = curve([one]).splitlines()
    assert lines[0].startswith("| set | 0.1 | 0.2 | 0.3 |")
    assert lines[2].startswith("| small | 1.000 / 0.000 | 1.000 / 0.500 | **0.667 / 0.500** |")
    assert curve([Refusals("small", "en", [0.9], [])]).splitlines()[2].startswith("| small | 1.000 / – |")


def test_a_threshold_is_fitted_on_one_half_and_counted_on_the_other():
    one = Refusals("small", "ko", [0.9, 0.9, 0.9, 0.2], [0.42, 0.1, 0.42, 0.3])
    assert (fitted([one.half(0)]), fitted([one.half(1)])) == (0.45, 0.35)
    lines = fits([one]).splitlines()
    assert "| ko | 1 | 0.45 | small 0.500 / 1.000 |" in lines
    assert "| ko | 2 | 0.35 | small 1.000 / 0.000 |" in lines
    assert fitted([Refusals("small", "ko", [0.9], [])]) == 0.05


def test_what_a_cosine_tells_is_fitted_to_keep_and_to_refuse():
    by_words = [0.0, 0.0, 0.5, 0.5]
    own, others = (np.array([(log_odds, cosine) for log_odds in by_words * 5]) for cosine in (0.6, 0.3))
    one = Measured("small", "en", own, others)
    assert one.at((0.0, 0.0)) == (1.0, 0.0)  # by words alone all are known
    slope, shift = fit = fitted_with_vectors([one])
    assert one.at(fit) == (1.0, 1.0)
    assert slope == 5  # the lowest that parts them: log-odds of 0 and a cosine of .6 from .5 and .3
    assert 0.5 + 5 * 0.3 - shift < math.log(0.3 / 0.7) <= 5 * 0.6 - shift
    assert one.half(1).own.tolist() == [[0.0, 0.6], [0.5, 0.6]] * 5
    assert one.refusals(fit).at(KNOWN_FROM["en"]) == (1.0, 1.0)
    lines = report([one]).splitlines()
    assert lines[2].startswith("| 1 | 5, ")
    assert lines[2].endswith("| small | 1.000 / 1.000 | 1.000 / 0.000 |")


def test_sets_are_found_below_a_folder_with_their_language(tmp_path: Path):
    for name, text in (("b", "연차 이월돼?"), ("a", "vpn?")):
        folder = tmp_path / name
        folder.mkdir()
        (folder / "corpus.jsonl").write_text(json.dumps({"id": "1", "text": text}))
        (folder / "queries.jsonl").write_text(json.dumps({"id": "q", "text": text}))
        (folder / "qrels.tsv").write_text("q\t1\t1\n")
    a, b = sets_below(tmp_path)
    assert [(beir.name, language_in(beir)) for beir in (a, b)] == [("a", "en"), ("b", "ko")]
    assert unanswered(a, [a, b]) == []  # b's passage has an id of a's
    assert unanswered(replace(a, corpus=[]), [a, b]) == [*a.questions, *b.questions]
    assert [beir.name for beir in sets_below(tmp_path / "b")] == ["b"]
    assert sets_below(tmp_path / "b" / "none") == []


def test_a_picture_has_a_bar_for_each_row_as_long_as_its_share():
    picture = ET.fromstring(bars([("ko", "nod", 0.5), ("ko", "<other>", 0.25)]))
    widths = [float(bar.get("width", "0")) for bar in picture.iter("{http://www.w3.org/2000/svg}rect") if bar.get("height") == "13"]
    assert widths[0] == 2 * widths[1]
