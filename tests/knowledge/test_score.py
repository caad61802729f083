"""The fast score against a slow one that reads like the formula."""

import math
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from knowledge.analyse import codes, passage_codes, query_from
from knowledge.score import Corpus, counts_from, scores_from

WORDS = ["연차휴가", "연차", "이월", "규정은", "휴가", "vpn", "connect", "tunnel", "leave", "the", "2026", "東京"]
texts = st.lists(st.sampled_from(WORDS), max_size=14).map(" ".join)


def slow_score(question: str, title: str, text: str, corpus: Corpus) -> float:
    """B + H/2 + P + T/2, one passage and one term at a time."""
    query = query_from(question)
    all_codes = [*codes(title).tolist(), *codes(text).tolist()]
    head = codes(title).tolist()
    idf = dict(zip(query.ids.tolist(), corpus.idf.tolist(), strict=True))

    def saturated(tf: int, length: int, mean: float, b: float) -> float:
        return tf * 2.2 / (tf + 1.2 * (1 - b + b * length / max(mean, 1)))

    score = 0.0
    for term, weight, as_head in zip(query.ids.tolist(), query.weights, query.heads, strict=True):
        body = saturated(sum(code >> 1 == term for code in all_codes), len(all_codes), corpus.mean_length, 0.75)
        heads = saturated(all_codes.count(term << 1 | 1), len(all_codes), corpus.mean_length, 0.75)
        of_title = saturated(sum(code >> 1 == term for code in head), len(head), corpus.mean_title, 0.3)
        score += weight * idf[term] * body + 0.5 * as_head * idf[term] * heads + 0.5 * weight * idf[term] * of_title
    stream = [code >> 1 for code in all_codes if code & 1]
    for a, b, has_hangul in query.pairs:
        one, two = int(query.ids[a]), int(query.ids[b])
        if has_hangul:
            tf = sum({stream[i], stream[j]} == {one, two} for i in range(len(stream)) for j in range(i + 1, min(i + 4, len(stream))))
        else:
            tf = sum(pair == (one, two) for pair in pairwise(stream))
        rarest = math.log1p((corpus.passages - 0.5) / 1.5)
        score += (0.4 if has_hangul else 0.3) * min(rarest, idf[one] + idf[two]) * saturated(tf, len(all_codes), corpus.mean_length, 0.75)
    return score


@given(question=texts, passages=st.lists(st.tuples(texts, texts), min_size=1, max_size=4))
def test_the_score_is_that_of_the_formula(question: str, passages: list[tuple[str, str]]):
    query = query_from(question)
    corpus = Corpus(50, 9.0, 2.0, np.arange(len(query.ids), dtype=float) * 3)
    stored = [passage_codes(title, text) for title, text in passages]
    counts = counts_from(query, [row for row, _ in stored], [terms for _, terms in stored])
    fast = scores_from(query, counts, corpus).total
    assert fast.tolist() == pytest.approx([slow_score(question, title, text, corpus) for title, text in passages])


def test_no_passages_have_no_scores():
    query = query_from("연차 이월")
    assert counts_from(query, [], []).body.shape == (0, 2)


def test_counts_of_two_lots_are_those_of_one():
    query = query_from("연차 이월 vpn")
    stored = [passage_codes("연차", text)[0] for text in ("연차 이월", "vpn", "이월 연차 vpn vpn")]
    together = counts_from(query, stored, [1, 1, 1])
    added = counts_from(query, stored[:2], [1, 1]) + counts_from(query, stored[2:], [1])
    assert all((getattr(together, name) == getattr(added, name)).all() for name in ("body", "heads", "title", "pairs", "lengths"))


def test_a_term_that_stands_everywhere_tells_nearly_nothing_and_never_less():
    assert Corpus(10, 5, 1, np.array([0.0, 10.0, 12.0])).idf.tolist() == pytest.approx([math.log(22), math.log1p(0.5 / 10.5), 0], abs=0.05)


@pytest.mark.parametrize(
    ("question", "one", "other"), [("슬랙 연결", "슬랙 연결", "Slack 연결"), ("discord 연결", "Discord 연결", "디스코드 연결")]
)
def test_a_loanword_counts_in_the_script_in_which_it_stands_more_often_not_in_both(question: str, one: str, other: str):
    query = query_from(question)
    asked = query.weights > 0
    same, both = counts_from(query, [passage_codes("", text)[0] for text in (one, other)], [0, 0]), f"{one} {other}"
    assert same.body[0][asked].tolist() == same.body[1][asked].tolist() == [1] * int(asked.sum())
    assert same.pairs.tolist() == [[1], [1]]
    twice = counts_from(query, [passage_codes("", both)[0]], [0])
    assert sorted(twice.body[0][asked].tolist()) == [1] * (int(asked.sum()) - 1) + [2]  # 연결 stands twice, the loanword once in each
