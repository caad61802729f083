"""`nod eval retrieval`: what a BEIR folder must be, what is counted, and that nothing of it stays."""

import json
import os
import signal
import subprocess
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import psycopg
import pytest

from knowledge.beir import beir_from
from knowledge.evaluation import Outcome, _falling, figures_from, run_lines
from nod.errors import ConfigError
from tests import warm
from tests.fakes.model import FakeModel
from tests.local.running import eventually
from tests.nod.test_scratch import names

CORPUS = [
    {"_id": "leave 1", "title": "휴가 규정", "text": "연차는 다음 해 3월 31일까지 5일까지 이월할 수 있어요."},
    {"_id": "sick", "title": "휴가 규정", "text": "병가는 연 10일까지 쓸 수 있고 진단서가 필요해요."},
    {"id": 7, "text": "Open the client and choose Seoul. If it does not connect, ask IT for a token."},
    {"id": "empty", "title": "", "text": ""},
]
QUERIES = [
    {"_id": "q1", "text": "연차 며칠까지 이월돼?"},
    {"id": "q2", "text": "and if it does not connect?", "history": ["how do I open the client"]},
    {"id": "q3", "text": "who won the match"},
    {"id": "train", "text": "not judged"},
]
QRELS = "query-id\tcorpus-id\tscore\nq1\tleave 1\t2\nq1\tsick\t0\nq2\t7\t1\nq3\tsick\t1\n"


def lines(*rows: Any) -> str:
    return "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows)


@pytest.fixture
def beir(folder_of: Callable[..., Path]) -> Callable[..., Path]:
    """A BEIR folder; what is given stands in the place of its files."""

    def make(**files: str | bytes | None) -> Path:
        whole: dict[str, str | bytes | None] = {"corpus": lines(*CORPUS), "queries": lines(*QUERIES), "qrels": QRELS, **files}
        return folder_of({f"{name}.{'tsv' if name == 'qrels' else 'jsonl'}": text for name, text in whole.items() if text is not None})

    return make


# ── what is read ──


def test_a_folder_is_read_as_it_is_meant(beir: Callable[..., Path]):
    folder = beir(qrels="\ufeff" + QRELS.replace("\n", "\r\n"), queries=lines(*QUERIES) + "\n")
    found = beir_from(folder)
    assert [(line.id, line.title) for line in found.corpus] == [("leave 1", "휴가 규정"), ("sick", "휴가 규정"), ("7", ""), ("empty", "")]
    assert [(asked.id, asked.earlier, asked.wanted) for asked in found.questions] == [
        ("q1", (), {"leave 1": 2}), ("q2", ("how do I open the client",), {"7": 1}), ("q3", (), {"sick": 1}),
    ]  # fmt: skip
    assert found.notes == []
    (folder / "qrels").mkdir()
    (folder / "qrels" / "test.tsv").write_text("q1\tsick\t1\n")  # goes before the other, and needs no header
    assert [asked.wanted for asked in beir_from(folder).questions] == [{"sick": 1}]


def test_what_does_not_fit_together_is_said_and_the_rest_is_measured(beir: Callable[..., Path]):
    found = beir_from(beir(qrels=QRELS + "q9\tsick\t1\nq1\tgone\t1\n"))
    assert len(found.questions) == 3
    assert [note.partition("names ")[2] for note in found.notes] == [
        f"1 questions that {found_in(found.notes[0], 'queries.jsonl')} does not have, such as q9; they are left out.",
        f"1 passages that {found_in(found.notes[1], 'corpus.jsonl')} does not have, such as gone; they count as not found.",
    ]


def found_in(note: str, name: str) -> str:
    return next(word for word in note.split() if word.endswith(name))


@pytest.mark.parametrize(
    ("files", "sentence"),
    [
        ({"corpus": None}, "has no corpus.jsonl; a BEIR folder has"),
        ({"qrels": None}, "has no qrels.tsv; a BEIR folder has"),
        ({"corpus": "\n"}, "corpus.jsonl holds no passage."),
        ({"corpus": lines(*CORPUS) + "{not json\n"}, "corpus.jsonl, line 5: this is not a JSON object"),
        ({"queries": '["q1", "text"]\n'}, "queries.jsonl, line 1: this is not a JSON object"),
        ({"corpus": lines({"title": "no id", "text": "x"})}, "corpus.jsonl, line 1: there is no _id or id"),
        ({"corpus": lines({"id": "a\tb", "text": "x"})}, "corpus.jsonl, line 1: there is no _id or id"),
        ({"corpus": lines(*CORPUS, CORPUS[0])}, "corpus.jsonl, line 5: the id leave 1 stands in an earlier line too"),
        ({"corpus": lines({"id": "a"})}, "corpus.jsonl, line 1: text is missing or is not a text."),
        ({"queries": lines({"id": "q1", "text": 3})}, "queries.jsonl, line 1: text is missing or is not a text."),
        ({"queries": lines({"id": "q1", "text": "x", "history": [{}]})}, "queries.jsonl, line 1: history must be a list of texts"),
        ({"qrels": QRELS + "q1 sick 1\n"}, "qrels.tsv, line 6: this is not a question's id"),
        ({"qrels": "q1\tsick\t1\nq1\tleave 1\t.5\n"}, "qrels.tsv, line 2: this is not a question's id"),
        ({"qrels": "q8\tsick\t1\n"}, "has a passage for no question in"),
        ({"queries": "q1".encode("utf-16")}, "queries.jsonl is not UTF-8 text"),
    ],
)  # fmt: skip
def test_what_cannot_be_used_is_a_sentence(beir: Callable[..., Path], files: Mapping[str, Any], sentence: str):
    with pytest.raises(ConfigError) as refused:
        beir_from(beir(**files))
    assert sentence in str(refused.value)
    assert "\n" not in str(refused.value)


def test_a_sentence_is_korean_where_people_read_korean(beir: Callable[..., Path], monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("NOD_LANGUAGE", "ko")
    with pytest.raises(ConfigError, match=r"qrels\.tsv 1행: 질문 id, 구절 id, 정수가 탭으로"):
        beir_from(beir(qrels="q1 sick 1\n"))


# ── what is counted ──


def outcome(question: str, *names: str, is_known: bool = True, ms: float = 1) -> Outcome:
    return Outcome(question, tuple((name, 9.0 - n) for n, name in enumerate(names)), 0.5, is_known, ms)


def test_figures_are_those_of_the_field():
    outcomes = [
        outcome("a", "v", "w", "x", "y", "p", ms=1), outcome("b", "p", "q", ms=2), outcome("c", "1", "2", "3", "4", "5", "p", ms=30),
        outcome("d", is_known=False, ms=4),
    ]  # fmt: skip
    f = figures_from(outcomes, {"a": {"p": 1}, "b": {"p": 1, "q": 2}, "c": {"p": 1}, "d": {"p": 1}}, 10)
    assert f.mrr == pytest.approx((1 / 5 + 1 + 1 / 6) / 4)
    assert f.recall_at_5 == pytest.approx((1 + 1 + 0 + 0) / 4)
    ideal_b = 2 + 1 / 1.5849625
    assert f.ndcg == pytest.approx((1 / 2.5849625 + (1 + 2 / 1.5849625) / ideal_b + 1 / 2.8073549) / 4)
    assert (f.known, f.ms_p50, f.ms_p95) == (0.75, 4, 30)
    assert figures_from(outcomes, {"a": {"p": 1}, "b": {"p": 1, "q": 2}, "c": {"p": 1}, "d": {"p": 1}}, 1).mrr == 0.25


def test_a_run_file_has_six_columns_even_if_ids_hold_spaces():
    assert _falling([("a", 2.0), ("b", 3.0), ("c", 1.0)]) == (("a", 2.0), ("b", 1.9999), ("c", 1.0))  # readers order by score
    assert "".join(run_lines([outcome("q 1", "a b", "c")])) == "q 1\tQ0\ta b\t1\t9.0000\tnod\nq 1\tQ0\tc\t2\t8.0000\tnod\n"


# ── the command ──


def test_a_folder_is_measured_beside_the_teams_documents(
    beir: Callable[..., Path], process_env: dict[str, str], database_url: str, tmp_path: Path
):
    run = tmp_path / "nod.run"
    done = warm.run(["eval", "retrieval", beir(), "--run", run, "--json"], cwd=tmp_path, env=process_env)
    assert (done.returncode, done.stderr) == (0, "")
    found = json.loads(done.stdout)
    assert {name: found[name] for name in ("set", "passages", "questions", "k")} == {
        "set": "documents",
        "passages": 4,
        "questions": 3,
        "k": 10,
    }
    assert (found["mrr"], found["recall_at_5"], found["ndcg"], found["known"]) == (0.6667, 0.6667, 0.6667, 0.6667)
    assert found["index_seconds"] > 0
    assert 0 < found["ms_p50"] <= found["ms_p95"]
    rows = [line.split("\t") for line in run.read_text("utf-8").splitlines()]
    assert [row[:4] + row[5:] for row in rows if row[3] == "1"] == [["q1", "Q0", "leave 1", "1", "nod"], ["q2", "Q0", "7", "1", "nod"]]
    scores = [float(row[4]) for row in rows if row[0] == "q1"]
    assert scores == sorted(scores, reverse=True)
    assert names(database_url) == set()
    with psycopg.connect(database_url) as db:
        assert db.execute("SELECT (SELECT count(*) FROM documents), (SELECT count(*) FROM passage_terms)").fetchone() == (0, 0)


def test_with_vectors_meaning_counts_and_a_model_that_does_not_answer_is_a_sentence(
    beir: Callable[..., Path], process_env: dict[str, str], agent: FakeModel, tmp_path: Path
):
    travel = {"_id": "travel", "text": "Reimbursements for business travel are paid at the end of each month."}
    asked = {"_id": "q", "text": "reimbursmnts for buziness travl"}  # no word of it stands in the passage
    folder = beir(corpus=lines(*CORPUS[:3], travel), queries=lines(asked), qrels="q\ttravel\t1\n")

    def measured(*options: str, **env: str) -> "subprocess.CompletedProcess[str]":
        return warm.run(["eval", "retrieval", folder, "--json", *options], cwd=tmp_path, env=process_env | env)

    model = agent.env | {"NOD_EMBEDDING_MODEL": "openai:text-embedding-3-small"}
    assert json.loads(measured(**model).stdout)["mrr"] == 0
    assert json.loads(measured("--vectors", **model).stdout)["mrr"] == 1
    unset = measured("--vectors", **agent.env)
    assert unset.returncode == 1
    assert unset.stderr.startswith("NOD_EMBEDDING_MODEL is not set. Name a model in .env")
    away = measured("--vectors", **model | {"OPENAI_BASE_URL": "http://127.0.0.1:9/v1"})
    assert away.returncode == 1
    assert "text-embedding-3-small" in away.stderr
    assert away.stderr.count("\n") == 1


def test_nothing_is_left_after_ctrl_c(beir: Callable[..., Path], process_env: dict[str, str], database_url: str, tmp_path: Path):
    many = lines(*({"id": n, "text": f"passage {n} of very many"} for n in range(5000)))
    ours, theirs = os.openpty()
    with os.fdopen(ours, "rb", buffering=0) as terminal:
        child = subprocess.Popen(
            [warm.NOD, "eval", "retrieval", beir(corpus=many, qrels="q1\t7\t1\n")], cwd=tmp_path, env=process_env | {"TERM": "xterm"},
            stdout=subprocess.PIPE, stderr=theirs, start_new_session=True,
        )  # fmt: skip
        os.close(theirs)
        shown = b""
        while "/5000" not in shown.decode(errors="replace"):
            shown += terminal.read(4096)
        assert names(database_url)
        child.send_signal(signal.SIGINT)
        assert child.wait(20) == 130
        assert child.stdout
        assert child.stdout.read() == b""
        child.stdout.close()
    eventually(lambda: names(database_url) == set())
